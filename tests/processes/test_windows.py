"""Mailings and budgets from facts to the decision, the shadow week, and the series that waits for its rewrite."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
import time_machine
from django.urls import reverse

from kpis.evaluation import evaluate_company
from kpis.models import Breach, DailyFact, EvaluationLog, RuleState, Source
from kpis.services.kpis import install_builtin_kpis
from kpis.services.stop_rules import create_stop_rule, revise_stop_rule
from processes import services, wording
from processes.mailings import SeriesWaits
from processes.models import Action
from roles.models import Campaign, Channel
from roles.services.campaigns import create_campaign, update_campaign

from .conftest import NOW, TODAY, sign

SENT = date(2026, 11, 17)


@pytest.fixture
def post(acme):
    """acme with an e-mail channel, its letters «Новости» and the rule of the article."""
    acme.company.language = "ru"
    install_builtin_kpis(company=acme.company, at=NOW)
    acme.mail = Channel.objects.create(
        company=acme.company, code="mail", name="Рассылки", kind="crm", status="active", owner=acme.content
    )
    acme.source = Source.objects.create(company=acme.company, code="esp", name="Сендер", kind="file")
    acme.rule = create_stop_rule(
        company=acme.company, by=acme.cmo, at=NOW, name="Отписки", kpi="unsubscribe_rate", line=Decimal("0.008"),
        window="event", channel=acme.mail, action="rewrite",
    )  # fmt: skip
    return acme


def mailing(made, name="Ноябрь", series="Новости", status="active") -> Campaign:
    return create_campaign(
        company=made.company,
        by=made.cmo,
        at=NOW,
        channel=made.mail,
        external_id=name,
        name=name,
        series=series,
        status=status,
    )


def fact(made, day, campaign=None, channel=None, **metrics) -> None:
    DailyFact.objects.create(
        company=made.company, day=day, channel=channel or made.mail, campaign_id=campaign.pk if campaign else 0,
        source=made.source, load_id=0, **metrics,
    )  # fmt: skip


def evaluate(made, today=TODAY):
    at = datetime.combine(today, NOW.timetz())
    done = evaluate_company(company=made.company, at=at, today=today)
    return SimpleNamespace(done=done, decisions=services.open_decisions(company=made.company, at=at))


def test_a_rule_about_mailings_is_filled_in_as_the_article_says(post):
    version = post.rule.versions.get()

    assert (version.per, version.minimum_sample, version.settling_days) == ("campaign", 500, 2)
    assert (version.n, version.zero_line, version.confirm_pooled_7d) == (None, None, False)


def test_a_mailing_that_people_leave_opens_one_decision_to_rewrite(post):
    earlier, letter = mailing(post, "Октябрь"), mailing(post)
    fact(post, SENT - timedelta(days=30), earlier, sends=3000, delivered=2900, unsubscribes=9)
    fact(post, SENT, letter, sends=3000, delivered=2900, unsubscribes=20)
    fact(post, SENT + timedelta(days=1), letter, unsubscribes=9)
    fact(post, SENT + timedelta(days=3), letter, unsubscribes=500)

    before, after = evaluate(post, SENT + timedelta(days=1)), evaluate(post, SENT + timedelta(days=2))

    assert before.decisions == []
    [decision] = after.decisions
    assert (decision.campaign, decision.recommendation) == (letter, "rewrite")
    [shown] = [row for row in decision.evidence["days"] if row["breaching"]]
    assert (shown["numerator"], shown["denominator"], shown["date"]) == ("29", "2900", "2026-11-17")
    assert [row["date"] for row in decision.evidence["days"]] == ["2026-10-18", "2026-11-17"]
    assert [row["value"] is None for row in decision.evidence["series"]] == [False, False]
    assert wording.headline(decision.evidence, "RUB").replace("\xa0", " ") == "Доля отписок рассылки выше 0,8 %, 17.11"
    assert evaluate(post, SENT + timedelta(days=9)).decisions == []


@pytest.mark.parametrize("series", ["", "Новости"])
def test_only_letters_of_a_series_are_judged(post, series):
    letter = mailing(post, series=series)
    fact(post, SENT, letter, sends=600, delivered=600, unsubscribes=60)

    assert len(evaluate(post).decisions) == bool(series)


def test_the_next_mailing_waits_until_another_person_accepts_the_rewrite(post):
    letter, following, foreign = (
        mailing(post),
        mailing(post, "Декабрь", status="planned"),
        mailing(post, "VIP", "Клуб", "planned"),
    )
    fact(post, SENT, letter, sends=600, delivered=600, unsubscribes=60)
    [decision] = evaluate(post).decisions
    sign(post, choice="rewrite", decision=decision)
    common = {"company": post.company, "by": post.pm, "at": NOW}
    action = Action.objects.get(kind="rewrite")

    with pytest.raises(SeriesWaits) as waits:
        update_campaign(**common, campaign=following, status="active")
    update_campaign(**common, campaign=foreign, status="active")
    services.close_action(company=post.company, by=post.content, at=NOW, action=action)
    with pytest.raises(SeriesWaits):
        create_campaign(**common, channel=post.mail, external_id="x", name="Ещё", series="Новости", status="testing")
    with pytest.raises(services.MayNotAccept):
        services.accept_rewrite(company=post.company, by=post.content, at=NOW, action=action)
    services.accept_rewrite(company=post.company, by=post.owner, at=NOW, action=action)
    done = update_campaign(**common, campaign=following, status="active")

    assert "Новости" in str(waits.value)
    assert done.status == "active"
    assert evaluate(post).decisions == []


def test_no_mailing_leaves_its_series_to_get_round_the_rewrite(post):
    letter, following = mailing(post), mailing(post, "Декабрь", status="planned")
    fact(post, SENT, letter, sends=600, delivered=600, unsubscribes=60)
    [decision] = evaluate(post).decisions
    common = {"company": post.company, "by": post.pm, "at": NOW}
    update_campaign(**common, campaign=following, series="Зима")
    update_campaign(**common, campaign=following, series="Новости")
    sign(post, choice="rewrite", decision=decision)

    for campaign in (letter, following):
        for series in ("", "Зима"):
            with pytest.raises(SeriesWaits, match="не уходит"):
                update_campaign(**common, campaign=campaign, series=series)
    update_campaign(**common, campaign=following, series="Новости", name="Январь")
    action = Action.objects.get(kind="rewrite")
    services.close_action(company=post.company, by=post.content, at=NOW, action=action)
    services.accept_rewrite(company=post.company, by=post.owner, at=NOW, action=action)
    assert update_campaign(**common, campaign=following, series="", status="active").status == "active"


def test_the_mailing_of_another_channel_or_company_waits_for_nobody(post, rival):
    letter = mailing(post)
    fact(post, SENT, letter, sends=600, delivered=600, unsubscribes=60)
    [decision] = evaluate(post).decisions
    sign(post, choice="rewrite", decision=decision)

    there = create_campaign(
        company=rival.company,
        by=rival.cmo,
        at=NOW,
        channel=rival.blog,
        external_id="x",
        name="x",
        series="Новости",
        status="active",
    )
    here = create_campaign(
        company=post.company,
        by=post.cmo,
        at=NOW,
        channel=post.blog,
        external_id="x",
        name="x",
        series="Новости",
        status="active",
    )

    assert {there.status, here.status} == {"active"}


# ---------------------------------------------------------------- budgets
def budget_rule(made, **terms):
    return create_stop_rule(
        company=made.company, by=made.cmo, at=NOW, name="Бюджет", window="budget", channel=made.vk, **terms
    )


def test_a_budget_rule_watches_spend_whatever_kpi_is_named(post):
    first, second = budget_rule(post).versions.get(), budget_rule(post, kpi="cpa", line=Decimal("1.25")).versions.get()

    assert (first.kpi.code, first.line, first.period, first.minimum_sample) == ("spending", Decimal("1.1"), "month", 0)
    assert (second.kpi_id, second.line) == (first.kpi_id, Decimal("1.25"))


def test_a_spent_budget_opens_a_decision_with_the_money_over_it(post):
    Channel.objects.filter(pk=post.vk.pk).update(monthly_budget=100_000)
    budget_rule(post, action="cut")
    for day in range(1, 20):
        fact(post, date(2026, 11, day), channel=post.vk, spend=6_500)

    [decision] = evaluate(post).decisions

    # 17 × 6 500 = 110 500 > 110 000 on the 17th; by the 19th 123 500
    assert decision.breach.first_day == date(2026, 11, 17)
    evidence = decision.evidence
    assert (evidence["burned"], evidence["line"], evidence["kpi"]["unit"]) == ("13500", "1.1", "share")
    assert [row["over"] for row in evidence["days"] if row["breaching"]] == ["500", "6500", "6500"]
    assert evidence["sums"]["numerator"] == "19500"
    assert wording.headline(evidence, "RUB").replace("\xa0", " ") == (
        "Если расход месяца выше бюджета больше чем на 10 % или убыток больше стоп-лосса, то предложить урезать бюджет"
    )


def test_the_tolerance_of_the_channel_comes_first(post):
    Channel.objects.filter(pk=post.vk.pk).update(monthly_budget=100_000, tolerance=Decimal("0.3"))
    budget_rule(post)
    for day in range(1, 20):
        fact(post, date(2026, 11, day), channel=post.vk, spend=6_500)

    assert evaluate(post).decisions == []


def test_a_campaign_that_lost_more_than_its_stop_loss_stops(post):
    campaign = Campaign.objects.create(
        company=post.company, channel=post.vk, external_id="t", name="Тест", status="testing", stop_loss=20_000
    )
    create_stop_rule(
        company=post.company,
        by=post.cmo,
        at=NOW,
        name="Стоп-лосс",
        window="budget",
        period="test",
        per="campaign",
        channel=post.vk,
    )
    for day, profit in ((14, 2_000), (15, None), (16, 1_000), (17, 0), (18, 0)):
        fact(post, date(2026, 11, day), campaign, post.vk, spend=8_000, gross_profit=profit)

    [decision] = evaluate(post).decisions

    # 6 000 + 7 000 + 8 000 by the 17th, the 15th being unknown; the 18th adds 8 000
    assert (decision.campaign, decision.breach.first_day) == (campaign, date(2026, 11, 17))
    assert decision.evidence["burned"] == "9000"


# ---------------------------------------------------------------- the shadow week
def test_a_rule_in_its_shadow_reports_and_asks_nothing(post):
    Channel.objects.filter(pk=post.vk.pk).update(monthly_budget=10_000)
    rule = budget_rule(post, shadow_until=TODAY + timedelta(days=6))
    fact(post, date(2026, 11, 19), channel=post.vk, spend=20_000)

    shadow = evaluate(post)
    light = evaluate(post, TODAY + timedelta(days=7))

    assert shadow.decisions == []
    assert Breach.objects.filter(rule=rule, closed_on=None).exists()
    assert [decision.breach.rule for decision in light.decisions] == [rule]


def test_whoever_ends_the_shadow_early_gets_the_question(post):
    Channel.objects.filter(pk=post.vk.pk).update(monthly_budget=10_000)
    rule = budget_rule(post, shadow_until=TODAY + timedelta(days=6))
    fact(post, date(2026, 11, 19), channel=post.vk, spend=20_000)
    evaluate(post)

    with time_machine.travel(NOW):
        revise_stop_rule(company=post.company, by=post.cmo, at=NOW, rule=rule, shadow_until=None, reason="Верим")

    assert len(evaluate(post).decisions) == 1


def test_the_log_of_a_mailing_has_its_one_day(post, sign_in):
    letter = mailing(post)
    fact(post, SENT, letter, sends=3000, delivered=2900, unsubscribes=29)
    evaluate(post)

    [line] = EvaluationLog.objects.filter(company=post.company)
    state = RuleState.objects.get(company=post.company)
    page = sign_in(post.cmo).get(reverse("kpis:stop-rule-detail", args=[post.company.slug, post.rule.pk]))

    assert (line.day, line.day_class, line.denominator) == (SENT, "breach", 2900)
    assert (state.last_day, state.last_value) == (SENT, Decimal("0.01"))
    assert page.status_code == 200
    assert "Если доля отписок выше" in page.content.decode()
