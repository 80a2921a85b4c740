"""Loads of files: received → previewed → confirmed → run by a worker under a lease → done, failed or undone.

The row says what must still happen; a killed worker loses nothing, because effect and completion are one transaction.
"""

import logging
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from kpis import facts, reading
from kpis.failpoints import failpoint
from kpis.importers.base import CellProblem, FileProblem, Row
from kpis.importers.deals import DealRow, Deals
from kpis.models import Import, Source
from kpis.services import deals
from kpis.services.evaluations import kick
from kpis.services.leases import LEASE, PROGRESS_EVERY, LeaseLost, renewal
from kpis.services.meanings import PROFILES, RECOUNT, chosen, codes_of, remembered_mapping
from kpis.services.units import checked_scale
from kpis.services.uploads import BadFile, digest_of, kept
from roles import audit
from roles.fields import MICRO
from roles.models import Campaign, Company, Membership
from roles.refusals import Conflict, FieldError, Refused

log = logging.getLogger(__name__)

ATTEMPTS = 3
WAITING = (Import.State.PREVIEW, Import.State.QUEUED)
MOST_ERRORS = 100


class NotWaiting(Conflict):
    code = "not_waiting"


class CannotUndo(Conflict):
    code = "cannot_undo"


class RateNeeded(Refused):
    """The file's money is in another currency: `rate` must say what one unit of it is."""

    code = "rate_needed"


class ColumnsNotChosen(Refused):
    """No reader knows the heading and nobody has said what its columns are: the load waits on its page."""

    code = "columns_not_chosen"


def receive_file(
    *, company: Company, by: Membership, at: datetime, source: Source, upload: File, profile: str = "",
    header_row: int | None = None,
) -> Import:  # fmt: skip
    """Keep an upload and recognise it: a load in state preview that waits for the user's word. Writes no fact.

    A table that no reader knows has an empty profile: `column_maps.choose_columns` comes first. The same file of the same
    source that waits already is given back. `header_row`: where its headings stand, as somebody says who sees that they
    are not found; its columns are mapped by hand then. Raises BadFile (no table, empty, too large), and nothing is kept then.
    """
    digest = digest_of(upload)
    remembered = remembered_mapping(company, source)
    try:
        found = reading.look_into(upload.file, company, source, company.local_date(at), profile, remembered, header_row)
    except FileProblem as problem:
        raise BadFile(problem) from problem
    load = Import(
        company=company, source=source, state=Import.State.PREVIEW, profile=found.profile, profile_version=found.version,
        filename=(upload.name or "")[-255:], sha256=digest, created_by=by, created_at=at, currency=found.currency,
        mapping=found.mapping, header_row=header_row,
    )  # fmt: skip
    return _keep(load, upload, found.kept)


def _keep(load: Import, upload: File, records: Iterator[list[str]] | None) -> Import:
    """Store the upload (without its personal columns, where `records` are given) and its load, once."""
    waiting = Import.objects.filter(
        company=load.company, source=load.source, sha256=load.sha256, profile_version=load.profile_version
    )
    if found := waiting.filter(state__in=WAITING).first():
        if found.header_row != load.header_row:
            found.header_row = load.header_row
            found.save(update_fields=["header_row"])
        return found
    with kept(upload, records) as stored:
        load.file.save(load.filename, stored, save=False)
    failpoint("upload.kept")
    try:
        with transaction.atomic():
            load.save()
            after = {"filename": load.filename, "source": load.source.code, "sha256": load.sha256}
            audit.record(
                company=load.company, by=load.created_by, verb="receive_file", obj=load, at=load.created_at, after=after
            )  # fmt: skip
    except BaseException as error:
        default_storage.delete(load.file.name)
        if isinstance(error, IntegrityError) and (found := waiting.filter(state__in=WAITING).first()):
            return found  # the same file came twice at once
        raise
    return load


