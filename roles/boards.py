"""Reads of whole screens: the map of hats, people with what they wear, the hats of several people at once."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Count, Q, QuerySet
from django_scopes import scopes_disabled

from roles import conflicts, selectors
from roles.conflicts import Standing
from roles.models import Absence, ApiToken, Appointment, Channel, Company, Membership, RoleVersion
from roles.permissions import ROLE_PERMISSIONS, Permission, Reach, RoleKind

GROUPS = (
    (RoleKind.OWNER, RoleKind.CMO, RoleKind.PM),
    (RoleKind.ANALYST,),
    (RoleKind.CHANNEL_OWNER,),
    (RoleKind.CONTRACTOR,),
)


@dataclass(frozen=True)
class WornHat:
    """A hat on somebody's head: own, or `acting` for `instead_of` (the absent holder; None when the place is vacant)."""

    role_id: int
    role_code: str
    role_name: str
    kind: RoleKind
    channel: Channel | None
    acting: bool
    instead_of: Membership | None
    appointment: Appointment


@dataclass
class MapRow:
    """A place on the map: a company-wide role, or a channel with the hat that owns it. `vacant`: nobody holds it by right."""

    role: RoleVersion
    channel: Channel | None
    appointments: list[Appointment]
    vacant: bool
    marks: dict[int, str] = field(default_factory=dict)
    """Person id → own | res (deputy) | pend (meanwhile, the place is vacant) | chk (checks from outside)."""
    clashes: dict[int, list[Standing]] = field(default_factory=dict)
    """Person id → the conflicts of duties that this place is part of."""

    @property
    def holders(self) -> list[Appointment]:
        return [appointment for appointment in self.appointments if not appointment.interim]

    @property
    def interim(self) -> Appointment | None:
        return next((appointment for appointment in self.appointments if appointment.interim), None)

    @property
    def deputies(self) -> list[Membership]:
        return [appointment.deputy for appointment in self.appointments if appointment.deputy_id]


@dataclass(frozen=True)
class RoleMap:
    """Hats × people on a day. `groups`: management, data, channels, contractors; those without rows are left out."""

    groups: list[tuple[RoleKind, list[MapRow]]]
    people: list[Membership]
    away: dict[int, date]
    """Person id → the last day of the absence."""
    channels: list[Channel]
    """All of them, the stopped ones too."""
    versions: list[RoleVersion]
    conflicts: list[Standing] = field(default_factory=list)
    hours: dict[int, int] = field(default_factory=dict)
    """Person id → hours a week of all their hats; people without any are left out."""

    @property
    def names(self) -> dict[int, str]:
        """Role id → its name."""
        return {version.role_id: version.name for version in self.versions}

    @property
    def unchecked(self) -> list[Standing]:
        return [row for row in self.conflicts if not row.is_checked]

    @property
    def most_hours(self) -> int:
        return max(self.hours.values(), default=0)

    @property
    def rows(self) -> list[MapRow]:
        return [row for _kind, rows in self.groups for row in rows]

    @property
    def vacant(self) -> list[MapRow]:
        return [row for row in self.rows if row.vacant]

    @property
    def without_deputy(self) -> int:
        return sum(not row.vacant and not row.deputies for row in self.rows)


def away_on(*, company: Company, on: date) -> dict[int, date]:
    """Who is away on a day: person id → the last day of the absence."""
    found = Absence.objects.filter(company=company, starts_on__lte=on, ends_on__gte=on)
    return dict(found.values_list("person_id", "ends_on"))


def role_map(*, company: Company, on: date, today: date | None = None, like: RoleMap | None = None) -> RoleMap:
    """The map of hats on a day, in eight queries whatever their number.

    `today`: where the day lies ahead. `like`: another map of that day, from which roles, channels and people are taken: between them only hats have moved.
    """
    versions = like.versions if like else list(selectors.roles(company=company))
    channels = like.channels if like else list(selectors.channels(company=company))
    appointments = list(selectors.appointments_in_force(company=company, on=on))
    worn: dict[tuple[int, int | None], list[Appointment]] = defaultdict(list)
    for appointment in appointments:
        worn[appointment.role_id, appointment.channel_id].append(appointment)
    groups = []
    for kinds in GROUPS:
        mine = [version for version in versions if version.role.kind in kinds]
        if kinds == (RoleKind.CHANNEL_OWNER,):
            rows = _channel_rows(mine, [c for c in channels if c.status != Channel.Status.STOPPED], worn)
        else:
            rows = [_row(version, None, _of_role(worn, version.role_id)) for version in mine]
        if rows:
            groups.append((kinds[0], rows))
    people = like.people if like else _by_hat(selectors.people(company=company), groups)
    away = like.away if like else away_on(company=company, on=on)
    found = conflicts.standings(company=company, on=on, appointments=appointments, today=today)
    for _kind, rows in groups:
        _mark_conflicts(rows, found)
    hours: dict[int, int] = defaultdict(int)
    for appointment in appointments:
        hours[appointment.person_id] += appointment.hours_per_week or 0
    known = {person: total for person, total in hours.items() if total}
    return RoleMap(groups, people, away, channels, versions, found, known)


