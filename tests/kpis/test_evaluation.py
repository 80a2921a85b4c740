"""Evaluating a company: from facts to states, breaches and incidents, and nothing the second time."""

import os
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection

from kpis.evaluation import evaluate_companies, evaluate_company
from kpis.models import (
    Breach,
    DailyFact,
    DataIncident,
    Evaluation,
    EvaluationLog,
    Kpi,
    KpiVersion,
    RuleState,
    Source,
    StopRule,
    StopRuleVersion,
    Verdict,
)
from kpis.services import evaluations
from kpis.services.evaluations import evaluate_due, request_evaluation
from roles.models import AuditEvent, Campaign

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
NO_LOAD = 900_000_001  # facts of a fixture belong to no load that a test may undo
TODAY = NOW.date()


@pytest.fixture
def world(acme):
    """`.cpa`, `.ads` and `.facts(day, …)`, a rule by `.rule(…)`."""
    company = acme.company
    acme.cpa = Kpi.objects.create(company=company, code="cpa", is_builtin=True)
    KpiVersion.objects.create(
        company=company, kpi=acme.cpa, name_ru="CPA", name_en="CPA", formula="spend / qualified_leads", better="lower",
        unit="money", valid_from=date(2025, 1, 1), reason="start", created_at=NOW,
    )  # fmt: skip
    acme.ads = Source.objects.create(company=company, code="ads", name="Ads", kind="file", priority=10)
    acme.crm = Source.objects.create(company=company, code="crm", name="CRM", kind="file", priority=50)
    acme.rule = lambda **fields: make_rule(acme, **fields)
    acme.facts = lambda pairs, **fields: put(acme, pairs, **fields)
    return acme


def make_rule(made, number=1, **fields):
    company = made.company
    rule = StopRule.objects.create(company=company, number=number)
    values = {
        "name": "CPA", "kpi": made.cpa, "comparison": "above", "line": 1000, "window": "in_a_row", "n": 3, "max_span": 7,
        "zero_line": 3000, "channel": made.vk, "owner": made.cmo, "approved_at": NOW, "valid_from": TODAY,
        "reason": "start", "created_at": NOW, "created_by": made.cmo,
    }  # fmt: skip
    StopRuleVersion.objects.create(company=company, rule=rule, **values | fields)
    return rule


def put(made, pairs, *, last=TODAY - timedelta(days=1), channel=None, campaign=0, source=None, **more):
    """Facts of consecutive days, the last one on `last`."""
    first = last - timedelta(days=len(pairs) - 1)
    for offset, pair in enumerate(pairs):
        spend, leads = pair
        DailyFact.objects.update_or_create(
            company=made.company, day=first + timedelta(days=offset), channel=channel or made.vk, campaign_id=campaign,
            source=source or made.ads, defaults={"spend": spend, "qualified_leads": leads, "load_id": NO_LOAD} | more,
        )  # fmt: skip


def evaluate(made, at=NOW, **kwargs):
    return evaluate_company(company=made.company, at=at, today=made.company.local_date(at), **kwargs)


BAD, GOOD = (6000, 5), (100, 5)


def test_three_bad_days_open_one_breach(world):
    world.rule()
    world.facts([GOOD, GOOD, BAD, BAD, BAD])

    outcome = evaluate(world)

    [breach] = Breach.objects.all()
    assert outcome.opened == [breach]
    assert (breach.first_day, breach.opened_on) == (date(2026, 11, 17), date(2026, 11, 19))
    assert breach.days == ["2026-11-17", "2026-11-18", "2026-11-19"]
    assert (breach.muted, breach.found_late, breach.closed_on) == (False, False, None)
    state = RuleState.objects.get()
    assert (state.state, state.last_day, state.last_value) == ("firing", date(2026, 11, 19), Decimal(1200))
    assert state.detail == {"since": "2026-11-19"}
    assert list(EvaluationLog.objects.order_by("day").values_list("day_class", "state", "streak")) == [
        ("ok", "ok", 0), ("ok", "ok", 0), ("breach", "pending", 1), ("breach", "pending", 2), ("breach", "firing", 3),
    ]  # fmt: skip
    assert AuditEvent.objects.get(verb="open_breach").by is None


