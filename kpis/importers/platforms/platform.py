"""What every export of one platform shares: told by its headings, all rows of one channel, folded to a day and campaign."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from kpis.importers.base import Column, Context, FileProblem, Row
from kpis.importers.rows import Layout, find, metric_columns, read_rows, spread
from kpis.importers.tables import Table, normalise

SPEND, CLICKS = Column("spend", money=True), Column("clicks", money=False)
IMPRESSIONS, VISITS = Column("impressions", money=False), Column("visits", money=False)
LEADS, REVENUE = Column("leads", money=False), Column("revenue", money=True, signed=True)
DEALS = Column("deals", money=False)
CURRENCY_COLUMNS = frozenset({"currency", "currency code", "currencycode", "код валюты", "валюта", "валюта платежа"})
SIGNS = {"₽": "RUB", "руб": "RUB", "$": "USD", "€": "EUR"}
WITHOUT_METRIC = frozenset({
    "pageviews", "просмотры", "interactions", "opened video", "2-second video views", "взвешенные показы", "открытий",
    "уник. открытий", "кликов", "уник. кликов", "ошибок", "получатели", "прочитано", "переходы", "жалобы на спам",
    "unique opens", "unique clicks", "hard bounces", "favorites", "добавили в избранное", "clicks to landing page",
    "целевые визиты",
})  # fmt: skip
"""Of the figures that are left out, those that could be added up, were there a metric for them."""
NAMED = re.compile(r"(?:\(|,\s*)([A-Z]{3})(?:\)|$)|(₽|руб|\$|€)")


@dataclass(frozen=True)
class Platform:
    """An export of an ad platform or a mailer. Headings are written as `tables.normalise` leaves them.

    `needs`: headings that only this export has together, `any_of`: and one of these, where one has several spellings. `order`: how it writes 03/04/2026. `whole_money`, `divide`: see
    `rows.Layout`. `period_end`: the heading of a period's last day, where a row may cover several days. `not_added`:
    figures that are left out: they cannot be summed over days, or are WITHOUT_METRIC.
    """

    CODE: str
    NAME: str
    needs: frozenset[str]
    any_of: frozenset[str] = frozenset()
    day: frozenset[str] = frozenset()
    columns: dict[str, Column] = field(default_factory=dict)
    campaign: frozenset[str] = frozenset()
    campaign_name: frozenset[str] = frozenset()
    period_end: frozenset[str] = frozenset()
    not_added: frozenset[str] = frozenset()
    order: str = ""
    whole_money: int = 1
    divide: int = 1
    currency: str = ""
    VERSION: int = 1
    FOLDS: bool = field(default=True, init=False)

    def sniff(self, header: list[str], context: Context) -> bool:
        """Its own headings and at least one metric; without a day it is still its own, and its period is asked."""
        known = {normalise(heading) for heading in header}
        told = not self.any_of or bool(self.any_of & known)
        return told and self.needs <= known and bool(known & self.columns.keys())

    def layout(self, header: list[str]) -> Layout:
        """Where things stand."""
        day = find(header, self.day)
        campaign, name = find(header, self.campaign), find(header, self.campaign_name)
        return Layout(
            day, None, name if campaign is None else campaign, name, metric_columns(header, self.columns), self.NAME,
            find(header, self.period_end), self.order, self.whole_money, self.divide, lenient=True,
        )  # fmt: skip

    def metrics(self, header: list[str], context: Context) -> list[str]:
        return self.layout(header).codes

    def skipped(self, header: list[str], context: Context) -> list[str]:
        return [heading.strip() for heading in header if normalise(heading) in self.not_added]

    def names(self, table: Table) -> Iterator[str]:
        layout = self.layout(table.header)
        return (row.channel for row in read_rows(table, layout, Context({}, date.max)))

    def read(self, table: Table, context: Context) -> Iterator[Row]:
        for row in read_rows(table, self.layout(table.header), context):
            yield from spread(row, row.days)

    def money_of(self, table: Table) -> str:
        """The currency that the file names: in a column of its own or in a heading of money; empty where it names none."""
        place = find(table.header, CURRENCY_COLUMNS)
        told = {cells[place].strip().upper() for cells in table.first if place is not None and place < len(cells)}
        told = {code for code in told if re.fullmatch(r"[A-Z]{3}", code)}
        for index, column in self.layout(table.header).metrics:
            match = NAMED.search(table.header[index]) if column.money else None
            if match:
                told.add(match[1] or SIGNS[match[2]])
        if len(told) > 1:
            raise FileProblem("two_currencies", found=", ".join(sorted(told)))
        holds_money = any(column.money for _index, column in self.layout(table.header).metrics)
        return next(iter(told), self.currency) if holds_money else ""
