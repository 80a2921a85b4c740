"""Reads of loads: the list, one load, and the preview of a file that waits for the user's word (it writes nothing)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Q, QuerySet

from kpis import problems, reading
from kpis.answers import ASKED, CAMPAIGNS, answers_of
from kpis.importers.base import CellProblem, Reader, Row
from kpis.importers.custom import MONTH, WEEK, Custom
from kpis.importers.platforms.platform import WITHOUT_METRIC
from kpis.importers.registry import RECOUNT
from kpis.importers.tables import normalise
from kpis.metrics import MetricInfo
from kpis.models import DailyFact, Evaluation, Import, Source
from kpis.naming import Names
from kpis.selectors.measures import metrics_of
from kpis.selectors.questions import TotalsDoubt
from roles import formats
from roles.fields import from_micros
from roles.models import AuditEvent, Channel, Company, Membership

SHOWN = 20
CHECKED = 20_000
MOST_PROBLEMS = 100
LEFT: Any = object()
"""Stands for a metric that the file does not give of this channel: the stored figure stays."""
Key = tuple[date, int | str, str]
"""Day, channel (its id, or its name in the file while nobody has chosen), id of the campaign in the source."""


@dataclass(frozen=True)
class PreviewRow:
    """A fact as it will be stored; `values` in the order of the preview's metrics, None where unknown;
    `cells`: the same as they are written."""

    day: date
    channel: str
    campaign: str
    values: list[Decimal | None]
    cells: list[str]


@dataclass
class Preview:
    """What a load would do. `skipped`: headings whose figures are left out. Counts are of facts among the
    first `checked` rows of the file; `complete`: that is all of it; `weeks`, `months`: each row is spread over its days;
    `wide`: channels were chosen column by column; `asked`: rows that wait for an answer; `twins`: rows whose figures
    of the same day, channel and campaign stood above already, and which are added to them; `blank`: facts without a single figure."""

    profile: str
    encoding: str
    delimiter: str
    metrics: list[MetricInfo]
    skipped: list[str] = field(default_factory=list)
    rows: list[PreviewRow] = field(default_factory=list)
    problems: list[dict] = field(default_factory=list)
    checked: int = 0
    complete: bool = True
    weeks: bool = False
    months: bool = False
    wide: bool = False
    fresh: int = 0
    changed: int = 0
    same: int = 0
    wrong: int = 0
    asked: int = 0
    left_out: int = 0
    blank: int = 0
    twins: list[int] = field(default_factory=list)
    fresh_campaigns: int = 0
    first_day: date | None = None
    last_day: date | None = None
    names: Names | None = None

    @property
    def without_metric(self) -> list[str]:
        """Headings left out because no metric stands for them."""
        return [heading for heading in self.skipped if normalise(heading) in WITHOUT_METRIC]

    @property
    def not_additive(self) -> list[str]:
        """Headings left out because their figures cannot be added up over days."""
        return [heading for heading in self.skipped if normalise(heading) not in WITHOUT_METRIC]

    @property
    def facts(self) -> int:
        return self.fresh + self.changed + self.unchanged

    @property
    def unchanged(self) -> int:
        """Facts that stand as the file says; days without a single figure are none."""
        return self.same - self.blank

    @property
    def changes_nothing(self) -> bool:
        """Is all that was read stored already, and nothing left to ask?"""
        return self.complete and self.unchanged > 0 and not (self.fresh or self.changed or self.wrong or self.asked)


def imports(*, company: Company) -> QuerySet[Import]:
    """Loads, the newest first, source and author loaded."""
    return Import.objects.filter(company=company).select_related("source", "created_by__user")


@dataclass(frozen=True)
class Recounts:
    """The recounts of a source's deals: each puts all of them anew, so the newest one stands for all."""

    newest: int
    times: int

    @property
    def earlier(self) -> int:
        return self.times - 1


def recounts_by_source(*, company: Company) -> dict[int, Recounts]:
    """Source id → its recounts; sources without one are left out."""
    rows = Import.objects.filter(company=company, profile=RECOUNT).order_by().values("source")
    counted = rows.annotate(newest=Max("pk"), times=Count("pk"))
    return {row["source"]: Recounts(row["newest"], row["times"]) for row in counted}