def _by_hat(people: Iterable[Membership], groups: list[tuple[RoleKind, list[MapRow]]]) -> list[Membership]:
    """In the order of the places they hold, so the map reads along its diagonal; who only deputises or waits comes last."""
    rows = [row for _kind, rows in groups for row in rows]
    place: dict[int, int] = {}
    for shift, marks in ((0, ("own", "pend")), (len(rows), ("res",))):
        for number, row in enumerate(rows, shift):
            for person, mark in row.marks.items():
                if mark in marks:
                    place.setdefault(person, number)
    return sorted(people, key=lambda person: place.get(person.pk, 2 * len(rows)))


def _mark_conflicts(rows: list[MapRow], found: list[Standing]) -> None:
    """The conflicts beside the hats that bring them, and the checker's mark in the places that are checked."""
    for row in rows:
        for standing in found:
            if any(_stands_in(hat, row) for hat in standing.clash.hats):
                row.clashes.setdefault(standing.clash.person.pk, []).append(standing)
                if standing.is_checked:
                    row.marks.setdefault(standing.check.checker_id, "chk")


def _stands_in(hat: conflicts.Worn, row: MapRow) -> bool:
    place = row.channel.pk if row.channel else None
    return hat.role.pk == row.role.role_id and (place is None or (hat.channel is not None and hat.channel.pk == place))


def _of_role(worn, role_id: int) -> list[Appointment]:
    return [appointment for (role, _channel), found in worn.items() if role == role_id for appointment in found]


def _channel_rows(versions: list[RoleVersion], channels: list[Channel], worn) -> list[MapRow]:
    by_id = {version.role_id: version for version in versions}
    holders = {channel: (role, found) for (role, channel), found in worn.items() if channel and role in by_id}
    rows = []
    for channel in channels:
        role_id, found = holders.get(channel.pk, (None, []))
        version = by_id.get(role_id) or next(iter(versions), None)
        if version is not None:
            rows.append(_row(version, channel, found))
    return rows


def _row(version: RoleVersion, channel: Channel | None, appointments: list[Appointment]) -> MapRow:
    held = any(not appointment.interim for appointment in appointments)
    planned = channel is not None and channel.status == Channel.Status.PLANNED
    optional = planned or version.role.kind == RoleKind.CONTRACTOR
    row = MapRow(version, channel, appointments, vacant=not held and not optional)
    for appointment in appointments:
        if appointment.deputy_id:
            row.marks.setdefault(appointment.deputy_id, "res")
        row.marks[appointment.person_id] = "pend" if appointment.interim else "own"
    return row


def duties_by_cadence(version: RoleVersion) -> list[tuple[str, list[str]]]:
    """(cadence, texts in the reader's language), from daily to quarterly; cadences without a duty are left out."""
    texts: dict[str, list[str]] = {cadence: [] for cadence in ("day", "week", "month", "quarter")}
    for duty, text in zip(version.duties, version.duty_texts, strict=True):
        texts.setdefault(duty["cadence"], []).append(text)
    return [(cadence, found) for cadence, found in texts.items() if found]


def worn_hats(*, company: Company, on: date) -> dict[int, list[WornHat]]:
    """Person id → the hats worn on a day, those deputised for the absent included; three queries for the whole company."""
    names = selectors.role_names(company=company)
    away = away_on(company=company, on=on)
    worn: dict[int, list[WornHat]] = defaultdict(list)
    for appointment in selectors.appointments_in_force(company=company, on=on):
        worn[appointment.person_id].append(_worn(appointment, names, None))
        if appointment.deputy_id and appointment.person_id in away:
            worn[appointment.deputy_id].append(_worn(appointment, names, appointment.person))
    return worn


def _worn(appointment: Appointment, names: dict[int, str], instead_of: Membership | None) -> WornHat:
    role = appointment.role
    return WornHat(
        role_id=role.pk, role_code=role.code, role_name=names.get(role.pk, role.code), kind=RoleKind(role.kind),
        channel=appointment.channel, acting=appointment.interim or instead_of is not None, instead_of=instead_of,
        appointment=appointment,
    )  # fmt: skip


