"""Days, ISO weeks (named by their Monday) and months (named by their first day). Pure: today is passed in."""

import calendar
import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

WEEK = re.compile(r"(\d{4})-W(\d{2})")
MONTH = re.compile(r"(\d{4})-(\d{2})")
ONE_DAY = timedelta(days=1)


def week_start(day: date) -> date:
    """The Monday of the day's ISO week."""
    return day - timedelta(days=day.weekday())


def week_end(day: date) -> date:
    """The Sunday of the day's ISO week."""
    return week_start(day) + timedelta(days=6)


def week_label(monday: date) -> str:
    """`2026-W47`; the year is the ISO year, which differs from the calendar's around New Year."""
    year, week, _weekday = monday.isocalendar()
    return f"{year}-W{week:02d}"


def week_number(monday: date) -> int:
    return monday.isocalendar().week


def parse_week(text: str) -> date:
    """The Monday of `2026-W47`; ValueError for anything else, a week 53 of a short year included."""
    match = WEEK.fullmatch(text)
    if match is None:
        raise ValueError(f"not a week: {text!r}")
    return date.fromisocalendar(int(match[1]), int(match[2]), 1)


def parse_month(text: str) -> date:
    """The first day of `2026-11`; ValueError for anything else."""
    match = MONTH.fullmatch(text)
    if match is None:
        raise ValueError(f"not a month: {text!r}")
    return date(int(match[1]), int(match[2]), 1)


def month_label(month: date) -> str:
    return f"{month:%Y-%m}"


def month_start(day: date) -> date:
    return day.replace(day=1)


def days_in_month(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def month_end(day: date) -> date:
    return day.replace(day=days_in_month(day))


def add_months(day: date, amount: int) -> date:
    """The first day of the month that lies `amount` months after (before, when negative) the day's month."""
    count = day.year * 12 + day.month - 1 + amount
    return date(count // 12, count % 12 + 1, 1)


def months_between(start: date, end: date) -> list[date]:
    """First days of the months that [start, end] touches, oldest first."""
    months, month = [], month_start(start)
    while month <= end:
        months.append(month)
        month = add_months(month, 1)
    return months


def days_between(start: date, end: date) -> Iterator[date]:
    """Every day of [start, end], both included."""
    for offset in range((end - start).days + 1):
        yield start + timedelta(days=offset)


def prorate(value: Decimal, month: date, start: date, end: date) -> Decimal:
    """The share of a month's value that falls on the days of [start, end] inside that month; 0 outside it."""
    first, last = max(month_start(month), start), min(month_end(month), end)
    days = (last - first).days + 1
    if days <= 0:
        return Decimal(0)
    whole = days_in_month(month)
    return value if days == whole else value * days / whole


def last_weeks(today: date, n: int) -> list[date]:
    """Mondays of the last n full weeks before the week of today, oldest first."""
    this = week_start(today)
    return [this - timedelta(weeks=back) for back in range(n, 0, -1)]


def shift_year(day: date, years: int) -> date:
    """The same calendar day some years on; 29 February becomes the 28th where there is none."""
    year = day.year + years
    last = calendar.monthrange(year, day.month)[1]
    return date(year, day.month, min(day.day, last))
