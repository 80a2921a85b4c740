"""Days that somebody holds in doubt: while the incident is open, stop-rules have no data for them, whatever stands there.

The analyst opens it for a channel, or for all, and some days; it is no gap of any source, so no policy for missing days
turns it into a breach or into an OK, and no second incident is opened for it.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from kpis.models import DataIncident

if TYPE_CHECKING:
    from kpis.series import History


@dataclass(frozen=True, order=True)
class Doubt:
    """Days of one channel, both ends included; `channel_id` None: of all channels of its company."""

    first_day: date
    last_day: date
    channel_id: int | None


def open_doubts(companies: Iterable[int]) -> dict[int, list[Doubt]]:
    """What is in doubt now, by company id; one query."""
    rows = DataIncident.objects.filter(
        company__in=companies, kind=DataIncident.Kind.DOUBT, state=DataIncident.State.OPEN
    )
    found: dict[int, list[Doubt]] = defaultdict(list)
    for company_id, *doubt in rows.order_by("pk").values_list("company_id", "first_day", "last_day", "channel_id"):
        found[company_id].append(Doubt(*doubt))
    return found


def without_doubtful(history: "History", doubts: Iterable[tuple[Doubt, Iterable[int]]]) -> "History":
    """The same history where nothing is known of doubtful days. Each doubt comes with the channels of its company.

    `doubtful` of the result says which days these are, by scope.
    """
    doubtful = np.zeros((len(history.start), history.days), bool)
    scopes: dict[int, list[int]] = defaultdict(list)
    for (channel, _campaign), row in history.rows.items():
        scopes[channel].append(row)
    for doubt, channels in doubts:
        first, last = max(history.index(doubt.first_day), 0), history.index(doubt.last_day) + 1
        if last <= first:
            continue
        mine = channels if doubt.channel_id is None else [doubt.channel_id]
        rows = [row for channel in mine for row in scopes.get(channel, ())]
        doubtful[rows, first:last] = True
    if not doubtful.any():
        return history
    columns = {code: replace(column, known=column.known & ~doubtful) for code, column in history.columns.items()}
    return replace(history, columns=columns, doubtful=doubtful)
