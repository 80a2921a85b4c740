"""The account of a decision, every figure worked out by hand. Line 3 500 ₽ a lead."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from kpis.day_classes import DayClass
from processes.account import Account, Apart, Figures, Rate, acted, last_day, recovered_on, together, went_on

LINE = Decimal(3500)
D1 = date(2026, 11, 16)
EFFECT = date(2026, 11, 19)
BREACH = [(39_200, 8), (37_100, 7), (40_250, 7), (38_640, 7)]
"""16–19.11: over the line 11 200 + 12 600 + 15 750 + 14 140 = 53 690; a mean day is 38 797,5 ₽ and 7,25 leads."""


def days(pairs, first=D1):
    return {
        first + timedelta(days=offset): Figures(Decimal(pair[0]), Decimal(pair[1]))
        for offset, pair in enumerate(pairs)
        if pair is not None
    }


def stop(pairs, last, *, stopped=True, effect=EFFECT, since=D1):
    return acted(line=LINE, days=days(pairs), first=D1, since=since, effect=effect, last=last, stopped=stopped)


def test_a_stop_keeps_the_daily_money_over_the_line():
    """Six silent days: 38 797,5 − 3 500 · 7,25 = 13 422,5 a day."""
    found = stop(BREACH, EFFECT + timedelta(days=6))

    assert found.lost == Decimal("53690.00")
    assert found.rate == Rate(Decimal("38797.5"), Decimal("7.25"), 4)
    assert (found.days, found.silent) == (6, 6)
    assert (found.kept, found.given_up) == (Decimal("80535.00"), Decimal("0.00"))
    assert (found.avoided, found.forgone) == (Decimal("232785.00"), Decimal("43.50"))
    assert found.net == found.avoided - LINE * found.forgone == Decimal("80535.00")
    assert not found.proved_false


def test_a_stop_that_was_not_carried_out_keeps_nothing():
    """The next day went on: 40 000 ₽ for 7 leads is 15 500 over the line, 2 077,5 more than a mean day before."""
    found = stop([*BREACH, (40_000, 7)], EFFECT + timedelta(days=1))

    assert (found.days, found.silent) == (1, 0)
    assert (found.kept, found.given_up) == (Decimal("0.00"), Decimal("2077.50"))
    assert found.proved_false


def test_a_cut_is_compared_with_what_really_came():
    """10 000 ₽ for 4 leads is −4 000 to the line, 17 422,5 better than 13 422,5; 30 000 for 3 is 19 500, 6 077,5 worse."""
    found = stop([*BREACH, (10_000, 4), None, (30_000, 3)], EFFECT + timedelta(days=4), stopped=False)

    assert (found.days, found.silent) == (2, 0)
    assert (found.kept, found.given_up, found.net) == (Decimal("17422.50"), Decimal("6077.50"), Decimal("11345.00"))


def test_figures_that_were_refined_make_the_alarm_false():
    """Today the breach is 38 797,5 ₽ for 20 leads a day: 31 202,5 below the line, given up on each of the two days."""
    refined = [(spend, 20) for spend, _leads in BREACH]
    found = stop(refined, EFFECT + timedelta(days=2))

    assert found.lost == Decimal("-124810.00")
    assert (found.kept, found.given_up) == (Decimal("0.00"), Decimal("62405.00"))
    assert found.proved_false


def test_nothing_known_is_never_zero():
    unknown = stop([None] * 4, EFFECT + timedelta(days=6))
    today = stop(BREACH, EFFECT)
    silent_cut = stop(BREACH, EFFECT + timedelta(days=6), stopped=False)

    assert (unknown.lost, unknown.rate, unknown.net) == (None, None, None)
    assert (today.lost, today.net, today.proved_false) == (Decimal("53690.00"), None, False)
    assert (silent_cut.days, silent_cut.net) == (0, None)


def test_going_on_pays_what_is_over_the_line():
    """40 000/7 → 15 500 over the line, unknown, 20 000/8 → 8 000 below it: two known days, 7 500 paid in the end."""
    found = went_on(
        line=LINE, days=days([*BREACH, (40_000, 7), None, (20_000, 8)]), first=D1, since=D1, effect=EFFECT,
        last=EFFECT + timedelta(days=3),
    )  # fmt: skip

    assert (found.days, found.paid, found.kept) == (2, Decimal("15500.00"), Decimal("8000.00"))
    assert (found.net, found.given_up, found.proved_false) == (Decimal("-7500.00"), None, False)
    assert went_on(line=LINE, days=days(BREACH), first=D1, since=D1, effect=EFFECT, last=EFFECT).net is None


def test_the_second_round_loses_only_its_own_days():
    found = stop(BREACH, EFFECT + timedelta(days=1), since=D1 + timedelta(days=2))

    assert found.lost == Decimal("29890.00")
    assert found.rate.days == 4


@pytest.mark.parametrize(
    ("told", "last"),
    [
        ("breach grey ok ok", 4), ("ok grey ok ok", 4), ("ok breach ok", None), ("ok thin ok", 3), ("ok inactive missing ok", 4),
        ("grey grey grey", None), ("thin thin thin thin", None), ("inactive " * 7, 7), ("inactive " * 6 + "missing inactive", None),
    ],
)  # fmt: skip
def test_the_recovery_counts_days_as_the_engine_calls_them(told, last):
    found = {EFFECT + timedelta(days=day): DayClass[name.upper()] for day, name in enumerate(told.split(), start=1)}

    assert recovered_on(found, EFFECT, 2) == (None if last is None else EFFECT + timedelta(days=last))


def test_a_campaign_that_is_counted_apart_is_taken_out_of_its_channel():
    """The campaign is half of each day of the breach and has an account of its own until two days after the effect."""
    part = days([(top / 2, Decimal(bottom) / 2) for top, bottom in BREACH])
    own = frozenset(D1 + timedelta(days=offset) for offset in range(1, 6))
    common = {"line": LINE, "days": days(BREACH), "first": D1, "since": D1, "effect": EFFECT, "stopped": True}
    last = EFFECT + timedelta(days=6)
    whole, less = acted(**common, last=last), acted(**common, last=last, apart=[Apart(part, own)])

    assert whole.kept == 6 * Decimal("13422.5")
    assert less.kept == 4 * Decimal("13422.5") + 2 * Decimal("6711.25")
    assert (whole.lost, less.lost) == (53_690, 53_690 - (12_600 + 15_750 + 14_140) / 2)
    on = went_on(line=LINE, days=days([*BREACH, (39_200, 8)]), first=D1, since=D1, effect=EFFECT, last=last)
    half = Apart(days([(19_600, 4)], EFFECT + timedelta(days=1)), own)
    assert on.paid == 11_200
    assert went_on(
        line=LINE, days=days([*BREACH, (39_200, 8)]), first=D1, since=D1, effect=EFFECT, last=last, apart=[half]
    ).paid == 5_600  # fmt: skip


@pytest.mark.parametrize(
    ("ends", "last"), [((None,), 30), ((timedelta(days=12), None), 12), ((timedelta(days=44),), 30)]
)
def test_the_last_day(ends, last):
    ends = [None if end is None else EFFECT + end for end in ends]

    assert last_day(EFFECT, *ends) == EFFECT + timedelta(days=last)


def test_sums_leave_out_what_is_unknown():
    stopped = stop(BREACH, EFFECT + timedelta(days=1))
    paid = Account(Decimal(10), None, D1, D1, days=1, kept=Decimal(0), paid=Decimal(700))
    early = stop(BREACH, EFFECT)

    total = together([stopped, paid, early, None], false_alarms=1)

    assert (total.decisions, total.counted, total.unknown) == (4, 2, 2)
    assert (total.kept, total.given_up, total.paid) == (Decimal("13422.50"), Decimal("0.00"), Decimal(700))
    assert total.net == Decimal("12722.50")
    assert total.lost == Decimal("107390.00")
    assert together([None], 0).net is None
