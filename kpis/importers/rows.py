"""The part of reading that every column layout shares: from cells to a Row with its problems."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain, islice

from kpis.importers import values
from kpis.importers.base import CellProblem, Column, Context, FileProblem, Row
from kpis.importers.tables import Table, normalise

LOOK_AHEAD = 2_000
LONGEST_NAME = 120
LONGEST_PERIOD = 366
WHOLE = re.compile(r"(?<=\d)\.0$")
"""An id that a spreadsheet has made a number: `123.0`."""
SHORTENED = re.compile(r"\d([.,]\d+)?E\+\d+", re.IGNORECASE)


@dataclass(frozen=True)
class Layout:
    """Where things stand in a row: indexes of columns; `metrics` holds (index, metric).

    `channel` None: all rows belong to the one called `channel_name`. `day` None: the file is of a whole period.
    `last_day`: where a row tells a period's end. `order`: how 03/04/2026 is read, "dmy" or "mdy"; empty: as answered. `whole_money`: what money without a decimal sign
    in the whole file is counted in (1 000 000: millionths); `divide`: what all money is divided by (100: kopecks).
    `lenient`: a row without a day is a total or a footer and is left out.
    """

    day: int | None
    channel: int | None
    campaign: int | None
    campaign_name: int | None
    metrics: tuple[tuple[int, Column], ...]
    channel_name: str = ""
    last_day: int | None = None
    order: str = ""
    whole_money: int = 1
    divide: int = 1
    lenient: bool = False

    @property
    def codes(self) -> list[str]:
        return [column.code for _index, column in self.metrics]


def find(header: list[str], names: frozenset[str]) -> int | None:
    """The index of the first heading that is one of these names."""
    return next((index for index, heading in enumerate(header) if normalise(heading) in names), None)


def column_of(table: Table, place: int) -> Iterator[str]:
    """One column of a table, read to its end; cells that are missing are empty."""
    return (cells[place].strip() if place < len(cells) else "" for _line, cells in table.rows())


def metric_columns(header: list[str], columns: dict[str, Column]) -> tuple[tuple[int, Column], ...]:
    """Every known metric of the heading; FileProblem when one stands twice."""
    found, seen = [], {}
    for index, heading in enumerate(header):
        column = columns.get(normalise(heading))
        if column is None:
            continue
        if column.code in seen:
            raise FileProblem("column_twice", first=seen[column.code], second=heading.strip())
        seen[column.code] = heading.strip()
        found.append((index, column))
    return tuple(found)


def read_rows(table: Table, layout: Layout, context: Context) -> Iterator[Row]:
    """Rows of a layout; totals are left out. A row's problems stand in it, so that one bad cell hides none of the others."""
    rows = table.rows()
    head = list(islice(rows, LOOK_AHEAD))
    sign = values.decimal_sign(
        cells[index] for _line, cells in head for index, _column in layout.metrics if index < len(cells)
    )
    divide = layout.divide if sign or not _money_is_whole(head, layout) else layout.whole_money
    width = len(table.header)
    for line, cells in chain(head, rows):
        if is_total(cells, layout):
            continue
        row = Row(line, None, layout.channel_name)
        if len(cells) < width or any(cell.strip() for cell in cells[width:]):
            row.problems.append(CellProblem(line, "", "short_row" if len(cells) < width else "long_row"))
        else:
            _names(row, cells, layout, table)
            _day(row, cells, layout, table, context)
            _metrics(row, cells, layout, table, sign, divide)
        yield row


def _money_is_whole(head: list[tuple[int, list[str]]], layout: Layout) -> bool:
    """Does no money of the file have a decimal sign?"""
    places = [index for index, column in layout.metrics if column.money]
    return not any(set(cells[place]) & set(",.") for _line, cells in head for place in places if place < len(cells))


def is_total(cells: list[str], layout: Layout) -> bool:
    """A line of totals: the word stands where a date or a name should. Of lenient layouts footers too."""
    places = (layout.day, layout.channel, layout.campaign, 0)
    if any(place is not None and place < len(cells) and values.TOTAL.match(cells[place].strip()) for place in places):
        return True
    if not layout.lenient:
        return False
    is_dated = layout.day is None or (layout.day < len(cells) and bool(cells[layout.day].strip()))
    return not is_dated or sum(bool(cell.strip()) for cell in cells) < 2


def _names(row: Row, cells: list[str], layout: Layout, table: Table) -> None:
    if layout.channel is not None:
        row.channel = cells[layout.channel].strip()
        if not row.channel:
            row.problems.append(CellProblem(row.line, table.header[layout.channel].strip(), "no_channel"))
    if layout.campaign is None:
        return
    row.campaign = WHOLE.sub("", cells[layout.campaign].strip())
    row.campaign_name = (cells[layout.campaign_name].strip() if layout.campaign_name is not None else "")[:200]
    problem = None
    if len(row.campaign) > LONGEST_NAME:
        problem = "name_too_long"
    elif SHORTENED.fullmatch(row.campaign):
        problem = "exponent"
    if problem:
        row.problems.append(CellProblem(row.line, table.header[layout.campaign].strip(), problem, row.campaign))


def _day(row: Row, cells: list[str], layout: Layout, table: Table, context: Context) -> None:
    if layout.day is None:
        _cover(row, context.period, context, "")
        return
    cell, heading, order = cells[layout.day], table.header[layout.day].strip(), layout.order or context.order
    try:
        row.day = values.day(cell, order)
        last = row.day if layout.last_day is None else values.day(cells[layout.last_day], order)
    except values.CellError as error:
        row.problems.append(CellProblem(row.line, heading, error.code, cell.strip()))
        return
    if last != row.day:
        _cover(row, (row.day, last) if context.is_spread else None, context, heading, cell.strip())
    elif row.day > context.today:
        row.problems.append(CellProblem(row.line, heading, "future_date", cell.strip()))


def _cover(row: Row, period: tuple[date, date] | None, context: Context, heading: str, cell: str = "") -> None:
    """Let the row stand for a period that somebody has said may be spread; a problem where nobody has."""
    if period is None:
        row.problems.append(CellProblem(row.line, heading, "period_row" if cell else "no_days", cell))
        return
    row.day, last = period
    row.days = (last - row.day).days + 1
    if not 1 <= row.days <= LONGEST_PERIOD:
        row.problems.append(CellProblem(row.line, heading, "bad_period", last.isoformat()))
    elif last > context.today:
        row.problems.append(CellProblem(row.line, heading, "period_not_over", last.isoformat()))


def spread(row: Row, days: int) -> Iterator[Row]:
    """A row as rows of its days, evenly in millionths: what does not divide goes to the first days, one millionth each."""
    if days == 1 or row.problems:
        yield row
        return
    for number in range(days):
        part = {
            code: None if value is None else value // days + (number < value % days)
            for code, value in row.values.items()
        }
        day = row.day + timedelta(days=number)
        yield Row(row.line, day, row.channel, row.campaign, row.campaign_name, part)


def _metrics(row: Row, cells: list[str], layout: Layout, table: Table, sign: str | None, divide: int) -> None:
    for index, column in layout.metrics:
        cell = cells[index]
        try:
            value = values.micros(cell, money=column.money, sign=sign)
            if value is not None and value < 0 and not column.signed:
                raise values.CellError("negative")
        except values.CellError as error:
            row.problems.append(CellProblem(row.line, table.header[index].strip(), error.code, cell.strip()))
        else:
            if value is not None:
                value = value * column.times // (column.divide * (divide if column.money else 1))
            row.values[column.code] = value
