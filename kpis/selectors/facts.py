"""Reads of stored facts: sums per group for the API."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from kpis.metrics import MetricInfo
from kpis.models import Source
from kpis.periods import month_label, month_start, week_label, week_start
from kpis.selectors import fact_rows
from kpis.selectors.measures import metrics_of
from roles.fields import from_micros
from roles.models import Campaign, Channel, Company

GROUPS = ("day", "week", "month", "channel", "campaign", "source")


@dataclass(frozen=True)
class FactGroup:
    """Sums of one group. `keys` in the order asked for; `values` metric code → sum, None where no day is known.

    Metrics of money are left out of `values` where the reader may not see money.
    """

    keys: dict[str, str | None]
    values: dict[str, Decimal | None]


@dataclass(frozen=True)
class FactSums:
    """Groups in order, and the metrics as the reader may see them."""

    metrics: list[MetricInfo]
    groups: list[FactGroup]


def fact_sums(
    *, company: Company, start: date, end: date, group_by: Iterable[str], channels: Sequence[Channel] | None = None,
    campaign: str | None = None, money_of: set[int] | None = None,
) -> FactSums:  # fmt: skip
    """Sums of every metric per group over [start, end].

    Unless grouped by source, of several sources of one channel, day and metric the one with priority counts, never the
    sum. `channels`, `campaign`: only these, only campaigns with this id in the source. `money_of`: channels whose money the
    reader sees, None for all.
    """
    group_by = [group for group in GROUPS if group in set(group_by)]
    metrics = list(metrics_of(company=company).values())
    only = None if channels is None else [channel.pk for channel in channels]
    named = _campaign_names(company, only, campaign) if campaign is not None or "campaign" in group_by else None
    rows = fact_rows.read(
        company=company, start=start, end=end, columns=[info.column for info in metrics],
        channel_ids=only, campaigns=named is not None,
    )  # fmt: skip
    rows, winners = [_shaped(row, named is not None) for row in rows], None
    if "source" not in group_by:
        if named is None:
            rows = _overlaid(rows)
        else:
            winners = _winners(rows, len(metrics))
    key_of = _keys(company, group_by, named)
    sums: dict[tuple, list] = {}
    channels: dict[tuple, set[int]] = {}
    for row in rows:
        day, channel_id, source_id, campaign_id, values = row
        if campaign is not None and campaign_id not in named:
            continue
        key = key_of(day, channel_id, source_id, campaign_id)
        total = sums.setdefault(key, [None] * len(metrics))
        channels.setdefault(key, set()).add(channel_id)
        winner = winners[day, channel_id] if winners is not None else None
        for place, value in enumerate(values):
            if value is not None and (winner is None or winner[place] == source_id):
                total[place] = value + (total[place] or 0)
    return FactSums(metrics, [
        FactGroup(dict(zip(group_by, key, strict=True)), _seen(metrics, sums[key], channels[key], money_of))
        for key in sorted(sums, key=lambda key: tuple(part or "" for part in key))
    ])  # fmt: skip


def _shaped(row: tuple, campaigns: bool) -> tuple:
    """(date, channel, source, campaign, values) of a row as the engine gives it."""
    day = date.fromisoformat(row[0]) if isinstance(row[0], str) else row[0]
    return (day, row[1], row[2], row[3] if campaigns else 0, row[4:] if campaigns else row[3:])


def _overlaid(rows: list[tuple]) -> list[tuple]:
    """One row per channel and day, each metric as the strongest source that knows it gives it: rows come weakest first."""
    found: dict[tuple, tuple] = {}
    for row in rows:
        key = row[:2]
        weaker = found.get(key)
        if weaker is not None:
            mixed = tuple(old if new is None else new for old, new in zip(weaker[4], row[4], strict=True))
            row = (*row[:4], mixed)
        found[key] = row
    return list(found.values())


def _winners(rows: list[tuple], metrics: int) -> dict[tuple, list[int | None]]:
    """Per channel and day, for each metric the source that counts: rows come weakest first."""
    winners: dict[tuple, list[int | None]] = {}
    for day, channel_id, source_id, _campaign, values in rows:
        winner = winners.setdefault((day, channel_id), [None] * metrics)
        for place, value in enumerate(values):
            if value is not None:
                winner[place] = source_id
    return winners


def _campaign_names(company: Company, only: list[int] | None, external_id: str | None) -> dict[int, str]:
    found = Campaign.objects.filter(company=company)
    if only is not None:
        found = found.filter(channel__in=only)
    if external_id is not None:
        found = found.filter(external_id=external_id)
    return dict(found.values_list("pk", "external_id"))


def _keys(company: Company, group_by: list[str], named: dict[int, str] | None) -> Callable[..., tuple]:
    """A function that makes the key of a row, with codes instead of ids."""
    channels = dict(Channel.objects.filter(company=company).values_list("pk", "code")) if "channel" in group_by else {}
    sources = dict(Source.objects.filter(company=company).values_list("pk", "code")) if "source" in group_by else {}
    parts = {
        "day": lambda day, channel, source, campaign: day.isoformat(),
        "week": lambda day, channel, source, campaign: week_label(week_start(day)),
        "month": lambda day, channel, source, campaign: month_label(month_start(day)),
        "channel": lambda day, channel, source, campaign: channels.get(channel),
        "campaign": lambda day, channel, source, campaign: (named or {}).get(campaign),
        "source": lambda day, channel, source, campaign: sources.get(source),
    }
    chosen = [parts[group] for group in group_by]
    return lambda *row: tuple(part(*row) for part in chosen)


def _seen(
    metrics: list[MetricInfo], total: list, channels: set[int], money_of: set[int] | None
) -> dict[str, Decimal | None]:
    """The sums this reader may see: money only where the money of every channel in the group is theirs to see."""
    money = money_of is None or channels <= money_of
    return {
        info.code: None if value is None else from_micros(value)
        for info, value in zip(metrics, total, strict=True)
        if money or info.unit != "money"
    }
