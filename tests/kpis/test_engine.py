"""The engine against the vectors of domain.md and against a slow scalar model on random series."""

import importlib.util
import os
from datetime import date
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpis.budgets import Allowance, budget_figures
from kpis.day_classes import Figures, NoData, Rule, Window
from kpis.engine import Mark, State, run
from kpis.series import Column, History

_spec = importlib.util.spec_from_file_location("scalar_model", Path(__file__).with_name("scalar_model.py"))
scalar_model = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(scalar_model)

M = None
VECTOR = Rule(line=Fraction(1000), n=3, max_span=7, zero_line=Fraction(3000))
DRIP = Rule(line=Fraction(1000), window=Window.SINCE_CONVERSION, k=Fraction(3))


def figures(*series, settled=1, starts=None) -> Figures:
    """Series of (numerator, denominator) pairs; `settled` days without figures follow, today being the last."""
    length = max(map(len, series)) + settled
    numerator, denominator = np.zeros((len(series), length), object), np.zeros((len(series), length), object)
    known = np.zeros((len(series), length), bool)
    for row, days in enumerate(series):
        for day, (top, bottom) in enumerate(days):
            known[row, day] = top is not None and bottom is not None
            numerator[row, day], denominator[row, day] = top or 0, bottom or 0
    return Figures(_small(numerator), _small(denominator), known, np.array(starts or [0] * len(series)))


def _small(values):
    return values.astype(np.int64) if all(abs(value) < 2**62 for value in values.flat) else values


def happened(outcome, series=0):
    """Events by day, days counted from 1 as in the vectors."""
    return [(event.day + 1, event.kind) for event in outcome.events if event.series == series]


def zeros(pair, times):
    return [pair] * times


VECTORS = {
    "V1": (VECTOR, [(6000, 5), (6600, 5), (7000, 5)], [(3, "opened")], 3),
    "V2": (VECTOR, [(6000, 5), (6600, 5), (4000, 5), (7000, 5), (7000, 5)], [], 2),
    "V3": (VECTOR, zeros((5000, 5), 3), [], 0),
    "V4": (VECTOR, [(6000, 5), (6600, 5), (0, 0), (0, 0), (7000, 5)], [(5, "opened")], 3),
    "V5": (VECTOR, [(6000, 5), (6600, 5), *zeros((0, 0), 6), (7000, 5)], [], 1),
    "V6": (VECTOR, [(6000, 5), (1500, 1), (6600, 5), (7000, 5)], [(4, "opened")], 3),
    "V7": (VECTOR, zeros((900, 0), 3), [], 0),
    "V8": (VECTOR, [(3000, 0), (3200, 0), (3100, 0)], [(3, "opened")], 3),
    "V9": (VECTOR, [(6000, 5), (6600, M), (6600, 5), (7000, 5)], [(4, "opened")], 3),
    "V10": (VECTOR, [(6000, 5), (M, M), (M, M), (M, M), (6600, 5), (7000, 5)], [(4, "data_incident")], 2),
    "V11": (VECTOR, [(3000, M), (3200, M), (3100, M)], [(3, "data_incident")], 0),
    "V12": (
        VECTOR, [(6000, 5), (6600, 5), (7000, 5), (4800, 5), (4400, 5), (4400, 5)], [(3, "opened"), (6, "recovered")], 0,
    ),
    "V17": (DRIP, zeros((900, 0), 10), [(4, "opened")], 7),
    "V18": (DRIP, [*zeros((900, 0), 2), (900, 1), *zeros((900, 0), 10)], [(7, "opened")], 7),
    "V19": (DRIP, zeros((900, M), 10), [(3, "data_incident")], 0),
}  # fmt: skip


@pytest.mark.parametrize("name", VECTORS)
def test_vector(name):
    rule, days, events, streak = VECTORS[name]

    outcome = run(figures(days), [rule])

    assert happened(outcome) == events
    assert outcome.streaks[0, -1] == streak


