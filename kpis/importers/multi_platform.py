"""The ad report of Fivetran's `ad_reporting` model: a line per day and ad of several platforms, summed per campaign.

Platform names are mapped to channels by the user. Conversions are leads, their value is revenue.
"""

from collections.abc import Iterator

from kpis.importers.base import Column, Context, Row
from kpis.importers.rows import Layout, column_of, find, metric_columns, read_rows
from kpis.importers.tables import Table

CODE, VERSION, FOLDS = "multi_platform", 1, True
DAY, CHANNEL = frozenset({"date day"}), frozenset({"platform"})
CAMPAIGN, CAMPAIGN_NAME = frozenset({"campaign id"}), frozenset({"campaign name"})
COLUMNS = {
    "spend": Column("spend", money=True),
    "impressions": Column("impressions", money=False),
    "clicks": Column("clicks", money=False),
    "conversions": Column("leads", money=False),
    "conversions value": Column("revenue", money=True, signed=True),
}


def sniff(header: list[str], context: Context) -> bool:
    """`date_day`, `platform`, `campaign_id` and `spend` side by side are this report's own names."""
    needed = (DAY, CHANNEL, CAMPAIGN, frozenset({"spend"}))
    return all(find(header, names) is not None for names in needed)


def layout(header: list[str]) -> Layout:
    return Layout(
        find(header, DAY), find(header, CHANNEL), find(header, CAMPAIGN), find(header, CAMPAIGN_NAME),
        metric_columns(header, COLUMNS),
    )  # fmt: skip


def metrics(header: list[str], context: Context) -> list[str]:
    """Codes of the metrics the file gives, in the order of its columns."""
    return layout(header).codes


def skipped(header: list[str], context: Context) -> list[str]:
    return []


def money_of(table: Table) -> str:
    """The layout names no currency: its money is the company's."""
    return ""


def names(table: Table) -> Iterator[str]:
    """The channel's cell of every row."""
    return column_of(table, find(table.header, CHANNEL))


def read(table: Table, context: Context) -> Iterator[Row]:
    return read_rows(table, layout(table.header), context)
