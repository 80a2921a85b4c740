"""The fact rows of a company as arrays, one per column: what `kpis.series` builds its cubes from.

PostgreSQL hands over whole columns in its binary form, so that no row ever becomes a Python object; elsewhere the rows
are read one by one. Both give the same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from django.db import connection

from kpis.metrics import COLUMNS
from kpis.models import DailyFact, Source
from roles.models import Company

ABSENT = -(2**63)
"""Stands in for an unknown value on the way; no fact is as small as that."""
EPOCH = date(2000, 1, 1)
KEYS = 5
HEADER = 20


@dataclass(frozen=True)
class FactColumns:
    """Parallel arrays, one element per row of facts. `day` counts from `first_day`; `values` go by column name.

    A value is ABSENT where it is unknown.
    """

    first_day: date
    day: np.ndarray
    channel: np.ndarray
    campaign: np.ndarray
    source: np.ndarray
    priority: np.ndarray
    values: dict[str, np.ndarray]


def read_columns(
    *, company: Company, columns: Sequence[str], since: date, until: date, channels: Iterable[int] | None = None
) -> FactColumns | None:
    """The rows from `since` to `until` that know anything, of these channels only if given; None where there are none."""
    channels = None if channels is None else sorted(channels)
    if channels == []:
        return None
    query, values = _query(company, columns, since, until, channels or [])
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            found = _whole(cursor, query, values, KEYS + len(columns))
        else:
            found = _by_rows(cursor, query, values)
    if found is None:
        return None
    first = int(found[0].min())
    return FactColumns(
        EPOCH + timedelta(days=first), found[0] - first, *found[1:KEYS], dict(zip(columns, found[KEYS:], strict=True))
    )


def _query(
    company: Company, columns: Sequence[str], since: date, until: date, channels: Sequence[int]
) -> tuple[str, list]:
    quote = connection.ops.quote_name
    facts, sources = quote(DailyFact._meta.db_table), quote(Source._meta.db_table)
    names = ["f.channel_id", "f.campaign_id", "f.source_id", "s.priority", *(f"f.{quote(name)}" for name in columns)]
    anything = ", ".join(f"f.{quote(name)}" for name in COLUMNS)
    inside = f" AND f.channel_id IN ({', '.join(['%s'] * len(channels))})" if channels else ""
    text = (
        f"SELECT {_day()} AS c0, {', '.join(f'{name} AS c{number}' for number, name in enumerate(names, start=1))} "
        f"FROM {facts} f JOIN {sources} s ON s.id = f.source_id "
        f"WHERE f.company_id = %s AND f.day BETWEEN %s AND %s AND COALESCE({anything}) IS NOT NULL{inside}"
    )
    return text, [company.pk, since.isoformat(), until.isoformat(), *channels]


def _day() -> str:
    """Days since EPOCH, in SQL."""
    if connection.vendor == "postgresql":
        return f"f.day - DATE '{EPOCH}'"
    return f"CAST(julianday(f.day) - julianday('{EPOCH}') AS INTEGER)"


def _whole(cursor, query: str, values: list, width: int) -> list[np.ndarray] | None:
    """Every column as one binary array of PostgreSQL; only values can be null there."""
    arrays = [f"c{number}" if number < KEYS else f"COALESCE(c{number}, '{ABSENT}')" for number in range(width)]
    sent = ", ".join(f"array_send(array_agg({array}))" for array in arrays)
    cursor.execute(f"SELECT {sent} FROM ({query}) AS facts", values)
    found = cursor.fetchone()
    return None if found[0] is None else [_array(column) for column in found]


def _array(sent: bytes) -> np.ndarray:
    """Dimensions, flags, type, length and bound, then each element with its length before it."""
    (size,) = np.frombuffer(sent, ">i4", 1, HEADER)
    pairs = np.frombuffer(sent, [("size", ">i4"), ("value", f">i{size}")], offset=HEADER)
    return pairs["value"].astype(np.int64)


def _by_rows(cursor, query: str, values: list) -> list[np.ndarray] | None:
    cursor.execute(query, values)
    rows = cursor.fetchall()
    if not rows:
        return None
    return [
        np.array([ABSENT if cell is None else cell for cell in column], np.int64) for column in zip(*rows, strict=True)
    ]