def test_all_vectors_at_once_are_the_same():
    names = [name for name in VECTORS if VECTORS[name][0] is VECTOR]
    longest = max(len(VECTORS[name][1]) for name in names)
    starts = [longest - len(VECTORS[name][1]) for name in names]
    series = [[(M, M)] * start + VECTORS[name][1] for name, start in zip(names, starts, strict=True)]

    outcome = run(figures(*series, starts=starts), [VECTOR] * len(names))

    for row, name in enumerate(names):
        assert happened(outcome, row) == [(day + starts[row], kind) for day, kind in VECTORS[name][2]], name


def test_v12_is_firing_until_recovered():
    outcome = run(figures(VECTORS["V12"][1]), [VECTOR])

    assert [State(state) for state in outcome.states[0]] == [
        State.PENDING, State.PENDING, State.FIRING, State.FIRING, State.FIRING, State.OK, State.OK,
    ]  # fmt: skip
    episode = outcome.episodes[0]
    assert (episode.first, episode.opened, episode.closed, episode.days) == (0, 2, 5, [0, 1, 2])


def test_a_hair_over_the_line_is_a_breach_and_the_line_itself_is_not():
    """The pair differs from the line by one part in 10¹⁹: float64 cannot tell, integers can."""
    huge = 3 * 10**19
    days = [(huge * 1000, huge), (huge * 1000 + 1, huge), (huge * 1000 - 1, huge)]

    outcome = run(figures(days), [VECTOR])

    assert list(outcome.classes[0][:3]) == [6, 5, 6]


def test_below_rule_is_mirrored():
    rule = Rule(line=Fraction(1), above=False, n=2, minimum_sample=Fraction(0))
    days = [(10, 10), (9, 10), (8, 10), (11, 10), (12, 10), (12, 10)]

    outcome = run(figures(days), [rule])

    assert happened(outcome) == [(3, "opened"), (5, "recovered")]


def test_a_line_below_zero_keeps_its_clear_line_on_the_good_side():
    rule = Rule(line=Fraction(-1, 2), above=False, n=1, minimum_sample=Fraction(0))
    days = [(-6, 10), (-5, 10), (-46, 100), (-45, 100), (-44, 100)]

    assert list(run(figures(days), [rule]).classes[0][:5]) == [5, 6, 6, 7, 7]


def test_firing_pauses_after_seven_idle_days():
    days = [(6000, 5)] * 3 + [(0, 0)] * 7 + [(6000, 5)]

    outcome = run(figures(days), [VECTOR])

    assert happened(outcome) == [(3, "opened"), (10, "paused")]
    assert outcome.streaks[0, -1] == 1


def test_a_firing_series_stays_so_when_figures_stop():
    outcome = run(figures([(6000, 5)] * 3 + [(M, M)] * 5), [VECTOR])

    assert State(outcome.states[0, -1]) is State.FIRING
    assert happened(outcome) == [(3, "opened")]


def test_one_incident_per_run_of_missing_days():
    days = [(900, 5), (M, M), (M, M), (M, M), (M, M), (900, 5), (M, M), (M, M), (M, M)]

    outcome = run(figures(days), [VECTOR])

    assert [(row.first, row.opened, row.last, row.over) for row in outcome.incidents] == [
        (1, 3, 4, True), (6, 8, 8, False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "events"),
    [
        ("hold", [(3, "data_incident")]),
        ("no_data", [(1, "data_incident")]),
        ("breach", [(3, "opened")]),
        ("ok", []),
    ],
)
def test_no_data_policies(policy, events):
    rule = Rule(line=Fraction(1000), n=3, no_data=NoData(policy))

    assert happened(run(figures([(M, M)] * 4), [rule])) == events


