"""States, classes of a day and their reasons in words, with the shape that goes with each (`st-…` of the stylesheet)."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from kpis.day_classes import BY_DAY, Rule, Window
from kpis.engine import FALSE_ALARM_DAYS
from kpis.formulas import FormulaError, parse
from kpis.metrics import MetricInfo
from kpis.models import StopRuleVersion, Verdict
from roles import formats
from roles.models import Channel


@dataclass(frozen=True)
class Mark:
    """Shape and word of a state."""

    css: str
    label: str


def state_mark(state: str, version: StopRuleVersion, streak: int = 0) -> Mark:
    """The state of a scope; `1 of 3` while bad days gather. An empty state: nothing was judged yet."""
    needed = Rule(line=version.line, window=Window(version.window), n=version.n or 1, m=version.m).needed
    marks = {
        "ok": ("ok", pgettext("stop-rule", "within the line")),
        "pending": (
            "watch",
            _("%(k)s of %(n)s bad days") % {"k": streak, "n": needed} if streak else _("bad days gather"),
        ),
        "firing": ("stop", pgettext("stop-rule", "fires")),
        "muted": ("pause", _("goes on by a signature")),
        "stopped": ("pause", _("stopped by a signature")),
        "recovering": ("wait", _("first days after the restart")),
        "no_data": ("none", _("no data")),
        "disabled": ("pause", pgettext("stop-rule", "off")),
    }
    return Mark(*marks.get(state, ("wait", _("no days judged yet"))))


def class_mark(day_class: str) -> Mark:
    marks = {
        "not_ready": ("wait", _("too fresh to judge")),
        "missing": ("none", _("figures unknown")),
        "inactive": ("pause", _("nothing spent, nothing came")),
        "thin": ("wait", _("too few to judge")),
        "breach": ("stop", _("beyond the line")),
        "grey": ("watch", _("close to the line")),
        "ok": ("ok", pgettext("stop-rule", "within the line")),
    }
    return Mark(*marks[day_class])


def why(day_class: str, state: str, streak: int, version: StopRuleVersion) -> str:
    """Why the rule fired or did not fire on that day, in one short sentence."""
    if state == "stopped":
        return _("Not watched: stopped by a signature.")
    if state == "recovering":
        return _("Does not count: the first days after the restart.")
    if state == "no_data":
        return _("No verdict: too many days in a row without figures. Never taken for good news.")
    if state == "muted":
        return _("No question is asked: it goes on by a signature.")
    if state == "firing":
        return _("The rule fires.") if day_class == "breach" else _("Still fires: it takes more good days to end.")
    needed = Rule(line=version.line, window=Window(version.window), n=version.n or 1, m=version.m).needed
    if not streak and day_class in ("ok", "grey") and version.window not in BY_DAY:
        return _("Nothing to ask about.") if day_class == "ok" else _("Not beyond the line yet.")
    reasons = {
        "breach": _("Did not fire: %(k)s of %(n)s bad days.") % {"k": streak, "n": needed}
        if streak < needed
        else _("Did not fire: the 7 days together are within the line."),
        "thin": _("Does not count: fewer than the smallest sample."),
        "inactive": _("Does not count: nothing happened."),
        "missing": _("Does not count: a figure is unknown."),
        "grey": _("Not beyond the line: the count of bad days begins anew."),
        "ok": _("A good day: the count of bad days begins anew."),
    }
    return reasons.get(day_class, "")


def scope_words(version: StopRuleVersion) -> str:
    """Where the rule looks: `VK Реклама`, `every campaign of VK Реклама`, `all channels: Paid`."""
    if version.channel:
        place = version.channel.name
    elif version.channel_kind:
        place = _("all channels of the kind “%(kind)s”") % {"kind": Channel.Kind(version.channel_kind).label}
    else:
        place = _("all channels")
    return _("%(place)s, each campaign") % {"place": place} if version.per == "campaign" else place


def holds(verdict: Verdict | None, currency: str) -> str:
    """How long a signed “continue” or false alarm holds; empty for anything else. Without a currency no money is told."""
    if verdict is None:
        return ""
    if verdict.kind == Verdict.Kind.FALSE_ALARM:
        last = verdict.day + timedelta(days=FALSE_ALARM_DAYS - 1)
        return _("a false alarm, silent until %(day)s") % {"day": formats.day(last, year=False)}
    if verdict.kind != Verdict.Kind.CONTINUE:
        return ""
    until = _("until %(day)s") % {"day": formats.day(verdict.until, year=False)} if verdict.until else ""
    if verdict.extra_spend is None:
        return until
    spent = _("until %(money)s more is spent") % {"money": formats.money(verdict.extra_spend, currency)}
    return _(" or ").join(text for text in (until, spent if currency else "") if text)


def side_names(version: StopRuleVersion, formula: str, metrics: dict[str, MetricInfo]) -> tuple[str, str]:
    """How numerator and denominator of a rule's KPI are called in a table."""
    if version.window == Window.BUDGET:
        return _("Spent so far"), _("Budget")
    try:
        parsed = parse(formula)
    except FormulaError:
        return "", ""

    def name(side) -> str:
        if len(side) == 1 and side[0][1] == 1 and side[0][0] in metrics:
            return str(metrics[side[0][0]].name)
        return _("Numerator") if side is parsed.numerator else _("Denominator")

    return name(parsed.numerator), name(parsed.denominator)
