"""Geometry of charts: scales with round ticks, positions in per cent, gaps for unknown days. Pure: values in, positions out.

A drawing is an outer `<svg>` without viewBox, so that its text keeps its size; positions are therefore strings such as
`41.67%`. Lines sit in a nested `<svg viewBox="0 0 1000 1000">`, so a path is written in thousandths. Nothing here knows
words or languages: `mops.templatetags.charts` writes the figures.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from math import ceil, floor, isfinite, log10

Value = Decimal | int | float | None

EPISODE_GAP = timedelta(days=7)
STEPS = (1, 2, 2.5, 5, 10)
MOST_TICKS = {"l": 5, "m": 4, "s": 3}
MOST_DAY_LABELS = 8
MOST_NUMBERED_DAYS = 92


def percent(share: float) -> str:
    """0.4167 → `41.67%`: at most two decimals, no trailing zeros."""
    return f"{_plain(share * 100)}%"


def _thousandths(share: float) -> str:
    return _plain(share * 1000)


def _plain(number: float) -> str:
    text = f"{number:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def known(values: Iterable[Value]) -> list[float]:
    """The values that are there, as floats; unknown and endless ones are left out."""
    return [float(value) for value in values if value is not None and isfinite(value)]


@dataclass(frozen=True)
class Scale:
    """A vertical axis from `low` to `high` with round `ticks`, oldest first; `step` lies between two of them."""

    low: float
    high: float
    step: float
    ticks: tuple[float, ...]

    def at(self, value: Value) -> float:
        """How far from the top, as a share: 0 at `high`, 1 at `low`; cut at both ends."""
        share = (self.high - float(value)) / (self.high - self.low)
        return min(1.0, max(0.0, share))


def nice_scale(values: Iterable[Value], most: int = 5, from_zero: bool = False) -> Scale:
    """The tightest axis with at most `most` ticks on 1, 2, 2.5 or 5 × 10ⁿ that holds every value.

    It starts at zero where asked, where a value is below it, or where zero costs little room. No values: 0 to 1.
    """
    present = known(values) or [0.0, 1.0]
    low, high = min(present), max(present)
    if low > 0 and (from_zero or low < 0.4 * high):
        low = 0.0
    if high < 0 and from_zero:
        high = 0.0
    if high == low:
        low, high = (0.0, high) if high > 0 else (low, 0.0 if low < 0 else 1.0)
    step = _step((high - low) / max(1, most - 1))
    while True:
        first, last = floor(round(low / step, 9)), ceil(round(high / step, 9))
        if last - first + 1 <= most:
            break
        step = _step(step * 1.01)
    ticks = tuple(round(index * step, 10) for index in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], step, ticks)


def _step(rough: float) -> float:
    """The smallest round step that is not below `rough`."""
    power = 10.0 ** floor(log10(rough))
    return next(step * power for step in STEPS if step * power >= rough * (1 - 1e-9))


@dataclass(frozen=True)
class Mark:
    """A point or label: position, the value or day it stands for, what to call it (`number` of a breach day)."""

    x: str
    y: str = "100%"
    value: Value = None
    day: date | None = None
    number: int = 0
    minor: bool = False
    anchor: str = "middle"


@dataclass(frozen=True)
class Band:
    x: str
    width: str
    gap: bool = False


@dataclass(frozen=True)
class RuleLine:
    """A level across the plot; `above` says on which side of it the label has room."""

    y: str
    value: Value
    above: bool


@dataclass(frozen=True)
class Plot:
    """A finished drawing of one series by day; `unit` (money, share, count, number) and `step` say how to write its ticks."""

    title: str
    desc: str
    unit: str
    size: str
    step: float
    path: str
    ticks: tuple[Mark, ...]
    days: tuple[Mark, ...]
    bands: tuple[Band, ...] = ()
    dots: tuple[Mark, ...] = ()
    breaches: tuple[Mark, ...] = ()
    fired: tuple[Mark, ...] = ()
    false_alarms: tuple[Mark, ...] = ()
    worst: Mark | None = None
    goal: RuleLine | None = None
    line: RuleLine | None = None
    is_empty: bool = field(default=False)


def line_plot(
    days: Sequence[date],
    values: Sequence[Value],
    unit: str,
    title: str,
    desc: str,
    goal: Value = None,
    line: Value = None,
    breach_days: Iterable[date] = (),
    gap_days: Iterable[date] = (),
    size: str = "l",
) -> Plot:
    """A series by day (or by week: `days` are then Mondays), one slot per day, oldest first.

    A None value breaks the line and a lone known day between two unknown ones is a dot. `goal` is the plan, `line` the
    stop line. `breach_days` are numbered in each episode, an episode is tinted; `gap_days` are tinted as without data.
    """
    slots = {day: index for index, day in enumerate(days)}
    scale = nice_scale([*values, goal, line], MOST_TICKS[size], from_zero=unit == "count")
    positions = [None if value is None or not isfinite(value) else scale.at(value) for value in values]
    breached = [day for day in sorted(set(breach_days)) if day in slots]
    breaches = _breaches(breached, slots, values, positions)
    return Plot(
        title=title, desc=desc, unit=unit, size=size, step=scale.step,
        path=_path(positions), dots=_dots(positions),
        ticks=tuple(Mark("0", percent(scale.at(tick)), tick) for tick in scale.ticks),
        days=_day_labels(days, size),
        bands=(*_bands(episodes(breached), slots), *_gap_bands(gap_days, slots)),
        breaches=breaches if len(days) <= MOST_NUMBERED_DAYS else (),
        worst=_worst(breaches, line) if size != "s" else None,
        goal=_rule(goal, scale, positions[: max(1, len(positions) // 4)]),
        line=_rule(line, scale, positions[-max(1, len(positions) // 4) :]),
        is_empty=all(position is None for position in positions),
    )  # fmt: skip


@dataclass(frozen=True)
class Span:
    """One firing of a rule: its `number`, first breaching day, the day that fired, the last day."""

    number: int
    first: date
    opened: date
    last: date
    false_alarm: bool = False


def firing_plot(
    days: Sequence[date],
    values: Sequence[Value],
    unit: str,
    title: str,
    desc: str,
    line: Value,
    spans: Sequence[Span],
    gap_days: Iterable[date] = (),
    size: str = "l",
) -> Plot:
    """A series by day with its stop line, where each firing is tinted as a whole and numbered on the day that fired."""
    plot = line_plot(days, values, unit, title, desc, line=line, gap_days=gap_days, size=size)
    slots = {day: index for index, day in enumerate(days)}
    scale = nice_scale([*values, line], MOST_TICKS[size], from_zero=unit == "count")
    bands, marks = [], {True: [], False: []}
    for span in spans:
        first, last = max(span.first, days[0]), min(span.last, days[-1])
        if not span.false_alarm and first in slots and last in slots:
            width = slots[last] - slots[first] + 1
            bands.append(Band(percent(slots[first] / len(slots)), percent(width / len(slots))))
        if span.opened in slots:
            index = slots[span.opened]
            height = 0.0 if values[index] is None else scale.at(values[index])
            x, y = percent(_middle(index, len(slots))), percent(height)
            marks[span.false_alarm].append(Mark(x, y, values[index], span.opened, span.number))
    return replace(
        plot, bands=(*bands, *plot.bands), fired=tuple(marks[False]), false_alarms=tuple(marks[True])
    )  # fmt: skip


def _middle(index: int, count: int) -> float:
    return (index + 0.5) / count


def runs(positions: Sequence[float | None]) -> list[list[int]]:
    """Indexes of unbroken stretches of known values."""
    stretches, current = [], []
    for index, position in enumerate(positions):
        if position is None:
            if current:
                stretches.append(current)
            current = []
        else:
            current.append(index)
    return [*stretches, current] if current else stretches


def _path(positions: Sequence[float | None]) -> str:
    count, pieces = len(positions), []
    for run in runs(positions):
        if len(run) > 1:
            points = (f"{_thousandths(_middle(index, count))} {_thousandths(positions[index])}" for index in run)
            pieces.append("M" + "L".join(points))
    return "".join(pieces)


def _dots(positions: Sequence[float | None]) -> tuple[Mark, ...]:
    alone = [run[0] for run in runs(positions) if len(run) == 1]
    return tuple(Mark(percent(_middle(index, len(positions))), percent(positions[index])) for index in alone)


def episodes(breached: Sequence[date]) -> list[list[date]]:
    """Breaching days, oldest first, cut where more than a week lies between two of them."""
    groups: list[list[date]] = []
    for day in breached:
        if groups and day - groups[-1][-1] <= EPISODE_GAP:
            groups[-1].append(day)
        else:
            groups.append([day])
    return groups


def _bands(groups: list[list[date]], slots: dict[date, int]) -> list[Band]:
    count = len(slots)
    return [
        Band(percent(slots[group[0]] / count), percent((slots[group[-1]] - slots[group[0]] + 1) / count))
        for group in groups
    ]


def _gap_bands(gap_days: Iterable[date], slots: dict[date, int]) -> list[Band]:
    count = len(slots)
    missing = {slots[day] for day in gap_days if day in slots}
    stretches = runs([0.0 if index in missing else None for index in range(count)])
    return [Band(percent(run[0] / count), percent(len(run) / count), gap=True) for run in stretches]


def _breaches(breached, slots, values, positions) -> tuple[Mark, ...]:
    marks = []
    for group in episodes(breached):
        for number, day in enumerate(group, start=1):
            index = slots[day]
            if positions[index] is None:  # spend without a single conversion: as bad as it gets, so at the edge
                marks.append(Mark(percent(_middle(index, len(slots))), "0%", None, day, number))
            else:
                x, y = percent(_middle(index, len(slots))), percent(positions[index])
                marks.append(Mark(x, y, values[index], day, number))
    return tuple(marks)


def _worst(breaches: tuple[Mark, ...], line: Value) -> Mark | None:
    """The breaching day farthest from the stop line, which gets its figure written."""
    measured = [mark for mark in breaches if mark.value is not None]
    return max(measured, key=lambda mark: abs(float(mark.value) - float(line or 0)), default=None)


def _rule(value: Value, scale: Scale, nearby: Sequence[float | None]) -> RuleLine | None:
    """A level with its label on the side where the series near the label is not."""
    if value is None:
        return None
    at = scale.at(value)
    near = [position for position in nearby if position is not None]
    series = sum(near) / len(near) if near else 0.0
    above = series >= at
    if at < 0.1:
        above = False
    elif at > 0.9:
        above = True
    return RuleLine(percent(at), value, above)


def _day_labels(days: Sequence[date], size: str) -> tuple[Mark, ...]:
    count = len(days)
    if not count:
        return ()
    if size == "s":
        ends = [(0, "start"), (count - 1, "end")] if count > 1 else [(0, "start")]
        return tuple(Mark(percent(_middle(index, count)), day=days[index], anchor=anchor) for index, anchor in ends)
    daily = count > 1 and days[1] - days[0] == timedelta(days=1)
    if daily and count > 120:
        chosen = [index for index, day in enumerate(days) if day.day == 1]
    elif daily and count > 10:
        chosen = [index for index, day in enumerate(days) if day.weekday() == 0]
    else:
        chosen = list(range(count))
    chosen = chosen[:: ceil(len(chosen) / MOST_DAY_LABELS) or 1]
    crowded = len(chosen) > 4
    return tuple(
        Mark(percent(_middle(index, count)), day=days[index], minor=crowded and order % 2 == 0)
        for order, index in enumerate(chosen)
    )


@dataclass(frozen=True)
class Spark:
    """A series without axes. Wide ones stretch (per cent), the others are 96 × 24 units. `zero`: where 0 lies, if inside."""

    path: str
    end_x: str
    end_y: str
    wide: bool
    goal: str | None = None
    zero: str | None = None


def spark(values: Sequence[Value], goal: Value = None, wide: bool = False) -> Spark | None:
    """The drawing of a short series; None where nothing is known. A single known value is its end dot alone."""
    present = known([*values, *([goal] if wide else [])])
    if not known(values):
        return None
    low, high = min(present), max(present)
    span = (high - low) or 1.0
    left, right, top, bottom = (0.0, 1000.0, 80.0, 920.0) if wide else (3.0, 92.0, 3.0, 21.0)
    flat = (top + bottom) / 2

    def across(index):
        return left + (right - left) * index / max(1, len(values) - 1)

    def down(value):
        return flat if high == low else bottom - (bottom - top) * (float(value) - low) / span

    heights = [None if value is None or not isfinite(value) else down(value) for value in values]
    stretches = runs(heights)
    path = "".join(
        "M" + "L".join(f"{_plain(across(index))} {_plain(heights[index])}" for index in run)
        for run in stretches
        if len(run) > 1
    )
    last = stretches[-1][-1]

    def place(number):
        return percent(number / 1000) if wide else _plain(number)

    return Spark(
        path, place(across(last)), place(heights[last]), wide,
        goal=place(down(goal)) if wide and goal is not None else None,
        zero=place(down(0)) if low < 0 < high else None,
    )  # fmt: skip
