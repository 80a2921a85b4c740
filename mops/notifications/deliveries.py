"""E-mails of the outbox: sent outside any transaction, tried again for some hours; at least once, with a constant id."""

import logging
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import translation

from mops.models import Delivery
from mops.notifications import outbox
from mops.notifications.outbox import Outcome
from roles.models import Company

log = logging.getLogger("mops.mail")
RETRIES = (
    timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=5),
)  # fmt: skip


def send_due(company: Company, at: datetime) -> int:
    """Send every message of the company's people that is due at a moment; returns how many went out."""
    with _Postman() as postman:
        return outbox.run_pass(lambda: rows_of(company), postman.send, at, RETRIES)


def rows_of(company: Company) -> QuerySet[Delivery]:
    return Delivery.objects.filter(company=company).select_related("company", "notification__person__user")


class _Postman:
    """Sends by each way; one mail connection for a whole pass, opened when the first e-mail needs it."""

    def __init__(self):
        self.connection = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.connection is not None:
            self.connection.close()

    def send(self, delivery: Delivery, now: datetime) -> Outcome:
        person = delivery.notification.person
        if not person.is_active or not person.user.is_active:
            return Outcome("left", final=True)
        return self._mail(delivery)

    def _mail(self, delivery: Delivery) -> Outcome:
        self.connection = self.connection or get_connection()
        try:
            message = compose(delivery)
            message.connection = self.connection
            message.send()
        except Exception as error:  # a mail server may fail in any way; the row keeps the work alive
            self.connection.close()
            log.warning("e-mail %s was not sent (try %s): %s", delivery.pk, delivery.attempts, error)
            return Outcome("mail_error", f"{type(error).__name__}: {error}")
        return Outcome("mail", sent=True)


def compose(delivery: Delivery) -> EmailMultiAlternatives:
    """The e-mail of a delivery in the person's language: text and HTML. Its Message-ID is the same for every try."""
    notification, user = delivery.notification, delivery.notification.person.user
    context = {
        "notification": notification, "company": delivery.company, "user": user,
        "link": settings.PUBLIC_URL + notification.url if notification.url else "",
    }  # fmt: skip
    with translation.override(user.language):
        text = render_to_string("mops/notification_mail.txt", context)
        html = render_to_string("mops/notification_mail.html", context)
    message = EmailMultiAlternatives(
        subject=f"{delivery.company.name}: {notification.title}", body=text, to=[user.email],
        headers={"Message-ID": message_id(delivery), "Auto-Submitted": "auto-generated"},
    )  # fmt: skip
    message.attach_alternative(html, "text/html")
    return message


def message_id(delivery: Delivery) -> str:
    return f"<delivery-{delivery.pk}.{delivery.notification_id}@{urlsplit(settings.PUBLIC_URL).hostname}>"
