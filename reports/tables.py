"""Tables that leave as files: the same figures as the screen's, as values and not as written words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

Cell = str | Decimal | int | date | None
"""Money in full units, shares as shares (0.12 is 12 %); None is unknown and stays an empty cell."""


class Kind(StrEnum):
    """What a column holds: that is what a spreadsheet shows and sorts by."""

    TEXT = "text"
    MONEY = "money"
    COUNT = "count"
    SHARE = "share"
    DATE = "date"


@dataclass(frozen=True)
class Column:
    """A heading in the reader's language and the kind of what stands under it."""

    name: str
    kind: Kind = Kind.TEXT


@dataclass(frozen=True)
class Table:
    """One table: `name` heads its sheet; `total`: the last row sums up the others."""

    name: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    total: bool = False
