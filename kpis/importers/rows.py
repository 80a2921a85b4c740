"""The part of reading that every column layout shares: from cells to a Row with its problems."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

from kpis.importers import values
from kpis.importers.base import CellProblem, Column, Context, FileProblem, Row
from kpis.importers.tables import Table, normalise

LOOK_AHEAD = 2_000
LONGEST_NAME = 120
SHORTENED = re.compile(r"\d([.,]\d+)?E\+\d+", re.IGNORECASE)


@dataclass(frozen=True)
class Layout:
    """Where things stand in a row: indexes of columns; `metrics` holds (index, metric)."""

    day: int
    channel: int
    campaign: int | None
    campaign_name: int | None
    metrics: tuple[tuple[int, Column], ...]

    @property
    def codes(self) -> list[str]:
        return [column.code for _index, column in self.metrics]


def find(header: list[str], names: frozenset[str]) -> int | None:
    """The index of the first heading that is one of these names."""
    return next((index for index, heading in enumerate(header) if normalise(heading) in names), None)


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
    width = len(table.header)
    for line, cells in chain(head, rows):
        if is_total(cells, layout):
            continue
        row = Row(line, None, "")
        if len(cells) < width or any(cell.strip() for cell in cells[width:]):
            row.problems.append(CellProblem(line, "", "short_row" if len(cells) < width else "long_row"))
        else:
            _names(row, cells, layout, table)
            _day(row, cells[layout.day], table.header[layout.day], context)
            _metrics(row, cells, layout, table, sign)
        yield row


def is_total(cells: list[str], layout: Layout) -> bool:
    """A line of totals: the word stands where a date or a name should."""
    places = (layout.day, layout.channel, layout.campaign, 0)
    return any(
        place is not None and place < len(cells) and values.TOTAL.match(cells[place].strip()) for place in places
    )


def _names(row: Row, cells: list[str], layout: Layout, table: Table) -> None:
    row.channel = cells[layout.channel].strip()
    if not row.channel:
        row.problems.append(CellProblem(row.line, table.header[layout.channel].strip(), "no_channel"))
    if layout.campaign is None:
        return
    row.campaign = cells[layout.campaign].strip()
    row.campaign_name = (cells[layout.campaign_name].strip() if layout.campaign_name is not None else "")[:200]
    problem = None
    if len(row.campaign) > LONGEST_NAME:
        problem = "name_too_long"
    elif SHORTENED.fullmatch(row.campaign):
        problem = "exponent"
    if problem:
        row.problems.append(CellProblem(row.line, table.header[layout.campaign].strip(), problem, row.campaign))


def _day(row: Row, cell: str, heading: str, context: Context) -> None:
    try:
        row.day = values.day(cell)
    except values.CellError as error:
        row.problems.append(CellProblem(row.line, heading.strip(), error.code, cell.strip()))
        return
    if row.day > context.today:
        row.problems.append(CellProblem(row.line, heading.strip(), "future_date", cell.strip()))


def _metrics(row: Row, cells: list[str], layout: Layout, table: Table, sign: str | None) -> None:
    for index, column in layout.metrics:
        cell = cells[index]
        try:
            value = values.micros(cell, money=column.money, sign=sign)
            if value is not None and value < 0 and not column.signed:
                raise values.CellError("negative")
        except values.CellError as error:
            row.problems.append(CellProblem(row.line, table.header[index].strip(), error.code, cell.strip()))
        else:
            row.values[column.code] = value
