"""The link under an e-mail that switches its group off, without signing in: signed, good for ever, it can do nothing else."""

from django.conf import settings
from django.core import signing
from django.urls import reverse

from mops.models import Group, Notification
from mops.notifications.preferences import set_by_mail
from roles import selectors
from roles.models import Company, Membership
from roles.tenancy import company_scope

SALT = "mops.unsubscribe"


def link(notification: Notification) -> str:
    token = signing.dumps([notification.company_id, notification.person_id, notification.group], salt=SALT)
    return settings.PUBLIC_URL + reverse("unsubscribe", args=[token])


def headers(notification: Notification) -> dict[str, str]:
    """RFC 8058: mail programs show a button that posts to the link. Nothing for a message without a group."""
    if not notification.group:
        return {}
    return {"List-Unsubscribe": f"<{link(notification)}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def read(token: str) -> tuple[Membership, Group] | None:
    """Whose link it is and what it is about; None for a link that is not ours or a person who has left."""
    try:
        company_id, person_id, group = signing.loads(token, salt=SALT)
        group = Group(group)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    try:
        with company_scope(company_id) as company:
            person = selectors.get_person_by_id(company=company, pk=person_id)
    except Company.DoesNotExist:
        return None
    return None if person is None else (person, group)


def switch(*, person: Membership, group: Group, wanted: bool) -> None:
    with company_scope(person.company_id) as company:
        set_by_mail(company=company, person=person, group=group, wanted=wanted)
