"""The one query that reads many facts at once: plain tuples of integers (micros), weakest source first."""

from collections.abc import Iterator
from datetime import date

from django.db import connection
from django.db.utils import OperationalError

from kpis.models import DailyFact, Source
from roles.models import Company


def read(
    *, company: Company, start: date, end: date, columns: list[str], channel_ids: list[int] | None, campaigns: bool
) -> list[tuple]:
    """(day, channel, source[, campaign], *columns) summed per group; ISO text or date as the engine gives it.

    Ordered so that of two sources of a channel and day the one that counts comes last. A sum is NULL only where every
    row is; sums never overflow.
    """
    if not columns or channel_ids == []:
        return []
    try:
        return _run(company, start, end, columns, channel_ids, campaigns)
    except OperationalError as error:
        # SQLite's SUM refuses to pass 64 bits; Python does not.
        if "overflow" not in str(error):
            raise
        return list(_summed(_run(company, start, end, columns, channel_ids, campaigns=True)))


def _run(
    company: Company, start: date, end: date, columns: list[str], channel_ids: list[int] | None, campaigns: bool
) -> list[tuple]:
    quote = connection.ops.quote_name
    facts, sources = quote(DailyFact._meta.db_table), quote(Source._meta.db_table)
    params: list = [company.pk, start.isoformat(), end.isoformat()]
    where = "company_id = %s AND day BETWEEN %s AND %s"
    if channel_ids is not None:
        where += f" AND channel_id IN ({', '.join(['%s'] * len(channel_ids))})"
        params += channel_ids
    if campaigns:
        # The key of the table: no row is left to sum.
        keys = "day, channel_id, source_id, campaign_id"
        rows = f"SELECT {keys}, {', '.join(map(quote, columns))} FROM {facts} WHERE {where}"
    else:
        keys = "day, channel_id, source_id"
        sums = ", ".join(f"SUM({quote(column)}) AS {quote(column)}" for column in columns)
        rows = f"SELECT {keys}, {sums} FROM {facts} WHERE {where} GROUP BY {keys}"
    # A bare date column makes Django's SQLite build a date object per row; text is a third of the whole read cheaper.
    day = "f.day || ''" if connection.vendor == "sqlite" else "f.day"
    rest = ["channel_id", "source_id", *(["campaign_id"] if campaigns else []), *map(quote, columns)]
    shown = ", ".join([day, *(f"f.{name}" for name in rest)])
    sql = f"SELECT {shown} FROM ({rows}) f JOIN {sources} s ON s.id = f.source_id ORDER BY s.priority DESC, s.id DESC"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            whole_numbers(cursor)
        cursor.execute(sql, params)
        return cursor.fetchall()


def whole_numbers(cursor) -> None:
    """PostgreSQL sums bigint as numeric: have this cursor give int instead of Decimal."""
    from psycopg2 import extensions

    raw = getattr(cursor.cursor, "cursor", cursor.cursor)
    kind = extensions.new_type((1700,), "WHOLE", extensions.LONGINTEGER)
    extensions.register_type(kind, raw)


def _summed(rows: list[tuple]) -> Iterator[tuple]:
    groups: dict[tuple, list[int | None]] = {}
    for day, channel, source, _campaign, *values in rows:
        total = groups.setdefault((day, channel, source), [None] * len(values))
        for place, value in enumerate(values):
            if value is not None:
                total[place] = value + (total[place] or 0)
    return ((*key, *total) for key, total in groups.items())
