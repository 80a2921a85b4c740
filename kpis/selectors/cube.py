"""Facts of a company as a small cube (channel × metric × day) read by one query; figures are ratios of sums over it.

Integers (micros) inside, Decimal at the edge. Absent is not zero: a cell no source has reported is None.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from kpis import metrics as catalogue
from kpis.formulas import Formula
from kpis.metrics import MetricInfo
from kpis.selectors import fact_rows
from kpis.selectors.as_known import rows_as_known
from kpis.selectors.measures import metrics_of
from roles.fields import MICRO, from_micros
from roles.models import Company

Column = list[int | None]


class KpiValue(NamedTuple):
    """A figure over some (channel, day) pairs: ratio of sums over the `known_pairs` where every metric is known.

    `left_out`: pairs of which a part of the metrics is known and which therefore are in neither sum. `value` is None
    when no pair is known or the denominator is zero. The denominator of a plain linear formula is 1.
    """

    value: Decimal | None
    numerator: Decimal | None
    denominator: Decimal | None
    known_pairs: int
    left_out: int


NOTHING_KNOWN = KpiValue(None, None, None, 0, 0)


class Cube:
    """Facts of [start, end] by channel (and by campaign where they were asked for)."""

    def __init__(self, start: date, end: date, channels: dict, campaigns: dict):
        self.start, self.end = start, end
        self.size = (end - start).days + 1
        self._channels: dict[int, dict[str, Column]] = channels
        self._campaigns: dict[int, dict[str, Column]] = campaigns

    @property
    def channel_ids(self) -> list[int]:
        """Channels with at least one row of facts."""
        return list(self._channels)

    @property
    def campaign_ids(self) -> list[int]:
        return list(self._campaigns)

    def sums(
        self,
        metrics: Iterable[str],
        channel_id: int | None = None,
        start: date | None = None,
        end: date | None = None,
    ) -> dict[str, Decimal | None]:
        """Sum of each metric over the days and the channel (all channels without one); None where no day is known."""
        first, last = self._span(start, end)
        tables = self._tables(None if channel_id is None else [channel_id])
        found = {}
        for code in metrics:
            known = [
                value for table in tables if (column := table.get(code)) for value in column[first:last]
                if value is not None
            ]  # fmt: skip
            found[code] = from_micros(sum(known)) if known else None
        return found

    def kpi(
        self,
        formula: Formula,
        channel_ids: Iterable[int] | None = None,
        start: date | None = None,
        end: date | None = None,
    ) -> KpiValue:
        """The formula over the days and channels (all channels without any named)."""
        return _kpi(formula, self._tables(channel_ids), *self._span(start, end))

    def formula_sums(
        self, formula: Formula, channel_ids: Iterable[int] | None = None, campaign_id: int | None = None
    ) -> dict[str, Decimal | None]:
        """The sum of each metric of the formula over the very pairs that `kpi` counts; None where it counts none.

        With a campaign, those that `campaign_kpi` counts.
        """
        first, last = self._span(None, None)
        codes = tuple(formula.metrics)
        totals, known = dict.fromkeys(codes, 0), 0
        tables = self._tables(channel_ids) if campaign_id is None else [self._campaigns.get(campaign_id, {})]
        for table in tables:
            columns = [table[code][first:last] for code in codes if code in table]
            counted, sums = _sums(codes, columns) if len(columns) == len(codes) else (0, {})
            known += counted
            for code in sums:
                totals[code] += sums[code]
        return {code: from_micros(total) if known else None for code, total in totals.items()}

    def daily(self, formula: Formula, channel_id: int | None = None) -> dict[date, KpiValue]:
        """The formula for each day of the cube, oldest first; over all channels without one."""
        return self._daily(formula, self._tables(None if channel_id is None else [channel_id]))

    def weekly(
        self, formula: Formula, mondays: Iterable[date], channel_ids: Iterable[int] | None = None
    ) -> list[KpiValue]:
        """The formula for each week that begins on these Mondays."""
        tables = self._tables(channel_ids)
        return [
            _kpi(formula, tables, *self._span(monday, monday + timedelta(days=6))) for monday in mondays
        ]  # fmt: skip

    def campaign_kpi(
        self, formula: Formula, campaign_id: int, start: date | None = None, end: date | None = None
    ) -> KpiValue:
        """The formula for one campaign; needs a cube loaded with `campaigns=True`."""
        return _kpi(formula, [self._campaigns.get(campaign_id, {})], *self._span(start, end))

    def campaign_daily(self, formula: Formula, campaign_id: int) -> dict[date, KpiValue]:
        return self._daily(formula, [self._campaigns.get(campaign_id, {})])

    def last_day(self, channel_id: int | None = None) -> date | None:
        """The newest day with a known metric, None where there is none."""
        newest = -1
        for table in self._tables(None if channel_id is None else [channel_id]):
            for column in table.values():
                index = self.size - 1
                while index > newest and column[index] is None:
                    index -= 1
                newest = max(newest, index)
        return None if newest < 0 else self.start + timedelta(days=newest)

    def _tables(self, channel_ids: Iterable[int] | None) -> list[dict[str, Column]]:
        if channel_ids is None:
            return list(self._channels.values())
        return [self._channels[pk] for pk in dict.fromkeys(channel_ids) if pk in self._channels]

    def _span(self, start: date | None, end: date | None) -> tuple[int, int]:
        first = 0 if start is None else max(0, (start - self.start).days)
        last = self.size if end is None else min(self.size, (end - self.start).days + 1)
        return first, max(first, last)

    def _daily(self, formula: Formula, tables: list[dict[str, Column]]) -> dict[date, KpiValue]:
        return {
            self.start + timedelta(days=index): _kpi(formula, tables, index, index + 1) for index in range(self.size)
        }


def _kpi(formula: Formula, tables: list[dict[str, Column]], first: int, last: int) -> KpiValue:
    above = below = known = left_out = 0
    codes = tuple(formula.metrics)
    for table in tables:
        columns = [table[code][first:last] for code in codes if code in table]
        if len(columns) < len(codes):
            left_out += _touched(columns)
            continue
        counted, sums = _sums(codes, columns)
        if counted < last - first:
            left_out += _touched(columns) - counted
        if counted:
            known += counted
            above += sum(factor * sums[code] for code, factor in formula.whole_numerator)
            below += sum(factor * sums[code] for code, factor in formula.whole_denominator)
    if not known:
        return NOTHING_KNOWN if not left_out else KpiValue(None, None, None, 0, left_out)
    return _figure(formula, above, below, known, left_out)


def _sums(codes: tuple[str, ...], columns: list[Column]) -> tuple[int, dict[str, int]]:
    """How many days are known in every column, and the sum of each column over those days."""
    if len(columns) == 1:
        values = [value for value in columns[0] if value is not None]
        return len(values), {codes[0]: sum(values)}
    if any(None in column for column in columns):
        days = [day for day in zip(*columns, strict=True) if None not in day]
        if not days:
            return 0, {}
        columns = list(zip(*days, strict=True))
    return len(columns[0]), {code: sum(column) for code, column in zip(codes, columns, strict=True)}


def _touched(columns: list[Column]) -> int:
    """Days on which at least one column is known."""
    if not columns:
        return 0
    if len(columns) == 1:
        return len(columns[0]) - columns[0].count(None)
    return sum(any(value is not None for value in day) for day in zip(*columns, strict=True))


def _figure(formula: Formula, above: int, below: int, known: int, left_out: int) -> KpiValue:
    """From integer sums (micros × the formula's scales) to decimals."""
    over, under = formula.scales
    numerator = from_micros(above) if over == 1 else Decimal(above) / (over * MICRO)
    if not formula.is_ratio:
        return KpiValue(numerator, numerator, Decimal(1), known, left_out)
    denominator = from_micros(below) if under == 1 else Decimal(below) / (under * MICRO)
    value = Decimal(above * under) / Decimal(below * over) if below else None
    return KpiValue(value, numerator, denominator, known, left_out)


def load_cube(
    *,
    company: Company,
    start: date,
    end: date,
    channel_ids: Iterable[int] | None = None,
    metrics: Iterable[str] | Mapping[str, MetricInfo] | None = None,
    campaigns: bool = False,
    as_known: datetime | None = None,
) -> Cube:
    """The facts of [start, end] by one query (and one for the company's own metrics, unless they are passed or unneeded).

    `metrics`: codes, or the mapping of `metrics_of`; all without it. An unknown code raises KeyError. Where several
    sources give a metric for a channel and day, the one with the lowest priority number wins, then the older source;
    its campaigns are taken with it. `as_known`: the facts and priorities as they stood at that moment (UTC).
    """
    infos = _infos(company, metrics)
    asked = {
        "company": company, "start": start, "end": end, "columns": [info.column for info in infos.values()],
        "channel_ids": None if channel_ids is None else sorted(set(channel_ids)), "campaigns": campaigns,
    }  # fmt: skip
    rows = fact_rows.read(**asked) if as_known is None else rows_as_known(**asked, at=as_known)
    channels, parts = _placed(rows, tuple(infos), start, end, campaigns)
    return Cube(start, end, channels, parts)


def _infos(company: Company, metrics: Iterable[str] | Mapping[str, MetricInfo] | None) -> dict[str, MetricInfo]:
    if isinstance(metrics, Mapping):
        return dict(metrics)
    if metrics is None:
        return metrics_of(company=company)
    wanted = dict.fromkeys(metrics)
    known = catalogue.BUILT_IN if wanted.keys() <= catalogue.BUILT_IN.keys() else metrics_of(company=company)
    return {code: known[code] for code in wanted}


def _placed(rows: Iterable[tuple], codes: tuple[str, ...], start: date, end: date, campaigns: bool) -> tuple:
    """Rows put into columns. They come with the weakest source first, so that a stronger one overwrites it."""
    size = (end - start).days + 1
    days = [start + timedelta(days=offset) for offset in range(size)]
    index = {day: offset for offset, day in enumerate(days)} | {
        day.isoformat(): offset for offset, day in enumerate(days)
    }
    if campaigns:
        return _placed_by_campaign(rows, codes, index, size)
    channels: dict[int, dict[str, Column]] = {}
    columns: dict[int, list[Column]] = {}
    for day, channel, _source, *values in rows:
        place = columns.get(channel)
        if place is None:
            place = columns[channel] = [[None] * size for _code in codes]
            channels[channel] = dict(zip(codes, place, strict=True))
        offset = index[day]
        for column, value in zip(place, values, strict=True):
            if value is not None:
                column[offset] = value
    return channels, {}


def _placed_by_campaign(rows: Iterable[tuple], codes: tuple[str, ...], index: dict, size: int) -> tuple:
    """The same with the campaigns kept: where a source wins a channel's cell, its campaigns' cells win with it."""
    places = range(len(codes))
    by_source: dict[int, tuple[dict[int, list[Column]], dict[int, list[Column]]]] = {}
    channel_of: dict[int, int] = {}
    for day, channel, source, campaign, *values in rows:
        totals, parts = by_source.setdefault(source, ({}, {}))
        if channel not in totals:
            totals[channel] = [[None] * size for _place in places]
        if campaign and campaign not in parts:
            parts[campaign] = [[None] * size for _place in places]
            channel_of[campaign] = channel
        total, part, offset = totals[channel], parts.get(campaign), index[day]
        for place, value in enumerate(values):
            if value is not None:
                column = total[place]
                column[offset] = value if column[offset] is None else column[offset] + value
                if part is not None:
                    part[place][offset] = value
    channels: dict[int, list[Column]] = {}
    campaigns: dict[int, list[Column]] = {}
    unknown: Column = [None] * size
    for totals, parts in by_source.values():
        for campaign, channel in channel_of.items():
            if channel in totals:
                part = parts.get(campaign) or [unknown] * len(codes)
                campaigns[campaign] = _over(campaigns.get(campaign), totals[channel], part)
        for channel, total in totals.items():
            channels[channel] = _over(channels.get(channel), total, total)
    return tuple(
        {key: dict(zip(codes, columns, strict=True)) for key, columns in found.items()}
        for found in (channels, campaigns)
    )


def _over(weaker: list[Column] | None, decides: list[Column], stronger: list[Column]) -> list[Column]:
    """Columns with the stronger source's cells wherever that source knows the channel's (`decides`)."""
    if weaker is None:
        return stronger
    return [
        [old if known is None else new for old, known, new in zip(*columns, strict=True)]
        for columns in zip(weaker, decides, stronger, strict=True)
    ]
