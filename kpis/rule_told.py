"""The terms of a stop-rule in words: those that its sentence leaves out, and what a version changed against the one before."""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from kpis.day_classes import Window
from kpis.forms.rule_choices import NO_DATA
from kpis.models import StopRuleVersion
from kpis.rule_words import scope_words
from kpis.sentences import current_kpi, exact, measured
from roles import formats

STREAKS = (Window.IN_A_ROW, Window.M_OF_N)
RETURNS = (*STREAKS, Window.POOLED, Window.BUDGET)
"""Windows whose firing ends with good days: of a mailing nothing comes back, and a drip ends with one result."""


@dataclass(frozen=True)
class Change:
    """One term before and after, in words."""

    label: str
    old: str
    new: str


def finer_terms(version: StopRuleVersion, *, money: bool = True) -> dict[str, str]:
    """Label → words of the terms that do not stand in the sentence; without `money` no amount is told."""
    told = {
        _("A day without figures"): str(dict(NO_DATA)[version.no_data]),
        _("Figures settle"): _days(version.settling_days),
    }
    if version.window in STREAKS and version.max_span:
        told[_("Bad days fit in")] = _days(version.max_span)
    if version.zero_line is not None:
        told[_("Zero line")] = _amount(version, version.zero_line, money)
    if version.window in RETURNS:
        told[_("Good again at")] = _("%(line)s or better") % {"line": _amount(version, _clear_line(version), money)}
        told[_("Ends after")] = ngettext("%(n)s good day running", "%(n)s good days running", version.clear_days) % {
            "n": version.clear_days
        }
    if version.confirm_pooled_7d:
        told[_("Confirmation")] = _("the last 7 days together are beyond the line too")
    if version.shadow_until:
        told[_("In the shadow")] = _("until %(day)s") % {"day": formats.day(version.shadow_until)}
    return told


def changes_of(version: StopRuleVersion, before: StopRuleVersion | None, *, money: bool = True) -> list[Change]:
    """What `version` says otherwise than `before`, term by term; nothing of the first one."""
    if before is None:
        return []
    old, new = _all_terms(before, money), _all_terms(version, money)
    return [
        Change(label, old.get(label, formats.NOTHING), new.get(label, formats.NOTHING))
        for label in {**new, **old}
        if old.get(label) != new.get(label)
    ]


def _all_terms(version: StopRuleVersion, money: bool) -> dict[str, str]:
    told = {
        _("Name of the rule"): version.name,
        _("How it counts"): version.get_window_display(),
        _("KPI"): measured(version, current_kpi(version))[1],
        _("Where it looks"): scope_words(version),
        _("Beyond the line is"): version.get_comparison_display(),
        _("Stop line"): _amount(version, version.line, money),
        _("What it proposes"): version.get_action_display(),
        _("Smallest sample"): formats.count(version.minimum_sample),
        _("Who answers for the rule"): str(version.owner),
        _("The rule is"): pgettext("stop-rule", "on") if version.active else pgettext("stop-rule", "off"),
    }
    for label, value in (
        (_("How many days"), version.n), (_("How many of them bad"), version.m),
        (_("How many lines may be spent"), version.k),
    ):  # fmt: skip
        if value is not None:
            told[label] = formats.count(value)
    if version.period:
        told[_("Whose budget")] = version.get_period_display()
    return told | finer_terms(version, money=money)


def _days(number: int) -> str:
    return ngettext("%(n)s day", "%(n)s days", number) % {"n": number}


def _amount(version: StopRuleVersion, value: Decimal, money: bool) -> str:
    if not money:
        return _("not shown")
    return exact(value, measured(version, current_kpi(version))[0], version.company.currency)


def _clear_line(version: StopRuleVersion) -> Decimal:
    """Between it and the line a day is neither good nor bad; of a “below” rule it lies above the line."""
    gap = (1 - version.clear_ratio) * abs(version.line)
    return version.line - gap if version.comparison == StopRuleVersion.Comparison.ABOVE else version.line + gap
