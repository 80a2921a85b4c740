"""Accept, return, re-open, lock: what the CMO may do and what the week keeps."""

from decimal import Decimal

import pytest

from reports import filing
from reports.filing import FactDraft
from reports.selectors import weekly as selectors
from reports.selectors.figures import figures_of
from reports.services import fact, review
from roles.models import Appointment, AuditEvent, Channel

WORDS = FactDraft(cause="market", conclusion="Выгорела", no_action_reason="Ждём решения")


@pytest.fixture
def filed(desk):
    """Filed on Friday at 15:00 with four days of figures."""
    desk.run("before_thu", 12)
    desk.facts(desk.made.vk, days=4, spend=1250, leads=9, qualified_leads=5)
    file(desk, ("fri", 15))
    return desk


def file(desk, moment):
    return fact.submit_fact(
        company=desk.company, by=desk.made.performance, at=desk.local(*moment), report=desk.report(), fact=WORDS
    )


def given(desk, by, moment):
    return {"company": desk.company, "by": by, "at": desk.local(*moment), "report": desk.report()}


def test_accept(filed):
    row = review.accept_report(**given(filed, filed.made.cmo, ("next_mon", 9)))

    assert (row.state, row.reviewed_by, row.reviewed_at) == ("accepted", filed.made.cmo, filed.local("next_mon", 9))
    with pytest.raises(filing.WrongState):
        review.accept_report(**given(filed, filed.made.cmo, ("next_mon", 10)))


def test_return_and_file_again_keeps_the_first_timeliness(filed):
    with pytest.raises(review.NoteMissing):
        review.return_report(**given(filed, filed.made.cmo, ("sat", 9)), note=" ")
    row = review.return_report(**given(filed, filed.made.cmo, ("sat", 9)), note="Назовите причину")
    assert (row.state, row.return_note) == ("returned", "Назовите причину")

    row = file(filed, ("sun", 20))
    assert (row.state, row.timeliness, row.on_behalf) == ("submitted", "on_time", False)


def test_lock_keeps_friday_and_final_side_by_side(filed):
    filed.facts(filed.made.vk, days=3, first=filed.monday.replace(day=20), spend=1000, leads=12, qualified_leads=6)
    filed.run("next_mon", 12)
    row = filed.report()

    assert (row.state, row.timeliness, row.plan_timeliness) == ("locked", "on_time", "missed")
    assert (row.snapshot["measures"]["leads"], row.final["measures"]["leads"]) == ("36", "72")
    lines = figures_of(company=filed.company, reports=[row], at=filed.local("next_tue", 9))[row.pk].lines
    leads = next(line for line in lines if line.measure == "leads")
    assert (leads.plan, leads.fact, leads.snapshot, leads.restated, leads.later) == (70, 72, 36, None, None)


def test_figures_that_change_after_the_lock_stand_beside_the_final(filed):
    filed.run("next_mon", 12)
    filed.facts(filed.made.vk, days=3, first=filed.monday.replace(day=20), leads=12)
    row = filed.report()

    lines = figures_of(company=filed.company, reports=[row], at=filed.local("next_tue", 9))[row.pk].lines
    leads = next(line for line in lines if line.measure == "leads")
    assert (leads.fact, leads.later) == (36, 72)


def test_locked_week_is_closed_to_everybody(filed):
    for act in (
        lambda: review.accept_report(**given(filed, filed.made.cmo, ("next_mon", 12))),
        lambda: review.return_report(**given(filed, filed.made.cmo, ("next_mon", 12)), note="x"),
        lambda: file(filed, ("next_mon", 12)),
    ):
        with pytest.raises(filing.ReportLocked):
            act()


def test_reopen_for_24_hours_then_locked_again(filed):
    with pytest.raises(filing.WrongState):
        review.reopen_report(**given(filed, filed.made.cmo, ("next_mon", 11)), reason="x")
    filed.run("next_mon", 12)
    final = filed.report().final
    with pytest.raises(review.NoteMissing):
        review.reopen_report(**given(filed, filed.made.cmo, ("next_mon", 13)), reason="")

    row = review.reopen_report(**given(filed, filed.made.cmo, ("next_mon", 13)), reason="Ошибка в выводе")
    assert row.reopened_until == filed.local("next_tue", 13)
    filed.run("next_tue", 12)
    assert filed.report().state == "returned"
    file(filed, ("next_tue", 12, 30))
    filed.run("next_tue", 13)
    assert (filed.report().state, filed.report().final) == ("locked", final)
    with pytest.raises(filing.ReportLocked):
        file(filed, ("next_tue", 13))


def test_missed_week_filled_afterwards_stays_missed(desk):
    desk.run("before_thu", 12)
    desk.run("next_mon", 12)
    review.reopen_report(**given(desk, desk.made.cmo, ("next_mon", 13)), reason="Была в отъезде")

    assert file(desk, ("next_mon", 15)).timeliness == "missed"
    assert selectors.fact_part(desk.report(), desk.local("next_mon", 16)).late is True


@pytest.mark.parametrize("person", ["owner", "pm", "analyst", "performance", "contractor"])
def test_only_the_cmo_reviews(filed, person):
    by = getattr(filed.made, person)
    for act, extra in (
        (review.accept_report, {}), (review.return_report, {"note": "x"}), (review.reopen_report, {"reason": "x"})
    ):  # fmt: skip
        with pytest.raises(filing.MayNotReview):
            act(**given(filed, by, ("sat", 9)), **extra)


