"""Tables as CSV files for a spreadsheet: in the reader's notation, and no text of a user is ever run as a formula."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from reports.tables import Cell, Kind, Table
from roles.csvfile import text, write
from roles.formats import is_russian

PLACES = {Kind.SHARE: 4}


def csv_file(table: Table) -> str:
    """Semicolons for Russian spreadsheets, where the comma is the decimal sign; a BOM, so that they read UTF-8."""
    kinds = [column.kind for column in table.columns]
    rows = [[_cell(value, kind) for value, kind in zip(row, kinds, strict=True)] for row in table.rows]
    return write([[column.name for column in table.columns], *rows])


def _cell(value: Cell, kind: Kind) -> str:
    if value is None or isinstance(value, str):
        return text(value)
    if isinstance(value, date):
        return f"{value:%d.%m.%Y}" if is_russian() else value.isoformat()
    return number(Decimal(value), PLACES.get(kind, 2))


def number(value: Decimal | None, places: int = 2) -> str:
    """A cell with a number; empty where it is unknown. The decimal sign is the reader's."""
    if value is None:
        return ""
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    written = f"{rounded:f}"
    if "." in written:
        written = written.rstrip("0").rstrip(".")
    return written.replace(".", ",") if is_russian() else written
