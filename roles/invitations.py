"""The mail that invites a person: a link that sets the password, or to the door where one is set already."""

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from roles import selectors
from roles.models import Company, User


def send_invitation(*, company: Company, person_id: int) -> None:
    """Write to a member in the company's language; who has left meanwhile gets nothing."""
    person = selectors.get_person_by_id(company=company, pk=person_id)
    if person is None:
        return
    with translation.override(company.language):
        context = {"company": company, "user": person.user, "link": _link(person.user)}
        subject = _("%(company)s invites you to MOPS") % {"company": company.name}
        text = render_to_string("roles/email/invitation.txt", context)
    send_mail(subject, text, None, [person.user.email])


def _link(user: User) -> str:
    """Where the person begins; the key of the link dies with its first use and after PASSWORD_RESET_TIMEOUT."""
    if user.has_usable_password():
        return settings.PUBLIC_URL + reverse("account_login")
    key = default_token_generator.make_token(user)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": key})
    return settings.PUBLIC_URL + path
