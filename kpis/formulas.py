"""KPI formulas: numerator / denominator, both linear in metrics. A small hand-written grammar; nothing is evaluated as code.

formula := sum        sum := product (("+" | "-") product)*
product := sign (("*" | "/") sign)*        sign := ("+" | "-")* atom
atom := number | metric code | "(" sum ")"
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import lcm

LONGEST = 300
DEEPEST = 20
LARGEST = Fraction(10**12)
SMALLEST = Fraction(1, 10**9)
TOKEN = re.compile(r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<code>[a-z][a-z0-9_]*)|(?P<sign>[-+*/()]))")
TYPED_SIGNS = str.maketrans("−–×·÷:", "--**//")

Form = Mapping[str, Fraction]
"""A linear form: coefficients by metric code, the constant under the empty code; no zero coefficients."""


class FormulaError(ValueError):
    """What is wrong with a formula: a stable `code`, the `position` (0-based) in the text, the `piece` it is about."""

    MESSAGES = {
        "empty": "the formula is empty",
        "too_long": f"the formula is longer than {LONGEST} characters",
        "too_deep": f"brackets are nested deeper than {DEEPEST}",
        "unknown_sign": "this sign is not allowed here",
        "unexpected": "this does not belong here",
        "unfinished": "the formula breaks off",
        "unclosed": "this bracket is never closed",
        "not_linear": "metrics may not be multiplied or divided twice: a formula is one numerator over one denominator",
        "different_denominators": "two fractions with different denominators cannot be added",
        "constant": "a bare number cannot be added to a metric",
        "division_by_zero": "division by zero",
        "no_metric": "no metric is left in the numerator or the denominator",
        "out_of_range": "a factor is too large or too small",
    }

    def __init__(self, code: str, position: int, piece: str = ""):
        super().__init__(f"{self.MESSAGES[code]} (position {position + 1})")
        self.code, self.position, self.piece = code, position, piece


@dataclass(frozen=True)
class Formula:
    """A parsed formula. `denominator` is empty for a plain linear one: it counts as 1, over any number of days."""

    text: str
    numerator: tuple[tuple[str, Fraction], ...]
    denominator: tuple[tuple[str, Fraction], ...]
    metrics: frozenset[str] = field(init=False)
    whole_numerator: tuple[tuple[str, int], ...] = field(init=False)
    whole_denominator: tuple[tuple[str, int], ...] = field(init=False)
    scales: tuple[int, int] = field(init=False)
    """`whole_*` are integer coefficients: the true ones times `scales` (numerator's, denominator's)."""

    def __post_init__(self):
        metrics = frozenset(code for code, _factor in self.numerator + self.denominator)
        above, whole_numerator = _whole(self.numerator)
        below, whole_denominator = _whole(self.denominator)
        for name, value in (
            ("metrics", metrics), ("whole_numerator", whole_numerator), ("whole_denominator", whole_denominator),
            ("scales", (above, below)),
        ):  # fmt: skip
            object.__setattr__(self, name, value)

    @property
    def is_ratio(self) -> bool:
        return bool(self.denominator)

    def parts(self, values: Mapping[str, Decimal | None]) -> tuple[Decimal | None, Decimal | None]:
        """(numerator, denominator) over these sums; a part with an unknown or absent metric is None, never 0."""
        return _part(self.numerator, values), _part(self.denominator, values) if self.denominator else Decimal(1)

    def value(self, values: Mapping[str, Decimal | None]) -> Decimal | None:
        """The figure; None where a metric is unknown or the denominator is zero."""
        numerator, denominator = self.parts(values)
        if numerator is None or denominator is None or denominator == 0:
            return None
        return numerator / denominator

    def tokens(self) -> list[tuple[str, str]]:
        """The text in pieces (kind: number | code | sign; piece), for writing it in words or with figures."""
        return [(kind, piece) for kind, piece, _position in _tokens(self.text)]


def written(form: Iterable[tuple[str, Fraction]]) -> str:
    """A linear form as the text of a formula, as `parse` reads it: `gross_profit - 1.5 * spend`; of one metric its code."""
    text = ""
    for code, factor in form:
        sign = "-" if factor < 0 else "+" if text else ""
        times = "" if abs(factor) == 1 else f"{_factor(abs(factor))} * "
        text += f" {sign} {times}{code}" if text else f"{sign}{times}{code}"
    return text


def over(formula: Formula, line: Decimal, *, below: bool = False) -> str:
    """The text of what is over a line, numerator − line · denominator, or with `below` short of it; empty for a formula without
    a denominator, for a number of days would be missing."""
    if not formula.denominator:
        return ""
    total = _plus(dict(formula.numerator), {code: -factor * Fraction(line) for code, factor in formula.denominator})
    form = [(code, -factor if below else factor) for code, factor in total.items()]
    return written(sorted(form, key=lambda part: (part[1] < 0, part[0])))


def _factor(value: Fraction) -> str:
    """A decimal where it is a finite one, else a fraction."""
    told = Decimal(value.numerator) / Decimal(value.denominator)
    return f"{told:f}" if Fraction(told) == value else f"{value.numerator} / {value.denominator}"


def _whole(form: tuple[tuple[str, Fraction], ...]) -> tuple[int, tuple[tuple[str, int], ...]]:
    scale = lcm(*(factor.denominator for _code, factor in form))
    return scale, tuple((code, int(factor * scale)) for code, factor in form)


def _part(form: tuple[tuple[str, Fraction], ...], values: Mapping[str, Decimal | None]) -> Decimal | None:
    total = Fraction(0)
    for code, factor in form:
        value = values.get(code)
        if value is None:
            return None
        total += factor * Fraction(value)
    return Decimal(total.numerator) / Decimal(total.denominator)


@lru_cache(maxsize=2048)
def parse(text: str) -> Formula:
    """The formula of a text; FormulaError with the position of what is wrong. Codes are not checked against a list."""
    if len(text) > LONGEST:
        raise FormulaError("too_long", LONGEST)
    reader = _Reader(_tokens(text), len(text))
    top, bottom = reader.formula()
    if list(bottom) == [""]:
        factor = bottom[""]
        top, bottom = {code: value / factor for code, value in top.items()}, {}
    for form in (top, bottom):
        if form is bottom and not form:
            continue
        if not form or list(form) == [""]:
            raise FormulaError("no_metric", 0)
        if "" in form:
            raise FormulaError("constant", 0)
        if not all(SMALLEST <= abs(factor) <= LARGEST for factor in form.values()):
            raise FormulaError("out_of_range", 0)
    return Formula(text, tuple(sorted(top.items())), tuple(sorted(bottom.items())))


def _tokens(text: str) -> list[tuple[str, str, int]]:
    text = text.translate(TYPED_SIGNS)
    found, position, end = [], 0, len(text.rstrip())
    while position < end:
        match = TOKEN.match(text, position)
        if match is None:
            at = position + len(text[position:]) - len(text[position:].lstrip())
            raise FormulaError("unknown_sign", at, text[at])
        found.append((match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        position = match.end()
    return found


class _Reader:
    """Recursive descent; every step gives a fraction of two linear forms."""

    def __init__(self, tokens: list[tuple[str, str, int]], end: int):
        self.tokens, self.end, self.index, self.depth = tokens, end, 0, 0

    def formula(self) -> tuple[Form, Form]:
        if not self.tokens:
            raise FormulaError("empty", 0)
        result = self.sum()
        if self.index < len(self.tokens):
            _kind, piece, position = self.tokens[self.index]
            raise FormulaError("unexpected", position, piece)
        return result

    def take(self, signs: str) -> tuple[str, int] | None:
        """The next token if it is one of these signs, with its position."""
        if self.index < len(self.tokens):
            kind, piece, position = self.tokens[self.index]
            if kind == "sign" and piece in signs:
                self.index += 1
                return piece, position
        return None

    def sum(self) -> tuple[Form, Form]:
        left = self.product()
        while taken := self.take("+-"):
            sign, position = taken
            right = self.product()
            left = _add(left, _negated(right) if sign == "-" else right, position)
        return left

    def product(self) -> tuple[Form, Form]:
        left = self.signed()
        while taken := self.take("*/"):
            sign, position = taken
            top, bottom = self.signed()
            if sign == "/":
                if not top:
                    raise FormulaError("division_by_zero", position)
                top, bottom = bottom, top
            left = _times(left[0], top, position), _times(left[1], bottom, position)
        return left

    def signed(self) -> tuple[Form, Form]:
        negative = False
        while taken := self.take("+-"):
            negative ^= taken[0] == "-"
        value = self.atom()
        return _negated(value) if negative else value

    def atom(self) -> tuple[Form, Form]:
        if self.index >= len(self.tokens):
            raise FormulaError("unfinished", self.end)
        kind, piece, position = self.tokens[self.index]
        self.index += 1
        if kind == "number":
            number = Fraction(piece)
            if number > LARGEST:
                raise FormulaError("out_of_range", position, piece)
            return ({"": number} if number else {}), {"": Fraction(1)}
        if kind == "code":
            return {piece: Fraction(1)}, {"": Fraction(1)}
        if piece != "(":
            raise FormulaError("unexpected", position, piece)
        return self.bracket(position)

    def bracket(self, opened: int) -> tuple[Form, Form]:
        self.depth += 1
        if self.depth > DEEPEST:
            raise FormulaError("too_deep", opened, "(")
        value = self.sum()
        if not self.take(")"):
            if self.index < len(self.tokens):
                _kind, piece, position = self.tokens[self.index]
                raise FormulaError("unexpected", position, piece)
            raise FormulaError("unclosed", opened, "(")
        self.depth -= 1
        return value


def _negated(value: tuple[Form, Form]) -> tuple[Form, Form]:
    return {code: -factor for code, factor in value[0].items()}, value[1]


def _plus(left: Form, right: Form) -> Form:
    total = dict(left)
    for code, factor in right.items():
        total[code] = total.get(code, Fraction(0)) + factor
    return {code: factor for code, factor in total.items() if factor}


def _times(left: Form, right: Form, position: int) -> Form:
    """The product of two forms, one of which must be a bare number to keep it linear."""
    if not left or not right:
        return {}
    for number, form in ((left, right), (right, left)):
        if list(number) == [""]:
            return {code: factor * number[""] for code, factor in form.items()}
    raise FormulaError("not_linear", position)


def _add(left: tuple[Form, Form], right: tuple[Form, Form], position: int) -> tuple[Form, Form]:
    """a/b + c/d where b and d are the same up to a number, or one of the two is a bare number."""
    (top, bottom), (other, under) = left, right
    if not other:
        return left
    if not top:
        return right
    ratio = _ratio(under, bottom)
    if ratio is not None:
        return _plus(top, {code: factor / ratio for code, factor in other.items()}), bottom
    try:
        return _plus(_times(top, under, position), _times(other, bottom, position)), _times(bottom, under, position)
    except FormulaError:
        raise FormulaError("different_denominators", position) from None


def _ratio(form: Form, other: Form) -> Fraction | None:
    """k with form = k · other, None where there is none."""
    if form.keys() != other.keys():
        return None
    ratios = {form[code] / other[code] for code in form}
    return ratios.pop() if len(ratios) == 1 else None
