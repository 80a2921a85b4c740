"""Decisions and the state machine together: facts, evaluation, decision, signature, evaluation again."""

from datetime import UTC, date, datetime, timedelta

import pytest

from kpis.evaluation import evaluate_company
from kpis.models import Breach, DailyFact, RuleState, Source, StopRuleVersion, Verdict
from kpis.replay import replay
from processes import services
from processes.models import Action, Decision
from roles.models import Campaign, Channel

from .conftest import add_rule, sign

FIRST = date(2026, 11, 2)


@pytest.fixture
def live(acme):
    """A rule in force on a channel that has been fine for a fortnight."""
    acme.version = add_rule(acme)
    StopRuleVersion.objects.filter(pk=acme.version.pk).update(approved_at=datetime(2026, 1, 1, tzinfo=UTC))
    acme.source = Source.objects.create(company=acme.company, code="crm", name="CRM", kind="file")
    load(acme, 0, 14, cpa=2900)
    return acme


def load(made, first, count, cpa, leads=8, campaign=0):
    for offset in range(first, first + count):
        DailyFact.objects.create(
            company=made.company, day=FIRST + timedelta(days=offset), channel=made.vk, campaign_id=campaign, source=made.source,
            load_id=0, spend=cpa * leads, qualified_leads=leads,
        )  # fmt: skip


def morning(made, offset):
    """What the daily run does at six: evaluate, then open decisions. Twice, because twice must change nothing."""
    at = datetime.combine(FIRST + timedelta(days=offset), datetime.min.time(), tzinfo=UTC) + timedelta(hours=3)
    for _time in range(2):
        evaluate_company(company=made.company, at=at, today=made.company.local_date(at))
        services.open_decisions(company=made.company, at=at)
    return at


def rounds():
    return list(Decision.objects.order_by("opened_at", "pk").values_list("round", "state"))


def test_the_road_from_facts_to_a_stopped_channel(live):
    morning(live, 14)
    assert rounds() == []

    load(live, 14, 3, cpa=4900)
    morning(live, 16)
    assert rounds() == []
    at = morning(live, 17)
    assert rounds() == [(1, "open")]
    decision = Decision.objects.get()
    assert decision.evidence["burned"] == str(1400 * 8 * 3)
    assert decision.evidence["breaching_days"] == ["2026-11-16", "2026-11-17", "2026-11-18"]

    sign(live, decision=decision, at=at + timedelta(hours=2))
    assert Channel.objects.get(pk=live.vk.pk).status == "stopped"
    load(live, 17, 3, cpa=4900)
    morning(live, 20)
    assert rounds() == [(1, "signed")]
    assert Breach.objects.get().closed_as == "signed"
    assert Action.objects.get().owner == live.performance


def test_an_override_that_ends_while_it_burns_opens_the_next_round(live):
    load(live, 14, 3, cpa=4900)
    at = morning(live, 17)
    sign(live, decision=Decision.objects.get(), at=at, choice="continue", until=FIRST + timedelta(days=20))

    load(live, 17, 7, cpa=5100)
    for offset in range(18, 22):
        morning(live, offset)
    assert rounds() == [(1, "signed")]
    for offset in range(22, 26):
        morning(live, offset)
    assert rounds() == [(1, "signed"), (2, "open")]
    first, second = Decision.objects.order_by("round")
    assert first.breach_id == second.breach_id


def test_refined_figures_let_the_question_be_withdrawn(live):
    load(live, 14, 3, cpa=4900)
    morning(live, 17)
    DailyFact.objects.filter(day=FIRST + timedelta(days=15)).update(qualified_leads=20)
    at = morning(live, 17)

    decision = Decision.objects.get()
    assert decision.breach.closed_on is not None
    withdrawn = services.withdraw_decision(
        company=live.company, decision=decision, by=live.analyst, at=at, reason="Дозагрузили заявки"
    )
    assert withdrawn.state == "withdrawn"
    morning(live, 18)
    assert rounds() == [(1, "withdrawn")]


def test_a_rewrite_rests_until_it_is_accepted(live):
    load(live, 14, 3, cpa=4900)
    at = morning(live, 17)
    sign(live, decision=Decision.objects.get(), at=at, choice="rewrite", due=FIRST + timedelta(days=20))
    load(live, 17, 4, cpa=5100)
    morning(live, 21)
    assert rounds() == [(1, "signed")]

    action = Action.objects.get()
    done = datetime(2026, 11, 23, 9, tzinfo=UTC)
    services.close_action(company=live.company, by=live.content, at=done, action=action)
    services.accept_rewrite(company=live.company, by=live.cmo, at=done, action=action)
    load(live, 21, 7, cpa=5100)
    for offset in range(22, 29):
        morning(live, offset)
    assert rounds() == [(1, "signed"), (1, "open")]
    assert Breach.objects.count() == 2


def test_campaigns_kept_by_a_stop_of_their_channel_are_judged_on(live):
    kept, stopped = (
        Campaign.objects.create(company=live.company, channel=live.vk, external_id=name, name=name) for name in "ab"
    )
    by_campaign = add_rule(live, number=2)
    StopRuleVersion.objects.filter(pk=by_campaign.pk).update(
        per="campaign", approved_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    load(live, 14, 3, cpa=4900)
    at = morning(live, 17)
    [channel_wide] = Decision.objects.filter(campaign=None)
    sign(live, decision=channel_wide, at=at, keep=[kept.pk])

    load(live, 17, 1, cpa=4900, campaign=kept.pk)
    load(live, 18, 4, cpa=4900, campaign=kept.pk)
    for offset in range(18, 22):
        morning(live, offset)

    assert list(Decision.objects.exclude(pk=channel_wide.pk).values_list("campaign", "state")) == [(kept.pk, "open")]
    assert RuleState.objects.get(version=by_campaign, campaign=kept).state == "firing"
    assert not RuleState.objects.filter(version=by_campaign, campaign=stopped).exists()
    assert not Verdict.objects.filter(kind="resume").exists()
    by_campaign.refresh_from_db()
    again = replay(company=live.company, versions=[by_campaign], today=FIRST + timedelta(days=21))
    assert [one.campaign for one in again.series] == [kept]

    Campaign.objects.filter(pk=stopped.pk).update(status="active")
    load(live, 19, 2, cpa=4900, campaign=stopped.pk)
    morning(live, 21)
    assert Verdict.objects.get(kind="resume").campaign == stopped


def test_nobody_has_said_what_runs_in_a_channel_that_was_stopped_by_hand(live):
    campaign = Campaign.objects.create(company=live.company, channel=live.vk, external_id="a", name="a")
    StopRuleVersion.objects.filter(pk=live.version.pk).update(per="campaign")
    load(live, 14, 3, cpa=4900, campaign=campaign.pk)
    Channel.objects.filter(pk=live.vk.pk).update(status="stopped")
    morning(live, 17)

    assert rounds() == []
