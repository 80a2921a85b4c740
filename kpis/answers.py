"""What somebody has answered about a file that leaves a question: kept with its load, and where it holds for the source's
next files too, given to them. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from kpis.importers import values

ORDERS = ("dmy", "mdy")
CAMPAIGNS, BOTH = "campaigns", "both"
"""Rows without a campaign are totals, the campaigns count; or both are figures of their own and are added up."""
LASTING = ("order", "spread", "totals")
ORDER, SPREAD, PERIOD, TOTALS = "order", "spread", "period", "totals"
ASKED = {"ambiguous_date": ORDER, "period_row": SPREAD, "no_days": PERIOD}
"""What is wrong with a row only as long as the question is open."""
NEW = "+"
"""The mapping's answer for a name of a channel that is to be made."""


@dataclass(frozen=True)
class Answers:
    """See `importers.base.Context` for `order`, `period`, `is_spread`; `totals`: CAMPAIGNS, BOTH or not said.

    `channels`: name in the file → {"name", "kind", "owner"} of a channel to be made. `campaigns`: "channel's code:id in
    the file" → id of the campaign that is meant, 0 for a new one.
    """

    order: str
    period: tuple[date, date] | None
    is_spread: bool
    totals: str
    channels: Mapping[str, dict]
    campaigns: Mapping[str, int]


def answers_of(stored: Mapping) -> Answers:
    """Answers as a load keeps them."""
    first, last = (_day(stored.get(name)) for name in ("first", "last"))
    return Answers(
        stored.get("order", ""),
        (first, last) if first and last else None,
        bool(stored.get("spread")),
        stored.get("totals", ""),
        stored.get("channels") or {},
        stored.get("campaigns") or {},
    )


def _day(text) -> date | None:
    try:
        return values.day(str(text or ""))
    except values.CellError:
        return None


def checked(said: Mapping) -> dict:
    """What can be kept of answers; what is no answer is left out, so that the question stays open."""
    kept: dict = {}
    if said.get("order") in ORDERS:
        kept["order"] = said["order"]
    if said.get("spread"):
        kept["spread"] = True
    if said.get("totals") in {CAMPAIGNS, BOTH}:
        kept["totals"] = said["totals"]
    first, last = (_day(said.get(name)) for name in ("first", "last"))
    if first and last:
        kept |= {"first": first.isoformat(), "last": last.isoformat()}
    for name in ("channels", "campaigns"):
        if said.get(name):
            kept[name] = said[name]
    return kept
