"""A file as a table: what it is by its bytes, its encoding, delimiter and heading line; rows come one by one."""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import BinaryIO

from kpis.importers import pages, workbooks
from kpis.importers.base import FileProblem

DELIMITERS = (";", "\t", ",")
HEADER_WITHIN = 25
WIDEST = 500
CHUNK = 1 << 20
NOT_TABLES = (
    (b"PK\x05\x06", "archive"), (b"\xd0\xcf\x11\xe0", "old_excel"), (b"\x89PNG", "picture"),
    (b"\xff\xd8\xff", "picture"), (b"GIF8", "picture"), (b"RIFF", "picture"), (b"%PDF", "pdf"), (b"\x1f\x8b", "archive"),
    (b"Rar!", "archive"), (b"7z\xbc\xaf", "archive"), (b"SQLite format 3", "database"),
)  # fmt: skip
PAGES = (b"<!doctype", b"<html", b"<table", b"<?xml", b"<head", b"<body")
PUNCTUATION = "…‘’“”•–—\u00a0«№".encode("cp1251")
SPACES = dict.fromkeys(map(ord, "\u00a0\u2009\u202f\u2007\t"), " ")


@dataclass
class Table:
    """A recognised table: `header` as written, `preamble` the lines above it, `first` some of those below.

    `encoding` and `delimiter` as found; of a workbook "xlsx" and the name of the sheet.
    """

    header: list[str]
    header_row: int
    preamble: list[list[str]]
    encoding: str
    delimiter: str
    first: list[list[str]]
    _records: Iterator[list[str]]

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """(row as a spreadsheet counts it, cells) of every row under the heading that is not blank; once."""
        number = self.header_row
        try:
            for number, cells in enumerate(self._records, self.header_row + 1):
                if any(cells) and any(cell.strip() for cell in cells):
                    yield number, cells
        except csv.Error as error:
            raise FileProblem("broken_quotes", row=number + 1) from error


def normalise(heading: str) -> str:
    """A heading as it is compared: one kind of space, ё as е, lower case, without brackets and units."""
    text = heading.translate(SPACES).replace("ё", "е").replace("Ё", "Е").lstrip("\ufeff").casefold()
    text = re.sub(r"\([^)]*\)", " ", text)
    text = re.sub(r",\s*(₽|руб\.?|%|rub|usd|eur|\$|€)\s*$", "", text.strip())
    return re.sub(r"[\s_]+", " ", text).strip()


def open_table(stream: BinaryIO, is_header: Callable[[list[str]], bool]) -> Table:
    """The table in a binary stream; FileProblem when it is none, or none of its first lines is a heading we know."""
    encoding, parts = candidates(stream)
    found = None
    for delimiter, records in parts:
        head = head_of(records)
        found = found or (head if any(len(cells) > 1 for cells in head) else None)
        for number, cells in enumerate(head, 1):
            if len(cells) <= WIDEST and is_header(cells):
                first = head[number:]
                return Table(cells, number, head[: number - 1], encoding, delimiter, first, chain(first, records))
    widest = max(found or [[]], key=len)
    if len(widest) > WIDEST:
        raise FileProblem("too_wide", n=len(widest), most=WIDEST)
    problem = "garbled" if is_garbled(widest) else "no_known_columns"
    raise FileProblem(problem, found=", ".join(cell.strip()[:30] for cell in widest[:8] if cell.strip()))


def candidates(stream: BinaryIO) -> tuple[str, Iterator[tuple[str, Iterator[list[str]]]]]:
    """The encoding, and the records by every delimiter (of a workbook: of every sheet); FileProblem for what is no text."""
    stream.seek(0)
    if workbooks.is_workbook(stream):
        return "xlsx", workbooks.sheets(stream)
    if pages.is_page(stream):
        return "html", iter([("html", pages.records(stream))])
    encoding = find_encoding(stream)
    return encoding, ((delimiter, _records(stream, encoding, delimiter)) for delimiter in DELIMITERS)


def head_of(records: Iterator[list[str]]) -> list[list[str]]:
    try:
        return list(islice(records, HEADER_WITHIN))
    except csv.Error as error:
        raise FileProblem("broken_quotes", row=1) from error


def _records(stream: BinaryIO, encoding: str, delimiter: str) -> Iterator[list[str]]:
    """CSV records from the beginning; a first line `sep=;` is a blank record."""
    stream.seek(0)
    reader = csv.reader(_lines(stream, encoding), delimiter=delimiter)
    for number, cells in enumerate(reader):
        yield [] if number == 0 and cells and cells[0].lower().startswith("sep=") else cells


def _lines(stream: BinaryIO, encoding: str) -> Iterator[str]:
    """Decoded lines, their ends kept; the stream stays open."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    rest = ""
    while chunk := stream.read(CHUNK):
        text = decoder.decode(chunk)
        if "\x00" in text:
            raise FileProblem("binary")
        lines = io.StringIO(rest + text, newline="").readlines()
        rest = lines.pop() if lines else ""
        if len(rest) > CHUNK:
            raise FileProblem("broken_quotes", row=1)
        yield from lines
    rest += decoder.decode(b"", True)
    yield from io.StringIO(rest, newline="").readlines()


def find_encoding(stream: BinaryIO) -> str:
    """utf-16, utf-8-sig, utf-8, cp1251 or cp866, decided by bytes; FileProblem for what is not text at all."""
    stream.seek(0)
    start = stream.read(512)
    if not start.strip(b"\x00\xef\xbb\xbf \t\r\n"):
        raise FileProblem("empty")
    for signature, kind in NOT_TABLES:
        if start.startswith(signature):
            raise FileProblem(kind)
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(PAGES):
        raise FileProblem("page")
    if start[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "utf-16"
    stream.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    utf8 = True
    while chunk := stream.read(CHUNK):
        if b"\x00" in chunk:
            raise FileProblem("binary")
        if utf8:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                utf8 = False
    if utf8:
        return "utf-8-sig" if start.startswith(b"\xef\xbb\xbf") else "utf-8"
    stream.seek(0)
    return _cyrillic(stream.read(CHUNK))


def _cyrillic(text: bytes) -> str:
    """cp1251, or cp866 of old programs: most letters of the one are frames or punctuation in the other."""
    windows = sum(0xC0 <= byte <= 0xDF or byte >= 0xF0 for byte in text)
    dos = sum(0x80 <= byte <= 0xAF and byte not in PUNCTUATION for byte in text)
    return "cp866" if dos > windows else "cp1251"


def is_garbled(cells: list[str]) -> bool:
    """Are these Russian letters that some program has read as Western ones: «Äàòà» for «Дата»?"""
    letters = [sign for sign in "".join(cells) if sign.isalpha()]
    return sum("À" <= sign <= "ÿ" for sign in letters) * 2 > len(letters)
