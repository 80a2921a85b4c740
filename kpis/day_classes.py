"""What kind of day it was for a stop-rule: the classes of domain.md 3.1. Pure: numpy arrays in, numpy arrays out.

Figures are whole numbers (int64, or Python ints where 64 bits are too few) in the rule's own units. Comparisons are
cross-multiplied in float64; every pair within 1e-9 of the line is decided again in Python integers.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from fractions import Fraction

import numpy as np

CLOSE = 1e-9
SAFE = 2**62
CONFIRM_DAYS = 7
HOLD_LIMIT = 2
NEVER_OLDER = 32_000


class DayClass(IntEnum):
    """Exactly one per day, in this order; OUTSIDE: before the scope's first known fact."""

    OUTSIDE = 0
    NOT_READY = 1
    MISSING = 2
    INACTIVE = 3
    THIN = 4
    BREACH = 5
    GREY = 6
    OK = 7

    @property
    def code(self) -> str:
        return self.name.lower()


class Window(StrEnum):
    IN_A_ROW = "in_a_row"
    M_OF_N = "m_of_n"
    POOLED = "pooled"
    EVENT = "event"
    SINCE_CONVERSION = "since_conversion"
    BUDGET = "budget"


BY_DAY = (Window.IN_A_ROW, Window.M_OF_N, Window.POOLED)
"""Windows over calendar days of one KPI; the others have figures of their own."""


class NoData(StrEnum):
    HOLD = "hold"
    BREACH = "breach"
    OK = "ok"
    NO_DATA = "no_data"


@dataclass(frozen=True)
class Rule:
    """The parameters of one rule version. `line`, `minimum_sample` and `zero_line` are in the units of the figures.

    Of a budget rule the line is a share of the budget.

    `above`: a breach is beyond the line upwards. `zero_line` None: a small sample is always THIN. `max_span` None: 2n + 1.
    `k`, of "since the last conversion", is in the units of the denominator, so that k · line is spend.
    """

    line: Fraction
    above: bool = True
    window: Window = Window.IN_A_ROW
    n: int = 3
    m: int | None = None
    k: Fraction | None = None
    max_span: int | None = None
    minimum_sample: Fraction = Fraction(3)
    zero_line: Fraction | None = None
    no_data: NoData = NoData.HOLD
    settling_days: int = 1
    confirm_pooled_7d: bool = False
    clear_ratio: Fraction = Fraction(9, 10)
    clear_days: int = 2

    @property
    def clear_line(self) -> Fraction:
        """Between it and the line a day is GREY; it lies on the good side of the line."""
        gap = (1 - self.clear_ratio) * abs(self.line)
        return self.line - gap if self.above else self.line + gap

    @property
    def span(self) -> int:
        return self.max_span if self.max_span is not None else 2 * self.n + 1

    @property
    def needed(self) -> int:
        """How many breaching days fire the rule."""
        return {Window.IN_A_ROW: self.n, Window.M_OF_N: self.m or self.n}.get(self.window, 1)

    @property
    def missing_limit(self) -> int:
        return 0 if self.no_data is NoData.NO_DATA else HOLD_LIMIT


@dataclass(frozen=True)
class Figures:
    """Numerator and denominator [series, day] as whole numbers; `known` says where both are known.

    `start`: the index of each series' first day; of a mailing its only one. The last day of the arrays is today.
    Of a budget rule the numerator is what was spent since the period began and the denominator the budget, 0 where there
    is none; `loss` [series, day] is the loss beyond the stop-loss, above 0 once that is broken, and `quiet` tells the
    days on which nothing was spent. Figures of other windows go without both.
    """

    numerator: np.ndarray
    denominator: np.ndarray
    known: np.ndarray
    start: np.ndarray
    loss: np.ndarray | None = None
    quiet: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, int]:
        return self.known.shape

    def only(self, series: np.ndarray) -> "Figures":
        extra = (None if values is None else values[series] for values in (self.loss, self.quiet))
        return Figures(
            self.numerator[series], self.denominator[series], self.known[series], self.start[series], *extra
        )  # fmt: skip

    @staticmethod
    def joined(parts: "list[Figures]") -> "Figures":
        """The series of all parts, one after the other."""
        rows = [np.concatenate([getattr(part, name) for part in parts]) for name in REQUIRED]
        if all(part.loss is None for part in parts):
            return Figures(*rows)
        loss = [np.zeros(part.shape, np.int64) if part.loss is None else part.loss for part in parts]
        quiet = [np.zeros(part.shape, bool) if part.quiet is None else part.quiet for part in parts]
        return Figures(*rows, np.concatenate(loss), np.concatenate(quiet))


