from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mops.moments import next_week_moment, week_moments
from reports.selectors.calendar import WeekBook

MOSCOW = WeekBook(ZoneInfo("Europe/Moscow"), (), {})


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=MOSCOW.zone).astimezone(UTC)


def test_week_of_moscow():
    moments = week_moments(at(16, 0), at(23, 0), MOSCOW)

    assert moments == [
        at(16, 8), at(16, 9), at(16, 9, 30), at(16, 12),  # the letter of what is ahead, the plan is recalled, the summary due, the plan due; the week before locks
        at(19, 12),  # the next plan opens
        at(20, 12), at(20, 16), at(20, 18), at(20, 18, 30),  # the fact opens, is recalled, is due; the owner's digest
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("now", "following"),
    [(at(20, 15, 59), at(20, 16)), (at(20, 16), at(20, 18)), (at(22, 23), at(23, 8)), (at(20, 18, 30), at(23, 8))],
)
def test_next_moment(now, following):
    assert next_week_moment(now, MOSCOW) == following


@given(
    st.integers(1_704_067_200, 1_925_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.sampled_from(sorted(available_timezones())),
)
def test_there_is_a_next_moment_in_every_zone(now, name):
    found = next_week_moment(now, WeekBook(ZoneInfo(name), (), {}))

    assert timedelta(0) < found - now < timedelta(days=7)
