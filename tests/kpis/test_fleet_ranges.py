"""Ranges of companies: leases, workers that do not disturb each other, kill -9 in the middle, nothing the second time."""

import os
import signal
import subprocess
import sys
from datetime import date, timedelta

import pytest

from kpis.evaluation import Order, evaluate_companies, evaluate_company
from kpis.models import Breach, DailyFact, DataIncident, Evaluation, EvaluationLog, RuleState
from kpis.services import evaluations
from kpis.services.evaluations import evaluate_range, request_evaluation
from roles.models import AuditEvent, Channel, Company
from tests.races import at_once

from .test_evaluation import child_environment
from .test_fleet_replays import NOW, TODAY, grown, put


def rows(*models):
    """Everything the evaluation writes, as bare values without keys of its own."""
    found = {}
    for model in models or (RuleState, EvaluationLog, Breach, DataIncident):
        names = [field.attname for field in model._meta.concrete_fields if field.attname not in ("id", "seen_load_id")]
        found[model] = sorted(map(repr, model.objects.values_list(*names)))
    return found


def wipe():
    for model in (Breach, RuleState, EvaluationLog, DataIncident):
        model.objects.all().delete()


@pytest.fixture
def fleet(db):
    return [grown(f"one-{number}", number, 30) for number in range(4)]


def test_a_range_writes_what_each_company_alone_would(fleet):
    ids = [one.company.pk for one in fleet]
    done = evaluate_companies(orders=[Order(one.company) for one in fleet], at=NOW, today=TODAY)
    together = rows()
    wipe()

    for one in fleet:
        evaluate_company(company=one.company, at=NOW, today=TODAY)

    assert rows() == together
    assert len(together[RuleState]) > 40
    assert together[Breach]
    assert sorted(done) == ids


def test_the_next_days_in_a_range_leave_what_a_whole_comparison_leaves(fleet):
    """A week of mornings, each told only what is dirty, against one evaluation of everything at the end."""
    for ahead in range(7):
        at = NOW + timedelta(days=ahead)
        for one in fleet:
            put(one, TODAY + timedelta(days=ahead + 1))
            if ahead == 3:
                late = TODAY - timedelta(days=4)
                DailyFact.objects.filter(company=one.company, day=late).update(spend=77)
                request_evaluation(company=one.company, dirty_from=late)
            if ahead == 5:
                Channel.objects.filter(pk=one.vk.pk).update(monthly_budget=90)
        assert len(evaluate_range(company_ids=[one.company.pk for one in fleet], at=at)) == 4
    step_by_step = rows(RuleState, EvaluationLog)
    for one in fleet:
        again = evaluate_company(company=one.company, at=at, today=one.company.local_date(at))
        assert (again.states, again.logged) == (0, 0)

    wipe()
    for one in fleet:
        evaluate_company(company=one.company, at=at, today=one.company.local_date(at))
    assert rows(RuleState, EvaluationLog)[RuleState] == step_by_step[RuleState]
    assert set(rows(EvaluationLog)[EvaluationLog]) <= set(step_by_step[EvaluationLog])


def test_the_second_pass_writes_nothing(fleet, django_assert_max_num_queries):
    ids = [one.company.pk for one in fleet]
    first = evaluate_range(company_ids=ids, at=NOW)
    assert all(outcome.rows for outcome in first.values())
    before, events = rows(), AuditEvent.objects.count()
    Evaluation.objects.update(daily_done_on=None)

    with django_assert_max_num_queries(30):
        again = evaluate_range(company_ids=ids, at=NOW)

    assert sorted(again) == ids
    assert [outcome.rows for outcome in again.values()] == [0] * 4
    assert (rows(), AuditEvent.objects.count()) == (before, events)
    assert evaluate_range(company_ids=ids, at=NOW) == {}


def test_what_another_worker_holds_is_left_to_it(fleet):
    held, *others = fleet
    Evaluation.objects.create(company=held.company, lease_until=NOW + timedelta(seconds=30), lease_token="x")

    done = evaluate_range(company_ids=[one.company.pk for one in fleet], at=NOW)

    assert sorted(done) == [one.company.pk for one in others]
    assert Evaluation.objects.get(company=held.company).lease_token == "x"


def test_a_load_meanwhile_keeps_the_request_of_its_company(fleet, monkeypatch):
    def slowly(**kwargs):
        request_evaluation(company=fleet[0].company, dirty_from=date(2026, 11, 1))
        return evaluate_companies(**kwargs)

    monkeypatch.setattr(evaluations, "evaluate_companies", slowly)
    evaluate_range(company_ids=[one.company.pk for one in fleet], at=NOW)

    assert [row.dirty_from for row in Evaluation.objects.order_by("company_id")] == [
        date(2026, 11, 1),
        None,
        None,
        None,
    ]


