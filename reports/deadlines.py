"""The moments of a report week. Pure: a Monday and a time zone in, UTC moments out; no Django here.

Plan opens on the Thursday before at 12:00 and is due Monday 12:00; the fact opens Friday 12:00 and is due Friday 18:00;
the CMO's summary is due the next Monday 9:30; the week locks on that Monday at 12:00, when the next plan is due.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

PLAN_OPENS = (-4, time(12, 0))
PLAN_DUE = (0, time(12, 0))
FACT_OPENS = (4, time(12, 0))
FACT_DUE = (4, time(18, 0))
SUMMARY_DUE = (7, time(9, 30))
LOCKS = (7, time(12, 0))
"""Days from the Monday of the week, and the local time of day."""


@dataclass(frozen=True)
class Deadlines:
    """The UTC moments of one week."""

    plan_opens_at: datetime
    plan_due_at: datetime
    fact_opens_at: datetime
    fact_due_at: datetime
    summary_due_at: datetime
    locks_at: datetime


def moment(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The UTC moment of a local time. A time that comes twice counts the second time; one that is skipped by the
    clocks moves forward by the gap: in both cases the later reading, so nobody loses an hour."""
    local = datetime.combine(day, clock, tzinfo=zone)
    return max(local.astimezone(UTC), local.replace(fold=1).astimezone(UTC))


def deadlines(monday: date, zone: ZoneInfo) -> Deadlines:
    """All moments of the week that begins on this Monday; ValueError when it is another weekday."""
    if monday.weekday():
        raise ValueError(f"not a Monday: {monday}")

    def at(rule: tuple[int, time]) -> datetime:
        return moment(monday + timedelta(days=rule[0]), rule[1], zone)

    return Deadlines(
        plan_opens_at=at(PLAN_OPENS),
        plan_due_at=at(PLAN_DUE),
        fact_opens_at=at(FACT_OPENS),
        fact_due_at=at(FACT_DUE),
        summary_due_at=at(SUMMARY_DUE),
        locks_at=at(LOCKS),
    )


def local_monday(at: datetime, zone: ZoneInfo) -> date:
    """The Monday of the week that a moment belongs to in the zone."""
    day = at.astimezone(zone).date()
    return day - timedelta(days=day.weekday())


def settled_days(monday: date, today: date) -> int:
    """How many days of the week are over and settled on a local day: 0 to 7; yesterday is the last one."""
    return min(7, max(0, (today - monday).days))
