"""E-mails and Telegram messages of the outbox: sent outside any transaction, tried again for some hours; at least once, with a constant id."""

import logging
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db.models import F, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from mops.models import Delivery
from mops.notifications import outbox, unsubscribing
from mops.notifications.outbox import Outcome
from mops.notifications.preferences import Wishes, wishes_of
from mops.telegram import sending as telegram
from roles.models import Company

log = logging.getLogger("mops.mail")
SILENCE = frozenset({"name", "connect", "tls", "timeout"})
RETRIES = (
    timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=5),
)  # fmt: skip


def send_due(company: Company, at: datetime) -> int:
    """Send every message of the company's people that is due at a moment; returns how many went out."""
    with _Postman() as postman:
        return outbox.run_pass(lambda: rows_of(company).exclude(way__in=postman.silent), postman.send, at, RETRIES)


def rows_of(company: Company) -> QuerySet[Delivery]:
    return Delivery.objects.filter(company=company).select_related("company", "notification__person__user")


class _Postman:
    """Sends by each way, unless the person does not want it any more or keeps quiet hours now; one mail connection for a whole
    pass, opened when the first e-mail needs it."""

    def __init__(self):
        self.connection = None
        self.wishes: dict[int, Wishes] = {}
        self.silent: set[str] = set()
        """Ways that gave no answer: left alone for the rest of the pass, so that e-mails do not wait for a dead Telegram."""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.connection is not None:
            self.connection.close()

    def send(self, delivery: Delivery, now: datetime) -> Outcome | None:
        said, person = delivery.notification, delivery.notification.person
        if not person.is_active or not person.user.is_active:
            return Outcome("left", final=True)
        wishes = self._wishes(delivery)
        if wishes.refuses(said.group, delivery.way):
            return Outcome("unwanted", dropped=True)
        if until := wishes.quiet_until_after(now, delivery.company.zone, said.group):
            # Put off, not tried: the attempt that the claim counted is given back.
            outbox.settle(delivery, next_attempt_at=until, attempts=F("attempts") - 1)
            return None
        return self._telegram(delivery, now) if delivery.way == Delivery.Way.TELEGRAM else self._mail(delivery)

    def _telegram(self, delivery: Delivery, now: datetime) -> Outcome:
        outcome = telegram.send(delivery, now)
        if outcome.code in SILENCE:
            self.silent.add(delivery.way)
        return outcome

    def _wishes(self, delivery: Delivery) -> Wishes:
        person = delivery.notification.person
        if person.pk not in self.wishes:
            self.wishes |= wishes_of(company=delivery.company, people=[person])
        return self.wishes[person.pk]

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
        "unsubscribe": unsubscribing.link(notification) if notification.group else "",
        "preferences": settings.PUBLIC_URL + reverse("mops:preference-update", args=[delivery.company.slug]),
    }  # fmt: skip
    with translation.override(user.language):
        text = render_to_string("mops/notification_mail.txt", context)
        html = render_to_string("mops/notification_mail.html", context)
    message = EmailMultiAlternatives(
        subject=f"{delivery.company.name}: {notification.title}", body=text, to=[user.email],
        headers={
            "Message-ID": message_id(delivery), "Auto-Submitted": "auto-generated", **unsubscribing.headers(notification),
        },
    )  # fmt: skip
    message.attach_alternative(html, "text/html")
    return message


def send_now(delivery: Delivery, at: datetime) -> Delivery:
    """One attempt while somebody waits for its result; the row as it is afterwards."""
    mine = rows_of(delivery.company).filter(pk=delivery.pk)
    with _Postman() as postman:
        if row := outbox.claim(mine, at):
            outbox.attempt(row, postman.send, at, RETRIES)
    return mine.get()


def message_id(delivery: Delivery) -> str:
    return f"<delivery-{delivery.pk}.{delivery.notification_id}@{urlsplit(settings.PUBLIC_URL).hostname}>"
