"""What kind of day it was for a stop-rule: the classes of domain.md 3.1. Pure: numpy arrays in, numpy arrays out.

Figures are whole numbers (int64, or Python ints where 64 bits are too few) in the rule's own units. Comparisons are
cross-multiplied in 64 bits where all products fit; else in float64, and every pair within 1e-9 of the line again in
whole numbers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from fractions import Fraction
from functools import cached_property

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

    @cached_property
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
    `doubtful` [series, day]: unknown because somebody doubts what stands there; None where nobody does.
    """

    numerator: np.ndarray
    denominator: np.ndarray
    known: np.ndarray
    start: np.ndarray
    loss: np.ndarray | None = None
    quiet: np.ndarray | None = None
    doubtful: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, int]:
        return self.known.shape

    def only(self, series: np.ndarray) -> "Figures":
        extra = (None if values is None else values[series] for values in (self.loss, self.quiet, self.doubtful))
        return Figures(
            self.numerator[series], self.denominator[series], self.known[series], self.start[series], *extra
        )  # fmt: skip

    @staticmethod
    def joined(parts: "list[Figures]") -> "Figures":
        """The series of all parts, one after the other."""
        rows = [np.concatenate([getattr(part, name) for part in parts]) for name in REQUIRED]
        doubtful = None
        if any(part.doubtful is not None for part in parts):
            none = [np.zeros(part.shape, bool) if part.doubtful is None else part.doubtful for part in parts]
            doubtful = np.concatenate(none)
        if all(part.loss is None for part in parts):
            return Figures(*rows, doubtful=doubtful)
        loss = [np.zeros(part.shape, np.int64) if part.loss is None else part.loss for part in parts]
        quiet = [np.zeros(part.shape, bool) if part.quiet is None else part.quiet for part in parts]
        return Figures(*rows, np.concatenate(loss), np.concatenate(quiet), doubtful)


@dataclass(frozen=True)
class PerRow:
    """A value for each of many rows, the different ones held once: what is derived from them is derived once.

    `which`: the place of each row's value among `values`.
    """

    values: list
    which: np.ndarray

    @staticmethod
    def of(values: "Sequence | PerRow") -> "PerRow":
        if isinstance(values, PerRow):
            return values
        place: dict[int, int] = {}
        which = np.array([place.setdefault(id(value), len(place)) for value in values], int)
        first = {id(value): value for value in values}
        return PerRow(list(first.values()), which)

    def __len__(self) -> int:
        return len(self.which)

    def __getitem__(self, row: int):
        return self.values[self.which[row]]

    def only(self, rows: np.ndarray) -> "PerRow":
        which = self.which[rows]
        used = np.zeros(len(self.values), bool)
        used[which] = True
        values = [value for value, is_used in zip(self.values, used.tolist(), strict=True) if is_used]
        return PerRow(values, (np.cumsum(used) - 1)[which])

    def map(self, value: Callable) -> "PerRow":
        return PerRow([value(one) for one in self.values], self.which)

    def array(self, value: Callable, dtype) -> np.ndarray:
        """What `value` makes of each row's."""
        return np.array([value(one) for one in self.values], dtype)[self.which]

    def column(self, value: Callable = int, dtype=np.int64) -> np.ndarray:
        """The same as [row, 1], to go with arrays [row, day]."""
        return self.array(value, dtype)[:, None]


REQUIRED = ("numerator", "denominator", "known", "start")


def beyond(
    left: np.ndarray, right: np.ndarray | int, ratios: Sequence[Fraction], side: np.ndarray | int = 1
) -> np.ndarray:
    """Where left lies beyond ratio · right, one ratio per row, exact: above it where `side` is 1, below it where −1."""
    ratios = PerRow.of(ratios)
    if (factors := _fitting_factors(left, np.asarray(right), ratios.values)) is not None:
        below, above = (PerRow(part, ratios.which).array(int, np.int64) for part in factors)
        return left * (_upright(below, left.ndim) * side) > right * (_upright(above, left.ndim) * side)
    return signs(left, np.broadcast_to(right, left.shape), ratios) == side


