"""The journal: audit events in words. Services write codes; here each gets its sentence in the reader's language."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Model
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from roles import formats, selectors
from roles.models import Access, AuditEvent, Channel, Company, Membership

PAGE = 50

VERBS = {
    "create_company": gettext_lazy("Company started"),
    "update_company": gettext_lazy("Company changed"),
    "add_person": gettext_lazy("Person added"),
    "invite_again": gettext_lazy("Invitation sent again"),
    "remove_person": gettext_lazy("Person left"),
    "start_handover": gettext_lazy("Departure begun"),
    "name_successor": gettext_lazy("Successor asked"),
    "let_item_lapse": gettext_lazy("Handover: nobody is needed"),
    "confirm_handover_item": gettext_lazy("Successor agreed"),
    "decline_handover_item": gettext_lazy("Successor declined"),
    "cancel_handover": gettext_lazy("Departure called off"),
    "leave_with_rest": gettext_lazy("Departure: its day has come and something is left"),
    "close_handover": gettext_lazy("Departure closed: everything is handed over"),
    "read_pack": gettext_lazy("Onboarding pack read"),
    "run_drill": gettext_lazy("Fire drill run"),
    "add_absence": gettext_lazy("Absence marked"),
    "remove_absence": gettext_lazy("Absence taken back"),
    "appoint": gettext_lazy("Appointed"),
    "update_appointment": gettext_lazy("Appointment changed"),
    "end_appointment": gettext_lazy("Appointment ended"),
    "hand_over_channel": gettext_lazy("Channel handed over meanwhile"),
    "change_channel_owner": gettext_lazy("Channel's owner changed"),
    "add_incompatibility": gettext_lazy("Duties that must not meet: pair added"),
    "revise_incompatibility": gettext_lazy("Duties that must not meet: pair changed"),
    "name_external_check": gettext_lazy("External check named"),
    "sign_check": gettext_lazy("External check signed"),
    "skip_check": gettext_lazy("External check skipped: the conflict is open again"),
    "end_external_check": gettext_lazy("External check ended"),
    "start_reorganisation": gettext_lazy("Draft map of roles started"),
    "apply_reorganisation": gettext_lazy("Reorganisation applied"),
    "discard_reorganisation": gettext_lazy("Draft map of roles discarded"),
    "tick_duty": gettext_lazy("Duty done"),
    "untick_duty": gettext_lazy("Duty marked as not done after all"),
    "open_role_review": gettext_lazy("Review of roles and KPIs is due"),
    "close_role_review": gettext_lazy("Review of roles and KPIs closed"),
    "create_role": gettext_lazy("Role added"),
    "revise_role": gettext_lazy("Role revised"),
    "create_channel": gettext_lazy("Channel added"),
    "update_channel": gettext_lazy("Channel changed"),
    "create_campaign": gettext_lazy("Campaign added"),
    "update_campaign": gettext_lazy("Campaign changed"),
    "create_token": gettext_lazy("Token made"),
    "revoke_token": gettext_lazy("Token revoked"),
    "create_access": gettext_lazy("Access registered"),
    "update_access": gettext_lazy("Access changed"),
    "check_access": gettext_lazy("Access checked"),
    "close_access": gettext_lazy("Access closed"),
    "create_document": gettext_lazy("Document added"),
    "update_document": gettext_lazy("Document changed"),
    "remove_document": gettext_lazy("Document taken out of the list"),
    "create_contractor": gettext_lazy("Contractor registered"),
    "update_contractor": gettext_lazy("Contract changed"),
    "add_contractor_person": gettext_lazy("Person of a contractor let in"),
    "remove_contractor_person": gettext_lazy("Person of a contractor let go"),
    "end_contractor": gettext_lazy("Contract ended, its people's access too"),
    "close_contractor": gettext_lazy("Contract closed"),
    "install_builtin_kpis": gettext_lazy("Usual KPIs added"),
    "create_kpi": gettext_lazy("KPI added"),
    "revise_kpi": gettext_lazy("KPI revised"),
    "set_target": gettext_lazy("Target set"),
    "define_metric": gettext_lazy("Metric added"),
    "set_funnel": gettext_lazy("Funnel changed"),
    "create_source": gettext_lazy("Source added"),
    "update_source": gettext_lazy("Source changed"),
    "record_facts": gettext_lazy("Figures recorded"),
    "receive_file": gettext_lazy("File received"),
    "choose_columns": gettext_lazy("Columns of the file explained"),
    "choose_channels": gettext_lazy("Channels of the file chosen"),
    "confirm_import": gettext_lazy("Load confirmed"),
    "run_import": gettext_lazy("File loaded"),
    "fail_import": gettext_lazy("Load failed"),
    "undo_import": gettext_lazy("Load undone"),
    "create_stop_rule": gettext_lazy("Stop-rule written"),
    "revise_stop_rule": gettext_lazy("Stop-rule revised"),
    "hand_over_rule": gettext_lazy("Stop-rule handed over"),
    "approve_stop_rule": gettext_lazy("Stop-rule put in force"),
    "open_breach": gettext_lazy("Stop-rule fired"),
    "close_breach": gettext_lazy("Breach closed"),
    "open_data_incident": gettext_lazy("Data incident opened"),
    "close_data_incident": gettext_lazy("Data incident closed"),
    "release_data_incident": gettext_lazy("Decisions released from behind a data incident"),
    "apply_verdict": gettext_lazy("Decision told to the stop-rule"),
    "open_decision": gettext_lazy("Decision opened"),
    "propose_decision": gettext_lazy("Decision waits for the second signature"),
    "sign_decision": gettext_lazy("Decision signed"),
    "cosign_decision": gettext_lazy("Second signature given"),
    "refuse_decision": gettext_lazy("Second signature refused"),
    "withdraw_decision": gettext_lazy("Decision withdrawn"),
    "supersede_decision": gettext_lazy("Decision superseded"),
    "miss_decision_deadline": gettext_lazy("Deadline of a decision missed"),
    "open_review": gettext_lazy("Review of a decision opened"),
    "close_review": gettext_lazy("Decision reviewed"),
    "create_action": gettext_lazy("Action given"),
    "close_action": gettext_lazy("Action closed"),
    "carry_action": gettext_lazy("Action carried over"),
    "hand_over_action": gettext_lazy("Action handed over"),
    "accept_rewrite": gettext_lazy("Rewrite accepted"),
    "raise_flag": gettext_lazy("Task given by a flag"),
    "create_brief": gettext_lazy("Brief written"),
    "update_brief": gettext_lazy("Brief changed"),
    "send_brief": gettext_lazy("Brief sent"),
    "take_brief": gettext_lazy("Brief taken to work"),
    "return_brief": gettext_lazy("Brief returned with a question"),
    "deliver_brief": gettext_lazy("Work delivered"),
    "accept_work": gettext_lazy("Work accepted"),
    "return_work": gettext_lazy("Work sent back"),
    "cancel_brief": gettext_lazy("Brief cancelled"),
    "open_weekly_fact": gettext_lazy("Fact of the week prefilled"),
    "submit_weekly_plan": gettext_lazy("Plan of the week filed"),
    "submit_weekly_fact": gettext_lazy("Fact of the week filed"),
    "amend_weekly_plan": gettext_lazy("Plan of the week amended"),
    "accept_weekly_report": gettext_lazy("Report of the week accepted"),
    "return_weekly_report": gettext_lazy("Report of the week returned"),
    "reopen_weekly_report": gettext_lazy("Report of the week re-opened"),
    "open_weekly_report": gettext_lazy("Report of the week opened"),
    "late_weekly_plan": gettext_lazy("Plan of the week is late"),
    "late_weekly_fact": gettext_lazy("Fact of the week is late"),
    "miss_weekly_plan": gettext_lazy("Plan of the week missed"),
    "miss_weekly_fact": gettext_lazy("Fact of the week missed"),
    "lock_weekly_report": gettext_lazy("Report of the week locked"),
    "excuse_weekly_report": gettext_lazy("Lateness excused"),
    "change_week_schedule": gettext_lazy("Times of the week changed"),
    "set_company_days": gettext_lazy("Own days of the company marked"),
    "remove_company_day": gettext_lazy("Own day of the company taken back"),
    "dispute_figure": gettext_lazy("Figure disputed"),
    "settle_carried_action": gettext_lazy("Decided about an action moved three times"),
    "start_meeting": gettext_lazy("Stand-up started"),
    "claim_presenter": gettext_lazy("Took the presenter's place at the stand-up"),
    "suspend_meeting": gettext_lazy("Stand-up suspended"),
    "resume_meeting": gettext_lazy("Stand-up continued"),
    "write_topics": gettext_lazy("Topics of the week written"),
    "end_meeting": gettext_lazy("Stand-up ended with minutes"),
    "create_utm_rule": gettext_lazy("UTM rule added"),
    "update_utm_rule": gettext_lazy("UTM rule changed"),
    "delete_utm_rule": gettext_lazy("UTM rule removed"),
    "set_deal_stages": gettext_lazy("Meaning of the deals' stages changed"),
    "build_snapshot": gettext_lazy("Figures of the day kept"),
    "write_week_summary": gettext_lazy("Summary of the week written"),
    "create_webhook_endpoint": gettext_lazy("Webhook added"),
    "update_webhook_endpoint": gettext_lazy("Webhook changed"),
    "renew_webhook_secret": gettext_lazy("Secret of a webhook renewed"),
    "pause_webhook_endpoint": gettext_lazy("Webhook paused"),
    "resume_webhook_endpoint": gettext_lazy("Webhook switched on"),
    "disable_webhook_endpoint": gettext_lazy("Webhook switched off by the system"),
    "delete_webhook_endpoint": gettext_lazy("Webhook deleted"),
    "replay_webhook": gettext_lazy("Webhook sent again"),
    "replay_message": gettext_lazy("Message sent again"),
    "connect_telegram_bot": gettext_lazy("Telegram bot connected"),
    "remove_telegram_bot": gettext_lazy("Telegram bot removed"),
}

OBJECTS = {
    "roles.channel": gettext_lazy("Channels"),
    "roles.campaign": gettext_lazy("Campaigns"),
    "roles.membership": gettext_lazy("People"),
    "roles.appointment": gettext_lazy("Appointments"),
    "roles.absence": gettext_lazy("Absences"),
    "roles.role": gettext_lazy("Roles"),
    "roles.incompatibility": gettext_lazy("Duties that must not meet"),
    "roles.externalcheck": gettext_lazy("External checks"),
    "roles.checkround": gettext_lazy("Rounds of external checks"),
    "roles.reorganisation": gettext_lazy("Draft maps of roles"),
    "roles.company": gettext_lazy("Company"),
    "roles.apitoken": gettext_lazy("Tokens"),
    "roles.access": gettext_lazy("Accesses"),
    "roles.documentlink": gettext_lazy("Documents"),
    "roles.contractor": gettext_lazy("Contractors"),
    "kpis.kpi": gettext_lazy("KPIs"),
    "kpis.target": gettext_lazy("Targets"),
    "kpis.metric": gettext_lazy("Metrics"),
    "kpis.source": gettext_lazy("Sources"),
    "kpis.utmrule": gettext_lazy("UTM rules"),
    "kpis.import": gettext_lazy("Loads"),
    "kpis.stoprule": gettext_lazy("Stop-rules"),
    "kpis.breach": gettext_lazy("Breaches"),
    "kpis.dataincident": gettext_lazy("Data incidents"),
    "processes.decision": gettext_lazy("Decisions"),
    "processes.review": gettext_lazy("Reviews of decisions"),
    "processes.rolereview": gettext_lazy("Reviews of roles and KPIs"),
    "processes.handover": gettext_lazy("Departures"),
    "processes.handoveritem": gettext_lazy("Things handed over"),
    "processes.packreading": gettext_lazy("Onboarding packs read"),
    "processes.drill": gettext_lazy("Fire drills"),
    "processes.action": gettext_lazy("Actions"),
    "processes.brief": gettext_lazy("Briefs"),
    "processes.flagtask": gettext_lazy("Flags"),
    "reports.weeklyreport": gettext_lazy("Weekly reports"),
    "reports.meeting": gettext_lazy("Stand-ups"),
    "reports.weekschedule": gettext_lazy("Times of the week"),
    "reports.companyday": gettext_lazy("Own days of the company"),
    "reports.figuredispute": gettext_lazy("Disputed figures"),
    "mops.delivery": gettext_lazy("Messages to people"),
    "mops.telegrambot": gettext_lazy("Telegram bot"),
    "mops.webhookendpoint": gettext_lazy("Webhooks"),
    "mops.webhookdelivery": gettext_lazy("Messages of webhooks"),
}

FIELDS = {
    "name": gettext_lazy("name"),
    "role": gettext_lazy("role"),
    "channel": gettext_lazy("channel"),
    "person": gettext_lazy("person"),
    "deputy": gettext_lazy("deputy"),
    "checker": gettext_lazy("who checks"),
    "what": gettext_lazy("what is checked"),
    "why": gettext_lazy("why"),
    "starts_on": gettext_lazy("first day"),
    "ends_on": gettext_lazy("last day"),
    "hours_per_week": gettext_lazy("hours a week"),
    "email": gettext_lazy("e-mail"),
    "kind": gettext_lazy("kind"),
    "status": gettext_lazy("status"),
    "owner": gettext_lazy("owner of the channel"),
    "coordinator": gettext_lazy("coordinator"),
    "priority": gettext_lazy("priority"),
    "priority_reason": gettext_lazy("why this priority"),
    "result_kpi": gettext_lazy("result KPI"),
    "monthly_budget": gettext_lazy("budget of the month"),
    "budget": gettext_lazy("budget"),
    "tolerance": gettext_lazy("tolerance, a share"),
    "stop_loss": gettext_lazy("stop-loss"),
    "scopes": gettext_lazy("scopes"),
    "administrators": gettext_lazy("administrators"),
    "channels": gettext_lazy("channels"),
    "owned_by": gettext_lazy("legal owner"),
    "owner_name": gettext_lazy("owner's name"),
    "recovery": gettext_lazy("recovery address or phone"),
    "secret_place": gettext_lazy("where the password is kept"),
    "two_factor": gettext_lazy("two-factor"),
    "checked_on": gettext_lazy("last check"),
    "responsible": gettext_lazy("who answers for it with us"),
    "tagline": gettext_lazy("what the company does"),
    "timezone": gettext_lazy("time zone"),
    "language": gettext_lazy("language"),
    "currency": gettext_lazy("currency"),
    "evaluate_at": gettext_lazy("stop-rules are evaluated at"),
    "measure": gettext_lazy("measure"),
    "month": gettext_lazy("month"),
    "formula": gettext_lazy("formula"),
    "line": gettext_lazy("line"),
    "value": gettext_lazy("value"),
    "choice": gettext_lazy("choice"),
    "until": gettext_lazy("until"),
    "due_on": gettext_lazy("due"),
}
"""What the journal tells of an event; other fields stay in the event itself."""

CHOICES = {
    "status": dict(Channel.Status.choices),
    "priority": dict(Channel.Priority.choices),
    "kind": dict(Channel.Kind.choices),
    "owned_by": dict(Access.OwnedBy.choices),
    "choice": {
        "stop": gettext_lazy("stop"),
        "continue": gettext_lazy("continue until a date"),
        "rewrite": gettext_lazy("rewrite"),
        "cut": gettext_lazy("cut the budget"),
        "false_alarm": gettext_lazy("false alarm"),
    },
}
CONTEXT = ("role", "channel")
"""Told even where they did not change: whose appointment, which channel's report."""

NAMES = ("name", "question", "number", "person", "filename", "text", "measure", "week", "code")


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
    return CHOICES | {"role": _role_words(company), "channel": _channel_words(company)}


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