def test_settling_days_are_not_judged_yet():
    rule = Rule(line=Fraction(1000), n=3, settling_days=2)

    outcome = run(figures([(6000, 5)] * 3), [rule])

    assert list(outcome.classes[0]) == [5, 5, 1, 1]
    assert happened(outcome) == []


BAD = (6000, 5)


def test_stop_ends_the_episode_and_nothing_is_judged_until_it_runs_again():
    marks = [Mark(0, 3, "stop"), Mark(0, 7, "resume")]

    outcome = run(figures([BAD] * 14), [VECTOR], marks)

    states = [State(state).code for state in outcome.states[0][:13]]
    assert states == ["pending"] * 2 + ["firing"] + ["stopped"] * 4 + ["recovering"] * 2 + ["ok"] + ["pending"] * 2 + ["firing"]  # fmt: skip
    assert [(row.opened, row.closed, row.closed_as) for row in outcome.episodes] == [(2, 3, "signed"), (12, None, "")]


def test_continue_mutes_until_its_date_then_the_same_episode_fires_again():
    outcome = run(figures([BAD] * 10), [VECTOR], [Mark(0, 3, "continue", until=6)])

    states = [State(state).code for state in outcome.states[0][:10]]
    assert states == ["pending"] * 2 + ["firing"] + ["muted"] * 4 + ["firing"] * 3
    [episode] = outcome.episodes
    assert (episode.rounds, episode.muted, episode.closed) == ([2, 7], False, None)


def test_continue_ends_when_the_extra_money_is_spent():
    outcome = run(figures([BAD] * 10), [VECTOR], [Mark(0, 3, "continue", until=9, extra=24_000)])

    assert outcome.episodes[0].rounds == [2, 6]


def test_a_muted_episode_recovers_by_itself():
    days = [BAD] * 4 + [(100, 5)] * 2 + [BAD] * 4
    outcome = run(figures(days), [VECTOR], [Mark(0, 3, "continue", until=6)])

    assert happened(outcome) == [(3, "opened"), (4, "signed"), (6, "recovered"), (9, "opened")]
    assert len(outcome.episodes) == 2


def test_false_alarm_rests_three_days():
    outcome = run(figures([BAD] * 9), [VECTOR], [Mark(0, 3, "false_alarm")])

    assert outcome.episodes[0].rounds == [2, 6]


def test_pooled_window_fires_on_one_day_and_waits_for_history():
    rule = Rule(line=Fraction(1000), window=Window.POOLED, n=3, minimum_sample=Fraction(10))
    days = [(9000, 5), (9000, 5), (4000, 5), (100, 5), (100, 5), (100, 5)]

    outcome = run(figures(days), [rule])

    assert list(outcome.classes[0][:6]) == [4, 4, 5, 7, 7, 7]
    assert happened(outcome) == [(3, "opened"), (5, "recovered")]


def test_m_of_n_survives_a_good_day():
    rule = Rule(line=Fraction(1000), window=Window.M_OF_N, n=5, m=3)

    assert happened(run(figures([BAD, BAD, (100, 5), (0, 0), BAD]), [rule])) == [(5, "opened")]
    assert happened(run(figures([BAD, BAD, *[(100, 5)] * 3, BAD]), [rule])) == []


def test_confirmation_waits_for_the_week():
    rule = Rule(line=Fraction(1000), n=2, confirm_pooled_7d=True)
    days = [(100, 50)] + [(6000, 5)] * 12

    day = happened(run(figures(days), [rule]))[0]

    assert day == (8, "opened")


# ---------------------------------------------------------------- mailings and budgets
MAILING = Rule(line=Fraction(8, 1000), window=Window.EVENT, n=1, minimum_sample=Fraction(500), settling_days=2)
JANUARY_20 = date(2026, 1, 20)
"""Twelve days of January, then February."""


