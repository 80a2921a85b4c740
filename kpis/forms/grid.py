"""The grid in which a person types figures: days × channels × metrics, as people write them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from kpis.importers import values
from kpis.metrics import MetricInfo
from kpis.models import GridDraft
from kpis.problems import sentence
from kpis.selectors.typed import Typed, draft_places
from kpis.typed import LONGEST, Place, Scope, cell_text, figure, place_of
from roles.models import Channel

MAIN = ("spend", "leads", "qualified_leads", "deals", "revenue")
MOST_CELLS = 4_000
MOST_DAYS = 400


@dataclass(frozen=True)
class Cell:
    """One field of the grid: its place, what stands in it, what is wrong with it, and who typed what is stored there.

    `waits`: it is typed and not saved yet.
    """

    place: Place
    metric: MetricInfo
    text: str
    error: str = ""
    author: str = ""
    waits: bool = False

    @property
    def name(self) -> str:
        return self.place.name

    @property
    def initials(self) -> str:
        return "".join(word[0] for word in self.author.replace(".", " ").split())[:2].upper()


@dataclass(frozen=True)
class GridRow:
    """A day of a channel. `seen`: the load whose figures the person was shown."""

    scope: Scope
    channel: Channel
    seen: int
    cells: list[Cell]


def shown_metrics(metrics: Mapping[str, MetricInfo], used: set[str], every: bool) -> list[MetricInfo]:
    """The columns: the main metrics, the company's own, whatever is `used` already; all of them when asked."""
    return [info for code, info in metrics.items() if every or code in MAIN or info.own or code in used]


def shown_scopes(
    start: date, end: date, channels: list[Channel], waiting: Iterable[Place], metrics: int
) -> tuple[list[Scope], bool]:
    """The rows from `start` to `end`, and whether they are all: of too many, those with waiting cells, else the first ones."""
    most = max(1, MOST_CELLS // max(1, metrics))
    ids = [channel.pk for channel in channels]
    days = min((end - start).days, MOST_DAYS) + 1
    if days * len(ids) <= most:
        return [Scope(start + timedelta(days=number), pk) for number in range(days) for pk in ids], True
    waiting = sorted({place.scope for place in waiting if start <= place.day <= end and place.channel_id in ids})
    whole = max(1, most // max(1, len(ids)))
    rows = waiting or [Scope(start + timedelta(days=number), pk) for number in range(whole) for pk in ids]
    return rows[:most], False


@dataclass
class FigureGrid:
    """The rows as they stand: what was sent now (`data`, a POST), else what waits in the draft, else what is stored.

    `is_stale`: somebody saved meanwhile, and the person sees it now.
    """

    scopes: list[Scope]
    channels: list[Channel]
    metrics: list[MetricInfo]
    typed: Typed
    draft: GridDraft | None = None
    data: Mapping | None = None
    is_stale: bool = False
    values: dict[Place, Decimal | None] = field(default_factory=dict)

    def __post_init__(self):
        self._waiting = draft_places(self.draft)
        by_pk = {channel.pk: channel for channel in self.channels}
        self.rows = [
            GridRow(
                scope, by_pk[scope.channel_id], self._seen(scope), [self._cell(scope, info) for info in self.metrics]
            )
            for scope in self.scopes
        ]

    @property
    def errors(self) -> list[tuple[GridRow, Cell]]:
        return [(row, cell) for row in self.rows for cell in row.cells if cell.error]

    @property
    def authors(self) -> list[tuple[str, str]]:
        """Initials and names of everybody whose figures are shown."""
        return sorted({(cell.initials, cell.author) for row in self.rows for cell in row.cells if cell.author})

    @property
    def seen(self) -> dict[Scope, int]:
        return {row.scope: row.seen for row in self.rows}

    def _seen(self, scope: Scope) -> int:
        if self.data is not None and not self.is_stale:
            sent = self.data.get(f"v-{scope.name}", "")
            return int(sent[:18]) if sent.isdecimal() else 0
        kept = self.draft.seen.get(scope.name) if self.draft and not self.is_stale else None
        return self.typed.since(scope) if kept is None else kept

    def _cell(self, scope: Scope, info: MetricInfo) -> Cell:
        place = Place(*scope, info.code)
        stored, author = self.typed.values.get(place), self.typed.authors.get(place, "")
        sent = self.data.get(place.name) if self.data is not None else None
        text = self._waiting.get(place) if sent is None else sent.strip()[:LONGEST]
        if text is None:
            return Cell(place, info, cell_text(stored), author=author)
        try:
            value = figure(text, info)
        except values.CellError as error:
            return Cell(place, info, text, sentence({"code": error.code, "value": text}), author, waits=True)
        if sent is not None:
            self.values[place] = value
        return Cell(place, info, text, author=author, waits=value != stored)


def sent_cells(data: Mapping) -> dict[Place, str]:
    """The cells of a POST by their places."""
    return {place: data[name].strip()[:LONGEST] for name in data if (place := place_of(name))}


def sent_rows(data: Mapping, places: Iterable[Place]) -> dict[Scope, int]:
    """The loads that the person was shown in the rows of these places."""
    scopes = {place.scope for place in places}
    told = {scope: data.get(f"v-{scope.name}", "") for scope in scopes}
    return {scope: int(text[:18]) for scope, text in told.items() if text.isdecimal()}
