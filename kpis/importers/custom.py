"""Tables that no reader knows: somebody says once what each column is, and the next file with that heading is read so.

Long (a column of channels), wide (a column per channel and metric) or of one channel. A row of a week is spread over its
seven days only where that was said; the parts add up to the whole exactly.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from hashlib import sha256
from itertools import islice, pairwise
from typing import BinaryIO

from kpis.importers import values
from kpis.importers.base import CellProblem, Column, Context, FileProblem, Row
from kpis.importers.platforms.platform import NAMED, SIGNS
from kpis.importers.rows import Layout, column_of, read_rows, spread
from kpis.importers.tables import HEADER_WITHIN, SPACES, WIDEST, Table, candidates, head_of, normalise, open_table

DAY, CHANNEL, CAMPAIGN, CAMPAIGN_NAME = "day", "channel", "campaign", "campaign_name"
METRIC, WIDE, SKIP = "metric", "wide", "skip"
ONCE = (DAY, CHANNEL, CAMPAIGN, CAMPAIGN_NAME)
WEEK = 7
MONTH = 31
"""Stands for a calendar month, however long it is."""
UNITS = {"": (1, 1), "kopecks": (1, 100), "micros": (1, 1_000_000), "thousands": (1_000, 1), "millions": (1_000_000, 1)}
"""What a column of figures is counted in: what it is multiplied by, and divided by, to be in full units."""
SCANNED = 20_000
LONGEST_HEADING = 200
CURRENCIES = frozenset(
    {"RUB", "USD", "EUR", "KZT", "BYN", "GBP", "CNY", "TRY", "TON", "UZS", "AMD", "GEL", "AED", "CHF"}
)
PERSONAL = re.compile(
    r"телефон|phone|\bфио\b|ф\.\s?и\.\s?о|фамили|отчество|полное имя|^имя$|имя (клиент|контакт|покупател)|контактное лицо"
    r"|(first|last|full|sur).?name|комментари[йя]\b|примечани|\bcomment\b|\bnotes?\b|\bадрес|address|(\b|_)ip(\b|_|$)"
    r"|паспорт|passport|дата рождения|birth|\bинн\b|снилс|client.?id|user.?agent"
    r"|ответственн|кем (создан|измен)|(contact|customer|client|lead).?name|(deal|account|lead|contact|opportunity).?owner",
)  # fmt: skip
"""Headings of columns that may tell who somebody is: never offered, never kept."""
MAIL = re.compile(r"e-?mail|почта\b")
"""May be an address or a channel of mailings: the cells tell."""
DATE_NAMES = re.compile(r"дата|день|date|\bday\b|week|недел|\btime\b|период", re.IGNORECASE)
TWO_WAYS = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4}|\d{2})", re.ASCII)


def heading_of(cell: str) -> str:
    """A heading as it is compared: spaces and letter case do not matter; brackets do, because they tell goals and money apart."""
    return " ".join(cell.translate(SPACES).lstrip("\ufeff").casefold().split())[:LONGEST_HEADING]


def digest_of(header: list[str]) -> str:
    """The look-up key of a heading line."""
    return sha256("\n".join(map(heading_of, header)).encode()).hexdigest()


def personal_places(table: Table) -> list[int]:
    """Columns that may tell who somebody is, by their headings; a column of mail is one unless it holds figures."""
    found = []
    for place, heading in enumerate(map(heading_of, table.header)):
        cells = [cells[place] for cells in table.first if place < len(cells) and cells[place].strip()]
        is_mail = MAIL.search(heading) and not (cells and all(map(is_number, cells)))
        if PERSONAL.search(heading) or is_mail:
            found.append(place)
    return found


# ---------------------------------------------------------------- the table
def guess_table(stream: BinaryIO) -> Table | None:
    """The likeliest table of a file whose heading nobody knows: names in one line, days in a column under it; None: none."""
    best = None
    for _delimiter, records in candidates(stream)[1]:
        head = head_of(records)
        place = _heading_place(head)
        if place is None or len(head[place]) > WIDEST:
            continue
        width = len(head[place])
        score = sum(len(cells) == width for cells in head[place + 1 :]) * width
        if score and (best is None or score > best[0]):
            best = score, head[place]
    if best is None:
        return None
    table = open_table(stream, lambda cells: cells == best[1])
    return table if day_places(table) else None


def table_under(stream: BinaryIO, row: int) -> Table:
    """The table whose headings somebody says stand in this row, as a spreadsheet counts it; FileProblem when it is none."""
    lines = [head[row - 1] for _sign, records in candidates(stream)[1] if len(head := head_of(records)) >= row > 0]
    header = max(lines, key=lambda cells: sum(bool(cell.strip()) for cell in cells), default=[])
    if sum(bool(cell.strip()) for cell in header) < 2 or len(header) > WIDEST:
        raise FileProblem("no_heading_there", row=row, most=HEADER_WITHIN)
    table = open_table(stream, lambda cells: cells == header)
    if not any(any(cell.strip() for cell in cells) for cells in table.first):
        raise FileProblem("no_rows")
    return table


def _heading_place(head: list[list[str]]) -> int | None:
    """The first line that holds names alone and is about as wide as the table under it."""
    filled = [sum(bool(cell.strip()) for cell in cells) for cells in head]
    widest = max(filled, default=0)
    for place, cells in enumerate(head[:-1]):
        is_wide = filled[place] >= 2 and filled[place] * 2 > widest
        if is_wide and filled[place + 1] and not any(_is_figure(cell) for cell in cells):
            return place
    return None


def _is_figure(cell: str) -> bool:
    if not cell.strip() or not re.search(r"\d", cell):
        return False
    return _day_of(cell, "dmy") is not None or is_number(cell)


def is_number(cell: str) -> bool:
    """Is the cell a figure?"""
    try:
        return values.micros(cell, money=False) is not None
    except values.CellError:
        return False


def _day_of(cell: str, order: str) -> date | None:
    for read in (lambda: values.day(cell, order), lambda: values.month(cell)):
        try:
            return read()
        except values.CellError:
            continue
    return None


def day_places(table: Table) -> list[int]:
    """Columns whose cells are all days; bare numbers count where the heading speaks of days."""
    found = []
    for place, heading in enumerate(table.header):
        cells = [cells[place].strip() for cells in table.first if place < len(cells) and cells[place].strip()]
        cells = [cell for cell in cells if not values.TOTAL.match(cell)]
        is_told = any(not cell.isdigit() for cell in cells) or bool(DATE_NAMES.search(heading))
        if cells and is_told and all(_day_of(cell, "dmy") or _day_of(cell, "mdy") for cell in cells):
            found.append(place)
    return found


@dataclass(frozen=True)
class Days:
    """What the days of a file say. `order`: of 03/04/2026 where the cells tell it; `gap`: least distance of two days."""

    count: int = 0
    gap: int | None = None
    is_two_ways: bool = False
    order: str = ""

    @property
    def look_daily(self) -> bool:
        return self.gap == 1

    @property
    def look_weekly(self) -> bool:
        return self.gap is not None and self.gap >= WEEK


def days_in(table: Table, place: int, order: str = "") -> Days:
    """Read the days of a column, of the first rows of a long file; reads the table on."""
    cells = set(islice(column_of(table, place), SCANNED))
    told, two_ways = set(), False
    for cell in cells:
        if match := TWO_WAYS.match(cell):
            first, second = int(match[1]), int(match[2])
            two_ways = two_ways or (first <= 12 and second <= 12 and first != second)
            told |= ({"dmy"} if first > 12 else set()) | ({"mdy"} if second > 12 else set())
    known = order or (told.pop() if len(told) == 1 else "")
    days = sorted({day for cell in cells if (day := _day_of(cell, known))})
    gap = min(((after - before).days for before, after in pairwise(days)), default=None)
    return Days(len(days), gap, two_ways, known)


# ---------------------------------------------------------------- the reader
@dataclass(frozen=True)
class Custom:
    """A reader made of what somebody said about the columns of one heading.

    `columns`: for each place {"what": one of day, channel, campaign, campaign_name, metric, wide, skip} and for metric and
    wide the `metric`, for wide the `channel`. `step`: days that a row covers from its day on. `is_sparse`: days stand
    apart, and yet each row is a day, as somebody said.
    """

    pk: int
    VERSION: int
    header: tuple[str, ...]
    columns: tuple[dict, ...]
    step: int = 1
    order: str = ""
    is_sparse: bool = False
    FOLDS = True

    @property
    def CODE(self) -> str:
        return f"custom:{self.pk}"

    @property
    def is_wide(self) -> bool:
        return any(column["what"] == WIDE for column in self.columns)

    @property
    def channels(self) -> list[str]:
        """Codes of the channels that the columns of a wide table belong to, in their order."""
        return list(dict.fromkeys(column["channel"] for column in self.columns if column["what"] == WIDE))

    def place(self, what: str) -> int | None:
        return next((place for place, column in enumerate(self.columns) if column["what"] == what), None)

    def sniff(self, header: list[str], context: Context) -> bool:
        return len(header) == len(self.header) and tuple(map(heading_of, header)) == self.header

    def metrics(self, header: list[str], context: Context) -> list[str]:
        return list(dict.fromkeys(column["metric"] for column in self.columns if column["what"] in {METRIC, WIDE}))

    def skipped(self, header: list[str], context: Context) -> list[str]:
        """Nothing is left out by us: what is skipped was skipped by hand."""
        return []

    def money_of(self, table: Table) -> str:
        """The currency in a heading of money, where it names one."""
        told = set()
        for heading, column in zip(table.header, self.columns, strict=False):
            match = NAMED.search(heading) if column["what"] in {METRIC, WIDE} else None
            if match:
                told.add(match[1] or SIGNS[match[2]])
        told &= CURRENCIES
        if len(told) > 1:
            raise FileProblem("two_currencies", found=", ".join(sorted(told)))
        return next(iter(told), "")

    def names(self, table: Table) -> Iterator[str]:
        place = self.place(CHANNEL)
        if place is not None:
            yield from column_of(table, place)
            return
        for _line, _cells in table.rows():
            yield from self.channels

    def layout(self, context: Context) -> Layout:
        """Where things stand; the columns of a wide table bear their place for a code, `read` puts them together."""
        known = {column.code: column for column in context.columns.values()}
        found = []
        for place, column in enumerate(self.columns):
            if column["what"] not in {METRIC, WIDE}:
                continue
            metric = known.get(column["metric"])
            if metric is None:
                raise FileProblem("metric_gone", name=column["metric"])
            code = str(place) if self.is_wide else metric.code
            times, divide = UNITS[column.get("unit", "")]
            found.append((place, Column(code, metric.money, metric.signed, times, divide)))
        places = [self.place(what) for what in ONCE]
        return Layout(*places, tuple(found), order=self.order, lenient=True)

    def read(self, table: Table, context: Context) -> Iterator[Row]:
        weekday = None
        if self.step == MONTH:
            table = replace(table, _records=_months_as_days(table._records, self.place(DAY)))
        for row in read_rows(table, self.layout(context), context):
            if self.step == MONTH and row.day is not None:
                _check_month(row, context.today, table.header[self.place(DAY)])
            elif self.step > 1 and row.day is not None:
                weekday = row.day.weekday() if weekday is None else weekday
                _check_week(row, weekday, context.today, table.header[self.place(DAY)])
            if row.problems:
                yield row
                continue
            for part in self._by_channel(row) if self.is_wide else (row,):
                yield from spread(
                    part, monthrange(part.day.year, part.day.month)[1] if self.step == MONTH else self.step
                )

    def _by_channel(self, row: Row) -> Iterator[Row]:
        for channel in self.channels:
            found = {
                column["metric"]: row.values[str(place)]
                for place, column in enumerate(self.columns)
                if column["what"] == WIDE and column["channel"] == channel
            }
            yield Row(row.line, row.day, channel, row.campaign, row.campaign_name, found)


def _check_week(row: Row, weekday: int, today: date, heading: str) -> None:
    problem = None
    if row.day.weekday() != weekday:
        problem = "another_weekday"
    elif row.day <= today < row.day + timedelta(days=WEEK - 1):
        problem = "week_not_over"
    if problem:
        row.problems.append(CellProblem(row.line, heading.strip(), problem, row.day.isoformat()))


def _check_month(row: Row, today: date, heading: str) -> None:
    last = row.day.replace(day=monthrange(row.day.year, row.day.month)[1])
    if row.day.day != 1:
        row.problems.append(CellProblem(row.line, heading.strip(), "not_first_of_month", row.day.isoformat()))
    elif row.day <= today < last:
        row.problems.append(CellProblem(row.line, heading.strip(), "month_not_over", row.day.isoformat()))


def _months_as_days(records: Iterator[list[str]], place: int) -> Iterator[list[str]]:
    """Records with 2026-11 or “November 2026” written as the first day of the month; other cells as they are."""
    for cells in records:
        if place < len(cells):
            with suppress(values.CellError):  # a whole date, or none at all: the reader says what is wrong
                cells = [*cells[:place], values.month(cells[place]).isoformat(), *cells[place + 1 :]]
        yield cells


# ---------------------------------------------------------------- what is never kept
def without_personal(table: Table, used: frozenset[str] = frozenset()) -> Iterator[list[str]] | None:
    """All records of the table, its personal cells emptied; None where it has no such column. Reads it to its end.

    `used`: headings, as `normalise` leaves them, that the file's reader takes figures from: they stay.
    """
    places = [place for place in personal_places(table) if normalise(table.header[place]) not in used]
    return _emptied(table, set(places)) if places else None


def _emptied(table: Table, places: set[int]) -> Iterator[list[str]]:
    yield from table.preamble
    yield table.header
    expected = table.header_row + 1
    for number, cells in table.rows():
        yield from ([] for _blank in range(number - expected))
        expected = number + 1
        yield [("" if place in places else cell) for place, cell in enumerate(cells)]
