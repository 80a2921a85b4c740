"""Deals of CRMs: a load says something of them, in batches; the daily facts follow from all deals of the source.

Facts are always made of all deals of a source as they are known, and what differs is written with its revisions: so the
same file again changes nothing, and a deal that moved revises both of its days.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN

from kpis import facts
from kpis.batches import batched
from kpis.importers import stages
from kpis.importers.base import CellProblem
from kpis.importers.deals import DealChecks, DealRow
from kpis.models import Deal, DealRevision, DealStage, Import, Source
from kpis.models.deals import SAID
from kpis.services import deal_facts
from kpis.services.leases import PROGRESS_EVERY
from kpis.services.recounts import request_recount
from roles.fields import from_micros
from roles.models import Company, Membership

BATCH = 1_000


def converted(rows: Iterable[DealRow], load: Import) -> Iterator[DealRow]:
    """Rows with their amounts in the company's currency."""
    for row in rows:
        if row.amount is not None and load.rate is not None:
            row.amount = int((row.amount * load.rate).to_integral_value(rounding=ROUND_HALF_EVEN))
        yield row


def problems_in(
    rows: Iterable[DealRow], load: Import, today: date, most: int, renew: Callable[[int], None]
) -> list[CellProblem]:
    """What is wrong in a file, read to its end or to so many problems; nothing of it is kept."""
    checks = DealChecks(load.mapping, today)
    problems: list[CellProblem] = []
    for number, row in enumerate(rows):
        if number % PROGRESS_EVERY == 0:
            renew(number)
        checks.check(row)
        problems += row.problems
        if len(problems) >= most:
            break
    return problems


def take(
    *, load: Import, rows: Iterable[DealRow], tell: Callable[[int], None]
) -> tuple[facts.Counts, tuple[date | None, date | None]]:
    """Write what a load says of deals, in the caller's transaction: deals, their revisions, stages and facts.

    `rows` are right, as `problems_in` has found; `tell` is told how many are written. Returns the counts of facts and the first and last day of the file's deals.
    """
    company = load.company
    source = Source.objects.select_for_update(no_key=True).get(company=company, pk=load.source_id)
    before = dict(DealStage.objects.filter(company=company, source=source).values_list("name", "kind"))
    keep_stages(company, source, load.mapping)
    meaning = deal_facts.meaning_of(company, source)
    checks, days, done = DealChecks(load.mapping, company.local_date(load.created_at)), _Days(), 0
    for batch in batched((row for row in converted(rows, load) if checks.check(row)), BATCH):
        known = _take(load, source, meaning, batch)
        days.add(known[row.external_id].day for row in batch if known[row.external_id].day <= checks.today)
        done += len(batch)
        tell(done)
    if any(before.get(name, kind) != kind for name, kind in load.mapping.items()):
        request_recount(company=company, by=load.created_by, at=load.created_at, sources=[source])
    return deal_facts.write_facts(load, source), (days.first, days.last)


@dataclass
class _Days:
    first: date | None = None
    last: date | None = None

    def add(self, days: Iterable[date]) -> None:
        for day in days:
            self.first = day if self.first is None else min(self.first, day)
            self.last = day if self.last is None else max(self.last, day)


def _take(load: Import, source: Source, meaning, rows: list[DealRow]) -> dict[str, Deal]:
    """Write what these rows say; the deals as they are known then."""
    company = load.company
    ids = [row.external_id for row in rows]
    known = {
        deal.external_id: deal for deal in Deal.objects.filter(company=company, source=source, external_id__in=ids)
    }
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
    meaning.seen = deal_facts.stages_seen(company, [deal.pk for deal in known.values() if deal.pk])
    for row, _older in said:
        meaning.seen.setdefault(row.external_id, set()).add(row.stage)
    changed |= deal_facts.settle(company, meaning, list(known.values()))
    Deal.objects.bulk_create(fresh, batch_size=BATCH)
    deal_facts.keep([known[external] for external in changed if external in before])
    _revise(load, said, known, before)
    return known


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


def _revise(load: Import, said: list[tuple[DealRow, bool]], known: dict[str, Deal], before: dict[str, tuple]) -> None:
    revisions = []
    for row, _older in said:
        deal = known[row.external_id]
        stage, day = before.get(row.external_id, ("", None))
        revision = DealRevision(company=load.company, deal=deal, before_stage=stage, before_day=day, day=deal.day)
        _say(revision, row, load)
        revisions.append(revision)
    DealRevision.objects.bulk_create(revisions, batch_size=BATCH)


def take_back(*, company: Company, by: Membership | None, at: datetime, load: Import) -> None:
    """Forget what a load said of deals, in the caller's transaction: they are what the other loads say; a recount follows."""
    source = Source.objects.select_for_update(no_key=True).get(company=company, pk=load.source_id)
    told = DealRevision.objects.filter(company=company, load=load).order_by("deal")
    touched = list(told.values_list("deal", flat=True))
    if not touched:
        return
    told.delete()
    for ids in batched(touched, BATCH):
        _give_back(company, ids)
    request_recount(company=company, by=by, at=at, sources=[source])


def _give_back(company: Company, ids: list[int]) -> None:
    """Deals as their revisions that are left tell them; a deal that none tells of is gone."""
    left: dict[int, DealRevision] = {}
    for revision in DealRevision.objects.filter(company=company, deal__in=ids).order_by("pk"):
        known = left.get(revision.deal_id)
        if known is None or not (revision.edited and revision.edited < known.edited):
            left[revision.deal_id] = revision
    deals = list(Deal.objects.filter(company=company, pk__in=list(left)))
    for deal in deals:
        for name in (*SAID, "line", "load_id"):
            setattr(deal, name, getattr(left[deal.pk], name))
    deal_facts.keep(deals)
    Deal.objects.filter(company=company, pk__in=[pk for pk in ids if pk not in left]).delete()
