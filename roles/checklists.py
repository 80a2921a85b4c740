"""A hat's duties period by period: what is ticked, what is due now, what was missed. Reads, and the arithmetic of periods."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta

from roles import selectors
from roles.models import Appointment, Channel, Company, DutyTick, Membership, Role, RoleVersion, in_language

SHOWN = {"day": 7, "week": 6, "month": 4, "quarter": 3}
"""Cadence → how many periods a checklist shows, the current one included."""
LOOKS_BACK = 400


@dataclass(frozen=True)
class Cell:
    """A duty in one period. `state`: done | missed | due (now) | vacant (nobody wore the hat at its end) | before (not yet asked)."""

    start: date
    end: date
    state: str
    tick: DutyTick | None


@dataclass(frozen=True)
class DutyRow:
    """A line of the checklist, its periods oldest first; the last one is now."""

    key: str
    cadence: str
    text: str
    cells: list[Cell]

    @property
    def now(self) -> Cell:
        return self.cells[-1]

    @property
    def missed(self) -> int:
        return sum(cell.state == "missed" for cell in self.cells)


@dataclass(frozen=True)
class Checklist:
    """One place of a hat: company-wide, or a channel. `by`: who may tick now (the holder, or the deputy who acts), None: nobody."""

    version: RoleVersion
    channel: Channel | None
    holder: Membership | None
    by: Membership | None
    rows: list[DutyRow]

    @property
    def acting(self) -> bool:
        return self.by is not None and self.by != self.holder

    @property
    def missed(self) -> int:
        return sum(row.missed for row in self.rows)

    @property
    def by_cadence(self) -> list[tuple[str, list[DutyRow]]]:
        """(cadence, lines), from daily to quarterly; cadences without a duty are left out."""
        groups = [(cadence, [row for row in self.rows if row.cadence == cadence]) for cadence in SHOWN]
        return [(cadence, rows) for cadence, rows in groups if rows]

    @property
    def waiting(self) -> list[DutyRow]:
        return [row for row in self.rows if row.now.state == "due"]


def period_of(cadence: str, day: date) -> tuple[date, date]:
    """First and last day of the day, ISO week, month or quarter that holds a day."""
    if cadence == "day":
        return day, day
    if cadence == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=6)
    first = day.replace(day=1) if cadence == "month" else date(day.year, day.month - (day.month - 1) % 3, 1)
    months = 1 if cadence == "month" else 3
    after = date(first.year + (first.month + months > 12), (first.month + months - 1) % 12 + 1, 1)
    return first, after - timedelta(days=1)


def periods(cadence: str, today: date) -> list[tuple[date, date]]:
    """The periods a checklist shows, oldest first, the current one last. Saturdays and Sundays ask for no daily duty."""
    found, day = [], today
    while len(found) < SHOWN[cadence]:
        start, end = period_of(cadence, day)
        if cadence != "day" or day.weekday() < 5 or day == today:
            found.append((start, end))
        day = start - timedelta(days=1)
    return found[::-1]


def checklists(*, company: Company, version: RoleVersion, today: date) -> list[Checklist]:
    """One for each place of the role that somebody wears today, four queries whatever their number; empty for a vacant role."""
    return _made(company, [version], today, None)


def my_checklists(*, company: Company, person: Membership, today: date) -> list[Checklist]:
    """The checklists this person may tick today: of own hats, and of those worn for somebody who is away."""
    roles = {hat.role_id for hat in selectors.hats_of(person=person, on=today)}
    versions = [version for version in selectors.roles(company=company) if version.role_id in roles]
    return [one for one in _made(company, versions, today, person) if one.by == person] if versions else []


def _made(company: Company, versions: list[RoleVersion], today: date, person: Membership | None) -> list[Checklist]:
    by_role = {version.role_id: version for version in versions}
    held = list(
        Appointment.objects.filter(company=company, role__in=by_role, starts_on__lte=today)
        .select_related("person__user", "deputy__user", "channel")
        .order_by("channel__position", "starts_on", "pk")
    )
    away = set(
        selectors.absences(company=company, on=today).filter(starts_on__lte=today).values_list("person_id", flat=True)
    )
    done, born = _done(company, list(by_role), today), _born(company, list(by_role))
    places: dict[tuple[int, int | None], list[Appointment]] = defaultdict(list)
    for row in held:
        places[row.role_id, row.channel_id].append(row)
    found = []
    for (role_id, channel_id), spans in places.items():
        version = by_role[role_id]
        rows = [
            DutyRow(
                duty["key"], duty["cadence"], in_language(duty.get("ru", ""), duty.get("en", "")),
                [
                    _cell(start, end, today, spans, done.get((role_id, channel_id, duty["key"], start)), born[role_id, duty["key"]])
                    for start, end in periods(duty["cadence"], today)
                ],
            )
            for duty in version.duties
        ]  # fmt: skip
        for now in [row for row in spans if row.ends_on is None or row.ends_on >= today]:
            by = now.deputy if now.person_id in away and now.deputy_id else now.person
            if rows and (person is None or by == person):
                found.append(Checklist(version, now.channel, now.person, by, rows))
    return found


def _done(company: Company, role_ids: list[int], today: date) -> dict[tuple, DutyTick]:
    """(role, channel, duty key, first day) → the tick, as far back as a checklist looks."""
    since = today - timedelta(days=LOOKS_BACK)
    ticks = DutyTick.objects.filter(company=company, role__in=role_ids, period_start__gte=since)
    return {
        (tick.role_id, tick.channel_id, tick.key, tick.period_start): tick
        for tick in ticks.select_related("person__user", "instead_of__user")
    }


def _born(company: Company, role_ids: list[int]) -> dict[tuple[int, str], date]:
    """(role, duty key) → the day from which the duty is asked for: the first version that names it."""
    found: dict[tuple[int, str], date] = {}
    versions = RoleVersion.objects.filter(company=company, role__in=role_ids).order_by("number")
    for role_id, duties, valid_from in versions.values_list("role_id", "duties", "valid_from"):
        for duty in duties:
            found.setdefault((role_id, duty["key"]), valid_from)
    return found


def _cell(start: date, end: date, today: date, spans: list[Appointment], tick: DutyTick | None, born: date) -> Cell:
    if tick is not None:
        return Cell(start, end, "done", tick)
    if end >= today:
        return Cell(start, end, "due", None)
    if start < born:
        return Cell(start, end, "before", None)
    worn = [row for row in spans if row.starts_on <= end and (row.ends_on is None or row.ends_on >= end)]
    if not worn:
        return Cell(start, end, "vacant", None)
    return Cell(start, end, "missed" if any(row.starts_on <= start for row in worn) else "before", None)


def who_ticks(
    *, company: Company, role: Role, channel: Channel | None, today: date
) -> tuple[list[Membership], dict[int, Membership]]:
    """Who may tick this place's duties today, and for whom a deputy does it (deputy's id → the absent holder)."""
    rows = selectors.appointments_in_force(company=company, on=today).filter(role=role, channel=channel)
    away = set(
        selectors.absences(company=company, on=today).filter(starts_on__lte=today).values_list("person_id", flat=True)
    )
    people, instead = [], {}
    for row in rows:
        if row.person_id in away and row.deputy_id:
            people.append(row.deputy)
            instead[row.deputy_id] = row.person
        people.append(row.person)
    return people, instead
