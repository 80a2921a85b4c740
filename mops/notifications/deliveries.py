"""E-mails of the outbox: leased, sent outside any transaction, tried again for some hours; at least once, with a constant id."""

import logging
import secrets
import time
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db.models import F, Q
from django.template.loader import render_to_string
from django.utils import translation

from mops.models import Delivery
from roles.models import Company

log = logging.getLogger("mops.mail")
LEASE = timedelta(minutes=2)
RETRIES = (
    timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=5),
)  # fmt: skip
PASS_SECONDS = 60
"""A pass stops after this time and leaves the rest to the next one, so that a slow mail server holds no worker for long."""


def send_due(company: Company, at: datetime) -> int:
    """Send every e-mail of the company that is due at a moment; returns how many went out."""
    begun, sent = time.monotonic(), 0
    connection = None
    while time.monotonic() - begun < PASS_SECONDS:
        now = at + timedelta(seconds=time.monotonic() - begun)
        delivery = _claim(company, now)
        if delivery is None:
            break
        connection = connection or get_connection()
        sent += _deliver(delivery, connection, now)
    if connection is not None:
        connection.close()
    return sent


def _claim(company: Company, now: datetime) -> Delivery | None:
    """Lease one due delivery by a conditional UPDATE; None when nothing is left or somebody else was quicker with all."""
    due = Delivery.objects.filter(company=company, state=Delivery.State.WAITING, next_attempt_at__lte=now).filter(
        Q(lease_until=None) | Q(lease_until__lte=now)
    )
    token = secrets.token_hex(16)
    for pk in due.order_by("next_attempt_at", "pk").values_list("pk", flat=True)[:20]:
        if due.filter(pk=pk).update(lease_until=now + LEASE, lease_token=token, attempts=F("attempts") + 1):
            return Delivery.objects.select_related("company", "notification__person__user").get(company=company, pk=pk)
    return None


def _deliver(delivery: Delivery, connection, now: datetime) -> bool:
    """Send it and note the outcome; a failure is noted with the time of the next try. True when it went out."""
    person = delivery.notification.person
    if not person.is_active or not person.user.is_active:
        _settle(delivery, state=Delivery.State.FAILED, error="the person has left", next_attempt_at=None)
        return False
    try:
        message = compose(delivery)
        message.connection = connection
        message.send()
    except Exception as error:  # a mail server may fail in any way; the row keeps the work alive
        connection.close()
        _postpone(delivery, error, now)
        return False
    _settle(delivery, state=Delivery.State.SENT, sent_at=now, error="", next_attempt_at=None)
    return True


def _postpone(delivery: Delivery, error: Exception, now: datetime) -> None:
    log.warning("e-mail %s was not sent (try %s): %s", delivery.pk, delivery.attempts, error)
    words = f"{type(error).__name__}: {error}"[:300]
    if delivery.attempts > len(RETRIES):
        _settle(delivery, state=Delivery.State.FAILED, error=words, next_attempt_at=None)
    else:
        _settle(delivery, error=words, next_attempt_at=now + RETRIES[delivery.attempts - 1])


def _settle(delivery: Delivery, **fields) -> None:
    """Write the outcome while the lease is still ours; a later holder of the lease writes its own."""
    mine = Delivery.objects.filter(company=delivery.company, pk=delivery.pk, lease_token=delivery.lease_token)
    mine.update(lease_until=None, lease_token="", **fields)


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
