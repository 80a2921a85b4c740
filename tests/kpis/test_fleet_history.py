"""The reader of many companies gives for each what the reader of one gives: sources, unknowns, figures beyond 64 bits."""

import random
from datetime import date, timedelta

import numpy as np
import pytest
from django.db import connection

from kpis.fleet import columns
from kpis.fleet.columns import Span, read_rows
from kpis.fleet.history import build_history, too_large
from kpis.metrics import BUILT_IN
from kpis.models import DailyFact, Source
from kpis.series import read_history
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


def ranks():
    found: dict[int, int] = {}
    of_company: dict[int, int] = {}
    for pk, company in Source.objects.order_by("priority", "pk").values_list("pk", "company_id"):
        found[pk] = of_company.get(company, 0)
        of_company[company] = found[pk] + 1
    return found


def fleet(*companies, since=date.min):
    rows = read_rows(spans=[Span(one.company.pk, since, TODAY) for one in companies], columns=CODES)
    return build_history(rows, ranks(), {code: code for code in CODES}, TODAY)


def check_equal(found, alone):
    late = (alone.first_day - found.first_day).days
    for scope, row in alone.rows.items():
        there = found.rows[scope]
        assert found.start[there] - late == alone.start[row], scope
        for code in CODES:
            ours, theirs = found.columns[code], alone.columns[code]
            assert not ours.known[there, :late].any()
            np.testing.assert_array_equal(ours.known[there, late:], theirs.known[row])
            np.testing.assert_array_equal(
                np.where(theirs.known[row], ours.values[there, late:], 0), np.where(theirs.known[row], theirs.values[row], 0)
            )  # fmt: skip


def alone(one, since=date.min):
    return read_history(company=one.company, metrics=[BUILT_IN[code] for code in CODES], today=TODAY, since=since)


def test_both_companies_at_once_are_each_of_them_alone(made):
    found = fleet(*made)

    for one in made:
        check_equal(found, alone(one))
    assert len(found.rows) == sum(len(alone(one).rows) for one in made)


def test_days_bound_it(made):
    since = TODAY - timedelta(days=5)
    check_equal(fleet(*made, since=since), alone(made[0], since=since))


def test_nothing_is_none(acme):
    assert fleet(acme) is None


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
    check_equal(fleet(acme), alone(acme))
    check_equal(fleet(acme, rival), alone(acme))


@pytest.mark.postgresql
def test_glued_columns_are_what_the_rows_are(made, monkeypatch):
    whole = fleet(*made)
    monkeypatch.setattr(columns, "_keys_are_small", lambda: False)

    one_by_one = fleet(*made)

    assert connection.vendor == "postgresql"
    assert whole.rows == one_by_one.rows
    for code in CODES:
        np.testing.assert_array_equal(whole.columns[code].values, one_by_one.columns[code].values)
        np.testing.assert_array_equal(whole.columns[code].known, one_by_one.columns[code].known)
