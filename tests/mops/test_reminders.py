from datetime import UTC, date, datetime, timedelta

import pytest

from kpis.models import Import, Source
from mops.models import Notification, Progress
from mops.notifications import reminders
from roles.models import Appointment
from tests.mops.conftest import make_decision, make_report


@pytest.fixture
def remind(acme):
    def run(at) -> dict:
        Progress.objects.get_or_create(company=acme.company)
        reminders.remind(acme.company, at)
        rows = Notification.objects.filter(company=acme.company).select_related("person").order_by("pk")
        return {(row.person, row.key): row.title for row in rows}

    return run


def test_plan_is_recalled_three_hours_before_its_deadline_once(acme, remind):
    report = make_report(acme)
    assert remind(report.plan_due_at - timedelta(hours=3, minutes=1)) == {}

    told = remind(report.plan_due_at - timedelta(hours=3))
    again = remind(report.plan_due_at - timedelta(minutes=1))

    assert told == again == {(acme.performance, "plan-due:2026-W47"): "План на 16–22.11 нужен до 12:00: VK Реклама"}


def test_filed_plan_is_not_recalled(acme, remind):
    report = make_report(acme)
    report.plan_submitted_at, report.plan_submitted_by = report.plan_due_at - timedelta(days=1), acme.performance
    report.save()

    assert remind(report.plan_due_at - timedelta(hours=1)) == {}


@pytest.mark.parametrize(
    ("state", "recalled"), [("empty", True), ("draft", True), ("returned", True), ("submitted", False)]
)
def test_fact_is_recalled_two_hours_before_its_deadline(acme, remind, state, recalled):
    report = make_report(
        acme, state=state, plan_submitted_at=acme.company.created_at, plan_submitted_by=acme.performance
    )

    told = remind(report.fact_due_at - timedelta(hours=2))

    assert bool(told) is recalled


def test_two_channels_of_one_person_are_one_line(acme, remind):
    acme.blog.owner = acme.performance
    acme.blog.save()
    report = make_report(acme)
    make_report(acme, acme.blog)

    (title,) = remind(report.plan_due_at - timedelta(hours=1)).values()

    assert title.endswith("VK Реклама, Блог")


def test_undecided_decision_is_recalled_to_the_director_then_to_deputy_and_owner(acme, remind, now):
    Appointment.objects.filter(person=acme.cmo).update(deputy=acme.pm)
    decision = make_decision(acme)
    assert remind(now + timedelta(hours=23, minutes=59)) == {}

    first = remind(now + timedelta(hours=24))
    second = remind(now + timedelta(hours=48))

    assert set(first) == {(acme.cmo, f"decision-waits:{decision.pk}:24")}
    assert {person for person, key in second if key.endswith(":48")} == {acme.cmo, acme.pm, acme.owner}
    assert len(remind(now + timedelta(hours=72))) == len(second)


def test_signed_decision_is_not_recalled(acme, remind, now):
    decision = make_decision(acme)
    decision.state, decision.choice, decision.signed_by, decision.signed_at = "signed", "stop", acme.cmo, now
    decision.save()

    assert remind(now + timedelta(hours=49)) == {}


# ---------------------------------------------------------------- silent sources
MORNING = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def make_source(made, last_day, **fields):
    source = Source.objects.create(
        company=made.company, code="ads", name="Кабинет", kind="file", **{"owner": made.analyst} | fields
    )
    return source, bring(source, last_day)


def bring(source, last_day):
    return Import.objects.create(
        company=source.company, source=source, state="done", sha256=str(last_day), created_at=MORNING, finished_at=MORNING,
        first_day=last_day, last_day=last_day,
    )  # fmt: skip


def test_the_keeper_is_told_once_that_a_source_is_silent(acme, remind):
    source, _load = make_source(acme, date(2026, 11, 16))

    told = remind(MORNING)
    again = remind(MORNING + timedelta(days=1))

    title = "Источник молчит с 17.11.2026: Кабинет"
    assert told == again == {(acme.analyst, f"source-silent:{source.pk}:2026-11-16"): title}


def test_a_new_silence_is_told_anew(acme, remind):
    source, _load = make_source(acme, date(2026, 11, 12))
    remind(MORNING)
    bring(source, date(2026, 11, 19))
    remind(MORNING + timedelta(days=1))

    assert len(remind(MORNING + timedelta(days=5))) == 2


@pytest.mark.parametrize(("last_day", "fields"), [
    (date(2026, 11, 17), {}), (date(2026, 11, 10), {"expected_every_days": 7}),
])  # fmt: skip
def test_nobody_is_told_of_what_is_late(acme, remind, last_day, fields):
    make_source(acme, last_day, **fields)

    assert remind(MORNING) == {}


def test_nobody_is_woken_at_night(acme, rival, remind):
    make_source(acme, date(2026, 11, 1))
    make_source(rival, date(2026, 11, 1))

    assert remind(MORNING.replace(hour=0)) == {}
    assert len(remind(MORNING)) == 1


def test_the_analyst_is_told_where_nobody_keeps_a_source_any_more(acme, remind):
    source, _load = make_source(acme, date(2026, 11, 1), owner=acme.performance)
    acme.performance.is_active = False
    acme.performance.save()

    assert [person for person, _key in remind(MORNING)] == [acme.analyst]

    Source.objects.filter(pk=source.pk).update(owner=None)
    bring(source, date(2026, 11, 2))
    assert {person for person, _key in remind(MORNING + timedelta(days=1))} == {acme.analyst}
