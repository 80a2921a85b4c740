"""The sentences of decisions, in the reader's language: what happened, what a choice means, what was chosen."""

from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from kpis.metrics import BUILT_IN
from processes.evidence import amount, said
from processes.models import Choice, Decision
from roles import formats

MOST_VALUES = 7
SAID_WHOLE = ("since_conversion", "budget")
"""Windows whose rule says more than a line and a number of days."""


def kpi_name(evidence: dict) -> str:
    return said(evidence["kpi"]["name"])


def part_name(part: dict) -> str:
    """The name of a side of the formula: a built-in metric in the reader's language, else as it was kept."""
    return str(BUILT_IN[part["code"]].name) if part["code"] in BUILT_IN else part["name"]


def part_figure(value: str | None, part: dict, currency: str) -> str:
    return formats.figure(amount(value), part["unit"], currency)


def value_figure(value: str | None, evidence: dict, currency: str) -> str:
    return formats.figure(amount(value), evidence["kpi"]["unit"], currency)


def breaching(evidence: dict) -> list[dict]:
    return [row for row in evidence.get("days", ()) if row["breaching"]]


def headline(evidence: dict, currency: str) -> str:
    """«CPA выше 3 500 ₽ 4 дня, 16–19.11»; without figures for those who may not see them. Empty without evidence."""
    if not evidence:
        return ""
    rows = breaching(evidence) or evidence["days"][-1:]
    sentence = said(evidence["rule"]["sentence"])
    if sentence and (not rows or evidence["rule"]["window"] in SAID_WHOLE):
        return sentence.removesuffix(".")
    if not rows:
        return kpi_name(evidence)
    first, last = date.fromisoformat(rows[0]["date"]), date.fromisoformat(rows[-1]["date"])
    words = {
        "kpi": kpi_name(evidence), "line": value_figure(evidence["line"], evidence, currency),
        "count": formats.in_days(len(rows)), "days": formats.days(first, last, year=False),
    }  # fmt: skip
    if evidence["rule"]["window"] == "event" and evidence["line"] is not None:
        return _("%(kpi)s of the mailing above %(line)s, %(days)s") % words
    if evidence["line"] is None:
        return _("%(kpi)s beyond the stop line for %(count)s, %(days)s") % words
    if evidence["rule"]["comparison"] == "below":
        return _("%(kpi)s below %(line)s for %(count)s, %(days)s") % words
    return _("%(kpi)s above %(line)s for %(count)s, %(days)s") % words


def quote(evidence: dict, currency: str) -> str:
    """The headline with the figures of the breaching days, as the page opens: «…: 4 900, 5 300 и 5 520 ₽.»"""
    text = headline(evidence, currency)
    values = [row["value"] for row in breaching(evidence)] if evidence else []
    known = [value_figure(value, evidence, currency) for value in values if value is not None]
    figures = known[-MOST_VALUES:]
    if not text or not figures:
        return f"{text}." if text else ""
    listed = figures[0] if len(figures) == 1 else _("%(some)s and %(last)s") % {
        "some": ", ".join(figures[:-1]), "last": figures[-1],
    }  # fmt: skip
    return f"{text}: {listed}." if len(known) == len(figures) else _("%(text)s. The last of them: %(listed)s.") % {
        "text": text, "listed": listed,
    }  # fmt: skip


def consequence(option: dict, evidence: dict, currency: str) -> str:
    """What a choice costs or saves, where it is known."""
    if option["choice"] == Choice.STOP:
        return _stop(option, evidence, currency)
    if option["choice"] == Choice.CONTINUE and (costs := positive(option["costs_per_day"])):
        return _("Every day costs another ≈ %(money)s over the line") % {"money": about(costs, currency)}
    if option["choice"] == Choice.CONTINUE:
        return _("Until a date, fourteen days at most; then the question comes back")
    if option["choice"] == Choice.REWRITE:
        return _("The rule waits until the new version is accepted, then it looks again")
    if option["choice"] == Choice.CUT and (spend := positive(option["spend_per_day"])):
        return _("Now ≈ %(money)s a day") % {"money": about(spend, currency)}
    if option["choice"] == Choice.CUT:
        return _("The money goes on, but less of it")
    return _("The figures are right, but this is no reason to act: the rule rests for three days")


