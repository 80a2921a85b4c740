"""Pictures of a rule on history: the KPI of the scopes that fired most, with the line and the episodes; a table each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from kpis import periods
from kpis.charts import Plot, Span, firing_plot
from kpis.day_classes import DayClass, Window
from kpis.models import StopRuleVersion
from kpis.replay import Replay
from kpis.selectors.backtest import Backtest, Firing
from roles import formats

MOST = 3
CUT = 3
"""Days far beyond the line are drawn at so many lines: one lead on a bad day would flatten the year."""


@dataclass(frozen=True)
class PictureRow:
    """A picture in figures: of a month the KPI (ratio of sums) and the days beyond the line; or of one mailing. `numbers`: its firings."""

    label: str
    value: Decimal | None
    bad: int
    numbers: list[int]


@dataclass(frozen=True)
class Picture:
    subject: object
    plot: Plot
    rows: list[PictureRow]
    cut_at: Decimal | None
    is_by_month: bool = True


def value_of(found: Replay, row: int, days: Sequence[int]) -> Decimal | None:
    """The KPI over these days: a ratio of sums of those that are known; None where nothing is."""
    parts = [part for day in days if (part := found.parts(row, day))[0] is not None and part[1] is not None]
    if found.series[row].version.window == Window.BUDGET:
        parts = parts[-1:]  # what was spent so far is a sum already
    below = sum((part[1] for part in parts), Decimal(0))
    return sum((part[0] for part in parts), Decimal(0)) / below if below else None


def spent_since(found: Replay, row: int, last: int) -> list[Decimal | None]:
    """What “spent since the last conversion” adds up to on each day up to `last`; None where a figure is unknown."""
    spent, sums = Decimal(0), []
    for day in range(last + 1):
        above, below = found.parts(row, day)
        if above is None or below is None:
            sums.append(None)
            continue
        spent = Decimal(0) if below else spent + above
        sums.append(spent)
    return sums


def pictures(tried: Backtest, unit: str, name: str) -> list[Picture]:
    """Of the scopes with the most firings, then of those with the most days beyond the line; mailings stand together."""
    found = tried.draft.replay
    if found is None:
        return []
    numbered = list(enumerate(tried.draft.firings, start=1))
    if tried.draft.version.window == Window.EVENT:
        rows = {one.channel.pk: one.channel for one in found.series}
        return [
            _of_mailings(tried, found, channel, [one for one in numbered if one[1].channel.pk == pk], unit, name)
            for pk, channel in list(rows.items())[:MOST]
        ]
    first, last = _span(tried, found)
    bad = (found.outcome.classes[: len(found.series), first : last + 1] == DayClass.BREACH).sum(axis=1)
    fired = [sum(firing.row == row for _number, firing in numbered) for row in range(len(found.series))]
    worst = sorted(range(len(found.series)), key=lambda row: (-fired[row], -int(bad[row]), row))[:MOST]
    return [
        _picture(tried, found, row, [one for one in numbered if one[1].row == row], unit, name) for row in worst
    ]  # fmt: skip


def _span(tried: Backtest, found: Replay) -> tuple[int, int]:
    history = found.history
    return max(history.index(tried.since), 0), min(history.index(tried.until), history.days - 1)


def _picture(
    tried: Backtest, found: Replay, row: int, numbered: list[tuple[int, Firing]], unit: str, name: str
) -> Picture:
    history, one = found.history, found.series[row]
    first, last = _span(tried, found)
    days = [history.day(index) for index in range(first, last + 1)]
    version = tried.draft.version
    is_drip = version.window == Window.SINCE_CONVERSION
    values = (
        spent_since(found, row, last)[first:]
        if is_drip
        else [found.value(row, index) for index in range(first, last + 1)]
    )
    line = version.k * version.line if is_drip else one.line if version.window == Window.BUDGET else version.line
    classes = found.outcome.classes[row, first : last + 1].tolist()
    gaps = [day for day, kind in zip(days, classes, strict=True) if kind in (DayClass.INACTIVE, DayClass.MISSING)]
    cut = _cut(version, line, values)
    plot = firing_plot(
        days, [value if cut is None or value is None else min(value, cut) for value in values], unit,
        pgettext("plot", "%(kpi)s of %(subject)s by day") % {"kpi": name, "subject": one.campaign or one.channel},
        _described(numbered), line,
        _spans(tried, numbered), gap_days=gaps,
    )  # fmt: skip
    rows = _months(found, row, first, last, numbered, values if is_drip else None)
    return Picture(one.campaign or one.channel, plot, rows, cut)


def _cut(version: StopRuleVersion, line: Decimal, values: list[Decimal | None]) -> Decimal | None:
    """Where the picture ends, if something lies beyond it."""
    if version.comparison != "above" or line <= 0:
        return None
    highest = line * CUT
    return highest if any(value is not None and value > highest for value in values) else None


def _spans(tried: Backtest, numbered: list[tuple[int, Firing]]) -> list[Span]:
    return [
        Span(number, firing.first_day, firing.opened_on, firing.closed_on or tried.until, bool(firing.false_alarm))
        for number, firing in numbered
    ]


def _described(numbered: list[tuple[int, Firing]]) -> str:
    false = sum(bool(firing.false_alarm) for _number, firing in numbered)
    return _("Stop line and firings: %(n)s, false alarms among them: %(false)s.") % {"n": len(numbered), "false": false}


def _months(
    found: Replay, row: int, first: int, last: int, numbered: list[tuple[int, Firing]],
    sums: list[Decimal | None] | None,
) -> list[PictureRow]:  # fmt: skip
    """`sums`: what is added up from day to day from `first` on; of a month the most of it is told, not a ratio."""
    history, lines = found.history, []
    start = periods.month_start(history.day(first))
    for month in periods.months_between(start, history.day(last)):
        days = range(max(history.index(month), first), min(history.index(periods.month_end(month)), last) + 1)
        known = [day for day in days if found.figures.known[row, day]]
        most = max((sums[day - first] for day in days if sums and sums[day - first] is not None), default=None)
        lines.append(
            PictureRow(
                formats.month(month), value_of(found, row, known) if sums is None else most,
                int((found.outcome.classes[row, days.start : days.stop] == DayClass.BREACH).sum()),
                [number for number, firing in numbered if periods.month_start(firing.opened_on) == month],
            )
        )  # fmt: skip
    return lines


def _of_mailings(tried: Backtest, found: Replay, channel, numbered: list, unit: str, name: str) -> Picture:
    """Every mailing of a channel is a point on its day; of two on one day the worse one is drawn."""
    first, last = _span(tried, found)
    version, sign = tried.draft.version, 1 if tried.draft.version.comparison == "above" else -1
    points: dict[date, Decimal] = {}
    rows = []
    sent = [(int(found.figures.start[row]), row, one) for row, one in enumerate(found.series)]
    for index, row, one in sorted(sent, key=lambda place: place[:2]):
        if one.channel.pk != channel.pk or not first <= index <= last:
            continue
        value, day = found.value(row, index), found.history.day(index)
        if value is not None:
            points[day] = max(points.get(day, value), value, key=lambda number: sign * number)
        bad = int(found.outcome.classes[row, index] == DayClass.BREACH)
        numbers = [number for number, firing in numbered if firing.row == row]
        rows.append(PictureRow(f"{formats.day(day)}, {one.campaign}", value, bad, numbers))
    days = sorted(points) or [tried.until]
    plot = firing_plot(
        days, [points.get(day) for day in days], unit,
        pgettext("plot", "%(kpi)s of mailings of %(subject)s") % {"kpi": name, "subject": channel}, _described(numbered),
        version.line,
        [Span(number, firing.opened_on, firing.opened_on, firing.opened_on, False) for number, firing in numbered],
    )  # fmt: skip
    return Picture(channel, plot, rows, None, is_by_month=False)
