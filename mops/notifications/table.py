"""What is told about which event: verb → who, in what words, where it leads. Reading it is reading the whole policy.

A verb that is not here tells nobody. Events of one verb in one moment about reports of one week make one message per
person: nine late channels are one line for the project manager, not nine.
"""

from datetime import timedelta

from django.db.models import Prefetch, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from kpis.models import DataIncident, Import, StopRule, StopRuleVersion
from mops.models import WebhookEndpoint
from mops.notifications.brief_kinds import BRIEF_KINDS
from mops.notifications.handover_kinds import handover_kinds
from mops.notifications.kinds import Item, Kind, Where, Words, page, with_reason
from mops.notifications.recipients import holder, unique
from mops.notifications.silent_kinds import SILENT_KINDS
from processes import deciders
from processes.deciders import Around
from processes.models import Action, Decision, FlagTask, Review
from reports.models import Meeting, WeeklyReport
from roles import formats
from roles.models import Appointment, CheckRound, Company, ExternalCheck, Membership
from roles.permissions import ROLE_PERMISSIONS, Permission, RoleKind


# ------------------------------------------------------------------ objects
def _decisions(company: Company) -> QuerySet:
    rows = Decision.objects.filter(company=company).select_related("company", "channel__owner__user", "signed_by__user")
    return rows.prefetch_related("actions__owner__user")


def _reviews(company: Company) -> QuerySet:
    rows = Review.objects.filter(company=company)
    return rows.select_related(
        "decision__company", "decision__channel", "decision__campaign", "decision__signed_by__user", "reviewed_by__user"
    )


def _reports(company: Company) -> QuerySet:
    return WeeklyReport.objects.filter(company=company).select_related(
        "channel__owner__user", "fact_submitted_by__user"
    )


def _loads(company: Company) -> QuerySet:
    return Import.objects.filter(company=company).select_related("created_by__user", "source")


def _incidents(company: Company) -> QuerySet:
    return DataIncident.objects.filter(company=company).select_related("channel", "campaign")


def _actions(company: Company) -> QuerySet:
    return Action.objects.filter(company=company).select_related("owner__user")


def _appointments(company: Company) -> QuerySet:
    return Appointment.objects.filter(company=company).select_related("person__user", "channel")


def _endpoints(company: Company) -> QuerySet:
    return WebhookEndpoint.objects.filter(company=company)


def _flags(company: Company) -> QuerySet:
    return FlagTask.objects.filter(company=company).select_related("action__owner__user")


def _rules(company: Company) -> QuerySet:
    """Rules with the version that waits for its signature, if any, as `waiting`."""
    waiting = StopRuleVersion.objects.filter(company=company, superseded_at=None, approved_at=None)
    return StopRule.objects.filter(company=company).prefetch_related(Prefetch("versions", waiting, to_attr="waiting"))


def _checks(company: Company) -> QuerySet:
    return ExternalCheck.objects.filter(company=company).select_related("person__user", "checker__user")


def _rounds(company: Company) -> QuerySet:
    return CheckRound.objects.filter(company=company).select_related(
        "external_check__person__user", "external_check__checker__user"
    )


def _meetings(company: Company) -> QuerySet:
    return Meeting.objects.filter(company=company).select_related("company", "presenter__user")


# ------------------------------------------------------------------ who
def _deciders(around: Around, item: Item) -> list[Membership]:
    """Whoever may sign now; of a decision that is closed by now, nobody: there is nothing left to do."""
    return deciders.deciders(decision=item.obj, people=around) if item.obj.is_open else []


def _touched(around: Around, item: Item) -> list[Membership]:
    """The channel's owner and everybody whom the decision gave something to do."""
    return unique([item.obj.channel.owner, *(action.owner for action in item.obj.actions.all())])


def _holder(around: Around, item: Item) -> list[Membership]:
    return holder(around, item.obj.channel)


def _holder_and_manager(around: Around, item: Item) -> list[Membership]:
    return unique([*holder(around, item.obj.channel), *around.wearers(RoleKind.PM)])


def _author_and_holder(around: Around, item: Item) -> list[Membership]:
    return unique([item.obj.fact_submitted_by, *holder(around, item.obj.channel)])


