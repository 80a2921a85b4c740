"""The production calendar and how deadlines shift with it: one per week in every zone of the world, 2024–2030."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.calendars import PLAIN, RUSSIA, WorkingDays, holiday_name
from reports.deadlines import USUAL, Schedule, deadlines
from tests.reports.test_deadlines import FIRST, LAST, MONDAYS, distinct_zones

RU = WorkingDays(RUSSIA)
MOSCOW = ZoneInfo("Europe/Moscow")
TRANSFERS = {
    # Decrees of the Government of Russia on the transfer of days off: No. 1314 of 10.08.2023, No. 1335 of 04.10.2024,
    # No. 1466 of 24.09.2025; worked Saturdays and days off that are no holidays by the Labour Code.
    2024: (["04-27", "11-02", "12-28"], ["04-29", "04-30", "05-10", "12-30", "12-31"]),
    2025: (["11-01"], ["05-02", "05-08", "06-13", "11-03", "12-31"]),
    2026: ([], ["01-09", "12-31", "03-09", "05-11"]),
}


@pytest.mark.parametrize(("year", "days"), TRANSFERS.items())
def test_transfers_of_the_production_calendar(year, days):
    worked, off = ([date.fromisoformat(f"{year}-{day}") for day in part] for part in days)

    assert all(RU.is_working(day) for day in worked)
    assert not any(RU.is_working(day) for day in off)


@pytest.mark.parametrize(("year", "count"), [(2024, 248), (2025, 247), (2026, 247)])
def test_working_days_of_a_year_as_the_ministry_counts_them(year, count):
    days = [date(year, 1, 1) + timedelta(days=number) for number in range(366)]

    assert sum(RU.is_working(day) for day in days if day.year == year) == count


def test_a_company_without_a_country_works_on_every_weekday():
    plain = WorkingDays(PLAIN)

    assert plain.is_working(date(2026, 1, 1))
    assert not plain.is_working(date(2026, 1, 3))


def test_own_days_are_above_the_calendar():
    own = WorkingDays(RUSSIA, {date(2026, 11, 20): False, date(2026, 11, 21): True})

    assert not own.is_working(date(2026, 11, 20))
    assert own.next_working(date(2026, 11, 20)) == date(2026, 11, 21)


def test_deadlines_of_a_monday_off_move_to_tuesday():
    week = deadlines(date(2026, 3, 9), MOSCOW, USUAL, RU)

    assert week.plan_due_at == datetime(2026, 3, 10, 9, tzinfo=UTC)
    assert week.plan_opens_at == datetime(2026, 3, 5, 9, tzinfo=UTC)
    assert deadlines(date(2026, 3, 2), MOSCOW, USUAL, RU).locks_at == week.plan_due_at


def test_the_new_year_takes_the_fact_and_the_lock_with_it():
    """29.12.2025 is the last week with working days; 5–9.01.2026 is off as a whole; everything is owed on 12.01."""
    before, rest, after = (deadlines(date(2025, 12, 29) + timedelta(weeks=n), MOSCOW, USUAL, RU) for n in range(3))

    assert before.plan_due_at == datetime(2025, 12, 29, 9, tzinfo=UTC)
    assert before.fact_due_at == datetime(2026, 1, 12, 15, tzinfo=UTC)
    assert before.summary_due_at == datetime(2026, 1, 13, 6, 30, tzinfo=UTC)
    assert before.locks_at == datetime(2026, 1, 13, 9, tzinfo=UTC)
    assert rest.rests
    assert not before.rests
    assert after.plan_due_at == datetime(2026, 1, 12, 9, tzinfo=UTC)


def in_order(week) -> bool:
    opens = week.plan_opens_at < week.plan_due_at <= week.fact_opens_at < week.fact_due_at
    return opens and week.fact_due_at < week.digest_at and (
        week.fact_due_at < week.summary_due_at < week.standup_at < week.locks_at
    )  # fmt: skip


def test_every_zone_has_one_deadline_a_week_on_working_days_no_gap_no_double():
    wrong = []
    for name in distinct_zones():
        zone = ZoneInfo(name)
        weeks = [(monday, deadlines(monday, zone, USUAL, RU)) for monday in MONDAYS]
        owed = [(monday, week) for monday, week in weeks if not week.rests]
        for field in ("plan_due_at", "fact_due_at", "locks_at"):
            moments = [getattr(week, field) for _monday, week in owed]
            if not all(earlier < later for earlier, later in pairwise(moments)):
                wrong.append((name, field, "order"))
            if not all(RU.is_working(at.astimezone(zone).date()) for at in moments):
                wrong.append((name, field, "day off"))
        for monday, week in owed:
            if week.plan_due_at.astimezone(zone).date() > monday + timedelta(days=6) or not in_order(week):
                wrong.append((name, monday, "order of a week"))

    assert wrong == []


def test_only_new_year_weeks_have_no_working_day():
    rests = [monday for monday in MONDAYS if deadlines(monday, MOSCOW, USUAL, RU).rests]

    assert rests[:4] == [date(2024, 1, 1), date(2024, 12, 30), date(2026, 1, 5), date(2027, 1, 4)]


clocks = st.times(time(0, 0), time(23, 59)).map(lambda value: value.replace(second=0, microsecond=0))


@given(
    st.integers(0, (LAST - FIRST).days // 7).map(lambda n: FIRST + timedelta(weeks=n)),
    st.sampled_from(distinct_zones()),
    st.dictionaries(st.dates(FIRST, LAST), st.booleans(), max_size=40),
    clocks,
    clocks,
)
def test_any_times_and_any_own_days_keep_the_order_of_a_week(monday, zone, own, plan, fact):
    schedule = Schedule(plan_due=(0, plan), fact_due=(4, max(fact, time(12, 1))), digest=(4, time(23, 59)))
    week = deadlines(monday, ZoneInfo(zone), schedule, WorkingDays(RUSSIA, own))

    if not week.rests:
        assert in_order(week)
        assert all(
            WorkingDays(RUSSIA, own).is_working(at.astimezone(ZoneInfo(zone)).date())
            for at in (week.plan_due_at, week.fact_due_at, week.locks_at)
        )


def test_holidays_have_names_in_both_languages():
    christmas = date(2026, 1, 7)

    assert holiday_name("RU", christmas, "ru") == "Рождество Христово"
    assert holiday_name("RU", christmas, "en") == "Christmas Day"
    assert holiday_name("RU", date(2026, 3, 3), "ru") == ""
    assert holiday_name("", christmas, "ru") == ""