def _stop(option: dict, evidence: dict, currency: str) -> str:
    saves, forgoes = positive(option["saves_per_day"]), positive(option["forgoes_per_day"])
    if saves is None:
        return _("Nothing is spent any more until somebody starts it again")
    words = {"money": about(saves, currency)}
    if forgoes is None:
        return _("Saves ≈ %(money)s a day") % words
    words |= {"count": formats.number(forgoes), "what": part_name(evidence["denominator"]).lower()}
    return _("Saves ≈ %(money)s a day, forgoes ≈ %(count)s a day: %(what)s") % words


def positive(text: str | None) -> Decimal | None:
    value = amount(text)
    return value if value is not None and value > 0 else None


def about(value: Decimal, currency: str) -> str:
    """A rounded amount for an estimate: 13 422 → 13 400."""
    size = Decimal(100) if value >= 10_000 else Decimal(10) if value >= 1000 else Decimal(1)
    return formats.money((value / size).quantize(Decimal(1)) * size, currency)


def choice_title(choice: str) -> str:
    """The name of a choice as the form and the record head it."""
    titles = {
        Choice.STOP: _("Stop it"), Choice.CONTINUE: _("Continue until a date"), Choice.REWRITE: _("Rewrite it"),
        Choice.CUT: _("Cut the budget"), Choice.FALSE_ALARM: _("False alarm"),
    }  # fmt: skip
    return titles[choice] if choice else ""


def terms_lines(decision: Decision, *, sees_money: bool, campaigns: dict[int, str]) -> list[tuple[str, str]]:
    """The terms of the choice as (name, value), in the order they are read; amounts only for those who may see them."""
    terms, currency = decision.terms, decision.company.currency
    lines = [
        (_("Until"), _day(terms.get("until"))),
        (_("Return to the question"), _day(terms.get("resume_on"))),
        (_("Keeps running"), ", ".join(campaigns.get(pk, f"№ {pk}") for pk in terms.get("keep", ()))),
        (_("Who rewrites"), terms.get("assignee_name", "")),
        (_("Who checks"), terms.get("checker_name", "")),
        (_("By which day"), _day(terms.get("due"))),
        (_("Expected"), _promise(decision, sees_money)),
        (_("Besides"), terms.get("expected", "")),
    ]
    if sees_money:
        lines += [
            (_("Or until extra spend of"), _money(terms.get("extra_spend"), currency)),
            (_("New budget"), _money(terms.get("budget"), currency)),
        ]
    return [line for line in lines if line[1]]


def _promise(decision: Decision, sees_money: bool) -> str:
    """«CPA не выше 3 100 ₽ к 01.12.2026»; without the figure for those who may not see it."""
    terms, seen = decision.terms, decision.evidence
    day = _day(terms.get("expected_on"))
    if "expected_value" not in terms or not seen or (seen["reveals_money"] and not sees_money):
        return day
    words = {
        "kpi": kpi_name(seen), "day": day,
        "value": formats.figure(amount(terms["expected_value"]), seen["kpi"]["unit"], decision.company.currency),
    }  # fmt: skip
    lower = seen["rule"]["comparison"] == "above"
    if day:
        text = _("%(kpi)s at most %(value)s by %(day)s") if lower else _("%(kpi)s at least %(value)s by %(day)s")
    else:
        text = _("%(kpi)s at most %(value)s") if lower else _("%(kpi)s at least %(value)s")
    return text % words


def _day(text: str | None) -> str:
    return formats.day(date.fromisoformat(text)) if text else ""


def _money(text: str | None, currency: str) -> str:
    return formats.money(amount(text), currency) if text else ""
