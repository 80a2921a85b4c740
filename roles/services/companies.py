"""Starting a company and changing what is written about it."""

from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django_scopes import scope

from roles import audit
from roles.models import Company, Membership, Role, User
from roles.permissions import RoleKind
from roles.refusals import Conflict, FieldError
from roles.services import hats
from roles.services.conflicts import install_builtin_pairs
from roles.services.roles import install_builtin_roles
from roles.validation import changes, check_fields

FIELDS = ("name", "tagline", "timezone", "language", "currency", "evaluate_at")


class AddressTaken(Conflict):
    code = "address_taken"


@transaction.atomic
def create_company(
    *, slug: str, name: str, owner: User, at: datetime, today: date | None = None, tagline: str = "",
    timezone: str = "Europe/Moscow", language: str = "ru", currency: str = "RUB", is_sample: bool = False,
) -> Company:  # fmt: skip
    """A company with the built-in roles and its first person, who wears the owner's hat from `today`.

    `today`: the local date of `at` when not given. KPIs belong to an upper layer: the caller installs them in the same
    transaction. Raises AddressTaken, or Refused with the wrong fields.
    """
    company = Company(
        slug=slug,
        name=name,
        tagline=tagline,
        timezone=timezone,
        language=language,
        currency=currency,
        is_sample=is_sample,
    )
    check_fields(company)
    today = today or company.local_date(at)
    try:
        with transaction.atomic():
            company.save()
    except IntegrityError as error:
        message = _("The address %(slug)s is taken: choose another one.") % {"slug": slug}
        raise AddressTaken(message, [FieldError("slug", "taken", message)]) from error
    with scope(company=company):
        install_builtin_roles(company=company, at=at, today=today)
        install_builtin_pairs(company=company, at=at, today=today)
        person = Membership.objects.create(company=company, user=owner, joined_on=today)
        audit.record(
            company=company, by=person, verb="create_company", obj=company, at=at, after={"name": name, "slug": slug}
        )
        role = Role.objects.get(company=company, code=RoleKind.OWNER)
        hats.appoint(company=company, by=None, at=at, today=today, role=role, person=person)
    return company


@transaction.atomic
def update_company(*, company: Company, by: Membership | None, at: datetime, reason: str = "", **fields) -> Company:
    """Change name, tagline, timezone, language, currency or evaluate_at; fields not given stay. Raises Refused."""
    unknown = set(fields) - set(FIELDS)
    if unknown:
        raise TypeError(f"not a field of a company: {sorted(unknown)}")
    locked = Company.objects.select_for_update().get(pk=company.pk)
    before, after = changes({name: getattr(locked, name) for name in fields}, fields)
    if not after:
        return locked
    for name, value in fields.items():
        setattr(locked, name, value)
    check_fields(locked)
    locked.save(update_fields=list(after))
    audit.record(
        company=locked, by=by, verb="update_company", obj=locked, at=at, before=before, after=after, reason=reason
    )
    return locked
