"""Facts as arrays: absent stays absent, days count from the first, and both ways of reading agree."""

from datetime import date, timedelta

import pytest
from django.db import connection

from kpis import fact_columns
from kpis.fact_columns import ABSENT, read_columns
from kpis.models import DailyFact, Source

FIRST = date(2024, 2, 28)


@pytest.fixture
def made(acme, rival):
    for one, spend in ((acme, 12), (rival, 999_999)):
        one.ads = Source.objects.create(company=one.company, code="ads", name="Ads", kind="file", priority=7)
        for offset in (0, 1, 2, 5):  # over the leap day
            DailyFact.objects.create(
                company=one.company, day=FIRST + timedelta(days=offset), channel=one.vk, campaign_id=3, source=one.ads,
                spend=spend + offset, leads=None if offset else 4, load_id=1,
            )  # fmt: skip
    DailyFact.objects.create(
        company=acme.company, day=FIRST, channel=acme.vk, campaign_id=0, source=acme.ads, spend=None, load_id=1
    )
    return acme


def read(made, **changes):
    return read_columns(
        company=made.company, **{"columns": ["leads", "spend"], "since": date.min, "until": date.max} | changes
    )


def test_columns_of_one_company(made):
    found = read(made)

    rows = sorted(zip(found.day.tolist(), found.values["spend"].tolist(), found.values["leads"].tolist(), strict=True))
    assert found.first_day == FIRST
    assert rows == [
        (0, 12_000_000, 4_000_000), (1, 13_000_000, ABSENT), (2, 14_000_000, ABSENT), (5, 17_000_000, ABSENT),
    ]  # fmt: skip
    assert set(found.channel.tolist()) == {made.vk.pk}
    assert set(found.campaign.tolist()) == {3}
    assert set(found.source.tolist()) == {made.ads.pk}
    assert set(found.priority.tolist()) == {7}


def test_days_and_channels_bound_it(made):
    found = read(made, since=FIRST + timedelta(days=1), until=FIRST + timedelta(days=2), channels=[made.vk.pk])

    assert (found.first_day, sorted(found.day.tolist())) == (FIRST + timedelta(days=1), [0, 1])
    assert read(made, channels=[made.blog.pk]) is None
    assert read(made, channels=[]) is None
    assert read(made, until=FIRST - timedelta(days=1)) is None


@pytest.mark.postgresql
def test_whole_columns_are_what_the_rows_are(made, monkeypatch):
    whole = read(made)
    monkeypatch.setattr(fact_columns, "_whole", lambda cursor, query, values, _width: by_rows(cursor, query, values))
    by_rows = fact_columns._by_rows

    assert connection.vendor == "postgresql"
    rows = read(made)
    for name in ("day", "channel", "campaign", "source", "priority"):
        assert sorted(getattr(whole, name).tolist()) == sorted(getattr(rows, name).tolist())
    assert sorted(whole.values["leads"].tolist()) == sorted(rows.values["leads"].tolist())
