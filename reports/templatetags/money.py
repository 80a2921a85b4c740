"""Tags of the pages of money: links from a figure to its facts, the money sentence, names of spans and states."""

from datetime import date

from django import template
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from kpis import periods
from kpis.links import facts_url, opened
from reports.states import MARKS, State
from roles import formats

register = template.Library()

A_YEAR = 300
"""Days behind from which a day is written with its year, for it may be taken for one of this year."""


@register.simple_tag
def span_name(span) -> str:
    """`Ноябрь 2026`, `Неделя 47, 16–22.11.2026`, `4-й квартал 2026`, `2026`."""
    if span.kind == "month":
        return formats.month(span.start)
    if span.kind == "week":
        values = {"number": periods.week_number(span.start), "days": formats.days(span.start, span.end)}
        return _("Week %(number)s, %(days)s") % values
    if span.kind == "quarter":
        return _("Quarter %(number)s of %(year)s") % {"number": span.quarter, "year": span.start.year}
    return str(span.start.year)


@register.simple_tag(takes_context=True)
def money_headline(context, span, earnings, company=None) -> str:
    """«В ноябре заработали **6 452 360 ₽** с ROMI **250 %**», as the page's heading, its figures open to their facts; of the
    request's company or the one given."""
    company = company or context["request"].company
    when = _when(span)
    if earnings.earned is None:
        return _("%(when)s: what was earned is not known yet") % {"when": when}

    def bold(code: str, figure: str) -> str:
        return format_html("<b>{}</b>", opened(figure, facts_url(company, code, span.start, span.until, kpi=True)))

    values = {
        "when": when,
        "money": bold("earned", formats.money(abs(earnings.earned), company.currency)),
        "romi": bold("romi", formats.percent(earnings.romi)),
    }
    if earnings.earned < 0:
        return mark_safe(_("%(when)s we lost %(money)s") % values)
    if earnings.romi is None:
        return mark_safe(_("%(when)s we earned %(money)s") % values)
    return mark_safe(_("%(when)s we earned %(money)s with a ROMI of %(romi)s") % values)


def _when(span) -> str:
    year = span.start.year
    if span.kind == "month":
        month = formats.month_in(span.start)
        this_year = span.last is not None and not span.is_over
        return _("In %(month)s") % {"month": month if this_year else f"{month}{formats.NBSP}{year}"}
    if span.kind == "week":
        return _("In week %(number)s") % {"number": periods.week_number(span.start)}
    if span.kind == "quarter":
        return _("In quarter %(number)s") % {"number": span.quarter}
    return _("In %(year)s") % {"year": year}


@register.simple_tag
def plan_sentence(span, earnings) -> str:
    """«Это **96 %** плана на 19.11 и на 18 % больше, чем за те же дни 2025 года.»; empty where neither is known."""
    clauses = []
    if earnings.of_plan is not None:
        share = format_html("<b>{}</b>", formats.percent(earnings.of_plan))
        by = {"share": share, "day": formats.day(span.until, year=False)}
        clauses.append(_("%(share)s of the plan") % by if span.is_over else _("%(share)s of the plan by %(day)s") % by)
    change = earnings.change
    if change is not None and earnings.earned > 0:
        values = {"change": formats.percent(abs(change)), "year": span.a_year_before()[0].year}
        more = _("%(change)s more than in the same days of %(year)s")
        clauses.append((more if change >= 0 else _("%(change)s less than in the same days of %(year)s")) % values)
    if not clauses:
        return ""
    if len(clauses) == 1:
        return mark_safe(_("This is %(what)s.") % {"what": clauses[0]})
    return mark_safe(_("This is %(what)s and %(more)s.") % {"what": clauses[0], "more": clauses[1]})


@register.simple_tag
def weeks_label(what, mondays) -> str:
    """What a spark says to those who do not see it: «Выручка по неделям, 13 недель, с 34-й по 46-ю»."""
    values = {
        "what": what, "first": periods.week_number(mondays[0]), "last": periods.week_number(mondays[-1]),
    }  # fmt: skip
    return _("%(what)s by week, 13 weeks, from week %(first)s to week %(last)s") % values


@register.filter
def state_words(state) -> str:
    """The word of a channel's state, beside its mark."""
    return {
        "firing": _("Stop-rule"), "pending": _("Near the stop line"), "muted": _("Continued by decision"),
        "recovering": _("Recovering"), "no_data": _("No data"), "ok": _("In order"), "stopped": _("Stopped"),
        "paused": _("Paused"), "planned": _("Planned"), "unruled": _("No stop-rules"),
        "disabled": _("Not watched"),
    }[state.code]  # fmt: skip


@register.filter
def figure_state(state: str) -> str:
    """The word of a figure's state."""
    return {
        "over": _("over budget"), "behind": _("behind"), "above": _("above the goal"), "below": _("below the goal"),
    }.get(state, "")  # fmt: skip


@register.filter
def iso_day(value: date) -> str:
    return value.isoformat()


@register.simple_tag(takes_context=True)
def amount_parts(context, value, unit) -> tuple[str, str]:
    """A large figure and the small words after it: (`25,88`, `млн ₽`), (`22 273`, `₽`), (`4,7`, ``)."""
    if value is None:
        return formats.NOTHING, ""
    if unit != "money":
        return formats.figure(value, unit), ""
    currency = context["request"].company.currency
    figure, word = formats.scaled(value)
    return figure, formats.NBSP.join(part for part in (word, formats.CURRENCIES.get(currency, currency)) if part)


@register.simple_tag
def table_money(value, in_thousands) -> str:
    """An amount without its unit, in thousands where the table says so."""
    return formats.number(value if value is None or not in_thousands else value / 1000)


@register.simple_tag
def freshness_state(row) -> tuple[str, str]:
    """(mark, word) of a source."""
    if row.state == "fresh":
        return "ok", _("fresh")
    if row.last_day is None:
        return "none", _("nothing yet")
    is_old = row.days_behind > A_YEAR
    if row.state == "silent":
        return "stop", _("silent since %(day)s") % {"day": formats.day(row.silent_since, year=is_old)}
    day = formats.day(row.last_day, year=is_old)
    return ("watch" if row.state == "late" else "none"), _("up to %(day)s") % {"day": day}


@register.simple_tag
def channel_state(code: str) -> tuple[str, str]:
    """(mark, word) of a channel's state by its code."""
    state = State(code, MARKS.get(code, "ok"))
    return state.mark, state_words(state)


@register.simple_tag
def rule_state(line) -> tuple[str, str]:
    """(mark, word) of a rule on one channel."""
    if line.state == "firing" and line.since:
        return "stop", _("fired on %(day)s") % {"day": formats.day(line.since, year=False)}
    return channel_state("ok" if line.state == "none" else line.state)


@register.filter
def campaign_state(code: str) -> str:
    """The word of a campaign's state, beside its mark."""
    return {
        "firing": _("Stop-rule"), "stop_loss": _("Stop-loss"), "budget": _("The budget is used up"),
        "stopped": pgettext("campaign", "Stopped"), "paused": pgettext("campaign", "Paused"),
        "planned": pgettext("campaign", "Planned"), "pending": _("Near the stop line"), "recovering": _("Recovering"), "muted": _("Continued by decision"), "no_data": _("No data"),
    }.get(code, _("In order"))  # fmt: skip
