"""Deals of CRMs: a load says something of them, stages and rules say what it means, and the daily facts follow.

Facts are always made of all deals of a source as they are known, and what differs is written with its revisions: so the
same file again changes nothing, and a deal that moved revises both of its days.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal

from django.utils.translation import gettext as _

from kpis import deal_days, facts
from kpis import metrics as catalogue
from kpis.importers import stages
from kpis.importers.base import CellProblem
from kpis.importers.deals import DealRow
from kpis.models import DailyFact, Deal, DealRevision, DealStage, Import, Source, UtmRule
from kpis.models.deals import SAID
from kpis.services.facts import write
from kpis.services.meanings import PROFILES, RECOUNT
from roles.fields import from_micros
from roles.models import Campaign, Company, Membership

BATCH = 1_000


def checked(rows: Iterable[DealRow], load: Import, today: date, most: int) -> tuple[list[DealRow], list[CellProblem]]:
    """The rows of a file, money in the company's currency, and what is wrong with them; equal rows of one deal count once."""
    known: dict[str, DealRow] = {}
    problems: list[CellProblem] = []
    for row in rows:
        if row.amount is not None and load.rate is not None:
            row.amount = int((row.amount * load.rate).to_integral_value(rounding=ROUND_HALF_EVEN))
        kind = load.mapping.get(row.stage, "")
        if kind == stages.WON and row.closed_on and row.closed_on > today:
            row.problems.append(CellProblem(row.line, "", "won_in_future", row.closed_on.isoformat()))
        if row.problems:
            problems += row.problems
        elif (first := known.setdefault(row.external_id, row)) is not row and first.said != row.said:
            problems.append(CellProblem(row.line, "", "deal_twice", str(first.line)))
        if len(problems) >= most:
            break
    return list(known.values()), problems


def take(*, load: Import, rows: list[DealRow]) -> tuple[facts.Counts, tuple[date | None, date | None]]:
    """Write what a load says of deals, in the caller's transaction: deals, their revisions, stages and facts.

    Returns the counts of facts and the first and last day that the file speaks of.
    """
    company = load.company
    source = Source.objects.select_for_update(no_key=True).get(company=company, pk=load.source_id)
    keep_stages(company, source, load.mapping)
    known = {deal.external_id: deal for deal in Deal.objects.filter(company=company, source=source)}
    said = _said_anew(company, load, rows, known)
    before = {deal.external_id: (deal.stage, deal.day) for deal in known.values()}
    fresh, changed = [], set()
    for row, is_older in said:
        deal = known.get(row.external_id)
        if deal is None:
            deal = known[row.external_id] = Deal(company=company, source=source, external_id=row.external_id)
            fresh.append(deal)
        if not is_older:
            _say(deal, row, load)
            changed.add(row.external_id)
    meaning = _meaning(company, source)
    for row, _older in said:
        meaning.seen.setdefault(row.external_id, set()).add(row.stage)
    changed |= _settle(company, meaning, list(known.values()))
    Deal.objects.bulk_create(fresh, batch_size=BATCH)
    _keep([known[external] for external in changed if external in before])
    _revise(load, said, known, before)
    counts = _write_facts(load, source, known.values(), {row.external_id: row.line for row in rows})
    days = [
        known[row.external_id].day for row in rows if known[row.external_id].day <= company.local_date(load.created_at)
    ]
    return counts, (min(days, default=None), max(days, default=None))


def _said_anew(
    company: Company, load: Import, rows: list[DealRow], known: dict[str, Deal]
) -> list[tuple[DealRow, bool]]:
    """(row, it is older than what is known) of every row that says something new; an older state never covers a newer one."""
    older = {}
    found = []
    for row in rows:
        deal = known.get(row.external_id)
        if deal is None:
            found.append((row, False))
        elif _said(deal) == _as_stored(row):
            continue
        elif row.edited and row.edited < deal.edited:
            older[row.external_id] = row
        else:
            found.append((row, False))
    told = DealRevision.objects.filter(company=company, deal__source=load.source_id, deal__external_id__in=list(older))
    was_said = (
        {(revision.deal.external_id, _said(revision)) for revision in told.select_related("deal")} if older else set()
    )
    return found + [(row, True) for row in older.values() if (row.external_id, _as_stored(row)) not in was_said]