def test_one_broken_company_does_not_stop_the_others(fleet, monkeypatch):
    broken = fleet[1].company.pk

    def fragile(*, orders, **kwargs):
        assert broken not in [order.company.pk for order in orders]
        return evaluate_companies(orders=orders, **kwargs)

    monkeypatch.setattr(evaluations, "evaluate_companies", fragile)
    done = evaluate_range(company_ids=[one.company.pk for one in fleet], at=NOW)

    assert sorted(done) == [one.company.pk for one in fleet if one.company.pk != broken]
    assert set(RuleState.objects.values_list("company_id", flat=True)) == set(done)
    assert not Evaluation.objects.exclude(lease_until=None).exists()


def test_companies_of_another_date_are_judged_by_their_own(db):
    """At 20:30 UTC it is tomorrow in Vladivostok."""
    at = NOW.replace(hour=20, minute=30)
    east, home = (grown(slug, 3, 20) for slug in ("east", "home"))
    Company.objects.filter(pk=east.company.pk).update(timezone="Asia/Vladivostok")
    Company.objects.filter(pk=home.company.pk).update(timezone="Europe/Kaliningrad")

    evaluate_range(company_ids=[east.company.pk, home.company.pk], at=at)

    days = dict(Evaluation.objects.values_list("company_id", "daily_done_on"))
    assert days == {east.company.pk: TODAY + timedelta(days=1), home.company.pk: TODAY}


def test_changed_budgets_judge_every_day_anew(fleet):
    one = fleet[0]
    evaluate_range(company_ids=[one.company.pk], at=NOW)
    before = rows(EvaluationLog)
    Channel.objects.filter(pk=one.vk.pk).update(monthly_budget=1)
    Evaluation.objects.update(daily_done_on=None)

    done = evaluate_range(company_ids=[one.company.pk], at=NOW)

    assert done[one.company.pk].logged > 1
    assert rows(EvaluationLog) != before


CHILD = """
import os, django
django.setup()
from datetime import datetime
from django_scopes import scopes_disabled
from kpis.models import Breach, Evaluation, EvaluationLog, RuleState
from kpis.services.evaluations import evaluate_range
from roles.models import AuditEvent, Company
with scopes_disabled():
    if os.environ["AT"]:
        ids = list(Company.objects.order_by("pk").values_list("pk", flat=True))
        evaluate_range(company_ids=ids, at=datetime.fromisoformat(os.environ["AT"]))
    print(
        RuleState.objects.count(), EvaluationLog.objects.count(), Breach.objects.count(),
        AuditEvent.objects.filter(verb="open_breach").count(), Evaluation.objects.filter(daily_done_on=None).count(),
    )
"""


@pytest.mark.django_db(transaction=True)
def test_kill_9_in_the_middle_of_a_range_loses_and_doubles_nothing(fleet, tmp_path):
    Evaluation.objects.bulk_create([Evaluation(company=one.company) for one in fleet])
    common = {**os.environ, **child_environment(tmp_path)}

    def child(seconds=None, **env):
        at = "" if seconds is None else (NOW + timedelta(seconds=seconds)).isoformat()
        environment = {**common, "AT": at, **env}
        return subprocess.run([sys.executable, "-c", CHILD], env=environment, capture_output=True, text=True)

    for place, seconds in (("evaluation.after_log", 0), ("evaluation.before_commit", 70)):
        killed = child(seconds, FAIL_AT=place)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert child().stdout == "0 0 0 0 4\n"
        assert child(seconds + 65).stdout == "0 0 0 0 4\n", "the dead worker's leases still hold"

    done = child(140)
    states, lines, breaches, events, waiting = map(int, done.stdout.split())
    assert (states > 40, lines > 400, breaches > 0, breaches == events, waiting) == (True, True, True, True, 0), (
        done.stderr
    )
    assert child(210).stdout == done.stdout


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_workers_share_the_companies():
    made = [grown(f"one-{number}", number, 8) for number in range(6)]
    ids = [one.company.pk for one in made]

    def worker():
        return evaluate_range(company_ids=ids, at=NOW)

    for turn in range(3):
        Evaluation.objects.update(daily_done_on=None)
        given = at_once(worker, worker, worker)
        assert not [one for one in given if isinstance(one, Exception)], given
        assert sorted(pk for outcomes in given for pk in outcomes) == ids, turn
    assert Breach.objects.count() == AuditEvent.objects.filter(verb="open_breach").count()
