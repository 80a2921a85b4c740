"""The moments at which a company's week or decisions need a look. Pure: moments and a book of weeks in, moments out."""

from datetime import date, datetime, time, timedelta

from reports.deadlines import moment
from reports.selectors.calendar import WeekBook

AHEAD = timedelta(weeks=2)
PLAN_REMINDER = timedelta(hours=3)
FACT_REMINDER = timedelta(hours=2)
"""How long before its deadline a part of the report that is not filed is recalled."""
FIRST_REMINDER = timedelta(hours=24)
SECOND_REMINDER = timedelta(hours=48)
"""After how long a decision that nobody signed is recalled: to who decides, then to the deputy and the owner too."""
DECISION_WAITS = (FIRST_REMINDER, SECOND_REMINDER)
MORNING = time(8)
"""When the letter about the week ahead is written, on the first working day of the week."""
SETTLED_AFTER = timedelta(minutes=5)
"""Audit events are read again until this time has passed: a transaction that was slow to commit shows by then."""


def ahead_at(monday: date, book: WeekBook) -> datetime:
    return moment(book.next_working(monday), MORNING, book.zone)


def week_moments(start: datetime, end: datetime, book: WeekBook) -> list[datetime]:
    """Every moment of the report week (deadlines, reminders before them) with `start` < moment <= `end`, in order."""
    found = set()
    for monday, week in book.weeks_around(start, end):
        found |= {
            week.plan_opens_at, week.plan_due_at - PLAN_REMINDER, week.plan_due_at, week.fact_opens_at,
            week.fact_due_at - FACT_REMINDER, week.fact_due_at, week.digest_at, week.summary_due_at, week.locks_at,
            ahead_at(monday, book),
        }  # fmt: skip
    return sorted(moment for moment in found if start < moment <= end)


def next_week_moment(at: datetime, book: WeekBook) -> datetime:
    """The first moment of the report week after `at`; the plan opens every week, so there is one in any two."""
    return week_moments(at, at + AHEAD, book)[0]
