"""The morning of many companies: one task for a range of them, then each one's own pass."""

import pytest
from django.utils import timezone

from kpis.models import Evaluation
from mops import due, tasks
from mops.models import Progress
from roles.models import Company
from tests.conftest import make_company


@pytest.fixture
def many(db):
    Company.objects.update(evaluate_at="00:00")
    return [make_company(f"one-{number}", evaluate_at="00:00").company.pk for number in range(3)]


@pytest.fixture
def sent(monkeypatch):
    """What the sweep sends: (task, arguments)."""
    found = []
    for task in (tasks.evaluate_range, tasks.run_company):
        monkeypatch.setattr(
            task, "apply_async", lambda args, task=task, **options: found.append((task.name, args)) or task(*args)
        )
    return found


def test_a_crowd_goes_by_ranges_and_then_each_its_own_way(many, sent, monkeypatch):
    monkeypatch.setattr(tasks, "CROWD", 3)
    monkeypatch.setattr(tasks, "RANGE", 2)

    tasks.sweep()

    assert [args for name, args in sent if name == "mops.evaluate_range"] == [[many[:2]], [many[2:]]]
    assert [args for name, args in sent if name == "mops.run_company"] == [[pk] for pk in many]
    assert Evaluation.objects.exclude(daily_done_on=None).count() == Progress.objects.count() == 3
    assert due.evaluations_due(timezone.now()) == set()


def test_a_few_go_each_its_own_way(many, sent):
    tasks.sweep()

    assert sorted(sent) == [("mops.run_company", [pk]) for pk in many]
    assert Evaluation.objects.exclude(daily_done_on=None).count() == 3


def test_before_the_hour_nothing_is_due(many):
    Evaluation.objects.bulk_create([Evaluation(company_id=pk, daily_done_on="2999-01-01") for pk in many])

    assert due.evaluations_due(timezone.now()) == set()
