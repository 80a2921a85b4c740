"""CSV files for a spreadsheet: in the reader's notation, and no text of a user is ever run as a formula."""

import csv
from collections.abc import Iterable
from io import StringIO

from roles.formats import is_russian

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def text(value) -> str:
    """A cell of text. Spreadsheets run what begins with these signs: an apostrophe before them keeps it text."""
    value = "" if value is None else str(value)
    return f"'{value}" if value.lstrip().startswith(FORMULA_SIGNS) or value.startswith(FORMULA_SIGNS) else value


def write(rows: Iterable[list[str]]) -> str:
    """Semicolons for Russian spreadsheets, where the comma is the decimal sign; a BOM, so that they read UTF-8."""
    buffer = StringIO()
    csv.writer(buffer, delimiter=";" if is_russian() else ",").writerows(rows)
    return "\ufeff" + buffer.getvalue()
