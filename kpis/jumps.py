"""Days that stand out against the same weekdays before them: the robust kind of "is this a counter or the market?". Pure.

A day jumps when it is further from the median of its weekdays than four robust deviations (1.4826 · median absolute
deviation) and than half of that median, and than a few units where the metric is a count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

WEEK = 7
FEWEST = 4
"""Known days of the same weekday below which nothing is usual."""
DEVIATIONS, SHARE = 4 * 1.4826, 0.5


@dataclass(frozen=True)
class Jump:
    """A day (its index), what was there and the median of the weekdays before it, in the units of the values."""

    index: int
    value: int
    usual: float


def jumps(values: Sequence[int | None], looked_at: int, least: int = 0) -> list[Jump]:
    """The jumps among the last `looked_at` values; one per day, oldest first, None where a day is unknown.

    `least`: a difference up to this is never a jump (5 leads of a small channel are chance).
    """
    found = []
    for index in range(max(len(values) - looked_at, 0), len(values)):
        value = values[index]
        before = [one for one in values[index % WEEK : index : WEEK] if one is not None]
        if value is None or len(before) < FEWEST:
            continue
        usual = median(before)
        spread = median(abs(one - usual) for one in before)
        if abs(value - usual) > max(DEVIATIONS * spread, SHARE * abs(usual), least):
            found.append(Jump(index, value, usual))
    return found
