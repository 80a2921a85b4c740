"""The worker's part of loads: claim one under a lease, parse and stage, write its facts in one short transaction.

A killed worker loses nothing, because effect and completion are one transaction, and the row says what must still happen.
"""

import logging
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from kpis import facts, progress, reading
from kpis.answers import BOTH, answers_of
from kpis.failpoints import failpoint
from kpis.importers.base import CellProblem, FileProblem, Row
from kpis.importers.deals import DealRow, Deals
from kpis.importers.registry import RECOUNT
from kpis.models import CampaignMatch, Deal, Import, Source
from kpis.naming import KEPT, Names
from kpis.services import deal_facts, deals
from kpis.services.leases import LEASE, PROGRESS_EVERY, Clock, LeaseLost, clock_from, read_share, renewal
from kpis.totals import StagedTotals
from roles import audit
from roles.models import Campaign, Company

log = logging.getLogger(__name__)

ATTEMPTS = 3
MOST_ERRORS = 100


def run_due_imports(*, company: Company, at: datetime) -> int:
    """Run every load of the company that is due: queued, and not leased to a living worker. Returns how many finished."""
    due = Import.objects.filter(company=company, state=Import.State.QUEUED).filter(
        Q(lease_until=None) | Q(lease_until__lt=at)
    )
    finished, now = 0, clock_from(at)
    for pk in list(due.order_by("pk").values_list("pk", flat=True)):
        try:
            finished += run_import(company=company, pk=pk, at=now())
        except Exception:
            # One broken load must not hold up the others; its attempts are counted and its lease runs out.
            log.exception("load %s of company %s broke off", pk, company.pk)
    return finished


def run_import(*, company: Company, pk: int, at: datetime) -> bool:
    """Claim one queued load and write its facts; True when this call finished it (done or failed).

    `at` is the moment the call begins (UTC): the lease and the end of the load follow by the time that passes. Called
    twice, or by two workers at once, it takes effect once.
    """
    token, now = secrets.token_hex(16), clock_from(at)
    with transaction.atomic():
        claimed = (
            Import.objects.filter(company=company, pk=pk, state=Import.State.QUEUED)
            .filter(Q(lease_until=None) | Q(lease_until__lt=at))
            .update(lease_until=at + LEASE, lease_token=token, attempts=F("attempts") + 1)
        )
    if not claimed:
        return False
    load = Import.objects.select_related("source").get(company=company, pk=pk)
    if load.attempts > ATTEMPTS:
        return _fail(load, token, now, [{"code": "broke_off", "n": ATTEMPTS}])
    try:
        return _recount(load, token, now) if load.profile == RECOUNT else _load(load, token, now)
    except FileProblem as problem:
        return _fail(load, token, now, [{"code": problem.code, **problem.params}])
    except facts.SumTooLarge:
        return _fail(load, token, now, [{"code": "sum_too_large"}])
    except facts.RepeatedKey as repeated:
        problems = [CellProblem(last, "", "repeated", str(first)).as_json() for first, last in repeated.lines]
        return _fail(load, token, now, problems)


def _load(load: Import, token: str, now: Clock) -> bool:
    """Parse and stage outside a transaction, so that no writer waits for a parser; then one short transaction."""
    company = load.company
    answers = answers_of(load.answers)
    names = Names(company, load.mapping, load.source, answers.campaigns)
    problems: list[CellProblem] = []
    with reading.opened(load) as stream:
        context, reader, table = reading.open_load(company, load, stream)
        if isinstance(reader, Deals):
            rows = reader.read(table, context)
            return _load_deals(load, token, now, rows, renewal(load, token, now, read_share(load, stream)))
        codes = reader.metrics(table.header, context)
        with facts.staging(company=company, source_id=load.source_id, metrics=codes) as staged:
            rows = reading.converted(
                reader.read(table, context), reading.money_codes(company), reading.factor_of(load.rate, load.scale)
            )
            staged.add(_lines(rows, names, codes, problems, renewal(load, token, now, read_share(load, stream))))
            if problems:
                return _fail(load, token, now, [problem.as_json() for problem in problems])
            if reader.FOLDS:
                staged.fold()
            totals = StagedTotals(company, staged) if answers.totals != BOTH else None
            if totals and totals.mixed and not answers.totals:
                return _fail(load, token, now, [{"code": "totals_beside_campaigns"}])
            failpoint("import.after_copy")
            with transaction.atomic():
                _hold(load, token)
                if totals and totals.mixed:
                    totals.leave_out()
                staged.name_campaigns(_create_campaigns(company, names))
                keep_matches(company, load.source, names)
                counts = staged.merge(load)
                failpoint("import.before_commit")
                _finish(load, token, now, counts, staged.days())
    return True


def _load_deals(load: Import, token: str, now: Clock, rows: Iterator[DealRow], renew: Callable[[int], None]) -> bool:
    """The deals of a CRM's export and the daily facts that follow from all of its deals.

    The file is read twice: to see whether all of it is right, holding no row of it, and to write it in one transaction.
    """
    company = load.company
    progress.begin_anew(load)
    problems = deals.problems_in(rows, load, company.local_date(load.created_at), MOST_ERRORS, renew)
    if problems:
        return _fail(load, token, now, [problem.as_json() for problem in problems])
    failpoint("import.after_copy")
    with reading.opened(load) as stream:
        context, reader, table = reading.open_load(company, load, stream)
        with transaction.atomic():
            _hold(load, token)
            tell = progress.telling(load, read_share(load, stream))
            counts, days = deals.take(load=load, rows=reader.read(table, context), tell=tell)
            failpoint("import.before_commit")
            _finish(load, token, now, counts, days)
    return True