def test_twice_writes_nothing(world, django_assert_max_num_queries):
    Campaign.objects.create(company=world.company, channel=world.vk, external_id="1", name="1")
    world.rule()
    world.rule(number=2, per="campaign")
    world.facts([GOOD, (None, None), (None, None), (None, None), BAD, BAD, BAD])
    evaluate(world)
    events = AuditEvent.objects.count()

    with django_assert_max_num_queries(20) as queries:
        outcome = evaluate(world)

    assert outcome.rows == 0
    assert not [query["sql"] for query in queries if query["sql"].split()[0] in ("INSERT", "UPDATE", "DELETE")]
    assert AuditEvent.objects.count() == events


def test_number_of_queries_does_not_grow(world, django_assert_num_queries):
    world.rule()
    world.facts([BAD] * 4)
    evaluate(world)
    with django_assert_num_queries(13) as few:
        evaluate(world)
    for number in range(2, 12):
        world.rule(number=number, channel=None, line=900 + number)
    world.facts([GOOD] * 30, channel=world.blog)
    evaluate(world)

    with django_assert_num_queries(len(few)):
        evaluate(world)


def test_rival_is_not_touched(world, rival):
    rival.cpa = Kpi.objects.create(company=rival.company, code="cpa")
    rival.ads = Source.objects.create(company=rival.company, code="ads", name="Ads", kind="file")
    make_rule(rival)
    put(rival, [(999_999, 5)] * 4)
    world.rule()
    world.facts([GOOD])

    evaluate(world)

    assert not Breach.objects.exists()
    assert RuleState.objects.get().company == world.company


def test_breach_grows_and_recovers(world):
    world.rule()
    world.facts([BAD, BAD, BAD])
    evaluate(world)
    world.facts([BAD], last=TODAY)
    evaluate(world, NOW + timedelta(days=1))
    assert Breach.objects.get().days[-1] == "2026-11-20"

    world.facts([GOOD, GOOD], last=TODAY + timedelta(days=2))
    outcome = evaluate(world, NOW + timedelta(days=3))

    [breach] = outcome.closed
    assert (breach.closed_on, breach.closed_as) == (TODAY + timedelta(days=2), "recovered")
    assert AuditEvent.objects.filter(verb="close_breach").count() == 1


def test_late_data_takes_a_breach_away(world):
    world.rule()
    world.facts([BAD, BAD, BAD])
    evaluate(world)
    world.facts([GOOD, BAD, BAD])

    evaluate(world, dirty_from=date(2026, 11, 17))

    breach = Breach.objects.get()
    assert (breach.closed_on, breach.closed_as) == (TODAY, "gone")
    assert EvaluationLog.objects.get(day=date(2026, 11, 17)).day_class == "ok"

    world.facts([BAD, BAD, BAD])
    evaluate(world, dirty_from=date(2026, 11, 17))

    assert Breach.objects.get().closed_on is None


def test_late_data_gives_a_breach_found_late(world):
    world.rule()
    world.facts([BAD, BAD, GOOD, GOOD])
    evaluate(world)
    world.facts([BAD, BAD, BAD, GOOD])

    evaluate(world)

    breach = Breach.objects.get()
    assert (breach.found_late, breach.opened_on) == (True, date(2026, 11, 18))


def test_an_old_firing_opens_nothing(world):
    world.rule()
    world.facts([BAD, BAD, BAD], last=TODAY - timedelta(days=7))
    evaluate(world)
    assert not Breach.objects.exists()

    world.facts([BAD, BAD, BAD], last=TODAY - timedelta(days=6))
    evaluate(world)
    assert Breach.objects.exists()


