"""Which facts a figure of a decision opens to: a formula and days. The pages make the links of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from kpis import formulas
from kpis.day_classes import Window
from kpis.formulas import Formula
from kpis.series import last_day_taken


@dataclass(frozen=True)
class Behind:
    """A formula as a text and the days [start, end] of the scope in question."""

    measure: str
    start: date
    end: date


@dataclass(frozen=True)
class Parts:
    """Texts of the formulas behind the columns of a decision's days; empty where a column is none of facts. `window`: of the rule,
    which says how many days a row takes."""

    numerator: str = ""
    denominator: str = ""
    over: str = ""
    window: str = ""

    def until(self, day: date) -> date:
        return last_day_taken(self.window, day)


def parts_of(seen: Mapping) -> Parts:
    """Of some evidence: nothing of a budget, whose rows are sums since its period began."""
    window = seen.get("rule", {}).get("window")
    text = seen.get("kpi", {}).get("formula")
    if not text or window == Window.BUDGET:
        return Parts()
    formula, line = formulas.parse(text), seen.get("line")
    below = seen["rule"]["comparison"] == "below"
    return Parts(
        formulas.written(formula.numerator), formulas.written(formula.denominator),
        formulas.over(formula, Decimal(line), below=below) if line is not None else "",
        window,
    )  # fmt: skip


def burned_behind(seen: Mapping) -> Behind | None:
    """The facts of what is over the line since the breach began."""
    parts = parts_of(seen) if seen and seen.get("is_money") else Parts()
    if not parts.over or not seen.get("first_day"):
        return None
    first, last = (date.fromisoformat(seen[name]) for name in ("first_day", "last_day"))
    return Behind(parts.over, first, parts.until(first) if parts.window == Window.EVENT else last)


def over_behind(formula: Formula | None, line: Decimal, start: date, end: date, *, kept: bool = False) -> Behind | None:
    """The facts of what is over a line, or with `kept` of what stayed under it, on these days."""
    text = formulas.over(formula, line, below=kept) if formula else ""
    return Behind(text, start, end) if text and start <= end else None
