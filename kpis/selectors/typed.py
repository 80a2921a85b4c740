"""Reads for the grid in which people type figures: what stands in it, since which load, and who typed each figure."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from kpis.metrics import MetricInfo
from kpis.models import DailyFact, FactRevision, GridDraft, Import
from kpis.typed import MANUAL, Place, Scope, place_of
from roles.models import Channel, Company, Membership


@dataclass
class Typed:
    """The typed figures of some days. `seen`: row → the load that last changed it; `authors`: cell → full name."""

    values: dict[Place, Decimal] = field(default_factory=dict)
    seen: dict[Scope, int] = field(default_factory=dict)
    authors: dict[Place, str] = field(default_factory=dict)

    def since(self, scope: Scope) -> int:
        """The load that last changed a row, 0 for a row in which nothing was ever typed."""
        return self.seen.get(scope, 0)


def typed_figures(
    *, company: Company, start: date, end: date, metrics: Collection[MetricInfo], channels: Collection[int] | None = None
) -> Typed:  # fmt: skip
    """The figures of the source of typed days in [start, end], without campaigns, each with the person who typed it."""
    metrics, found = list(metrics), Typed()
    rows = DailyFact.objects.filter(company=company, day__range=(start, end), source__code=MANUAL, campaign_id=0)
    if channels is not None:
        rows = rows.filter(channel__in=channels)
    columns = [info.column for info in metrics]
    stored = {Scope(day, channel): (load, values) for day, channel, load, *values in rows.values_list("day", "channel_id", "load_id", *columns)}  # fmt: skip
    since: dict[Place, int] = {}
    for scope, (load, values) in stored.items():
        found.seen[scope] = load
        for info, value in zip(metrics, values, strict=True):
            if value is not None:
                found.values[place := Place(*scope, info.code)] = value
                since[place] = load
    since |= _since(company, start, end, metrics, found)
    names = _names(company, set(since.values()))
    found.authors = {place: names[load] for place, load in since.items() if load in names}
    return found


def _since(company: Company, start: date, end: date, metrics: list[MetricInfo], found: Typed) -> dict[Place, int]:
    """Cell → the load that gave it the figure it has, by what the later loads of its row found there."""
    revisions = FactRevision.objects.filter(
        company=company, day__range=(start, end), channel_id__in={scope.channel_id for scope in found.seen}, campaign_id=0,
        load__source__code=MANUAL, load__state=Import.State.DONE,
    ).order_by("-load_id")  # fmt: skip
    since: dict[Place, int] = {}
    columns = [info.column for info in metrics]
    for load, day, channel, *before in revisions.values_list("load_id", "day", "channel_id", *columns):
        for info, value in zip(metrics, before, strict=True):
            place = Place(day, channel, info.code)
            if place in found.values and place not in since and value != found.values[place]:
                since[place] = load
    return since


def _names(company: Company, loads: set[int]) -> dict[int, str]:
    rows = Import.objects.filter(company=company, pk__in=loads, created_by__isnull=False).select_related(
        "created_by__user"
    )
    return {load.pk: load.created_by.user.short_name for load in rows}


def draft_of(*, company: Company, person: Membership) -> GridDraft | None:
    """What this person has typed and not saved yet."""
    return GridDraft.objects.filter(company=company, person=person).first()


def draft_places(draft: GridDraft | None) -> dict[Place, str]:
    """The cells of a draft; those whose names say no place are nobody's."""
    cells = draft.cells if draft else {}
    return {place: text for name, text in cells.items() if (place := place_of(name))}


def grid_channels(*, company: Company, also: Collection[int]) -> list[Channel]:
    """Channels of the grid: those that run or rest, and `also` these, because figures were typed for them."""
    hidden = {Channel.Status.PLANNED, Channel.Status.STOPPED}
    found = Channel.objects.filter(company=company)
    return [channel for channel in found if channel.status not in hidden or channel.pk in also]
