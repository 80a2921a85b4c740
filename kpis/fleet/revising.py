"""What the log said before late data: a line that changes or goes is kept as it was, copied inside the database."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from kpis.models import EvaluationLog, EvaluationLogRevision, Import

AT_ONCE = 10_000
"""Keys in one statement: databases bound how many values may be given."""
KEPT = (
    "company_id", "version_id", "channel_id", "campaign_id", "day", "day_class", "state", "numerator", "denominator", "streak",
    "seen_load_id",
)  # fmt: skip


def keep_lines(lines: Sequence[tuple[int, int]], at: datetime) -> None:
    """Copy these lines of the log, each told by its company and its key, beside it with the newest load that came after:
    one statement for ten thousand. Loads of other companies are not looked at, however many there are.

    Where none has come since, no load is named: the line changed because one was undone, or by other bounds.
    """
    log, kept, loads = (
        connection.ops.quote_name(model._meta.db_table) for model in (EvaluationLog, EvaluationLogRevision, Import)
    )
    moment = connection.ops.adapt_datetimefield_value(at)
    for begin in range(0, len(lines), AT_ONCE):
        some = lines[begin : begin + AT_ONCE]
        companies, keys = sorted({company for company, _key in some}), [key for _company, key in some]
        owners, marks = (", ".join(["%s"] * len(given)) for given in (companies, keys))
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {kept} ({', '.join(KEPT)}, changed_by_load_id, changed_at) "
                f"SELECT {', '.join(f'l.{name}' for name in KEPT)}, "
                f"CASE WHEN n.newest > l.seen_load_id THEN n.newest END, %s FROM {log} l LEFT JOIN "
                f"(SELECT company_id, MAX(id) AS newest FROM {loads} WHERE state = %s AND company_id IN ({owners}) GROUP BY company_id) n "
                f"ON n.company_id = l.company_id WHERE l.id IN ({marks}) ORDER BY l.id",
                [moment, Import.State.DONE.value, *companies, *keys],
            )
