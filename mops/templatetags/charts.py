"""Tags that draw: sparklines, bullets, bars and plots as server-made SVG over `kpis.charts`.

No style attributes anywhere: the pages' CSP refuses them, so lengths that depend on data are SVG attributes. The small
ones are written here and not in templates, because a table draws two of them in every row.
"""

from itertools import count
from math import floor, log10

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from kpis import bullets, charts
from roles import formats

register = template.Library()
DASH = SafeString('<span class="quiet">—</span>')
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


@register.simple_tag
def spark(values, label, goal=None, low=False, wide=False):
    """A series without axes, oldest first; None values break it, `—` where nothing is known. `goal` (wide only) is a dotted level."""
    drawn = charts.spark(list(values or ()), goal, wide)
    if drawn is None:
        return DASH
    state = " low" if low else ""
    zero = _level_line(drawn.zero, "sz", wide) + _level_line(drawn.goal, "st-line", wide)
    if wide:
        return format_html(
            '<svg class="spark spark-wide{}" role="img" aria-label="{}" focusable="false">{}<svg viewBox="0 0 1000 1000" '
            'preserveAspectRatio="none" width="100%" height="100%" overflow="visible"><path d="{}"/></svg>'
            '<circle cx="{}" cy="{}" r="3"/></svg>',
            state, label, zero, drawn.path, drawn.end_x, drawn.end_y,
        )  # fmt: skip
    return format_html(
        '<svg class="spark{}" viewBox="0 0 96 24" width="96" height="24" role="img" aria-label="{}" focusable="false">{}'
        '<path d="{}"/><circle cx="{}" cy="{}" r="2.5"/></svg>',
        state, label, zero, drawn.path, drawn.end_x, drawn.end_y,
    )  # fmt: skip


def _level_line(at: str | None, css: str, wide: bool):
    if at is None:
        return SafeString("")
    left, right = ("0", "100%") if wide else ("3", "92")
    return format_html('<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/>', css, left, right, at, at)


@register.simple_tag
def bullet(fact, plan, label="", better="higher", forecast=None):
    """Fact against plan with the mark of the plan; `—` where either is unknown. The label defaults to the share in words."""
    drawn = bullets.bullet(fact, plan, better, forecast)
    return DASH if drawn is None else _bullet(drawn, label)


def _bullet(drawn: bullets.Bullet, label: str = ""):
    ahead = SafeString("")
    if drawn.forecast is not None:
        ahead = format_html('<rect class="fc" width="{}" y="25%" height="50%"/>', drawn.forecast)
    loss = SafeString('<rect class="neg" x="0" width="3" y="0" height="100%"/>' if drawn.negative else "")
    return format_html(
        '<svg class="bullet{}" role="img" aria-label="{}" focusable="false"><rect class="track" width="100%" y="25%" '
        'height="50%"/>{}<rect class="fill" width="{}" y="25%" height="50%"/>{}<rect class="tick" x="{}" width="2" y="0" '
        'height="100%"/></svg>',
        f" {drawn.state}" if drawn.state else "", label or share_of_plan(drawn.share), ahead, drawn.fill, loss, drawn.tick,
    )  # fmt: skip


@register.simple_tag
def plan_fact(fact, plan, better="higher"):
    """The bullet with its per cent beside it, as tables show it."""
    drawn = bullets.bullet(fact, plan, better)
    if drawn is None:
        return DASH
    return format_html('<span class="pfb">{}<span>{}</span></span>', _bullet(drawn), formats.percent(drawn.share))


def share_of_plan(share: float) -> str:
    return _("Fact is %(share)s of plan") % {"share": formats.percent(share)}


@register.simple_tag
def bar(share, label, state="", tall=False):
    """A share of a limit (1 = all of it), cut at both ends. `state`: "" | watch | low. Nothing where it is unknown."""
    if share is None:
        return ""
    return format_html(
        '<svg class="bar{}{}" role="img" aria-label="{}" focusable="false"><rect class="track" width="100%" '
        'height="100%"/><rect class="fill" width="{}" height="100%"/></svg>',
        " tall" if tall else "", f" {state}" if state else "", label,
        charts.percent(min(1.0, max(0.0, float(share)))),
    )  # fmt: skip


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
    """A goal beside an axis that names its unit."""
    return formats.planned(value, unit) if unit == "count" else formats.bare(value, unit)


def _next_id(context) -> str:
    """An id that is unique on the page, the same each time the page is built."""
    request = context.get("request")
    if request is None:
        return f"plot-x{next(_loose_ids)}"
    request.plots_drawn = getattr(request, "plots_drawn", 0) + 1
    return f"plot-{request.plots_drawn}"
