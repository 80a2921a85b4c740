"""The independence index: 0–100 from what a company holds on a day, and what would raise it. Pure over a `House`.

Five parts with fixed weights; a part is the share of its objects that stand without a single person. A part without
objects is left out and the weights of the others are stretched to 100.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from processes.leaving.house import House, administrators
from roles.flags import ENOUGH_ADMINISTRATORS
from roles.journal_words import VERBS
from roles.models import Access, Channel, Membership, RoleVersion
from roles.permissions import RoleKind


class Part(StrEnum):
    """What is looked at, in the order of the page."""

    ROLES = "roles"
    PROCESSES = "processes"
    ACCESSES = "accesses"
    PACKS = "packs"
    CONFLICTS = "conflicts"

    @property
    def label(self):
        return {
            "roles": _("Roles filled, with a deputy"),
            "processes": _("Channels and work run by more than one person"),
            "accesses": _("Accesses owned by the business, with two administrators"),
            "packs": _("Roles that a pack can hand over"),
            "conflicts": _("Conflicts of duties under a check"),
        }[self.value]


WEIGHTS = {Part.ROLES: 25, Part.PROCESSES: 25, Part.ACCESSES: 20, Part.PACKS: 15, Part.CONFLICTS: 15}


class Lack(StrEnum):
    """Why an object does not count, the cheapest to mend first."""

    NO_DEPUTY = "no_deputy"
    NO_CHARTER = "no_charter"
    NO_CHECK = "no_check"
    ONE_ADMINISTRATOR = "one_administrator"
    ONE_PERSON = "one_person"
    NOBODY = "nobody"
    VACANT = "vacant"
    NOT_OURS = "not_ours"

    @property
    def step(self):
        """What to do about it, in words."""
        return {
            "no_deputy": _("Name a deputy"),
            "no_charter": _("Write the mission, the duties and the KPIs of the role"),
            "no_check": _("Name who checks from outside"),
            "one_administrator": _("Name a second administrator"),
            "not_ours": _("Put the account in the company's name"),
            "one_person": _("Let a second person do it once"),
            "nobody": _("Nobody has worked on it for 90 days: do it once, by two people"),
            "vacant": _("Appoint somebody"),
        }[self.value]


ORDER = list(Lack)


@dataclass(frozen=True)
class Thing:
    """An object of a part: what it is called, and what it lacks (None: it counts). `role`, `channel`, `appointment`, `access`: links."""

    name: str
    lack: Lack | None = None
    role_id: int | None = None
    appointment_id: int | None = None
    channel: Channel | None = None
    access_id: int | None = None


@dataclass(frozen=True)
class Measured:
    """A part with its objects. `weight`: points of 100 it has after the empty parts are left out."""

    part: Part
    things: list[Thing]
    weight: Decimal

    @property
    def good(self) -> list[Thing]:
        return [thing for thing in self.things if thing.lack is None]

    @property
    def lacking(self) -> list[Thing]:
        """What does not count yet, the cheapest to mend first."""
        return sorted((thing for thing in self.things if thing.lack), key=lambda thing: ORDER.index(thing.lack))

    @property
    def share(self) -> Decimal:
        return Decimal(len(self.good)) / len(self.things)

    @property
    def points(self) -> Decimal:
        return self.weight * self.share

    @property
    def gain(self) -> Decimal:
        """Points that one more object brings."""
        return self.weight / len(self.things)

    @property
    def step(self) -> Thing | None:
        """The cheapest next one; None where everything counts."""
        return next(iter(self.lacking), None)


@dataclass(frozen=True)
class Index:
    """The index with its parts; `value` None where there is nothing to measure."""

    parts: list[Measured]

    @property
    def value(self) -> int | None:
        if not self.parts:
            return None
        return int(sum(part.points for part in self.parts).quantize(Decimal(1), ROUND_HALF_UP))

    @property
    def steps(self) -> list[tuple[Measured, Thing]]:
        """The next step of every part, the largest gain first."""
        found = [(part, part.step) for part in self.parts if part.step is not None]
        return sorted(found, key=lambda row: -row[0].gain)


def index_of(house: House, without: Membership | None = None) -> Index:
    """The index of a day; `without`: as it would be if this person were not there any more."""
    gone = without.pk if without is not None else None
    found = {
        Part.ROLES: _roles(house, gone),
        Part.PROCESSES: _processes(house, gone),
        Part.ACCESSES: _accesses(house, gone),
        Part.PACKS: _packs(house),
        Part.CONFLICTS: _conflicts(house, gone),
    }
    total = sum(WEIGHTS[part] for part, things in found.items() if things)
    return Index([
        Measured(part, things, Decimal(100 * WEIGHTS[part]) / total) for part, things in found.items() if things
    ])  # fmt: skip


def without_each(house: House) -> dict[int, int | None]:
    """Person id → the index without them."""
    return {person.pk: index_of(house, without=person).value for person in house.people}


def _roles(house: House, gone: int | None) -> list[Thing]:
    """Places of the map but the contractors': somebody holds each by right, and a second person stands behind."""
    things = []
    for row in house.board.rows:
        if row.role.role.kind == RoleKind.CONTRACTOR:
            continue
        holders = {one.person_id for one in row.holders} - {gone}
        behind = {one.pk for one in row.deputies if one.is_active} - {gone}
        name = f"{row.role.name} · {row.channel.name}" if row.channel else row.role.name
        known = {"role_id": row.role.role_id, "channel": row.channel}
        if not holders:
            things.append(Thing(name, Lack.VACANT, **known))
            continue
        backed = len(holders | behind) > 1
        first = next(one for one in row.holders if one.person_id in holders)
        things.append(Thing(name, None if backed else Lack.NO_DEPUTY, appointment_id=first.pk, **known))
    return things


