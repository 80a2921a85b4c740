"""Writing many rows of one table at once: no object per row, one statement however many rows there are."""

import json
from collections.abc import Iterable, Sequence
from io import StringIO

from django.db import connection, models

ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def insert_rows(model: type[models.Model], columns: Sequence[str], rows: Sequence[tuple]) -> int:
    """Insert rows of bare values: whole micros for money, None for NULL, lists and dicts for JSON. How many."""
    if not rows:
        return 0
    table, names = connection.ops.quote_name(model._meta.db_table), ", ".join(_names(columns))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            text = StringIO("".join("\t".join(map(_copied, row)) + "\n" for row in rows))
            cursor.cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN", text)
        else:
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", map(_bound, rows))
    return len(rows)


def update_rows(model: type[models.Model], columns: Sequence[str], rows: Sequence[tuple]) -> int:
    """Set columns by primary key; each row is (key, value, …). How many."""
    if not rows:
        return 0
    table, names = connection.ops.quote_name(model._meta.db_table), _names(columns)
    key = connection.ops.quote_name(model._meta.pk.column)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            kinds = ["bigint", *(_kind(model, column) for column in columns)]
            sets = ", ".join(
                f"{name} = w.v{number}::{kind}"
                for number, (name, kind) in enumerate(zip(names, kinds[1:], strict=True))
            )
            given = ", ".join(f"%s::{'text' if kind == 'jsonb' else kind}[]" for kind in kinds)
            shown = ", ".join(f"v{number}" for number in range(len(names)))
            cursor.execute(
                f"UPDATE {table} t SET {sets} FROM unnest({given}) AS w (key, {shown}) WHERE t.{key} = w.key",
                [list(column) for column in zip(*map(_bound, rows), strict=True)],
            )
        else:
            sets = ", ".join(f"{name} = %s" for name in names)
            cursor.executemany(
                f"UPDATE {table} SET {sets} WHERE {key} = %s", [(*row[1:], row[0]) for row in map(_bound, rows)]
            )
    return len(rows)


def _names(columns: Iterable[str]) -> list[str]:
    return [connection.ops.quote_name(column) for column in columns]


def _kind(model: type[models.Model], column: str) -> str:
    field = next(field for field in model._meta.concrete_fields if field.column == column)
    return field.db_type(connection).split("(")[0]


def _bound(row: tuple) -> tuple:
    return tuple(json.dumps(value) if isinstance(value, (list, dict)) else value for value in row)


def _copied(value: object) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, (list, dict)):
        value = json.dumps(value)
    return value.translate(ESCAPED) if isinstance(value, str) else str(value)
