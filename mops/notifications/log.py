"""What was sent to people, with every attempt; sending it again; a test with its real result."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from mops.models import Delivery, Notification
from mops.notifications import deliveries
from mops.telegram import bots
from roles import audit
from roles.models import Company, Membership
from roles.permissions import Permission
from roles.refusals import Conflict

SHOWN = 100
TEST_EVERY = 10
"""Seconds between two tests of one person and way."""


class TooSoon(Conflict):
    """The last test is only seconds old, or there is nothing to test."""

    code = "too_soon"


def visible(*, company: Company, person: Membership, everybody: bool = False) -> QuerySet[Delivery]:
    """The person's own deliveries, newest first; everybody's for who manages the company and asks for them."""
    rows = Delivery.objects.filter(company=company).select_related("notification__person__user").order_by("-pk")
    if everybody and person.can(Permission.MANAGE_COMPANY):
        return rows
    return rows.filter(notification__person=person)


def get_delivery(*, company: Company, person: Membership, pk: int) -> Delivery | None:
    return visible(company=company, person=person, everybody=True).filter(pk=pk).first()


@transaction.atomic
def replay(*, company: Company, by: Membership, at: datetime, delivery: Delivery) -> None:
    """Send it once more from the start of its retries, with the same id."""
    mine = Delivery.objects.filter(company=company, pk=delivery.pk)
    mine.update(state=Delivery.State.WAITING, attempts=0, next_attempt_at=at)
    audit.record(company=company, by=by, verb="replay_message", obj=delivery, at=at, after={"kind": delivery.way})


def send_test(*, company: Company, person: Membership, way: str, at: datetime) -> Delivery:
    """Send a message to oneself now and return its row with what came of it. Refused when the last test is seconds old, and for
    Telegram without a chat."""
    chat = bots.chat_of(company=company, person=person)
    if way == Delivery.Way.TELEGRAM and (chat is None or chat.chat_id is None):
        raise TooSoon(_("Telegram is not linked yet."))
    with transaction.atomic():
        with translation.override(person.user.language):
            title, text = _("Test of MOPS"), _("If you read this, messages reach you.")
        said, made = Notification.objects.get_or_create(
            company=company, person=person, key=f"test:{way}:{int(at.timestamp()) // TEST_EVERY}",
            defaults={"title": title, "text": text, "created_at": at, "read_at": at, "shown": False},
        )  # fmt: skip
        if not made:
            raise TooSoon(_("A test has just been sent. Wait ten seconds."))
        delivery = Delivery.objects.create(company=company, notification=said, way=way, next_attempt_at=at)
    return deliveries.send_now(delivery, at)
