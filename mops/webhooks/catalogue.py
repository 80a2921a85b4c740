"""The types of events that an endpoint may choose, and what each says.

A payload names things by id, code and number; no free text, no name and no address of a person is ever in it. Money is
there only for an endpoint that is allowed it. Whoever needs more asks the API with a token.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from kpis.models import DataIncident, Import, StopRule
from processes.models import Action, Decision, Review
from reports.models import WeeklyReport
from roles.models import AuditEvent, Company

TEST = "webhook.test"


@dataclass(frozen=True)
class Thing:
    """A kind of object: its model, the name of its page, what a payload says of it, and what money it adds."""

    name: str
    model: type[Model]
    page: Callable[[Company, Model], str]
    fields: Callable[[Model], dict]
    related: tuple[str, ...] = ()
    money: Callable[[Model], dict] = lambda obj: {}

    def rows(self, company: Company) -> QuerySet:
        return self.model.objects.filter(company=company).select_related(*self.related)


def _own_page(name: str) -> Callable[[Company, Model], str]:
    return lambda company, obj: reverse(name, args=[company.slug, obj.pk])


def _code(channel) -> str | None:
    return channel.code if channel else None


def _decision(row: Decision) -> dict:
    return {
        "number": f"{row.year}-{row.number}", "state": row.state, "channel": _code(row.channel),
        "campaign": row.campaign.external_id if row.campaign else None, "choice": row.choice or None,
        "recommendation": row.recommendation or None, "opened_at": row.opened_at, "deadline_at": row.deadline_at,
        "signed_at": row.signed_at, "signed_as": row.signed_as or None,
    }  # fmt: skip


def _decision_money(row: Decision) -> dict:
    seen = row.kept_evidence
    known = seen.get("burned") if seen.get("is_money") else None
    return {"over_the_line": known, "currency": row.company.currency}


def _report(row: WeeklyReport) -> dict:
    return {
        "week": f"{row.week:%G-W%V}", "channel": row.channel.code, "state": row.state, "timeliness": row.timeliness or None,
        "plan_timeliness": row.plan_timeliness or None, "plan_due_at": row.plan_due_at, "fact_due_at": row.fact_due_at,
    }  # fmt: skip


def _action(row: Action) -> dict:
    return {
        "state": row.state, "kind": row.kind, "due_on": row.due_on, "channel": _code(row.channel), "carried": row.carried,
        "decision": row.decision_id,
    }  # fmt: skip


def _review(row: Review) -> dict:
    return {"decision": row.decision_id, "kind": row.kind, "state": row.state, "verdict": row.verdict or None}


def _load(row: Import) -> dict:
    return {
        "source": row.source.code, "state": row.state, "created": row.created, "changed": row.changed,
        "first_day": row.first_day, "last_day": row.last_day,
    }  # fmt: skip


def _incident(row: DataIncident) -> dict:
    return {
        "kind": row.kind, "state": row.state, "channel": _code(row.channel), "first_day": row.first_day,
        "last_day": row.last_day,
    }  # fmt: skip


DECISION = Thing(
    "decision", Decision, _own_page("processes:decision-detail"), _decision, ("company", "channel", "campaign"),
    _decision_money,
)  # fmt: skip
REPORT = Thing("weekly_report", WeeklyReport, _own_page("reports:weekly-report-detail"), _report, ("channel",))
ACTION = Thing(
    "action", Action, lambda company, obj: reverse("processes:action-list", args=[company.slug]), _action, ("channel",)
)
REVIEW = Thing(
    "review",
    Review,
    lambda company, obj: reverse("processes:decision-detail", args=[company.slug, obj.decision_id]),
    _review,
)
LOAD = Thing("import", Import, _own_page("kpis:import-detail"), _load, ("source",))
INCIDENT = Thing("data_incident", DataIncident, _own_page("kpis:data-incident-detail"), _incident, ("channel",))
RULE = Thing("stop_rule", StopRule, _own_page("kpis:stop-rule-detail"), lambda row: {"number": row.number})


@dataclass(frozen=True)
class EventType:
    """One line of the list to choose from: the name in the payload, words for people, and the audit verbs that mean it."""

    name: str
    label: str
    thing: Thing
    verbs: tuple[str, ...]


TYPES = (
    EventType("decision.opened", _("A decision waits"), DECISION, ("open_decision",)),
    EventType("decision.proposed", _("A second signature is asked for"), DECISION, ("propose_decision",)),
    EventType("decision.signed", _("A decision is signed"), DECISION, ("sign_decision", "cosign_decision")),
    EventType("decision.refused", _("The second signature is refused"), DECISION, ("refuse_decision",)),
    EventType("decision.late", _("The deadline of a decision has passed"), DECISION, ("miss_decision_deadline",)),
    EventType("decision.withdrawn", _("A decision is withdrawn"), DECISION, ("withdraw_decision",)),
    EventType("review.opened", _("It is time to see what came of a decision"), REVIEW, ("open_review",)),
    EventType("review.closed", _("What came of a decision is written"), REVIEW, ("close_review",)),
    EventType("report.plan_filed", _("A plan of the week is filed"), REPORT, ("submit_weekly_plan",)),
    EventType("report.fact_filed", _("A fact of the week is filed"), REPORT, ("submit_weekly_fact",)),
    EventType("report.late", _("A plan or a fact is late"), REPORT, ("late_weekly_plan", "late_weekly_fact")),
    EventType("report.missed", _("A plan or a fact is missed"), REPORT, ("miss_weekly_plan", "miss_weekly_fact")),
    EventType("report.returned", _("A report is sent back"), REPORT, ("return_weekly_report",)),
    EventType("report.accepted", _("A report is accepted"), REPORT, ("accept_weekly_report",)),
    EventType("action.created", _("Somebody is given a task"), ACTION, ("create_action",)),
    EventType("action.closed", _("A task is done or dropped"), ACTION, ("close_action",)),
    EventType("import.done", _("Figures are loaded"), LOAD, ("run_import",)),
    EventType("import.failed", _("A load has failed"), LOAD, ("fail_import",)),
    EventType("data_incident.opened", _("Figures cannot be trusted"), INCIDENT, ("open_data_incident",)),
    EventType("data_incident.closed", _("Figures are released"), INCIDENT, ("release_data_incident",)),
    EventType("stop_rule.changed", _("A stop-rule is changed"), RULE, ("create_stop_rule", "revise_stop_rule", "approve_stop_rule")),
)  # fmt: skip
BY_VERB = {verb: kind for kind in TYPES for verb in kind.verbs}
LABELS = {kind.name: kind.label for kind in TYPES} | {TEST: _("Test")}


def payload(company: Company, kind: EventType, event: AuditEvent, obj: Model, *, with_money: bool) -> dict:
    """The body of one event: JSON values only."""
    thing = kind.thing
    data = {
        "company": company.slug, "event": event.pk, "object": thing.name, "id": obj.pk,
        "url": settings.PUBLIC_URL + thing.page(company, obj), **thing.fields(obj),
    }  # fmt: skip
    if with_money:
        data["money"] = thing.money(obj)
    return {"type": kind.name, "timestamp": event.at.isoformat(), "data": {k: _plain(v) for k, v in data.items()}}


def _plain(value):
    return value.isoformat() if isinstance(value, datetime | date) else value
