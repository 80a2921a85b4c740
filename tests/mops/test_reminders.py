from datetime import timedelta

import pytest

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
