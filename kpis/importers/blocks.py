"""A block of cells pasted from a spreadsheet: which day, channel and metric each of its cells is meant for.

Headings are optional. Without them a leading column of dates and a column of channels are told by their cells, and the
other columns stand for the metrics of the grid, in their order.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from kpis.importers import canonical, values
from kpis.importers.base import CellProblem, FileProblem
from kpis.importers.custom import TWO_WAYS
from kpis.importers.tables import normalise

MOST_ROWS, MOST_COLUMNS = 2_000, 60
DAY, CHANNEL = "day", "channel"


@dataclass(frozen=True)
class Known:
    """What a heading or a cell may name, by `tables.normalise`: metrics (→ code) and channels (→ id).

    `codes`: the metrics of the grid from the cell on into which the block was pasted.
    """

    metrics: Mapping[str, str]
    channels: Mapping[str, int]
    codes: Sequence[str]
    today: date


@dataclass
class Line:
    """One line of a block. `cells`: (channel, or None for that of the line, metric) → text. `day`, `channel` None: not told."""

    number: int
    day: date | None = None
    channel: int | None = None
    cells: dict[tuple[int | None, str], str] = field(default_factory=dict)


@dataclass
class Block:
    """What a block says. `dated`: its lines say their days. `skipped`: headings (or numbers of columns) that stand for nothing."""

    lines: list[Line] = field(default_factory=list)
    dated: bool = False
    named: bool = False
    skipped: list[str] = field(default_factory=list)
    problems: list[CellProblem] = field(default_factory=list)
    sign: str | None = None


Target = str | tuple[int | None, str] | None


def read_block(text: str, known: Known) -> Block:
    """The lines of a block; a line whose day or channel cannot be read is a problem. FileProblem for what is no block."""
    rows = _cells(text)
    heading = rows[0] if len(rows) > 1 and _is_heading(rows[0], known) else None
    body = rows[1:] if heading else rows
    width = max(map(len, rows))
    targets = _by_headings(heading, known) if heading else []
    if not any(targets):
        targets = _by_cells(body, width, known)
    block = Block(dated=DAY in targets, named=CHANNEL in targets)
    for place, target in enumerate(targets):
        if target is None:
            block.skipped.append((heading[place] if heading and place < len(heading) else "").strip() or str(place + 1))
    figures = [place for place, target in enumerate(targets) if isinstance(target, tuple)]
    block.sign = values.decimal_sign(cells[place] for cells in body for place in figures if place < len(cells))
    order = _order(body, targets.index(DAY)) if block.dated else ""
    for number, cells in enumerate(body, 2 if heading else 1):
        if block.dated and (not any(cell.strip() for cell in cells) or _is_total(cells)):
            continue
        block.lines.append(_line(block, number, cells, targets, order, known))
    if not figures or not block.lines:
        raise FileProblem("no_block")
    return block


def _cells(text: str) -> list[list[str]]:
    """The block as rows of cells, its empty end cut off."""
    text = text.lstrip("\ufeff").replace("\x00", "")
    sign = next((sign for sign in "\t;" if sign in text), "\t")
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=sign))
    except csv.Error as error:
        raise FileProblem("no_block") from error
    while rows and not any(cell.strip() for cell in rows[-1]):
        rows.pop()
    if not rows:
        raise FileProblem("no_block")
    if len(rows) > MOST_ROWS or max(map(len, rows)) > MOST_COLUMNS:
        raise FileProblem("block_too_large", rows=MOST_ROWS, columns=MOST_COLUMNS)
    return rows


def _is_heading(cells: list[str], known: Known) -> bool:
    filled = [cell for cell in cells if cell.strip()]
    names = {*canonical.DAY, *canonical.CHANNEL, *known.metrics}
    return bool(filled) and (
        any(normalise(cell) in names for cell in filled)
        or not any(_is_day(cell) or _is_figure(cell) for cell in filled)
    )


def _by_headings(heading: list[str], known: Known) -> list[Target]:
    """What each heading names: the day, the channel, a metric, or a metric of a channel; each once."""
    found: list[Target] = []
    for cell in heading:
        name, target = normalise(cell), None
        if name in canonical.DAY:
            target = DAY
        elif name in canonical.CHANNEL:
            target = CHANNEL
        elif name in known.metrics:
            target = (None, known.metrics[name])
        else:
            target = _of_channel(name, known)
        found.append(None if target in found else target)
    return found


def _of_channel(name: str, known: Known) -> Target:
    for called, channel in known.channels.items():
        for rest in (name.removeprefix(called), name.removesuffix(called)):
            if rest != name and (code := known.metrics.get(rest.strip(" ,:;-–—/"))):
                return channel, code
    return None


def _by_cells(body: list[list[str]], width: int, known: Known) -> list[Target]:
    """Days lead, channels follow; the other columns are the metrics of the grid in their order."""
    columns = [
        [cells[place] for cells in body if place < len(cells) and cells[place].strip()] for place in range(width)
    ]
    found: list[Target] = []
    if columns and _mostly(columns[0], _is_day):
        found.append(DAY)
    if len(found) < width and _mostly(columns[len(found)], lambda cell: normalise(cell) in known.channels):
        found.append(CHANNEL)
    codes = [(None, code) for code in known.codes]
    return (found + codes + [None] * width)[:width]


def _mostly(cells: list[str], is_one) -> bool:
    cells = [cell for cell in cells if not values.TOTAL.match(cell.strip())]
    return bool(cells) and sum(map(is_one, cells)) * 2 > len(cells)


def _is_day(cell: str) -> bool:
    """Is it written as a day? Bare digits are a figure, whatever day they could be."""
    if cell.strip().isdigit():
        return False
    try:
        values.day(cell, "dmy")
    except values.CellError:
        return False
    return True


def _is_figure(cell: str) -> bool:
    try:
        return values.micros(cell.strip().removesuffix("%"), money=False) is not None
    except values.CellError:
        return False


def _is_total(cells: list[str]) -> bool:
    return any(values.TOTAL.match(cell.strip()) for cell in cells[:2])


def _order(body: list[list[str]], place: int) -> str:
    """How 03/04/2026 is written in the column of days, where its other days tell it."""
    told = set()
    for cells in body:
        if place < len(cells) and (match := TWO_WAYS.match(cells[place].strip())):
            told |= ({"dmy"} if int(match[1]) > 12 else set()) | ({"mdy"} if int(match[2]) > 12 else set())
    return told.pop() if len(told) == 1 else ""


def _line(block: Block, number: int, cells: list[str], targets: list[Target], order: str, known: Known) -> Line:
    line = Line(number)
    for place, target in enumerate(targets):
        cell = cells[place].strip() if place < len(cells) else ""
        if target == DAY:
            line.day = _day(block, number, cell, order, known.today)
        elif target == CHANNEL:
            line.channel = known.channels.get(normalise(cell))
            if line.channel is None:
                block.problems.append(CellProblem(number, "", "unknown_channel" if cell else "no_channel", cell))
        elif isinstance(target, tuple):
            line.cells[target] = cell
    return line


def _day(block: Block, number: int, cell: str, order: str, today: date) -> date | None:
    try:
        found = values.day(cell, order)
        if found > today:
            raise values.CellError("future_date")
    except values.CellError as error:
        block.problems.append(CellProblem(number, "", error.code, cell))
        return None
    return found
