"""Doubt about a prefilled figure, plans from the last weeks, and Friday's figure beside the final one."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.urls import reverse

from kpis.models import DailyFact, Import, Source
from processes.carried import hand_over_action
from processes.doubts import MayNotAnswer
from processes.leaving import services as leaving
from processes.models import Action
from processes.services import close_action
from reports import filing
from reports.filing import FactDraft
from reports.models import FigureDispute
from reports.selectors.figures import figures_of
from reports.services import disputes, fact
from roles.models import Appointment
from roles.permissions import RoleKind


@pytest.fixture
def friday(desk):
    desk.run("before_thu", 12)
    desk.facts(desk.made.vk, days=4, spend=1250, leads=9, qualified_leads=5)
    return desk


def dispute(desk, **fields):
    given = {"measure": "leads", "note": "В кабинете 44", "by": desk.made.performance, "at": desk.local("fri", 13)}
    return disputes.dispute_figure(company=desk.company, report=desk.report(), **(given | fields))


def test_a_dispute_is_a_task_for_the_analyst_and_changes_no_figure(friday):
    made = dispute(friday, expected=Decimal(44))

    assert (made.shown, made.expected) == (36, 44)
    assert made.action.owner == friday.made.analyst
    assert made.action.due_on == date(2026, 11, 23)  # the next working day after Friday
    assert "В кабинете 44" in made.action.text
    lines = {x.measure: x for x in figures_of(company=friday.company, reports=[friday.report()], at=friday.local("fri", 13))[friday.report().pk].lines}  # fmt: skip
    assert lines["leads"].fact == 36


def test_the_same_figure_is_disputed_once_until_it_is_looked_at(friday):
    first = dispute(friday)
    with pytest.raises(disputes.AlreadyDisputed):
        dispute(friday)
    dispute(friday, measure="spend", note="Расход другой")

    close_action(
        company=friday.company,
        by=friday.made.analyst,
        at=friday.local("fri", 14),
        action=first.action,
        note="Верно: 36",
    )
    assert dispute(friday).pk != first.pk


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"note": "  "}, "missing"), ({"measure": "revenue"}, "not_from_data"), ({"measure": "нет"}, "not_from_data")],
)
def test_wrong_disputes(friday, fields, code):
    with pytest.raises(disputes.DisputeRefused) as refused:
        dispute(friday, **fields)
    assert refused.value.errors[0].code == code
    assert not Action.objects.exists()


def test_others_do_not_dispute_and_the_director_answers_where_there_is_no_analyst(friday):
    with pytest.raises(filing.MayNotFile):
        dispute(friday, by=friday.made.cmo)
    Appointment.objects.filter(role__kind=RoleKind.ANALYST).delete()
    assert dispute(friday).action.owner == friday.made.cmo


def test_whoever_typed_the_figures_is_not_asked_about_them(friday):
    source = Source.objects.create(company=friday.company, code="typed", name="Вручную", kind="manual")
    load = Import.objects.create(
        company=friday.company, source=source, state="done", sha256="0" * 64, created_at=friday.local("fri", 9),
        created_by=friday.made.analyst,
    )  # fmt: skip
    DailyFact.objects.filter(channel=friday.made.vk).update(load_id=load.pk)

    assert dispute(friday).action.owner == friday.made.cmo


def close(desk, made, person, **fields):
    given = {"company": desk.company, "by": person, "at": desk.local("fri", 14), "action": made.action}
    return close_action(**given, **fields)


def test_a_doubt_that_falls_to_who_had_it_is_answered_by_another_one(friday):
    """The author is never the approver: handed over or not, they may take the doubt back and never answer it."""
    author, made = friday.made.performance, dispute(friday)
    with pytest.raises(MayNotAnswer) as refused:
        close(friday, made, author, note="Верно")
    assert str(friday.made.analyst) in refused.value.message, "whoever has it to do answers it"
    hand_over_action(
        company=friday.company, by=None, at=friday.local("fri", 13), action=made.action, owner=author,
        due_on=date(2026, 11, 23), reason="аналитик ушёл",
    )  # fmt: skip
    made.action.refresh_from_db()

    with pytest.raises(MayNotAnswer) as refused:
        close(friday, made, author, note="Верно")

    assert str(friday.made.cmo) in refused.value.message
    assert str(friday.made.owner) in refused.value.message
    assert str(author) not in refused.value.message
    assert Action.objects.get().state == "open"
    close(friday, made, friday.made.cmo, note="Верно: 36")
    assert Action.objects.get().closed_by == friday.made.cmo


def test_a_doubt_may_be_taken_back_with_a_reason(friday):
    made = dispute(friday)

    close(friday, made, friday.made.performance, done=False, note="Смотрел не ту кампанию")

    assert Action.objects.get().state == "dropped"


def test_the_page_of_the_task_says_who_answers_an_own_doubt(friday, sign_in):
    made = dispute(friday)
    Action.objects.update(owner=friday.made.performance)
    url = reverse("processes:action-close", args=[friday.company.slug, made.action.pk])
    with time_machine.travel(friday.local("fri", 14), tick=False):
        page = sign_in(friday.made.performance).get(url).content.decode()
        answer = sign_in(friday.made.performance).post(url, {"outcome": "done", "note": "Верно"})
        assert (answer.status_code, Action.objects.get().state) == (403, "open")
        for shown in (page, answer.content.decode()):
            assert f"может другой человек: {friday.made.cmo}, {friday.made.owner}" in shown
            assert 'value="done"' not in shown
        assert 'value="done"' in sign_in(friday.made.cmo).get(url).content.decode()
        assert sign_in(friday.made.cmo).post(url, {"outcome": "done", "note": "Верно"}).status_code == 302


def test_where_there_is_nobody_else_a_doubt_is_answered_by_who_had_it(friday):
    made = dispute(friday)
    Action.objects.update(owner=friday.made.performance)
    Appointment.objects.filter(role__kind__in=[RoleKind.CMO, RoleKind.OWNER]).delete()
    made.action.refresh_from_db()

    assert close(friday, made, friday.made.performance, note="Верно").state == "done"


def test_a_doubt_is_asked_of_another_one_than_who_had_it_and_falls_to_another_one(friday):
    """The director files for a channel of their own: the owner is asked. When the analyst goes, a doubt passes by the
    channel's owner, who had it, to a manager."""
    company, at = friday.company, friday.local("fri", 13)
    made = dispute(friday)

    plan = leaving.start_handover(
        company=company, by=friday.made.owner, at=at, person=friday.made.analyst, last_day=company.local_date(at),
        reason="уходит",
    )  # fmt: skip
    line = plan.items.get(kind="action")
    assert line.successor not in {None, friday.made.performance}
    leaving.leave_due(company=company, at=at + timedelta(days=1), today=company.local_date(at) + timedelta(days=1))

    made.action.refresh_from_db()
    assert made.action.owner == friday.made.pm
    Appointment.objects.filter(role__kind=RoleKind.ANALYST).delete()
    Appointment.objects.filter(person=friday.made.performance).update(person=friday.made.cmo)
    assert dispute(friday, by=friday.made.cmo, measure="spend").action.owner == friday.made.owner


