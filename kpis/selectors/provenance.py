"""Where a figure comes from: its formula with the sums plugged in, and the facts, sources, loads and people behind it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.core.paginator import Page, Paginator
from django.db.models import Q

from kpis import wording
from kpis.metrics import MetricInfo
from kpis.models import DailyFact, FactRevision, Import
from kpis.selectors import fact_rows
from kpis.selectors.cube import KpiValue, load_cube
from kpis.selectors.measures import Measure
from roles.models import Campaign, Channel, Company

LINES_ON_A_PAGE = 100


@dataclass(frozen=True)
class Change:
    """A cell before a load changed it: `was` None: it was unknown."""

    was: Decimal | None
    now: Decimal | None
    load: Import


@dataclass(frozen=True)
class Cell:
    """One metric of one line. `counts`: this source's figure is the one taken; else a stronger source has it."""

    metric: MetricInfo
    value: Decimal | None
    counts: bool
    changes: list[Change]


@dataclass(frozen=True)
class Line:
    """What one source says of one channel or campaign on one day. `counted`: every metric of that day and channel is known."""

    day: date
    channel: str
    source: str
    campaign: str | None
    cells: list[Cell]
    counted: bool
    load: Import | None


@dataclass(frozen=True)
class Provenance:
    """A figure opened up; `metrics` in the order of the columns, `page` a page of lines, newest day first."""

    measure: Measure
    metrics: list[MetricInfo]
    value: KpiValue
    words: str
    with_sums: str
    page: Page
    lines: list[Line] = field(default_factory=list)


def provenance(
    *,
    company: Company,
    measure: Measure,
    metrics: dict[str, MetricInfo],
    start: date,
    end: date,
    channel: Channel | None = None,
    page: int | str = 1,
) -> Provenance:
    """The figure of [start, end] for the company or one channel and everything it was made of; seven queries at most."""
    used = {code: info for code, info in metrics.items() if code in measure.formula.metrics}
    only = None if channel is None else [channel.pk]
    cube = load_cube(company=company, start=start, end=end, channel_ids=only, metrics=used)
    sums = cube.formula_sums(measure.formula, only)
    winners = _winners(company, used, start, end, only)
    shown = Paginator(_facts(company, used, start, end, only), LINES_ON_A_PAGE).get_page(page)
    return Provenance(
        measure, list(used.values()), cube.kpi(measure.formula, only), wording.in_words(measure.formula, metrics),
        wording.with_sums(measure.formula, sums, metrics, company.currency), shown,
        _lines(company, used, list(shown.object_list), winners),
    )  # fmt: skip


def _winners(company: Company, used: dict[str, MetricInfo], start: date, end: date, only: list[int] | None) -> dict:
    """Per (day, channel) the source that counts for each metric, by its place."""
    columns = [info.column for info in used.values()]
    rows = fact_rows.read(
        company=company, start=start, end=end, columns=columns, channel_ids=only, campaigns=False
    )  # fmt: skip
    winners: dict[tuple[date, int], list[int | None]] = {}
    for day, channel, source, *values in rows:
        key = (date.fromisoformat(day) if isinstance(day, str) else day, channel)
        winner = winners.setdefault(key, [None] * len(columns))
        for place, value in enumerate(values):
            if value is not None:
                winner[place] = source
    return winners


def _facts(company: Company, used: dict[str, MetricInfo], start: date, end: date, only: list[int] | None):
    columns = [info.column for info in used.values()]
    known = Q()
    for column in columns:
        known |= Q(**{f"{column}__isnull": False})
    facts = DailyFact.objects.filter(known, company=company, day__range=(start, end))
    if only is not None:
        facts = facts.filter(channel_id__in=only)
    return facts.order_by(
        "-day", "channel__position", "channel_id", "source__priority", "source_id", "campaign_id"
    ).values("day", "channel_id", "channel__name", "source_id", "source__name", "campaign_id", "load_id", *columns)


def _lines(company: Company, used: dict[str, MetricInfo], rows: list[dict], winners: dict) -> list[Line]:
    if not rows:
        return []
    changes = _changes(company, used, rows)
    wanted = {row["load_id"] for row in rows} | {revision.load_id for group in changes.values() for revision in group}
    loads = Import.objects.filter(company=company).select_related("source", "created_by__user").in_bulk(wanted)
    names = dict(
        Campaign.objects.filter(company=company, pk__in={row["campaign_id"] for row in rows} - {0}).values_list(
            "pk", "name"
        )
    )
    return [_line(row, used, winners, changes.get(_key(row), []), loads, names) for row in rows]


def _line(row: dict, used: dict[str, MetricInfo], winners: dict, revisions: list, loads: dict, names: dict) -> Line:
    winner = winners.get((row["day"], row["channel_id"]), [None] * len(used))
    cells = []
    for place, info in enumerate(used.values()):
        counts = row[info.column] is not None and winner[place] == row["source_id"]
        cells.append(
            Cell(info, row[info.column], counts, list(_history(row[info.column], info.column, revisions, loads)))
        )
    campaign = names.get(row["campaign_id"]) if row["campaign_id"] else None
    return Line(
        row["day"], row["channel__name"], row["source__name"], campaign, cells, None not in winner, loads.get(row["load_id"])
    )  # fmt: skip


def _history(now: Decimal | None, column: str, revisions: list[FactRevision], loads: dict) -> Iterable[Change]:
    """How a cell came to its value: one change per load that touched it, newest first."""
    for revision in revisions:
        was = getattr(revision, column)
        if was != now and revision.existed and revision.load_id in loads:
            yield Change(was, now, loads[revision.load_id])
        now = was


def _key(row: dict) -> tuple:
    return row["day"], row["channel_id"], row["campaign_id"], row["source_id"]


def _changes(company: Company, used: dict[str, MetricInfo], rows: list[dict]) -> dict[tuple, list[FactRevision]]:
    """Revisions of the rows on the page, newest first, by the key of the fact."""
    keys = {_key(row) for row in rows}
    revisions = FactRevision.objects.filter(
        company=company, channel_id__in={row["channel_id"] for row in rows},
        day__range=(rows[-1]["day"], rows[0]["day"]), existed=True,
    ).order_by("-load_id", "-pk")  # fmt: skip
    found: dict[tuple, list[FactRevision]] = {}
    for revision in revisions:
        key = (revision.day, revision.channel_id, revision.campaign_id, revision.source_id)
        if key in keys:
            found.setdefault(key, []).append(revision)
    return found
