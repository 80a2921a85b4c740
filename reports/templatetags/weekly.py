"""Tags of the weekly report: figures in the company's currency, week names, deadlines by weekday."""

from datetime import date, datetime
from decimal import Decimal

from django import template
from django.utils.translation import gettext as _

from kpis import periods
from kpis.links import facts_url, opened
from reports.selectors import figures
from roles import formats

register = template.Library()

register.filter("week_label", periods.week_label)
register.filter("week_number", periods.week_number)


@register.simple_tag(takes_context=True)
def amount(context, value, unit):
    """A figure in its unit and the company's currency: `155 190 ₽`, `53`, `0,8 %`; `—` when unknown."""
    return formats.figure(value, unit, context["request"].company.currency)


@register.simple_tag(takes_context=True)
def weekday_clock(context, value):
    """A moment of the week by the company's clock: `пн, 10:47`."""
    if value is None:
        return formats.NOTHING
    zone = context["request"].company.zone
    return f"{formats.weekday_short(value.astimezone(zone).date())}, {formats.clock(value, zone)}"


@register.simple_tag(takes_context=True)
def day_clock(context, value):
    """A moment of another week by the company's clock: `пн 11.01, 12:00`."""
    zone = context["request"].company.zone
    day = value.astimezone(zone).date()
    return f"{formats.weekday_short(day)} {formats.day(day, year=False)}, {formats.clock(value, zone)}"


@register.simple_tag(takes_context=True)
def fact_of_week(context, line, report, covered):
    """The fact of a line of a weekly report; it opens to its facts where a source gives it."""
    return _opened(context, line, line.fact, report, covered.first, covered.last)


@register.simple_tag(takes_context=True)
def fact_when_filed(context, line, report):
    """The same as its author saw it, held against what was known then."""
    first, last = (day and date.fromisoformat(day) for day in report.snapshot["days"])
    return _opened(
        context, line, line.snapshot, report, first, last, known=datetime.fromisoformat(report.snapshot["at"])
    )


def _opened(context, line, value, report, first, last, **scope):
    figure = amount(context, value, line.unit)
    if value is None or last is None or not line.from_data:
        return figure
    company = context["request"].company
    return opened(
        figure, facts_url(company, line.measure, first, last, kpi=line.is_kpi, channel=report.channel, **scope)
    )


@register.simple_tag
def completion(fact, plan):
    """How much of a plan is there: `97 %`; `—` when that is unknown."""
    return formats.percent(figures.completion(fact, plan))


@register.simple_tag
def hours(value):
    """Hours as people say them: `5,5 ч`, from two days on `3,1 дн.`; `—` when unknown."""
    if value is None:
        return formats.NOTHING
    if value >= 48:
        return _("%s d") % formats.number((value / 24).quantize(Decimal("0.1")))
    return _("%s h") % formats.number(value)


@register.simple_tag
def points(value):
    """A difference of shares in percentage points with its sign: `+12 п. п.`."""
    if value is None:
        return formats.NOTHING
    whole = round(value * 100)
    sign = "+" if whole > 0 else formats.MINUS if whole < 0 else ""
    return _("%s pp") % f"{sign}{abs(whole)}"


@register.simple_tag
def unit_sign(unit, currency):
    """What stands after an input: `₽`, `%`, nothing for counts."""
    return {"money": formats.CURRENCIES.get(currency, currency), "share": "%"}.get(unit, "")


@register.simple_tag
def part_words(part):
    """The state of a plan or fact in words, without its time."""
    return {
        "not_open": _("not open yet"), "waiting": _("waiting"), "draft": _("draft"), "returned": _("returned"),
        "overdue": _("not filed"), "missed": _("missed"), "excused": _("excused"), "filed": _("filed"), "accepted": _("accepted"),
    }[part.kind]  # fmt: skip
