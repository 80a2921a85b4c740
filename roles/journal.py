"""The journal: audit events in words. Services write codes; here each gets its sentence in the reader's language."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from roles import formats
from roles.models import AuditEvent, Channel, Company, Membership

PAGE = 50

VERBS = {
    "create_company": gettext_lazy("Company started"),
    "update_company": gettext_lazy("Company changed"),
    "add_person": gettext_lazy("Person added"),
    "invite_again": gettext_lazy("Invitation sent again"),
    "remove_person": gettext_lazy("Person left"),
    "add_absence": gettext_lazy("Absence marked"),
    "remove_absence": gettext_lazy("Absence taken back"),
    "appoint": gettext_lazy("Appointed"),
    "update_appointment": gettext_lazy("Appointment changed"),
    "end_appointment": gettext_lazy("Appointment ended"),
    "hand_over_channel": gettext_lazy("Channel handed over meanwhile"),
    "change_channel_owner": gettext_lazy("Channel's owner changed"),
    "create_role": gettext_lazy("Role added"),
    "revise_role": gettext_lazy("Role revised"),
    "create_channel": gettext_lazy("Channel added"),
    "update_channel": gettext_lazy("Channel changed"),
    "create_campaign": gettext_lazy("Campaign added"),
    "update_campaign": gettext_lazy("Campaign changed"),
    "create_token": gettext_lazy("Token made"),
    "revoke_token": gettext_lazy("Token revoked"),
}

OBJECTS = {
    "roles.channel": gettext_lazy("Channels"),
    "roles.campaign": gettext_lazy("Campaigns"),
    "roles.membership": gettext_lazy("People"),
    "roles.appointment": gettext_lazy("Appointments"),
    "roles.absence": gettext_lazy("Absences"),
    "roles.role": gettext_lazy("Roles"),
    "roles.company": gettext_lazy("Company"),
    "roles.apitoken": gettext_lazy("Tokens"),
    "kpis.kpi": gettext_lazy("KPIs"),
    "kpis.target": gettext_lazy("Targets"),
    "kpis.metric": gettext_lazy("Metrics"),
    "kpis.source": gettext_lazy("Sources"),
    "kpis.import": gettext_lazy("Loads"),
    "kpis.stoprule": gettext_lazy("Stop-rules"),
    "kpis.breach": gettext_lazy("Breaches"),
    "kpis.dataincident": gettext_lazy("Data incidents"),
    "processes.decision": gettext_lazy("Decisions"),
    "processes.action": gettext_lazy("Actions"),
    "reports.weeklyreport": gettext_lazy("Weekly reports"),
}

FIELDS = {
    "name": gettext_lazy("name"),
    "status": gettext_lazy("status"),
    "state": gettext_lazy("status"),
    "priority": gettext_lazy("priority"),
    "priority_reason": gettext_lazy("why this priority"),
    "kind": gettext_lazy("kind"),
    "owner": gettext_lazy("owner of the channel"),
    "coordinator": gettext_lazy("coordinator"),
    "deputy": gettext_lazy("deputy"),
    "person": gettext_lazy("person"),
    "channel": gettext_lazy("channel"),
    "role": gettext_lazy("role"),
    "starts_on": gettext_lazy("first day"),
    "ends_on": gettext_lazy("last day"),
    "hours_per_week": gettext_lazy("hours a week"),
    "result_kpi": gettext_lazy("result KPI"),
    "monthly_budget": gettext_lazy("budget of the month"),
    "budget": gettext_lazy("budget"),
    "tolerance": gettext_lazy("tolerance, a share"),
    "stop_loss": gettext_lazy("stop-loss"),
    "scopes": gettext_lazy("scopes"),
    "email": gettext_lazy("e-mail"),
    "tagline": gettext_lazy("what the company does"),
    "timezone": gettext_lazy("time zone"),
    "language": gettext_lazy("language"),
    "currency": gettext_lazy("currency"),
    "evaluate_at": gettext_lazy("stop-rules are evaluated at"),
    "line": gettext_lazy("line"),
    "value": gettext_lazy("value"),
    "formula": gettext_lazy("formula"),
    "choice": gettext_lazy("choice"),
    "month": gettext_lazy("month"),
    "measure": gettext_lazy("measure"),
    "until": gettext_lazy("until"),
}
"""What the journal tells of an event; other fields stay in the event itself."""

CHOICES = {
    "status": dict(Channel.Status.choices),
    "priority": dict(Channel.Priority.choices),
    "kind": dict(Channel.Kind.choices),
}
NAMES = ("name", "question", "number", "person", "filename", "measure", "code")


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
    until: date | None = None, before: int | None = None, details: bool = True,
) -> Page:  # fmt: skip
    """Events, newest first, one page. `details` False leaves out what changed: it may name money."""
    found = AuditEvent.objects.filter(company=company).select_related("by__user").order_by("-pk")
    found = found.filter(by=person) if person else found
    found = found.filter(object_type=about) if about else found
    found = found.filter(at__gte=_midnight(company, since)) if since else found
    found = found.filter(at__lt=_midnight(company, until + timedelta(days=1))) if until else found
    found = found.filter(pk__lt=before) if before else found
    events = list(found[: PAGE + 1])
    older = events[PAGE - 1].pk if len(events) > PAGE else None
    return Page([_line(event, details) for event in events[:PAGE]], older)


def objects_of(*, company: Company) -> list[tuple[str, str]]:
    """The kinds of objects that have events, with their names: choices of the filter."""
    kinds = AuditEvent.objects.filter(company=company).order_by().values_list("object_type", flat=True).distinct()
    return sorted(((kind, str(OBJECTS.get(kind, kind))) for kind in kinds), key=lambda pair: pair[1])


def _midnight(company: Company, day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=company.zone)


def _line(event: AuditEvent, details: bool) -> Line:
    told = {**(event.before or {}), **(event.after or {})}
    about = next((str(told[name]) for name in NAMES if told.get(name)), "")
    what = str(VERBS.get(event.verb) or event.verb.replace("_", " ").capitalize())
    return Line(event, event.by, what, about, _changes(event, about) if details else [])


def _changes(event: AuditEvent, about: str) -> list[Change]:
    before, after = event.before or {}, event.after or {}
    told = []
    for name, label in FIELDS.items():
        old, new = before.get(name), after.get(name, before.get(name) if not after else None)
        if name not in before and name not in after:
            continue
        if name in before and name in after and old == new:
            continue
        if str(new) == about and name not in before:
            continue
        told.append(Change(str(label), _word(name, old) if name in before and after else None, _word(name, new)))
    return told


def _word(name: str, value) -> str:
    if value is None or value == "":
        return formats.NOTHING
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, str) and len(value) == 10 and (day := _day(value)):
        return formats.day(day)
    return str(CHOICES.get(name, {}).get(value, value))


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None