def _recount(load: Import, token: str, now: Clock) -> bool:
    """Put every deal of a source to its place by the rules and stages as they are, then write the facts that differ.

    Places are written batch by batch: a worker that is killed leaves some of them anew, and the next one begins again.
    """
    company, source = load.company, load.source
    total = max(1, Deal.objects.filter(company=company, source=source).count())
    renew = renewal(load, token, now, lambda done: done * 100 // total)
    meaning = deal_facts.meaning_of(company, source)
    last = done = 0
    while (placed := deal_facts.place_batch(company, source, meaning, last))[1]:
        last, done = placed[0], done + placed[1]
        renew(done)
        failpoint("recount.batch")
    with transaction.atomic():
        _hold(load, token)
        source = Source.objects.select_for_update(no_key=True).get(company=company, pk=source.pk)
        counts = deal_facts.write_facts(load, source)
        failpoint("recount.before_commit")
        _finish(load, token, now, counts, (None, None))
    return True


def _lines(
    rows: Iterator[Row], names: Names, codes: list[str], problems: list[CellProblem], renew: Callable[[int], None],
) -> Iterator[tuple]:  # fmt: skip
    """Staging lines of the rows that are right; `problems` collects the others, and enough of them end the reading."""
    for number, row in enumerate(rows):
        if number % PROGRESS_EVERY == 0:
            renew(number)
            failpoint("import.staging")
        if names.leaves_out(row):
            continue
        channel_id = names.channel(row)
        if row.problems:
            problems.extend(row.problems)
            if len(problems) >= MOST_ERRORS:
                return
            continue
        campaign_id = names.campaign(row, channel_id)
        kept = (
            0
            if len(row.values) == len(codes)
            else sum(1 << bit for bit, code in enumerate(codes) if code not in row.values)
        )
        yield (row.line, row.day.isoformat(), channel_id, campaign_id, kept, *map(row.values.get, codes))


def _hold(load: Import, token: str) -> None:
    """Lock the load's row for this transaction: another worker's claim waits, and then finds it finished."""
    mine = Import.objects.filter(company=load.company, pk=load.pk, lease_token=token, state=Import.State.QUEUED)
    if not mine.update(lease_token=token):
        raise LeaseLost(load.pk)


def _create_campaigns(company: Company, names: Names) -> dict[int, int]:
    """Real ids for the stand-ins of campaigns that the file names first."""
    if not names.fresh:
        return {}
    Campaign.objects.bulk_create(
        [
            Campaign(company=company, channel_id=channel_id, external_id=external, name=name)
            for channel_id, external, name in names.fresh.values()
        ],
        ignore_conflicts=True,
        batch_size=500,
    )
    known = Campaign.objects.filter(company=company, channel__in={fresh[0] for fresh in names.fresh.values()})
    ids = {(channel, external): pk for pk, channel, external in known.values_list("pk", "channel_id", "external_id")}
    return {stand_in: ids[fresh[:2]] for stand_in, fresh in names.fresh.items()}


def keep_matches(company: Company, source: Source, names: Names) -> None:
    """Remember what was chosen or found for the source's next files."""
    CampaignMatch.objects.bulk_create(
        [
            CampaignMatch(company=company, source=source, channel_id=channel, external_id=external, campaign_id=pk)
            for (channel, external), (pk, _name, how) in names.matched.items()
            if how != KEPT
        ],
        update_conflicts=True, unique_fields=["company", "source", "channel", "external_id"],
        update_fields=["campaign"], batch_size=500,
    )  # fmt: skip


def _finish(load: Import, token: str, now: Clock, counts: facts.Counts, days: tuple) -> None:
    (first, last), at = days, now()
    done = Import.objects.filter(company=load.company, pk=load.pk, lease_token=token).update(
        state=Import.State.DONE, created=counts.created, changed=counts.changed, unchanged=counts.unchanged,
        first_day=first, last_day=last, finished_at=at, errors=[], lease_until=None, lease_token="",
    )  # fmt: skip
    if not done:
        raise LeaseLost(load.pk)
    after = {"created": counts.created, "changed": counts.changed, "unchanged": counts.unchanged}
    audit.record(company=load.company, by=load.created_by, verb="run_import", obj=load, at=at, after=after)


@transaction.atomic
def _fail(load: Import, token: str, now: Clock, errors: list[dict]) -> bool:
    """Say why nothing was written; True when the load was still ours."""
    at = now()
    failed = Import.objects.filter(
        company=load.company, pk=load.pk, lease_token=token, state=Import.State.QUEUED
    ).update(state=Import.State.FAILED, errors=errors[:MOST_ERRORS], finished_at=at, lease_until=None, lease_token="")
    if failed:
        after = {"errors": [error["code"] for error in errors[:5]]}
        audit.record(company=load.company, by=load.created_by, verb="fail_import", obj=load, at=at, after=after)
    return bool(failed)
