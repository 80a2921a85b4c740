"""Spans of days by the calendar."""

from datetime import date

import pytest

from reports.spans import read_span, span_around

TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("kind", "start", "end", "days", "whole", "label"),
    [
        ("week", date(2026, 11, 16), date(2026, 11, 22), 4, 7, "2026-W47"),
        ("month", date(2026, 11, 1), date(2026, 11, 30), 19, 30, "2026-11"),
        ("quarter", date(2026, 10, 1), date(2026, 12, 31), 50, 92, "2026-Q4"),
        ("year", date(2026, 1, 1), date(2026, 12, 31), 323, 365, "2026"),
    ],
)
def test_span_around_yesterday_and_back_from_its_label(kind, start, end, days, whole, label):
    span = read_span({"period": kind}, TODAY)

    assert (span.start, span.end, span.days, span.whole, span.label) == (start, end, days, whole, label)
    assert span.last == date(2026, 11, 19)
    assert not span.is_over
    assert read_span({kind: label}, TODAY) == span


def test_month_is_the_default_and_on_its_first_day_the_month_before_is_shown():
    assert read_span({}, TODAY).label == "2026-11"
    first = read_span({}, date(2026, 12, 1))
    assert (first.label, first.days, first.is_over) == ("2026-11", 30, True)


def test_a_span_that_begins_today_has_no_days_yet():
    span = read_span({"month": "2026-12"}, date(2026, 12, 1))

    assert (span.last, span.days, span.until) == (None, 0, date(2026, 12, 1))


def test_past_span_is_over():
    span = read_span({"quarter": "2025-Q1"}, TODAY)

    assert (span.start, span.last, span.is_over) == (date(2025, 1, 1), date(2025, 3, 31), True)


def test_a_year_before_keeps_calendar_days_and_weekdays_of_a_week():
    assert span_around("month", date(2024, 2, 29), date(2024, 3, 5)).a_year_before() == (
        date(2023, 2, 1), date(2023, 2, 28),
    )  # fmt: skip
    assert read_span({"week": "2026-W47"}, TODAY).a_year_before() == (date(2025, 11, 17), date(2025, 11, 20))


@pytest.mark.parametrize(
    "asked",
    [
        {"month": "2026-13"}, {"month": "11"}, {"week": "2026-W60"}, {"quarter": "2026-Q5"}, {"quarter": "2026"},
        {"year": "26"}, {"year": "2026-Q1"}, {"year": "٢٠٢٦"}, {"period": "decade"}, {"month": "2027-01"}, {"year": "0000"},
        {"year": "1989"},
    ],
)  # fmt: skip
def test_what_is_no_span_or_has_not_begun_is_refused(asked):
    with pytest.raises(ValueError, match=r"\w"):
        read_span(asked, TODAY)


def test_neighbours_are_named_and_a_running_span_has_none_after_it():
    november, october = read_span({}, TODAY), read_span({"month": "2026-10"}, TODAY)

    assert (november.label_before(), november.label_after()) == ("2026-10", None)
    assert (october.label_before(), october.label_after()) == ("2026-09", "2026-11")
    assert read_span({"week": "2026-W01"}, TODAY).label_before() == "2025-W52"
    assert read_span({"quarter": "2026-Q1"}, TODAY).label_before() == "2025-Q4"
