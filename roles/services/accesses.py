"""The registry of the business's accounts: adding, changing, checking and closing. A secret is refused, never kept."""

from collections.abc import Iterable
from datetime import date, datetime

from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _

from roles import audit, registry, secrets
from roles.models import Access, AccessAdministrator, AccessChannel, Channel, Company, Membership
from roles.refusals import Conflict, FieldError, Forbidden, Refused
from roles.validation import changes, check_fields, refuse

FIELDS = (
    "system", "identifier", "owned_by", "owner_name", "owner_person", "contractor", "contractor_until", "recovery", "paid_by",
    "secret_place", "two_factor", "note",
)  # fmt: skip
PROSE = ("secret_place", "note", "paid_by", "owner_name")
"""Fields of words, where anything scrambled is a secret; the others hold numbers of accounts and addresses."""


class AccessExists(Conflict):
    code = "access_exists"


class AccessClosed(Conflict):
    code = "access_closed"


class NotYours(Forbidden):
    code = "not_yours"


@transaction.atomic
def create_access(
    *, company: Company, by: Membership | None, at: datetime, today: date, channels: Iterable[Channel] = (),
    administrators: Iterable[Membership] = (), checked_on: date | None = None, **fields,
) -> Access:  # fmt: skip
    """Register an account. `checked_on`: the last check that the company's own table knew of, not after today.

    Raises Refused with the fields (a password among them is never kept) and AccessExists.
    """
    access = Access(company=company, registered_on=today, changed_at=at, checked_on=checked_on, **fields)
    _check(access)
    if checked_on is not None and checked_on > today:
        raise refuse("checked_on", "future", _("The last check cannot lie in the future."))
    _save(access)
    _link(access, channels, administrators)
    audit.record(company=company, by=by, verb="create_access", obj=access, at=at, after=_told(access))
    return access


@transaction.atomic
def update_access(
    *, company: Company, by: Membership | None, at: datetime, access: Access, reason: str = "",
    channels: Iterable[Channel] | None = None, administrators: Iterable[Membership] | None = None, **fields,
) -> Access:  # fmt: skip
    """Change an account; fields not given stay. Raises Refused with the fields, AccessExists and AccessClosed."""
    locked = _lock(company, access)
    before, after = changes({name: getattr(locked, name) for name in fields}, fields)
    told = _linked(locked)
    for name, value in fields.items():
        setattr(locked, name, value)
    _check(locked)
    _link(locked, channels, administrators)
    now_told = _linked(locked)
    before |= {name: told[name] for name in told if told[name] != now_told[name]}
    after |= {name: now_told[name] for name in told if told[name] != now_told[name]}
    if after:
        locked.changed_at = at
        _save(locked)
        audit.record(
            company=company, by=by, verb="update_access", obj=locked, at=at, reason=reason,
            before={"name": str(locked), **before}, after={"name": str(locked), **after},
        )  # fmt: skip
    return locked


@transaction.atomic
def check_access(*, company: Company, by: Membership, at: datetime, today: date, access: Access) -> Access:
    """Somebody has looked today: the account opens and its row tells the truth. Raises NotYours, AccessClosed."""
    locked = _lock(company, access)
    channels = list(locked.channels.all())
    if not registry.may_check(by, channels):
        raise NotYours(_("The project manager, the owner and the owner of its channel check this access."))
    before = {"name": str(locked), "checked_on": locked.checked_on.isoformat() if locked.checked_on else None}
    locked.checked_on, locked.checked_by, locked.changed_at = today, by, at
    locked.save(update_fields=["checked_on", "checked_by", "changed_at"])
    after = {"name": str(locked), "checked_on": today.isoformat()}
    audit.record(company=company, by=by, verb="check_access", obj=locked, at=at, before=before, after=after)
    return locked


@transaction.atomic
def close_access(*, company: Company, by: Membership, at: datetime, today: date, access: Access, reason: str) -> Access:
    """The account is gone or needed no more: it stays in the history and is asked about no longer. Raises AccessClosed."""
    locked = _lock(company, access)
    locked.closed_on, locked.changed_at = today, at
    locked.save(update_fields=["closed_on", "changed_at"])
    audit.record(
        company=company, by=by, verb="close_access", obj=locked, at=at, after={"name": str(locked)}, reason=reason
    )
    return locked


def refuse_secrets(obj: models.Model, prose: Iterable[str], others: Iterable[str] = ()) -> None:
    """Refused, the field named and its text not repeated, when it holds a password, token or key."""
    found = [name for name in prose if secrets.looks_like_secret(getattr(obj, name))]
    found += [name for name in others if secrets.has_marked_secret(getattr(obj, name))]
    if found:
        message = _(
            "This looks like a password or a key. Do not keep it here: name the place where it lies, "
            "“1Password, the Marketing vault”, and change the password if others have seen it."
        )
        raise Refused(message, [FieldError(name, "secret", message) for name in found])


def _check(access: Access) -> None:
    for name in (*PROSE, "system", "identifier", "recovery"):
        setattr(access, name, (getattr(access, name) or "").strip())
    refuse_secrets(access, PROSE, ("system", "identifier", "recovery"))
    check_fields(access)
    if access.owned_by == Access.OwnedBy.CONTRACTOR and access.contractor_id is None:
        raise refuse("contractor", "required", _("Choose the contractor that owns the account."))
    if access.owned_by == Access.OwnedBy.PERSON and access.owner_person_id is None and not access.owner_name:
        raise refuse("owner_person", "required", _("Say who owns the account: choose a person or write the name."))
    if access.owned_by != Access.OwnedBy.PERSON:
        access.owner_person = None
    if access.contractor_id is None:
        access.contractor_until = None


def _lock(company: Company, access: Access) -> Access:
    """The access read for writing; a closed one is refused."""
    locked = Access.objects.select_for_update().get(company=company, pk=access.pk)
    if locked.closed_on is not None:
        raise AccessClosed(_("This access is closed: its history stays as it is."))
    return locked


def _save(access: Access) -> None:
    try:
        with transaction.atomic():
            access.save()
    except IntegrityError as error:
        message = _("%(system)s with the login %(identifier)s is in the registry already.") % {
            "system": access.system, "identifier": access.identifier,
        }  # fmt: skip
        raise AccessExists(message, [FieldError("identifier", "exists", message)]) from error


def _link(access: Access, channels, administrators) -> None:
    """Make the rows of both lists as given; None leaves a list as it is."""
    if channels is not None:
        relink(AccessChannel, "access", access, "channel", channels)
    if administrators is not None:
        relink(AccessAdministrator, "access", access, "person", administrators)


def relink(model: type[models.Model], near: str, obj: models.Model, far: str, wanted: Iterable[models.Model]) -> None:
    """Bring the rows between an object and others in line with those wanted; what stands is not touched."""
    mine = model.objects.filter(company=obj.company_id, **{near: obj})
    standing = set(mine.values_list(f"{far}_id", flat=True))
    named = {row.pk: row for row in wanted}
    if gone := standing - set(named):
        mine.filter(**{f"{far}__in": gone}).delete()
    model.objects.bulk_create(
        model(company_id=obj.company_id, **{near: obj, far: row}) for pk, row in named.items() if pk not in standing
    )


def _linked(access: Access) -> dict:
    return {
        "channels": ", ".join(channel.name for channel in access.channels.all()),
        "administrators": ", ".join(str(person) for person in access.administrators.select_related("user")),
    }


def _told(access: Access) -> dict:
    """An access as the journal keeps it."""
    return {"name": str(access), "owned_by": access.owned_by, "owner_name": access.owner, **_linked(access)}