def sent(days, metrics=("sends", "unsubscribes", "delivered")) -> History:
    """A mailing's days as a history of one scope."""
    columns = {}
    for place, code in enumerate(metrics):
        cells = [day[place] for day in days]
        columns[code] = Column(
            _small(np.array([[cell or 0 for cell in cells]], object)), np.array([[cell is not None for cell in cells]])
        )
    return History(
        JANUARY_20, date.fromordinal(JANUARY_20.toordinal() + len(days) - 1), {(1, 7): 0}, np.zeros(1, int), columns
    )


@pytest.mark.parametrize(
    ("days", "pair"),
    [
        ([(1000, 4, 980), (0, 3, 10), (0, 1, 0), (0, 9, 0), (0, 0, 0)], (8, 990)),  # the fourth day is not counted
        ([(0, 0, 0), (M, M, M), (1000, 4, 980), (M, 3, M), (M, M, M)], (7, 980)),  # known day by day, metric by metric
        ([(1000, 4, 980), (500, 2, 480)], (6, 1460)),
    ],
)
def test_a_mailing_is_its_first_day_and_the_two_after(days, pair):
    from kpis.formulas import parse

    found = sent(days).of_mailings([(1, 7)]).figures(parse("unsubscribes / delivered"), [(1, 7)])

    first = next(day for day, (sends, *_rest) in enumerate(days) if sends)
    assert (int(found.numerator[0, first]), int(found.denominator[0, first]), list(found.start)) == (*pair, [first])
    assert found.known.sum() == 1


def test_nothing_was_sent_and_there_is_no_mailing():
    assert sent([(0, 0, 0), (M, 3, 400)]).of_mailings([(1, 7)]).rows == {}


@pytest.mark.parametrize(
    ("pair", "events"),
    [((8, 1000), []), ((9, 1000), [(1, "opened")]), ((40, 499), []), ((4, 500), []), ((5, 500), [(1, "opened")])],
)
def test_a_mailing_beyond_the_line_fires_on_its_day_alone(pair, events):
    outcome = run(figures([pair, (M, M), (900, 1000)], settled=2), [MAILING])

    assert happened(outcome) == events
    assert list(outcome.classes[0][1:]) == [0, 0, 0, 0]


def test_a_mailing_waits_48_hours():
    assert happened(run(figures([(9, 1000)], settled=1), [MAILING])) == []
    assert happened(run(figures([(9, 1000)], settled=2), [MAILING])) == [(1, "opened")]


def test_an_accepted_rewrite_ends_the_question_about_a_mailing():
    outcome = run(figures([(9, 1000)], settled=8), [MAILING], [Mark(0, 3, "rewrite"), Mark(0, 5, "resume")])

    assert [State(state).code for state in outcome.states[0]] == ["firing"] * 3 + ["stopped"] * 2 + ["ok"] * 4


def spending(days, allowance, settled=1) -> Figures:
    """(spend, gross profit) from 20 January on, today included without figures."""
    return budget_figures(sent([*days, *[(M, M)] * settled], ("spend", "gross_profit")), [(1, 7)], [allowance])


def over_budget(line=Fraction(11, 10)):
    return Rule(line=line, window=Window.BUDGET, n=1, minimum_sample=Fraction(0))


@pytest.mark.parametrize(
    ("days", "allowance", "events"),
    [
        # 3 × 400 = 1 200 > 1 100 on the third day; 1 100 itself is borne
        ([(400, M)] * 3, Allowance(1000, None, True), [(3, "opened")]),
        ([(550, M)] * 2, Allowance(1000, None, True), []),
        # twelve days of January, then the month begins anew: two good days end it
        ([(100, M)] * 16, Allowance(1000, None, True), [(12, "opened"), (14, "recovered")]),
        ([(100, M)] * 16, Allowance(1000, None, False), [(12, "opened")]),
        # 300 lost by day 3 is the stop-loss itself; the fourth day breaks it
        ([(200, 100)] * 4, Allowance(None, 300, False), [(4, "opened")]),
        # a day whose profit is unknown is left out of the loss, not taken for zero
        ([(200, 100), (200, M), (200, 100), (200, 100)], Allowance(None, 300, False), []),
        ([(200, M)] * 9, Allowance(None, 300, False), []),
        ([(0, 0)] * 3 + [(1, M)], Allowance(0, None, True), [(4, "opened")]),
        ([(M, M)] * 4, Allowance(1000, None, True), [(3, "data_incident")]),
    ],
)
def test_budget_vector(days, allowance, events):
    assert happened(run(spending(days, allowance), [over_budget()])) == events


