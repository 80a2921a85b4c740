"""Loads of files: received → previewed → confirmed → run by a worker under a lease → done, failed or undone.

The row says what must still happen; a killed worker loses nothing, because effect and completion are one transaction.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from kpis import facts, reading
from kpis.failpoints import failpoint
from kpis.importers.base import FileProblem
from kpis.importers.registry import PROFILES, RECOUNT
from kpis.models import Import, Source
from kpis.services import deals
from kpis.services.answers import check_answers, lasting_answers, make_channels, with_answers
from kpis.services.evaluations import kick
from kpis.services.meanings import chosen, codes_of, remembered_mapping
from kpis.services.recounts import undo_refusal
from kpis.services.units import checked_scale
from kpis.services.uploads import BadFile, digest_of, kept
from roles import audit
from roles.fields import MICRO
from roles.models import Company, Membership
from roles.refusals import Conflict, FieldError, Refused

WAITING = (Import.State.PREVIEW, Import.State.QUEUED)


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
        answers=lasting_answers(company=company, source=source, profile=found.profile),
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
    answers: dict | None = None,
) -> Import:
    """The user's word: put the load in the queue with a channel for every name of the file; new channels are made now.

    `rate`: what one unit of the file's currency is in the company's, needed where they differ. `scale`: what its
    money is multiplied by, needed where it looks counted in something else. `answers`: see `kpis.answers`; those given
    before stay. Raises ChannelsNotChosen, RateNeeded, ScaleNeeded, AnswersNeeded, or NotWaiting when it is not (any
    more) waiting for a word.
    """
    if not load.profile:
        message = _("It is not said yet what the columns of this file are: do it on the page of the load.")
        raise ColumnsNotChosen(message, [FieldError("file", "columns_not_chosen", message)])
    rate = _checked_rate(company, load, rate)
    said = chosen(company, load, mapping)
    load.mapping, load.answers = said, with_answers(load, answers)
    check_answers(company=company, load=load)
    scale = checked_scale(company, load, rate, scale)
    with transaction.atomic():
        said = make_channels(company=company, by=by, at=at, load=load, mapping=said)
        taken = Import.objects.filter(company=company, pk=load.pk, state=Import.State.PREVIEW).update(
            state=Import.State.QUEUED, mapping=said, answers=load.answers, rate=rate, scale=scale, attempts=0, errors=[]
        )
        if not taken:
            raise NotWaiting(_("This load is not waiting any more: somebody has confirmed or dropped it."))
        after = {"mapping": said} | ({"currency": load.currency, "rate": f"{rate.normalize():f}"} if rate else {})
        after |= {"scale": f"{scale.normalize():f}"} if scale else {}
        after |= {"answers": load.answers} if load.answers else {}
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


def choose_channels(
    *, company: Company, by: Membership, at: datetime, load: Import, mapping: dict[str, str], answers: dict | None = None
) -> None:  # fmt: skip
    """Keep the channels and answers given so far, so that the preview shows what they mean; unknown codes count as not chosen."""
    codes = codes_of(company, load)
    told = {name: mapping.get(name, "") if mapping.get(name) in codes else "" for name in load.mapping}
    with transaction.atomic():
        taken = Import.objects.filter(company=company, pk=load.pk, state=Import.State.PREVIEW).update(
            mapping=told, answers=with_answers(load, answers)
        )
        if not taken:
            raise NotWaiting(_("This load is not waiting any more: somebody has confirmed or dropped it."))
        audit.record(company=company, by=by, verb="choose_channels", obj=load, at=at, after={"mapping": told})


def undo_import(*, company: Company, by: Membership, at: datetime, load: Import) -> facts.Counts:
    """Take a load back whole; facts that a later load changed stay as they are. A waiting load is dropped.

    Raises CannotUndo for a load that is running, failed or undone already.
    """
    if load.profile == RECOUNT:
        raise CannotUndo(undo_refusal())
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
