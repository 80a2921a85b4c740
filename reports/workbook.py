"""Tables as an .xlsx workbook, a sheet each: numbers are numbers, dates are dates, and no text is ever run as a formula.

`openpyxl` is imported where it is used: it is slow to load.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from io import BytesIO

from reports.tables import Cell, Kind, Table

FORMATS = {
    Kind.MONEY: "#,##0.00", Kind.COUNT: "#,##0.##", Kind.SHARE: "0.0%", Kind.DATE: "DD.MM.YYYY", Kind.TEXT: "@",
}  # fmt: skip
NOT_IN_NAMES = re.compile(r"[\\/*?:\[\]]")
LONGEST_NAME, NARROW, WIDE = 31, 9, 60


def workbook_file(tables: Iterable[Table]) -> bytes:
    """The whole file."""
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    for table in tables:
        _fill(book.create_sheet(_sheet_name(table.name, book.sheetnames)), table)
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _fill(sheet, table: Table) -> None:
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    bold = Font(bold=True)
    for place, column in enumerate(table.columns, start=1):
        _put(sheet.cell(1, place), column.name, Kind.TEXT).font = bold
    for line, row in enumerate(table.rows, start=2):
        for place, (value, column) in enumerate(zip(row, table.columns, strict=True), start=1):
            cell = _put(sheet.cell(line, place), value, column.kind)
            if table.total and line == len(table.rows) + 1:
                cell.font = bold
    for place, width in enumerate(_widths(table), start=1):
        sheet.column_dimensions[get_column_letter(place)].width = width
    sheet.freeze_panes = "B2"


def _put(cell, value: Cell, kind: Kind):
    """A text stays a text whatever it begins with; signs that no sheet can hold are left out."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    if isinstance(value, str):
        cell.value = ILLEGAL_CHARACTERS_RE.sub("", value)
        cell.data_type = "s"
    else:
        cell.value = value
    cell.number_format = FORMATS[_kind_of(value, kind)]
    return cell


def _kind_of(value: Cell, kind: Kind) -> Kind:
    """A figure or a day among texts is still one."""
    if isinstance(value, str):
        return Kind.TEXT
    if value is None or kind is not Kind.TEXT:
        return kind
    return Kind.DATE if isinstance(value, date) else Kind.COUNT


def _widths(table: Table) -> list[int]:
    """Of each column as wide as its longest cell, within reason."""
    columns = zip([column.name for column in table.columns], *table.rows, strict=True)
    return [min(max(NARROW, *(len(str(cell)) + 2 for cell in cells if cell is not None)), WIDE) for cells in columns]


def _sheet_name(name: str, taken: Sequence[str]) -> str:
    """A name that a workbook takes: short, without its own signs, once."""
    name = NOT_IN_NAMES.sub(" ", name)[:LONGEST_NAME].strip() or "1"
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name[: LONGEST_NAME - 4]} {number}"
    return found
