"""Rows of facts placed into one dense History, of one company or of many together.

Ids of channels and campaigns are unique over all companies, so one History holds them all. Of two sources of a channel,
day and metric the priority picks one, and a campaign's cell comes from the source that its channel's cell comes from.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date

import numpy as np

from kpis.day_classes import SAFE
from kpis.doubts import open_doubts, without_doubtful
from kpis.fact_columns import ABSENT, Rows, Span, day_number, day_of, read_rows
from kpis.metrics import MetricInfo
from kpis.models import Source
from kpis.series import Column, History
from roles.models import Company

WEAKEST = 32_000
SPARSE = 1_000_000
"""Ids in a range so much wider than their number are sorted instead of looked up."""


def read_history(
    *,
    company: Company,
    metrics: Iterable[MetricInfo],
    today: date,
    since: date = date.min,
    channels: Iterable[int] | None = None,
) -> History | None:
    """Everything known of one company from `since` until today, of these channels only if given; None where nothing is.

    Of days that an open incident holds in doubt nothing is known.
    """
    columns = {info.code: info.column for info in metrics}
    rows = read_rows(spans=[Span(company.pk, since, today)], columns=list(columns.values()), channels=channels)
    if not len(rows):
        return None
    history = build_history(rows, _ranks_in(rows, company), columns, today)
    doubts = open_doubts([company.pk])[company.pk]
    if not doubts:
        return history
    known = {channel for channel, campaign in history.rows if not campaign}
    return without_doubtful(history, [(doubt, known) for doubt in doubts])


def _ranks_in(rows: Rows, company: Company) -> dict[int, int]:
    """Ranks for the sources of these rows; where all come from one, there is nothing to ask."""
    first = int(rows.source[0])
    return {first: 0} if (rows.source == first).all() else ranks_of(sources_of([company.pk]))


def sources_of(companies: Iterable[int]) -> dict[int, list[int]]:
    """Of each company its sources, the one whose word counts first in front."""
    found: dict[int, list[int]] = defaultdict(list)
    rows = Source.objects.filter(company__in=companies).order_by("priority", "pk").values_list("company_id", "pk")
    for company_id, pk in rows:
        found[company_id].append(pk)
    return found


def ranks_of(sources: Mapping[int, list[int]]) -> dict[int, int]:
    """Source → its rank in its company: 0 is the one whose word counts first."""
    return {pk: rank for ranked in sources.values() for rank, pk in enumerate(ranked)}


def too_large(rows: Rows, days: int) -> set[int]:
    """Companies with figures whose sums could leave 64 bits: they are reckoned one by one, in Python's integers."""
    most = SAFE // (days + 1) // 4096
    found: set[int] = set()
    ends = np.cumsum(list(rows.of_company.values()), dtype=np.int64)
    companies = np.array(list(rows.of_company), np.int64)
    for values in rows.values.values():
        wild = np.flatnonzero(((values > most) | (values < -most)) & (values != ABSENT))
        found.update(companies[np.searchsorted(ends, wild, side="right")].tolist())
    return found


def build_history(rows: Rows, ranks: Mapping[int, int], columns: Mapping[str, str], today: date) -> History | None:
    """One History of all rows until today; None where there are none.

    `ranks`: of a source among those of its company, 0 the strongest. `columns`: metric code → column.
    """
    if not len(rows):
        return None
    first = int(rows.day.min())
    places = _Places(rows, ranks, first, day_number(today) - first + 1)
    found = {code: places.column(rows.values[column]) for code, column in columns.items()}
    return History(day_of(first), today, places.rows, places.start, found)


