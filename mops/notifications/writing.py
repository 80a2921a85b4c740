"""Messages become Notification and Delivery rows: each once per person and key, however often they are written."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import translation
from django.utils.text import Truncator

from mops.models import Delivery, Group, Notification
from mops.notifications import preferences
from mops.notifications.preferences import Wishes
from mops.telegram.bots import linked_people
from processes.deciders import around
from roles.models import Company, Membership

LONGEST_TITLE = 200


@dataclass(frozen=True)
class Message:
    """One thing to tell one person. `words` gives (title, text); it is called in the person's language."""

    person: Membership
    key: str
    words: Callable[[], tuple[str, str]]
    url: str
    group: Group


def write(*, company: Company, at: datetime, messages: Iterable[Message]) -> int:
    """Write what has not been written yet, with a delivery due at once for each way its person wants; returns how many
    messages were given. Quiet hours are looked at when it is sent.

    Two workers may do this at the same moment: the unique keys of both tables decide, and nothing is lost between them,
    because the deliveries are made from the rows that stand, not from those this call inserted.
    """
    wanted = [message for message in messages if message.person.is_active]
    if not wanted:
        return 0
    known = preferences.wishes_of(
        company=company, people=(message.person for message in wanted),
        around=around(company=company, on=company.local_date(at)),
    )  # fmt: skip
    linked = linked_people(company=company)
    with transaction.atomic():
        Notification.objects.bulk_create(
            [_row(company, at, message, known) for message in wanted], ignore_conflicts=True
        )
        keys = {(message.person.pk, message.key) for message in wanted}
        rows = Notification.objects.filter(company=company, key__in={key for _person, key in keys}, deliveries=None)
        Delivery.objects.bulk_create(
            [
                Delivery(company=company, notification=row, way=way, next_attempt_at=at)
                for row in rows
                if (row.person_id, row.key) in keys
                for way in Delivery.Way.values
                if known[row.person_id].wants(row.group, way)
                and (way != Delivery.Way.TELEGRAM or row.person_id in linked)
            ],
            ignore_conflicts=True,
        )
    return len(wanted)


def _row(company: Company, at: datetime, message: Message, known: dict[int, Wishes]) -> Notification:
    """One that is not wanted in the app is kept as read: it is the outbox row of the other ways."""
    with translation.override(message.person.user.language):
        title, text = message.words()
    shown = known[message.person.pk].wants(message.group, preferences.APP)
    return Notification(
        company=company, person=message.person, key=message.key, title=Truncator(title).chars(LONGEST_TITLE), text=text,
        url=message.url, created_at=at, group=message.group, shown=shown, read_at=None if shown else at,
    )  # fmt: skip