def _signer(around: Around, item: Item) -> list[Membership]:
    """Who signed the decision; the director where they have left."""
    return unique([item.obj.decision.signed_by]) or around.wearers(RoleKind.CMO)


def _judges_of_figures(around: Around, item: Item) -> list[Membership]:
    """The analyst; the director too where decisions are held back."""
    kinds = [RoleKind.ANALYST] if item.obj.kind == DataIncident.Kind.GAP else [RoleKind.ANALYST, RoleKind.CMO]
    return unique(around.wearers(*kinds))


def _who_lets_conflicts_stand(around: Around, item: Item) -> list[Membership]:
    """The owner and the project manager, who may name another checker, and the checker, who may still sign."""
    return unique([*around.wearers(RoleKind.OWNER, RoleKind.PM), item.obj.external_check.checker])


def _everybody(around: Around, item: Item) -> list[Membership]:
    """Whoever reads reports, also those who were at the meeting; contractors do not."""
    kinds = [kind for kind, allowed in ROLE_PERMISSIONS.items() if Permission.READ in allowed]
    worn = [a for a in around.appointments if a.role.kind in kinds]
    return unique(person for appointment in worn for person in (appointment.person, appointment.deputy))


def _task_owner(around: Around, item: Item) -> list[Membership]:
    """Whoever has to do it; of tasks that flags gave one message tells, not this one."""
    return [] if item.obj.kind == Action.Kind.FLAG else unique([item.obj.owner])


def _signers_of_rules(around: Around, item: Item) -> list[Membership]:
    """The director, where a channel owner's version waits; a version in force at once needs nobody."""
    return around.wearers(RoleKind.CMO) if item.obj.waiting else []


# ------------------------------------------------------------------ words
def _question(title: str) -> Words:
    """A sentence about one decision, its number and deadline under it. `title` is translated when it is said."""

    def words(items: list[Item]) -> tuple[str, str]:
        decision = items[0].obj
        until = formats.moment(decision.deadline_at, decision.company.zone)
        text = _("%(number)s, to be decided by %(until)s.") % {"number": decision, "until": until}
        return _(title) % {"question": decision.question}, with_reason(text, items[0].event)

    return words


def _outcome(items: list[Item]) -> tuple[str, str]:
    decision = items[0].obj
    title = _("Decided: %(choice)s. %(question)s") % {
        "choice": decision.get_choice_display(), "question": decision.question,
    }  # fmt: skip
    text = _("%(number)s, signed by %(person)s.") % {"number": decision, "person": decision.signed_by}
    return title, with_reason(text, items[0].event)


def _weeks(title: str) -> Words:
    """A sentence about the reports of one week, channels by name."""

    def words(items: list[Item]) -> tuple[str, str]:
        monday = items[0].obj.week
        week = formats.days(monday, monday + timedelta(days=6), year=False)
        channels = ", ".join(item.obj.channel.name for item in items)
        return _(title) % {"week": week, "channels": channels}, items[0].event.reason

    return words


def _review(items: list[Item]) -> tuple[str, str]:
    review = items[0].obj
    about = {"number": review.decision, "question": review.decision.question}
    if review.kind == Review.Kind.DUE:
        return _("Time to see what came of it. %(question)s") % about, _(
            "%(number)s: the forecast stands beside the fact. Say whether it came true."
        ) % about
    return _("The figures of a signed decision have changed. %(question)s") % about, _(
        "%(number)s stays as it was signed; look at what the days say now."
    ) % about


def _judged(items: list[Item]) -> tuple[str, str]:
    review = items[0].obj
    title = _("Reviewed: %(verdict)s. %(question)s") % {
        "verdict": review.get_verdict_display(), "question": review.decision.question,
    }  # fmt: skip
    text = _("%(number)s, reviewed by %(person)s.") % {"number": review.decision, "person": review.reviewed_by}
    return title, with_reason(text, items[0].event)


def _failed_load(items: list[Item]) -> tuple[str, str]:
    load = items[0].obj
    title = _("The file was not loaded: %(name)s") % {"name": load}
    return title, _("Nothing was written. The page of the load says what to correct, row by row.")


