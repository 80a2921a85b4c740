"""The stretch of days that a page of money is about: a week, month, quarter or year, and how much of it is over. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from kpis import periods

KINDS = ("week", "month", "quarter", "year")
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """`last` is the last day that is over (yesterday while the span runs), None before there is one."""

    kind: str
    start: date
    end: date
    last: date | None

    @property
    def days(self) -> int:
        """How many of its days are over."""
        return 0 if self.last is None else (self.last - self.start).days + 1

    @property
    def whole(self) -> int:
        return (self.end - self.start).days + 1

    @property
    def is_over(self) -> bool:
        return self.last == self.end

    @property
    def until(self) -> date:
        """The last day of the figures: `last`, or the first day of a span that has just begun."""
        return self.last or self.start

    @property
    def quarter(self) -> int:
        return (self.start.month - 1) // 3 + 1

    @property
    def label(self) -> str:
        """`2026-W47`, `2026-11`, `2026-Q4`, `2026`: what an address says."""
        if self.kind == "week":
            return periods.week_label(self.start)
        if self.kind == "month":
            return periods.month_label(self.start)
        return f"{self.start.year}-Q{self.quarter}" if self.kind == "quarter" else str(self.start.year)

    def label_before(self) -> str:
        """The label of the span before this one."""
        return span_around(self.kind, self.start - ONE_DAY, self.until).label

    def label_after(self) -> str | None:
        """The label of the next span; None while this one runs."""
        return span_around(self.kind, self.end + ONE_DAY, self.end).label if self.is_over else None

    def a_year_before(self) -> tuple[date, date]:
        """The same days a year before: the same calendar days, for a week those 52 weeks earlier."""
        if self.kind == "week":
            return self.start - timedelta(weeks=52), self.until - timedelta(weeks=52)
        return periods.shift_year(self.start, -1), periods.shift_year(self.until, -1)


def span_around(kind: str, day: date, today: date) -> Span:
    """The span of a kind that holds a day, as it stands today; ValueError for an unknown kind."""
    start, end = _bounds(kind, day)
    yesterday = today - ONE_DAY
    return Span(kind, start, end, None if yesterday < start else min(end, yesterday))


def _bounds(kind: str, day: date) -> tuple[date, date]:
    if kind == "week":
        return periods.week_start(day), periods.week_end(day)
    if kind == "month":
        return periods.month_start(day), periods.month_end(day)
    if kind == "quarter":
        first = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
        return first, periods.month_end(periods.add_months(first, 2))
    if kind == "year":
        return date(day.year, 1, 1), date(day.year, 12, 31)
    raise ValueError(f"not a kind of span: {kind!r}")


def read_span(asked: Mapping[str, str], today: date) -> Span:
    """The span a query asks for: `week=2026-W47`, `month=2026-11`, `quarter=2026-Q4`, `year=2026`, or `period=<kind>`
    around yesterday (the month without it). ValueError for anything else, and for a span that has not begun or lies before 1990."""
    yesterday = today - ONE_DAY
    for kind in KINDS:
        if text := asked.get(kind):
            day = _day_of(kind, text)
            if not date(1990, 1, 1) <= day <= today:
                raise ValueError(f"no figures there: {text!r}")
            return span_around(kind, day, today)
    return span_around(asked.get("period") or "month", yesterday, today)


def _day_of(kind: str, text: str) -> date:
    if kind == "week":
        return periods.parse_week(text)
    if kind == "month":
        return periods.parse_month(text)
    year, _sign, quarter = text.partition("-Q")
    if not (len(year) == 4 and year.isascii() and year.isdecimal()):
        raise ValueError(f"not a {kind}: {text!r}")
    if kind == "year" and not quarter:
        return date(int(year), 1, 1)
    if kind == "quarter" and quarter in {"1", "2", "3", "4"}:
        return date(int(year), int(quarter) * 3 - 2, 1)
    raise ValueError(f"not a {kind}: {text!r}")
