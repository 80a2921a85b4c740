"""From the deals of a source to its daily facts: deals are put to their places in batches, figures are read in a stream.

However many deals a source has, a batch of them and the daily figures are in memory, no more.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal

from django.db import transaction

from kpis import deal_days, facts
from kpis import metrics as catalogue
from kpis.importers import stages
from kpis.importers.registry import PROFILES
from kpis.models import DailyFact, Deal, DealRevision, DealStage, Import, Source, UtmRule
from roles.models import Campaign, Company

BATCH = 1_000
READ = (
    "channel_id",
    "campaign_id",
    "created_on",
    "day",
    "kind",
    "qualified",
    "amount",
    "customer",
    "is_repeat",
    "external_id",
)


# ---------------------------------------------------------------- where a deal belongs
def meaning_of(company: Company, source: Source) -> deal_days.Meaning:
    """The rules and stages as they are now; `seen` is filled for a batch at a time."""
    kinds = dict(DealStage.objects.filter(company=company, source=source).values_list("name", "kind"))
    rules = list(UtmRule.objects.filter(company=company))
    return deal_days.Meaning(kinds, rules, {}, _campaigns(company, rules))


def stages_seen(company: Company, deals: list[int]) -> dict[str, set[str]]:
    """The stages that these deals have ever been in, by their id in the CRM."""
    seen: dict[str, set[str]] = {}
    told = DealRevision.objects.filter(company=company, deal__in=deals).values_list("deal__external_id", "stage")
    for external_id, stage in told.distinct():
        seen.setdefault(external_id, set()).add(stage)
    return seen


def _campaigns(company: Company, rules: list[UtmRule]) -> dict[tuple[int, str], int]:
    """By name, and over it by the id in the source, in lower case."""
    rows = Campaign.objects.filter(company=company, channel__in={rule.channel_id for rule in rules}).order_by("-pk")
    rows = list(rows.values_list("channel_id", "name", "external_id", "pk"))
    by_name = {(channel, name.casefold()): pk for channel, name, _external, pk in rows}
    return by_name | {(channel, external.casefold()): pk for channel, _name, external, pk in rows}


def settle(company: Company, meaning: deal_days.Meaning, deals: list[Deal]) -> set[str]:
    """Put deals to their places; campaigns that marks name first are created. Ids of the deals whose place changed."""
    changed = {deal.external_id for deal in deals if meaning.settle(deal)}
    if meaning.missing:
        Campaign.objects.bulk_create(
            [
                Campaign(company=company, channel_id=channel, external_id=external, name=external)
                for (channel, _folded), external in sorted(meaning.missing.items())
            ],
            ignore_conflicts=True, batch_size=BATCH,
        )  # fmt: skip
        meaning.campaigns = _campaigns(company, meaning.rules)
        meaning.missing.clear()
        changed |= {deal.external_id for deal in deals if meaning.settle(deal)}
    return changed


def keep(deals: list[Deal]) -> None:
    """Write changed deals, many in a statement."""
    names = [
        field.name
        for field in Deal._meta.concrete_fields
        if field.name not in {"id", "company", "source", "external_id"}
    ]
    if deals:
        Deal.objects.bulk_create(
            deals, batch_size=BATCH, update_conflicts=True, unique_fields=["id"], update_fields=names
        )


@transaction.atomic
def place_batch(company: Company, source: Source, meaning: deal_days.Meaning, after: int) -> tuple[int, int]:
    """Put the next deals of a source, by their row's id, to their places: (the last one's id, how many they were)."""
    # A load of this source may be writing deals: they are looked at when it has ended.
    Source.objects.select_for_update(no_key=True).filter(company=company, pk=source.pk).first()
    deals = list(Deal.objects.filter(company=company, source=source, pk__gt=after).order_by("pk")[:BATCH])
    if not deals:
        return after, 0
    meaning.seen = stages_seen(company, [deal.pk for deal in deals])
    changed = settle(company, meaning, deals)
    keep([deal for deal in deals if deal.external_id in changed])
    return deals[-1].pk, len(deals)


# ---------------------------------------------------------------- facts
def _figures(source: Source) -> dict[deal_days.Key, list[Decimal | None]]:
    placed = Deal.objects.filter(company=source.company_id, source=source, channel__isnull=False).order_by()
    made = placed.filter(kind=stages.WON).exclude(customer="").values_list("customer", "day", "external_id")
    firsts = deal_days.first_purchases(made.iterator(BATCH))
    rows = placed.values_list(*READ, named=True).iterator(BATCH)
    return deal_days.figures(rows, firsts, is_every_deal=source.counts_every_deal)


def _differing(source: Source) -> tuple[dict[deal_days.Key, list[Decimal | None]], int]:
    """The facts that are not as the deals make them, and how many are. What deals made before and make no more is cleared."""
    wanted = _figures(source)
    columns = [catalogue.BUILT_IN[code].column for code in deal_days.METRICS]
    rows = DailyFact.objects.filter(company=source.company_id, source=source)
    loads = Import.objects.filter(company=source.company_id, source=source, profile__in=PROFILES)
    ours, nothing = set(loads.values_list("pk", flat=True)), [None] * len(columns)
    different, same = dict(wanted), 0
    stored = rows.values_list("channel_id", "campaign_id", "day", "load_id", *columns)
    for channel, campaign, day, load, *values in stored.iterator(BATCH):
        key = channel, campaign, day
        if wanted.get(key) == values:
            del different[key]
            same += 1
        elif key not in wanted and load in ours and values != nothing:
            different[key] = list(nothing)
    return different, same


def write_facts(load: Import, source: Source) -> facts.Counts:
    """Write what differs from what the deals make, as this load's, in the caller's transaction; SumTooLarge."""
    different, same = _differing(source)
    if not different:
        return facts.Counts(unchanged=same)
    places = _places(load)
    rows = (
        facts.FactRow(channel, campaign, day, dict(zip(deal_days.METRICS, values, strict=True)))
        for (channel, campaign, day), values in different.items()
    )
    with facts.staging(company=load.company, source_id=source.pk, metrics=deal_days.METRICS) as staged:
        staged.add(
            (places.get((channel, campaign, date.fromisoformat(day))), day, channel, campaign, *rest)
            for _line, day, channel, campaign, *rest in _as_lines(rows)
        )
        counts = staged.merge(load)
    return replace(counts, unchanged=same)


def _as_lines(rows: Iterable[facts.FactRow]) -> Iterable[tuple]:
    try:
        yield from facts.as_lines(rows, deal_days.METRICS)
    except ValueError as error:
        raise facts.SumTooLarge from error


def _places(load: Import) -> dict[deal_days.Key, int]:
    """The first row of the load's file that speaks of each day of a channel and campaign."""
    places: dict[deal_days.Key, int] = {}
    told = Deal.objects.filter(company=load.company, load=load, channel__isnull=False).order_by()
    rows = told.values_list("channel_id", "campaign_id", "created_on", "day", "line")
    for channel, campaign, created_on, day, line in rows.iterator(BATCH):
        for one in {created_on, day}:
            key = channel, campaign or 0, one
            places[key] = min(line, places.get(key, line))
    return places
