"""What lies between two rules: a signature while the rules are evaluated, a rewrite that is dropped, a cut of the budget."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from kpis import evaluation
from kpis.evaluation import evaluate_company
from kpis.models import Breach, DailyFact, Evaluation, EvaluationLog, RuleState
from kpis.services import evaluations
from kpis.services.stop_rules import create_stop_rule, revise_stop_rule
from processes import ledger, reviews, selectors, services
from processes.models import Action, Decision
from roles.models import Channel

from .conftest import NOW, TODAY, sign
from .test_windows import SENT, evaluate, fact, mailing, post  # noqa: F401
from .test_with_the_machine import FIRST, live, load, morning, rounds  # noqa: F401

DAY = timedelta(days=1)


@pytest.mark.parametrize("choice", ["cut", "rewrite", "continue"])
def test_a_signature_given_while_the_rules_are_evaluated_is_not_written_over(live, monkeypatch, choice):  # noqa: F811
    load(live, 14, 3, cpa=4900)
    at = morning(live, 17) + DAY
    load(live, 17, 1, cpa=5100)
    decision = Decision.objects.get()
    terms = {
        "cut": {}, "rewrite": {"due": (at + 5 * DAY).date()},
        "continue": {"until": (at + 5 * DAY).date(), "extra_spend": Decimal(999_999)},
    }[choice]  # fmt: skip
    real, tries = evaluation.findings.write_breaches, []

    def meanwhile(work, outcome):
        tries.append(1)
        if len(tries) == 1:
            sign(live, decision=decision, at=at, choice=choice, **terms)
        real(work, outcome)

    def without_transaction(mine, claims, at, work=evaluations._evaluated.__wrapped__):
        """One connection stands for two: the signature must outlive the rollback, and the lease must come back by it."""
        try:
            return work(mine, claims, at)
        except evaluations.SignedMeanwhile:
            Evaluation.objects.update(lease_token=claims[0].token)
            raise

    monkeypatch.setattr(evaluations, "_evaluated", without_transaction)
    monkeypatch.setattr(evaluation.findings, "write_breaches", meanwhile)
    evaluations.evaluate_due(company=live.company, at=at)
    services.open_decisions(company=live.company, at=at)

    assert len(tries) == 2
    assert rounds() == [(1, "signed")]
    [breach] = Breach.objects.all()
    assert breach.muted if choice == "continue" else breach.closed_as == "signed"


# ---------------------------------------------------------------- a rewrite that is dropped
def test_the_author_of_a_rewrite_does_not_free_the_series_by_dropping_it(post):  # noqa: F811
    letter = mailing(post)
    fact(post, SENT, letter, sends=600, delivered=600, unsubscribes=60)
    [decision] = evaluate(post).decisions
    sign(post, choice="rewrite", decision=decision)
    action = Action.objects.get(kind="rewrite")

    with pytest.raises(services.MayNotAccept):
        services.close_action(company=post.company, by=post.content, at=NOW, action=action, done=False, note="Не нужно")
    services.close_action(company=post.company, by=post.cmo, at=NOW, action=action, done=False, note="Серия закрыта")

    action.refresh_from_db()
    assert action.state == "dropped"


def test_a_dropped_rewrite_does_not_switch_the_rule_off(live):  # noqa: F811
    load(live, 14, 3, cpa=4900)
    at = morning(live, 17)
    sign(live, decision=Decision.objects.get(), at=at, choice="rewrite", due=FIRST + timedelta(days=20))
    action = Action.objects.get(kind="rewrite")
    services.close_action(company=live.company, by=live.owner, at=at, action=action, done=False, note="Передумали")
    load(live, 17, 12, cpa=9900)
    for offset in range(18, 30):
        morning(live, offset)

    assert RuleState.objects.get().state == "firing"
    assert Decision.objects.filter(state="open").count() == 1


# ---------------------------------------------------------------- late figures and changed terms
def test_a_signed_cut_of_the_budget_is_no_restatement(post):  # noqa: F811
    Channel.objects.filter(pk=post.vk.pk).update(monthly_budget=Decimal(100_000))
    post.vk.refresh_from_db()
    create_stop_rule(
        company=post.company, by=post.cmo, at=NOW, name="Бюджет", window="budget", channel=post.vk, action="cut"
    )
    for day in range(1, 20):
        fact(post, date(2026, 11, day), channel=post.vk, spend=6_500)
    [decision] = evaluate(post).decisions
    sign(post, choice="cut", decision=decision, budget=Decimal(50_000))

    assert reviews.open_changed(company=post.company, at=NOW) == []


def test_spend_that_came_late_to_a_signed_budget_opens_a_review(post):  # noqa: F811
    Channel.objects.filter(pk=post.vk.pk).update(monthly_budget=Decimal(100_000))
    create_stop_rule(
        company=post.company, by=post.cmo, at=NOW, name="Бюджет", window="budget", channel=post.vk, action="cut"
    )
    for day in range(1, 20):
        fact(post, date(2026, 11, day), channel=post.vk, spend=6_500)
    [decision] = evaluate(post).decisions
    sign(post, choice="cut", decision=decision, budget=Decimal(50_000))
    DailyFact.objects.filter(day=date(2026, 11, 19)).update(spend=60_000)

    [review] = reviews.open_changed(company=post.company, at=NOW)

    assert review.kind == "data_changed"


def test_the_log_of_a_mailing_follows_what_came_a_day_later(post):  # noqa: F811
    letter = mailing(post)
    fact(post, SENT, letter, sends=3000, delivered=2900, unsubscribes=29)
    evaluate(post)
    fact(post, SENT + DAY, letter, unsubscribes=100)

    evaluate_company(company=post.company, at=NOW, today=TODAY, dirty_from=SENT + DAY)

    assert EvaluationLog.objects.get().numerator == 129


def test_a_false_alarm_is_counted_for_the_days_it_rests(live):  # noqa: F811
    load(live, 14, 3, cpa=4900)
    at = morning(live, 17)
    sign(live, decision=Decision.objects.get(), at=at, choice="false_alarm")
    load(live, 17, 12, cpa=4900)
    later = morning(live, 27)
    decision = selectors.read_decision(company=live.company, pk=Decision.objects.order_by("pk").first().pk)

    [entry] = ledger.entries(company=live.company, decisions=[decision], at=later)

    muted = EvaluationLog.objects.filter(state="muted").order_by("day").values_list("day", flat=True)
    assert entry.account.last == max(muted)


# ---------------------------------------------------------------- lines that wait
def test_a_waiting_line_does_not_get_in_force_by_another_pen(live):  # noqa: F811
    rule, common = live.version.rule, {"company": live.company, "at": NOW}
    revise_stop_rule(**common, by=live.performance, rule=rule, reason="Мягче", line=Decimal(9000))

    renamed = revise_stop_rule(**common, by=live.analyst, rule=rule, reason="Имя", name="CPA 2")

    assert (renamed.line, renamed.approved_at) == (9000, None)


def test_a_rule_over_all_channels_by_whoever_owns_one_waits_too(live):  # noqa: F811
    Channel.objects.filter(pk=live.vk.pk).update(owner=live.analyst)

    rule = create_stop_rule(
        company=live.company, by=live.analyst, at=NOW, name="Все", kpi="cpa", line=Decimal(9000), channel_kind="paid"
    )

    assert rule.versions.get().approved_at is None
