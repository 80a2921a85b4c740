"""What a stop-rule would have done and what it would have been worth: the back-test of domain.md 3.1. Pure.

It looks at what the engine gave without any signature: each firing runs until it recovers, pauses, or the test ends.
"""

from dataclasses import dataclass, fields
from fractions import Fraction

import numpy as np

from kpis.day_classes import Figures, PerRow, Rule, beyond, signs, wide_enough
from kpis.engine import Outcome

REACTION_LAG = 1
"""Days between the day that fires and the first day on which somebody has acted: firing on d3 → avoidable from d5."""
OPEN = -1


@dataclass(frozen=True)
class Firings:
    """The firings of a test, one element each, in the units of the figures; `series` is a row of them.

    `first`, `opened`, `closed` are days (OPEN: it goes on at the end); `recovered` false where it paused or goes on.
    `days`: avoidable days with both sums known. `spend`, `forgone`: numerator and denominator of those. `over_spend`,
    `over_forgone`: the same of the days that were worth stopping (numerator beyond line · denominator).
    """

    series: np.ndarray
    first: np.ndarray
    opened: np.ndarray
    closed: np.ndarray
    recovered: np.ndarray
    days: np.ndarray
    spend: np.ndarray
    forgone: np.ndarray
    over_spend: np.ndarray
    over_forgone: np.ndarray
    false_alarm: np.ndarray

    def __len__(self) -> int:
        return len(self.series)

    def of(self, start: int, end: int) -> "Firings":
        """Those of the series from `start` up to, not including, `end`."""
        chosen = (self.series >= start) & (self.series < end)
        return Firings(*(getattr(self, column.name)[chosen] for column in fields(self)))


@dataclass(frozen=True)
class Sums:
    """Firings of one line added up, exactly: numerators and denominators in the units of the figures."""

    firings: int
    going_on: int
    false_alarms: int
    spend: int
    forgone: int
    over_spend: int
    over_forgone: int

    def net(self, line: Fraction) -> Fraction:
        """avoidable spend − X · forgone."""
        return self.spend - line * self.forgone

    def saved(self, line: Fraction) -> Fraction:
        """The positive daily parts of net."""
        return self.over_spend - line * self.over_forgone

    def lost(self, line: Fraction) -> Fraction:
        """The negative daily parts of net, as an amount above zero."""
        return self.saved(line) - self.net(line)


def find_firings(
    figures: Figures, rules: list[Rule], outcome: Outcome, first: int, last: int, lag: int = REACTION_LAG
) -> Firings:
    """The firings that opened on days `first` to `last`, with the money of their avoidable days.

    Days after `last` are not looked at, nor are those that are not settled yet: a firing that ends later goes on here.
    """
    found = [episode for episode in outcome.episodes if first <= episode.opened <= last]
    series = np.array([episode.series for episode in found], int)
    opened = np.array([episode.opened for episode in found], int)
    closed = np.array([OPEN if one.closed is None or one.closed > last else one.closed for one in found], int)
    settled = figures.shape[1] - 1 - np.array([rule.settling_days for rule in rules], int)
    end = np.where(closed == OPEN, np.minimum(last, settled[series]), closed) + 1
    start = np.minimum(opened + 1 + lag, np.maximum(end, 0))
    lines = [rule.line for rule in rules]
    spend, forgone, over_spend, over_forgone, days = _sums(figures, lines, series, start, np.maximum(end, start))
    net = signs(spend, forgone, [lines[number] for number in series]) if len(found) else np.zeros(0, int)
    return Firings(
        series=series, first=np.array([episode.first for episode in found], int), opened=opened, closed=closed,
        recovered=(closed != OPEN) & np.array([episode.closed_as == "recovered" for episode in found], bool),
        days=days, spend=spend, forgone=forgone, over_spend=over_spend, over_forgone=over_forgone,
        false_alarm=(days > 0) & (net <= 0),
    )  # fmt: skip


def _sums(
    figures: Figures, lines: list[Fraction], series: np.ndarray, start: np.ndarray, end: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Per firing: numerator, denominator, both of the days beyond the line, and the known days, of days [start, end)."""
    length = end - start
    first = np.cumsum(length) - length
    rows = np.repeat(series, length)
    days = np.arange(len(rows)) + np.repeat(start - first, length)
    known = figures.known[rows, days]
    above, below = (np.where(known, values[rows, days], 0) for values in (figures.numerator, figures.denominator))
    over = beyond(above, below, PerRow.of(lines).only(rows))  # what is unknown is 0, and beyond no line
    parts = (above, below, np.where(over, above, 0), np.where(over, below, 0), known.astype(np.int64))
    return tuple(_between(values, first, length) for values in parts)


def _between(values: np.ndarray, first: np.ndarray, length: np.ndarray) -> np.ndarray:
    values = wide_enough(values, len(values))
    totals = np.zeros(len(values) + 1, values.dtype)
    np.cumsum(values, out=totals[1:])
    return totals[first + length] - totals[first]


def add_up(firings: Firings) -> Sums:
    """The firings of one rule and line together."""
    money = (firings.spend, firings.forgone, firings.over_spend, firings.over_forgone)
    return Sums(
        len(firings), int((firings.closed == OPEN).sum()), int(firings.false_alarm.sum()),
        *(sum(values.tolist()) for values in money),
    )  # fmt: skip