def test_page_of_a_dispute(friday, sign_in):
    browser = sign_in(friday.made.performance)
    url = reverse("reports:weekly-report-dispute", args=[friday.company.slug, friday.report().pk])
    with time_machine.travel(friday.local("fri", 13), tick=False):
        assert "Спросить аналитика" in browser.get(url, {"measure": "leads"}).content.decode()
        assert browser.post(url, {"measure": "leads", "note": ""}).status_code == 400
        assert browser.post(url, {"measure": "leads", "note": "44", "expected": "44"}).status_code == 302
        assert FigureDispute.objects.get().expected == 44
        page = browser.get(reverse("reports:weekly-report-detail", args=[friday.company.slug, friday.report().pk]))
        assert "Оспоренные цифры" in page.content.decode()
        assert sign_in(friday.made.content).get(url).status_code == 403


def test_a_plan_without_a_target_is_as_the_last_weeks_were(desk):
    """Weeks of 12.10–02.11; the last one before the plan opens (09.11) is not whole and not counted."""
    for number, revenue in enumerate((70_000, 140_000, None, 210_000)):
        if revenue is not None:
            desk.facts(desk.made.vk, first=date(2026, 10, 12) + timedelta(weeks=number), revenue=revenue // 7, spend=10)
    desk.facts(desk.made.vk, days=3, first=date(2026, 11, 9), revenue=999_999)
    desk.run("before_thu", 12)

    lines = {line.measure: line for line in desk.report().plan_lines.all()}
    assert (lines["revenue"].value, lines["revenue"].basis) == (140_000, "last_weeks")  # the mean of three, not of four
    assert (lines["spend"].value, lines["spend"].basis) == (7000, "target")
    assert (lines["deals"].value, lines["deals"].basis) == (None, "")


def test_a_planned_ratio_of_the_last_weeks_is_a_ratio_of_sums(desk):
    desk.facts(desk.made.blog, first=date(2026, 10, 12), spend=100, qualified_leads=1)
    desk.facts(desk.made.blog, first=date(2026, 10, 19), spend=100, qualified_leads=3)
    desk.run("before_thu", 12)

    line = desk.report(desk.made.blog).plan_lines.get(measure="cpa")
    assert (line.value, line.basis) == (50, "last_weeks")


def test_fridays_figure_stands_beside_the_final_one_and_the_week_is_judged_on_the_final(friday, sign_in):
    friday.run("fri", 12)
    fact.submit_fact(
        company=friday.company, by=friday.made.performance, at=friday.local("fri", 15), report=friday.report(),
        fact=FactDraft(cause="market", conclusion="Дорожает показ", no_action_reason="Ждём выходных"),
    )  # fmt: skip
    friday.facts(friday.made.vk, days=3, first=date(2026, 11, 20), spend=250, leads=20, qualified_leads=5)
    friday.run("next_mon", 12)
    DailyFact.objects.filter(day=date(2026, 11, 22)).update(leads=999)

    report = friday.report()
    figures = figures_of(company=friday.company, reports=[report], at=friday.local("next_tue", 9))[report.pk]
    leads = next(line for line in figures.lines if line.measure == "leads")
    assert figures.has_two
    assert (leads.snapshot, leads.snapshot_plan, leads.snapshot_deviation) == (36, 40, Decimal("-0.1"))
    assert (leads.final, leads.fact, leads.later) == (96, 96, 36 + 40 + 999)
    assert leads.off
    with time_machine.travel(friday.local("next_tue", 9), tick=False):
        html = sign_in(friday.made.cmo).get(
            reverse("reports:weekly-report-detail", args=[friday.company.slug, report.pk])
        ).content.decode()  # fmt: skip
    assert "Пятница и итог" in html
