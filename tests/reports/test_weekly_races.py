"""The week with several workers and several people at once, on PostgreSQL."""

import pytest

from processes.models import Action
from reports.filing import ActionDraft, AlreadyFiled, FactDraft, ReportChanged
from reports.models import PlanLine, WeeklyReport
from reports.services import drafts, fact
from roles.models import AuditEvent
from tests.conftest import make_company
from tests.races import at_once

from .conftest import Desk

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def racing(transactional_db):
    desk = Desk(make_company("acme"))
    desk.target(desk.made.vk, "spend", 30_000)
    return desk


def test_workers_run_the_week_at_once(racing):
    for moment in (("before_thu", 12), ("mon", 12), ("fri", 12), ("fri", 18), ("next_mon", 12)):
        answers = at_once(*[lambda moment=moment: racing.run(*moment)] * 4)
        assert [answer for answer in answers if isinstance(answer, Exception)] == []

    assert WeeklyReport.objects.filter(week=racing.monday).count() == 2
    assert PlanLine.objects.filter(report__week=racing.monday, report__channel=racing.made.vk).count() == 5
    for report in WeeklyReport.objects.filter(week=racing.monday):
        verbs = AuditEvent.objects.filter(object_type="reports.weeklyreport", object_id=str(report.pk))
        assert sorted(verbs.values_list("verb", flat=True)) == [
            "late_weekly_fact", "late_weekly_plan", "lock_weekly_report", "miss_weekly_fact", "miss_weekly_plan",
            "open_weekly_fact", "open_weekly_report",
        ]  # fmt: skip


@pytest.mark.parametrize("turn", range(3))
def test_holder_and_manager_file_at_once(racing, turn):
    racing.run("before_thu", 12)
    draft = FactDraft(
        cause="data", conclusion="x", actions=[ActionDraft("Починить", racing.made.performance.pk, racing.monday.replace(day=27))]
    )  # fmt: skip

    def file(by):
        return lambda: fact.submit_fact(
            company=racing.company, by=by, at=racing.local("fri", 15), report=racing.report(), fact=draft
        )

    answers = at_once(file(racing.made.performance), file(racing.made.pm))

    assert sorted(type(answer) for answer in answers if isinstance(answer, Exception)) == [AlreadyFiled], answers
    assert Action.objects.count() == 1
    assert AuditEvent.objects.filter(verb="submit_weekly_fact").count() == 1


@pytest.mark.parametrize("turn", range(3))
def test_two_windows_save_at_once(racing, turn):
    racing.run("before_thu", 12)

    def save(text):
        return lambda: drafts.save_draft(
            company=racing.company, by=racing.made.performance, at=racing.local("fri", 15), report=racing.report(),
            version=1, fact=FactDraft(conclusion=text, tab=text),
        )  # fmt: skip

    answers = at_once(save("раз"), save("два"))
    winner = next(answer for answer in answers if isinstance(answer, WeeklyReport))

    assert [type(answer) for answer in answers if isinstance(answer, Exception)] == [ReportChanged], answers
    assert (racing.report().conclusion, racing.report().version) == (winner.conclusion, 2)