REQUIRED = ("numerator", "denominator", "known", "start")


def signs(left: np.ndarray, right: np.ndarray, ratios: list[Fraction]) -> np.ndarray:
    """Sign of left − ratio · right, one ratio per row, exact: −1, 0, 1."""
    shape = (-1,) + (1,) * (left.ndim - 1)
    over = left.astype(np.float64)
    under = right.astype(np.float64) * np.array([float(ratio) for ratio in ratios]).reshape(shape)
    found = np.sign(over - under).astype(np.int8)
    size = np.maximum(np.abs(over), np.abs(under))
    for place in np.argwhere((np.abs(over - under) <= CLOSE * size) & (size > 0)):
        place = tuple(place)
        ratio = ratios[place[0]]
        exact = int(left[place]) * ratio.denominator - int(right[place]) * ratio.numerator
        found[place] = (exact > 0) - (exact < 0)
    return found


def classify(figures: Figures, rules: list[Rule]) -> np.ndarray:
    """Class of every day of every series (`rules`: one per row) before the no-data policy.

    For "since the last conversion" a day of spend without conversion is THIN here: the machine knows what was spent.
    """
    rows, days = figures.shape
    classes = np.zeros((rows, days), np.int8)
    for kind in {rule.window for rule in rules}:
        series = np.flatnonzero([rule.window is kind for rule in rules])
        chosen = [rules[index] for index in series]
        part = figures.only(series)
        if kind is Window.SINCE_CONVERSION:
            classes[series] = _since_conversion(part)
        elif kind is Window.POOLED:
            classes[series] = _pooled(part, chosen)
        elif kind is Window.BUDGET:
            classes[series] = _against_budget(part, chosen)
        else:
            classes[series] = _compared(part.numerator, part.denominator, part.known, chosen)
    day = np.arange(days)
    settling = np.array([[rule.settling_days] for rule in rules]).reshape(rows, 1)
    classes[day > days - 1 - settling] = DayClass.NOT_READY
    classes[day < figures.start[:, None]] = DayClass.OUTSIDE
    mailings = np.array([[rule.window is Window.EVENT] for rule in rules], bool).reshape(rows, 1)
    classes[mailings & (day > figures.start[:, None])] = DayClass.OUTSIDE
    return classes


def confirmed(figures: Figures, rules: list[Rule]) -> np.ndarray:
    """May the rule fire on this day? False only where a rule asks for the 7-day pooled value and that is not beyond."""
    may = np.ones(figures.shape, bool)
    series = np.flatnonzero([rule.confirm_pooled_7d for rule in rules])
    if len(series):
        numerator, denominator, _known = _rolled(figures.only(series), [CONFIRM_DAYS] * len(series))
        may[series] = _beyond(numerator, denominator, [rules[index] for index in series])
    return may


def _beyond(numerator: np.ndarray, denominator: np.ndarray, rules: list[Rule]) -> np.ndarray:
    side = np.array([[1 if rule.above else -1] for rule in rules]).reshape(len(rules), 1)
    return signs(numerator, denominator, [rule.line for rule in rules]) == side


