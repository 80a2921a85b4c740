"""API tokens: made once, shown once, kept as SHA-256."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from roles import audit, selectors
from roles.models import ApiToken, Company, Membership
from roles.permissions import Permission
from roles.refusals import FieldError, Refused

PREFIX = "mops_"
SCOPE_WORDS = {
    "read": gettext_lazy("read what its person may read"),
    "facts:write": gettext_lazy("load and correct facts"),
    "reports:write": gettext_lazy("file plans and facts of the week"),
    "decisions:write": gettext_lazy("sign decisions"),
    "tasks:write": gettext_lazy("do own tasks: steps of briefs, answers to a handover, duties of a hat"),
    "admin": gettext_lazy("all of it, and channels, KPIs, rules too"),
}


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def create_token(
    *, company: Company, person: Membership, by: Membership | None, name: str, scopes: list[str], at: datetime,
    lifetime: timedelta | None = None,
) -> tuple[ApiToken, str]:  # fmt: skip
    """A new token of a person and its secret, which nobody will see again. Refused for an unknown or empty scope list."""
    if not scopes or set(scopes) - set(ApiToken.SCOPES):
        known = ", ".join(ApiToken.SCOPES)
        message = _("Choose scopes from: %(known)s.") % {"known": known}
        raise Refused(message, [FieldError("scopes", "unknown_scope", message)])
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        company=company, person=person, name=name, digest=digest(secret), hint=secret[:10], scopes=sorted(set(scopes)),
        created_at=at, expires_at=at + (ApiToken.default_lifetime() if lifetime is None else lifetime),
    )  # fmt: skip
    audit.record(
        company=company, by=by, verb="create_token", obj=token, at=at, after={"name": name, "scopes": token.scopes}
    )
    return token, secret


@transaction.atomic
def revoke_token(*, company: Company, token: ApiToken, by: Membership, at: datetime) -> None:
    """From the next request on the token is unknown; doing it twice changes nothing."""
    if ApiToken.objects.filter(company=company, pk=token.pk, revoked_at=None).update(revoked_at=at):
        audit.record(company=company, by=by, verb="revoke_token", obj=token, at=at, after={"name": token.name})


def find(*, secret: str, at: datetime) -> ApiToken | None:
    """The valid token behind a secret, with its person, login and company; None when there is none."""
    known = ApiToken.objects.select_related("person__user", "person__company")
    token = selectors.the_one(known.filter(digest=digest(secret), person__is_active=True, person__user__is_active=True))
    return token if token and token.is_valid(at) else None


def touch(*, token: ApiToken, at: datetime) -> None:
    """Remember that it is in use; called at most once in five minutes, so that a read stays a read."""
    ApiToken.objects.filter(pk=token.pk).update(last_used_at=at)


def tokens_of(*, company: Company, person: Membership | None = None):
    found = ApiToken.objects.filter(company=company).select_related("person__user").order_by("-created_at")
    return found.filter(person=person) if person else found


def visible_tokens(*, company: Company, person: Membership):
    """Whose tokens a person sees and may revoke: everybody's for who manages the company, else only the own ones."""
    return tokens_of(company=company, person=None if person.can(Permission.MANAGE_COMPANY) else person)


def get_token(*, company: Company, person: Membership, pk: int) -> ApiToken | None:
    return visible_tokens(company=company, person=person).filter(pk=pk).first()
