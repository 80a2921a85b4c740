"""The money of a span against figures computed by hand: November 2026, days 1–19 of 30; acme earns, rival is absurd."""

from datetime import date
from decimal import Decimal

import pytest

from reports.selectors.funnel import funnel
from reports.selectors.money import earnings, figures, open_books, year_before
from reports.spans import read_span

TODAY = date(2026, 11, 20)
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 19)


def books(lab, **asked):
    return open_books(company=lab.company, span=read_span(asked, TODAY))


def told(lab, **asked):
    found = books(lab, **asked)
    return earnings(found, year_before(found))


@pytest.fixture
def november(lab, acme, rival_lab):
    """VK: spend 1 000, profit 3 000 a day; the blog: spend 500, profit 400. Together (3 400 − 1 500) × 19 = 36 100."""
    lab.facts(
        acme.vk, FIRST, LAST, spend=1000, gross_profit=3000, revenue=9000, leads=10, qualified_leads=6, deals=3,
        new_customers=2, visits=400,
    )  # fmt: skip
    lab.facts(
        acme.blog, FIRST, LAST, spend=500, gross_profit=400, revenue=800, leads=2, qualified_leads=1, deals=1,
        new_customers=0, visits=100,
    )  # fmt: skip
    return lab


def test_earned_is_gross_profit_minus_spend_and_romi_a_ratio_of_sums(november):
    sentence = told(november)

    assert sentence.earned == 36_100
    assert (sentence.gross_profit, sentence.spend) == (64_600, 28_500)
    assert sentence.romi == Decimal(36_100) / Decimal(28_500)
    assert sentence.left_out == 0


def test_without_targets_there_is_no_plan_no_runway_and_no_comparison(november):
    sentence = told(november)

    assert (sentence.plan, sentence.goal, sentence.of_plan, sentence.change) == (None,) * 4
    assert sentence.runway is None


def test_plan_is_prorated_by_days_and_the_forecast_says_how_it_ends(november, acme):
    november.target("gross_profit", 120_000, acme.vk)
    november.target("gross_profit", 15_000, acme.blog)
    november.target("spend", 30_000, acme.vk)
    november.target("spend", 15_000, acme.blog)

    sentence = told(november)

    assert sentence.goal == 90_000
    assert sentence.plan == 57_000  # 90 000 × 19 / 30
    assert sentence.of_plan == Decimal(36_100) / 57_000
    assert sentence.forecast == 57_000  # 36 100 × 30 / 19
    assert (sentence.runway.fill, sentence.runway.tick, sentence.runway.forecast) == ("40.11%", "63.33%", "63.33%")


def test_a_span_that_is_over_has_no_forecast(november):
    november.facts(november.made.vk, date(2026, 10, 1), date(2026, 10, 31), spend=100, gross_profit=300)

    assert told(november, month="2026-10").forecast is None
    assert told(november, month="2026-10").earned == 6200


def test_the_year_before_is_compared_over_the_same_days(november, acme):
    november.facts(acme.vk, date(2025, 11, 1), date(2025, 11, 30), spend=1000, gross_profit=2000)

    sentence = told(november)

    assert sentence.before == 19_000
    assert sentence.change == Decimal(36_100) / 19_000 - 1


def test_half_a_year_before_is_no_comparison(november, acme):
    november.facts(acme.vk, date(2025, 11, 10), date(2025, 11, 30), spend=1000, gross_profit=2000)

    assert told(november).before is None


def test_a_load_that_restates_the_year_before_is_seen_at_once(november, acme):
    november.facts(acme.vk, date(2025, 11, 1), date(2025, 11, 30), spend=1000, gross_profit=2000)
    assert told(november).before == 19_000

    november.facts(acme.vk, date(2025, 11, 1), date(2025, 11, 30), spend=1000, gross_profit=1500)

    assert told(november).before == 9500


