"""The grid in which a person types a day: channels × metrics, as people write figures."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import get_language

from kpis.importers import values
from kpis.metrics import MetricInfo
from kpis.problems import sentence
from kpis.selectors.facts import TypedDay
from roles.fields import from_micros
from roles.models import Channel

MAIN = ("spend", "leads", "qualified_leads", "deals", "revenue")
LONGEST = 40


@dataclass(frozen=True)
class Cell:
    """One field of the grid: its name, what stands in it, and what is wrong with it."""

    name: str
    metric: MetricInfo
    text: str
    error: str = ""


def shown_metrics(metrics: dict[str, MetricInfo], typed: TypedDay, every: bool) -> list[MetricInfo]:
    """The columns: the main metrics, the company's own, whatever was typed for the day; all of them when asked."""
    used = {code for _channel, code in typed.values}
    return [info for code, info in metrics.items() if every or code in MAIN or info.own or code in used]


def cell_text(value: Decimal | None) -> str:
    """A stored figure as it is typed: `1234,5`; a third decimal gets a zero, so that it cannot be read as thousands."""
    if value is None:
        return ""
    text = f"{value:f}"
    text = text.replace(".", ",") if (get_language() or "ru").startswith("ru") else text
    return f"{text}0" if values.GROUPED.fullmatch(text.lstrip("-")) else text


class DayGrid:
    """A day's figures per channel and metric; with `data` (a POST) what was typed now, else what was typed before."""

    def __init__(self, day: date, channels: list[Channel], metrics: list[MetricInfo], typed: TypedDay, data=None):
        self.day, self.channels, self.metrics = day, channels, metrics
        self.values: dict[tuple[int, str], Decimal | None] = {}
        self.rows = [(channel, [self._cell(channel, info, typed, data) for info in metrics]) for channel in channels]

    @property
    def errors(self) -> list[tuple[Channel, Cell]]:
        return [(channel, cell) for channel, cells in self.rows for cell in cells if cell.error]

    def _cell(self, channel: Channel, info: MetricInfo, typed: TypedDay, data) -> Cell:
        name = f"f-{channel.pk}-{info.code}"
        key = channel.pk, info.code
        if data is None or name not in data:
            return Cell(name, info, cell_text(typed.values.get(key)))
        text = data[name].strip()[:LONGEST]
        try:
            micros = values.micros(text, money=info.unit == "money")
            if micros is not None and micros < 0 and not info.signed:
                raise values.CellError("negative")
        except values.CellError as error:
            return Cell(name, info, text, sentence({"code": error.code, "value": text}))
        self.values[key] = None if micros is None else from_micros(micros)
        return Cell(name, info, text)
