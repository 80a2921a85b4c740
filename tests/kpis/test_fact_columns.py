"""Facts as arrays: absent stays absent, days count from the first, and both ways of reading agree."""

from datetime import date, timedelta

import pytest
from django.db import connection

from kpis import fact_columns
from kpis.fact_columns import ABSENT, Span, day_of, read_rows
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


def read(made, since=date.min, until=date.max, channels=None):
    spans = [Span(made.company.pk, since, until)]
    return read_rows(spans=spans, columns=["leads", "spend"], channels=channels)


def test_columns_of_one_company(made):
    found = read(made)

    rows = sorted(zip(found.day.tolist(), found.values["spend"].tolist(), found.values["leads"].tolist(), strict=True))
    assert [(day_of(day), spend, leads) for day, spend, leads in rows] == [
        (FIRST, 12_000_000, 4_000_000),
        *((FIRST + timedelta(days=offset), (12 + offset) * 1_000_000, ABSENT) for offset in (1, 2, 5)),
    ]
    assert set(found.channel.tolist()) == {made.vk.pk}
    assert set(found.campaign.tolist()) == {3}
    assert set(found.source.tolist()) == {made.ads.pk}
    assert found.of_company == {made.company.pk: 4}


def test_days_and_channels_bound_it(made):
    found = read(made, since=FIRST + timedelta(days=1), until=FIRST + timedelta(days=2), channels=[made.vk.pk])

    assert sorted(map(day_of, found.day.tolist())) == [FIRST + timedelta(days=1), FIRST + timedelta(days=2)]
    assert not len(read(made, channels=[made.blog.pk]))
    assert not len(read(made, channels=[]))
    assert not len(read(made, until=FIRST - timedelta(days=1)))


@pytest.mark.postgresql
def test_keys_beyond_halves_are_read_one_by_one(made, monkeypatch):
    glued = read(made, channels=[made.vk.pk])
    monkeypatch.setattr(fact_columns, "_keys_are_small", lambda: False)

    rows = read(made, channels=[made.vk.pk])

    assert connection.vendor == "postgresql"
    for name in ("day", "channel", "campaign", "source"):
        assert sorted(getattr(glued, name).tolist()) == sorted(getattr(rows, name).tolist())
    assert sorted(glued.values["leads"].tolist()) == sorted(rows.values["leads"].tolist())
