"""What somebody says about the columns of a table that no reader knows: kept for the source, and used by its next files."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from kpis import reading
from kpis.importers import custom
from kpis.importers.base import FileProblem
from kpis.importers.tables import Table
from kpis.models import ColumnMap, Import, Source
from kpis.selectors.column_maps import column_map_of, table_of
from kpis.selectors.measures import metrics_of
from kpis.services.imports import WAITING, NotWaiting, remembered_mapping
from kpis.services.uploads import BadFile
from roles import audit
from roles.models import Channel, Company, Membership
from roles.refusals import FieldError, Refused

FIGURES = (custom.METRIC, custom.WIDE)
SHORTEST_MONTH = 28


class WrongColumns(Refused):
    """What was said does not make a table of days, channels and metrics: `errors` has one entry per field."""

    code = "wrong_columns"


def choose_columns(
    *, company: Company, by: Membership, at: datetime, load: Import, columns: dict[int, dict], step: str = "", order: str = "",
) -> Import:  # fmt: skip
    """Keep what the columns are, for this load and for the source's next files with this heading. Writes no fact.

    `columns`: place → {"what", "metric"?, "channel"?} as `custom.Custom` has them; places left out are skipped. `step`,
    `order`: as in ColumnMap, needed where the days do not tell. Raises WrongColumns, BadFile, NotWaiting.
    """
    if load.state != Import.State.PREVIEW:
        raise NotWaiting(_("This load is not waiting any more: somebody has confirmed or dropped it."))
    today = company.local_date(load.created_at)
    try:
        with reading.opened(load) as stream, transaction.atomic():
            # Two people may answer for one heading at once: the second sees what the first has said.
            Source.objects.select_for_update(no_key=True).filter(company=company, pk=load.source_id).first()
            table = table_of(stream, reading.context_of(company, today, load.source), load.header_row)
            said = _checked(company, table, columns)
            place = next(number for number, column in enumerate(said) if column["what"] == custom.DAY)
            days = custom.days_in(table, place, order)
            step = _checked_days(days, step, order)
            found = _save(company, by, at, load, table.header, said, step, order or days.order, days.look_weekly)
            context = reading.context_of(company, today, load.source)
            remembered = remembered_mapping(company, load.source)
            known = reading.recognised(stream, company, context, reading.custom_reader(found), table, remembered)
            return _hand_over(company, by, at, load, known, found)
    except FileProblem as problem:
        raise BadFile(problem) from problem


def _checked(company: Company, table: Table, columns: dict[int, dict]) -> list[dict]:
    """A column for each place, personal ones skipped; WrongColumns with what is missing or said twice."""
    personal = set(custom.personal_places(table))
    said = [
        {"what": custom.SKIP} if place in personal else dict(columns.get(place) or {"what": custom.SKIP})
        for place in range(len(table.header))
    ]
    kinds = [column["what"] for column in said]
    if custom.CAMPAIGN_NAME in kinds and custom.CAMPAIGN not in kinds:
        said[kinds.index(custom.CAMPAIGN_NAME)] = {"what": custom.CAMPAIGN}
    errors = [*_missing(said), *_said_twice(table.header, said), *_unknown(company, said), *_channels(said)]
    if errors:
        raise WrongColumns(_("The columns do not make a table yet: see what is missing."), errors)
    return said


def _missing(said: list[dict]) -> list[FieldError]:
    kinds = {column["what"] for column in said}
    errors = []
    if custom.DAY not in kinds:
        errors.append(
            FieldError("columns", "no_day", _("Say which column holds the day: without days nothing is loaded."))
        )
    if not kinds & set(FIGURES):
        errors.append(FieldError("columns", "no_metric", _("Say of at least one column which metric it holds.")))
    return errors


def _said_twice(header: list[str], said: list[dict]) -> list[FieldError]:
    seen: dict[tuple, int] = {}
    errors = []
    has_column = any(column["what"] == custom.CHANNEL for column in said)
    for place, column in enumerate(said):
        if column["what"] == custom.SKIP or (column["what"] == custom.METRIC and not has_column):
            continue  # a metric without any channel is asked for its channel first
        kind = "figure" if column["what"] in FIGURES else column["what"]
        first = seen.setdefault((kind, column.get("metric"), column.get("channel")), place)
        if first != place:
            message = _("The same is said of the column “%(name)s”. Leave one of them.") % {
                "name": header[first].strip()
            }
            errors.append(FieldError(f"what-{place}", "said_twice", message))
    return errors


def _unknown(company: Company, said: list[dict]) -> list[FieldError]:
    """Metrics and channels that the company does not have."""
    metrics = metrics_of(company=company)
    codes = set(Channel.objects.filter(company=company).values_list("code", flat=True))
    errors = []
    for place, column in enumerate(said):
        if column["what"] not in (*custom.ONCE, *FIGURES, custom.SKIP):
            errors.append(FieldError(f"what-{place}", "unknown", _("Choose from the list what the column is.")))
        elif column["what"] in FIGURES and column.get("metric") not in metrics:
            errors.append(
                FieldError(f"what-{place}", "unknown", _("There is no such metric. Choose one from the list."))
            )
        if column.get("unit", "") not in custom.UNITS:
            message = _("Choose from the list what the column is counted in.")
            errors.append(FieldError(f"unit-{place}", "unknown", message))
        if column["what"] == custom.WIDE and column.get("channel") not in codes:
            errors.append(
                FieldError(f"channel-{place}", "unknown", _("There is no such channel. Choose one from the list."))
            )
    return errors


def _channels(said: list[dict]) -> list[FieldError]:
    """Channels stand in one column, or every metric has its own: never both, never neither."""
    has_column = any(column["what"] == custom.CHANNEL for column in said)
    errors = []
    for place, column in enumerate(said):
        if has_column and column["what"] == custom.WIDE:
            message = _("The channels stand in a column of the file: leave the channel of this one empty.")
            errors.append(FieldError(f"channel-{place}", "channel_twice", message))
        elif not has_column and column["what"] == custom.METRIC:
            message = _("Choose whose figures these are: no column holds the channel.")
            errors.append(FieldError(f"channel-{place}", "no_channel", message))
    return errors


def _checked_days(days: custom.Days, step: str, order: str) -> str:
    """The step as it may be kept; WrongColumns where the days can be read two ways or do not tell what a row covers."""
    errors = []
    if days.is_two_ways and order not in {"dmy", "mdy"} and not days.order:
        message = _("Days like 03/04/2026 can be read two ways: say what comes first, the day or the month.")
        errors.append(FieldError("order", "ambiguous_date", message))
    if step not in ColumnMap.Step.values:
        step = ""
    if not step and days.look_daily:
        step = ColumnMap.Step.DAY
    if not step:
        message = _("Say what a row covers: the days stand apart, and a week is not spread over its days unasked.")
        errors.append(FieldError("step", "step_needed", message))
    elif step == ColumnMap.Step.MONTH and days.gap is not None and days.gap < SHORTEST_MONTH:
        message = _("The days stand closer than a month: months would overlap.")
        errors.append(FieldError("step", "not_monthly", message))
    elif step == ColumnMap.Step.WEEK and days.gap is not None and days.gap < custom.WEEK:
        message = _("The days stand closer than seven days: weeks would overlap.")
        errors.append(FieldError("step", "not_weekly", message))
    if errors:
        raise WrongColumns(_("The days of the file leave a question: answer it below."), errors)
    return step


def _save(
    company: Company, by: Membership, at: datetime, load: Import, header: list[str], said: list[dict], step: str,
    order: str, is_weekly: bool,
) -> ColumnMap:  # fmt: skip
    """The map of this heading, new or changed; other loads that wait with the former one have to be asked again."""
    is_sparse = is_weekly and step == ColumnMap.Step.DAY
    fields = {"columns": said, "step": step, "order": order, "is_sparse": is_sparse}
    found = column_map_of(company=company, load=load, header=header)
    if found is None:
        found = ColumnMap.objects.create(
            company=company, source=load.source, digest=custom.digest_of(header),
            header=[custom.heading_of(cell) for cell in header], created_by=by, created_at=at, **fields,
        )  # fmt: skip
    elif any(getattr(found, name) != value for name, value in fields.items()):
        fields["version"] = found.version + 1
        ColumnMap.objects.filter(company=company, pk=found.pk).update(**fields)
        found.refresh_from_db()
        others = Import.objects.filter(company=company, state=Import.State.PREVIEW, profile=f"custom:{found.pk}")
        others.exclude(pk=load.pk).update(profile="", mapping={})
    return found


def _hand_over(
    company: Company, by: Membership, at: datetime, load: Import, known: reading.Recognised, found: ColumnMap
) -> Import:
    """Let the load be read by the map; the same file that waits so already takes this one's place."""
    waiting = Import.objects.filter(company=company, source=load.source_id, sha256=load.sha256, state__in=WAITING)
    if twin := waiting.filter(profile=known.profile, profile_version=known.version).exclude(pk=load.pk).first():
        Import.objects.filter(company=company, pk=load.pk).update(state=Import.State.UNDONE, finished_at=at)
        return twin
    taken = Import.objects.filter(company=company, pk=load.pk, state=Import.State.PREVIEW).update(
        profile=known.profile, profile_version=known.version, mapping=known.mapping, currency=known.currency
    )
    if not taken:
        raise NotWaiting(_("This load is not waiting any more: somebody has confirmed or dropped it."))
    after = {"columns": [column["what"] for column in found.columns], "step": found.step, "order": found.order}
    audit.record(company=company, by=by, verb="choose_columns", obj=load, at=at, after=after)
    load.refresh_from_db()
    return load