class _Places:
    """Where each row of facts belongs: a cell [part, day], parts of one channel lying together."""

    def __init__(self, rows: Rows, ranks: Mapping[int, int], first: int, days: int):
        self.days, self.ranks = days, ranks
        channels, channel = _numbered(rows.channel)
        part_of_row, self.channel_of_part, campaigns = _parts(channel, rows.campaign)
        day = rows.day - first
        self.cell, self.channel_cell = part_of_row * days + day, channel * days + day
        self.begins = np.flatnonzero(np.diff(self.channel_of_part, prepend=-1))
        self.shape = (len(campaigns), days)
        self.named = np.flatnonzero(campaigns)
        self._rank(rows.source)
        pks = channels[self.channel_of_part[self.named]].tolist()
        scopes = [(pk, 0) for pk in channels.tolist()] + list(zip(pks, campaigns[self.named].tolist(), strict=True))
        self.rows = {scope: number for number, scope in enumerate(scopes)}
        seen = np.zeros(self.shape, bool)
        seen.reshape(-1)[self.cell] = True
        whole = np.logical_or.reduceat(seen, self.begins, axis=0)
        self.start = np.concatenate([np.argmax(whole, axis=1), np.argmax(seen[self.named], axis=1)])

    def _rank(self, source: np.ndarray) -> None:
        sources, number = _numbered(source)
        ranks = np.array([self.ranks[pk] for pk in sources.tolist()], np.int16)
        rank = ranks[number]
        self.contested = np.zeros(0, int)
        if (rank != rank[0]).any():
            best = np.full(len(self.begins) * self.days, WEAKEST, np.int16)
            np.minimum.at(best, self.channel_cell, rank)
            worst = np.zeros(len(best), np.int16)
            np.maximum.at(worst, self.channel_cell, rank)
            self.contested = np.flatnonzero((best != worst)[self.channel_cell])
        self.rank, self.cell_of_contested = rank[self.contested], self.channel_cell[self.contested]

    def column(self, cells: np.ndarray) -> Column:
        """One metric of every channel, then of every campaign."""
        is_known = cells != ABSENT
        if len(self.contested):
            self._leave_strongest(is_known)
        known = np.flatnonzero(is_known)
        values, found = np.zeros(self.shape, np.int64), np.zeros(self.shape, bool)
        at = self.cell[known]
        values.reshape(-1)[at] = cells[known]
        found.reshape(-1)[at] = True
        whole = _summed(values, self.begins)
        return Column(
            np.concatenate([whole, values[self.named]]),
            np.concatenate([np.logical_or.reduceat(found, self.begins, axis=0), found[self.named]]),
        )

    def _leave_strongest(self, is_known: np.ndarray) -> None:
        """Of several sources that know the channel's day the best one counts; changes what is given."""
        told = np.flatnonzero(is_known[self.contested])
        rank, cell = self.rank[told], self.cell_of_contested[told]
        best = np.full(len(self.begins) * self.days, WEAKEST, np.int16)
        np.minimum.at(best, cell, rank)
        is_known[self.contested[told[rank != best[cell]]]] = False


def _summed(values: np.ndarray, begins: np.ndarray) -> np.ndarray:
    largest = max(abs(int(values.max())), abs(int(values.min())))
    if largest * len(values) < SAFE:
        return np.add.reduceat(values, begins, axis=0)
    most = int(np.diff(np.append(begins, len(values))).max())
    return np.add.reduceat(values if largest * most < SAFE else values.astype(object), begins, axis=0)


def _numbered(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different ids, ascending, and the number of each element among them."""
    low, high = int(ids.min()), int(ids.max())
    if high - low > 4 * len(ids) + SPARSE:
        return np.unique(ids, return_inverse=True)
    seen = np.zeros(high - low + 1, bool)
    seen[ids - low] = True
    return np.flatnonzero(seen) + low, (np.cumsum(seen) - 1)[ids - low]


def _parts(channel: np.ndarray, campaign: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The part of every row, and of every part its channel and campaign (0: of none), ordered by both."""
    campaigns, number = _numbered(campaign)
    key, which = _numbered(channel * len(campaigns) + number)
    return which, key // len(campaigns), campaigns[key % len(campaigns)]
