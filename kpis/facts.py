"""The one way into the table of daily facts: a staging table, then two statements for a whole load.

1. Rows go into a temporary table (PostgreSQL COPY, SQLite executemany). 2. The rows that will be created or changed
leave a FactRevision with what they were. 3. An upsert writes those that differ. So the same load twice changes nothing,
every change can be undone, and parents are checked once per load instead of by five-times-slower foreign keys.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import islice

from django.db import connection, transaction

from kpis import metrics as catalogue
from kpis.models import DailyFact, FactRevision, Import, Metric, Source, UndoneFact
from kpis.services.evaluations import request_evaluation
from roles.fields import LIMIT, to_micros
from roles.models import Campaign, Channel, Company

BATCH = 20_000
STAGED = "staged_fact"
FACT, REVISION, UNDONE = (model._meta.db_table for model in (DailyFact, FactRevision, UndoneFact))
KEY = ("company_id", "day", "channel_id", "campaign_id", "source_id")


@dataclass(frozen=True)
class FactRow:
    """What one source says of one scope on one day. `campaign_id` 0: the channel without a campaign.

    `values`: metric code → value. None clears; a metric of the load that is left out keeps its stored value.
    """

    channel_id: int
    campaign_id: int
    day: date
    values: dict[str, Decimal | int | None]


@dataclass(frozen=True)
class Counts:
    """What a load did, in rows; `first_changed` is the earliest day it touched, None when nothing changed."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    first_changed: date | None = None


class ForeignParent(ValueError):
    """A row names a channel or campaign that is not the company's: a programming error, nothing is written."""


class SumTooLarge(ValueError):
    """Rows of one scope and day add up to more than a fact can hold."""


class RepeatedKey(ValueError):
    """The same scope and day stand in the load twice; `lines` holds pairs of line numbers."""

    def __init__(self, lines: list[tuple[int, int]]):
        super().__init__(f"the same scope and day twice, lines {lines[:5]}")
        self.lines = lines


def columns_of(*, company: Company, metrics: Sequence[str]) -> list[str]:
    """The fact table's columns of metric codes, in their order; KeyError for a code the company does not have."""
    own = {}
    if any(code not in catalogue.BUILT_IN for code in metrics):
        own = dict(Metric.objects.filter(company=company).values_list("code", "slot"))
    return [catalogue.BUILT_IN[code].column if code in catalogue.BUILT_IN else f"extra_{own[code]}" for code in metrics]