def test_missing_days_open_one_incident_and_close_it_when_figures_come(world):
    world.rule()
    world.facts([GOOD, (100, None), (100, None), (100, None)])

    evaluate(world)

    [incident] = DataIncident.objects.all()
    assert (incident.first_day, incident.last_day, incident.state) == (date(2026, 11, 17), date(2026, 11, 19), "open")
    assert RuleState.objects.get().state == "no_data"

    evaluate(world, NOW + timedelta(days=1))
    assert DataIncident.objects.get().last_day == TODAY

    world.facts([GOOD], last=TODAY + timedelta(days=1))
    evaluate(world, NOW + timedelta(days=2))
    assert DataIncident.objects.get().state == "closed"
    assert [event.verb for event in AuditEvent.objects.filter(object_type="kpis.dataincident")] == [
        "open_data_incident", "close_data_incident",
    ]  # fmt: skip


def test_source_of_the_lower_priority_number_wins_for_the_channel_and_its_campaigns(world):
    campaign = Campaign.objects.create(company=world.company, channel=world.vk, external_id="1", name="1")
    world.rule()
    world.rule(number=2, per="campaign")
    world.facts([BAD] * 3, campaign=campaign.pk)
    world.facts([GOOD] * 3, source=world.crm)

    evaluate(world)

    assert set(RuleState.objects.values_list("state", flat=True)) == {"firing"}
    world.ads.priority = 90
    world.ads.save()
    evaluate(world)
    assert set(RuleState.objects.values_list("campaign", "state")) == {(None, "ok"), (campaign.pk, "no_data")}


def test_campaign_rows_sum_into_the_channel(world):
    for external in ("1", "2"):
        campaign = Campaign.objects.create(company=world.company, channel=world.vk, external_id=external, name="c")
        world.facts([(2000, 2)] * 3, campaign=campaign.pk)
    world.facts([(3000, 1)] * 3)
    world.rule()

    evaluate(world)

    assert set(EvaluationLog.objects.values_list("numerator", "denominator")) == {(Decimal(7000), Decimal(5))}


@pytest.mark.parametrize("status", ["paused", "stopped", "planned"])
def test_only_running_channels_are_judged(world, status):
    world.rule()
    world.facts([BAD] * 3)
    evaluate(world)
    world.vk.status = status
    world.vk.save()

    evaluate(world)

    assert RuleState.objects.get().state == "disabled"
    assert Breach.objects.get().closed_as == "stopped"
    assert evaluate(world).rows == 0


def test_switched_off_rule_closes_its_breach(world):
    rule = world.rule()
    world.facts([BAD] * 3)
    evaluate(world)
    rule.versions.update(active=False)

    evaluate(world)

    assert Breach.objects.get().closed_as == "disabled"


def test_a_version_that_waits_for_its_signature_is_not_judged(world):
    world.rule(approved_at=None)
    world.facts([BAD] * 3)

    assert evaluate(world).rows == 0


def test_stopped_channel_that_runs_again_recovers_first(world):
    rule = world.rule()
    world.facts([BAD] * 3)
    evaluate(world)
    Verdict.objects.create(company=world.company, rule=rule, channel=world.vk, day=TODAY, kind="stop")
    later = NOW + timedelta(days=4)
    world.facts([BAD] * 4, last=TODAY + timedelta(days=3))

    evaluate(world, later)

    assert RuleState.objects.get().state == "recovering"
    assert Verdict.objects.filter(kind="resume").count() == 1
    assert Breach.objects.get().closed_as == "signed"
    assert evaluate(world, later).rows == 0


def test_huge_figures_do_not_overflow(world):
    world.rule(zero_line=None)
    biggest = 9_100_000_000_000
    for external in "1234":
        campaign = Campaign.objects.create(company=world.company, channel=world.vk, external_id=external, name="c")
        world.facts([(biggest, 5)] * 3, campaign=campaign.pk)

    evaluate(world)

    assert Breach.objects.count() == 1


def test_due_after_a_load_and_once_a_day(world):
    world.rule()
    world.facts([BAD] * 3)
    assert evaluate_due(company=world.company, at=NOW).opened  # 15:20 in Moscow: the hour of the day has come
    assert evaluate_due(company=world.company, at=NOW) is None

    request_evaluation(company=world.company, dirty_from=TODAY)
    assert evaluate_due(company=world.company, at=NOW) is not None
    order = Evaluation.objects.get()
    assert (order.dirty_from, order.lease_until, order.daily_done_on) == (None, None, TODAY)

    before_the_hour = datetime(2026, 11, 21, 2, 59, tzinfo=UTC)
    assert evaluate_due(company=world.company, at=before_the_hour) is None
    assert evaluate_due(company=world.company, at=before_the_hour + timedelta(minutes=1)) is not None


