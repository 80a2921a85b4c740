"""Tags of the weekly report: figures in the company's currency, week names, deadlines by weekday."""

from decimal import Decimal

from django import template
from django.utils.translation import gettext as _

from kpis import periods
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
def facts_query(context, line, channel, figures):
    """The query of the page that lists the facts behind a figure."""
    kind = "kpi" if line.is_kpi else "metric"
    return f"?{kind}={line.measure}&channel={channel.code}&from={figures.first}&to={figures.last}"


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
