"""Histories of one company and of many say what the facts say one by one: sources, unknowns, days, figures beyond 64 bits."""

import random
from collections import defaultdict
from datetime import date, timedelta

import numpy as np
import pytest
from django.db import connection

from kpis import fact_columns
from kpis.fact_columns import Span, read_rows
from kpis.histories import build_history, ranks_of, read_history, sources_of, too_large
from kpis.metrics import BUILT_IN
from kpis.models import DailyFact, Source
from roles.models import Campaign

TODAY = date(2026, 11, 20)
CODES = ("spend", "leads", "qualified_leads")


@pytest.fixture
def made(acme, rival):
    """Two companies, three sources each with equal and different priorities, two campaigns and rows without one."""
    for one, seed in ((acme, 1), (rival, 2)):
        shake = random.Random(seed)
        one.campaigns = [
            Campaign.objects.create(company=one.company, channel=channel, external_id=str(number), name="c")
            for channel in (one.vk, one.blog) for number in range(2)
        ]  # fmt: skip
        one.sources = [
            Source.objects.create(company=one.company, code=f"s{number}", name="s", kind="file", priority=priority)
            for number, priority in enumerate((50, 10, 50))
        ]
        for back in range(1, 20):
            for source in one.sources:
                put(one, shake, source, TODAY - timedelta(days=back))
    return acme, rival


def put(one, shake, source, day):
    for channel in (one.vk, one.blog):
        scopes = [0, *(campaign.pk for campaign in one.campaigns if campaign.channel_id == channel.pk)]
        for campaign in scopes:
            if shake.random() < 0.6:
                values = {code: shake.choice([None, 0, shake.randint(-9, 99)]) for code in CODES}
                DailyFact.objects.create(
                    company=one.company, day=day, channel=channel, campaign_id=campaign, source=source, load_id=1, **values
                )  # fmt: skip


def fleet(*companies, since=date.min):
    rows = read_rows(spans=[Span(one.company.pk, since, TODAY) for one in companies], columns=CODES)
    ranks = ranks_of(sources_of([one.company.pk for one in companies]))
    return build_history(rows, ranks, {code: code for code in CODES}, TODAY)


def alone(one, since=date.min, channels=None):
    metrics = [BUILT_IN[code] for code in CODES]
    return read_history(company=one.company, metrics=metrics, today=TODAY, since=since, channels=channels)


def slowly(one, since=date.min):
    """Scope → code → day → micros, fact by fact: the strongest source that knows the channel's day speaks for its campaigns too."""
    ranks = list(Source.objects.filter(company=one.company).order_by("priority", "pk").values_list("pk", flat=True))
    cells = defaultdict(lambda: defaultdict(dict))
    scopes = defaultdict(set)
    for fact in DailyFact.objects.filter(company=one.company, day__gte=since):
        known = {code: int(value * 10**6) for code in CODES if (value := getattr(fact, code)) is not None}
        for code, value in known.items():
            cells[fact.channel_id, code, fact.day][ranks.index(fact.source_id)][fact.campaign_id] = value
        if known:
            scopes[fact.channel_id, 0].add(fact.day)
            scopes[fact.channel_id, fact.campaign_id].add(fact.day)
    found = {scope: {code: {} for code in CODES} for scope in scopes}
    for (channel, code, day), by_rank in cells.items():
        parts = by_rank[min(by_rank)]
        found[channel, 0][code][day] = sum(parts.values())
        for campaign, value in parts.items():
            if campaign:
                found[channel, campaign][code][day] = value
    return found, {scope: min(days) for scope, days in scopes.items()}


def check(history, *companies, since=date.min):
    """The history says exactly what reading fact by fact says."""
    scopes = 0
    for one in companies:
        cells, starts = slowly(one, since)
        scopes += len(cells)
        for scope, by_code in cells.items():
            row = history.rows[scope]
            assert history.day(int(history.start[row])) == starts[scope], scope
            for code, by_day in by_code.items():
                column = history.columns[code]
                days = np.flatnonzero(column.known[row]).tolist()
                assert {history.day(day): int(column.values[row, day]) for day in days} == by_day, (scope, code)
    assert len(history.rows) == scopes


def test_one_company_alone_and_both_at_once_are_what_the_facts_say(made):
    check(fleet(*made), *made)
    for one in made:
        check(alone(one), one)


def test_days_bound_it(made):
    since = TODAY - timedelta(days=5)
    check(fleet(*made, since=since), *made, since=since)
    check(alone(made[0], since=since), made[0], since=since)


def test_channels_bound_it(made):
    found = alone(made[0], channels=[made[0].vk.pk])

    assert {channel for channel, _campaign in found.rows} == {made[0].vk.pk}
    assert alone(made[0], channels=[]) is None
    assert alone(made[0], channels=[made[1].vk.pk]) is None


def test_nothing_is_none(acme):
    assert fleet(acme) is None
    assert alone(acme) is None


def test_an_unknown_day_of_the_strongest_source_falls_to_the_next(acme):
    weak, strong = (
        Source.objects.create(company=acme.company, code=code, name=code, kind="file", priority=priority)
        for code, priority in (("weak", 90), ("strong", 10))
    )
    for source, spend, leads in ((weak, 1, 7), (strong, 2, None)):
        DailyFact.objects.create(
            company=acme.company, day=TODAY, channel=acme.vk, campaign_id=0, source=source, spend=spend, leads=leads,
            load_id=1,
        )  # fmt: skip
    found = fleet(acme)

    row = found.rows[acme.vk.pk, 0]
    assert (found.columns["spend"].values[row, 0], found.columns["leads"].values[row, 0]) == (2_000_000, 7_000_000)


def test_figures_that_leave_64_bits_are_found_and_summed_all_the_same(made):
    acme, rival = made
    for campaign in acme.campaigns[:2]:
        DailyFact.objects.filter(campaign_id=campaign.pk).update(spend=9_100_000_000_000)
    rows = read_rows(spans=[Span(one.company.pk, date.min, TODAY) for one in (rival, acme)], columns=CODES)

    assert too_large(rows, 45) == {acme.company.pk}
    check(alone(acme), acme)
    check(fleet(acme, rival), acme, rival)


@pytest.mark.postgresql
def test_glued_columns_are_what_the_rows_are(made, monkeypatch):
    whole = fleet(*made)
    monkeypatch.setattr(fact_columns, "_keys_are_small", lambda: False)

    one_by_one = fleet(*made)

    assert connection.vendor == "postgresql"
    assert whole.rows == one_by_one.rows
    for code in CODES:
        np.testing.assert_array_equal(whole.columns[code].values, one_by_one.columns[code].values)
        np.testing.assert_array_equal(whole.columns[code].known, one_by_one.columns[code].known)
