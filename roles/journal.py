"""The journal: audit events in words. Services write codes; here each gets its sentence in the reader's language."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Model
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from roles import formats, selectors
from roles.journal_words import CHOICES, CONTEXT, FIELDS, NAMES, OBJECTS, VERBS
from roles.models import AuditEvent, Channel, Company, Membership
from roles.signals import formula_is_told

PAGE = 50


@dataclass(frozen=True)
class Change:
    """One field of an event: `before` None where the event only says what is."""

    label: str
    before: str | None
    after: str


@dataclass(frozen=True)
class Line:
    """An event in words. `who` None: the system."""

    event: AuditEvent
    who: Membership | None
    what: str
    about: str
    changes: list[Change]


@dataclass(frozen=True)
class Page:
    lines: list[Line]
    older: int | None
    """The id before which the next page begins; None on the last one."""


def journal(
    *, company: Company, person: Membership | None = None, about: str = "", since: date | None = None,
    until: date | None = None, before: int | None = None, details: bool = True, obj: Model | None = None,
) -> Page:  # fmt: skip
    """Events, newest first, one page. `details` False leaves out what changed: it may name money. `obj`: of one object."""
    found = AuditEvent.objects.filter(company=company).select_related("by__user").order_by("-pk")
    found = found.filter(by=person) if person else found
    found = found.filter(object_type=about) if about else found
    found = found.filter(object_type=obj._meta.label_lower, object_id=str(obj.pk)) if obj else found
    found = found.filter(at__gte=_midnight(company, since)) if since else found
    found = found.filter(at__lt=_midnight(company, until + timedelta(days=1))) if until else found
    found = found.filter(pk__lt=before) if before else found
    events = list(found[: PAGE + 1])
    older = events[PAGE - 1].pk if len(events) > PAGE else None
    return Page(lines(company=company, events=events[:PAGE], details=details), older)


def acts(*, company: Company, person: Membership, verbs: tuple[str, ...], since: date, until: date) -> list[AuditEvent]:
    """What a person did in the days since–until (both included), of these verbs, oldest first."""
    found = AuditEvent.objects.filter(company=company, by=person, verb__in=verbs, at__gte=_midnight(company, since))
    return list(found.filter(at__lt=_midnight(company, until + timedelta(days=1))).select_related("by__user"))


def lines(*, company: Company, events: list[AuditEvent], details: bool) -> list[Line]:
    """These events in words."""
    words = _words(company) if details else None
    return [_line(event, words) for event in events]


def objects_of(*, company: Company) -> list[tuple[str, str]]:
    """The kinds of objects that have events, with their names: choices of the filter."""
    kinds = AuditEvent.objects.filter(company=company).order_by().values_list("object_type", flat=True).distinct()
    return sorted(((kind, str(OBJECTS.get(kind, kind))) for kind in kinds), key=lambda pair: pair[1])


def _words(company: Company) -> dict:
    return CHOICES | {"role": _role_words(company), "channel": _channel_words(company), "formula": _Formulas(company)}


class _Formulas:
    """Formulas in words, told by the layer that knows them; asked only for those that an event has."""

    def __init__(self, company: Company):
        self.company = company

    def get(self, text: str, default: str) -> str:
        told = formula_is_told.send(sender=None, company=self.company, text=text)
        return next((words for _receiver, words in told if words), default)


def _midnight(company: Company, day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=company.zone)


def _role_words(company: Company) -> dict[str, str]:
    return {version.role.code: version.name for version in selectors.roles(company=company)}


def _channel_words(company: Company) -> dict[int, str]:
    """Names for the events that keep a channel by its id."""
    return dict(Channel.objects.filter(company=company).values_list("pk", "name"))


def _line(event: AuditEvent, words: dict | None) -> Line:
    """`words`: field → code → word; None leaves out what changed."""
    told = {**(event.before or {}), **(event.after or {})}
    about = next((str(told[name]) for name in NAMES if told.get(name)), "")
    what = str(VERBS.get(event.verb) or event.verb.replace("_", " ").capitalize())
    return Line(event, event.by, what, about, [] if words is None else _changes(event, about, words))


def _changes(event: AuditEvent, about: str, words: dict) -> list[Change]:
    """The fields that the journal tells of: changed ones with both values, of a new object those that say something."""
    before, after = event.before or {}, event.after or {}
    told = []
    for name, label in FIELDS.items():
        old, new = before.get(name), after.get(name)
        if name in before and name in after and (old != new or name not in CONTEXT):
            if old != new:
                told.append(Change(str(label), _word(name, old, words), _word(name, new, words)))
        elif (value := new if name in after else old) not in (None, "", []) and str(value) != about:
            told.append(Change(str(label), None, _word(name, value, words)))
    return told


def _word(name: str, value, words: dict) -> str:
    if value is None or value == "":
        return formats.NOTHING
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, str) and (day := _day(value)):
        return formats.day(day)
    return str(words.get(name, {}).get(value, value)) if isinstance(value, str | int) else str(value)


def _day(text: str) -> date | None:
    try:
        return parse_date(text) if len(text) == 10 else None
    except ValueError:
        return None