class Staging:
    """The temporary table of one load and what can be done with it; made by `staging()`."""

    def __init__(self, company: Company, source_id: int, columns: Sequence[str]):
        self.company_id, self.source_id, self.columns = int(company.pk), int(source_id), list(columns)
        self.company = company
        self.rows = 0
        self.partial = self.blank = False
        self.match = (
            f"f.company_id = {self.company_id} AND f.source_id = {self.source_id} AND f.day = {STAGED}.day "
            f"AND f.channel_id = {STAGED}.channel_id AND f.campaign_id = {STAGED}.campaign_id"
        )
        self.differs = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"

    def create(self) -> None:
        """An empty staging table; one that a broken load left in this session goes first."""
        numbers = ", ".join(f"{column} bigint" for column in self.columns)
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {STAGED}")
            cursor.execute(
                f"CREATE TEMPORARY TABLE {STAGED} (line bigint, day date, channel_id bigint, campaign_id bigint, "
                f"kept bigint, {numbers})"
            )

    def add(self, lines: Iterable[tuple]) -> None:
        """Stage (line, ISO day, channel_id, campaign_id, kept, *micros); `kept` has bit i set where metric i was left out."""
        lines = iter(lines)
        names = f"line, day, channel_id, campaign_id, kept, {', '.join(self.columns)}"
        with connection.cursor() as cursor:
            while batch := list(islice(lines, BATCH)):
                self.rows += len(batch)
                self.partial = self.partial or any(row[4] for row in batch)
                self.blank = self.blank or any(not any(value is not None for value in row[5:]) for row in batch)
                if connection.vendor == "postgresql":
                    text = "".join(
                        ["\t".join(["\\N" if value is None else str(value) for value in row]) + "\n" for row in batch]
                    )
                    cursor.copy_expert(f"COPY {STAGED} ({names}) FROM STDIN", io.StringIO(text))
                else:
                    marks = ", ".join(["%s"] * (5 + len(self.columns)))
                    cursor.executemany(f"INSERT INTO {STAGED} ({names}) VALUES ({marks})", batch)

    def fold(self) -> None:
        """Sum the rows of one scope and day into one: files that are split by ad, device or sex. SumTooLarge."""
        kind = "::bigint" if connection.vendor == "postgresql" else ""
        sums = ", ".join(f"sum({column}){kind} AS {column}" for column in self.columns)
        with connection.cursor() as cursor:
            largest = " OR ".join(f"abs(sum({column} * 1.0)) > {LIMIT}" for column in self.columns)
            cursor.execute(f"SELECT 1 FROM {STAGED} GROUP BY day, channel_id, campaign_id HAVING {largest} LIMIT 1")
            if cursor.fetchone():
                raise SumTooLarge
            cursor.execute("DROP TABLE IF EXISTS folded_fact")
            cursor.execute(
                f"CREATE TEMPORARY TABLE folded_fact AS SELECT min(line) AS line, day, channel_id, campaign_id, "
                f"max(kept) AS kept, {sums} FROM {STAGED} GROUP BY day, channel_id, campaign_id"
            )
            cursor.execute(f"DROP TABLE {STAGED}")
            cursor.execute(f"ALTER TABLE folded_fact RENAME TO {STAGED}")
            cursor.execute(f"SELECT count(*) FROM {STAGED}")
            self.rows = cursor.fetchone()[0]

    def name_campaigns(self, ids: dict[int, int]) -> None:
        """Put the real ids of campaigns that did not exist while rows were staged; the rows hold negative stand-ins."""
        if not ids:
            return
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS new_campaign")
            cursor.execute("CREATE TEMPORARY TABLE new_campaign (stand_in bigint PRIMARY KEY, id bigint)")
            cursor.executemany("INSERT INTO new_campaign VALUES (%s, %s)", list(ids.items()))
            cursor.execute(
                f"UPDATE {STAGED} SET campaign_id = (SELECT n.id FROM new_campaign n WHERE n.stand_in = campaign_id) "
                "WHERE campaign_id < 0"
            )
            cursor.execute("DROP TABLE new_campaign")

    def days(self) -> tuple[date | None, date | None]:
        """The earliest and the latest day staged."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT min(day), max(day) FROM {STAGED}")
            return tuple(date.fromisoformat(day) if isinstance(day, str) else day for day in cursor.fetchone())

    def merge(self, load: Import) -> Counts:
        """Write what differs, in the caller's transaction: revisions first, then the upsert, then the work order."""
        Source.objects.select_for_update(no_key=True).filter(company=self.company, pk=self.source_id).first()
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql" and self.rows > BATCH:
                cursor.execute(f"ANALYZE {STAGED}")
                cursor.execute("SET LOCAL work_mem = '64MB'")
            self._check(cursor)
            self._complete(cursor)
            if self._revise(cursor, load.pk):
                self._upsert(cursor, load.pk, "line" if load.filename else "NULL")
            cursor.execute(
                f"SELECT count(*), sum(CASE WHEN existed THEN 1 ELSE 0 END) FROM {REVISION} WHERE load_id = %s",
                [load.pk],
            )
            touched, changed = cursor.fetchone()
        first = _first_day(self.company, load) if touched else None
        counts = Counts(touched - (changed or 0), changed or 0, self.rows - touched, first)
        if counts.first_changed:
            request_evaluation(company=self.company, dirty_from=counts.first_changed)
        return counts

    def _check(self, cursor) -> None:
        """No scope and day twice, every parent the company's own."""
        cursor.execute(
            f"SELECT min(line), max(line) FROM {STAGED} GROUP BY day, channel_id, campaign_id HAVING count(*) > 1 "
            "ORDER BY 1 LIMIT 50"
        )
        if repeated := cursor.fetchall():
            raise RepeatedKey(repeated)
        cursor.execute(
            f"SELECT s.channel_id, s.campaign_id FROM (SELECT DISTINCT channel_id, campaign_id FROM {STAGED}) s "
            f"LEFT JOIN {Channel._meta.db_table} c ON c.id = s.channel_id AND c.company_id = %s "
            f"LEFT JOIN {Campaign._meta.db_table} k ON k.id = s.campaign_id AND k.channel_id = c.id AND k.company_id = %s "
            "WHERE c.id IS NULL OR (s.campaign_id <> 0 AND k.id IS NULL) LIMIT 1",
            [self.company_id, self.company_id],
        )
        if foreign := cursor.fetchone():
            raise ForeignParent(f"channel {foreign[0]}, campaign {foreign[1]} are not of company {self.company_id}")

    def _complete(self, cursor) -> None:
        """Metrics left out take their stored value; a row that knows nothing makes no fact."""
        if self.partial:
            values = ", ".join(
                f"{column} = CASE WHEN ({STAGED}.kept & {1 << bit}) <> 0 THEN f.{column} ELSE {STAGED}.{column} END"
                for bit, column in enumerate(self.columns)
            )
            cursor.execute(f"UPDATE {STAGED} SET {values} FROM {FACT} f WHERE {STAGED}.kept <> 0 AND {self.match}")
        if self.blank:
            unknown = " AND ".join(f"{column} IS NULL" for column in self.columns)
            cursor.execute(
                f"DELETE FROM {STAGED} WHERE {unknown} AND NOT EXISTS (SELECT 1 FROM {FACT} f WHERE {self.match})"
            )

    def _revise(self, cursor, load_id: int) -> int:
        """One FactRevision per row that will be created or changed; how many there are."""
        stored = ", ".join(catalogue.COLUMNS)
        previous = ", ".join(f"f.{column}" for column in catalogue.COLUMNS)
        changed = " OR ".join(f"f.{column} {self.differs} {STAGED}.{column}" for column in self.columns)
        cursor.execute(
            f"INSERT INTO {REVISION} (company_id, load_id, day, channel_id, campaign_id, source_id, existed, "
            f"previous_load_id, previous_line, {stored}) SELECT {self.company_id}, %s, {STAGED}.day, {STAGED}.channel_id, "
            f"{STAGED}.campaign_id, {self.source_id}, f.load_id IS NOT NULL, f.load_id, f.line, {previous} FROM {STAGED} "
            f"LEFT JOIN {FACT} f ON {self.match} WHERE f.load_id IS NULL OR {changed} "
            f"ORDER BY {STAGED}.channel_id, {STAGED}.day",
            [load_id],
        )
        return cursor.rowcount

    def _upsert(self, cursor, load_id: int, line: str) -> None:
        names = ", ".join(self.columns)
        values = ", ".join(f"{column} = excluded.{column}" for column in self.columns)
        changed = " OR ".join(f"f.{column} {self.differs} excluded.{column}" for column in self.columns)
        cursor.execute(
            f"INSERT INTO {FACT} AS f ({', '.join(KEY)}, load_id, line, {names}) SELECT {self.company_id}, day, channel_id, "
            f"campaign_id, {self.source_id}, %s, {line}, {names} FROM {STAGED} WHERE true ORDER BY day, channel_id, campaign_id ON CONFLICT ({', '.join(KEY)}) "
            f"DO UPDATE SET load_id = excluded.load_id, line = excluded.line, {values} WHERE {changed}",
            [load_id],
        )