def signs(left: np.ndarray, right: np.ndarray, ratios: Sequence[Fraction]) -> np.ndarray:
    """Sign of left − ratio · right, one ratio per row, exact: −1, 0, 1."""
    ratios = PerRow.of(ratios)
    if (factors := _fitting_factors(left, right, ratios.values)) is not None:
        below, above = (PerRow(part, ratios.which).array(int, np.int64) for part in factors)
        return np.sign(left * _upright(below, left.ndim) - right * _upright(above, left.ndim)).astype(np.int8)
    over = left.astype(np.float64)
    under = right.astype(np.float64) * _upright(ratios.array(float, np.float64), left.ndim)
    apart = over - under
    found = np.sign(apart).astype(np.int8)
    np.abs(apart, out=apart)
    size = np.maximum(np.abs(over, out=over), np.abs(under, out=under), out=over)
    close = np.nonzero((apart <= CLOSE * size) & (size > 0))
    if len(close[0]):
        found[close] = _exact_signs(left[close], right[close], ratios.only(close[0]))
    return found


def _fitting_factors(
    left: np.ndarray, right: np.ndarray, ratios: Sequence[Fraction]
) -> tuple[list[int], list[int]] | None:
    """What left and right are multiplied by (denominators, numerators), if 64 bits hold every product."""
    if left.dtype == object or right.dtype == object or not left.size:
        return None
    below, above = [one.denominator for one in ratios], [one.numerator for one in ratios]
    fits = _largest(left) * max(below) < SAFE and _largest(right) * max(abs(one) for one in above) < SAFE
    # A factor that 64 bits do not hold meets zeros only, and is not multiplied here.
    return (below, above) if fits and max(*below, *(abs(one) for one in above)) < SAFE else None


def _largest(values: np.ndarray) -> int:
    return max(int(values.max()), -int(values.min()))


def _upright(values: np.ndarray, dimensions: int) -> np.ndarray:
    """One value per row, to go with arrays of so many dimensions."""
    return values.reshape((-1,) + (1,) * (dimensions - 1))


def _exact_signs(left: np.ndarray, right: np.ndarray, ratios: "PerRow") -> np.ndarray:
    """The same decided in whole numbers: in 64 bits where the products fit, in Python's integers elsewhere."""
    above, below = (ratios.array(part, object) for part in (lambda one: one.numerator, lambda one: one.denominator))
    widest = np.maximum(
        np.abs(left.astype(np.float64)) * below.astype(np.float64),
        np.abs(right.astype(np.float64)) * np.abs(above.astype(np.float64)),
    )
    found = np.zeros(len(left), np.int8)
    fits = np.flatnonzero((widest < SAFE) & (left.dtype != object) & (right.dtype != object))
    found[fits] = np.sign(left[fits] * below[fits].astype(np.int64) - right[fits] * above[fits].astype(np.int64))
    rest = np.ones(len(left), bool)
    rest[fits] = False
    for place in np.flatnonzero(rest).tolist():
        exact = int(left[place]) * below[place] - int(right[place]) * above[place]
        found[place] = (exact > 0) - (exact < 0)
    return found


def classify(figures: Figures, rules: Sequence[Rule]) -> np.ndarray:
    """Class of every day of every series (`rules`: one per row) before the no-data policy.

    For "since the last conversion" a day of spend without conversion is THIN here: the machine knows what was spent.
    """
    rows, days = figures.shape
    rules = PerRow.of(rules)
    classes = np.zeros((rows, days), np.int8)
    window = rules.array(lambda rule: list(Window).index(rule.window), np.int8)
    for number in np.unique(window).tolist():
        kind = list(Window)[number]
        series = np.flatnonzero(window == number)
        one_kind = len(series) == rows  # then nothing is picked out
        chosen, part = (rules, figures) if one_kind else (rules.only(series), figures.only(series))
        if kind is Window.SINCE_CONVERSION:
            classes[series] = _since_conversion(part)
        elif kind is Window.POOLED:
            classes[series] = _pooled(part, chosen)
        elif kind is Window.BUDGET:
            classes[series] = _against_budget(part, chosen)
        else:
            classes[series] = _compared(part.numerator, part.denominator, part.known, chosen)
    day = np.arange(days, dtype=np.int32)
    start = figures.start.astype(np.int32)[:, None]
    classes[day > days - 1 - rules.column(lambda rule: rule.settling_days)] = DayClass.NOT_READY
    classes[day < start] = DayClass.OUTSIDE
    mailings = np.flatnonzero(window == list(Window).index(Window.EVENT))
    if len(mailings):
        classes[mailings] = np.where(day > start[mailings], np.int8(DayClass.OUTSIDE), classes[mailings])
    return classes


def confirmed(figures: Figures, rules: Sequence[Rule]) -> np.ndarray:
    """May the rule fire on this day? False only where a rule asks for the 7-day pooled value and that is not beyond."""
    rules = PerRow.of(rules)
    may = np.ones(figures.shape, bool)
    series = np.flatnonzero(rules.array(lambda rule: rule.confirm_pooled_7d, bool))
    if len(series):
        chosen = rules.only(series)
        numerator, denominator, _known = _rolled(figures.only(series), chosen.map(lambda _rule: CONFIRM_DAYS))
        may[series] = _beyond(numerator, denominator, chosen)
    return may