def folded_imports(*, company: Company, recounts: dict[int, Recounts]) -> QuerySet[Import]:
    """Loads, the newest first, with one recount of each source: twenty changes of rules are one line."""
    shown = Q(pk__in=[one.newest for one in recounts.values()])
    return imports(company=company).filter(~Q(profile=RECOUNT) | shown)


def recounts_of(*, company: Company, source: Source) -> QuerySet[Import]:
    """Every recount of the source's deals, the newest first."""
    return imports(company=company).filter(profile=RECOUNT, source=source)


def get_import(*, company: Company, pk: int) -> Import | None:
    return imports(company=company).filter(pk=pk).first()


def newest_waiting(*, company: Company, source: str) -> Import | None:
    """The newest file of the source with this code that waits for somebody's word."""
    return imports(company=company).filter(source__code=source, state=Import.State.PREVIEW).first()


@dataclass(frozen=True)
class TakenBack:
    """What the undoing of a load did: facts `removed`, `restored` to their former figures, `left` because a later load
    changed them. `by` None: the system. `is_counting`: stop-rules are still to be evaluated without it."""

    at: datetime
    by: Membership | None
    removed: int
    restored: int
    left: int
    is_counting: bool


def taken_back(*, company: Company, load: Import) -> TakenBack | None:
    """What was taken back with this load; None while it stands, and for a file that was dropped before it was loaded."""
    if load.state != Import.State.UNDONE or not (load.last_day or load.attempts):
        return None
    events = AuditEvent.objects.filter(company=company, verb="undo_import", object_type=load._meta.label_lower)
    event = events.filter(object_id=str(load.pk)).select_related("by__user").last()
    if event is None:
        return None
    waits = Evaluation.objects.filter(company=company).exclude(dirty_from=None).exists()
    return TakenBack(event.at, event.by, **event.after, is_counting=waits)


def preview(
    *, company: Company, load: Import, mapping: dict[str, str] | None = None, rate: Decimal | None = None,
    totals: TotalsDoubt | None = None,
) -> Preview:  # fmt: skip
    """Read the file as the load would, write nothing. `mapping`: names → codes of channels chosen so far; `rate`: what its
    money is multiplied by; `totals`: where rows without a campaign stand beside campaigns.

    Raises FileProblem when the stored file cannot be read any more.
    """
    answers = answers_of(load.answers)
    mapping = {name: code for name, code in (mapping or load.mapping).items() if code}
    names = Names(company, mapping, load.source, answers.campaigns)
    with reading.opened(load) as stream:
        context, reader, table = reading.open_load(company, load, stream)
        infos = metrics_of(company=company)
        found = Preview(
            reader.CODE,
            table.encoding,
            table.delimiter,
            [infos[code] for code in reader.metrics(table.header, context)],
            reader.skipped(table.header, context),
            weeks=isinstance(reader, Custom) and reader.step == WEEK,
            months=isinstance(reader, Custom) and reader.step == MONTH,
            wide=isinstance(reader, Custom) and reader.is_wide,
        )
        rows = reading.converted(reader.read(table, context), reading.money_codes(company), rate)
        folded, wrong = _fold(found, rows, names, reader)
    found.problems = problems.shown(problem.as_json() for problem in wrong)
    found.fresh_campaigns, found.names = len(names.fresh), names
    if totals and answers.totals == CAMPAIGNS:
        _without_totals(found, folded, totals)
    _compare(company, load, found, folded, names)
    return found


