"""The moments at which a company's week or decisions need a look. Pure: a moment and a zone in, a moment out."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from reports.deadlines import deadlines, local_monday

WEEK = timedelta(weeks=1)
PLAN_REMINDER = timedelta(hours=3)
FACT_REMINDER = timedelta(hours=2)
"""How long before its deadline a part of the report that is not filed is recalled."""
FIRST_REMINDER = timedelta(hours=24)
SECOND_REMINDER = timedelta(hours=48)
"""After how long a decision that nobody signed is recalled: to who decides, then to the deputy and the owner too."""
DECISION_WAITS = (FIRST_REMINDER, SECOND_REMINDER)
SETTLED_AFTER = timedelta(minutes=5)
"""Audit events are read again until this time has passed: a transaction that was slow to commit shows by then."""


def week_moments(start: datetime, end: datetime, zone: ZoneInfo) -> list[datetime]:
    """Every moment of the report week (deadlines, reminders before them) with `start` < moment <= `end`, in order."""
    monday = local_monday(start, zone) - WEEK
    found = set()
    while monday <= local_monday(end, zone) + WEEK:
        week = deadlines(monday, zone)
        found |= {
            week.plan_opens_at, week.plan_due_at - PLAN_REMINDER, week.plan_due_at, week.fact_opens_at,
            week.fact_due_at - FACT_REMINDER, week.fact_due_at, week.locks_at,
        }  # fmt: skip
        monday += WEEK
    return sorted(moment for moment in found if start < moment <= end)


def last_week_moment(at: datetime, zone: ZoneInfo) -> datetime:
    """The latest moment of the report week that is not after `at`; there is one in any seven days."""
    return week_moments(at - WEEK, at, zone)[-1]
