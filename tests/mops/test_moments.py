from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mops.moments import last_week_moment, week_moments

MOSCOW = ZoneInfo("Europe/Moscow")


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=MOSCOW).astimezone(UTC)


def test_week_of_moscow():
    moments = week_moments(at(16, 0), at(23, 0), MOSCOW)

    assert moments == [
        at(16, 9), at(16, 12),  # the plan is recalled, then due; the week before locks
        at(19, 12),  # the next plan opens
        at(20, 12), at(20, 16), at(20, 18),  # the fact opens, is recalled, is due
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("now", "last"),
    [(at(20, 17, 59), at(20, 16)), (at(20, 18), at(20, 18)), (at(22, 23), at(20, 18)), (at(23, 8, 59), at(20, 18))],
)
def test_last_moment(now, last):
    assert last_week_moment(now, MOSCOW) == last


@given(
    st.integers(1_704_067_200, 1_925_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.sampled_from(sorted(available_timezones())),
)
def test_there_is_a_last_moment_in_every_zone(now, name):
    found = last_week_moment(now, ZoneInfo(name))

    assert timedelta(0) <= now - found < timedelta(days=4)
