"""Our own simple layout, documented on the upload page: a line per day, channel and (where known) campaign.

Headings: date, channel, campaign (optional; its id in the source), campaign name (optional), and any metrics by their
code or their Russian or English name. `;`, tab or `,`; utf-8 or cp1251; 2026-11-20 or 20.11.2026; `1 234,5` or 1234.5.
An empty cell means "unknown"; a metric without a column keeps its value.
"""

from collections.abc import Iterator

from kpis.importers.base import Context, Row
from kpis.importers.rows import Layout, column_of, find, metric_columns, read_rows
from kpis.importers.tables import Table

CODE, VERSION, FOLDS = "canonical", 1, False
DAY = frozenset({"date", "day", "дата", "день"})
CHANNEL = frozenset({"channel", "канал"})
CAMPAIGN = frozenset({"campaign", "campaign id", "кампания", "id кампании", "номер кампании"})
CAMPAIGN_NAME = frozenset({"campaign name", "название кампании"})


def sniff(header: list[str], context: Context) -> bool:
    """A date, a channel and at least one metric."""
    return (
        find(header, DAY) is not None
        and find(header, CHANNEL) is not None
        and bool(metric_columns(header, dict(context.columns)))
    )


def layout(header: list[str], context: Context) -> Layout:
    return Layout(
        find(header, DAY), find(header, CHANNEL), find(header, CAMPAIGN), find(header, CAMPAIGN_NAME),
        metric_columns(header, dict(context.columns)),
    )  # fmt: skip


def metrics(header: list[str], context: Context) -> list[str]:
    """Codes of the metrics the file gives, in the order of its columns."""
    return layout(header, context).codes


def skipped(header: list[str], context: Context) -> list[str]:
    return []


def money_of(table: Table) -> str:
    """The layout names no currency: its money is the company's."""
    return ""


def names(table: Table) -> Iterator[str]:
    """The channel's cell of every row."""
    return column_of(table, find(table.header, CHANNEL))


def read(table: Table, context: Context) -> Iterator[Row]:
    return read_rows(table, layout(table.header, context), context)
