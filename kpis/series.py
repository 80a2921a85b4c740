"""Facts as arrays [scope, day] per metric: what the engine eats.

Whole micros as int64, Python ints where 64 bits are too few. Absent is not zero: `known` goes with every value.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import reduce
from operator import add

import numpy as np

from kpis.day_classes import SAFE, Figures, Window, wide_enough
from kpis.formulas import Formula
from roles.fields import MICRO

Scope = tuple[int, int]
"""(channel id, campaign id); campaign 0 is the channel as a whole."""


MAILING_DAYS = 3
"""A mailing is judged by the day it went out and the two after."""


def last_day_taken(window: str, day: date) -> date:
    """The last day whose facts make the figure of a judged day: of a mailing the second after its own."""
    return day + timedelta(days=MAILING_DAYS - 1) if window == Window.EVENT else day


@dataclass(frozen=True)
class Column:
    """One metric of every scope: values [scope, day], and where they are known."""

    values: np.ndarray
    known: np.ndarray


@dataclass(frozen=True)
class History:
    """Known facts from the company's first day to today. `rows`: the row of a scope; `start`: its first day's index.

    `doubtful` [scope, day]: days of which nothing is known because an open incident says so; None where there are none.
    """

    first_day: date
    last_day: date
    rows: dict[Scope, int]
    start: np.ndarray
    columns: dict[str, Column]
    doubtful: np.ndarray | None = None

    @property
    def days(self) -> int:
        return (self.last_day - self.first_day).days + 1

    def index(self, day: date) -> int:
        return (day - self.first_day).days

    def day(self, index: int) -> date:
        return self.first_day + timedelta(days=index)

    def figures(self, formula: Formula, scopes: Iterable[Scope]) -> Figures:
        """Numerator and denominator of the scopes, each multiplied by the formula's scale and in micros."""
        return self.figures_at(formula, np.array([self.rows[scope] for scope in scopes], int))

    def figures_at(self, formula: Formula, rows: np.ndarray) -> Figures:
        """The same of scopes told by their rows."""
        known = np.ones((len(rows), self.days), bool)
        for code in formula.metrics:
            known &= self.columns[code].known[rows]
        below = (
            self._form(formula.whole_denominator, rows)
            if formula.is_ratio
            else np.full((len(rows), self.days), MICRO, np.int64)
        )
        return Figures(
            self._form(formula.whole_numerator, rows), below, known, self.start[rows], doubtful=self.doubt_of(rows)
        )

    def doubt_of(self, rows: np.ndarray) -> np.ndarray | None:
        """The doubtful days of some scopes."""
        return None if self.doubtful is None else self.doubtful[rows]

    def of_mailings(self, scopes: Iterable[Scope]) -> "History":
        """The same metrics where each scope is one mailing: on its first day with `sends` stand the sums of that day and
        the two after, each metric known where any of the three days is. Scopes that sent nothing are left out."""
        sends = self.columns["sends"]
        kept = [scope for scope in scopes if scope in self.rows]
        rows = np.array([self.rows[scope] for scope in kept], int)
        sent = sends.known[rows] & (sends.values[rows] > 0)
        went = sent.any(axis=1)
        kept, rows = [scope for scope, is_sent in zip(kept, went, strict=True) if is_sent], rows[went]
        days = np.argmax(sent[went], axis=1)
        columns = {code: self._on_first_day(column, rows, days) for code, column in self.columns.items()}
        mailings = {scope: row for row, scope in enumerate(kept)}
        if self.doubtful is None:
            return History(self.first_day, self.last_day, mailings, days, columns)
        # Two days of a mailing are no mailing: one doubtful day makes all three unknown.
        doubt = self._on_first_day(Column(self.doubtful.astype(np.int64), self.doubtful), rows, days).known
        columns = {code: replace(column, known=column.known & ~doubt) for code, column in columns.items()}
        return History(self.first_day, self.last_day, mailings, days, columns, doubt)

    def _on_first_day(self, column: Column, rows: np.ndarray, days: np.ndarray) -> Column:
        window = days[:, None] + np.arange(MAILING_DAYS)
        inside = window < self.days
        at = rows[:, None], np.minimum(window, self.days - 1)
        known = column.known[at] & inside
        sums = np.where(known, wide_enough(column.values, MAILING_DAYS)[at], 0).sum(axis=1)
        places = np.arange(len(rows)), days
        values = np.zeros((len(rows), self.days), sums.dtype)
        values[places] = sums
        found = np.zeros((len(rows), self.days), bool)
        found[places] = known.any(axis=1)
        return Column(values, found)

    def _form(self, form: tuple[tuple[str, int], ...], rows: np.ndarray) -> np.ndarray:
        parts = [(factor, self.columns[code].values[rows]) for code, factor in form]
        if sum(abs(factor) * _largest(values) for factor, values in parts) >= SAFE:
            parts = [(factor, values.astype(object)) for factor, values in parts]
        return reduce(add, (values if factor == 1 else factor * values for factor, values in parts))


def _largest(values: np.ndarray) -> int:
    return max(abs(int(values.max())), abs(int(values.min()))) if values.size else 0
