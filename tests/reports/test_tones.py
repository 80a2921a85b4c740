"""The colour of a figure of a channel and the bar beside it obey one rule."""

import re
from decimal import Decimal

import pytest
import time_machine

from kpis import bullets
from reports.selectors.summary import ChannelMoney


def money(earned, plan) -> ChannelMoney:
    earned, plan = (None if value is None else Decimal(value) for value in (earned, plan))
    return ChannelMoney(
        channel=None, earned=earned, romi=None, plan=plan, metrics={}, conclusion="", fact=None, report_id=None
    )


@pytest.mark.parametrize("earned", [-10, 0, 79, 80, 89, 90, 96, 100, 140])
def test_a_figure_is_coloured_as_the_bar_beside_it(earned):
    bar = bullets.bullet(earned, 100)
    assert money(earned, 100).tone == {"": "", "watch": "care", "low": "bad"}[bar.state]


@pytest.mark.parametrize(
    ("earned", "plan", "tone"),
    [
        (-105, -100, ""),
        (-115, -100, "care"),
        (-130, -100, "bad"),
        (-1, 0, "bad"),
        (0, 0, ""),
        (None, 5, ""),
        (5, None, ""),
    ],
)
def test_a_planned_loss_is_held_against_its_size(earned, plan, tone):
    assert money(earned, plan).tone == tone


def test_96_per_cent_of_the_plan_is_calm_on_every_screen(desk, sign_in):
    for measure, value in (("gross_profit", 60_000), ("spend", 30_000)):
        desk.target(desk.made.blog, measure, value)
    desk.facts(desk.made.blog, gross_profit=1960, spend=1000)  # earned 960 of 1 000 a day
    browser = sign_in(desk.made.cmo)
    with time_machine.travel(desk.local("next_mon", 10), tick=False):
        summary, slides = (
            browser.get(f"/c/acme/reports/{page}/?week=2026-W47").content.decode()
            for page in ("week-summary", "stand-up")
        )

    told = [row for row in re.findall(r"<tr.*?</tr>", summary + slides, re.S) if "Блог" in row and "96\u00a0%" in row]
    assert len(told) == 2
    assert all("bad" not in row and "care" not in row for row in told)
    assert re.search(r'<h2 id="s1-h">Блог', slides)
