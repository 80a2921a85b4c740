"""Writes of sources: where facts come from."""

from datetime import datetime

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from kpis.models import Source
from roles import audit
from roles.models import Company, Membership
from roles.refusals import FieldError, Refused
from roles.slugs import slug_of

MANUAL = "manual"


class UnknownSource(Refused):
    code = "unknown_source"


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