def test_author_does_not_accept_the_own_report(desk):
    """A CMO who also holds the channel files, but another person accepts."""
    Appointment.objects.create(
        company=desk.company, role=desk.made.roles["performance"], person=desk.made.cmo, channel=desk.made.vk,
        starts_on=desk.monday.replace(year=2025),
    )  # fmt: skip
    desk.run("before_thu", 12)
    fact.submit_fact(**given(desk, desk.made.cmo, ("fri", 15)), fact=WORDS)

    with pytest.raises(filing.MayNotReview):
        review.accept_report(**given(desk, desk.made.cmo, ("sat", 9)))


def test_every_act_leaves_its_trace(filed):
    review.return_report(**given(filed, filed.made.cmo, ("sat", 9)), note="Назовите причину")

    event = AuditEvent.objects.get(verb="return_weekly_report")
    assert (event.by, event.at, event.reason) == (filed.made.cmo, filed.local("sat", 9), "Назовите причину")


# ---------------------------------------------------------------- what people look at


def test_discipline_counts_what_is_due_or_filed(filed):
    at = filed.local("fri", 15)
    found = selectors.discipline(company=filed.company, week=filed.monday, at=at)
    assert (found.plan_on_time, found.plan_due, found.fact_on_time, found.fact_due) == (0, 2, 1, 1)
    assert found.missing == []

    found = selectors.discipline(company=filed.company, week=filed.monday, at=filed.local("fri", 18))
    assert (found.fact_on_time, found.fact_due) == (1, 2)
    assert [report.channel.code for report in found.missing] == ["blog"]


@pytest.mark.parametrize(
    ("moment", "plan", "fact_kind"),
    [
        (("before_thu", 13), "waiting", "not_open"), (("mon", 12), "overdue", "not_open"),
        (("fri", 12), "overdue", "waiting"), (("fri", 18), "overdue", "overdue"), (("next_mon", 12), "missed", "missed"),
    ],
)  # fmt: skip
def test_states_of_a_report_by_the_clock(desk, moment, plan, fact_kind):
    desk.run("before_thu", 12)
    at = desk.local(*moment)

    assert selectors.plan_part(desk.report(), at).kind == plan
    assert selectors.fact_part(desk.report(), at).kind == fact_kind


def due(desk, person, *moment) -> list[str]:
    found = selectors.due_for(company=desk.company, person=person, at=desk.local(*moment))
    return [item.title for item in found]


def test_due_for_the_channel_owner(desk):
    desk.run("before_thu", 12)
    me = desk.made.performance

    assert due(desk, me, "mon", 9) == [
        "VK Реклама: план недели 46", "VK Реклама: факт недели 46", "VK Реклама: план недели 47",
    ]  # fmt: skip
    desk.run("mon", 12)
    assert due(desk, me, "fri", 11) == ["VK Реклама: план недели 47"]
    assert due(desk, me, "fri", 13) == ["VK Реклама: план недели 47", "VK Реклама: факт недели 47"]
    item = selectors.due_for(company=desk.company, person=me, at=desk.local("fri", 13))[1]
    assert (item.url_name, item.args, item.due_at) == (
        "reports:weekly-report-detail", (desk.report().pk,), desk.local("fri", 18),
    )  # fmt: skip
    assert due(desk, desk.made.analyst, "fri", 13) == []
    assert due(desk, desk.made.pm, "fri", 13) == []


def test_due_for_the_cmo(filed):
    assert due(filed, filed.made.cmo, "fri", 17) == ["Принять 1 отчёт недели 47"]
    assert due(filed, filed.made.cmo, "next_mon", 9) == ["Сводка недели 47", "Принять 1 отчёт недели 47"]
    filed.run("next_mon", 12)
    assert due(filed, filed.made.cmo, "next_mon", 13) == []


def test_weeks_of_a_channel_newest_first(filed):
    filed.run("next_mon", 12)
    at = filed.local("next_mon", 13)
    reports = selectors.weeks_of_channel(company=filed.company, channel=filed.made.vk, n=2, at=at)
    rows = selectors.rows_of(company=filed.company, found=reports, at=at)

    assert [row.number for row in rows] == [48, 47]
    assert (rows[1].main.measure, rows[1].main.fact) == ("cpa", Decimal(250))


def test_discipline_names_who_filed_without_a_query_per_report(filed, django_assert_num_queries):
    with django_assert_num_queries(2):
        kept = selectors.discipline(company=filed.company, week=filed.monday, at=filed.local("fri", 18))
        filers = [str(fact.by) for _report, _plan, fact in kept.rows if fact.filed_at]

    assert filers


def test_lists_cost_the_same_for_3_and_30_channels(desk, django_assert_max_num_queries):
    desk.run("before_thu", 12)
    for number in range(28):
        Channel.objects.create(
            company=desk.company, code=f"c{number}", name=f"C{number}", kind="paid", status="active",
            owner=desk.made.performance,
        )  # fmt: skip
    desk.run("sun", 12)
    desk.run("mon", 9)

    with django_assert_max_num_queries(7):
        rows = selectors.reports_of_week(company=desk.company, week=desk.monday, at=desk.local("fri", 13))
    assert len(rows) == 30


def test_rival_sees_nothing_of_it(filed, rival):
    at = filed.local("fri", 18)

    assert selectors.get_report(company=rival.company, pk=filed.report().pk) is None
    assert selectors.reports_of_week(company=rival.company, week=filed.monday, at=at) == []
    assert selectors.discipline(company=rival.company, week=filed.monday, at=at).reports == []