def _fold(
    found: Preview, rows: Iterator[Row], names: Names, reader: Reader
) -> tuple[dict[Key, list[int | None]], list[CellProblem]]:
    """The facts that the first rows make (channels without a choice yet keep their name), and what is wrong."""
    folded: dict[Key, list[int | None]] = {}
    lines: dict[Key, int] = {}
    alike: dict[tuple, int] = {}
    wrong: list[CellProblem] = []
    codes = [info.code for info in found.metrics]
    line = None
    for number, row in enumerate(rows):
        if number == CHECKED:
            found.complete = False
            break
        found.checked += row.line != line  # a row of a wide table or of a week comes in parts
        line = row.line
        if names.leaves_out(row):
            found.left_out += 1
            continue
        if not row.problems and row.channel in names.channels:
            names.campaign(row, names.channels[row.channel])
        key = (row.day, names.channels.get(row.channel, row.channel), row.campaign)
        if not row.problems and not reader.FOLDS and (first := lines.setdefault(key, row.line)) != row.line:
            row.problems.append(CellProblem(row.line, "", "repeated", str(first)))
        if any(problem.code in ASKED for problem in row.problems):
            found.asked += 1
        elif row.problems:
            found.wrong += 1
            wrong += row.problems[: max(0, MOST_PROBLEMS - len(wrong))]
        if row.problems:
            continue
        values = [row.values.get(code, LEFT) for code in codes]
        if (
            any(value for value in values if value is not LEFT)
            and alike.setdefault((*key, *values), row.line) != row.line
        ):
            found.twins.append(row.line)
        _add(folded, key, values)
    return folded, wrong


def _without_totals(found: Preview, folded: dict[Key, list[int | None]], totals: TotalsDoubt) -> None:
    """Totals of the file are not loaded, those stored before are cleared: the campaigns count."""
    for day, channel in totals.scopes:
        found.left_out += folded.pop((day, channel, ""), None) is not None
        if (day, channel) in totals.cleared:
            folded[day, channel, ""] = [None] * len(found.metrics)


def _add(folded: dict[Key, list[int | None]], key: Key, values: list[int | None]) -> None:
    stored = folded.setdefault(key, values)
    if stored is values:
        return
    for place, value in enumerate(values):
        if value is not None and value is not LEFT:
            before = stored[place]
            stored[place] = value if before is None or before is LEFT else value + before


def _compare(company: Company, load: Import, found: Preview, folded: dict[Key, list[int | None]], names: Names) -> None:
    """Count what is new, changed and the same against the source's stored facts, in one query; fill the sample."""
    if not folded:
        return
    found.first_day, found.last_day = min(key[0] for key in folded), max(key[0] for key in folded)
    columns = [info.column for info in found.metrics]
    rows = DailyFact.objects.filter(
        company=company, source=load.source_id, day__range=(found.first_day, found.last_day),
        channel__in=set(names.channels.values()),
    ).values_list("day", "channel_id", "campaign_id", *columns)  # fmt: skip
    wanted = {(day, channel, _campaign(names, channel, external)) for day, channel, external in folded}
    # Streamed, because the days of the sample may hold far more facts than the sample.
    stored = {key: list(row[3:]) for row in rows.iterator(chunk_size=5000) if (key := tuple(row[:3])) in wanted}
    titles = dict(Channel.objects.filter(company=company).values_list("pk", "name"))
    for (day, channel, external), micros in folded.items():
        before = stored.get((day, channel, _campaign(names, channel, external)))
        values = [
            (before[place] if before else None) if value is LEFT else None if value is None else from_micros(value)
            for place, value in enumerate(micros)
        ]
        if before == values or (before is None and not any(value is not None for value in values)):
            found.same += 1
        elif before is None:
            found.fresh += 1
        else:
            found.changed += 1
        if before is None and all(value is None for value in values):
            found.blank += 1
        elif len(found.rows) < SHOWN:
            cells = [
                formats.money(value, company.currency, 2) if info.unit == "money" else formats.count(value)
                for info, value in zip(found.metrics, values, strict=True)
            ]
            found.rows.append(PreviewRow(day, titles.get(channel, str(channel)), external, values, cells))


def _campaign(names: Names, channel: int | str, external: str) -> int:
    """The campaign's id, 0 for none; a stand-in for one that does not exist yet matches no stored fact."""
    return names.campaigns.get((channel, external), -1) if external else 0


def mapping_choices(*, company: Company) -> list[tuple[str, str]]:
    """Channels as (code, name) for the mapping of names."""
    return list(Channel.objects.filter(company=company).values_list("code", "name"))
