"""Many companies in one run give what each of them gives alone: every window, signatures, own metrics, huge figures."""

import random
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from django.db import connection

from kpis.fleet.inputs import read_inputs
from kpis.fleet.replays import replay_fleet
from kpis.models import DailyFact, Kpi, KpiVersion, Metric, Source, StopRule, StopRuleVersion, Verdict
from kpis.replay import in_force, replay
from roles.models import Campaign, Channel
from tests.conftest import make_company

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
TODAY = NOW.date()
FORMULAS = {
    "cpa": "spend / qualified_leads", "own_rate": "own / leads", "unsubscribe_rate": "unsubscribes / delivered",
    "spend": "spend", "romi": "(gross_profit - spend) / spend",
}  # fmt: skip
METRICS = (
    "spend",
    "leads",
    "qualified_leads",
    "gross_profit",
    "sends",
    "delivered",
    "unsubscribes",
    "extra_3",
    "extra_7",
)
RULES = (
    {"kpi": "cpa", "line": 20, "window": "in_a_row", "n": 2, "per": "campaign", "zero_line": 60, "minimum_sample": 1},
    {"kpi": "cpa", "line": 15, "window": "m_of_n", "n": 4, "m": 2, "confirm_pooled_7d": True, "minimum_sample": 1},
    {"kpi": "cpa", "line": 12, "window": "pooled", "n": 5, "minimum_sample": 1, "no_data": "no_data"},
    {"kpi": "cpa", "line": 10, "window": "since_conversion", "k": 3, "per": "campaign"},
    {"kpi": "own_rate", "line": 1, "window": "in_a_row", "n": 1, "comparison": "below", "minimum_sample": 1},
    {"kpi": "spend", "line": 1, "window": "budget", "period": "month", "minimum_sample": 0},
    {"kpi": "spend", "line": 1, "window": "budget", "period": "test", "per": "campaign", "minimum_sample": 0},
    {"kpi": "unsubscribe_rate", "line": "0.1", "window": "event", "per": "campaign", "settling_days": 2, "minimum_sample": 1},
    {"kpi": "romi", "line": "-0.1", "window": "in_a_row", "n": 3, "comparison": "below", "no_data": "breach", "minimum_sample": 1},
)  # fmt: skip


def grown(slug, seed, days):
    """A company with random figures of so many days, a rule per window and random signatures."""
    one, shake = make_company(slug), random.Random(seed)
    one.shake, company = shake, one.company
    one.sources = [
        Source.objects.create(company=company, code=code, name=code, kind="file", priority=shake.randint(1, 3))
        for code in ("ads", "crm")
    ]
    Metric.objects.create(company=company, code="own", name_ru="own", slot=shake.choice([3, 7]))
    one.mail = Channel.objects.create(
        company=company, code="mail", name="mail", kind="crm", status="active", owner=one.cmo, monthly_budget=900, stop_loss=50
    )  # fmt: skip
    Channel.objects.filter(pk=one.vk.pk).update(monthly_budget=300, tolerance="0.2")
    one.parts = [
        Campaign.objects.create(
            company=company, channel=channel, external_id=str(number), name="c", series=f"s{number}", status=status,
            budget=shake.choice([None, 80]), stop_loss=shake.choice([None, 30]),
        )
        for channel in (one.vk, one.mail) for number, status in enumerate(("active", "testing", "paused"))
    ]  # fmt: skip
    one.kpis = {}
    for code, formula in FORMULAS.items():
        one.kpis[code] = Kpi.objects.create(company=company, code=code)
        KpiVersion.objects.create(
            company=company, kpi=one.kpis[code], name_ru=code, formula=formula, better="lower", unit="money",
            valid_from=date(2025, 1, 1), reason="start", created_at=NOW,
        )  # fmt: skip
    one.rules = [make_rule(one, number, **terms) for number, terms in enumerate(RULES, start=1)]
    for back in range(days):
        put(one, TODAY - timedelta(days=back))
    sign(one, days)
    return one


def make_rule(one, number, kpi, **terms):
    rule = StopRule.objects.create(company=one.company, number=number)
    values = {
        "comparison": "above", "owner": one.cmo, "approved_at": NOW, "valid_from": TODAY, "reason": "start", "created_at": NOW,
    }  # fmt: skip
    StopRuleVersion.objects.create(company=one.company, rule=rule, name=kpi, kpi=one.kpis[kpi], **values | terms)
    return rule


