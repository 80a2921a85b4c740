"""Links to the business's documents: where they lie, and whose they are."""

from datetime import date, datetime
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from roles import audit, registry, secrets
from roles.models import Channel, Company, DocumentLink, Membership, Role
from roles.refusals import Conflict, FieldError, Forbidden
from roles.validation import changes, check_fields, refuse

SCHEMES = ("https", "http")


class DocumentExists(Conflict):
    code = "document_exists"


class NotYours(Forbidden):
    code = "not_yours"


@transaction.atomic
def create_document(
    *, company: Company, by: Membership, at: datetime, today: date, title: str, url: str, owner: Membership,
    channel: Channel | None = None, role: Role | None = None, place_is_ours: bool = False,
) -> DocumentLink:  # fmt: skip
    """Add a link. Raises Refused with the field for an address that is none, NotYours, DocumentExists."""
    _check_keeps(by, channel)
    document = DocumentLink(
        company=company, title=title.strip(), url=url.strip(), owner=owner, channel=channel, role=role,
        place_is_ours=place_is_ours, added_on=today,
    )  # fmt: skip
    _save(document)
    after = {"name": document.title, "owner_name": str(owner), "channel": channel.name if channel else None}
    audit.record(company=company, by=by, verb="create_document", obj=document, at=at, after=after)
    return document


@transaction.atomic
def update_document(
    *, company: Company, by: Membership | None, at: datetime, document: DocumentLink, **fields
) -> DocumentLink:
    """Change a link; fields not given stay; `by` None: a departure passes it on. Raises what `create_document` raises."""
    locked = DocumentLink.objects.select_for_update().get(company=company, pk=document.pk)
    _check_keeps(by, locked.channel)
    before, after = changes({name: getattr(locked, name) for name in fields}, fields)
    for name, value in fields.items():
        setattr(locked, name, value.strip() if isinstance(value, str) else value)
    _check_keeps(by, locked.channel)
    if after:
        _save(locked)
        audit.record(
            company=company, by=by, verb="update_document", obj=locked, at=at,
            before={"name": locked.title, **before}, after={"name": locked.title, **after},
        )  # fmt: skip
    return locked


@transaction.atomic
def remove_document(*, company: Company, by: Membership, at: datetime, document: DocumentLink) -> None:
    """Take a link out of the list; the document itself is not ours to touch. Raises NotYours."""
    _check_keeps(by, document.channel)
    before = {"name": document.title, "url": document.url}
    audit.record(company=company, by=by, verb="remove_document", obj=document, at=at, before=before)
    DocumentLink.objects.filter(company=company, pk=document.pk).delete()


def _check_keeps(by: Membership | None, channel: Channel | None) -> None:
    if by is not None and not registry.may_keep(by, channel):
        raise NotYours(_("You keep the documents of your own channels: choose one of them."))


def _save(document: DocumentLink) -> None:
    parts = urlsplit(document.url) if document.url.isprintable() else None
    if parts is None or parts.scheme.lower() not in SCHEMES or not parts.hostname:
        raise refuse("url", "scheme", _("Write the whole address of the document: it begins with https:// or http://."))
    if parts.password or secrets.has_marked_secret(document.url):
        raise refuse(
            "url", "secret", _("There is a password or a token in this address: take it out and share the document.")
        )
    check_fields(document)
    try:
        with transaction.atomic():
            document.save()
    except IntegrityError as error:
        message = _("This address is in the list already.")
        raise DocumentExists(message, [FieldError("url", "exists", message)]) from error
