"""Excel workbooks (.xlsx) as records of text. What could blow up is measured before the parser sees it."""

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import BinaryIO

from kpis.importers.base import FileProblem

SIGNATURE = b"PK\x03\x04"
MOST_MEMBERS = 1_000
MOST_UNPACKED = 400 * 1024**2
MOST_RATIO = 250
MOST_SHEETS = 20
FIRST_SHEETS = ("объявления",)
"""Sheets with the daily figures where a workbook has several."""


def is_workbook(stream: BinaryIO) -> bool:
    """Does it begin as a ZIP does? Leaves the stream at its beginning."""
    start = stream.read(len(SIGNATURE))
    stream.seek(0)
    return start == SIGNATURE


def sheets(stream: BinaryIO) -> Iterator[tuple[str, Iterator[list[str]]]]:
    """(name, records) of every sheet that holds something; FileProblem for what is no sound workbook."""
    _check(stream)
    from openpyxl import load_workbook

    stream.seek(0)
    try:
        book = load_workbook(stream, read_only=True, data_only=True, keep_links=False)
    except Exception as error:  # openpyxl answers a broken workbook with whatever breaks first
        raise FileProblem("broken_workbook") from error
    found = sorted(book.worksheets[:MOST_SHEETS], key=lambda sheet: sheet.title.casefold() not in FIRST_SHEETS)
    for sheet in found:
        yield sheet.title, _records(sheet)


def _check(stream: BinaryIO) -> None:
    """The size it would unpack to, by its own table of contents, before anything is unpacked."""
    try:
        with zipfile.ZipFile(stream) as packed:
            members = packed.infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise FileProblem("broken_workbook") from error
    names = {member.filename for member in members}
    if "xl/workbook.xml" not in names:
        raise FileProblem("archive")
    unpacked, size = sum(member.file_size for member in members), sum(member.compress_size for member in members)
    if len(members) > MOST_MEMBERS or unpacked > MOST_UNPACKED or unpacked > MOST_RATIO * max(size, 4096):
        raise FileProblem("bomb", most=MOST_UNPACKED // 1024**2)


def _records(sheet) -> Iterator[list[str]]:
    """Rows without their empty ends, but never shorter than one above them: a heading makes the width of its table."""
    rows, width = sheet.iter_rows(values_only=True), 0
    while True:
        try:
            cells = next(rows, None)
        except Exception as error:
            raise FileProblem("broken_workbook") from error
        if cells is None:
            return
        last = max((place for place, cell in enumerate(cells) if cell is not None), default=-1)
        width = max(width, last + 1)
        yield [_text(cell) for cell in cells[:width]] + [""] * (width - len(cells))


def _text(cell) -> str:
    """A cell as a CSV of the same sheet would hold it; numbers with a point, whole ones without."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell)
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell)
