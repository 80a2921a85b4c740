"""What a person has been told: reading it, and marking it read. A mark is nobody else's business, so it leaves no audit event."""

from datetime import datetime

from django.db.models import QuerySet

from mops.models import Notification
from roles.models import Company, Membership

SHOWN = 100


def notifications_of(*, company: Company, person: Membership) -> QuerySet[Notification]:
    """The newest hundred of a person, newest first."""
    return Notification.objects.filter(company=company, person=person, shown=True)[:SHOWN]


def get_notification(*, company: Company, person: Membership, pk: int) -> Notification | None:
    """One of the person's own; None for anybody else's."""
    return Notification.objects.filter(company=company, person=person, pk=pk).first()


def mark_read(*, company: Company, person: Membership, at: datetime, pk: int | None = None) -> int:
    """Mark one notification of a person as read, or all of them; returns how many were unread."""
    unread = Notification.objects.filter(company=company, person=person, read_at=None)
    return (unread if pk is None else unread.filter(pk=pk)).update(read_at=at)