def _doubt(items: list[Item]) -> tuple[str, str]:
    """Figures that cannot be trusted: they stopped coming, or everything burns at once and decisions are held back."""
    incident = items[0].obj
    if incident.kind == DataIncident.Kind.DOUBT:
        days = formats.days(incident.first_day, incident.last_day)
        title = _("Figures in doubt: %(what)s, %(days)s") % {"what": incident.words, "days": days}
        return title, _("%(why)s. Stop-rules have no data for these days until somebody releases them.") % {
            "why": incident.why.rstrip(".")
        }
    if incident.kind != DataIncident.Kind.GAP:
        channels = ", ".join(incident.figures.get("channels", ()))
        title = _("Check the figures: %(what)s") % {"what": incident.get_kind_display()}
        return title, _("%(channels)s. Decisions wait until somebody says that the figures are right.") % {
            "channels": channels
        }
    days = formats.days(incident.first_day, incident.last_day)
    title = _("Figures have stopped coming: %(subject)s") % {"subject": incident.subject}
    return title, _("No figures for %(days)s; the stop-rule cannot judge until they are loaded.") % {"days": days}


def _waiting_rule(items: list[Item]) -> tuple[str, str]:
    title = _("A stop-rule waits for your signature: %(name)s") % {"name": items[0].obj.waiting[0].name}
    return title, items[0].event.reason


def _task(items: list[Item]) -> tuple[str, str]:
    action = items[0].obj
    return _("A task for you: %(text)s") % {"text": action.text}, _("Due on %(day)s.") % {
        "day": formats.day(action.due_on)
    }


def _named_to_check(items: list[Item]) -> tuple[str, str]:
    check = items[0].obj
    title = _("You check the work of %(person)s from outside") % {"person": check.person}
    return title, _("%(what)s. %(cadence)s until %(until)s: each time there is a task with what to look at.") % {
        "what": check.what.rstrip("."), "cadence": str(check.get_cadence_display()).capitalize(),
        "until": formats.day(check.until),
    }  # fmt: skip


def _skipped_check(items: list[Item]) -> tuple[str, str]:
    one = items[0].obj
    title = _("A check was skipped, the conflict is open again: %(person)s") % {"person": one.external_check.person}
    return title, _("%(checker)s did not sign for %(days)s. Sign it late, name another checker, or take off a hat.") % {
        "checker": one.external_check.checker, "days": formats.days(one.first_day, one.last_day),
    }  # fmt: skip


def _flagged(items: list[Item]) -> tuple[str, str]:
    """All that one morning's sweep gave a person, in one message."""
    texts = [item.obj.action.text for item in items]
    title = ngettext(
        "Accesses, documents and contracts: %(n)s task for you", "Accesses, documents and contracts: %(n)s tasks for you", len(texts)
    )  # fmt: skip
    return title % {"n": len(texts)}, "\n".join(texts)


def _handed_over(items: list[Item]) -> tuple[str, str]:
    name = items[0].obj.channel.name
    title = _("You run the channel %(channel)s for now") % {"channel": name}
    return title, _("Its owner's appointment has ended and nobody was appointed: plan, fact and actions are yours.")


def _silent_endpoint(items: list[Item]) -> tuple[str, str]:
    endpoint = items[0].obj
    title = _("The webhook is off: %(name)s") % {"name": endpoint.name}
    if endpoint.note == "gone":
        return title, _("Its receiver answered 410: gone for good. Correct the address, or delete the endpoint.")
    return title, _(
        "Its receiver took nothing for three days. Look at the log, put it right and switch it on: nothing is lost."
    )


def _minutes(items: list[Item]) -> tuple[str, str]:
    meeting = items[0].obj
    week = formats.days(meeting.week, meeting.week + timedelta(days=6), year=False)
    title = _("Minutes of the stand-up on %(week)s") % {"week": week}
    return title, "\n".join(f"{number}. {topic}" for number, topic in enumerate(meeting.topics, 1))


# ------------------------------------------------------------------ where
def _report_page(slug: str, items: list[Item]) -> str:
    if len(items) == 1:
        return reverse("reports:weekly-report-detail", args=[slug, items[0].obj.pk])
    monday = items[0].obj.week
    return f"{reverse('reports:weekly-report-list', args=[slug])}?week={monday:%G-W%V}"


