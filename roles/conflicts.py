"""Which duties of one person clash, and who checks them meanwhile. Detection is pure: worn hats and pairs in, clashes out.

A deputy counts as wearing the hat: they act whenever the holder is away. Hats that follow each other in time do not clash.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Q
from django.utils.translation import gettext as _

from roles import selectors
from roles.models import (
    Appointment,
    Channel,
    CheckRound,
    Company,
    ExternalCheck,
    Incompatibility,
    IncompatibilityVersion,
    Membership,
    Role,
)
from roles.permissions import RoleKind

TIME_TO_LOOK = timedelta(days=3)
"""From the end of a period to the day by which its check must be signed."""


@dataclass(frozen=True)
class Worn:
    """A hat on one person for a span of days; `ends_on` None: open. `deputy`: worn whenever the holder is away."""

    person: Membership
    role: Role
    channel: Channel | None
    starts_on: date
    ends_on: date | None
    deputy: bool = False
    interim: bool = False

    def meets(self, other: "Worn") -> bool:
        begins = self.ends_on is None or other.starts_on <= self.ends_on
        return begins and (other.ends_on is None or self.starts_on <= other.ends_on)


@dataclass(frozen=True)
class Clash:
    """Two duties of one person that must not meet, each with the hats that bring it."""

    version: IncompatibilityVersion
    left: tuple[Worn, ...]
    right: tuple[Worn, ...]

    @property
    def person(self) -> Membership:
        return self.left[0].person

    @property
    def hats(self) -> tuple[Worn, ...]:
        return self.left + self.right


@dataclass(frozen=True)
class Standing:
    """A clash as it stands on a day. `check`: the last one named for it, in force or not; `skipped`: its unsigned rounds."""

    number: int
    clash: Clash
    check: ExternalCheck | None
    skipped: tuple[CheckRound, ...]
    on: date

    @property
    def expired(self) -> bool:
        return self.check is not None and self.check.last_day < self.on

    @property
    def is_checked(self) -> bool:
        return self.check is not None and not self.expired and not self.skipped


def worn_by(appointments: Iterable[Appointment]) -> list[Worn]:
    """Every appointment as the hats it puts on people: the holder's and the deputy's."""
    found = []
    for row in appointments:
        span = (row.role, row.channel, row.starts_on, row.ends_on)
        found.append(Worn(row.person, *span, interim=row.interim))
        if row.deputy_id:
            found.append(Worn(row.deputy, *span, deputy=True))
    return found


def clashes(worn: Iterable[Worn], pairs: Iterable[IncompatibilityVersion]) -> list[Clash]:
    """One per person and pair, people in the order given."""
    by_person: dict[int, list[Worn]] = defaultdict(list)
    for hat in worn:
        by_person[hat.person.pk].append(hat)
    found = []
    for hats in by_person.values():
        for version in pairs:
            left = [hat for hat in hats if is_side(hat.role, version.pair.left_role_id, version.pair.left_kind)]
            right = [hat for hat in hats if is_side(hat.role, version.pair.right_role_id, version.pair.right_kind)]
            met = [(one, other) for one in left for other in right if one is not other and one.meets(other)]
            if met:
                lefts = tuple(hat for hat in left if any(hat is one for one, _other in met))
                rights = tuple(hat for hat in right if any(hat is other for _one, other in met))
                found.append(Clash(version, lefts, rights))
    return found


def is_side(role: Role, role_id: int | None, kind: str) -> bool:
    """Is the role what one side of a pair names: that very role, or any of the kind?"""
    return role.pk == role_id if role_id else role.kind == kind


def pair_sides(pair: Incompatibility, names: dict[int, str]) -> tuple[str, str]:
    """Both duties in words; `names`: role id → its current name."""
    return tuple(
        names.get(role_id, "") if (role_id := getattr(pair, f"{name}_role_id"))
        else _("any %(kind)s") % {"kind": RoleKind(getattr(pair, f"{name}_kind")).label}
        for name in ("left", "right")
    )  # fmt: skip


def pairs_in_force(*, company: Company) -> list[IncompatibilityVersion]:
    """The pairs that count now; one query."""
    return [version for version in all_pairs(company=company) if version.is_active]


def all_pairs(*, company: Company) -> list[IncompatibilityVersion]:
    """The current version of every pair, those that were let go too."""
    found = IncompatibilityVersion.objects.filter(company=company, superseded_at=None)
    return list(found.select_related("pair__left_role", "pair__right_role").order_by("pair_id"))


def get_pair(*, company: Company, pk: int) -> IncompatibilityVersion | None:
    return next((version for version in all_pairs(company=company) if version.pair_id == pk), None)


def pair_history(*, company: Company, pair: Incompatibility) -> list[IncompatibilityVersion]:
    found = IncompatibilityVersion.objects.filter(company=company, pair=pair).select_related("created_by__user")
    return list(found.order_by("-number"))


def would_clash(*, company: Company, candidates: list[Worn]) -> list[Clash]:
    """The clashes that these hats would bring to their people; empty without a query where no pair is about them."""
    pairs = pairs_in_force(company=company)
    people = {hat.person.pk for hat in candidates}
    first = min(hat.starts_on for hat in candidates)
    held = (
        Appointment.objects.filter(company=company)
        .filter(Q(person__in=people) | Q(deputy__in=people))
        .exclude(ends_on__lt=first)
        .select_related("role", "channel", "person__user", "deputy__user")
    )
    now = [hat for hat in worn_by(held) if hat.person.pk in people]
    new = {id(hat) for hat in candidates}
    return [
        clash
        for clash in clashes([*now, *candidates], pairs)
        if any(id(hat) in new for hat in clash.hats)
    ]  # fmt: skip


def clashes_from(*, company: Company, on: date) -> list[Clash]:
    """Every clash of a day and of the days after it, as far as appointments reach; two queries."""
    rows = Appointment.objects.filter(company=company).exclude(ends_on__lt=on)
    rows = rows.select_related("role", "channel", "person__user", "deputy__user")
    return clashes(worn_by(rows), pairs_in_force(company=company))


def standings(
    *, company: Company, on: date, appointments: list[Appointment] | None = None, today: date | None = None
) -> list[Standing]:
    """Every clash of a day with its check, unchecked ones first; four queries at most.

    `appointments`: those in force, where the caller has them. `today`: where `on` lies ahead, since a check that is due
    between them is not skipped yet.
    """
    if appointments is None:
        appointments = list(selectors.appointments_in_force(company=company, on=on))
    found = clashes(worn_by(appointments), pairs_in_force(company=company))
    checks = _last_checks(company, on) if found else {}
    rows = []
    for clash in found:
        check = checks.get((clash.person.pk, clash.version.pair_id))
        skipped = tuple(one for one in check.rounds.all() if is_skipped(one, today or on)) if check else ()
        rows.append(Standing(0, clash, check, skipped, on))
    rows.sort(key=lambda row: row.is_checked)
    return [Standing(number, row.clash, row.check, row.skipped, on) for number, row in enumerate(rows, 1)]


def is_skipped(one: CheckRound, on: date) -> bool:
    """Its day has passed and nobody has signed; a check that was ended is not asked for days after its end."""
    return one.signed_at is None and one.due_on < on and one.last_day <= one.external_check.last_day


def _last_checks(company: Company, on: date) -> dict[tuple[int, int], ExternalCheck]:
    found = ExternalCheck.objects.filter(company=company, starts_on__lte=on).select_related(
        "person__user", "checker__user"
    )
    return {(check.person_id, check.pair_id): check for check in found.prefetch_related("rounds__external_check")}


def check_in_force(*, company: Company, person: Membership, pair: Incompatibility, on: date) -> ExternalCheck | None:
    """The check that makes this clash allowed on a day: not ended, nothing skipped."""
    check = _last_checks(company, on).get((person.pk, pair.pk))
    if check is None or check.last_day < on or any(is_skipped(one, on) for one in check.rounds.all()):
        return None
    return check


def checks_of_kind(
    *, company: Company, on: date, kinds: Iterable[RoleKind], person: Membership | None = None
) -> list[ExternalCheck]:
    """Checks that counted on a day, of the pairs about one of these kinds of hats: of everybody, or of one person."""
    kinds = tuple(kinds)
    about = (
        Q(pair__left_kind__in=kinds) | Q(pair__right_kind__in=kinds)
        | Q(pair__left_role__kind__in=kinds) | Q(pair__right_role__kind__in=kinds)
    )  # fmt: skip
    found = ExternalCheck.objects.filter(about, company=company, starts_on__lte=on, until__gte=on)
    found = found.filter(person=person) if person else found
    return list(found.exclude(ended_on__lt=on).select_related("checker__user"))


def rounds_to_look_at(*, company: Company, checker: Membership, on: date) -> list[CheckRound]:
    """What this person has to check: rounds whose days are over and that nobody has signed, the most overdue first."""
    found = CheckRound.objects.filter(company=company, external_check__checker=checker, signed_at=None, last_day__lt=on)
    found = found.select_related("external_check__person__user", "external_check__pair").order_by("due_on", "pk")
    return [one for one in found if one.last_day <= one.external_check.last_day]


def named_rounds(*, company: Company, checker: Membership, on: date) -> list[tuple[CheckRound, str]]:
    """The same, each with the two duties in words: one person may be checked for two pairs of them."""
    found = rounds_to_look_at(company=company, checker=checker, on=on)
    sides = round_sides(company=company, rounds=found) if found else {}
    return [(one, " × ".join(sides[one.pk])) for one in found]


def round_sides(*, company: Company, rounds: list[CheckRound]) -> dict[int, tuple[str, str]]:
    """Both duties of each round as the list of conflicts has them: the roles worn in its days; where none is told, the pair."""
    names = selectors.role_names(company=company)
    people = {one.external_check.person_id for one in rounds}
    rows = Appointment.objects.filter(company=company).filter(Q(person__in=people) | Q(deputy__in=people))
    worn = worn_by(rows.select_related("role", "channel", "person__user", "deputy__user").order_by("pk"))
    return {one.pk: _sides_worn(one, worn, names) for one in rounds}


def _sides_worn(one: CheckRound, worn: list[Worn], names: dict[int, str]) -> tuple[str, str]:
    pair, person = one.external_check.pair, one.external_check.person_id
    roles = [
        hat.role
        for hat in worn
        if hat.person.pk == person and hat.starts_on <= one.last_day and (hat.ends_on or one.first_day) >= one.first_day
    ]
    sides = ((pair.left_role_id, pair.left_kind), (pair.right_role_id, pair.right_kind))
    told = [dict.fromkeys(names.get(role.pk, "") for role in roles if is_side(role, *side)) for side in sides]
    return tuple(", ".join(found) or words for found, words in zip(told, pair_sides(pair, names), strict=True))


def get_round(*, company: Company, pk: int) -> CheckRound | None:
    found = CheckRound.objects.filter(company=company, pk=pk)
    return found.select_related(
        "external_check__person__user", "external_check__checker__user", "external_check__pair__left_role",
        "external_check__pair__right_role", "signed_by__user",
    ).first()  # fmt: skip


def checks(*, company: Company) -> list[ExternalCheck]:
    """Every check that was named, newest first, with its rounds."""
    found = ExternalCheck.objects.filter(company=company).select_related("person__user", "checker__user", "pair")
    return list(found.prefetch_related("rounds__external_check").order_by("-starts_on", "-pk"))
