"""Rows without a campaign beside campaigns of the same source, channel and day: totals of these, or figures of their own?

A source's channel metric is the sum of both, so a total would count twice. Nothing is guessed: somebody says which it is.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import reduce
from operator import or_

from django.db import connection
from django.db.models import Count, Q

from kpis.facts import STAGED, Staging
from kpis.models import DailyFact
from roles.models import Company

Scope = tuple[date, int]
"""Day and channel."""


def scopes_of(
    *, company: Company, source_id: int, columns: Sequence[str], days: tuple[date, date], channels: Iterable[int]
) -> tuple[set[Scope], set[Scope]]:
    """Days and channels of the source's stored facts with figures of these columns: without a campaign, and of campaigns."""
    known = reduce(or_, (Q(**{f"{column}__isnull": False}) for column in columns))
    rows = DailyFact.objects.filter(
        known, company=company, source=source_id, day__range=days, channel__in=set(channels)
    ).values_list("day", "channel_id")
    counted = rows.annotate(plain=Count("day", filter=Q(campaign_id=0)), parts=Count("day", filter=~Q(campaign_id=0)))
    plain, parts = set(), set()
    for day, channel, without, of_campaigns in counted.order_by():
        if without:
            plain.add((day, channel))
        if of_campaigns:
            parts.add((day, channel))
    return plain, parts


def mixed(inside: tuple[set[Scope], set[Scope]], stored: tuple[set[Scope], set[Scope]]) -> set[Scope]:
    """Where figures without a campaign and of campaigns would be added up, and the file brings one of them."""
    return (inside[0] & (inside[1] | stored[1])) | (inside[1] & stored[0])


class StagedTotals:
    """The same question of a load that is staged whole."""

    def __init__(self, company: Company, staged: Staging):
        self.staged = staged
        inside: tuple[set[Scope], set[Scope]] = (set(), set())
        with connection.cursor() as cursor:
            known = " OR ".join(f"{column} IS NOT NULL" for column in staged.columns)
            cursor.execute(f"SELECT DISTINCT day, channel_id, campaign_id = 0 FROM {STAGED} WHERE {known}")
            for day, channel, is_plain in cursor.fetchall():
                inside[0 if is_plain else 1].add((date.fromisoformat(day) if isinstance(day, str) else day, channel))
        scopes = inside[0] | inside[1]
        self.stored: tuple[set[Scope], set[Scope]] = (set(), set())
        if scopes:
            days = sorted({day for day, _channel in scopes})
            self.stored = scopes_of(
                company=company, source_id=staged.source_id, columns=staged.columns, days=(days[0], days[-1]),
                channels={channel for _day, channel in scopes},
            )  # fmt: skip
        self.mixed = mixed(inside, self.stored)

    def leave_out(self) -> None:
        """Let the campaigns count alone: totals of the file are not loaded, those stored before are cleared."""
        cleared = self.mixed & self.stored[0]
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS mixed_scope")
            cursor.execute("CREATE TEMPORARY TABLE mixed_scope (day date, channel_id bigint, cleared boolean)")
            cursor.executemany(
                "INSERT INTO mixed_scope VALUES (%s, %s, %s)",
                [(day.isoformat(), channel, (day, channel) in cleared) for day, channel in sorted(self.mixed)],
            )
            cursor.execute(
                f"DELETE FROM {STAGED} WHERE campaign_id = 0 AND EXISTS (SELECT 1 FROM mixed_scope m "
                f"WHERE m.day = {STAGED}.day AND m.channel_id = {STAGED}.channel_id)"
            )
            cursor.execute(
                f"INSERT INTO {STAGED} (line, day, channel_id, campaign_id, kept) "
                "SELECT NULL, day, channel_id, 0, 0 FROM mixed_scope WHERE cleared"
            )
            cursor.execute("DROP TABLE mixed_scope")
            cursor.execute(f"SELECT count(*) FROM {STAGED}")
            self.staged.rows = cursor.fetchone()[0]
        self.staged.blank = self.staged.blank or bool(cleared)
