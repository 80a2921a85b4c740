"""The “Excel” of some CRMs: a web page with one table, called .xls. Only text is taken; nothing in it is followed or expanded."""

import codecs
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import BinaryIO

from kpis.importers.base import FileProblem

PAGES = (b"<!doctype", b"<html", b"<table", b"<head", b"<body", b"<meta")
CHUNK = 1 << 16
MOST_CELLS = 500
LONGEST_CELL = 100_000
LONGEST_TAG = 1 << 20


def is_page(stream: BinaryIO) -> bool:
    """Does it begin as a web page does? Leaves the stream at its beginning."""
    stream.seek(0)
    start = stream.read(512)
    stream.seek(0)
    return start.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(PAGES)


class _Rows(HTMLParser):
    """Collects the rows of all tables that were closed so far in `ready`."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.ready: list[list[str]] = []
        self._row: list[str] | None = None
        self._cell: list[str] | None = None
        self._size = 0

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self._end_row()
            self._row = []
        elif tag in {"td", "th"} and self._row is not None:
            self._end_cell()
            self._cell, self._size = [], 0
        elif tag == "br" and self._cell is not None:
            self._cell.append(" ")

    def handle_endtag(self, tag):
        if tag in {"td", "th"}:
            self._end_cell()
        elif tag in {"tr", "table"}:
            self._end_row()

    def handle_data(self, data):
        if self._cell is None:
            return
        self._size += len(data)
        if self._size > LONGEST_CELL:
            raise FileProblem("page")
        self._cell.append(data)

    def _end_cell(self):
        if self._cell is not None and self._row is not None:
            self._row.append("".join(self._cell).strip())
            if len(self._row) > MOST_CELLS:
                raise FileProblem("too_wide", n=len(self._row), most=MOST_CELLS)
        self._cell = None

    def _end_row(self):
        self._end_cell()
        if self._row:
            self.ready.append(self._row)
        self._row = None


def records(stream: BinaryIO) -> Iterator[list[str]]:
    """Rows of the page's tables as they come; FileProblem for a page with fewer than two rows of two cells: it is no export."""
    stream.seek(0)
    start = stream.read(4096)
    told = re.search(rb"charset\s*=\s*[\"']?([\w-]+)", start)
    try:
        decoder = codecs.getincrementaldecoder(told[1].decode() if told else "utf-8")(errors="replace")
    except LookupError:
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    stream.seek(0)
    rows, waiting, told_rows = _Rows(), [], 0
    while chunk := stream.read(CHUNK):
        rows.feed(decoder.decode(chunk))
        if len(rows.rawdata) > LONGEST_TAG:  # a tag that never ends would be read anew with every chunk
            raise FileProblem("page")
        waiting, rows.ready = waiting + rows.ready, []
        told_rows += sum(len(row) > 1 for row in waiting)
        if told_rows >= 2:
            yield from waiting
            waiting = []
    rows.close()
    waiting += rows.ready
    told_rows += sum(len(row) > 1 for row in rows.ready)
    if told_rows < 2:
        raise FileProblem("page")
    yield from waiting
