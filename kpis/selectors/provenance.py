"""Where a figure comes from: its formula with the sums plugged in, and the facts, sources, loads and people behind it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from django.core.paginator import Page, Paginator
from django.db.models import Q
from django.utils.translation import gettext as _

from kpis import wording
from kpis.charts import Plot, line_plot
from kpis.formulas import Formula
from kpis.metrics import MetricInfo
from kpis.models import DailyFact, DataIncident, FactRevision, Import, Source
from kpis.selectors import fact_rows
from kpis.selectors.as_known import KnownThen, facts_as_known
from kpis.selectors.cube import Cube, KpiValue, load_cube
from kpis.selectors.measures import Measure
from roles.fields import from_micros
from roles.models import Campaign, Channel, Company

LINES_ON_A_PAGE = 100
FEWEST_DRAWN = 3
"""Days below which a picture shows no more than the table."""


@dataclass(frozen=True)
class Change:
    """A cell before a load changed it: `was` None: it was unknown."""

    was: Decimal | None
    now: Decimal | None
    load: Import


@dataclass(frozen=True)
class Cell:
    """One metric of one line. `counts`: this source's figure is the one taken; else a stronger source has it.

    `then`: what stood there at the moment asked for; None: unknown then.
    """

    metric: MetricInfo
    value: Decimal | None
    counts: bool
    changes: list[Change]
    then: Decimal | None = None

    @property
    def restated(self) -> bool:
        """Has the figure changed since that moment? One that only came later is no restatement."""
        return self.then is not None and self.then != self.value


@dataclass(frozen=True)
class Line:
    """What one source says of one channel or campaign on one day. `counted`: every metric of that day and channel is known.

    `row`: the row of the load's file, as a spreadsheet counts it; `typed`: a person typed it; `came_later`: nothing stood
    there at the moment asked for; `doubted`: an open incident holds the day in doubt.
    """

    day: date
    channel: str
    source: str
    campaign: str | None
    cells: list[Cell]
    counted: bool
    load: Import | None
    row: int | None = None
    typed: bool = False
    came_later: bool = False
    doubted: bool = False


@dataclass(frozen=True)
class Restated:
    """What a figure of some days was known to be, and what the same days give now; None: nothing is known any more."""

    was: Decimal
    now: Decimal | None


@dataclass(frozen=True)
class Provenance:
    """A figure opened up; `metrics` in the order of the columns, `page` a page of lines, newest day first.

    `then`: the figure as it was known at `known_at` (UTC); `doubts`: open incidents about these days.
    """

    measure: Measure
    metrics: list[MetricInfo]
    value: KpiValue
    words: str
    with_sums: str
    page: Page
    known_at: datetime
    then: KpiValue
    then_with_sums: str
    restated: Restated | None
    plot: Plot | None
    lines: list[Line] = field(default_factory=list)
    doubts: list[DataIncident] = field(default_factory=list)


def provenance(
    *,
    company: Company,
    measure: Measure,
    metrics: dict[str, MetricInfo],
    start: date,
    end: date,
    known_at: datetime,
    channels: Sequence[Channel] | None = None,
    campaign: Campaign | None = None,
    page: int | str = 1,
) -> Provenance:
    """The figure of [start, end] for the company, some channels (those of a kind, or one) or one campaign of a channel, what it was known to
    be at a moment (UTC), and everything it was made of; twelve queries at most."""
    used = {code: info for code, info in metrics.items() if code in measure.formula.metrics}
    only = None if channels is None else [channel.pk for channel in channels]
    asked = {
        "company": company, "start": start, "end": end, "channel_ids": only, "metrics": used, "campaigns": campaign is not None,
    }  # fmt: skip
    now = Figure(load_cube(**asked), measure.formula, campaign)
    then = Figure(load_cube(**asked, as_known=known_at), measure.formula, campaign)
    with_sums, then_with_sums = (
        wording.with_sums(measure.formula, one.sums, metrics, company.currency) for one in (now, then)
    )
    winners = _winners(company, used, start, end, only)
    shown = Paginator(_facts(company, used, start, end, only, campaign), LINES_ON_A_PAGE).get_page(page)
    doubts = _doubts(company, start, end, only)
    rows = list(shown.object_list)
    return Provenance(
        measure, list(used.values()), now.value(), wording.in_words(measure.formula, metrics),
        with_sums, shown, known_at, then.value(), then_with_sums, _changed(now, then), _plot(measure, now, then),
        _lines(company, used, rows, winners, Beside(_stood(company, used, rows, known_at), doubts)), doubts,
    )  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """One formula over a cube of one scope, or over one campaign of it."""

    cube: Cube
    formula: Formula
    campaign: Campaign | None

    @property
    def sums(self) -> dict[str, Decimal | None]:
        return self.cube.formula_sums(self.formula, campaign_id=self.campaign and self.campaign.pk)

    def value(self, end: date | None = None) -> KpiValue:
        """Of all days, or up to one of them."""
        if self.campaign is not None:
            return self.cube.campaign_kpi(self.formula, self.campaign.pk, end=end)
        return self.cube.kpi(self.formula, end=end)

    @property
    def daily(self) -> dict[date, KpiValue]:
        if self.campaign is not None:
            return self.cube.campaign_daily(self.formula, self.campaign.pk)
        return self.cube.daily(self.formula)

    @property
    def last_day(self) -> date | None:
        return self.cube.last_day()


def _changed(now: Figure, then: Figure) -> Restated | None:
    """The same days then and now: days that only came later are no restatement."""
    last = then.last_day
    was = then.value().value
    if last is None or was is None:
        return None
    same_days = now.value(end=last).value
    return None if same_days == was else Restated(was, same_days)


def _plot(measure: Measure, now: Figure, then: Figure) -> Plot | None:
    """The figure by day as it is now; tinted are the days on which it was known to be another one."""
    daily, before = now.daily, then.daily
    values = [one.value for one in daily.values()]
    if len(values) < FEWEST_DRAWN or all(value is None for value in values):
        return None
    changed = [
        day for day, one in daily.items() if before[day].value is not None and before[day].value != one.value
    ]  # fmt: skip
    desc = _("The figure by day; tinted are the days that were restated.")
    return line_plot(list(daily), values, measure.unit, str(measure.name), desc, gap_days=changed, size="m")


@dataclass(frozen=True)
class Beside:
    """What is told beside the lines: by the key of the fact what stood there then, and what is in doubt now."""

    stood: dict[tuple, KnownThen]
    doubts: list[DataIncident]

    def doubted(self, day: date, channel_id: int) -> bool:
        return any(row.first_day <= day <= row.last_day and row.channel_id in (None, channel_id) for row in self.doubts)


def _doubts(company: Company, start: date, end: date, only: list[int] | None) -> list[DataIncident]:
    rows = DataIncident.objects.filter(
        company=company,
        kind=DataIncident.Kind.DOUBT,
        state=DataIncident.State.OPEN,
        first_day__lte=end,
        last_day__gte=start,
    )
    if only is not None:
        rows = rows.filter(Q(channel=None) | Q(channel__in=only))
    return list(rows.select_related("channel", "opened_by__user").order_by("first_day", "pk"))


def _stood(company: Company, used: dict[str, MetricInfo], rows: list[dict], at: datetime) -> dict[tuple, KnownThen]:
    """What stood in the lines of the page at a moment, by the key of the fact."""
    if not rows:
        return {}
    found = facts_as_known(
        company=company, at=at, start=rows[-1]["day"], end=rows[0]["day"], columns=[info.column for info in used.values()],
        channel_ids=sorted({row["channel_id"] for row in rows}),
    )  # fmt: skip
    return {row.key: row for row in found}


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


def _facts(
    company: Company,
    used: dict[str, MetricInfo],
    start: date,
    end: date,
    only: list[int] | None,
    campaign: Campaign | None,
):
    columns = [info.column for info in used.values()]
    known = Q()
    for column in columns:
        known |= Q(**{f"{column}__isnull": False})
    facts = DailyFact.objects.filter(known, company=company, day__range=(start, end))
    if only is not None:
        facts = facts.filter(channel_id__in=only)
    if campaign is not None:
        facts = facts.filter(campaign_id=campaign.pk)
    return facts.order_by(
        "-day", "channel__position", "channel_id", "source__priority", "source_id", "campaign_id"
    ).values(
        "day",
        "channel_id",
        "channel__name",
        "source_id",
        "source__name",
        "source__kind",
        "campaign_id",
        "load_id",
        "line",
        *columns,
    )


def _lines(
    company: Company, used: dict[str, MetricInfo], rows: list[dict], winners: dict, beside: Beside
) -> list[Line]:
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
    return [_line(row, used, winners, changes.get(_key(row), []), loads, names, beside) for row in rows]


def _line(
    row: dict, used: dict[str, MetricInfo], winners: dict, revisions: list, loads: dict, names: dict, beside: Beside
) -> Line:
    winner = winners.get((row["day"], row["channel_id"]), [None] * len(used))
    stood = beside.stood.get(_key(row))
    cells = []
    for place, info in enumerate(used.values()):
        counts = row[info.column] is not None and winner[place] == row["source_id"]
        then = stood.values[place] if stood else None
        changes = list(_history(row[info.column], info.column, revisions, loads))
        cells.append(Cell(info, row[info.column], counts, changes, None if then is None else from_micros(then)))
    campaign = names.get(row["campaign_id"]) if row["campaign_id"] else None
    return Line(
        row["day"], row["channel__name"], row["source__name"], campaign, cells, None not in winner, loads.get(row["load_id"]),
        row["line"], row["source__kind"] == Source.Kind.MANUAL, stood is None, beside.doubted(row["day"], row["channel_id"]),
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