@dataclass(frozen=True)
class PersonRow:
    """A person on the list. `invited`: has never signed in. `away_until`: the last day of today's absence, or None."""

    person: Membership
    hats: list[WornHat]
    away_until: date | None

    @property
    def invited(self) -> bool:
        return self.person.user.last_login is None


def people_rows(*, company: Company, on: date, people: Iterable[Membership]) -> list[PersonRow]:
    """These people with their hats and absences; the same number of queries for 3 and 300 of them."""
    worn, away = worn_hats(company=company, on=on), away_on(company=company, on=on)
    return [PersonRow(person, worn.get(person.pk, []), away.get(person.pk)) for person in people]


def people_with_tokens(*, company: Company, at: datetime) -> QuerySet[Membership]:
    """Everybody in the company; `live_tokens`: how many of their tokens work."""
    live = Q(tokens__revoked_at=None, tokens__expires_at__gt=at)
    return selectors.people(company=company).annotate(live_tokens=Count("tokens", filter=live))


@dataclass(frozen=True)
class RoleRow:
    """A role with the appointments in force. `vacant`: nobody holds it by right (a contractor's never is)."""

    version: RoleVersion
    holders: list[Appointment]

    @property
    def vacant(self) -> bool:
        held = any(not appointment.interim for appointment in self.holders)
        return not held and self.version.role.kind != RoleKind.CONTRACTOR


def role_rows(*, company: Company, on: date, versions: Iterable[RoleVersion]) -> list[RoleRow]:
    """These roles with their holders on a day; one query more, whatever their number."""
    worn: dict[int, list[Appointment]] = defaultdict(list)
    for appointment in selectors.appointments_in_force(company=company, on=on):
        worn[appointment.role_id].append(appointment)
    return [RoleRow(version, worn.get(version.role_id, [])) for version in versions]


def live_tokens(*, company: Company, person: Membership, at: datetime) -> int:
    return ApiToken.objects.filter(company=company, person=person, revoked_at=None, expires_at__gt=at).count()


@dataclass(frozen=True)
class Reachable:
    """A permission as one person has it: company-wide, or on these channels (codes)."""

    permission: Permission
    channels: list[str] | None
    """None: the whole company."""


def reach_of(hats: list[WornHat]) -> list[Reachable]:
    """What a person's hats allow, in the order of the permissions."""
    found = []
    for permission in Permission:
        reaches = [(hat, ROLE_PERMISSIONS[hat.kind].get(permission)) for hat in hats]
        if any(reach is Reach.COMPANY for _hat, reach in reaches):
            found.append(Reachable(permission, None))
        elif codes := sorted({hat.channel.code for hat, reach in reaches if reach is Reach.CHANNELS and hat.channel}):
            found.append(Reachable(permission, codes))
    return found


def hats_everywhere(*, people: list[Membership], at: datetime) -> dict[int, list[WornHat]]:
    """Person id → hats worn now, for one login's memberships of several companies (companies loaded); three queries."""
    if not people:
        return {}
    today = {person.company_id: person.company.local_date(at) for person in people}
    mine = {person.pk: person.company_id for person in people}
    near = (min(today.values()) - timedelta(days=1), max(today.values()) + timedelta(days=1))
    with scopes_disabled():
        found = (
            Appointment.objects.filter(
                Q(person__in=mine) | Q(deputy__in=mine), company__in=today, starts_on__lte=near[1]
            )
            .exclude(ends_on__lt=near[0])
            .select_related("role", "channel", "person__user")
        )
        rows = sorted(found.order_by(), key=lambda row: (row.starts_on, row.pk))
        away = list(Absence.objects.filter(company__in=today, starts_on__lte=near[1], ends_on__gte=near[0]))
        versions = list(RoleVersion.objects.filter(company__in=today, superseded_at=None))
    names = {version.role_id: version.name for version in versions}
    absent = {a.person_id for a in away if a.starts_on <= today[a.company_id] <= a.ends_on}
    worn: dict[int, list[WornHat]] = defaultdict(list)
    for row in rows:
        day = today[row.company_id]
        if row.starts_on > day or (row.ends_on is not None and row.ends_on < day):
            continue
        if row.person_id in mine:
            worn[row.person_id].append(_worn(row, names, None))
        if row.deputy_id in mine and row.person_id in absent:
            worn[row.deputy_id].append(_worn(row, names, row.person))
    return worn
