"""Rules of the kind "since the last conversion": what was spent since then decides between THIN and BREACH."""

from math import ceil

import numpy as np

from kpis.day_classes import DayClass, Figures, PerRow, wide_enough

LARGEST = 2**63 - 1


def limits(rules: PerRow) -> np.ndarray:
    """Of each rule the spend that is a breach, k · line, in the units of the figures."""
    found = rules.array(lambda rule: ceil(rule.k * rule.line), object)
    return found if (found > LARGEST).any() else found.astype(np.int64)


def judge(classes: np.ndarray, figures: Figures, rules: PerRow, rows: np.ndarray) -> None:
    """Turn the THIN days of these series into BREACH where the spend since the last conversion has reached the limit.

    For series that nobody signs, all days at once; changes `classes`.
    """
    if not len(rows):
        return
    mine, days = classes[rows], classes.shape[1]
    spending = mine == DayClass.THIN
    converted = figures.known[rows] & (mine == DayClass.OK)
    spent = np.cumsum(wide_enough(np.where(spending, figures.numerator[rows], 0), days), axis=1)
    newest = np.maximum.accumulate(np.where(converted, np.arange(days), -1), axis=1)
    before = np.where(newest < 0, 0, np.take_along_axis(spent, np.maximum(newest, 0), axis=1))
    mine[spending & (spent - before >= limits(rules.only(rows))[:, None])] = DayClass.BREACH
    classes[rows] = mine
