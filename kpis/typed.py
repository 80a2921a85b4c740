"""One figure that a person types: the name of its place, and its text as a number. Shared by the grid, its drafts and its saving."""

import re
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.utils.translation import get_language

from kpis.importers import values
from kpis.metrics import MetricInfo
from roles.fields import from_micros

MANUAL = "manual"
"""The code of the source of typed figures."""
LONGEST = 40
"""Characters of a cell that are kept."""
NAME = re.compile(r"f-(\d{4}-\d{2}-\d{2})-(\d{1,18})-([\w-]{1,40})", re.ASCII)


class Scope(NamedTuple):
    """A row of the grid: a day and the id of a channel."""

    day: date
    channel_id: int

    @property
    def name(self) -> str:
        return f"{self.day.isoformat()}-{self.channel_id}"


class Place(NamedTuple):
    """A cell of the grid."""

    day: date
    channel_id: int
    code: str

    @property
    def scope(self) -> Scope:
        return Scope(self.day, self.channel_id)

    @property
    def name(self) -> str:
        return f"f-{self.day.isoformat()}-{self.channel_id}-{self.code}"


def place_of(name: str) -> Place | None:
    """The place that a field's name says; None for what names none."""
    match = NAME.fullmatch(name)
    try:
        return Place(date.fromisoformat(match[1]), int(match[2]), match[3]) if match else None
    except ValueError:
        return None


def figure(text: str, info: MetricInfo, sign: str | None = None) -> Decimal | None:
    """A cell's figure, None for an empty one. `sign`: the decimal sign, where the cells around it tell it.

    Raises `values.CellError`; a per cent is a figure of the company's own metrics only, the others are sums of a day.
    """
    text = text.strip()
    if text.endswith("%"):
        if not info.own:
            raise values.CellError("per_cent")
        text = text[:-1]
    micros = values.micros(text, money=info.unit == "money", sign=sign)
    if micros is not None and micros < 0 and not info.signed:
        raise values.CellError("negative")
    return None if micros is None else from_micros(micros)


def cell_text(value: Decimal | None) -> str:
    """A stored figure as it is typed: `1234,5`; a third decimal gets a zero, so that it cannot be read as thousands."""
    if value is None:
        return ""
    text = f"{value:f}"
    text = text.replace(".", ",") if (get_language() or "ru").startswith("ru") else text
    return f"{text}0" if values.GROUPED.fullmatch(text.lstrip("-")) else text