def confirm_import(
    *,
    company: Company,
    by: Membership,
    at: datetime,
    load: Import,
    mapping: dict[str, str],
    rate: Decimal | None = None,
    scale: Decimal | None = None,
) -> Import:
    """The user's word: put the load in the queue with a channel for every name of the file.

    `rate`: what one unit of the file's currency is in the company's, needed where they differ. `scale`: what its
    money is multiplied by, needed where it looks counted in something else. Raises ChannelsNotChosen, RateNeeded,
    ScaleNeeded, or NotWaiting when it is not (any more) waiting for a word.
    """
    if not load.profile:
        message = _("It is not said yet what the columns of this file are: do it on the page of the load.")
        raise ColumnsNotChosen(message, [FieldError("file", "columns_not_chosen", message)])
    rate = _checked_rate(company, load, rate)
    said = chosen(company, load, mapping)
    scale = checked_scale(company, load, rate, scale)
    with transaction.atomic():
        taken = Import.objects.filter(company=company, pk=load.pk, state=Import.State.PREVIEW).update(
            state=Import.State.QUEUED, mapping=said, rate=rate, scale=scale, attempts=0, errors=[]
        )
        if not taken:
            raise NotWaiting(_("This load is not waiting any more: somebody has confirmed or dropped it."))
        after = {"mapping": said} | ({"currency": load.currency, "rate": f"{rate.normalize():f}"} if rate else {})
        after |= {"scale": f"{scale.normalize():f}"} if scale else {}
        failpoint("import.before_confirm")
        audit.record(company=company, by=by, verb="confirm_import", obj=load, at=at, after=after)
        transaction.on_commit(lambda: kick(company.pk))
    load.refresh_from_db()
    return load


def _checked_rate(company: Company, load: Import, rate: Decimal | None) -> Decimal | None:
    """None where the file's money is the company's own; RateNeeded where it is not and no sensible rate is given."""
    if not load.currency:
        return None
    if rate is None or not rate.is_finite() or not Decimal(1) / MICRO <= rate < MICRO:
        message = _("The file's money is in %(found)s: write how many %(own)s one %(found)s is.")
        message %= {"found": load.currency, "own": company.currency}
        raise RateNeeded(message, [FieldError("rate", "rate_needed", message)])
    return rate


def last_rate(*, load: Import) -> Decimal | None:
    """The rate that the last load of this currency was confirmed with."""
    rows = Import.objects.filter(company=load.company_id, currency=load.currency, rate__isnull=False)
    return rows.order_by("-pk").values_list("rate", flat=True).first() if load.currency else None


def choose_channels(*, company: Company, by: Membership, at: datetime, load: Import, mapping: dict[str, str]) -> None:
    """Keep the channels chosen so far, so that the preview shows what they mean; unknown codes count as not chosen."""
    codes = codes_of(company, load)
    told = {name: mapping.get(name, "") if mapping.get(name) in codes else "" for name in load.mapping}
    with transaction.atomic():
        taken = Import.objects.filter(company=company, pk=load.pk, state=Import.State.PREVIEW).update(mapping=told)
        if not taken:
            raise NotWaiting(_("This load is not waiting any more: somebody has confirmed or dropped it."))
        audit.record(company=company, by=by, verb="choose_channels", obj=load, at=at, after={"mapping": told})


def undo_import(*, company: Company, by: Membership, at: datetime, load: Import) -> facts.Counts:
    """Take a load back whole; facts that a later load changed stay as they are. A waiting load is dropped.

    Raises CannotUndo for a load that is running, failed or undone already.
    """
    if load.profile == RECOUNT:
        raise CannotUndo(deals.undo_refusal())
    with transaction.atomic():
        undone = Import.objects.filter(company=company, pk=load.pk, state=Import.State.DONE).update(
            state=Import.State.UNDONE
        )
        dropped = not undone and Import.objects.filter(company=company, pk=load.pk, state=Import.State.PREVIEW).update(
            state=Import.State.UNDONE, finished_at=at
        )
        if not undone and not dropped:
            raise CannotUndo(_("Only a finished or a waiting load can be undone, and only once."))
        counts = facts.undo(company=company, load=load, at=at) if undone else facts.Counts()
        if undone and load.profile in PROFILES:
            deals.take_back(company=company, by=by, at=at, load=load)
        after = {"restored": counts.changed, "removed": counts.created, "left": counts.unchanged}
        audit.record(company=company, by=by, verb="undo_import", obj=load, at=at, after=after)
    load.refresh_from_db()
    return counts


# ---------------------------------------------------------------- the worker's part
def run_due_imports(*, company: Company, at: datetime) -> int:
    """Run every load of the company that is due: queued, and not leased to a living worker. Returns how many finished."""
    due = Import.objects.filter(company=company, state=Import.State.QUEUED).filter(
        Q(lease_until=None) | Q(lease_until__lt=at)
    )
    finished = 0
    for pk in list(due.order_by("pk").values_list("pk", flat=True)):
        try:
            finished += run_import(company=company, pk=pk, at=at)
        except Exception:
            # One broken load must not hold up the others; its attempts are counted and its lease runs out.
            log.exception("load %s of company %s broke off", pk, company.pk)
    return finished


