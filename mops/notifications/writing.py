"""Messages become Notification and Delivery rows: each once per person and key, however often they are written."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import translation
from django.utils.text import Truncator

from mops.models import Delivery, Notification
from roles.models import Company, Membership

LONGEST_TITLE = 200


@dataclass(frozen=True)
class Message:
    """One thing to tell one person. `words` gives (title, text); it is called in the person's language."""

    person: Membership
    key: str
    words: Callable[[], tuple[str, str]]
    url: str
    mailed: bool = True


def write(*, company: Company, at: datetime, messages: Iterable[Message]) -> int:
    """Write what has not been written yet, with an e-mail due at once; returns how many messages were given.

    Two workers may do this at the same moment: the unique keys of both tables decide, and nothing is lost between them,
    because the deliveries are made from the rows that stand, not from those this call inserted.
    """
    wanted = [message for message in messages if message.person.is_active]
    if not wanted:
        return 0
    with transaction.atomic():
        Notification.objects.bulk_create([_row(company, at, message) for message in wanted], ignore_conflicts=True)
        keys = {(message.person.pk, message.key): message.mailed for message in wanted}
        rows = Notification.objects.filter(company=company, key__in={key for _person, key in keys}, deliveries=None)
        Delivery.objects.bulk_create(
            [
                Delivery(company=company, notification=row, way=Delivery.Way.EMAIL, next_attempt_at=at)
                for row in rows
                if keys.get((row.person_id, row.key))
            ],
            ignore_conflicts=True,
        )
    return len(wanted)


def _row(company: Company, at: datetime, message: Message) -> Notification:
    with translation.override(message.person.user.language):
        title, text = message.words()
    return Notification(
        company=company, person=message.person, key=message.key, title=Truncator(title).chars(LONGEST_TITLE), text=text,
        url=message.url, created_at=at,
    )  # fmt: skip
