"""Tags that draw: sparklines, bullets, bars and plots as server-made SVG over `kpis.charts`.

No style attributes anywhere: the pages' CSP refuses them, so lengths that depend on data are SVG attributes.
"""

from itertools import count
from math import floor, log10

from django import template
from django.utils.translation import gettext as _

from kpis import charts
from roles import formats

register = template.Library()
_loose_ids = count(1)


def axis_figure(value, unit: str, step: float = 1) -> str:
    """A figure beside an axis: grouped, as many decimals as the step needs, millions in words; per cent for shares."""
    if value is None:
        return formats.NOTHING
    if unit == "share":
        return formats.percent(value, _places(step * 100))
    if abs(value) >= 1_000_000:
        return f"{formats.number(float(value) / 1_000_000, _places(step / 1_000_000))}{formats.NBSP}{_('mln')}"
    return formats.number(value, _places(step))


def _places(step: float) -> int:
    """Decimals that tell two neighbouring ticks apart: 0 for 1 or 500, 1 for 2.5, 2 for 0.05."""
    if step <= 0 or float(step).is_integer():
        return 0
    places = max(0, -floor(log10(step)))
    return places if round(step * 10**places, 6).is_integer() else places + 1


@register.inclusion_tag("charts/spark.html")
def spark(values, label, goal=None, low=False, wide=False):
    """A series without axes, oldest first; None values break it. `goal` (wide only) is the dotted level."""
    return {"spark": charts.spark(list(values or ()), goal, wide), "label": label, "low": low}


@register.inclusion_tag("charts/bullet.html")
def bullet(fact, plan, label="", better="higher", forecast=None):
    """Fact against plan with the mark of the plan; `—` where either is unknown. The label defaults to the share in words."""
    drawn = charts.bullet(fact, plan, better, forecast)
    return {"bullet": drawn, "label": label or (drawn and share_of_plan(drawn.share))}


@register.inclusion_tag("charts/plan_fact.html")
def plan_fact(fact, plan, better="higher"):
    """The bullet with its per cent beside it, as tables show it."""
    drawn = charts.bullet(fact, plan, better)
    return {"bullet": drawn, "label": drawn and share_of_plan(drawn.share), "share": drawn and drawn.share}


def share_of_plan(share: float) -> str:
    return _("Fact is %(share)s of plan") % {"share": formats.percent(share)}


@register.inclusion_tag("charts/bar.html")
def bar(share, label, state="", tall=False):
    """A share of a limit (1 = all of it), cut at both ends. `state`: "" | watch | low. Nothing where it is unknown."""
    width = None if share is None else charts.percent(min(1.0, max(0.0, float(share))))
    return {"width": width, "label": label, "state": state, "tall": tall}


@register.inclusion_tag("charts/plot.html", takes_context=True)
def plot(context, plot, thin=False):
    """A `kpis.charts.Plot`: grid, series, goal, stop line, numbered breach days, tinted episodes."""
    if plot is None:
        return {"plot": None}
    return {
        "plot": plot,
        "id": _next_id(context),
        "thin": thin,
        "ticks": [(mark, axis_figure(mark.value, plot.unit, plot.step)) for mark in plot.ticks],
        "days": [(mark, formats.day(mark.day, year=False)) for mark in plot.days],
        "goal": plot.goal and _("goal %(value)s") % {"value": _level(plot.goal.value, plot.unit)},
        "line": plot.line and _("stop %(value)s") % {"value": formats.bare(plot.line.value, plot.unit)},
        "worst": plot.worst and formats.bare(plot.worst.value, plot.unit),
    }


def _level(value, unit: str) -> str:
    """A plan of a day is seldom whole: a count is rounded for the eye."""
    return formats.number(value, 0 if value >= 10 else 1) if unit == "count" else formats.bare(value, unit)


def _next_id(context) -> str:
    """An id that is unique on the page, the same each time the page is built."""
    request = context.get("request")
    if request is None:
        return f"plot-x{next(_loose_ids)}"
    request.plots_drawn = getattr(request, "plots_drawn", 0) + 1
    return f"plot-{request.plots_drawn}"
