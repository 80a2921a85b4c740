"""Which loads an evaluation saw when it judged a day, and which have changed that day since."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from kpis.models import DailyFact, EvaluationLog, FactRevision, Import
from roles.models import Company


@dataclass
class Behind:
    """The loads in force for a day's figures when it was judged, and those that came `later`, oldest first."""

    seen: list[Import] = field(default_factory=list)
    later: list[Import] = field(default_factory=list)


def loads_behind(*, company: Company, rows: Iterable[EvaluationLog]) -> dict[date, Behind]:
    """Day → its loads, for log rows of one scope; days judged before loads were noted are left out. Three queries."""
    judged = {row.day: row for row in rows if row.seen_load_id is not None}
    if not judged:
        return {}
    one = next(iter(judged.values()))
    scope = {"company": company, "channel_id": one.channel_id, "day__in": list(judged)}
    if one.campaign_id:
        scope["campaign_id"] = one.campaign_id
    chains: dict[tuple, set[int]] = defaultdict(set)
    cell = ("day", "campaign_id", "source_id")
    for *key, load_id in DailyFact.objects.filter(**scope).values_list(*cell, "load_id"):
        chains[tuple(key)].add(load_id)
    for *key, load_id, previous in FactRevision.objects.filter(**scope).values_list(
        *cell, "load_id", "previous_load_id"
    ):
        chains[tuple(key)].update({load_id, previous} - {None})
    seen, later = _by_day(chains, judged)
    wanted = set().union(*seen.values(), *later.values())
    loads = {load.pk: load for load in Import.objects.filter(company=company, pk__in=wanted).select_related("source")}
    return {
        day: Behind(*([loads[pk] for pk in sorted(found[day]) if pk in loads] for found in (seen, later)))
        for day in judged
    }  # fmt: skip


def _by_day(chains: dict[tuple, set[int]], judged: dict[date, EvaluationLog]):
    seen, later = defaultdict(set), defaultdict(set)
    for (day, *_cell), loads in chains.items():
        known = [pk for pk in loads if pk <= judged[day].seen_load_id]
        if known:
            seen[day].add(max(known))
        later[day].update(pk for pk in loads if pk > judged[day].seen_load_id)
    return seen, later
