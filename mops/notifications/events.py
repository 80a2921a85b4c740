"""Reads the audit events that a company has not heard of yet and tells the people of `table.KINDS` and the
endpoints that chose them, each once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from mops.models import Progress
from mops.moments import SETTLED_AFTER
from mops.notifications import table
from mops.notifications.groups import OF_VERB
from mops.notifications.table import Item, Kind
from mops.notifications.writing import Message, write
from mops.webhooks import sending
from processes.deciders import Around, around
from roles.models import AuditEvent, Company, Membership

BATCH = 500
NEWS = timedelta(days=2)
"""Older events are history (a year loaded at once, a restored backup): nobody is told."""


def tell(company: Company, at: datetime) -> int:
    """Write the notifications of every event since the last pass; returns how many messages were given.

    Events seen in the last minutes are read again: PostgreSQL may commit a lower id after a higher one. Keys make the
    second reading silent.
    """
    progress = Progress.objects.get(company=company)
    start, told = progress.settled_event_id, 0
    while batch := list(_events(company, start)):
        news = [event for event in batch if event.at > at - NEWS]
        told += write(company=company, at=at, messages=messages_of(company, at, news))
        sending.collect(company, at, news)
        start = batch[-1].pk
    _advance(progress, max(start, progress.seen_event_id), at)
    return told


def _events(company: Company, after: int):
    return AuditEvent.objects.filter(company=company, pk__gt=after).order_by("pk").select_related("by")[:BATCH]


def _advance(progress: Progress, seen: int, at: datetime) -> None:
    """What was seen some minutes ago is settled; what is seen now is marked, to be settled some minutes from now."""
    fields = {"seen_event_id": seen}
    if progress.marked_at is None or not at - SETTLED_AFTER < progress.marked_at <= at:
        fields |= {"settled_event_id": progress.marked_event_id, "marked_event_id": seen, "marked_at": at}
    Progress.objects.filter(pk=progress.pk, company=progress.company).update(**fields)


def messages_of(company: Company, at: datetime, events: Iterable[AuditEvent]) -> Iterator[Message]:
    """What these events say to whom, as the table has it."""
    by_verb: dict[str, list[AuditEvent]] = defaultdict(list)
    for event in events:
        if event.verb in table.KINDS:
            by_verb[event.verb].append(event)
    if not by_verb:
        return
    people = around(company=company, on=company.local_date(at))
    for verb, rows in by_verb.items():
        yield from _of_kind(company, people, verb, table.KINDS[verb], rows)


def _of_kind(company: Company, people: Around, verb: str, kind: Kind, rows: list[AuditEvent]) -> Iterator[Message]:
    objects = {str(obj.pk): obj for obj in kind.load(company).filter(pk__in={row.object_id for row in rows})}
    heaps: dict[tuple[Membership, str], list[Item]] = defaultdict(list)
    for row in rows:
        if obj := objects.get(row.object_id):
            item = Item(row, obj)
            for person in kind.who(people, item):
                if person.pk != row.by_id or verb in table.TELLS_THE_AUTHOR:
                    heaps[person, _key(kind, item)].append(item)
    for (person, key), items in heaps.items():
        yield Message(
            person=person, key=key, words=lambda items=items: kind.words(items), url=kind.where(company.slug, items),
            group=OF_VERB[verb],
        )  # fmt: skip


def _key(kind: Kind, item: Item) -> str:
    """One message per event, or per verb and moment where they are told together, of reports per week too."""
    if kind.together:
        return f"{item.event.verb}:{item.event.at:%Y%m%dT%H%M%S}"
    if not kind.by_week:
        return f"event:{item.event.pk}"
    return f"{item.event.verb}:{item.obj.week:%G-W%V}:{item.event.at:%Y%m%dT%H%M%S}"