@contextmanager
def staging(*, company: Company, source_id: int, metrics: Sequence[str]) -> Iterator[Staging]:
    """A staging table for these metrics in this session: filled before the transaction, so that no lock waits for a parser."""
    table = Staging(company, source_id, columns_of(company=company, metrics=metrics))
    table.create()
    try:
        yield table
    except BaseException:
        # Inside a broken transaction the table goes with the rollback, or with the next load of this session.
        if not connection.in_atomic_block:
            with connection.cursor() as cursor:
                cursor.execute(f"DROP TABLE IF EXISTS {STAGED}")
        raise
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {STAGED}")


def as_lines(rows: Iterable[FactRow], metrics: Sequence[str]) -> Iterator[tuple]:
    """Rows as staging lines, numbered from 0; ValueError for NaN, infinity and values beyond ±9.2·10¹²."""
    for line, row in enumerate(rows):
        kept = 0
        micros = []
        for bit, code in enumerate(metrics):
            value = row.values.get(code)
            if value is None and code not in row.values:
                kept |= 1 << bit
            micros.append(None if value is None else to_micros(value))
        yield (line, row.day.isoformat(), row.channel_id, row.campaign_id, kept, *micros)


@transaction.atomic
def record(*, company: Company, load: Import, rows: Iterable[FactRow], metrics: Sequence[str]) -> Counts:
    """Write one load's facts of these metrics, all or nothing, and ask for an evaluation; once per load.

    Raises RepeatedKey, ForeignParent, ValueError (not a finite number) before anything is written.
    """
    with staging(company=company, source_id=load.source_id, metrics=metrics) as table:
        table.add(as_lines(rows, metrics))
        return table.merge(load)


