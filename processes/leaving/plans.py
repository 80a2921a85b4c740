"""What a departure hands over and to whom it could go: reads, nothing is written here."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _

from processes.leaving.house import House, administrators, is_channel_hat, is_contractors
from processes.leaving.risk import Risk, risk_of
from processes.models import Action, Drill, Handover, HandoverItem
from roles import conflicts
from roles.conflicts import Worn
from roles.models import Appointment, Channel, Company, Membership, Role
from roles.permissions import RoleKind

Kind = HandoverItem.Kind
ASK_AGAIN = timedelta(days=2)
"""How long a successor may think before they are reminded, and before who manages people sees that they are silent."""
MANAGERS = (RoleKind.PM, RoleKind.CMO, RoleKind.OWNER)
STANDS_IN = {
    Kind.COORDINATION: MANAGERS,
    Kind.RULE: (RoleKind.CMO, RoleKind.ANALYST, RoleKind.OWNER),
    Kind.SOURCE: (RoleKind.ANALYST, RoleKind.PM, RoleKind.CMO, RoleKind.OWNER),
    Kind.ACTION: MANAGERS,
    Kind.CHECK: (RoleKind.ANALYST, RoleKind.PM, RoleKind.OWNER, RoleKind.CMO),
    Kind.ACCESS: MANAGERS,
    Kind.DOCUMENT: MANAGERS,
    Kind.CONTRACTOR: MANAGERS,
}
"""Whose hats are nearest to a thing that is no hat itself, in this order."""


@dataclass(frozen=True)
class Holding:
    """One thing that somebody holds. `near`: ids of the people nearest to it, `kinds`: then the wearers of these hats."""

    kind: str
    object_id: int
    label: str
    channel: Channel | None = None
    role: Role | None = None
    near: tuple[int, ...] = ()
    kinds: tuple[RoleKind, ...] = ()
    hat: Appointment | None = None
    checked: int | None = None


def holdings(house: House, person: Membership) -> list[Holding]:
    """Everything active that stands on a person: none of it may be left without an owner when they go."""
    risk = risk_of(house, person)
    found = [_hat(house, row) for row in house.held_by(person) if not row.interim and not is_contractors(row)]
    found += [
        Holding(Kind.COORDINATION, row.pk, row.name, channel=row, kinds=STANDS_IN[Kind.COORDINATION])
        for row in risk.coordinates
    ]
    found += [_deputy(house, row) for row in risk.deputises if row.person_id != person.pk]
    found += [
        Holding(
            Kind.CHECK, row.pk, f"{row.person}: {row.what}"[:300], kinds=STANDS_IN[Kind.CHECK], checked=row.person_id
        )
        for row in risk.checks
    ]
    rules = {row.rule_id: row for row in risk.rules}
    found += [
        Holding(
            Kind.RULE, row.rule_id, f"{row.rule}: {row.name}", channel=row.channel, kinds=STANDS_IN[Kind.RULE],
            near=_around(house, row.channel),
        )
        for row in rules.values()
    ]  # fmt: skip
    found += [Holding(Kind.SOURCE, row.pk, row.name, kinds=STANDS_IN[Kind.SOURCE]) for row in risk.sources]
    found += [
        Holding(
            Kind.ACTION, row.pk, row.text[:300], channel=row.channel, kinds=STANDS_IN[Kind.ACTION],
            near=_around(house, row.channel), checked=row.created_by_id if row.kind == Action.Kind.DOUBT else None,
        )
        for row in risk.actions
    ]  # fmt: skip
    return found + _outside(house, risk)


def _outside(house: House, risk: Risk) -> list[Holding]:
    """What lies in outside systems and with other firms: accesses, documents, contractors."""
    found = []
    for access in risk.accesses:
        channel = next((row.channel for row in access.channel_rows.all()), None)
        near = (*_around(house, channel), *sorted(administrators(access) - {risk.person.pk}))
        found.append(
            Holding(Kind.ACCESS, access.pk, str(access)[:300], channel, near=near, kinds=STANDS_IN[Kind.ACCESS])
        )
    found += [
        Holding(
            Kind.DOCUMENT, row.pk, row.title[:300], row.channel, near=_around(house, row.channel),
            kinds=STANDS_IN[Kind.DOCUMENT],
        )
        for row in risk.documents
    ]  # fmt: skip
    found += [
        Holding(
            Kind.CONTRACTOR, row.pk, row.name[:300], near=(row.deputy_id,) if row.deputy_id else (),
            kinds=STANDS_IN[Kind.CONTRACTOR],
        )
        for row in risk.contractors
    ]  # fmt: skip
    return found


def _hat(house: House, row: Appointment) -> Holding:
    """Nearest: the deputy, then who wears the same role elsewhere, then hats of the same kind."""
    same = [one.person_id for one in house.appointments if one.role_id == row.role_id and not one.interim]
    near = ([row.deputy_id] if row.deputy_id else []) + same
    label = house.role_name(row) + (f": {row.channel.name}" if row.channel_id else "")
    return Holding(
        Kind.HAT, row.pk, label, channel=row.channel, role=row.role, near=tuple(near),
        kinds=(RoleKind(row.role.kind), RoleKind.CMO), hat=row,
    )  # fmt: skip


def _deputy(house: House, row: Appointment) -> Holding:
    label = _("deputy of %(person)s: %(role)s") % {"person": row.person, "role": house.role_name(row)}
    label += f", {row.channel.name}" if row.channel_id else ""
    return Holding(
        Kind.DEPUTY, row.pk, label, channel=row.channel, role=row.role, kinds=(RoleKind(row.role.kind), RoleKind.CMO),
        hat=row, checked=row.person_id,
    )  # fmt: skip


def _around(house: House, channel: Channel | None) -> tuple[int, ...]:
    """Who owns, deputises and coordinates a channel."""
    if channel is None:
        return ()
    rows = [row for row in house.appointments if row.channel_id == channel.pk and is_channel_hat(row)]
    found = [*(row.person_id for row in rows), *(row.deputy_id for row in rows), channel.coordinator_id]
    return tuple(one for one in found if one is not None)


def proposed(house: House, leaver: Membership, held: list[Holding]) -> dict[tuple[str, int], Membership | None]:
    """(kind, object) → whom to ask first: by hats, then by load; nobody whom the hat would bring a conflict of duties."""
    pairs = conflicts.pairs_in_force(company=house.company)
    worn = conflicts.worn_by(house.appointments)
    load = {person.pk: house.hours(person) for person in house.people}
    leaving = set(
        Handover.objects.filter(company=house.company, state=Handover.State.OPEN).values_list("person", flat=True)
    )
    able = [one for one in house.people if one.pk != leaver.pk and one.pk not in leaving and _kinds(house, one)]
    found: dict[tuple[str, int], Membership | None] = {}
    for holding in held:
        ranked = sorted(able, key=lambda one: (*_nearness(house, one, holding), load[one.pk], str(one)))
        chosen = next((one for one in ranked if _fits(holding, one, worn, pairs)), None)
        found[holding.kind, holding.object_id] = chosen
        if chosen is not None and holding.kind == Kind.HAT:
            load[chosen.pk] += holding.hat.hours_per_week or 1
    return found


def _kinds(house: House, person: Membership) -> set[RoleKind]:
    """The kinds of hats a person wears; a contractor's alone is none that anything is handed to."""
    kinds = {RoleKind(row.role.kind) for row in house.appointments if row.person_id == person.pk}
    return kinds - {RoleKind.CONTRACTOR}