def _said(deal: Deal | DealRevision) -> tuple:
    return tuple(getattr(deal, name) for name in SAID)


def _as_stored(row: DealRow) -> tuple:
    amount = None if row.amount is None else from_micros(row.amount)
    marks = tuple(row.marks.get(mark, "") for mark in ("source", "medium", "campaign", "content", "term"))
    return (row.created_on, row.closed_on, row.edited, row.stage, amount, *marks, row.customer, row.is_repeat)


def _say(deal: Deal | DealRevision, row: DealRow, load: Import) -> None:
    for name, value in zip(SAID, _as_stored(row), strict=True):
        setattr(deal, name, value)
    deal.load_id, deal.line = load.pk, row.line


def keep_stages(company: Company, source: Source, kinds: dict[str, str]) -> None:
    """Remember what the stages of a source mean; kinds that do not exist are passed over."""
    DealStage.objects.bulk_create(
        [
            DealStage(company=company, source=source, name=name, kind=kind)
            for name, kind in sorted(kinds.items())
            if kind in stages.KINDS
        ],
        update_conflicts=True, unique_fields=["company", "source", "name"], update_fields=["kind"],
    )  # fmt: skip


def _meaning(company: Company, source: Source) -> deal_days.Meaning:
    kinds = dict(DealStage.objects.filter(company=company, source=source).values_list("name", "kind"))
    rules = list(UtmRule.objects.filter(company=company))
    seen: dict[str, set[str]] = {}
    told = DealRevision.objects.filter(company=company, deal__source=source).values_list("deal__external_id", "stage")
    for external_id, stage in told.distinct():
        seen.setdefault(external_id, set()).add(stage)
    return deal_days.Meaning(kinds, rules, seen, _campaigns(company, rules))


def _campaigns(company: Company, rules: list[UtmRule]) -> dict[tuple[int, str], int]:
    """By name, and over it by the id in the source, in lower case."""
    rows = Campaign.objects.filter(company=company, channel__in={rule.channel_id for rule in rules}).order_by("-pk")
    rows = list(rows.values_list("channel_id", "name", "external_id", "pk"))
    by_name = {(channel, name.casefold()): pk for channel, name, _external, pk in rows}
    return by_name | {(channel, external.casefold()): pk for channel, _name, external, pk in rows}


def _settle(company: Company, meaning: deal_days.Meaning, deals: list[Deal]) -> set[str]:
    """Put every deal to its place; campaigns that marks name first are created. Ids of the deals whose place changed."""
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
        changed |= {deal.external_id for deal in deals if meaning.settle(deal)}
    return changed


def _keep(deals: list[Deal]) -> None:
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


def _revise(load: Import, said: list[tuple[DealRow, bool]], known: dict[str, Deal], before: dict[str, tuple]) -> None:
    revisions = []
    for row, _older in said:
        deal = known[row.external_id]
        stage, day = before.get(row.external_id, ("", None))
        revision = DealRevision(company=load.company, deal=deal, before_stage=stage, before_day=day, day=deal.day)
        _say(revision, row, load)
        revisions.append(revision)
    DealRevision.objects.bulk_create(revisions, batch_size=BATCH)


# ---------------------------------------------------------------- facts
def _differing(source: Source, deals: Iterable[Deal]) -> tuple[dict[deal_days.Key, list[Decimal | None]], int]:
    """The facts that are not as the deals make them, and how many are. What deals made before and make no more is cleared."""
    wanted = deal_days.figures(deals, is_every_deal=source.counts_every_deal)
    columns = [catalogue.BUILT_IN[code].column for code in deal_days.METRICS]
    rows = DailyFact.objects.filter(company=source.company_id, source=source)
    stored = {
        (channel, campaign, day): (load, values)
        for channel, campaign, day, load, *values in rows.values_list(
            "channel_id", "campaign_id", "day", "load_id", *columns
        )
    }
    ours = set(
        Import.objects.filter(company=source.company_id, source=source, profile__in=PROFILES).values_list(
            "pk", flat=True
        )
    )
    nothing = [None] * len(columns)
    different = {key: values for key, values in wanted.items() if stored.get(key, (0, nothing))[1] != values}
    for key, (load, values) in stored.items():
        if key not in wanted and load in ours and values != nothing:
            different[key] = list(nothing)
    return different, len(wanted) - sum(key in wanted for key in different)


