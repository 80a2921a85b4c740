"""Discipline by role and week: excused counts neither way, filled after stays missed, no names of people."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.urls import reverse

from processes.services import carry_action, close_action, create_action
from reports.filing import FactDraft
from reports.models import WeeklyReport
from reports.selectors.discipline import Kept, discipline_page
from reports.services import fact, plan, review


@pytest.fixture
def lived(desk):
    """Week 47: VK files the plan in time and misses the fact, then fills it after; the blog misses both."""
    desk.run("before_thu", 12)
    plan.submit_plan(company=desk.company, by=desk.made.performance, at=desk.local("mon", 9), report=desk.report())
    for moment in (("mon", 12), ("fri", 18), ("next_mon", 12)):
        desk.run(*moment)
    WeeklyReport.objects.exclude(week=date(2026, 11, 16)).delete()
    return desk


def fill_after(desk):
    report = desk.report()
    review.reopen_report(
        company=desk.company, by=desk.made.cmo, at=desk.local("next_mon", 13), report=report, reason="Нужен вывод"
    )
    fact.submit_fact(
        company=desk.company, by=desk.made.performance, at=desk.local("next_mon", 14), report=desk.report(),
        fact=FactDraft(cause="data", conclusion="Нет цифр", no_action_reason="Ждём"),
    )  # fmt: skip


def page(desk, day="next_tue"):
    return discipline_page(company=desk.company, at=desk.local(day, 9))


def test_a_missed_week_stays_missed_and_shows_that_it_was_filled_after(lived):
    assert page(lived).fact == Kept(missed=2)
    fill_after(lived)

    found = page(lived)
    assert found.fact == Kept(missed=2, filled_after=1)
    assert found.plan == Kept(on_time=1, missed=1)
    assert found.rate == Decimal(1) / 4
    report = lived.report()
    assert (report.timeliness, report.state) == ("missed", "submitted")


def test_rates_by_role_and_trend(lived):
    rows = {row.name: row for row in page(lived).roles}

    assert rows["Роль performance"].plan.rate == 1
    assert rows["Роль content"].plan.rate == 0
    assert rows["Роль performance"].trend is None


def test_excused_counts_neither_way(lived):
    WeeklyReport.objects.filter(channel=lived.made.blog).update(plan_timeliness="excused", timeliness="excused")
    found = page(lived)
    assert (found.plan.due, found.plan.excused, found.plan.rate) == (1, 1, 1)


def test_actions_done_in_time_moved_and_dropped(lived):
    at = lived.local("mon", 9)
    made = [
        create_action(
            company=lived.company, by=lived.made.cmo, at=at, text=f"Дело {n}", owner=lived.made.performance,
            due_on=date(2026, 11, 18), channel=lived.made.vk,
        )
        for n in range(4)
    ]  # fmt: skip
    given = {"company": lived.company, "by": lived.made.performance}
    close_action(**given, at=lived.local("wed", 9), action=made[0])
    close_action(**given, at=lived.local("fri", 9), action=made[1])
    close_action(**given, at=lived.local("wed", 9), action=made[2], done=False, note="Не нужно")
    carry_action(**given, at=lived.local("wed", 9), action=made[3], due_on=date(2026, 11, 20))

    found = page(lived).actions
    assert (found.due, found.done, found.in_time, found.dropped, found.moved) == (4, 2, 1, 1, 1)
    assert found.rate == Decimal("0.5")


def test_page_names_roles_and_nobody(lived, sign_in):
    fill_after(lived)
    with time_machine.travel(lived.local("next_tue", 9), tick=False):
        url = reverse("reports:discipline", args=[lived.company.slug])
        html = sign_in(lived.made.pm).get(url).content.decode()
        assert sign_in(lived.made.performance).get(url).status_code == 403
    main = html[html.index("<main") : html.index("</main>")]
    assert "Роль performance" in main
    for person in (lived.made.performance, lived.made.content):
        assert str(person) not in main


def test_an_empty_company_has_an_empty_page(desk):
    found = page(desk)
    assert (found.rate, found.cycle.decide, found.actions.rate, found.plot) == (None, None, None, None)
    assert len(found.weeks) == 12
    assert found.weeks[-1].monday - found.weeks[0].monday == timedelta(weeks=11)