def run_import(*, company: Company, pk: int, at: datetime) -> bool:
    """Claim one queued load and write its facts; True when this call finished it (done or failed).

    `at` is the moment the call began: the lease is renewed by the time that passes. Called twice, or by two workers at
    once, it takes effect once.
    """
    token = secrets.token_hex(16)
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
        return _fail(load, token, at, [{"code": "broke_off", "n": ATTEMPTS}])
    try:
        return _load(load, token, at)
    except FileProblem as problem:
        return _fail(load, token, at, [{"code": problem.code, **problem.params}])
    except facts.SumTooLarge:
        return _fail(load, token, at, [{"code": "sum_too_large"}])
    except facts.RepeatedKey as repeated:
        problems = [CellProblem(last, "", "repeated", str(first)).as_json() for first, last in repeated.lines]
        return _fail(load, token, at, problems)


def _load(load: Import, token: str, at: datetime) -> bool:
    """Parse and stage outside a transaction, so that no writer waits for a parser; then one short transaction."""
    company = load.company
    names = reading.Names(company, load.mapping)
    problems: list[CellProblem] = []
    with reading.opened(load) as stream:
        context, reader, table = reading.open_load(company, load, stream)
        if isinstance(reader, Deals):
            return _load_deals(load, token, at, reader.read(table, context))
        codes = reader.metrics(table.header, context)
        with facts.staging(company=company, source_id=load.source_id, metrics=codes) as staged:
            rows = reading.converted(
                reader.read(table, context), reading.money_codes(company), reading.factor_of(load.rate, load.scale)
            )
            staged.add(_lines(rows, names, codes, problems, renewal(load, token, at, stream)))
            if problems:
                return _fail(load, token, at, [problem.as_json() for problem in problems])
            if reader.FOLDS:
                staged.fold()
            failpoint("import.after_copy")
            with transaction.atomic():
                _hold(load, token)
                staged.name_campaigns(_create_campaigns(company, names))
                counts = staged.merge(load)
                failpoint("import.before_commit")
                _finish(load, token, at, counts, staged.days())
    return True


def _load_deals(load: Import, token: str, at: datetime, rows: Iterator[DealRow]) -> bool:
    """The deals of a CRM's export and the daily facts that follow from all of its deals."""
    found, problems = deals.checked(rows, load, load.company.local_date(load.created_at), MOST_ERRORS)
    if problems:
        return _fail(load, token, at, [problem.as_json() for problem in problems])
    failpoint("import.after_copy")
    with transaction.atomic():
        _hold(load, token)
        counts, days = deals.take(load=load, rows=found)
        failpoint("import.before_commit")
        _finish(load, token, at, counts, days)
    return True


def _lines(
    rows: Iterator[Row], names: reading.Names, codes: list[str], problems: list[CellProblem], renew: Callable[[int], None],
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


def _create_campaigns(company: Company, names: reading.Names) -> dict[int, int]:
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


def _finish(load: Import, token: str, at: datetime, counts: facts.Counts, days: tuple) -> None:
    first, last = days
    done = Import.objects.filter(company=load.company, pk=load.pk, lease_token=token).update(
        state=Import.State.DONE, created=counts.created, changed=counts.changed, unchanged=counts.unchanged,
        first_day=first, last_day=last, finished_at=at, errors=[], lease_until=None, lease_token="",
    )  # fmt: skip
    if not done:
        raise LeaseLost(load.pk)
    after = {"created": counts.created, "changed": counts.changed, "unchanged": counts.unchanged}
    audit.record(company=load.company, by=load.created_by, verb="run_import", obj=load, at=at, after=after)


@transaction.atomic
def _fail(load: Import, token: str, at: datetime, errors: list[dict]) -> bool:
    """Say why nothing was written; True when the load was still ours."""
    failed = Import.objects.filter(
        company=load.company, pk=load.pk, lease_token=token, state=Import.State.QUEUED
    ).update(state=Import.State.FAILED, errors=errors[:MOST_ERRORS], finished_at=at, lease_until=None, lease_token="")
    if failed:
        after = {"errors": [error["code"] for error in errors[:5]]}
        audit.record(company=load.company, by=load.created_by, verb="fail_import", obj=load, at=at, after=after)
    return bool(failed)
