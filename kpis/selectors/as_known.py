"""Facts as they were known at a moment, rebuilt from what loads and undoings left behind. Set-based: one query.

Of every row the earliest change after the moment tells what stood there at the moment; a row that nothing has changed
since stands as it is. Which of two sources counted is told by the priorities of that moment.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db import connection
from django.db.utils import OperationalError

from kpis.models import DailyFact, FactRevision, Import, Source, UndoneFact
from kpis.selectors import fact_rows
from roles.models import AuditEvent, Company

FACT, REVISION, UNDONE, IMPORT = (model._meta.db_table for model in (DailyFact, FactRevision, UndoneFact, Import))
KEY = "day, channel_id, campaign_id, source_id"


FRIDAY, EVENING = 4, time(18, 0)
Due = Callable[[date], datetime]
"""Monday of a week → when its fact is due (UTC): what people reported by then is what a later figure is held against."""


def _usual_due(company: Company) -> Due:
    def due(monday: date) -> datetime:
        return datetime.combine(monday + timedelta(days=FRIDAY), EVENING, tzinfo=company.zone).astimezone(UTC)

    return due


_due_of: list[Callable[[Company], Due]] = [_usual_due]


def tell_due(due_of: Callable[[Company], Due]) -> None:
    """Let the app that keeps the companies' schedules, which stands above this one, say when the facts of weeks are due."""
    _due_of[:] = [due_of]


def reported_by(*, company: Company, day: date, at: datetime) -> datetime:
    """When the fact of the day's week was due (UTC) by the company's schedule; of a week before while that has not come yet."""
    due, monday = _due_of[0](company), day - timedelta(days=day.weekday())
    while (moment := due(monday)) > at:
        monday -= timedelta(weeks=1)
    return moment


@dataclass(frozen=True)
class KnownThen:
    """One row of facts as it stood: `values` in micros in the order of the columns asked for, None where unknown."""

    day: date
    channel_id: int
    campaign_id: int
    source_id: int
    values: tuple[int | None, ...]

    @property
    def key(self) -> tuple[date, int, int, int]:
        return self.day, self.channel_id, self.campaign_id, self.source_id


def facts_as_known(
    *,
    company: Company,
    at: datetime,
    start: date,
    end: date,
    columns: Sequence[str],
    channel_ids: list[int] | None = None,
) -> list[KnownThen]:
    """The rows of [start, end] as they stood at a moment (UTC), those that did not exist yet left out."""
    query, values = _query(company, at, start, end, columns, channel_ids)
    if not query:
        return []
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        rows = cursor.fetchall()
    return [
        KnownThen(_day(day), channel, campaign, source, tuple(values))
        for day, channel, campaign, source, *values in rows
    ]


def _query(
    company: Company, at: datetime, start: date, end: date, columns: Sequence[str], channel_ids: list[int] | None
) -> tuple[str, list]:
    """The query of the rows and its parameters; empty where nothing is asked for."""
    if not columns or channel_ids == []:
        return "", []
    inside = "" if channel_ids is None else f" AND channel_id IN ({', '.join(['%s'] * len(channel_ids))})"
    where = f"company_id = %s AND day BETWEEN %s AND %s{inside}"
    scope = [company.pk, start.isoformat(), end.isoformat(), *(channel_ids or [])]
    moment = connection.ops.adapt_datetimefield_value(at)
    names = ", ".join(map(connection.ops.quote_name, columns))
    return _sql(where, names), [*scope, moment, *scope, moment, *scope]


def _sql(where: str, names: str) -> str:
    """Undoings come after the loads of the same moment; of several loads of one moment the older one changed first."""
    loaded = f"(SELECT COALESCE(i.finished_at, i.created_at) FROM {IMPORT} i WHERE i.id = r.load_id)"
    return f"""
WITH later AS (
  SELECT {KEY}, existed, {names}, at, 0 AS kind, number FROM
    (SELECT r.*, r.id AS number, {loaded} AS at FROM {REVISION} r WHERE {where}) r WHERE at > %s
  UNION ALL
  SELECT {KEY}, 1 = 1 AS existed, {names}, at, 1 AS kind, id AS number FROM {UNDONE} WHERE {where} AND at > %s
), first AS (
  SELECT later.*, ROW_NUMBER() OVER (PARTITION BY {KEY} ORDER BY at, kind, number) AS turn FROM later
)
SELECT {KEY}, {names} FROM first WHERE turn = 1 AND existed
UNION ALL
SELECT {KEY}, {names} FROM {FACT} WHERE {where} AND ({KEY}) NOT IN (SELECT {KEY} FROM first WHERE turn = 1)
"""


def _day(day) -> date:
    return date.fromisoformat(day) if isinstance(day, str) else day


def priorities_at(*, company: Company, at: datetime) -> dict[int, int]:
    """Source id → its priority at a moment: today's, taken back by the journal of its changes; two queries."""
    now = dict(Source.objects.filter(company=company).values_list("pk", "priority"))
    events = AuditEvent.objects.filter(
        company=company, object_type=Source._meta.label_lower, verb="update_source", at__gt=at
    ).order_by("-at", "-pk")
    for pk, before in events.values_list("object_id", "before"):
        if "priority" in (before or {}) and int(pk) in now:
            now[int(pk)] = before["priority"]
    return now


def rows_as_known(
    *, company: Company, at: datetime, start: date, end: date, columns: Sequence[str], channel_ids: list[int] | None,
    campaigns: bool,
) -> list[tuple]:  # fmt: skip
    """What `fact_rows.read` gives, of that moment: (day, channel, source[, campaign], *columns), the weakest source first."""
    query, values = _query(company, at, start, end, columns, channel_ids)
    if not query:
        return []
    keys = ["day", "channel_id", "source_id", *(["campaign_id"] if campaigns else [])]
    try:
        rows = _summed(query, values, keys, columns)
    except OperationalError as error:
        # SQLite's SUM refuses to pass 64 bits; Python does not.
        if "overflow" not in str(error):
            raise
        found = facts_as_known(company=company, at=at, start=start, end=end, columns=columns, channel_ids=channel_ids)
        rows = _summed_here(found, campaigns)
    ranks = priorities_at(company=company, at=at)
    return sorted(rows, key=lambda row: (ranks.get(row[2], 0), row[2]), reverse=True)


def _summed(query: str, values: list, keys: list[str], columns: Sequence[str]) -> list[tuple]:
    sums = ", ".join(f"SUM({name}) AS {name}" for name in map(connection.ops.quote_name, columns))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            fact_rows.whole_numbers(cursor)
        cursor.execute(f"SELECT {', '.join(keys)}, {sums} FROM ({query}) known GROUP BY {', '.join(keys)}", values)
        return cursor.fetchall()


def _summed_here(found: list[KnownThen], campaigns: bool) -> list[tuple]:
    groups: dict[tuple, list[int | None]] = {}
    for row in found:
        key = (row.day, row.channel_id, row.source_id, *([row.campaign_id] if campaigns else []))
        total = groups.setdefault(key, [None] * len(row.values))
        for place, value in enumerate(row.values):
            if value is not None:
                total[place] = value + (total[place] or 0)
    return [(*key, *total) for key, total in groups.items()]