def _write_facts(load: Import, source: Source, deals: Iterable[Deal], lines: dict[str, int]) -> facts.Counts:
    deals = list(deals)
    different, same = _differing(source, deals)
    if not different:
        return facts.Counts(unchanged=same)
    places: dict[deal_days.Key, int] = {}
    for deal in deals:
        for day in {deal.created_on, deal.day} if deal.external_id in lines else ():
            key = deal.channel_id, deal.campaign_id or 0, day
            places[key] = min(lines[deal.external_id], places.get(key, lines[deal.external_id]))
    rows = (
        facts.FactRow(channel, campaign, day, dict(zip(deal_days.METRICS, values, strict=True)))
        for (channel, campaign, day), values in different.items()
    )
    try:
        lines_of = list(facts.as_lines(rows, deal_days.METRICS))
    except ValueError as error:
        raise facts.SumTooLarge from error
    with facts.staging(company=load.company, source_id=source.pk, metrics=deal_days.METRICS) as staged:
        staged.add(
            (places.get((channel, campaign, date.fromisoformat(day))), day, channel, campaign, *rest)
            for _line, day, channel, campaign, *rest in lines_of
        )
        counts = staged.merge(load)
    return replace(counts, unchanged=same)


def recount(*, company: Company, by: Membership | None, at: datetime, sources: Iterable[Source] | None = None) -> int:
    """Place every deal anew by the rules and stages as they are, in the caller's transaction; how many facts changed.

    Each source whose facts change gets a load of its own: it says who changed them and keeps what they were.
    """
    rows = Source.objects.select_for_update(no_key=True).filter(company=company).order_by("pk")
    if sources is not None:  # no others are locked: whoever undoes a load holds one of them already
        locked = list(rows.filter(pk__in=[source.pk for source in sources]))
        return sum(_recount(company, by, at, source) for source in locked)
    locked = list(rows)
    # Asked under the lock: a first load may just have ended.
    holds = set(Deal.objects.filter(company=company).values_list("source_id", flat=True).distinct())
    return sum(_recount(company, by, at, source) for source in locked if source.pk in holds)


def _recount(company: Company, by: Membership | None, at: datetime, source: Source) -> int:
    deals = list(Deal.objects.filter(company=company, source=source))
    changed = _settle(company, _meaning(company, source), deals)
    _keep([deal for deal in deals if deal.external_id in changed])
    different, _same = _differing(source, deals)
    if not different:
        return 0
    rows = [
        facts.FactRow(channel, campaign, day, dict(zip(deal_days.METRICS, values, strict=True)))
        for (channel, campaign, day), values in different.items()
    ]
    counts = write(
        company=company, by=by, at=at, source=source, rows=rows, metrics=list(deal_days.METRICS), profile=RECOUNT
    ).counts  # fmt: skip
    return counts.created + counts.changed


def take_back(*, company: Company, by: Membership | None, at: datetime, load: Import) -> None:
    """Forget what a load said of deals, in the caller's transaction: they are what the other loads say; then facts follow."""
    touched = list(Deal.objects.filter(company=company, revisions__load=load))
    if not touched:
        return
    Source.objects.select_for_update(no_key=True).get(company=company, pk=load.source_id)
    DealRevision.objects.filter(company=company, load=load).delete()
    left: dict[int, DealRevision] = {}
    for revision in DealRevision.objects.filter(company=company, deal__in=touched).order_by("pk"):
        known = left.get(revision.deal_id)
        if known is None or not (revision.edited and revision.edited < known.edited):
            left[revision.deal_id] = revision
    for deal in touched:
        if revision := left.get(deal.pk):
            for name in (*SAID, "line", "load_id"):
                setattr(deal, name, getattr(revision, name))
    _keep([deal for deal in touched if deal.pk in left])
    Deal.objects.filter(company=company, pk__in=[deal.pk for deal in touched if deal.pk not in left]).delete()
    recount(company=company, by=by, at=at, sources=[load.source])


def undo_refusal() -> str:
    """Why a recount is not undone."""
    return _("This load follows from the UTM rules and stages: change the rule back, and the figures follow.")