def _restore(load: Import, at: datetime) -> tuple[int, int]:
    """Give the load's rows, where they still are the load's, what they were before; (restored, removed).

    What they were until now is kept as UndoneFact: it was shown.
    """
    key = ", ".join(KEY)
    values = ", ".join(f"{column} = r.{column}" for column in catalogue.COLUMNS)
    match = " AND ".join(f"r.{column} = {FACT}.{column}" for column in KEY)
    shown = ", ".join(catalogue.COLUMNS)
    moment = connection.ops.adapt_datetimefield_value(at)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {UNDONE} ({key}, load_id, at, {shown}) SELECT {key}, load_id, %s, {shown} FROM {FACT} "
            f"WHERE load_id = %s AND company_id = %s AND ({key}) IN (SELECT {key} FROM {REVISION} WHERE load_id = %s)",
            [moment, load.pk, load.company_id, load.pk],
        )
        cursor.execute(
            f"UPDATE {FACT} SET load_id = r.previous_load_id, line = r.previous_line, {values} FROM {REVISION} r WHERE r.load_id = %s "
            f"AND r.existed AND {match} AND {FACT}.load_id = %s",
            [load.pk, load.pk],
        )
        restored = cursor.rowcount
        cursor.execute(
            f"DELETE FROM {FACT} WHERE load_id = %s AND ({key}) IN (SELECT {key} FROM {REVISION} WHERE load_id = %s "
            "AND NOT existed)",
            [load.pk, load.pk],
        )
        return restored, cursor.rowcount


@transaction.atomic
def undo(*, company: Company, load: Import, at: datetime) -> Counts:
    """Take a load back: its rows get the values they had before; rows that a later load changed stay as they are.

    Rows that then belong to an earlier load which was undone meanwhile are taken back as well. `changed` counts
    restored rows, `created` removed ones, `unchanged` those that stay. The caller marks the load undone first.
    """
    Source.objects.select_for_update(no_key=True).filter(company=company, pk=load.source_id).first()
    revisions = FactRevision.objects.filter(company=company, load=load)
    total, first = revisions.count(), _first_day(company, load)
    restored, removed = _restore(load, at)
    last = None  # a history that names a load as what stood before itself must not turn here for ever
    while restored and (earlier := _surfaced(company, load)) not in (None, last):
        _again, gone = _restore(earlier, at)
        restored, removed = restored - gone, removed + gone
        last = earlier
    if first:
        request_evaluation(company=company, dirty_from=first)
    return Counts(removed, restored, total - restored - removed, first)


def _surfaced(company: Company, load: Import) -> Import | None:
    """The newest load that was undone before but owns facts again, because a later one gave them back."""
    facts = DailyFact.objects.filter(company=company, source=load.source_id).values("load_id")
    return (
        Import.objects.filter(company=company, source=load.source_id, state=Import.State.UNDONE, pk__in=facts)
        .order_by("-pk")
        .first()
    )


def _first_day(company: Company, load: Import) -> date | None:
    """The earliest day the load changed; None when it changed nothing."""
    days = FactRevision.objects.filter(company=company, load=load).order_by("day").values_list("day", flat=True)
    return days.first()
