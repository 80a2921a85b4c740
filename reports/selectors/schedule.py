"""The page of the company's report week: the times in force, those to come, own days, and how the next weeks turn out."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import QuerySet
from django.utils.translation import get_language

from reports.calendars import holiday_name
from reports.deadlines import Deadlines, Schedule, deadlines, local_monday
from reports.models import CompanyDay
from reports.selectors.calendar import WEEK, WeekBook, week_book
from roles.models import Company

AHEAD = 8


@dataclass(frozen=True)
class WeekAhead:
    """A week with its moments; `off`: its days off on Monday to Friday, worked: Saturdays and Sundays that are worked."""

    monday: date
    moments: Deadlines
    off: list[tuple[date, str]]
    worked: list[date]
    shifted: bool


@dataclass(frozen=True)
class SchedulePage:
    """`coming` and `country` hold from the next week on; `changes`: they differ from those of this week."""

    book: WeekBook
    next_monday: date
    coming: Schedule
    country: str
    changes: bool
    days: list[CompanyDay]
    weeks: list[WeekAhead]


def schedule_page(*, company: Company, at: datetime) -> SchedulePage:
    """Three queries."""
    book = week_book(company=company)
    monday = local_monday(at, company.zone)
    coming, country = book.version(monday + WEEK)
    days = list(company_days(company=company, at=at))
    names = {day.day: day.name for day in days}
    weeks = [_week(book, monday + number * WEEK, names) for number in range(AHEAD)]
    changes = (coming, country) != book.version(monday)
    return SchedulePage(book, monday + WEEK, coming, country, changes, days, weeks)


def _week(book: WeekBook, monday: date, names: dict[date, str]) -> WeekAhead:
    calendar = book.calendar(monday)
    days = [monday + timedelta(days=number) for number in range(7)]
    off = [day for day in days[:5] if not calendar.is_working(day)]
    moments = book.deadlines(monday)
    return WeekAhead(
        monday, moments,
        [(day, names.get(day) or holiday_name(calendar.country, day, get_language())) for day in off],
        [day for day in days[5:] if calendar.is_working(day)],
        moments != deadlines(monday, book.zone, book.version(monday)[0]),
    )  # fmt: skip


def company_days(*, company: Company, at: datetime) -> QuerySet[CompanyDay]:
    """The company's own days from today on."""
    return CompanyDay.objects.filter(company=company, day__gte=company.local_date(at))


def get_company_day(*, company: Company, pk: int) -> CompanyDay | None:
    return CompanyDay.objects.filter(company=company, pk=pk).first()
