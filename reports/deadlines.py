"""The moments of a report week. Pure: a Monday, a time zone, a schedule and a calendar in, UTC moments out; no Django here.

Usually the plan opens on the Thursday before at 12:00 and is due Monday 12:00; the fact opens Friday 12:00 and is due
Friday 18:00; the owner's digest goes out at 18:30; the CMO's summary is due the next Monday 9:30, the stand-up begins at
10:00 and the week locks at 12:00, when the next plan is due. A company may choose other days and times.
"""

from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from reports.calendars import EVERY_WEEKDAY, WorkingDays

Rule = tuple[int, time]
"""Days from the Monday of the week, and the local time of day."""


@dataclass(frozen=True)
class Schedule:
    """When the moments of a week are, before the calendar shifts them."""

    plan_opens: Rule = (-4, time(12, 0))
    plan_due: Rule = (0, time(12, 0))
    fact_opens: Rule = (4, time(12, 0))
    fact_due: Rule = (4, time(18, 0))
    digest: Rule = (4, time(18, 30))
    summary: Rule = (7, time(9, 30))
    standup: Rule = (7, time(10, 0))
    locks: Rule = (7, time(12, 0))


USUAL = Schedule()
MOMENTS = tuple(field.name for field in fields(Schedule))
"""Their names, in the order in which they come."""


@dataclass(frozen=True)
class Deadlines:
    """The UTC moments of one week. `rests`: no day of it is worked, nobody owes anything."""

    plan_opens_at: datetime
    plan_due_at: datetime
    fact_opens_at: datetime
    fact_due_at: datetime
    digest_at: datetime
    summary_due_at: datetime
    standup_at: datetime
    locks_at: datetime
    rests: bool = False


def moment(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The UTC moment of a local time. A time that comes twice counts the second time; one that is skipped by the
    clocks moves forward by the gap: in both cases the later reading, so nobody loses an hour."""
    local = datetime.combine(day, clock, tzinfo=zone)
    return max(local.astimezone(UTC), local.replace(fold=1).astimezone(UTC))


def deadlines(
    monday: date, zone: ZoneInfo, schedule: Schedule = USUAL, calendar: WorkingDays = EVERY_WEEKDAY
) -> Deadlines:
    """All moments of the week that begins on this Monday; ValueError when it is another weekday.

    What people owe shifts to the next working day, and stays after what has to come before it: a fact that waits for
    the end of the holidays takes the stand-up and the lock with it. What opens by itself does not shift. A week without a
    working day keeps its usual moments and `rests`.
    """
    if monday.weekday():
        raise ValueError(f"not a Monday: {monday}")
    rests = not calendar.works_in(monday)

    def at(rule: Rule) -> datetime:
        return moment(monday + timedelta(days=rule[0]), rule[1], zone)

    def due(rule: Rule, after: datetime) -> datetime:
        day = monday + timedelta(days=rule[0])
        while not rests:
            day = calendar.next_working(day)
            found = moment(day, rule[1], zone)
            if found > after:
                return found
            day += timedelta(days=1)
        return at(rule)

    plan_opens = at(schedule.plan_opens)
    plan_due = due(schedule.plan_due, plan_opens)
    fact_due = due(schedule.fact_due, plan_due)
    digest = due(schedule.digest, fact_due)
    summary = due(schedule.summary, fact_due)
    standup = due(schedule.standup, summary)
    return Deadlines(
        plan_opens_at=plan_opens,
        plan_due_at=plan_due,
        fact_opens_at=max(at(schedule.fact_opens), plan_due),
        fact_due_at=fact_due,
        digest_at=digest,
        summary_due_at=summary,
        standup_at=standup,
        locks_at=due(schedule.locks, standup),
        rests=rests,
    )


def local_monday(at: datetime, zone: ZoneInfo) -> date:
    """The Monday of the week that a moment belongs to in the zone."""
    day = at.astimezone(zone).date()
    return day - timedelta(days=day.weekday())


def settled_days(monday: date, today: date) -> int:
    """How many days of the week are over and settled on a local day: 0 to 7; yesterday is the last one."""
    return min(7, max(0, (today - monday).days))
