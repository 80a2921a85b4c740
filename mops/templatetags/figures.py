"""Filters that write figures, money and time: thin names over `roles.formats`."""

from django import template
from django.utils.html import format_html

from roles import formats

register = template.Library()

register.filter("number", formats.number)
register.filter("count", formats.count)
register.filter("money", formats.money)
register.filter("money_short", formats.money_short)
register.filter("percent", formats.percent)
register.filter("figure", formats.figure)
register.filter("bare", formats.bare)
register.filter("month_in", formats.month_in)
register.filter("month", formats.month)
register.filter("duration", formats.duration)
register.filter("in_days", formats.in_days)
register.filter("weekday", formats.weekday_short)


@register.filter
def day(value):
    """`20.11.2026`."""
    return formats.day(value)


@register.filter
def day_short(value):
    """`20.11`."""
    return formats.day(value, year=False)


@register.filter
def signed_money(value, currency="RUB"):
    """`+1 978 ₽`."""
    return formats.money(value, currency, sign=True)


@register.filter
def signed(value):
    """An amount without its currency, for tables whose heading names it: `+1 978`."""
    return formats.number(value, sign=True)


@register.filter
def signed_percent(value, places=0):
    """`+16 %`."""
    return formats.percent(value, places, sign=True)


@register.filter
def thousands(value):
    """An amount in thousands without a unit, for tables whose heading says so: `2 594`."""
    return formats.number(None if value is None else value / 1000)


@register.simple_tag(takes_context=True)
def planned(context, value, unit):
    """A planned figure in its unit and the company's currency. Beside a count that had to be made whole its exact value
    stands for the tables as files."""
    text = formats.planned(value, unit, context["request"].company.currency)
    if unit != "count" or formats.absent(value) or value == value.to_integral_value():
        return text
    return format_html('<data value="{}">{}</data>', f"{round(value, 6):f}", text)


@register.filter
def figure_part(value):
    """The figure of a scaled amount: `25,88`."""
    return formats.scaled(value)[0]


@register.filter
def unit_part(value):
    """The unit word of a scaled amount: `млн`."""
    return formats.scaled(value)[1]


@register.simple_tag(takes_context=True)
def moment(context, value, year=True):
    """A moment in the company's zone: `19.11.2026, 06:10`."""
    return formats.moment(value, context["request"].company.zone, year)


@register.simple_tag(takes_context=True)
def clock(context, value):
    """The time of day in the company's zone: `06:10`."""
    return formats.clock(value, context["request"].company.zone)


@register.simple_tag
def days(start, end, year=True):
    """A range of days: `16–22.11.2026`."""
    return formats.days(start, end, year)
