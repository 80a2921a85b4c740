"""The tags that draw, as they stand on a page."""

import re
from datetime import date, timedelta
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from django.template import engines
from django.test import RequestFactory
from django.utils import translation

from kpis import charts
from mops.templatetags.charts import axis_figure

DAYS = [date(2026, 11, 6) + timedelta(days=index) for index in range(14)]


def render(text, **context):
    template = engines["django"].from_string(text)
    return template.render(context, RequestFactory().get("/"))


def test_plot_is_well_formed_without_styles_and_with_unique_ids():
    values = [Decimal(3000)] * 10 + [Decimal(4900), Decimal(5300), Decimal(5750), None]
    plot = charts.line_plot(
        DAYS, values, "money", "CPA <VK>", "За 14 дней", goal=2900, line=3500, breach_days=DAYS[10:13]
    )

    with translation.override("ru"):
        html = render("<p>{% plot plot %}{% plot plot thin=True %}</p>", plot=plot)

    tree = ElementTree.fromstring(html)
    ids = [node.get("id") for node in tree.iter() if node.get("id")]
    assert len(ids) == len(set(ids)) == 4
    assert [node.get("aria-labelledby") for node in tree] == [" ".join(ids[:2]), " ".join(ids[2:])]
    assert all(node.get("style") is None for node in tree.iter())
    assert tree.find(".//title").text == "CPA <VK>"
    texts = [node.text for node in tree[0].iter("text")]
    assert "6\u00a0000" in texts
    assert "цель 2\u00a0900" in texts
    assert "стоп 3\u00a0500" in texts
    assert "5\u00a0750" in texts
    assert [text for text in texts if text in {"1", "2", "3"}] == ["1", "2", "3"]


def test_plot_speaks_the_readers_language():
    plot = charts.line_plot(DAYS, [Decimal("0.52")] * 14, "share", "t", "d", line=Decimal("0.45"))

    with translation.override("en"):
        html = render("{% plot plot %}", plot=plot)

    assert "stop 45%" in html
    assert "9\u00a0Nov" in html


@pytest.mark.parametrize(
    ("value", "unit", "step", "text"),
    [
        (2000, "money", 1000, "2\u00a0000"), (2.5, "count", 2.5, "2,5"), (0.15, "share", 0.05, "15\u00a0%"),
        (0.005, "share", 0.005, "0,5\u00a0%"), (1_500_000, "money", 500_000, "1,5\u00a0млн"), (0, "share", 0.25, "0\u00a0%"),
        (None, "money", 1, "—"),
    ],
)  # fmt: skip
def test_axis_figures_tell_ticks_apart(value, unit, step, text):
    with translation.override("ru"):
        assert axis_figure(value, unit, step) == text


def test_bullet_says_its_share_in_words():
    with translation.override("ru"):
        html = render("{% bullet 96 100 %}")

    assert 'aria-label="Факт — 96\u00a0% плана"' in html


def test_unknown_plan_is_a_dash_and_never_a_bar():
    html = render(
        "{% bullet fact plan 'x' %}{% plan_fact fact plan %}{% bar share 'y' %}", fact=5, plan=None, share=None
    )

    assert html.count("—") == 2
    assert "<svg" not in html


def test_bar_is_cut_and_states_what_it_is():
    html = render("{% bar 1.16 'Убыток 116 %' 'low' %}")

    assert 'class="bar low"' in html
    assert 'aria-label="Убыток 116 %"' in html
    assert re.findall(r'class="fill" width="([^"]+)"', html) == ["100%"]


def test_spark_low_and_wide():
    html = render("{% spark values 'a' low=True %}{% spark values 'b' goal=3 wide=True %}", values=[1, 2, None, 4])

    assert 'class="spark low" viewBox="0 0 96 24"' in html
    assert 'class="spark spark-wide"' in html
    assert html.count("st-line") == 1
