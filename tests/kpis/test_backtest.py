"""The back-test against live evaluation on random histories, and its sums against a plain loop."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kpis.backtest import OPEN, REACTION_LAG, add_up, find_firings
from kpis.charts import Span, firing_plot
from kpis.day_classes import Figures, Rule, Window
from kpis.engine import run
from kpis.evaluation import evaluate_company
from kpis.models import Breach, DailyFact, KpiVersion, Source, StopRuleVersion
from kpis.selectors.backtest import Draft, backtest
from kpis.selectors.backtest_page import lines_around, round_between
from kpis.selectors.measures import metrics_of
from kpis.services.kpis import install_builtin_kpis
from kpis.services.stop_rules import create_stop_rule
from roles.models import Company

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
FIRST = NOW.date() - timedelta(days=60)

figure = st.one_of(st.none(), st.just(0), st.integers(0, 9000))
leads = st.one_of(st.none(), st.integers(0, 9))
history = st.lists(st.tuples(figure, leads), min_size=12, max_size=26)
windows = st.sampled_from(
    [
        {"window": "in_a_row", "n": 2},
        {"window": "in_a_row", "n": 3, "no_data": "breach"},
        {"window": "m_of_n", "n": 4, "m": 2, "no_data": "ok"},
        {"window": "pooled", "n": 3},
        {"window": "since_conversion", "k": Decimal(2), "no_data": "no_data"},
        {"window": "in_a_row", "n": 2, "confirm_pooled_7d": True, "clear_days": 1},
    ]
)


@pytest.fixture
def world(acme):
    install_builtin_kpis(company=acme.company, at=NOW)
    acme.ads = Source.objects.create(company=acme.company, code="ads", name="Ads", kind="file")
    return acme


def live(made, rule, days: list) -> set:
    """Firings as the daily evaluation leaves them, each day seen when it is a day old."""
    for offset, (spend, qualified) in enumerate(days):
        day = FIRST + timedelta(days=offset)
        DailyFact.objects.create(
            company=made.company, day=day, channel=made.vk, source=made.ads, campaign_id=0, spend=spend,
            qualified_leads=qualified, load_id=1,
        )  # fmt: skip
        evaluate_company(
            company=made.company,
            at=datetime.combine(day + timedelta(days=1), time(6), UTC),
            today=day + timedelta(days=1),
        )
    return set(Breach.objects.filter(rule=rule).values_list("opened_on", "closed_on", "closed_as"))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=history, terms=windows)
def test_live_evaluation_and_the_trial_fire_on_the_same_days(world, days, terms):
    company = Company.objects.get(pk=world.company.pk)
    Breach.objects.all().delete()
    DailyFact.objects.all().delete()
    StopRuleVersion.objects.update(active=False)
    begun = datetime.combine(FIRST, time(5), UTC)
    rule = create_stop_rule(
        company=company, by=world.cmo, at=begun, name="r", kpi="cpa", line=Decimal(1000), channel=world.vk, **terms
    )
    seen = live(world, rule, days)

    version = StopRuleVersion.objects.select_related("kpi", "channel").get(rule=rule)
    draft = Draft(version, KpiVersion.objects.get(company=company, kpi=version.kpi), metrics_of(company=company))
    last = FIRST + timedelta(days=len(days) - 1)
    done = backtest(company=company, draft=draft, today=last + timedelta(days=1), since=FIRST, until=last)

    tried = {(one.opened_on, one.closed_on, one.closed_as) for one in done.draft.firings}
    assert tried == seen


def by_a_loop(pairs, line: Fraction, opened: int, closed: int | None, last: int) -> tuple:
    """Spend, forgone, positive and negative parts of the avoidable days, as domain.md says it."""
    spend = forgone = 0
    saved = lost = Fraction(0)
    for day in range(opened + 1 + REACTION_LAG, (last if closed is None else closed) + 1):
        top, bottom = pairs[day]
        if top is None or bottom is None:
            continue
        spend, forgone, part = spend + top, forgone + bottom, top - line * bottom
        saved, lost = saved + max(part, 0), lost + max(-part, 0)
    return spend, forgone, saved, lost


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.lists(st.tuples(figure, leads), min_size=20, max_size=20), min_size=1, max_size=4),
    lines=st.lists(st.fractions(100, 3000, max_denominator=7), min_size=4, max_size=4),
    first=st.integers(0, 10), last=st.integers(11, 19), huge=st.booleans(),
)  # fmt: skip
def test_sums_are_those_of_a_plain_loop(rows, lines, first, last, huge):
    scale = 10**14 if huge else 1
    rows = [[(None if top is None else top * scale, bottom) for top, bottom in row] for row in rows]
    lines = [line * scale for line in lines[: len(rows)]]
    known = np.array([[top is not None and bottom is not None for top, bottom in row] for row in rows])
    kind = object if huge else np.int64
    tops, bottoms = (
        np.array([[pair[side] or 0 for pair in row] for row in rows], dtype)
        for side, dtype in ((0, kind), (1, np.int64))
    )
    figures = Figures(tops, bottoms, known, np.zeros(len(rows), int))
    rules = [Rule(line=line, n=2, settling_days=0, window=Window.IN_A_ROW) for line in lines]
    outcome = run(figures, rules)

    found = find_firings(figures, rules, outcome, first, last)

    expected = [one for one in outcome.episodes if first <= one.opened <= last]
    assert len(found) == len(expected)
    for number, one in enumerate(expected):
        closed = one.closed if one.closed is not None and one.closed <= last else None
        line = lines[one.series]
        spend, forgone, saved, lost = by_a_loop(rows[one.series], line, one.opened, closed, last)
        assert (int(found.spend[number]), int(found.forgone[number])) == (spend, forgone)
        assert int(found.over_spend[number]) - line * int(found.over_forgone[number]) == saved
        assert int(found.closed[number]) == (OPEN if closed is None else closed)
        assert bool(found.false_alarm[number]) == (found.days[number] > 0 and saved <= lost)
    sums = add_up(found)
    assert sums.net(Fraction(7)) == sums.spend - 7 * sums.forgone
    assert sums.saved(lines[0]) - sums.lost(lines[0]) == sums.net(lines[0])
    assert len(found.of(0, len(rows))) == len(found)
    assert len(found.of(1, 1)) == 0


@pytest.mark.parametrize(
    ("line", "comparison", "window", "expected"),
    [
        ("3500", "above", "in_a_row", "3000 3250 3500 3750 4000 4250 4500 4750"),
        ("1000", "above", "in_a_row", "800 900 1000 1100 1200 1300 1400"),
        ("0.008", "above", "event", "0.007 0.008 0.009 0.01 0.011"),
        ("2.5", "below", "in_a_row", "1.8 2 2.2 2.4 2.5 2.6 2.8 3"),
        ("-0.5", "below", "in_a_row", "-0.7 -0.65 -0.6 -0.55 -0.5 -0.45 -0.4"),
        ("0", "below", "in_a_row", ""),
        ("1.15", "above", "budget", "1 1.05 1.1 1.15 1.2 1.3 1.5"),
    ],
)
def test_lines_around(line, comparison, window, expected):
    version = StopRuleVersion(line=Decimal(line), comparison=comparison, window=window)

    found = [f"{one.normalize():f}" for one in lines_around(Draft(version, KpiVersion(), {}))]

    assert found == expected.split()
    assert len(found) <= 9
    assert not found or f"{version.line.normalize():f}" in found


def test_a_round_line_lies_between():
    assert round_between(Decimal(3770), Decimal(4350)) == 4000
    assert round_between(Decimal("0.0065"), Decimal("0.0075")) == Decimal("0.007")
    for low in (7, 130, 3900, 123_456):
        assert low <= round_between(Decimal(low), Decimal(low) * Decimal("1.15")) <= Decimal(low) * Decimal("1.15")


def test_a_picture_numbers_firings_and_tints_what_was_no_false_alarm():
    days = [FIRST + timedelta(days=number) for number in range(10)]
    values = [Decimal(number) for number in range(10)]
    spans = [
        Span(1, days[0] - timedelta(days=2), days[1], days[3]),
        Span(2, days[5], days[6], days[7], false_alarm=True),
        Span(3, days[8], days[9], days[9] + timedelta(days=5)),
    ]

    plot = firing_plot(days, values, "money", "t", "d", Decimal(5), spans)

    assert [(band.x, band.width) for band in plot.bands] == [("0%", "40%"), ("80%", "20%")]
    assert [(mark.number, mark.x) for mark in plot.fired] == [(1, "15%"), (3, "95%")]
    assert [(mark.number, mark.x, mark.y) for mark in plot.false_alarms] == [(2, "65%", "40%")]