def put(one, day, scale=1):
    shake, rows = one.shake, []
    for channel in (one.vk, one.mail, one.blog):
        for campaign in (0, *(part.pk for part in one.parts if part.channel_id == channel.pk)):
            for source in one.sources:
                if shake.random() < 0.55:
                    values = {
                        code: shake.choice([None, 0, shake.randint(-3, 9), shake.randint(0, 40)]) for code in METRICS
                    }
                    values = {code: value and value * scale for code, value in values.items()}
                    rows.append(DailyFact(
                        company=one.company, day=day, channel=channel, campaign_id=campaign, source=source, load_id=1, **values
                    ))  # fmt: skip
    DailyFact.objects.bulk_create(rows)


def sign(one, days):
    shake = one.shake
    for _number in range(8):
        kind = shake.choice(["stop", "continue", "rewrite", "cut", "false_alarm", "resume"])
        day = TODAY - timedelta(days=shake.randint(0, days + 5))
        campaign = shake.choice([None, *one.parts])
        Verdict.objects.create(
            company=one.company, rule=shake.choice(one.rules), channel=campaign.channel if campaign else one.vk,
            campaign=campaign, day=day, kind=kind, until=day + timedelta(days=9) if shake.random() < 0.5 else None,
            extra_spend=shake.choice([None, 30]),
        )  # fmt: skip


def told(found):
    """Everything a replay says, by series."""
    if found is None:
        return None
    outcome, history, said = found.outcome, found.history, {}
    for number, one in enumerate(found.series):
        days = range(history.days)
        said[one.version.pk, *one.scope] = {
            "first": history.first_day, "start": int(found.figures.start[number]),
            "figures": [found.parts(number, day) for day in days], "ready": found.last_ready(number),
            "classes": outcome.classes[number].tolist(), "states": outcome.states[number].tolist(),
            "streaks": outcome.streaks[number].tolist(), "streak_days": outcome.streak_days[number],
            "events": [run._replace(series=0) for run in outcome.events if run.series == number],
            "episodes": [vars(run) | {"series": 0} for run in outcome.episodes if run.series == number],
            "incidents": [vars(run) | {"series": 0} for run in outcome.incidents if run.series == number],
        }  # fmt: skip
    return said


def of_fleet(companies):
    found = list(replay_fleet(inputs=read_inputs(companies=companies), today=TODAY))
    return {
        company.pk: next((cut for one in found if (cut := one.alone(company.pk))), None) for company in companies
    }, len(found)


def alone(company):
    return replay(company=company, versions=in_force(company=company), today=TODAY)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(4))
def test_every_company_is_as_if_alone(seed):
    made = [grown(f"one-{number}", 10 * seed + number, days) for number, days in enumerate((40, 9, 70))]
    companies = [one.company for one in made]

    together, runs = of_fleet(companies)

    assert runs == 1
    for company in companies:
        ours, theirs = together[company.pk], alone(company)
        assert told(ours) == told(theirs)
        assert sorted(ours.history.rows) == sorted(theirs.history.rows)
    assert sum(len(found.outcome.episodes) for found in together.values()) > 5


@pytest.mark.django_db
def test_huge_figures_run_alone_and_give_the_same():
    made = [grown(f"one-{number}", number, 12) for number in range(3)]
    put(made[1], TODAY - timedelta(days=30), scale=200_000_000_000)
    companies = [one.company for one in made]

    together, runs = of_fleet(companies)

    assert runs == 2
    for company in companies:
        assert told(together[company.pk]) == told(alone(company))


@pytest.mark.django_db
def test_a_company_without_facts_or_rules_has_nothing_to_judge():
    one, bare = grown("one", 1, 5), make_company("bare")

    together, _runs = of_fleet([one.company, bare.company])

    assert together[bare.company.pk] is None
    assert together[one.company.pk] is not None


@pytest.mark.django_db
def test_number_of_queries_does_not_grow(django_assert_num_queries):
    made = [grown(f"one-{number}", number, 3) for number in range(4)]
    DailyFact.objects.exclude(company=made[0].company).delete()
    of_fleet([made[0].company])  # what a process asks once
    reads = 1 if connection.vendor == "postgresql" else 4  # elsewhere facts are read company by company
    with django_assert_num_queries(8 + 1):
        of_fleet([made[0].company])
    with django_assert_num_queries(8 + reads):
        of_fleet([one.company for one in made])


def test_numpy_is_what_it_was():
    """The placing relies on reduceat giving an element of its own to a part that stands alone."""
    assert np.add.reduceat(np.array([1, 2, 4]), [0, 1]).tolist() == [1, 6]