def _compared(numerator: np.ndarray, denominator: np.ndarray, known: np.ndarray, rules: list[Rule]) -> np.ndarray:
    side = np.array([[1 if rule.above else -1] for rule in rules]).reshape(len(rules), 1)
    ones = np.ones_like(numerator)
    grey = signs(numerator, denominator, [rule.clear_line for rule in rules]) == side
    thin = signs(denominator, ones, [Fraction(rule.minimum_sample) for rule in rules]) < 0
    zero_lined = np.array([[rule.zero_line is not None] for rule in rules]).reshape(len(rules), 1)
    if zero_lined.any():
        reached = signs(numerator, ones, [Fraction(rule.zero_line or 0) for rule in rules]) >= 0
        thin &= ~(zero_lined & reached)
    classes = np.where(grey, DayClass.GREY, DayClass.OK).astype(np.int8)
    classes[_beyond(numerator, denominator, rules)] = DayClass.BREACH
    classes[thin] = DayClass.THIN
    classes[(numerator == 0) & (denominator == 0)] = DayClass.INACTIVE
    classes[~known] = DayClass.MISSING
    return classes


def _since_conversion(figures: Figures) -> np.ndarray:
    classes = np.where(figures.denominator == 0, DayClass.THIN, DayClass.OK).astype(np.int8)
    classes[(figures.numerator == 0) & (figures.denominator == 0)] = DayClass.INACTIVE
    classes[~figures.known] = DayClass.MISSING
    return classes


def _against_budget(figures: Figures, rules: list[Rule]) -> np.ndarray:
    """Spent since the period began against the budget, and the loss against the stop-loss: either one is a breach."""
    has_budget = figures.denominator != 0
    grey = signs(figures.numerator, figures.denominator, [rule.clear_line for rule in rules]) > 0
    classes = np.where(has_budget & grey, DayClass.GREY, DayClass.OK).astype(np.int8)
    over = signs(figures.numerator, figures.denominator, [rule.line for rule in rules]) > 0
    classes[(has_budget & over) | (figures.loss > 0)] = DayClass.BREACH
    classes[figures.quiet] = DayClass.INACTIVE
    classes[~figures.known] = DayClass.MISSING
    return classes


def _pooled(figures: Figures, rules: list[Rule]) -> np.ndarray:
    """Classes of sums over the last n calendar days without the missing ones; THIN before n days of history."""
    sizes = [rule.n for rule in rules]
    numerator, denominator, known = _rolled(figures, sizes)
    age = np.arange(figures.shape[1]) - figures.start[:, None] + 1
    window = np.array(sizes)[:, None]
    missing = np.clip(age, 0, window) - known
    limit = np.array([[rule.missing_limit] for rule in rules])
    classes = _compared(numerator, denominator, (missing <= limit) & (known > 0), rules)
    judged = classes >= DayClass.THIN
    classes[judged & (age < window)] = DayClass.THIN
    return classes


def _rolled(figures: Figures, sizes: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sums of the known days among the last `size` calendar days, and how many are known."""
    days = figures.shape[1]
    inside = figures.known & (np.arange(days) >= figures.start[:, None])
    first = np.maximum(np.arange(days) + 1 - np.array(sizes)[:, None], 0)
    found = []
    for values in (figures.numerator, figures.denominator, inside.astype(np.int64)):
        sums = np.cumsum(wide_enough(np.where(inside, values, 0), days), axis=1)
        before = np.concatenate([np.zeros_like(sums[:, :1]), sums], axis=1)
        found.append(sums - np.take_along_axis(before, first, axis=1))
    return found[0], found[1], found[2].astype(np.int64)


def wide_enough(values: np.ndarray, addends: int) -> np.ndarray:
    """The same values, as Python ints where a sum of so many could leave 64 bits."""
    if values.dtype == object or not values.size:
        return values
    largest = max(abs(int(values.max())), abs(int(values.min())))
    return values if largest * max(addends, 1) < SAFE else values.astype(object)