def test_a_spent_budget_pauses_when_nothing_more_is_spent():
    outcome = run(spending([(1200, M)] + [(0, M)] * 8, Allowance(1000, None, False)), [over_budget()])

    assert happened(outcome) == [(1, "opened"), (8, "paused")]


# ---------------------------------------------------------------- random series
CODES = {
    0: "outside", 1: "not_ready", 2: "missing", 3: "inactive", 4: "thin", 5: "breach", 6: "grey", 7: "ok",
}  # fmt: skip
pairs = st.one_of(
    st.tuples(st.sampled_from([0, 450, 900, 3000, 4500, 4501, 5000, 5001, 6000, 20_000]), st.integers(0, 7)),
    st.sampled_from([(None, 3), (3000, None), (None, None), (0, 0), (0, 0)]),
    st.integers(0, 7).flatmap(lambda n: st.sampled_from([(1000 * n, n), (900 * n, n), (900 * n + 1, n)])),
    st.tuples(st.integers(-9000, 9000), st.integers(0, 9)),
)
runs = st.tuples(pairs, st.sampled_from([1, 1, 1, 1, 2, 3, 8]))
long_days = st.lists(runs, min_size=1, max_size=25).map(
    lambda found: [pair for pair, times in found for _ in range(times)]
)
marks = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.sampled_from(["stop", "continue", "rewrite", "cut", "false_alarm", "resume"]),
        st.one_of(st.none(), st.integers(0, 12)),
        st.one_of(st.none(), st.integers(1, 30_000)),
    ),
    max_size=5,
)


@st.composite
def rule_strategy(draw):
    window = draw(st.sampled_from(["in_a_row", "in_a_row", "since_conversion", "m_of_n", "pooled", "event", "budget"]))
    n = 1 if window in ("event", "budget") else draw(st.integers(1, 5))
    above = draw(st.booleans()) or window in ("since_conversion", "budget")
    line = draw(st.sampled_from([Fraction(1000), Fraction(1000), Fraction(1, 3), Fraction(-200), Fraction(9007199, 7)]))
    return Rule(
        line=abs(line) if window in ("since_conversion", "budget") else line, above=above, window=Window(window), n=n,
        m=draw(st.integers(1, n)), k=Fraction(draw(st.integers(1, 4))),
        max_span=draw(st.one_of(st.none(), st.integers(n, 12))), minimum_sample=Fraction(draw(st.integers(0, 5))),
        zero_line=Fraction(3000) if above and draw(st.booleans()) else None,
        no_data=NoData(draw(st.sampled_from(["hold", "hold", "breach", "ok", "no_data"]))),
        settling_days=draw(st.integers(1, 3)),
        confirm_pooled_7d=window not in ("event", "budget") and draw(st.booleans()),
        clear_ratio=draw(st.sampled_from([Fraction(9, 10), Fraction(1), Fraction(1, 2)])),
        clear_days=draw(st.integers(1, 3)),
    )  # fmt: skip


def plain(rule: Rule) -> dict:
    return {
        "line": rule.line, "above": rule.above, "window": rule.window.value, "n": rule.n, "m": rule.m, "k": rule.k,
        "max_span": rule.max_span, "minimum_sample": rule.minimum_sample, "zero_line": rule.zero_line,
        "no_data": rule.no_data.value, "settling_days": rule.settling_days, "confirm_pooled_7d": rule.confirm_pooled_7d,
        "clear_ratio": rule.clear_ratio, "clear_days": rule.clear_days,
    }  # fmt: skip


