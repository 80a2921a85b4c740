"""Writes of sources: where facts come from."""

import re
from datetime import datetime

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Min
from django.utils import translation
from django.utils.translation import gettext as _

from kpis.models import DailyFact, Import, Source
from kpis.problems import field_error
from kpis.selectors.sources import why_kept
from kpis.services.evaluations import request_evaluation
from kpis.typed import MANUAL
from roles import audit
from roles.models import Company, Membership
from roles.refusals import Conflict, FieldError, Refused
from roles.slugs import slug_of
from roles.validation import refuse

CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}", re.IGNORECASE | re.ASCII)


class UnknownSource(Refused):
    code = "unknown_source"


class SourceStays(Conflict):
    """Figures of the source are or were known, or a file of it waits."""

    code = "source_stays"


def ensure_source(
    *, company: Company, code: str, name: str, kind: str, at: datetime | None = None, by: Membership | None = None,
    owner: Membership | None = None,
) -> Source:  # fmt: skip
    """The company's source with this code, made when it does not exist yet (its creation is audited when `at` is given)."""
    source, created = Source.objects.get_or_create(
        company=company, code=code, defaults={"name": name[:120], "kind": kind, "owner": owner or by}
    )
    if created and at is not None:
        after = {"code": code, "name": source.name, "kind": str(kind)}
        audit.record(company=company, by=by, verb="create_source", obj=source, at=at, after=after)
    return source


def manual_source(*, company: Company, at: datetime, by: Membership) -> Source:
    """The one source of figures that people type; nobody in particular owns it."""
    with translation.override(company.language):
        name = _("Typed by hand")
    source, _created = Source.objects.get_or_create(
        company=company,
        code=MANUAL,
        # What a cabinet or a CRM says goes before what was typed.
        defaults={"name": name, "kind": Source.Kind.MANUAL, "priority": 200},
    )
    return source


@transaction.atomic
def named_source(*, company: Company, by: Membership, at: datetime, code: str = "", name: str = "") -> Source:
    """The source of an upload: an existing one by its code, or a new one by the name a person gives it."""
    if code:
        source = Source.objects.filter(company=company, code=code).first()
        if source is None:
            message = _("There is no such source. Choose one from the list, or name a new one.")
            raise UnknownSource(message, [FieldError("source", "unknown", message)])
        return source
    made = slug_of(name)
    if not made:
        message = _("Say where the file comes from: choose a source, or name a new one, for example “CRM”.")
        raise UnknownSource(message, [FieldError("source_name", "required", message)])
    return ensure_source(company=company, code=made, name=name.strip(), kind=Source.Kind.FILE, at=at, by=by)


def source_for_api(*, company: Company, by: Membership, at: datetime, code) -> Source:
    """The source of a file sent by API; one that is not known yet is created. UnknownSource for what is no code."""
    if not isinstance(code, str) or not CODE.fullmatch(code):
        error = field_error("source", "bad_source", code)
        raise UnknownSource(error.message, [error])
    return ensure_source(company=company, code=code, name=code, kind=Source.Kind.FILE, at=at, by=by)


@transaction.atomic
def update_source(
    *, company: Company, by: Membership | None, at: datetime, source: Source, name: str, owner: Membership | None,
    expected_every_days: int, priority: int, reason: str = "",
) -> Source:  # fmt: skip
    """Change what a source is called, who keeps it, its rhythm in days and its priority; figures are weighed anew.

    A change of priority may change what counts on any day: it takes a reason, which the journal keeps, and the whole
    history is evaluated again. Refused without one, and for an owner who is not of the company any more.
    """
    # Two changes at once would otherwise leave a journal that does not add up to what stands in the row.
    source = Source.objects.select_for_update(no_key=True).get(company=company, pk=source.pk)
    if priority != source.priority and not reason.strip():
        message = _("Another priority changes figures that people have seen: write why.")
        raise refuse("reason", "required", message)
    if owner is not None and (owner.company_id != company.pk or not owner.is_active):
        raise refuse("owner", "not_a_member", _("This person has left the company: choose another one."))
    fields = {"name": name, "owner_id": owner.pk if owner else None, "expected_every_days": expected_every_days,
              "priority": priority}  # fmt: skip
    before = {field: getattr(source, field) for field in fields}
    Source.objects.filter(company=company, pk=source.pk).update(**fields)
    source.refresh_from_db()
    if before != fields:
        audit.record(company=company, by=by, verb="update_source", obj=source, at=at, before=before, after=fields,
                     reason=reason.strip()[:300])  # fmt: skip
    if before["priority"] != priority:
        first = Import.objects.filter(company=company, source=source, state=Import.State.DONE).aggregate(
            Min("first_day")
        )
        if first["first_day__min"]:
            request_evaluation(company=company, dirty_from=first["first_day__min"])
    return source


@transaction.atomic
def delete_source(*, company: Company, by: Membership, at: datetime, source: Source) -> None:
    """Delete a source that was made by mistake, with its files that were dropped or failed. SourceStays when it ever
    brought a figure, or a file of it waits."""
    source = Source.objects.select_for_update().get(company=company, pk=source.pk)
    reason = why_kept(source=source)
    if reason or DailyFact.objects.filter(company=company, source=source).exists():
        raise SourceStays(reason or _("This source has figures: it stays."))
    before = {"code": source.code, "name": source.name, "kind": str(source.kind)}
    audit.record(company=company, by=by, verb="delete_source", obj=source, at=at, before=before)
    loads = Import.objects.filter(company=company, source=source)
    files = [name for name in loads.values_list("file", flat=True) if name]
    loads.delete()
    source.delete()
    transaction.on_commit(lambda: [default_storage.delete(name) for name in files])
