"""One deadline per week in every time zone of the world, 2024–2030: no gap, no double."""

from datetime import UTC, date, datetime, time, timedelta
from importlib import resources
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest

from reports import deadlines

FIRST, LAST = date(2024, 1, 1), date(2030, 12, 30)
MONDAYS = [FIRST + timedelta(weeks=week) for week in range((LAST - FIRST).days // 7 + 1)]
RULES = {
    "plan_opens_at": "plan_opens", "plan_due_at": "plan_due", "fact_opens_at": "fact_opens", "fact_due_at": "fact_due",
    "digest_at": "digest", "summary_due_at": "summary", "standup_at": "standup", "locks_at": "locks",
}  # fmt: skip


def test_the_week_of_a_company_in_moscow():
    week = deadlines.deadlines(date(2026, 11, 16), ZoneInfo("Europe/Moscow"))

    assert week == deadlines.Deadlines(
        plan_opens_at=datetime(2026, 11, 12, 9, tzinfo=UTC),
        plan_due_at=datetime(2026, 11, 16, 9, tzinfo=UTC),
        fact_opens_at=datetime(2026, 11, 20, 9, tzinfo=UTC),
        fact_due_at=datetime(2026, 11, 20, 15, tzinfo=UTC),
        digest_at=datetime(2026, 11, 20, 15, 30, tzinfo=UTC),
        summary_due_at=datetime(2026, 11, 23, 6, 30, tzinfo=UTC),
        standup_at=datetime(2026, 11, 23, 7, tzinfo=UTC),
        locks_at=datetime(2026, 11, 23, 9, tzinfo=UTC),
    )


def distinct_zones() -> list[str]:
    """Every zone's name, but one for all that share their rules (links): a third less to go through."""
    rules = {}
    for name in sorted(available_timezones()):
        file = resources.files("tzdata.zoneinfo").joinpath(name)
        rules.setdefault(file.read_bytes() if file.is_file() else name, name)
    return list(rules.values())


def test_every_zone_has_each_moment_once_a_week_on_its_local_day():
    """Seven days apart by the local clock, in order inside the week, and the lock is the next plan's deadline."""
    wrong = []
    for name in distinct_zones():
        zone = ZoneInfo(name)
        before = None
        for monday in MONDAYS:
            week = deadlines.deadlines(monday, zone)
            local = {key: getattr(week, key).astimezone(zone) for key in RULES}
            on_its_day = all(
                local[key].date() == monday + timedelta(days=days) and local[key].time() >= clock
                for key, rule in RULES.items()
                for days, clock in [getattr(deadlines.USUAL, rule)]
            )
            moments = [getattr(week, key) for key in RULES]
            ordered = all(earlier < later for earlier, later in pairwise(moments))
            if not on_its_day or not ordered or (before and before.locks_at != week.plan_due_at):
                wrong.append((name, monday))
            before = week

    assert wrong == []


@pytest.mark.parametrize(
    ("zone", "day", "clock", "expected"),
    [
        # Paris goes back at 03:00 on 25.10.2026: 02:30 comes twice, the second one counts.
        ("Europe/Paris", date(2026, 10, 25), time(2, 30), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        # Paris goes forward at 02:00 on 29.03.2026: 02:30 does not exist and becomes 03:30.
        ("Europe/Paris", date(2026, 3, 29), time(2, 30), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        ("Europe/Paris", date(2026, 3, 30), time(12, 0), datetime(2026, 3, 30, 10, 0, tzinfo=UTC)),
        ("Asia/Kathmandu", date(2026, 3, 30), time(12, 0), datetime(2026, 3, 30, 6, 15, tzinfo=UTC)),
        ("Pacific/Kiritimati", date(2026, 3, 30), time(9, 30), datetime(2026, 3, 29, 19, 30, tzinfo=UTC)),
    ],
)
def test_doubled_and_skipped_times_take_the_later_reading(zone, day, clock, expected):
    assert deadlines.moment(day, clock, ZoneInfo(zone)) == expected


def test_another_weekday_is_refused():
    with pytest.raises(ValueError, match="not a Monday"):
        deadlines.deadlines(date(2026, 11, 17), ZoneInfo("Europe/Moscow"))


@pytest.mark.parametrize(
    ("today", "days"),
    [
        (date(2026, 11, 15), 0),
        (date(2026, 11, 16), 0),
        (date(2026, 11, 20), 4),
        (date(2026, 11, 23), 7),
        (date(2027, 1, 1), 7),
    ],
)
def test_settled_days(today, days):
    assert deadlines.settled_days(date(2026, 11, 16), today) == days


def test_local_monday_follows_the_zone():
    late_sunday = datetime(2026, 11, 22, 21, 30, tzinfo=UTC)

    assert deadlines.local_monday(late_sunday, ZoneInfo("Europe/Moscow")) == date(2026, 11, 23)
    assert deadlines.local_monday(late_sunday, ZoneInfo("Europe/London")) == date(2026, 11, 16)