def test_a_channel_whose_spend_is_unknown_is_left_out_and_counted(november, acme):
    november.facts(acme.blog, date(2026, 11, 18), LAST, spend=None)

    sentence = told(november)

    assert sentence.left_out == 2
    assert sentence.earned == 36_100 + 2 * 100  # the blog loses 100 a day
    assert sentence.gross_profit - sentence.spend == sentence.earned


def test_figures_with_forecast_goal_and_state(november, acme):
    november.target("spend", 40_000)
    november.target("revenue", 400_000)
    november.target("cac", 700)

    revenue, spend, profit, cac = figures(books(november), year_before(books(november)))

    assert [revenue.code, spend.code, profit.code, cac.code] == ["revenue", "spend", "gross_profit", "cac"]
    assert (revenue.value, revenue.forecast, revenue.goal) == (186_200, 294_000, 400_000)
    assert (revenue.state, revenue.is_grave) == ("behind", True)  # 186 200 of 253 333 by now: 73 %
    assert (spend.value, spend.forecast, spend.state) == (28_500, 45_000, "over")
    assert spend.of_goal == Decimal("1.125")
    assert (profit.goal, profit.state) == (None, "")
    assert cac.value == Decimal(28_500) / 38
    assert (cac.goal, cac.forecast, cac.state, cac.is_grave) == (700, None, "above", False)


def test_sparks_are_thirteen_full_weeks(november):
    revenue = figures(books(november), year_before(books(november)))[0]

    assert len(revenue.weekly) == 13
    # 9–15.11 whole, 2–8.11 whole, 26.10–1.11 only the Sunday, nothing before
    assert revenue.weekly[-1] == 7 * 9800
    assert revenue.weekly[-3] == 9800
    assert revenue.weekly[:10] == [None] * 10


def test_unknown_figures_are_left_out(lab, acme):
    lab.facts(acme.vk, FIRST, LAST, spend=1000)

    found = books(lab)
    assert [figure.code for figure in figures(found, year_before(found))] == ["spend"]
    assert told(lab).earned is None


def test_funnel_counts_converts_and_knows_no_norm_yet(november):
    found = funnel(books(november))

    assert [(stage.metric, stage.value) for stage in found.stages] == [
        ("visits", 9500), ("leads", 228), ("qualified_leads", 133), ("deals", 76),
    ]  # fmt: skip
    assert [stage.conversion for stage in found.stages] == [
        None, Decimal(228) / 9500, Decimal(133) / 228, Decimal(76) / 133,
    ]  # fmt: skip
    assert [stage.share for stage in found.stages] == [None, 1, Decimal(133) / 228, Decimal(76) / 228]
    assert found.base in {"Leads", "Лиды"}
    assert not found.has_norm
    assert (found.revenue, found.deals) == (186_200, 76)
    assert found.aov == Decimal(186_200) / 76


def test_norm_is_that_of_the_twelve_months_before(november, acme):
    november.facts(acme.vk, date(2025, 11, 5), date(2026, 10, 31), visits=100, leads=10, qualified_leads=4, deals=1)

    found = funnel(books(november))

    assert [stage.norm for stage in found.stages] == [None, Decimal("0.1"), Decimal("0.4"), Decimal("0.25")]


def test_norm_needs_facts_that_reach_back_a_year(november, acme):
    november.facts(acme.vk, date(2026, 3, 1), date(2026, 10, 31), visits=100, leads=10)

    assert not funnel(books(november)).has_norm


def test_a_funnel_of_one_known_stage_is_none(lab, acme):
    lab.facts(acme.vk, FIRST, LAST, leads=5)

    assert funnel(books(lab)) is None


def test_reading_the_books_costs_the_same_for_many_channels(november, django_assert_num_queries):
    from roles.models import Channel

    with django_assert_num_queries(6):
        books(november)
    Channel.objects.bulk_create(
        Channel(company=november.company, code=f"c{n}", name=f"c{n}", kind="paid", status="planned") for n in range(30)
    )
    for channel in Channel.objects.filter(company=november.company, code__startswith="c"):
        november.facts(channel, LAST, LAST, spend=1, gross_profit=1)
    with django_assert_num_queries(6):
        books(november)
