"""What a line of the table of notifications is made of."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db import models
from django.db.models import QuerySet
from django.urls import reverse

from processes.deciders import Around
from roles.models import AuditEvent, Company, Membership


@dataclass(frozen=True)
class Item:
    """An event and the object it is about."""

    event: AuditEvent
    obj: models.Model


Who = Callable[[Around, Item], Iterable[Membership]]
Words = Callable[[list[Item]], tuple[str, str]]
Where = Callable[[str, list[Item]], str]


@dataclass(frozen=True)
class Kind:
    """One line of the table. `load` gives the objects with what `who` and `words` read of them, in one query or two."""

    load: Callable[[Company], QuerySet]
    who: Who
    words: Words
    where: Where
    by_week: bool = False
    together: bool = False


def with_reason(text: str, event: AuditEvent) -> str:
    """A text with the reason of its event under it."""
    return f"{text}\n{event.reason}" if event.reason else text


def page(name: str) -> Where:
    """The page of the one object, by its id."""
    return lambda slug, items: reverse(name, args=[slug, items[0].obj.pk])
