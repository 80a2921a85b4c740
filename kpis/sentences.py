"""A stop-rule in words: one sentence, in the reader's language."""

from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kpis.day_classes import Window
from kpis.formulas import parse
from kpis.metrics import BUILT_IN
from kpis.models import KpiVersion, StopRuleVersion
from kpis.wording import inside
from roles import formats


def current_kpi(version: StopRuleVersion) -> KpiVersion | None:
    """The KPI's version in force: loaded by the selectors, asked for where it was not."""
    loaded = getattr(version.kpi, "current", None)
    if loaded is None:
        found = KpiVersion.objects.filter(company_id=version.company_id, kpi_id=version.kpi_id, superseded_at=None)
        loaded = [row] if (row := found.first()) else []
        version.kpi.current = loaded
    return loaded[0] if loaded else None


def measured(version: StopRuleVersion, kpi: KpiVersion | None) -> tuple[str, str]:
    """Unit of what the rule compares with its line, and its name: the KPI's, but a budget is compared as a share of it."""
    if version.window == Window.BUDGET:
        return "share", _("Share of the budget spent")
    return (kpi.unit, str(kpi)) if kpi else ("number", version.kpi.code)


def rule_sentence(version: StopRuleVersion, *, money: bool = True) -> str:
    """«Если CPA выше 3 500 ₽ 3 дня подряд, в день не меньше 3 (заявки), то остановить». Without `money` the line is not told."""
    kpi = current_kpi(version)
    parts = {
        "kpi": inside(str(kpi)) if kpi else version.kpi.code,
        "line": _line(version, kpi, version.line, money),
        "action": ACTIONS[version.action](),
    }
    if version.window == "since_conversion":
        spent = _line(version, kpi, (version.k or 0) * version.line, money)
        text = _("If %(spent)s is spent without a result (%(what)s), then %(action)s")
        return text % {**parts, "spent": spent, "what": _denominator(kpi)}
    if version.window == Window.BUDGET:
        return _budget_sentence(version) % {**parts, "share": exact(version.line - 1, "share")}
    condition = _("%(kpi)s is above %(line)s") if version.comparison == "above" else _("%(kpi)s is below %(line)s")
    parts |= {"condition": condition % parts, "window": _window(version), "sample": _sample(version, kpi)}
    return _("If %(condition)s %(window)s%(sample)s, then %(action)s") % parts


ACTIONS = {
    "stop": lambda: _("propose to stop"),
    "rewrite": lambda: _("propose to rewrite"),
    "cut": lambda: _("propose to cut the budget"),
    "review": lambda: _("propose a review"),
}


def _budget_sentence(version: StopRuleVersion) -> str:
    if version.period == StopRuleVersion.Period.TEST:
        return _(
            "If a test spends more than %(share)s over its budget or loses more than its stop-loss, then %(action)s"
        )
    return _(
        "If a month's spend is more than %(share)s over the budget or its loss beyond the stop-loss, then %(action)s"
    )


def _line(version: StopRuleVersion, kpi: KpiVersion | None, value: Decimal, money: bool) -> str:
    unit = kpi.unit if kpi else "number"
    if not money:
        return _("the line")
    return exact(value, unit, version.company.currency)


def exact(value: Decimal, unit: str, currency: str = "RUB") -> str:
    """A line as it was written, with every place of it: a rounded one would tell of another rule."""
    places = max(0, -(value * 100 if unit == "share" else value).normalize().as_tuple().exponent)
    if unit == "share":
        return formats.percent(value, places)
    if unit == "money":
        return formats.money(value, currency, max(places, 2) if places else 0)
    return formats.number(value, places)


def _window(version: StopRuleVersion) -> str:
    n = version.n or 1
    if version.window == "in_a_row":
        return ngettext("%(n)s day in a row", "%(n)s days in a row", n) % {"n": n}
    if version.window == "m_of_n":
        return ngettext("%(m)s day of the last %(n)s", "%(m)s days of the last %(n)s", version.m or n) % {
            "m": version.m, "n": n,
        }  # fmt: skip
    if version.window == "pooled":
        return ngettext("over %(n)s day taken together", "over %(n)s days taken together", n) % {"n": n}
    return _("for one mailing") if version.window == Window.EVENT else version.get_window_display()


def _sample(version: StopRuleVersion, kpi: KpiVersion | None) -> str:
    if not version.minimum_sample:
        return ""
    amount = formats.count(version.minimum_sample)
    text = (
        _(", with at least %(n)s (%(what)s)")
        if version.window in (Window.POOLED, Window.EVENT)
        else _(", with at least %(n)s a day (%(what)s)")
    )
    return text % {"n": amount, "what": _denominator(kpi)}


def _denominator(kpi: KpiVersion | None) -> str:
    """What is counted under the fraction, by name; by code where the name stands in the database."""
    if kpi is None:
        return ""
    side = parse(kpi.formula).denominator
    return ", ".join(str(BUILT_IN[code].name).lower() if code in BUILT_IN else code for code, _factor in side)
