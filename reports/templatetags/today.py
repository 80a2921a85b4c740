"""Tags of today's page: its heading, the day in words, how much time is left."""

from django import template
from django.urls import reverse
from django.utils import formats as django_formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kpis import periods
from roles import formats

register = template.Library()


@register.simple_tag(takes_context=True)
def in_company(context, name, args, company=None):
    """A link inside the company (the request's, or the one given) from a name and arguments that code has chosen."""
    return reverse(name, args=[(company or context["request"].company).slug, *args])


@register.simple_tag
def day_and_week(day, short=False) -> str:
    """`Пятница, 20.11.2026, неделя 47.`; short: `Пт 20.11, неделя 47`."""
    number = periods.week_number(day)
    if short:
        values = {"weekday": formats.weekday_short(day), "day": formats.day(day, year=False), "number": number}
        return _first_large(_("%(weekday)s %(day)s, week %(number)s") % values)
    values = {"weekday": django_formats.date_format(day, "l"), "day": formats.day(day), "number": number}
    return _first_large(_("%(weekday)s, %(day)s, week %(number)s.") % values)


def _first_large(text: str) -> str:
    return text[:1].upper() + text[1:]


@register.simple_tag
def today_headline(page) -> str:
    """How much is due today and by when, else what is past its deadline, else what others have not filed."""
    zone = page.person.company.zone
    if page.due_today:
        count = len(page.due_today)
        things = ngettext("%(n)s thing to do", "%(n)s things to do", count) % {"n": formats.number(count)}
        return _("Today by %(time)s: %(things)s") % {"time": formats.clock(page.last_due, zone), "things": things}
    if page.overdue:
        count = len(page.overdue)
        return ngettext("Past its deadline: %(n)s thing", "Past their deadline: %(n)s things", count) % {
            "n": formats.number(count)
        }
    if page.late:
        return _("Not filed in time: %(n)s") % {"n": formats.number(len(page.late))}
    return _("Nothing is due today")


@register.simple_tag(takes_context=True)
def due_words(context, item, at, company=None) -> str:
    """`до 18:00.`, `до пн 23.11, 12:00.`, `Срок прошёл 2 ч назад.`, by the clock of the request's company or the one given."""
    company = company or context["request"].company
    if item.due_at <= at:
        return _("The deadline passed %(time)s ago.") % {"time": formats.duration(at - item.due_at)}
    if company.local_date(item.due_at) == company.local_date(at):
        return _("by %(time)s.") % {"time": formats.clock(item.due_at, company.zone)}
    return _("by %(time)s.") % {"time": weekday_day_clock(context, item.due_at, company)}


@register.simple_tag(takes_context=True)
def weekday_day_clock(context, value, company=None) -> str:
    """`пн 23.11, 12:00` by the clock of the request's company, or of the one given."""
    zone = (company or context["request"].company).zone
    local = value.astimezone(zone).date()
    day = f"{formats.weekday_short(local)}{formats.NBSP}{formats.day(local, year=False)}"
    return f"{day}, {formats.clock(value, zone)}"
