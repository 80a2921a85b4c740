"""The weeks of a company: its schedule as it holds for each week, its calendar, and so the moments of any week."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from reports.calendars import RUSSIA, WorkingDays
from reports.deadlines import MOMENTS, USUAL, Deadlines, Schedule, deadlines, local_monday
from reports.models import CompanyDay, WeekSchedule
from roles.models import Company

WEEK = timedelta(weeks=1)
LOOK_BACK = 3
"""Weeks whose moments may still be to come: long holidays put a lock off by two weeks."""


@dataclass(frozen=True)
class WeekBook:
    """`versions`: (first Monday, schedule, country), oldest first; `own`: the company's own days."""

    zone: ZoneInfo
    versions: tuple[tuple[date, Schedule, str], ...]
    own: Mapping[date, bool]

    def version(self, monday: date) -> tuple[Schedule, str]:
        """The schedule and the country of a week."""
        found = (USUAL, RUSSIA)
        for first, schedule, country in self.versions:
            if first <= monday:
                found = (schedule, country)
        return found

    def calendar(self, monday: date) -> WorkingDays:
        return WorkingDays(self.version(monday)[1], self.own)

    def deadlines(self, monday: date) -> Deadlines:
        """The moments of a week by the schedule that holds for it."""
        return deadlines(monday, self.zone, self.version(monday)[0], self.calendar(monday))

    def is_working(self, day: date) -> bool:
        return self.calendar(day - timedelta(days=day.weekday())).is_working(day)

    def next_working(self, day: date) -> date:
        return self.calendar(day - timedelta(days=day.weekday())).next_working(day)

    def weeks_around(self, start: datetime, end: datetime) -> list[tuple[date, Deadlines]]:
        """The weeks that may have a moment between two, oldest first."""
        monday = local_monday(start, self.zone) - LOOK_BACK * WEEK
        last = local_monday(end, self.zone) + WEEK
        found = []
        while monday <= last:
            found.append((monday, self.deadlines(monday)))
            monday += WEEK
        return found


def fact_due_of(company: Company) -> Callable[[date], datetime]:
    """Monday of a week → when its fact is due, by the schedule that holds for it; two queries, asked once."""
    book = week_book(company=company)
    return lambda monday: book.deadlines(monday).fact_due_at


def schedule_from(moments: dict) -> Schedule:
    """A schedule from what a row keeps; names that are missing stay usual."""
    kept = {name: (moments[name][0], time.fromisoformat(moments[name][1])) for name in MOMENTS if name in moments}
    return Schedule(**kept)


def schedule_as_json(schedule: Schedule) -> dict:
    """The same as a row keeps it."""
    return {name: [getattr(schedule, name)[0], f"{getattr(schedule, name)[1]:%H:%M}"] for name in MOMENTS}


def week_book(*, company: Company) -> WeekBook:
    """Everything that the moments of a company's weeks follow from; two queries."""
    rows = WeekSchedule.objects.filter(company=company).order_by("from_week")
    versions = tuple((row.from_week, schedule_from(row.moments), row.country) for row in rows)
    own = dict(CompanyDay.objects.filter(company=company).values_list("day", "is_working"))
    return WeekBook(company.zone, versions, own)
