"""Late data under every window: a signed decision whose rule would no longer fire by the figures of now gets a review."""

from datetime import date
from decimal import Decimal

import pytest

from kpis.models import DailyFact, Kpi, KpiVersion, StopRuleVersion
from kpis.services.stop_rules import create_stop_rule
from processes import ledger, reviews, selectors
from processes.models import Decision, Review
from processes.reviews import close_review
from roles.models import Campaign, Channel

from .conftest import NOW, sign
from .road import BAD, GOOD, Road
from .test_windows import SENT, evaluate, fact, mailing, post  # noqa: F401


@pytest.fixture
def road(acme):
    return Road(acme)


def under(road, **terms) -> None:
    StopRuleVersion.objects.filter(pk=road.version.pk).update(**terms)


def changed(road) -> list[Review]:
    return list(Review.objects.filter(company=road.company, kind="data_changed").order_by("pk"))


def test_a_pooled_window_rests_on_all_its_days(road):
    under(road, window="pooled", n=7, max_span=None)
    for offset in range(14):
        road.load(offset, GOOD)
    for offset in range(14, 18):
        road.load(offset, 4300)
    road.run(18)
    decision = road.sign(18, "stop")
    seen = decision.kept_evidence
    assert (seen["rests_from"], seen["first_day"]) == (road.day(11).isoformat(), road.day(17).isoformat())
    road.run(18, 13)
    assert changed(road) == []

    road.load(12, GOOD, leads=40)  # a day of the window that was no breach itself
    road.run(19)

    (review,) = changed(road)
    assert review.fact["days"][0]["date"] == road.day(11).isoformat()
    assert (review.fact["fires"], review.fact["proposed"]) == (False, "no")


def test_the_time_since_a_conversion_rests_on_every_day_of_it(road):
    under(road, window="since_conversion", k=3, zero_line=None, n=None, max_span=None)
    for offset in range(10):
        road.load(offset, GOOD)
    for offset in range(10, 15):
        road.load(offset, 400, leads=0)  # 3 200 a day: 10 500 is gone on the fourth
    road.run(15)
    decision = road.sign(15, "stop")
    assert decision.kept_evidence["rests_from"] == road.day(10).isoformat()
    road.load(11, 400, leads=1)
    road.run(16)

    (review,) = changed(road)
    assert review.fact["fires"] is False
    close_review(company=road.company, review=review, by=road.made.owner, at=road.at(16), verdict="no", note="Лид был")
    road.run(17)
    assert len(changed(road)) == 1


def test_m_of_n_that_is_fewer_now(road):
    under(road, window="m_of_n", n=5, m=3, max_span=None)
    for offset in range(14):
        road.load(offset, GOOD)
    for offset, cpa in enumerate((3600, GOOD, 3600, 3600), start=14):
        road.load(offset, cpa)
    road.run(18)
    road.sign(18, "stop")
    road.load(16, 3450)  # four per cent, and below the line
    road.run(19)

    (review,) = changed(road)
    assert review.fact["fires"] is False


def test_spend_taken_back_from_a_budget_that_was_overdrawn_by_little(post):  # noqa: F811
    Channel.objects.filter(pk=post.vk.pk).update(monthly_budget=Decimal(100_000))
    create_stop_rule(
        company=post.company, by=post.cmo, at=NOW, name="Бюджет", window="budget", channel=post.vk, action="cut"
    )
    for day in range(1, 20):
        fact(post, date(2026, 11, day), channel=post.vk, spend=5_900)
    [decision] = evaluate(post).decisions
    sign(post, choice="cut", decision=decision, budget=Decimal(50_000))
    assert reviews.open_changed(company=post.company, at=NOW) == []

    DailyFact.objects.filter(day=date(2026, 11, 3)).update(spend=3_700)  # 112 100 → 109 900, ten per cent are borne
    [review] = reviews.open_changed(company=post.company, at=NOW)
    assert review.fact["fires"] is False


def test_profit_that_came_late_to_a_campaign_stopped_for_its_losses(post):  # noqa: F811
    campaign = Campaign.objects.create(
        company=post.company, channel=post.vk, external_id="a", name="a", stop_loss=Decimal(10_000)
    )
    create_stop_rule(
        company=post.company, by=post.cmo, at=NOW, name="Потери", window="budget", period="test", per="campaign",
        channel=post.vk, action="stop",
    )  # fmt: skip
    for day in range(10, 20):
        fact(post, date(2026, 11, day), campaign, channel=post.vk, spend=2_000, gross_profit=500)
    [decision] = evaluate(post).decisions
    sign(post, choice="stop", decision=decision)
    assert reviews.open_changed(company=post.company, at=NOW) == []

    DailyFact.objects.filter(day=date(2026, 11, 12)).update(gross_profit=9_000)
    [review] = reviews.open_changed(company=post.company, at=NOW)
    assert (review.fact["fires"], review.fact["proposed"]) == (False, "no")


def test_a_mailing_whose_deliveries_came_late(post):  # noqa: F811
    letter = mailing(post)
    fact(post, SENT, letter, sends=600, delivered=600, unsubscribes=5)
    [decision] = evaluate(post).decisions
    sign(post, choice="rewrite", decision=decision)
    DailyFact.objects.filter(day=SENT).update(delivered=640)  # 0.83 % → 0.78 %

    [review] = reviews.open_changed(company=post.company, at=NOW)
    assert review.fact["fires"] is False


def test_an_account_keeps_to_the_formula_that_was_signed(road):
    road.burn()
    road.sign(17, "stop")
    for offset in (17, 18, 19):
        road.load(offset, BAD)
    before = _net(road)
    kpi = Kpi.objects.get(company=road.company, code="cpa")
    old = KpiVersion.objects.get(kpi=kpi)
    KpiVersion.objects.filter(pk=old.pk).update(superseded_at=road.at(19))
    KpiVersion.objects.create(
        company=road.company, kpi=kpi, number=2, name_ru="CPA", formula="2 * spend / qualified_leads", better="lower",
        unit="money", valid_from=date(2026, 1, 1), reason="other", created_at=road.at(19),
    )  # fmt: skip

    assert _net(road) == before
    evidence = Decision.objects.get(company=road.company).evidence
    for place in (evidence, evidence["at_signature"]):
        del place["kpi"]["formula"]  # as decisions were kept before
    row = selectors.get_decision(company=road.company, pk=road.decision().pk)
    row.evidence = evidence
    (entry,) = ledger.entries(company=road.company, decisions=[row], at=road.at(20))
    assert entry.account.net == before
    assert reviews.open_changed(company=road.company, at=road.at(20)) == []


def _net(road):
    rows = list(selectors.decisions(company=road.company))
    (entry,) = ledger.entries(company=road.company, decisions=rows, at=road.at(20))
    return entry.account.net
