"""Spend against a budget: the figures of the budget window, see domain.md 3.1. Pure.

Money is in micros. Unknown days add nothing: what no source reported is never taken for zero spend or zero profit.
"""

from dataclasses import dataclass

import numpy as np

from kpis.day_classes import Figures, wide_enough
from kpis.series import History, Scope


@dataclass(frozen=True)
class Allowance:
    """What one scope may spend and lose; None: no such bound. `monthly`: both begin anew with every month."""

    budget: int | None
    stop_loss: int | None
    monthly: bool

    @property
    def bounds_anything(self) -> bool:
        return self.budget is not None or self.stop_loss is not None


def budget_figures(history: History, scopes: list[Scope], allowances: list[Allowance]) -> Figures:
    """Spent so far against the budget, the loss beyond the stop-loss, and the days without spend.

    `history` has the column `spend`; without `gross_profit` no loss is known and only the budget counts.
    """
    rows = np.array([history.rows[scope] for scope in scopes], int)
    monthly = np.array([allowance.monthly for allowance in allowances], bool)
    spend, profit = history.columns["spend"], history.columns.get("gross_profit")
    spent = _since_the_period_began(spend.values[rows], spend.known[rows], monthly, history)
    budget = np.array([allowance.budget or 0 for allowance in allowances])
    loss = np.zeros(spent.shape, np.int64)
    if profit is not None:
        both = spend.known[rows] & profit.known[rows]
        lost = _since_the_period_began(spend.values[rows] - profit.values[rows], both, monthly, history)
        bounded = np.array([allowance.stop_loss is not None for allowance in allowances], bool)
        bound = np.array([allowance.stop_loss or 0 for allowance in allowances])
        loss = np.where(bounded[:, None], lost - bound[:, None], 0)
    forbidden = np.array([allowance.budget == 0 for allowance in allowances], bool)
    loss = np.where(forbidden[:, None], np.maximum(loss, spent), loss)  # a budget of nothing bears no rouble
    known = spend.known[rows]
    quiet = known & (spend.values[rows] == 0)
    return Figures(
        spent, np.repeat(budget[:, None], history.days, axis=1), known, history.start[rows], loss, quiet,
        history.doubt_of(rows),
    )  # fmt: skip


def _since_the_period_began(values: np.ndarray, known: np.ndarray, monthly: np.ndarray, history: History) -> np.ndarray:
    """Running sums of the known values, from the first of the month where `monthly`, from the first day elsewhere."""
    sums = np.cumsum(wide_enough(np.where(known, values, 0), history.days), axis=1)
    before = np.concatenate([np.zeros_like(sums[:, :1]), sums[:, :-1]], axis=1)
    firsts = np.array([max(0, day - history.day(day).day + 1) for day in range(history.days)], int)
    return np.where(monthly[:, None], sums - before[:, firsts], sums)
