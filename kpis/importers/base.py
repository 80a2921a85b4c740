"""What every reader of files agrees on. Pure: no Django, values in and values out.

A reader has `CODE` (its name in `Import.profile`), `VERSION`, `FOLDS` (rows are split finer than scope and day, so that
they are summed) and what `Reader` lists: a module, or a `platforms.Platform`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol


class FileProblem(Exception):
    """The file as a whole cannot be read; `code` is stable, `params` fill the sentence that says what to do."""

    def __init__(self, code: str, **params):
        super().__init__(code)
        self.code, self.params = code, params


@dataclass(frozen=True, slots=True)
class CellProblem:
    """What is wrong with one cell: the row as a spreadsheet counts it, the column's heading, a stable code, the text found."""

    row: int
    field: str
    code: str
    value: str = ""

    def as_json(self) -> dict:
        return {"row": self.row, "field": self.field, "code": self.code, "value": self.value[:60]}


@dataclass(slots=True)
class Row:
    """One row of a file: names as they stand there, values in whole millionths (None: unknown). It covers `days` from `day` on.

    A metric that `values` does not hold is not given by the row: the stored figure stays.
    """

    line: int
    day: date | None
    channel: str
    campaign: str = ""
    campaign_name: str = ""
    values: dict[str, int | None] = field(default_factory=dict)
    problems: list[CellProblem] = field(default_factory=list)
    days: int = 1


@dataclass(frozen=True, slots=True)
class Column:
    """A metric a file may give. `times`, `divide`: from what the column is counted in to full units (1/100: kopecks)."""

    code: str
    money: bool
    signed: bool = False
    times: int = 1
    divide: int = 1


@dataclass(frozen=True)
class Context:
    """What a reader must know of the company: `columns` maps normalised headings to metrics; `today` is its local date.

    `own`: readers of tables whose columns somebody has mapped by hand. What somebody has answered about the file: `order`
    how its 03/04/2026 is read ("dmy", "mdy"), `period` its first and last day where no column has days, `is_spread` that a
    row of several days is spread over them evenly.
    """

    columns: Mapping[str, Column]
    today: date
    own: tuple["Reader", ...] = ()
    order: str = ""
    period: tuple[date, date] | None = None
    is_spread: bool = False


class Reader(Protocol):
    CODE: str
    VERSION: int
    FOLDS: bool

    def sniff(self, header: list[str], context: Context) -> bool: ...

    def metrics(self, header: list[str], context: Context) -> list[str]:
        """Codes of the metrics the file gives, in the order of its columns."""

    def skipped(self, header: list[str], context: Context) -> list[str]:
        """Headings that are left out, because their figures cannot be added up: reach, users, rates."""

    def money_of(self, table) -> str:
        """The currency that the file names, as ISO 4217 has it; empty where it names none or holds no money."""

    def names(self, table) -> Iterator[str]:
        """What the rows call their channel, for the user to say which channel it is; reads the table to its end."""

    def read(self, table, context: Context) -> Iterator[Row]: ...
