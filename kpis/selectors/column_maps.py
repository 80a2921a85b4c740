"""Reads for mapping the columns of a table by hand: its headings, samples, what each column seems to be."""

import re
from dataclasses import dataclass, field
from typing import BinaryIO

from kpis import reading
from kpis.importers import canonical, custom
from kpis.importers.base import Context, FileProblem
from kpis.importers.tables import Table, normalise, open_table
from kpis.metrics import MetricInfo
from kpis.models import ColumnMap, Import
from kpis.selectors.measures import metrics_of
from roles.models import Channel, Company

SAMPLES = 3
CHANNEL_NAMES = canonical.CHANNEL | {
    "источник",
    "source",
    "utm source",
    "площадка",
    "platform",
    "рекламная система",
    "откуда",
}
CAMPAIGN_NAMES = canonical.CAMPAIGN | {"utm campaign", "campaign id", "рекламная кампания"}
SYNONYMS = {
    "spend": ("cost", "costs", "spent", "amount spent", "расходы", "затраты", "потрачено", "стоимость", "s"),
    "impressions": ("impression", "показ", "просмотры рекламы", "views"),
    "clicks": ("click", "клик"),
    "visits": ("sessions", "сессии", "визит"),
    "leads": ("conversions", "конверсии", "заявки", "обращения", "лид"),
    "deals": ("orders", "заказы", "сделки", "продажи"),
    "revenue": ("sales", "выручка с продаж", "доход", "value", "оборот"),
}

RATES = re.compile(
    r"\bper\b|avg|average|rate|\bctr\b|\bcp[aclmo]\b|цена|средн|\bср\b|доля|\bза\b|reach|охват|частот|frequency|%"
    r"|competitor|конкурент"
)
"""Headings of figures that cannot be added up or are not ours: never proposed for the metric that they name last."""


@dataclass(frozen=True)
class ColumnShown:
    """A column of the file: its place and heading as written, some of its cells, what it seems to be."""

    place: int
    heading: str
    samples: list[str]
    guess: dict


@dataclass
class Columns:
    """The columns of a load's file that may be mapped. `personal`: headings that are never offered. `days`: of the day's column."""

    shown: list[ColumnShown]
    metrics: list[MetricInfo]
    channels: list[tuple[str, str]]
    personal: list[str] = field(default_factory=list)
    days: custom.Days = field(default_factory=custom.Days)
    known: ColumnMap | None = None
    header_row: int = 1
    encoding: str = ""


def column_map_of(*, company: Company, load: Import, header: list[str]) -> ColumnMap | None:
    """What was said about this heading of the load's source."""
    return ColumnMap.objects.filter(company=company, source=load.source_id, digest=custom.digest_of(header)).first()


def table_of(stream: BinaryIO, context: Context, header_row: int | None = None) -> Table:
    """The table of a file that is mapped by hand, known already or not; FileProblem where there is none."""
    if header_row is not None:
        return custom.table_under(stream, header_row)
    try:
        return open_table(stream, lambda header: any(reader.sniff(header, context) for reader in context.own))
    except FileProblem:
        if (table := custom.guess_table(stream)) is None:
            raise
        return table


def columns(*, company: Company, load: Import) -> Columns:
    """The columns of a waiting load's file with what they seem to be; FileProblem when the file cannot be read."""
    context = reading.context_of(company, company.local_date(load.created_at), load.source)
    with reading.opened(load) as stream:
        table = table_of(stream, context, load.header_row)
        personal = custom.personal_places(table)
        metrics, channels = metrics_of(company=company), Channel.objects.filter(company=company)
        found = Columns(
            [], list(metrics.values()), list(channels.values_list("code", "name")),
            [table.header[place].strip() for place in personal], header_row=table.header_row, encoding=table.encoding,
            known=column_map_of(company=company, load=load, header=table.header),
        )  # fmt: skip
        guesses = _guesses(company, load, table, context, found)
        found.shown = [
            ColumnShown(place, heading.strip()[: custom.LONGEST_HEADING], samples_of(table, place), guesses[place])
            for place, heading in enumerate(table.header)
            if place not in personal and (heading.strip() or samples_of(table, place))
        ]
        day = next((place for place, guess in guesses.items() if guess["what"] == custom.DAY), None)
        if day is not None:
            found.days = custom.days_in(table, day)
    return found


def samples_of(table: Table, place: int) -> list[str]:
    """The first cells of a column that hold something."""
    cells = (cells[place].strip() for cells in table.first if place < len(cells))
    return [cell[:40] for cell in cells if cell][:SAMPLES]


def _guesses(company: Company, load: Import, table: Table, context: Context, found: Columns) -> dict[int, dict]:
    """What each column seems to be: as said before of this heading or of another file of the source, else by name and cells."""
    said = dict(enumerate(found.known.columns)) if found.known else {}
    before = {} if said else _said_before(company, load)
    days = custom.day_places(table)
    guesses: dict[int, dict] = {}
    taken: set[str] = set()
    is_long = any(normalise(heading) in CHANNEL_NAMES for heading in table.header)
    for place, heading in enumerate(table.header):
        guess = said.get(place) or before.get(custom.heading_of(heading))
        guess = guess or _guess(normalise(heading), place, days, samples_of(table, place), context, found)
        key = guess["what"] + guess.get("metric", "") + guess.get("channel", "")
        is_open = guess["what"] == custom.METRIC and not is_long  # the channels tell such columns apart
        if guess["what"] != custom.SKIP and key in taken and not is_open:
            guess = {"what": custom.SKIP}
        taken.add(key)
        guesses[place] = guess
    if any(guess["what"] == custom.CHANNEL for guess in guesses.values()):
        return {
            place: {"what": custom.SKIP} if guess["what"] == custom.WIDE else guess for place, guess in guesses.items()
        }
    return guesses


def _said_before(company: Company, load: Import) -> dict[str, dict]:
    last = ColumnMap.objects.filter(company=company, source=load.source_id).first()
    return dict(zip(last.header, last.columns, strict=True)) if last else {}


def _guess(
    name: str, place: int, days: list[int], samples: list[str], context: Context, found: Columns
) -> dict:  # fmt: skip
    if place in days[:1]:
        return {"what": custom.DAY}
    are_figures = bool(samples) and all(custom.is_number(cell) for cell in samples)
    if not are_figures:
        known = {called for channel in found.channels for called in map(normalise, channel)}
        if name in CHANNEL_NAMES or known & set(map(normalise, samples)):
            return {"what": custom.CHANNEL}
        return {"what": custom.CAMPAIGN if name in CAMPAIGN_NAMES else custom.SKIP}
    if metric := _metric_of(name, context):
        return {"what": custom.METRIC, "metric": metric}
    for code, title in found.channels:
        for called in {normalise(code), normalise(title)}:
            rest = name.removeprefix(called) if name.startswith(called) else name.removesuffix(called)
            if rest != name and (metric := _metric_of(rest.strip(" ,:;-–—/"), context)):
                return {"what": custom.WIDE, "metric": metric, "channel": code}
    if name in CAMPAIGN_NAMES:
        return {"what": custom.CAMPAIGN}
    if not RATES.search(name) and (metric := _metric_of(re.split(r"[\s:/,;-]+", name)[-1], context)):
        return {"what": custom.METRIC, "metric": metric}
    return {"what": custom.SKIP}


def _metric_of(name: str, context: Context) -> str:
    """The code of the metric that a heading names; empty when it names none."""
    if column := context.columns.get(name):
        return column.code
    return next((code for code, names in SYNONYMS.items() if name in names), "")
