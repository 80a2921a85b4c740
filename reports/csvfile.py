"""Tables as CSV files for a spreadsheet: in the reader's notation, and no text of a user is ever run as a formula."""

import csv
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from io import StringIO

from django.utils.translation import get_language

from reports.tables import Cell, Kind, Table

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
PLACES = {Kind.SHARE: 4}


def csv_file(table: Table) -> str:
    """Semicolons for Russian spreadsheets, where the comma is the decimal sign; a BOM, so that they read UTF-8."""
    buffer = StringIO()
    writer = csv.writer(buffer, delimiter=";" if _russian() else ",")
    writer.writerow([column.name for column in table.columns])
    kinds = [column.kind for column in table.columns]
    writer.writerows([_cell(value, kind) for value, kind in zip(row, kinds, strict=True)] for row in table.rows)
    return "\ufeff" + buffer.getvalue()


def _cell(value: Cell, kind: Kind) -> str:
    if value is None or isinstance(value, str):
        return text(value)
    if isinstance(value, date):
        return f"{value:%d.%m.%Y}" if _russian() else value.isoformat()
    return number(Decimal(value), PLACES.get(kind, 2))


def text(value) -> str:
    """A cell of text. Spreadsheets run what begins with these signs: an apostrophe before them keeps it text."""
    value = "" if value is None else str(value)
    return f"'{value}" if value.lstrip().startswith(FORMULA_SIGNS) or value.startswith(FORMULA_SIGNS) else value


def number(value: Decimal | None, places: int = 2) -> str:
    """A cell with a number; empty where it is unknown. The decimal sign is the reader's."""
    if value is None:
        return ""
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    written = f"{rounded:f}"
    if "." in written:
        written = written.rstrip("0").rstrip(".")
    return written.replace(".", ",") if _russian() else written


def _russian() -> bool:
    return (get_language() or "ru").startswith("ru")
