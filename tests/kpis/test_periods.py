from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpis import periods

DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))


def test_weeks_are_iso_weeks():
    assert periods.week_start(date(2026, 11, 20)) == date(2026, 11, 16)
    assert periods.week_end(date(2026, 11, 20)) == date(2026, 11, 22)
    assert periods.week_label(date(2026, 11, 16)) == "2026-W47"
    assert periods.week_label(date(2026, 12, 28)) == "2026-W53"
    assert periods.week_label(date(2027, 1, 1)) == "2026-W53"
    assert periods.parse_week("2026-W47") == date(2026, 11, 16)


@pytest.mark.parametrize("text", ["2026-47", "2026-W7", "2025-W53", "2026-W00", "", "2026-W47 "])
def test_wrong_week_is_refused(text):
    with pytest.raises(ValueError, match=r"week|Invalid"):
        periods.parse_week(text)


@given(DAYS)
def test_label_of_a_week_reads_back(day):
    monday = periods.week_start(day)

    assert periods.parse_week(periods.week_label(monday)) == monday


def test_months():
    assert periods.month_start(date(2026, 2, 14)) == date(2026, 2, 1)
    assert periods.month_end(date(2024, 2, 14)) == date(2024, 2, 29)
    assert periods.days_in_month(date(2026, 2, 1)) == 28
    assert periods.parse_month("2026-11") == date(2026, 11, 1)
    assert periods.add_months(date(2026, 11, 30), 3) == date(2027, 2, 1)
    assert periods.add_months(date(2026, 1, 15), -1) == date(2025, 12, 1)
    assert periods.months_between(date(2026, 10, 30), date(2026, 12, 1)) == [
        date(2026, 10, 1),
        date(2026, 11, 1),
        date(2026, 12, 1),
    ]


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "2026-1", "11.2026", ""])
def test_wrong_month_is_refused(text):
    with pytest.raises(ValueError, match="month"):
        periods.parse_month(text)


def test_prorate_counts_calendar_days():
    november = date(2026, 11, 1)

    assert periods.prorate(Decimal(300), november, date(2026, 11, 16), date(2026, 11, 22)) == 70
    assert periods.prorate(Decimal(300), november, date(2026, 10, 26), date(2026, 11, 1)) == 10
    assert periods.prorate(Decimal(300), november, date(2026, 12, 1), date(2026, 12, 7)) == 0
    assert periods.prorate(Decimal(100), november, date(2026, 1, 1), date(2026, 12, 31)) == 100


@given(DAYS, st.integers(0, 60))
def test_prorated_days_of_a_month_add_up(day, cut):
    month, value = periods.month_start(day), Decimal(periods.days_in_month(day)) * 7
    middle = min(periods.month_end(month), date.fromordinal(month.toordinal() + cut))

    first = periods.prorate(value, month, month, middle)
    rest = periods.prorate(value, month, date.fromordinal(middle.toordinal() + 1), periods.month_end(month))

    assert first + rest == value


def test_last_weeks_are_full_and_oldest_first():
    assert periods.last_weeks(date(2026, 11, 20), 2) == [date(2026, 11, 2), date(2026, 11, 9)]
    assert periods.last_weeks(date(2026, 11, 22), 1) == [date(2026, 11, 9)]
    assert periods.last_weeks(date(2026, 11, 23), 1) == [date(2026, 11, 16)]


def test_shift_year_survives_leap_days():
    assert periods.shift_year(date(2024, 2, 29), -1) == date(2023, 2, 28)
    assert periods.shift_year(date(2026, 11, 20), -1) == date(2025, 11, 20)


def test_days_between_includes_both_ends():
    assert list(periods.days_between(date(2026, 2, 28), date(2026, 3, 1))) == [date(2026, 2, 28), date(2026, 3, 1)]