def _nearness(house: House, person: Membership, holding: Holding) -> tuple[int, int]:
    if person.pk in holding.near:
        return 0, holding.near.index(person.pk) if holding.kind != Kind.HAT or holding.hat.deputy_id == person.pk else 1
    kinds = _kinds(house, person)
    return 1, next((place for place, kind in enumerate(holding.kinds) if kind in kinds), len(holding.kinds))


def _fits(holding: Holding, person: Membership, worn: list[Worn], pairs: Iterable) -> bool:
    if person.pk == holding.checked:
        return False
    if holding.hat is None:
        return True
    row = holding.hat
    if row.role.kind == RoleKind.OWNER and holding.kind == Kind.HAT:
        return False
    deputy = holding.kind == Kind.DEPUTY
    mine = [hat for hat in worn if hat.person.pk == person.pk]
    new = Worn(person, row.role, row.channel, row.starts_on, row.ends_on, deputy=deputy)
    return len(conflicts.clashes([*mine, new], pairs)) <= len(conflicts.clashes(mine, pairs))


def handovers(*, company: Company) -> QuerySet[Handover]:
    """Departures with their items, the newest first."""
    items = HandoverItem.objects.filter(company=company).select_related("successor__user", "channel", "role")
    return (
        Handover.objects.filter(company=company)
        .select_related("person__user", "created_by__user")
        .prefetch_related(Prefetch("items", items))
    )


def unfinished(*, company: Company) -> QuerySet[Handover]:
    return handovers(company=company).filter(state__in=Handover.UNFINISHED)


def get_handover(*, company: Company, pk: int) -> Handover | None:
    return handovers(company=company).filter(pk=pk).first()


def items(*, company: Company) -> QuerySet[HandoverItem]:
    return HandoverItem.objects.filter(company=company).select_related(
        "handover__person__user", "handover__company", "successor__user", "channel", "role", "company"
    )


def get_item(*, company: Company, pk: int) -> HandoverItem | None:
    return items(company=company).filter(pk=pk).first()


def waiting_for(*, company: Company, person: Membership) -> QuerySet[HandoverItem]:
    """What somebody leaving would hand to this person, who has not answered yet."""
    return awaited(company=company).filter(successor=person)


def awaited(*, company: Company) -> QuerySet[HandoverItem]:
    """Everything that a successor has been asked to take and has not answered."""
    found = items(company=company).filter(handover__state__in=Handover.UNFINISHED, state__in=HandoverItem.AWAITED)
    return found.exclude(successor=None)


def silent_since(asked: Iterable[HandoverItem]) -> dict[tuple[int, int], list[HandoverItem]]:
    """(departure, successor) → what they have not answered, the thing asked first at the head."""
    found: dict[tuple[int, int], list[HandoverItem]] = defaultdict(list)
    for item in sorted(asked, key=lambda item: (item.asked_at or item.handover.created_at, item.pk)):
        found[item.handover_id, item.successor_id].append(item)
    return found


def is_silent(item: HandoverItem, at: datetime) -> bool:
    """Asked so long ago that it is time to ask again."""
    return item.asked_at is not None and at >= item.asked_at + ASK_AGAIN


def drills(*, company: Company, person: Membership | None = None) -> QuerySet[Drill]:
    found = Drill.objects.filter(company=company).select_related("person__user", "run_by__user")
    return found.filter(person=person) if person else found
