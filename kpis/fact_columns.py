"""The fact rows of one or many companies as arrays, one per column, with no Python object per row.

PostgreSQL glues the rows of a company into bytes and COPY hands them over as they are; elsewhere the rows are read one
by one. Both give the same.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from io import BytesIO

import numpy as np
from django.db import connection

from kpis.metrics import COLUMNS
from kpis.models import DailyFact

ABSENT = -(2**63)
"""Stands in for an unknown value on the way; no fact is as small as that."""
EPOCH = date(2000, 1, 1)
HALF = 32
"""Two keys travel in one whole number: the upper half holds the channel or the source, the lower the campaign or the day."""
HEADER, TRAILER = 19, -1
KEYS = ("channel", "campaign", "source", "day")


@dataclass(frozen=True)
class Span:
    """The days of one company that are read, both ends included."""

    company_id: int
    since: date
    until: date


@dataclass(frozen=True)
class Rows:
    """Parallel arrays, one element per row of facts that knows anything. `day` counts from EPOCH; a value is ABSENT where unknown.

    `of_company`: how many rows each company has, for those that have any; the rows of a company lie together.
    """

    channel: np.ndarray
    campaign: np.ndarray
    source: np.ndarray
    day: np.ndarray
    values: dict[str, np.ndarray]
    of_company: dict[int, int]

    def __len__(self) -> int:
        return len(self.day)


def read_rows(*, spans: Sequence[Span], columns: Sequence[str], channels: Iterable[int] | None = None) -> Rows:
    """The rows of these companies and days that know anything, of these channels only if given.

    Where keys have grown beyond 2³⁰ they are read one by one.
    """
    channels = None if channels is None else sorted(channels)
    if not spans or channels == []:
        return _rows([], {}, columns)
    read = _glued if connection.vendor == "postgresql" and _keys_are_small() else _one_by_one
    return _rows(*read(spans, columns, channels or []), columns)


def _rows(arrays: list[np.ndarray], of_company: dict[int, int], columns: Sequence[str]) -> Rows:
    arrays = arrays or [np.zeros(0, np.int64)] * (len(KEYS) + len(columns))
    return Rows(*arrays[: len(KEYS)], dict(zip(columns, arrays[len(KEYS) :], strict=True)), of_company)


def _names(columns: Sequence[str]) -> list[str]:
    return [connection.ops.quote_name(name) for name in columns]


def _table() -> str:
    return connection.ops.quote_name(DailyFact._meta.db_table)


def _anything() -> str:
    """Rows that know nothing count for nothing."""
    return f"COALESCE({', '.join(_names(COLUMNS))}) IS NOT NULL"


def _inside(channels: Sequence[int]) -> str:
    return f"AND channel_id IN ({', '.join(['%s'] * len(channels))})" if channels else ""


# ---------------------------------------------------------------- PostgreSQL
@cache
def _keys_are_small() -> bool:
    """Do channels, campaigns and sources fit into halves, with room for all that may come while the process lives?"""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COALESCE(max(last_value), 0) FROM pg_sequences "
            "WHERE sequencename IN ('roles_channel_id_seq', 'roles_campaign_id_seq', 'kpis_source_id_seq')"
        )
        return cursor.fetchone()[0] < 2 ** (HALF - 2)


def _glued(
    spans: Sequence[Span], columns: Sequence[str], channels: Sequence[int]
) -> tuple[list[np.ndarray], dict[int, int]]:
    packed = (
        f"(channel_id << {HALF}) | campaign_id",
        f"(source_id << {HALF}) | (f.day - DATE '{EPOCH}')",
        *(f"COALESCE({name}, '{ABSENT}'::bigint)" for name in _names(columns)),
    )
    row = " || ".join(f"int8send({expression})" for expression in packed)
    query = (  # by company, so that each one's rows are glued as its key gives them, without a sort
        "SELECT int8send(w.company), k.glued FROM unnest(%s::bigint[], %s::date[], %s::date[]) AS w (company, since, until) "
        f"CROSS JOIN LATERAL (SELECT string_agg({row}, '') AS glued FROM {_table()} f WHERE f.company_id = w.company "
        f"AND f.day BETWEEN w.since AND w.until AND {_anything()} {_inside(channels)}) k WHERE k.glued IS NOT NULL"
    )
    parameters = [list(part) for part in zip(*((one.company_id, one.since, one.until) for one in spans), strict=True)]
    parameters += channels
    parts, of_company = [], {}
    for company, glued in _copied(query, parameters):
        parts.append(np.frombuffer(glued, ">i8").reshape(-1, len(packed)))
        of_company[int.from_bytes(company, "big")] = len(parts[-1])
    if not of_company:
        return [], {}
    scope, origin, *values = columns = [np.empty(sum(of_company.values()), np.int64) for _column in packed]
    begin = 0
    for part in parts:  # one by one, while it lies in the cache
        for number, column in enumerate(columns):
            column[begin : begin + len(part)] = part[:, number]
        begin += len(part)
    low = 2**HALF - 1
    return [scope >> HALF, scope & low, origin >> HALF, origin & low, *values], of_company


def _copied(query: str, parameters: list) -> Iterator[list[memoryview]]:
    """Rows of a query as COPY's binary format has them: each field as its bytes."""
    buffer = BytesIO()
    with connection.cursor() as cursor:
        raw = cursor.cursor
        text = f"COPY ({raw.mogrify(query, parameters).decode()}) TO STDOUT (FORMAT binary)"
        # Where queries are counted this one is too, though it passes Django's cursor by.
        with cursor.debug_sql(text) if connection.queries_logged else nullcontext():
            raw.copy_expert(text, buffer)
    sent = buffer.getbuffer()
    place = HEADER
    while (count := struct.unpack_from("!h", sent, place)[0]) != TRAILER:
        place += 2
        fields = []
        for _field in range(count):
            length = struct.unpack_from("!i", sent, place)[0]
            fields.append(sent[place + 4 : place + 4 + length])
            place += 4 + length
        yield fields


# ---------------------------------------------------------------- elsewhere
def _one_by_one(
    spans: Sequence[Span], columns: Sequence[str], channels: Sequence[int]
) -> tuple[list[np.ndarray], dict[int, int]]:
    names = ", ".join(["channel_id", "campaign_id", "source_id", "day", *_names(columns)])
    query = (
        f"SELECT {names} FROM {_table()} WHERE company_id = %s AND day BETWEEN %s AND %s AND {_anything()} "
        f"{_inside(channels)}"
    )
    found, of_company = [], {}
    with connection.cursor() as cursor:
        for span in spans:
            cursor.execute(query, [span.company_id, span.since.isoformat(), span.until.isoformat(), *channels])
            rows = cursor.fetchall()
            if rows:
                of_company[span.company_id] = len(rows)
                found += rows
    if not found:
        return [], {}
    keys, values = list(zip(*found, strict=True))[: len(KEYS)], list(zip(*found, strict=True))[len(KEYS) :]
    days = [(day - EPOCH).days for day in keys[3]]
    return [
        *(np.array(column, np.int64) for column in (*keys[:3], days)),
        *(np.array([ABSENT if cell is None else cell for cell in column], np.int64) for column in values),
    ], of_company


def day_number(day: date) -> int:
    """Days since EPOCH."""
    return (day - EPOCH).days


def day_of(number: int) -> date:
    """The date so many days after EPOCH."""
    return EPOCH + timedelta(days=number)
