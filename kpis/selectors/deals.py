"""Reads of deals: what a load says of them, which moved, what no rule fits, what the stages are."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from django.db.models import Count, F, Max, Min, Q, QuerySet, Sum

from kpis import deal_days, problems, reading
from kpis.answers import ASKED
from kpis.batches import batched
from kpis.importers import stages
from kpis.importers.base import CellProblem
from kpis.importers.deals import DealChecks, DealRow
from kpis.importers.registry import RECOUNT
from kpis.models import Deal, DealRevision, DealStage, Import, Source, UtmRule
from kpis.models.deals import SAID
from roles import formats
from roles.fields import from_micros
from roles.models import Campaign, Channel, Company

SHOWN = 20
CHECKED = 20_000
BATCH = 5_000
MOST_PROBLEMS = 100
MOST_GROUPS = 200
MARKS = deal_days.PATTERNS


# ---------------------------------------------------------------- rules and what none of them fits
def utm_rules(*, company: Company) -> QuerySet[UtmRule]:
    """Rules in the order they are tried."""
    return UtmRule.objects.filter(company=company).select_related("channel", "campaign")


def get_utm_rule(*, company: Company, pk: int) -> UtmRule | None:
    return utm_rules(company=company).filter(pk=pk).first()


@dataclass(frozen=True)
class Unmatched:
    """Deals of one set of marks that no rule fits. `won`, `amount` (sum of the won, company's currency) as known now;
    `looks_like`: the Latin text that a source of mixed letters looks like; `guess`: channel whose code or name the source is;
    `share`: of all deals that no rule fits."""

    utm_source: str
    utm_medium: str
    utm_campaign: str
    deals: int
    won: int
    amount: Decimal | None
    first: date
    last: date
    looks_like: str = ""
    guess: int | None = None
    share: float = 0.0


@dataclass
class UnmatchedList:
    """`rows`: the largest groups; `groups`, `deals`, `amount`: of all that no rule fits."""

    rows: list[Unmatched] = field(default_factory=list)
    groups: int = 0
    deals: int = 0
    amount: Decimal = Decimal(0)


def unmatched(*, company: Company) -> UnmatchedList:
    """Marks that no rule fits, the most deals first."""
    is_won = Q(kind=stages.WON)
    rows = (
        Deal.objects.filter(company=company, channel=None)
        .exclude(kind=stages.JUNK)
        .values("utm_source", "utm_medium", "utm_campaign")
        .annotate(n=Count("pk"), won=Count("pk", filter=is_won), amount=Sum("amount", filter=is_won),
                  first=Min("created_on"), last=Max("created_on"))
        .order_by("-n", "utm_source", "utm_medium", "utm_campaign")
    )  # fmt: skip
    names = {}
    for pk, code, name in Channel.objects.filter(company=company).values_list("pk", "code", "name"):
        names[code.casefold()] = names[name.casefold()] = pk
    rows = list(rows)
    found = UnmatchedList(deals=sum(row["n"] for row in rows))
    for row in rows:
        found.groups += 1
        found.amount += row["amount"] or 0
        if found.groups <= MOST_GROUPS:
            mark = row["utm_source"]
            found.rows.append(Unmatched(
                mark, row["utm_medium"], row["utm_campaign"], row["n"], row["won"], row["amount"], row["first"], row["last"],
                deal_days.is_mixed(mark), names.get(mark.casefold()), row["n"] / found.deals,
            ))  # fmt: skip
    return found


def rule_use(*, company: Company, rules: list[UtmRule]) -> dict[int, int]:
    """Rule → how many deals it places now."""
    used: Counter = Counter()
    meaning = deal_days.Meaning({}, rules, {})
    for *marks, n in Deal.objects.filter(company=company).values_list(*MARKS).annotate(n=Count("pk")):
        if rule := meaning.rule(tuple(marks)):
            used[rule.pk] += n
    return used


def campaign_of(*, company: Company, channel: Channel, text: str) -> Campaign | None:
    """A channel's campaign by its id in the source, else by its name."""
    found = Campaign.objects.filter(company=company, channel=channel)
    return found.filter(external_id=text).first() or found.filter(name__iexact=text).first()


def recounts(*, company: Company) -> list[Import]:
    """Recounts of deals that are asked for and not done yet, source loaded."""
    found = Import.objects.filter(company=company, profile=RECOUNT, state=Import.State.QUEUED)
    return list(found.select_related("source").order_by("pk"))


# ---------------------------------------------------------------- stages
def sources_with_deals(*, company: Company) -> list[Source]:
    """Sources that are CRMs, with how many deals of each are known (`deal_count`)."""
    return list(
        Source.objects.filter(company=company, deal_stages__isnull=False)
        .distinct()
        .annotate(deal_count=Count("deals", distinct=True))
    )


def stages_of(*, source: Source) -> list[DealStage]:
    """What the stages of a source mean, each with its number of deals (`deal_count`)."""
    counts = Counter(dict(
        Deal.objects.filter(company=source.company_id, source=source).values_list("stage").annotate(n=Count("pk"))
    ))  # fmt: skip
    found = list(DealStage.objects.filter(company=source.company_id, source=source))
    for stage in found:
        stage.deal_count = counts[stage.name]
    return found


# ---------------------------------------------------------------- loads
@dataclass
class DealCounts:
    """What a load said of deals: `fresh` new ones, `changed` known ones, `moved` of those that belong to another day now."""

    fresh: int = 0
    changed: int = 0
    moved: int = 0
    moves: list[DealRevision] = field(default_factory=list)


def of_load(load: Import) -> DealCounts:
    """What a finished load of a CRM's export did to deals; the moves, latest day first, at most 200."""
    revisions = DealRevision.objects.filter(company=load.company_id, load=load)
    moved = revisions.filter(before_day__isnull=False).exclude(before_day=F("day"))
    counts = revisions.aggregate(all=Count("pk"), fresh=Count("pk", filter=Q(before_day=None)))
    moves = list(moved.select_related("deal__channel").order_by("-day", "deal__external_id")[:MOST_GROUPS])
    return DealCounts(counts["fresh"], counts["all"] - counts["fresh"], moved.count(), moves)


@dataclass
class DealPreview:
    """What a load of deals would do, from the first `checked` rows. `rows`: settled deals as they will be kept, each with
    `channel_name`, `campaign_name`, `stage`, `kind`; `lost_days`: deals made whose day the CRM does not tell."""

    profile: str
    encoding: str
    skipped: list[str] = field(default_factory=list)
    rows: list[Deal] = field(default_factory=list)
    problems: list[dict] = field(default_factory=list)
    checked: int = 0
    complete: bool = True
    fresh: int = 0
    changed: int = 0
    same: int = 0
    moved: int = 0
    wrong: int = 0
    unmatched: int = 0
    lost_days: int = 0
    knows_customers: bool = False
    first_day: date | None = None
    last_day: date | None = None


def preview(*, company: Company, load: Import, mapping: dict[str, str], rate: Decimal | None = None) -> DealPreview:
    """Read the file as the load would, write nothing; FileProblem when it cannot be read any more."""
    checks = DealChecks(mapping, company.local_date(load.created_at))
    seen: dict[str, DealRow] = {}
    wrong: list[CellProblem] = []
    with reading.opened(load) as stream:
        context, reader, table = reading.open_load(company, load, stream)
        found = DealPreview(reader.CODE, table.encoding, reader.skipped(table.header, context))
        for row in reader.read(table, context):
            if found.checked == CHECKED:
                found.complete = False
                break
            found.checked += 1
            if any(problem.code in ASKED for problem in row.problems):
                continue
            is_first = checks.check(row)
            found.wrong += bool(row.problems)
            wrong += row.problems
            if is_first and not row.problems:
                seen[row.external_id] = row
    found.problems = problems.shown(problem.as_json() for problem in wrong[:MOST_PROBLEMS])
    _compare(company, load, found, seen, mapping, rate)
    return found


def _compare(company: Company, load: Import, found: DealPreview, seen: dict[str, DealRow], mapping: dict, rate) -> None:
    known = {
        deal.external_id: deal
        for ids in batched(seen, BATCH)
        for deal in Deal.objects.filter(company=company, source=load.source_id, external_id__in=ids)
    }
    meaning = deal_days.Meaning(mapping, list(utm_rules(company=company)), {})
    titles = dict(Channel.objects.filter(company=company).values_list("pk", "name"))
    for row in seen.values():
        deal = _as_deal(row, rate)
        meaning.settle(deal)
        before = known.get(row.external_id)
        found.fresh += before is None
        is_older = before is not None and bool(row.edited) and row.edited < before.edited
        is_same = before is not None and (
            is_older or all(getattr(before, name) == getattr(deal, name) for name in SAID)
        )
        found.same += is_same
        found.changed += before is not None and not is_same
        found.moved += before is not None and not is_same and before.day != deal.day
        found.unmatched += deal.channel_id is None and deal.kind != stages.JUNK
        found.lost_days += deal.kind == stages.WON and deal.closed_on is None
        found.knows_customers |= bool(deal.customer) or deal.is_repeat is not None
        if len(found.rows) < SHOWN:
            deal.channel_name = titles.get(deal.channel_id, "")
            deal.kind_name = DealStage.Kind(deal.kind).label if mapping.get(deal.stage) else ""
            deal.amount_text = formats.money(deal.amount, company.currency, 2)
            found.rows.append(deal)
    days = [row.created_on for row in seen.values()]
    found.first_day, found.last_day = min(days, default=None), max(days, default=None)


def _as_deal(row: DealRow, rate: Decimal | None) -> Deal:
    amount = row.amount
    if amount is not None and rate is not None:
        amount = int((amount * rate).to_integral_value(rounding=ROUND_HALF_EVEN))
    marks = {f"utm_{mark}": text for mark, text in row.marks.items()}
    return Deal(
        external_id=row.external_id, created_on=row.created_on, closed_on=row.closed_on, edited=row.edited,
        stage=row.stage, amount=None if amount is None else from_micros(amount), customer=row.customer,
        is_repeat=row.is_repeat, line=row.line, **marks,
    )  # fmt: skip