def _processes(house: House, gone: int | None) -> list[Thing]:
    """Running channels, and the work of the company as the journal knows it: of 90 days, by two people at least."""
    by_channel: dict[str, set[int]] = {}
    things = []
    for work in house.work:
        if work.channel:
            by_channel.setdefault(work.channel, set()).update(work.people)
    for channel in house.channels:
        if channel.is_running:
            people = by_channel.get(channel.name, set()) - {gone}
            things.append(Thing(channel.name, _hands(people), channel=channel))
    for work in house.work:
        if not work.channel:
            things.append(Thing(str(VERBS[work.verb]), _hands(set(work.people) - {gone})))
    return things


def _hands(people: set[int]) -> Lack | None:
    if not people:
        return Lack.NOBODY
    return None if len(people) > 1 else Lack.ONE_PERSON


def _accesses(house: House, gone: int | None) -> list[Thing]:
    """Accounts in use: each in the company's name, with two people at least who administer it."""
    things = []
    for access in house.accesses:
        lack = None
        if access.owned_by != Access.OwnedBy.COMPANY:
            lack = Lack.NOT_OURS
        elif len(administrators(access) - {gone}) < ENOUGH_ADMINISTRATORS:
            lack = Lack.ONE_ADMINISTRATOR
        things.append(Thing(str(access), lack, access_id=access.pk))
    return things


def _packs(house: House) -> list[Thing]:
    """Roles in use whose charter is written: the pack of such a role tells a newcomer what to do."""
    return [
        Thing(version.name, None if is_written(version) else Lack.NO_CHARTER, role_id=version.role_id)
        for version in house.board.versions
    ]


def is_written(version: RoleVersion) -> bool:
    return bool(version.mission and version.duties and version.kpis)


def _conflicts(house: House, gone: int | None) -> list[Thing]:
    """Duties that meet in one person: each is checked from outside. One who is gone has no conflict, and checks nobody."""
    things = []
    for standing in house.standings:
        if standing.clash.person.pk == gone:
            continue
        checked = standing.is_checked and standing.check.checker_id != gone
        things.append(
            Thing(f"{standing.clash.person}: {standing.clash.version.why}", None if checked else Lack.NO_CHECK)
        )
    return things
