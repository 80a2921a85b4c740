"""Geometry of charts by hand-computed positions."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from kpis import bullets, charts

START = date(2026, 11, 9)


def some_days(n, start=START, step=1):
    return [start + timedelta(days=index * step) for index in range(n)]


def make_plot(values, **kwargs):
    days = kwargs.pop("days", some_days(len(values)))
    return charts.line_plot(days, values, kwargs.pop("unit", "money"), "CPA", "by day", **kwargs)


@pytest.mark.parametrize(
    ("values", "most", "ticks"),
    [
        ([2710, 5750], 5, (2000, 3000, 4000, 5000, 6000)),
        ([0, 10], 3, (0, 5, 10)),
        ([3, 97], 5, (0, 25, 50, 75, 100)),
        ([-27, 40], 5, (-40, -20, 0, 20, 40)),
        ([0.005, 0.013], 5, (0, 0.005, 0.01, 0.015)),
        ([7], 3, (0, 5, 10)),
        ([0, 0], 3, (0, 0.5, 1)),
        ([], 3, (0, 0.5, 1)),
    ],
)
def test_scale_has_round_ticks_that_hold_every_value(values, most, ticks):
    scale = charts.nice_scale(values, most)

    assert scale.ticks == pytest.approx(ticks)
    assert len(scale.ticks) <= most


def test_scale_of_equal_values_below_zero_ends_at_zero():
    scale = charts.nice_scale([-5, -5], 3)

    assert (scale.low, scale.high) == (-5, 0)


def test_scale_starts_at_zero_for_counts_and_leaves_unknown_out():
    assert charts.nice_scale([90, None, 100, float("inf")], 5, from_zero=True).ticks == (0, 25, 50, 75, 100)


def test_plot_places_days_in_the_middle_of_their_slots():
    plot = make_plot([Decimal(2000), Decimal(6000), Decimal(4000), Decimal(2000)])

    assert plot.path == "M125 666.67L375 0L625 333.33L875 666.67"
    assert [mark.y for mark in plot.ticks] == ["100%", "66.67%", "33.33%", "0%"]
    assert [mark.value for mark in plot.ticks] == [0, 2000, 4000, 6000]


def test_unknown_day_breaks_the_line_and_a_lone_day_is_a_dot():
    plot = make_plot([0, 10, None, 5, None], unit="count")

    assert plot.path == "M100 1000L300 0"
    assert [(dot.x, dot.y) for dot in plot.dots] == [("70%", "50%")]
    assert not plot.is_empty


def test_plot_without_any_known_day_is_empty_but_drawable():
    plot = make_plot([None, None], goal=3)

    assert plot.is_empty
    assert plot.path == ""
    assert plot.goal.value == 3


def test_breach_days_are_numbered_per_episode_and_tinted():
    days = some_days(20)
    values = [1000] * 20
    plot = make_plot(values, days=days, line=900, breach_days=[days[1], days[2], days[3], days[15], days[16]])

    assert [(mark.number, mark.day) for mark in plot.breaches] == [
        (1, days[1]), (2, days[2]), (3, days[3]), (1, days[15]), (2, days[16]),
    ]  # fmt: skip
    assert [(band.x, band.width) for band in plot.bands] == [("5%", "15%"), ("75%", "10%")]


def test_breach_without_a_conversion_sits_at_the_upper_edge():
    plot = make_plot([1000, None], breach_days=some_days(2))

    assert [(mark.number, mark.y, mark.value) for mark in plot.breaches] == [(1, "0%", 1000), (2, "0%", None)]


def test_breach_days_outside_the_plot_are_left_out():
    assert make_plot([1, 2], breach_days=[START - timedelta(days=1)]).bands == ()


def test_gap_days_are_tinted_as_without_data():
    plot = make_plot([1, None, None, 4], gap_days=some_days(4)[1:3])

    assert [(band.x, band.width, band.gap) for band in plot.bands] == [("25%", "50%", True)]


def test_worst_breach_is_the_farthest_from_the_line_on_either_side():
    days = some_days(3)
    below = make_plot([0.5, 0.2, 0.4], unit="share", line=0.45, breach_days=days[1:])

    assert below.worst.day == days[1]
    assert make_plot([1, 9, 3], breach_days=days, size="s").worst is None


def test_labels_of_levels_stand_where_the_series_is_not():
    rising = make_plot([2100, 2200, 2300, 5900], goal=3000, line=3000)

    assert rising.goal.above  # the series begins under the goal
    assert not rising.line.above  # and ends over the stop line


def test_week_labels_stand_on_mondays_and_small_plots_name_both_ends():
    days = some_days(42, start=date(2026, 10, 9))
    large, small = make_plot([1] * 42, days=days), make_plot([1] * 42, days=days, size="s")

    assert [mark.day for mark in large.days] == [date(2026, 10, 12) + timedelta(days=7 * n) for n in range(6)]
    assert [mark.minor for mark in large.days] == [True, False] * 3
    assert [(mark.day, mark.anchor) for mark in small.days] == [(days[0], "start"), (days[-1], "end")]


def test_a_year_is_labelled_by_months_and_not_numbered():
    days = some_days(365, start=date(2025, 11, 20))
    plot = make_plot([1] * 365, days=days, breach_days=days[-3:])

    assert all(mark.day.day == 1 for mark in plot.days)
    assert len(plot.days) <= charts.MOST_DAY_LABELS
    assert plot.breaches == ()
    assert len(plot.bands) == 1


def test_spark_in_its_small_box():
    drawn = charts.spark([0, 10, 5])

    assert drawn.path == "M3 21L47.5 3L92 12"
    assert (drawn.end_x, drawn.end_y, drawn.zero) == ("92", "12", None)


def test_spark_marks_zero_breaks_on_unknown_and_ends_at_the_last_known():
    drawn = charts.spark([-10, 10, None, 5, None])

    assert drawn.zero == "12"
    assert drawn.path == "M3 21L25.25 3"
    assert (drawn.end_x, drawn.end_y) == ("69.75", "7.5")


def test_wide_spark_has_room_for_its_goal():
    drawn = charts.spark([0, 50], goal=100, wide=True)

    assert drawn.path == "M0 920L1000 500"
    assert (drawn.end_x, drawn.end_y, drawn.goal) == ("100%", "50%", "8%")


def test_spark_of_nothing_is_none_and_of_one_value_a_dot():
    assert charts.spark([]) is None
    assert charts.spark([None], goal=5, wide=True) is None
    assert charts.spark([7]).path == ""


def test_bullet_keeps_the_mark_of_the_plan_in_one_place():
    drawn = bullets.bullet(Decimal(96), Decimal(100))

    assert (drawn.fill, drawn.tick, drawn.state, drawn.negative) == ("76.8%", "80%", "", False)


@pytest.mark.parametrize(
    ("fact", "better", "state", "fill"),
    [
        (90, "higher", "", "72%"), (89, "higher", "watch", "71.2%"), (79, "higher", "low", "63.2%"),
        (300, "higher", "", "100%"), (110, "lower", "", "88%"), (115, "lower", "watch", "92%"),
        (130, "lower", "low", "100%"),
    ],
)  # fmt: skip
def test_bullet_state_depends_on_the_bad_side_only(fact, better, state, fill):
    drawn = bullets.bullet(fact, 100, better)

    assert (drawn.state, drawn.fill) == (state, fill)


def test_bullet_of_a_loss_and_without_a_plan():
    assert bullets.bullet(-16, 100).negative
    assert bullets.bullet(-16, 100).fill == "0%"
    assert bullets.bullet(5, 0) is None
    assert bullets.bullet(None, 100) is None
    assert bullets.bullet(5, None) is None


def test_runway_of_the_design():
    drawn = bullets.runway(Decimal("6452360"), Decimal("10650000"), Decimal("6745000"), Decimal("10187937"))

    assert (drawn.fill, drawn.tick, drawn.forecast) == ("60.59%", "63.33%", "95.66%")
    assert (drawn.fill_anchor, drawn.tick_anchor) == ("end", "end")
    assert bullets.runway(1, None, 1) is None
