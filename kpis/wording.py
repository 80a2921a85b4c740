"""Formulas in words of the reader's language: with the names of metrics, with figures plugged in, and what is wrong with one."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from kpis.formulas import Formula, FormulaError
from kpis.metrics import MetricInfo
from roles import formats

SIGNS = {"-": "−", "*": "×"}
NBSP = formats.NBSP

PROBLEMS = {
    "empty": _("Write a formula, for example: spend / leads."),
    "too_long": _("The formula is too long: 300 characters at most."),
    "too_deep": _("Place %(place)s: the brackets are nested too deep."),
    "unknown_sign": _(
        "Place %(place)s: “%(piece)s” is not understood. Metric codes in lower case, numbers with a point, + − * / and brackets are."
    ),
    "unexpected": _("Place %(place)s: “%(piece)s” does not belong here. Put a sign between two metrics and check the brackets."),
    "unfinished": _("Place %(place)s: the formula breaks off. Write the metric that is missing."),
    "unclosed": _("Place %(place)s: this bracket is never closed."),
    "not_linear": _("Place %(place)s: metrics may not be multiplied, nor divided twice. A formula is one sum over one sum."),
    "different_denominators": _("Place %(place)s: two fractions with different denominators cannot be added."),
    "constant": _("A bare number cannot be added to a metric: over several days it would count once or every day."),
    "division_by_zero": _("Place %(place)s: division by zero."),
    "no_metric": _("No metric is left above or below the line. Name at least one, for example: spend / leads."),
    "out_of_range": _("A factor is too large or too small to be true."),
}  # fmt: skip


def problem(error: FormulaError) -> str:
    """What is wrong with a formula, where, and what to do."""
    return str(PROBLEMS[error.code]) % {"place": error.position + 1, "piece": error.piece}


def in_words(formula: Formula, metrics: Mapping[str, MetricInfo]) -> str:
    """«(Валовая прибыль − расход) / расход»."""
    text = _written(formula, lambda code: inside(str(metrics[code].name)) if code in metrics else code)
    first = next((place for place, sign in enumerate(text) if sign.isalnum()), None)
    return text if first is None else text[:first] + text[first].upper() + text[first + 1 :]


def with_sums(
    formula: Formula, sums: Mapping[str, Decimal | None], metrics: Mapping[str, MetricInfo], currency: str
) -> str:
    """«(1 978 000 ₽ − 565 000 ₽) / 565 000 ₽»; a metric without a sum is «—»."""
    return _written(formula, lambda code: formats.figure(sums.get(code), metrics[code].unit, currency))


def inside(name: str) -> str:
    """A name as it stands inside a sentence: «Расход» → «расход», «SQL» stays."""
    return name[:1].lower() + name[1:] if name[1:2].islower() else name


def _written(formula: Formula, name: Callable[[str], str]) -> str:
    parts: list[str] = []
    previous = ""
    for kind, piece in formula.tokens():
        if kind == "code":
            parts.append(name(piece))
        elif kind == "number":
            parts.append(formats.number(Decimal(piece), len(piece.partition(".")[2])))
        elif piece in "()":
            parts.append(piece)
        elif previous in {"", "("} or previous in "+-*/":
            parts.append(SIGNS.get(piece, piece))
        else:
            parts.append(f" {SIGNS.get(piece, piece)} ")
        previous = piece
    return "".join(parts)