def _beyond(numerator: np.ndarray, denominator: np.ndarray, rules: "PerRow") -> np.ndarray:
    return beyond(numerator, denominator, rules.map(lambda rule: rule.line), _side(rules))


def _side(rules: "PerRow") -> np.ndarray:
    return rules.column(lambda rule: 1 if rule.above else -1, np.int8)


def _compared(numerator: np.ndarray, denominator: np.ndarray, known: np.ndarray, rules: "PerRow") -> np.ndarray:
    grey = beyond(numerator, denominator, rules.map(lambda rule: rule.clear_line), _side(rules))
    classes = np.where(grey, np.int8(DayClass.GREY), np.int8(DayClass.OK))
    classes[_beyond(numerator, denominator, rules)] = DayClass.BREACH
    thin = beyond(denominator, 1, rules.map(lambda rule: Fraction(rule.minimum_sample)), -1)
    zero_lined = np.flatnonzero(rules.array(lambda rule: rule.zero_line is not None, bool))
    if len(zero_lined):
        lines = rules.only(zero_lined).map(lambda rule: Fraction(rule.zero_line))
        thin[zero_lined] &= beyond(numerator[zero_lined], 1, lines, -1)
    classes[thin] = DayClass.THIN
    classes[(numerator == 0) & (denominator == 0)] = DayClass.INACTIVE
    classes[~known] = DayClass.MISSING
    return classes


def _since_conversion(figures: Figures) -> np.ndarray:
    classes = np.where(figures.denominator == 0, DayClass.THIN, DayClass.OK).astype(np.int8)
    classes[(figures.numerator == 0) & (figures.denominator == 0)] = DayClass.INACTIVE
    classes[~figures.known] = DayClass.MISSING
    return classes


def _against_budget(figures: Figures, rules: "PerRow") -> np.ndarray:
    """Spent since the period began against the budget, and the loss against the stop-loss: either one is a breach."""
    has_budget = figures.denominator != 0
    grey = beyond(figures.numerator, figures.denominator, rules.map(lambda rule: rule.clear_line))
    classes = np.where(has_budget & grey, DayClass.GREY, DayClass.OK).astype(np.int8)
    over = beyond(figures.numerator, figures.denominator, rules.map(lambda rule: rule.line))
    classes[(has_budget & over) | (figures.loss > 0)] = DayClass.BREACH
    classes[figures.quiet] = DayClass.INACTIVE
    classes[~figures.known] = DayClass.MISSING
    return classes


def _pooled(figures: Figures, rules: "PerRow") -> np.ndarray:
    """Classes of sums over the last n calendar days without the missing ones; THIN before n days of history."""
    sizes = rules.map(lambda rule: rule.n)
    numerator, denominator, known = _rolled(figures, sizes)
    age = np.arange(figures.shape[1]) - figures.start[:, None] + 1
    window = sizes.column()
    missing = np.clip(age, 0, window) - known
    limit = rules.column(lambda rule: rule.missing_limit)
    classes = _compared(numerator, denominator, (missing <= limit) & (known > 0), rules)
    judged = classes >= DayClass.THIN
    classes[judged & (age < window)] = DayClass.THIN
    return classes


def _rolled(figures: Figures, sizes: "PerRow") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sums of the known days among the last `size` calendar days, and how many are known."""
    days = figures.shape[1]
    inside = figures.known & (np.arange(days) >= figures.start[:, None])
    first = np.maximum(np.arange(days) + 1 - sizes.column(), 0)
    found = []
    for values in (figures.numerator, figures.denominator, inside.astype(np.int64)):
        values = wide_enough(np.where(inside, values, 0), days)
        sums = np.zeros((len(values), days + 1), values.dtype)
        np.cumsum(values, axis=1, out=sums[:, 1:])
        found.append(sums[:, 1:] - np.take_along_axis(sums, first, axis=1))
    return found[0], found[1], found[2].astype(np.int64)


def wide_enough(values: np.ndarray, addends: int) -> np.ndarray:
    """The same values, as Python ints where a sum of so many could leave 64 bits."""
    if values.dtype == object or not values.size:
        return values
    largest = max(abs(int(values.max())), abs(int(values.min())))
    return values if largest * max(addends, 1) < SAFE else values.astype(object)