allowances = st.builds(
    Allowance, st.one_of(st.none(), st.sampled_from([0, 1, 9, 30_000])), st.one_of(st.none(), st.integers(0, 20_000)),
    st.booleans(),
)  # fmt: skip


def with_budgets(plain_figures: Figures, rules, series, given) -> Figures:
    """The figures of the whole batch, budgets in the terms of their window."""
    parts = []
    for row, (rule, days) in enumerate(zip(rules, series, strict=True)):
        part = plain_figures.only(np.array([row]))
        if rule.window is Window.BUDGET:
            found = budget_figures(sent([*days, (M, M)], ("spend", "gross_profit")), [(1, 7)], [given[row]])
            part = Figures(found.numerator, found.denominator, found.known, part.start, found.loss, found.quiet)
        parts.append(part)
    return Figures.joined(parts)


def of_budget(allowance: Allowance, length: int) -> dict:
    months = [0, 12, 40, 71, 101, 132, 162, 193, 224] if allowance.monthly else [0]
    return {
        "budget": allowance.budget, "stop_loss": allowance.stop_loss, "periods": [day for day in months if day <= length],
    }  # fmt: skip


@settings(max_examples=int(os.environ.get("ENGINE_EXAMPLES", "120")), deadline=None)
@given(
    batch=st.lists(st.tuples(rule_strategy(), long_days, marks, st.integers(0, 5), allowances), min_size=2, max_size=6),
    scale=st.sampled_from([1, 1, 10**6, 10**15]),
)
def test_engine_equals_the_scalar_model(batch, scale):
    """`scale` multiplies figures and thresholds alike: 10¹⁵ leaves 64 bits behind."""
    longest = max(len(days) for _rule, days, *_rest in batch)
    series, rules, given_marks, starts, bounds = [], [], [], [], []
    for row, (rule, days, signed, start, allowance) in enumerate(batch):
        days = [*days, *[(None, None)] * (longest - len(days))]
        start = min(start, longest - 1)
        series.append([(None if a is None else a * scale, None if b is None else b * scale) for a, b in days])
        rules.append(scaled(rule, scale))
        starts.append(start)
        bounds.append(
            Allowance(
                *(None if m is None else m * scale for m in (allowance.budget, allowance.stop_loss)), allowance.monthly
            )
        )
        given_marks += [
            Mark(row, max(day, start), kind, None if until is None else day + until, extra and extra * scale)
            for day, kind, until, extra in sorted(signed, key=lambda mark: mark[0]) if max(day, start) <= longest
        ]  # fmt: skip

    raw = figures(*series, starts=starts)
    outcome = run(with_budgets(raw, rules, series, bounds), rules, given_marks, raw)

    for row, (rule, days) in enumerate(zip(rules, series, strict=True)):
        by_day = {}
        for mark in given_marks:
            if mark.series == row:
                by_day.setdefault(mark.day, []).append((mark.kind, mark.until, mark.extra))
        terms = plain(rule) | of_budget(bounds[row], longest)
        model = scalar_model.Scalar(terms, [*days, (None, None)], by_day, starts[row]).run()
        assert [CODES[code] for code in outcome.classes[row]] == model.classes
        assert [State(code).code for code in outcome.states[row]] == model.states
        assert list(outcome.streaks[row]) == model.streaks
        assert [(event.day, event.kind) for event in outcome.events if event.series == row] == model.events
        assert outcome.streak_days[row] == model.streak


def scaled(rule: Rule, scale: int) -> Rule:
    from dataclasses import replace

    return replace(
        rule, minimum_sample=rule.minimum_sample * scale, zero_line=rule.zero_line and rule.zero_line * scale,
        k=rule.k * scale,
    )  # fmt: skip
