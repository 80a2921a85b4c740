from datetime import timedelta

import pytest

from mops import pipeline, pulse, tasks
from mops.models import Progress
from roles.models import Channel


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
    monkeypatch.setattr(pipeline, "DAY", (("one", lambda _company, at: calls.append(at)),))
    Progress.objects.create(company=acme.company)

    for at in (now, now + timedelta(hours=1), now + timedelta(days=1)):
        pipeline.begin_day(acme.company, at)

    assert calls == [now, now + timedelta(days=1)]


def test_a_part_of_the_day_that_breaks_keeps_nothing_and_undoes_no_other(acme, now, monkeypatch):
    def breaks(company, at):
        Progress.objects.filter(company=company).update(falls=7)
        raise ValueError("index")

    parts = [part for part in pipeline.DAY if part[0] != "index"]
    monkeypatch.setattr(pipeline, "DAY", (("index", breaks), *parts))
    Progress.objects.create(company=acme.company)
    Channel.objects.filter(pk=acme.vk.pk).update(owner=acme.owner)  # whose hat says another person

    with pytest.raises(ExceptionGroup):
        pipeline.begin_day(acme.company, now)

    acme.vk.refresh_from_db()
    assert acme.vk.owner == acme.performance
    progress = Progress.objects.get(company=acme.company)
    assert (progress.falls, progress.day_begun_on) == (0, None)

    monkeypatch.setattr(pipeline, "DAY", parts)
    pipeline.begin_day(acme.company, now)

    progress.refresh_from_db()
    assert progress.day_begun_on == now.date()


def test_sweep_wakes_a_worker_per_company_and_beats(acme, rival, monkeypatch):
    ran = []
    monkeypatch.setattr(pipeline, "run_company", lambda company_id, at: ran.append(company_id))

    tasks.sweep.apply()

    assert ran == [acme.company.pk, rival.company.pk]
    assert pulse.last_sweep() is not None