def _list(name: str) -> Where:
    return lambda slug, items: reverse(name, args=[slug])


def _channel_page(slug: str, items: list[Item]) -> str:
    return reverse("reports:channel-detail", args=[slug, items[0].obj.channel.code])


_decision_page = page("processes:decision-detail")


def _review_page(slug: str, items: list[Item]) -> str:
    review = items[0].obj
    return f"{reverse('processes:decision-detail', args=[slug, review.decision_id])}#review-{review.pk}"


KINDS: dict[str, Kind] = {
    "open_decision": Kind(
        _decisions, _deciders, _question(gettext_noop("Waits for your decision. %(question)s")), _decision_page
    ),
    "propose_decision": Kind(
        _decisions, _deciders, _question(gettext_noop("Waits for your second signature. %(question)s")), _decision_page
    ),
    "refuse_decision": Kind(
        _decisions, _deciders, _question(gettext_noop("The second signature was refused. %(question)s")), _decision_page
    ),
    "sign_decision": Kind(_decisions, _touched, _outcome, _decision_page),
    "cosign_decision": Kind(_decisions, _touched, _outcome, _decision_page),
    "open_review": Kind(_reviews, _signer, _review, _review_page),
    "close_review": Kind(_reviews, _signer, _judged, _review_page),
    "late_weekly_plan": Kind(
        _reports, _holder_and_manager, _weeks(gettext_noop("The plan of %(week)s is late: %(channels)s")), _report_page,
        by_week=True,
    ),
    "late_weekly_fact": Kind(
        _reports, _holder_and_manager, _weeks(gettext_noop("The fact of %(week)s is late: %(channels)s")), _report_page,
        by_week=True,
    ),
    "miss_weekly_plan": Kind(
        _reports, _holder_and_manager, _weeks(gettext_noop("No plan was filed for %(week)s: %(channels)s")), _report_page,
        by_week=True,
    ),
    "miss_weekly_fact": Kind(
        _reports, _holder_and_manager, _weeks(gettext_noop("No fact was filed for %(week)s: %(channels)s")), _report_page,
        by_week=True,
    ),
    "return_weekly_report": Kind(
        _reports, _author_and_holder, _weeks(gettext_noop("The report of %(week)s came back: %(channels)s")), _report_page
    ),
    "reopen_weekly_report": Kind(
        _reports, _author_and_holder, _weeks(gettext_noop("The week %(week)s is open again for a day: %(channels)s")),
        _report_page,
    ),
    "fail_import": Kind(_loads, lambda around, item: unique([item.obj.created_by]), _failed_load, page("kpis:import-detail")),
    "open_data_incident": Kind(_incidents, _judges_of_figures, _doubt, page("kpis:data-incident-detail")),
    "create_stop_rule": Kind(_rules, _signers_of_rules, _waiting_rule, page("kpis:stop-rule-detail")),
    "revise_stop_rule": Kind(_rules, _signers_of_rules, _waiting_rule, page("kpis:stop-rule-detail")),
    "end_meeting": Kind(_meetings, _everybody, _minutes, page("reports:meeting-detail")),
    "create_action": Kind(_actions, _task_owner, _task, _list("processes:action-list")),
    "name_external_check": Kind(
        _checks, lambda around, item: unique([item.obj.checker]), _named_to_check, _list("reports:today")
    ),
    "skip_check": Kind(_rounds, _who_lets_conflicts_stand, _skipped_check, page("roles:check-round-detail")),
    "disable_webhook_endpoint": Kind(
        _endpoints, lambda around, item: unique(around.wearers(RoleKind.OWNER, RoleKind.PM)), _silent_endpoint,
        page("mops:webhook-detail"),
    ),
    "raise_flag": Kind(
        _flags, lambda around, item: unique([item.obj.action.owner]), _flagged, _list("processes:action-list"), together=True
    ),
    **SILENT_KINDS,
    **BRIEF_KINDS,
    **handover_kinds(_list("processes:handover-list")),
    "hand_over_channel": Kind(_appointments, lambda around, item: unique([item.obj.person]), _handed_over, _channel_page),
}  # fmt: skip
TELLS_THE_AUTHOR = frozenset({"fail_import"})
"""Verbs whose event is told to whoever caused it too; of the others people know what they did."""
