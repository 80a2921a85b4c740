"""Filing plan and fact: what is demanded, when it is late, who may, and what two windows do to each other."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from kpis.models import Breach, Kpi, StopRule, StopRuleVersion
from processes.models import Action
from reports import filing
from reports.filing import ActionDraft, FactDraft, ItemDraft, PlanDraft, Promise
from reports.models import ReportAction, WeeklyReport
from reports.selectors.figures import figures_of, is_off
from reports.services import drafts, fact, plan
from roles.models import Absence, Appointment, AuditEvent
from roles.refusals import Refused


def given(desk, by, moment, channel=None):
    return {"company": desk.company, "by": by, "at": desk.local(*moment), "report": desk.report(channel)}


def codes(refusal) -> list[tuple]:
    return [(error.field, error.code, error.index) for error in refusal.value.errors]


@pytest.fixture
def opened(desk):
    desk.run("before_thu", 12)
    return desk


@pytest.fixture
def friday(opened):
    """Friday 15:00 with four settled days: spend +25 %, leads −10 %, qualified leads as planned."""
    opened.facts(opened.made.vk, days=4, spend=1250, leads=9, qualified_leads=5)
    return opened


WORDS = FactDraft(cause="market", conclusion="Аудитория выгорела")


def todo(desk, text="Новая аудитория", day=27):
    return ActionDraft(text, desk.made.performance.pk, date(2026, 11, day))


@pytest.mark.parametrize(
    ("value", "planned", "off"),
    [
        (None, None, False), (5, None, False), (None, 5, True), (0, 0, False), (1, 0, True), (90, 100, False),
        (110, 100, False), ("89.99", 100, True), ("110.01", 100, True), (-5, -5, False), (-7, -5, True),
    ],
)  # fmt: skip
def test_off_plan(value, planned, off):
    def number(given):
        return None if given is None else Decimal(given)

    assert is_off(number(value), number(planned)) is off


def test_additive_plans_are_prorated_by_settled_days_and_ratios_are_not(friday):
    found = figures_of(company=friday.company, reports=[friday.report()], at=friday.local("fri", 15))
    lines = {line.measure: line for line in found[friday.report().pk].lines}

    assert lines["spend"].plan == 4000
    assert (lines["cpa"].plan, lines["cpa"].fact) == (200, 250)
    assert [code for code, line in lines.items() if line.off] == ["spend", "cpa"]
    assert lines["spend"].deviation == Decimal("0.25")
    assert lines["deals"].fact is None
    assert lines["deals"].off is False


# ---------------------------------------------------------------- plan


def test_plan_filed_in_time_with_items(opened):
    row = plan.submit_plan(
        **given(opened, opened.made.performance, ("mon", 12)),
        plan=PlanDraft({"leads": Decimal(80)}, [ItemDraft("Новые объявления", Decimal(6), "п. 2.1")]),
    )

    assert (row.plan_timeliness, row.plan_on_behalf, row.version) == ("on_time", False, 2)
    assert row.plan_lines.get(measure="leads").value == 80
    assert [(item.text, item.expected) for item in row.plan_items.all()] == [("Новые объявления", 6)]
    assert AuditEvent.objects.filter(verb="submit_weekly_plan", by=opened.made.performance).count() == 1


def test_plan_may_be_filed_again_before_its_deadline(opened):
    plan.submit_plan(**given(opened, opened.made.performance, ("mon", 9)))
    row = plan.submit_plan(
        **given(opened, opened.made.performance, ("mon", 11)), plan=PlanDraft({"leads": Decimal(75)})
    )

    assert row.plan_lines.get(measure="leads").planned == 75


def test_plan_after_the_deadline_is_late_and_its_figures_are_frozen(opened):
    opened.run("mon", 12)
    row = plan.submit_plan(**given(opened, opened.made.performance, ("mon", 12, 1)))
    assert row.plan_timeliness == "late"

    with pytest.raises(filing.PlanFrozen):
        plan.submit_plan(**given(opened, opened.made.performance, ("mon", 12, 2)))
    with pytest.raises(filing.PlanFrozen):
        drafts.save_draft(**given(opened, opened.made.performance, ("tue", 9)), plan=PlanDraft({"leads": Decimal(1)}))


def test_late_plan_with_another_figure_is_an_amendment_with_a_reason(opened):
    changed = {"plan": PlanDraft({"leads": Decimal(50)})}
    with pytest.raises(filing.Incomplete) as refusal:
        plan.submit_plan(**given(opened, opened.made.performance, ("mon", 13)), **changed)
    assert codes(refusal) == [("reason", "missing", None)]

    plan.submit_plan(**given(opened, opened.made.performance, ("mon", 13)), **changed, reason="Кабинет закрыт")
    line = opened.report().plan_lines.get(measure="leads")
    assert (line.value, line.amended, line.amend_reason, line.planned) == (70, 50, "Кабинет закрыт", 50)


def test_amending_shows_both_plans(opened):
    plan.submit_plan(**given(opened, opened.made.performance, ("mon", 9)))
    with pytest.raises(filing.PlanNotFrozen):
        plan.amend_plan(**given(opened, opened.made.performance, ("mon", 11)), values={"leads": Decimal(9)}, reason="x")
    with pytest.raises(filing.Incomplete):
        plan.amend_plan(**given(opened, opened.made.performance, ("tue", 11)), values={"leads": Decimal(9)}, reason=" ")

    plan.amend_plan(
        **given(opened, opened.made.performance, ("tue", 11)), values={"leads": Decimal(9)}, reason="Бюджет"
    )
    line = opened.report().plan_lines.get(measure="leads")
    assert (line.value, line.amended) == (70, 9)
    event = AuditEvent.objects.get(verb="amend_weekly_plan")
    assert (event.before, event.after, event.reason) == ({"leads": "70"}, {"leads": "9"}, "Бюджет")


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        (PlanDraft({"nonsense": Decimal(1)}), [("plan", "unknown_measure", None)]),
        (PlanDraft({"leads": Decimal(-1)}), [("plan.leads", "negative", None)]),
        (PlanDraft(items=[ItemDraft(str(n), Decimal(n)) for n in range(6)]), [("items", "too_many", None)]),
        (
            PlanDraft(items=[ItemDraft("a", Decimal(1), "п. 1"), ItemDraft("b", clause="п. 2")]),
            [("items.expected", "missing", 1)],
        ),
        (PlanDraft(items=[ItemDraft("a", Decimal(1))]), [("items.clause", "missing", 0)]),
    ],
)
def test_plan_refuses_what_is_wrong_and_keeps_nothing(opened, draft, expected):
    with pytest.raises(filing.Incomplete) as refusal:
        plan.submit_plan(**given(opened, opened.made.performance, ("mon", 9)), plan=draft)

    assert codes(refusal) == expected
    assert opened.report().version == 1
    assert not opened.report().plan_items.exists()


def test_empty_plan_is_no_plan(opened):
    with pytest.raises(filing.Incomplete) as refusal:
        plan.submit_plan(**given(opened, opened.made.content, ("mon", 9), opened.made.blog))

    assert codes(refusal) == [("plan", "missing", None)]


# ---------------------------------------------------------------- fact


def test_fact_off_plan_demands_cause_words_and_action(friday):
    with pytest.raises(filing.Incomplete) as refusal:
        fact.submit_fact(**given(friday, friday.made.performance, ("fri", 15)))

    assert codes(refusal) == [("cause", "missing", None), ("conclusion", "missing", None), ("actions", "missing", None)]
    assert friday.report().state == "empty"


def test_fact_is_filed_with_words_and_actions(friday):
    draft = FactDraft(cause="market", conclusion="Выгорела", actions=[todo(friday), todo(friday, "Ещё", 28)])
    row = fact.submit_fact(**given(friday, friday.made.performance, ("fri", 15)), fact=draft)

    assert (row.state, row.timeliness, row.on_behalf, row.fact_submitted_by) == (
        "submitted", "on_time", False, friday.made.performance,
    )  # fmt: skip
    assert row.snapshot["measures"] == {
        "spend": "5000", "leads": "36", "qualified_leads": "20", "cpa": "250", "deals": None, "revenue": None
    }  # fmt: skip
    assert row.snapshot["days"] == ["2026-11-16", "2026-11-19"]
    given_actions = list(Action.objects.order_by("due_on"))
    assert [(action.text, action.owner, action.channel) for action in given_actions] == [
        ("Новая аудитория", friday.made.performance, friday.made.vk), ("Ещё", friday.made.performance, friday.made.vk),
    ]  # fmt: skip
    assert ReportAction.objects.filter(report=row).count() == 2


def test_no_action_with_a_reason_is_enough(friday):
    draft = FactDraft(cause="data", conclusion="Двойная загрузка", no_action_reason="Уже исправлено аналитиком")
    assert fact.submit_fact(**given(friday, friday.made.performance, ("fri", 15)), fact=draft).state == "submitted"


def test_fact_within_plan_needs_no_words(opened):
    opened.facts(opened.made.vk, days=4, spend=1000, leads=10, qualified_leads=5)

    assert fact.submit_fact(**given(opened, opened.made.performance, ("fri", 12))).state == "submitted"


def test_red_kpi_demands_words_even_within_plan(opened):
    opened.facts(opened.made.vk, days=4, spend=1000, leads=10, qualified_leads=5)
    made = opened.made
    rule = StopRule.objects.create(company=opened.company, number=7)
    version = StopRuleVersion.objects.create(
        company=opened.company, rule=rule, name="CPA", kpi=Kpi.objects.get(company=opened.company, code="cpa"),
        comparison="above", line=190, window="in_a_row", n=3, owner=made.cmo, valid_from=date(2026, 1, 1), reason="r",
        created_at=opened.local("mon", 9),
    )  # fmt: skip
    Breach.objects.create(
        company=opened.company, channel=made.vk, rule=rule, version=version, first_day=opened.monday,
        opened_on=opened.monday, detected_at=opened.local("tue", 6),
    )  # fmt: skip

    with pytest.raises(filing.Incomplete) as refusal:
        fact.submit_fact(**given(opened, made.performance, ("fri", 15)))
    assert ("conclusion", "missing", None) in codes(refusal)


def test_silent_channel_demands_words(opened):
    with pytest.raises(filing.Incomplete):
        fact.submit_fact(**given(opened, opened.made.content, ("fri", 15), opened.made.blog))


@pytest.mark.parametrize(
    ("moment", "timeliness"), [(("fri", 18), "on_time"), (("fri", 18, 1), "late"), (("next_mon", 11, 59), "late")]
)
def test_timeliness_of_the_fact(friday, moment, timeliness):
    friday.facts(
        friday.made.vk, days=3, first=friday.monday + timedelta(days=4), spend=1000, leads=10, qualified_leads=5
    )
    draft = FactDraft(cause="market", conclusion="x", no_action_reason="y")
    row = fact.submit_fact(**given(friday, friday.made.performance, moment), fact=draft)

    assert row.timeliness == timeliness


def test_fact_before_friday_noon_after_filing_and_after_the_lock_is_a_conflict(friday):
    made, draft = friday.made, FactDraft(cause="market", conclusion="x", no_action_reason="y")
    with pytest.raises(filing.FactNotOpen):
        fact.submit_fact(**given(friday, made.performance, ("fri", 11, 59)), fact=draft)
    fact.submit_fact(**given(friday, made.performance, ("fri", 15)), fact=draft)
    with pytest.raises(filing.AlreadyFiled):
        fact.submit_fact(**given(friday, made.performance, ("fri", 16)), fact=draft)
    with pytest.raises(filing.ReportLocked):
        fact.submit_fact(**given(friday, made.performance, ("next_mon", 12)), fact=draft)


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (lambda d: ActionDraft("Текст", d.made.performance.pk, None), ("actions.due", "missing", 1)),
        (lambda d: ActionDraft("Текст", d.made.performance.pk, date(2026, 11, 19)), ("actions.due", "past", 1)),
        (lambda d: ActionDraft("Текст", None, date(2026, 11, 27)), ("actions.owner", "missing", 1)),
        (lambda d: ActionDraft(" ", d.made.cmo.pk, date(2026, 11, 27)), ("actions.text", "missing", 1)),
    ],
)
def test_an_action_needs_text_person_and_a_date_to_come(friday, action, expected):
    draft = FactDraft(cause="market", conclusion="x", actions=[todo(friday), action(friday)])
    with pytest.raises(filing.Incomplete) as refusal:
        fact.submit_fact(**given(friday, friday.made.performance, ("fri", 15)), fact=draft)

    assert codes(refusal) == [expected]
    assert not Action.objects.exists()


def test_an_action_cannot_be_given_to_another_company(friday, rival):
    draft = FactDraft(
        cause="market", conclusion="x", actions=[ActionDraft("Текст", rival.performance.pk, date(2026, 11, 27))]
    )
    with pytest.raises(filing.Incomplete) as refusal:
        fact.submit_fact(**given(friday, friday.made.performance, ("fri", 15)), fact=draft)
    assert codes(refusal) == [("actions.owner", "missing", 0)]


def test_typed_figure_only_where_no_source_gives_it(friday):
    me = friday.made.performance
    with pytest.raises(filing.Incomplete) as refusal:
        drafts.save_draft(**given(friday, me, ("fri", 13)), fact=FactDraft(typed={"leads": Decimal(99)}))
    assert codes(refusal) == [("typed.leads", "from_data", None)]
    with pytest.raises(filing.Incomplete) as refusal:
        drafts.save_draft(**given(friday, me, ("fri", 13)), fact=FactDraft(typed={"cpa": Decimal(99)}))
    assert codes(refusal) == [("typed.cpa", "from_data", None)]

    drafts.save_draft(**given(friday, me, ("fri", 13)), fact=FactDraft(typed={"deals": Decimal(3)}))
    line = friday.report().plan_lines.get(measure="deals")
    assert (line.typed_fact, line.typed_by) == (3, me)

    friday.facts(friday.made.vk, days=1, first=friday.monday - timedelta(days=7), deals=1)
    found = figures_of(company=friday.company, reports=[friday.report()], at=friday.local("fri", 15))
    shown = next(one for one in found[friday.report().pk].lines if one.measure == "deals")
    assert (shown.fact, shown.typed_by, shown.from_data) == (3, str(me), False)


# ---------------------------------------------------------------- promises


def test_promises_of_last_week_are_marked_moved_and_dropped(friday):
    made = friday.made
    before = friday.report(week=friday.monday - timedelta(weeks=1))
    actions = [
        Action.objects.create(
            company=friday.company, text=text, owner=made.performance, due_on=date(2026, 11, 18), channel=made.vk,
            created_at=before.locks_at,
        )
        for text in ("раз", "два", "три")
    ]  # fmt: skip
    for action in actions:
        ReportAction.objects.create(company=friday.company, report=before, action=action)
    words = {"cause": "market", "conclusion": "x", "no_action_reason": "y"}
    marks = [Promise(actions[0].pk, "done"), Promise(actions[1].pk, "move", date(2026, 11, 24))]

    with pytest.raises(filing.Incomplete) as refusal:
        fact.submit_fact(**given(friday, made.performance, ("fri", 15)), fact=FactDraft(**words, promises=marks))
    assert codes(refusal) == [(f"promises.{actions[2].pk}", "missing", None)]
    with pytest.raises(filing.Incomplete) as refusal:
        fact.submit_fact(
            **given(friday, made.performance, ("fri", 15)),
            fact=FactDraft(**words, promises=[*marks, Promise(actions[2].pk, "drop")]),
        )
    assert codes(refusal) == [(f"promises.{actions[2].pk}.reason", "missing", None)]

    fact.submit_fact(
        **given(friday, made.performance, ("fri", 15)),
        fact=FactDraft(**words, promises=[*marks, Promise(actions[2].pk, "drop", reason="Канал закрыт")]),
    )
    found = {action.text: action for action in Action.objects.all()}
    assert [found[text].state for text in ("раз", "два", "три")] == ["done", "open", "dropped"]
    assert (found["два"].due_on, found["два"].carried) == (date(2026, 11, 24), 1)
    assert list(ReportAction.objects.filter(report=friday.report()).values_list("action__text", flat=True)) == ["два"]


# ---------------------------------------------------------------- drafts, versions, people


def test_draft_keeps_half_written_actions_and_marks(friday):
    draft = FactDraft(conclusion="Начало", actions=[ActionDraft("Без даты")], promises=[Promise(5, "drop")])
    row = drafts.save_draft(**given(friday, friday.made.performance, ("fri", 13)), fact=draft)

    assert (row.state, row.conclusion, row.saved_by) == ("draft", "Начало", friday.made.performance)
    assert filing.drafted_actions(row) == [ActionDraft("Без даты")]
    assert filing.drafted_promises(row) == {5: Promise(5, "drop")}


def test_stale_version_is_refused_and_the_same_window_is_not(friday):
    me = friday.made.performance
    drafts.save_draft(**given(friday, me, ("fri", 13)), version=1, fact=FactDraft(conclusion="a", tab="one"))
    with pytest.raises(filing.ReportChanged) as refusal:
        drafts.save_draft(**given(friday, me, ("fri", 13)), version=1, fact=FactDraft(conclusion="b", tab="two"))
    assert refusal.value.status == 412

    drafts.save_draft(**given(friday, me, ("fri", 13)), version=1, fact=FactDraft(conclusion="c", tab="one"))
    drafts.save_draft(**given(friday, me, ("fri", 13)), version=3, fact=FactDraft(conclusion="d"))
    with pytest.raises(filing.ReportChanged):
        drafts.save_draft(**given(friday, me, ("fri", 13)), version=1, fact=FactDraft(conclusion="e", tab="one"))
    assert friday.report().conclusion == "d"


@pytest.mark.parametrize(
    ("person", "may", "on_behalf"),
    [
        ("performance", True, False), ("pm", True, True), ("cmo", False, None), ("owner", False, None),
        ("analyst", False, None), ("content", False, None), ("contractor", False, None),
    ],
)  # fmt: skip
def test_who_files(friday, person, may, on_behalf):
    by = getattr(friday.made, person)
    draft = FactDraft(cause="market", conclusion="x", no_action_reason="y")
    acts = [
        lambda: drafts.save_draft(**given(friday, by, ("mon", 9)), plan=PlanDraft({"leads": Decimal(60)})),
        lambda: plan.submit_plan(**given(friday, by, ("mon", 9))),
        lambda: plan.amend_plan(**given(friday, by, ("tue", 9)), values={"leads": Decimal(6)}, reason="r"),
        lambda: fact.submit_fact(**given(friday, by, ("fri", 15)), fact=draft),
    ]
    for act in acts:
        if may:
            act()
        else:
            with pytest.raises(filing.MayNotFile) as refusal:
                act()
            assert str(friday.made.performance) in refusal.value.message
    if may:
        row = friday.report()
        assert (row.plan_on_behalf, row.on_behalf) == (on_behalf, on_behalf)


def test_deputy_of_an_absent_holder_files_as_the_holder(friday):
    deputy = friday.made.analyst
    Appointment.objects.filter(channel=friday.made.vk).update(deputy=deputy)
    Absence.objects.create(
        company=friday.company, person=friday.made.performance, starts_on=date(2020, 1, 1), ends_on=date(2030, 1, 1)
    )
    draft = FactDraft(cause="market", conclusion="x", no_action_reason="y")

    assert fact.submit_fact(**given(friday, deputy, ("fri", 15)), fact=draft).on_behalf is False


def test_report_of_another_company_is_not_there(friday, rival):
    with pytest.raises(WeeklyReport.DoesNotExist):
        plan.submit_plan(
            company=rival.company, by=rival.performance, at=friday.local("mon", 9), report=friday.report()
        )  # fmt: skip


def test_refusal_leaves_the_draft_as_it_was(friday):
    with pytest.raises(Refused):
        fact.submit_fact(**given(friday, friday.made.performance, ("fri", 15)), fact=FactDraft(conclusion="Потеряно"))

    assert friday.report().conclusion == ""


@pytest.mark.parametrize("wrong", [{"cause": "weather"}, {"late_reason": "Ждали выгрузку из CRM"}])
def test_codes_that_are_none_are_refused(friday, wrong):
    with pytest.raises(filing.Incomplete) as refusal:
        drafts.save_draft(**given(friday, friday.made.performance, ("fri", 13)), fact=FactDraft(**wrong))

    assert codes(refusal) == [(next(iter(wrong)), "unknown", None)]


def test_reason_for_lateness_is_kept_only_when_late(friday):
    draft = FactDraft(cause="market", conclusion="x", no_action_reason="y", late_reason="no_time")

    assert fact.submit_fact(**given(friday, friday.made.performance, ("fri", 15)), fact=draft).late_reason == ""
