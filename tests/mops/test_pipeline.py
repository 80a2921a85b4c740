from datetime import timedelta

import pytest

from mops import pipeline, pulse, tasks
from mops.models import Progress


@pytest.fixture
def steps(monkeypatch):
    """Replaces the steps by names that only note that they ran; `broken` names raise."""
    ran, broken = [], set()

    def step(name):
        def run(company, at):
            ran.append(name)
            if name in broken:
                raise ValueError(name)

        return name, run

    monkeypatch.setattr(pipeline, "STEPS", tuple(step(name) for name, _step in pipeline.STEPS))
    return ran, broken


def test_order():
    assert [name for name, _step in pipeline.STEPS] == [
        "day", "load", "evaluate", "decisions", "follow_up", "week", "snapshot", "events", "reminders", "digests",
        "telegram", "send", "webhooks",
    ]  # fmt: skip


def test_broken_step_does_not_stop_the_others_and_is_told(steps, acme, now):
    ran, broken = steps
    broken.add("evaluate")

    with pytest.raises(ExceptionGroup) as raised:
        pipeline.run_company(acme.company.pk, now)

    assert ran[-1] == "webhooks"
    assert [str(error) for error in raised.value.exceptions] == ["evaluate"]


def test_broken_company_rests_longer_each_time_and_recovers(steps, acme, now):
    _ran, broken = steps
    broken.add("week")
    rests = []
    for _pass in range(3):
        with pytest.raises(ExceptionGroup):
            pipeline.run_company(acme.company.pk, now)
        rests.append(Progress.objects.get().rest_until - now)
    assert rests == [timedelta(seconds=20), timedelta(seconds=40), timedelta(seconds=80)]

    broken.clear()
    pipeline.run_company(acme.company.pk, now)

    assert Progress.objects.get().rest_until is None


def test_whole_pass_twice_changes_nothing(acme, now):
    from django.core import serializers

    from roles.tenancy import our_models

    def rows():
        return sorted(
            line for model in our_models() for line in serializers.serialize("jsonl", model.objects.all()).split("\n")
        )

    pipeline.run_company(acme.company.pk, now)
    before = rows()
    pipeline.run_company(acme.company.pk, now)

    assert rows() == before


def test_pass_stays_inside_its_company(acme, rival, now):
    pipeline.run_company(acme.company.pk, now)

    assert not Progress.objects.filter(company=rival.company).exists()


def test_day_begins_once(acme, now, monkeypatch):
    calls = []
    monkeypatch.setattr(pipeline.hats, "settle_owners", lambda **kwargs: calls.append(kwargs["today"]))

    for at in (now, now + timedelta(hours=1), now + timedelta(days=1)):
        pipeline.begin_day(acme.company, at) if Progress.objects.get_or_create(company=acme.company) else None

    assert calls == [now.date(), now.date() + timedelta(days=1)]


def test_sweep_wakes_a_worker_per_company_and_beats(acme, rival, monkeypatch):
    ran = []
    monkeypatch.setattr(pipeline, "run_company", lambda company_id, at: ran.append(company_id))

    tasks.sweep.apply()

    assert ran == [acme.company.pk, rival.company.pk]
    assert pulse.last_sweep() is not None