def test_lease_lets_one_in(world):
    world.rule()
    Evaluation.objects.create(
        company=world.company, dirty_from=TODAY, lease_until=NOW + timedelta(seconds=30), lease_token="x"
    )

    assert evaluate_due(company=world.company, at=NOW) is None
    with pytest.raises(evaluations.BeingEvaluated):
        evaluations.evaluate_now(company=world.company, at=NOW)
    assert evaluate_due(company=world.company, at=NOW + timedelta(seconds=31)) is not None


def test_a_load_meanwhile_keeps_the_request(world, monkeypatch):
    request_evaluation(company=world.company, dirty_from=TODAY)

    def evaluated_slowly(**kwargs):
        request_evaluation(company=world.company, dirty_from=date(2026, 11, 1))
        return evaluate_companies(**kwargs)

    monkeypatch.setattr(evaluations, "evaluate_companies", evaluated_slowly)
    evaluate_due(company=world.company, at=NOW)

    assert Evaluation.objects.get().dirty_from == date(2026, 11, 1)


def test_a_broken_evaluation_gives_the_lease_back(world, monkeypatch):
    request_evaluation(company=world.company, dirty_from=TODAY)
    monkeypatch.setattr(evaluations, "evaluate_companies", lambda **kwargs: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        evaluate_due(company=world.company, at=NOW)

    order = Evaluation.objects.get()
    assert (order.lease_until, order.dirty_from) == (None, TODAY)


def test_lost_lease_leaves_nothing_behind(world, monkeypatch):
    world.rule()
    world.facts([BAD] * 3)

    def stolen(**kwargs):
        outcome = evaluate_companies(**kwargs)
        Evaluation.objects.update(lease_token="another")
        return outcome

    monkeypatch.setattr(evaluations, "evaluate_companies", stolen)
    with pytest.raises(evaluations.LeaseLost):
        evaluate_due(company=world.company, at=NOW)

    assert not Breach.objects.exists()


CHILD = """
import os, django
django.setup()
from datetime import datetime
from django_scopes import scopes_disabled
from kpis.models import Breach, Evaluation
from kpis.services.evaluations import evaluate_due
from roles.models import AuditEvent, Company
with scopes_disabled():
    if os.environ["AT"]:
        evaluate_due(company=Company.objects.get(slug="acme"), at=datetime.fromisoformat(os.environ["AT"]))
    print(Breach.objects.count(), AuditEvent.objects.filter(verb="open_breach").count(), Evaluation.objects.get().dirty_from)
"""


def child_environment(tmp_path) -> dict:
    """A child process sees the test's own database; SQLite's lives in memory, so it gets a copy of it."""

    if connection.vendor == "sqlite":
        with sqlite3.connect(tmp_path / "mops.sqlite3") as copy:
            connection.connection.backup(copy)
        return {"MOPS_VAR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "mops.settings"}
    url = os.environ["DATABASE_URL"].rsplit("/", 1)[0] + "/" + connection.settings_dict["NAME"]
    return {"DATABASE_URL": url}


@pytest.mark.django_db(transaction=True)
def test_kill_9_before_the_commit_loses_and_doubles_nothing(world, tmp_path):
    world.rule()
    world.facts([BAD] * 3)
    request_evaluation(company=world.company, dirty_from=TODAY)
    common = {**os.environ, **child_environment(tmp_path)}

    def child(at="", **env):
        environment = {**common, "AT": at, **env}
        return subprocess.run([sys.executable, "-c", CHILD], env=environment, capture_output=True, text=True)

    killed = child(NOW.isoformat(), FAIL_AT="evaluation.before_commit")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert child().stdout == "0 0 2026-11-20\n"

    done = child((NOW + timedelta(seconds=61)).isoformat())
    assert done.stdout == "1 1 None\n", done.stderr
