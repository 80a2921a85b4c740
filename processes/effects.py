"""What a decision does when it is in force: the channel or campaign, the owner's action, the state machine."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _

from kpis.services.verdicts import apply_verdict
from processes.models import Action, Choice, Decision
from processes.terms import cuts_a_test, running_campaigns
from roles import audit, formats
from roles.models import Campaign, Channel, Membership
from roles.services.campaigns import set_campaign_status, update_campaign
from roles.services.channels import set_channel_status, update_channel

REVIEW_AFTER = {Choice.STOP: 14, Choice.CUT: 7, Choice.FALSE_ALARM: 3}
RULE_REVIEW_DAYS = 7


def review_day(choice: str, terms: dict, today: date) -> date:
    """When to look whether the decision came true: the day of its forecast, else its own date where it has one."""
    own = terms.get("expected_on") or terms.get("resume_on") or terms.get("until") or terms.get("due")
    return date.fromisoformat(own) if own else today + timedelta(days=REVIEW_AFTER[choice])


def take_effect(*, decision: Decision, by: Membership, at: datetime) -> Action:
    """Change the channel or campaign, tell the state machine, give the action. Runs in the signature's transaction."""
    today = decision.company.local_date(at)
    if decision.choice == Choice.STOP:
        _stop(decision, by, at, today)
    elif decision.choice == Choice.CUT:
        _cut(decision, by, at, today)
    _tell_machine(decision, today)
    return _give_action(decision, by, at, today)


def _stop(decision: Decision, by: Membership, at: datetime, today: date) -> None:
    """The channel stops with its running campaigns, but for those that were kept; a campaign stops alone."""
    company, reason = decision.company, str(decision)
    common = {"company": company, "by": by, "at": at, "status": Channel.Status.STOPPED, "reason": reason}
    if decision.campaign_id:
        set_campaign_status(campaign=decision.campaign, **common)
        _answer_others(decision, at, Q(campaign=decision.campaign_id))
        return
    kept = decision.terms.get("keep", [])
    for campaign in running_campaigns(decision).exclude(pk__in=kept):
        set_campaign_status(campaign=campaign, **common)
    set_channel_status(channel=decision.channel, today=today, **common)
    _answer_others(decision, at, Q(channel=decision.channel_id) & ~Q(campaign__in=kept))


def _answer_others(decision: Decision, at: datetime, stopped: Q) -> None:
    """Other questions about what has just been stopped are answered by this decision."""
    others = Decision.objects.filter(stopped, company=decision.company, state__in=Decision.UNDECIDED)
    for other in others.exclude(pk=decision.pk):
        before = other.state
        with translation.override(decision.company.language):
            note = _("Stopped by decision %(number)s.") % {"number": decision}
        rows = Decision.objects.filter(company=decision.company, pk=other.pk, state=before)
        if rows.update(state=Decision.State.SUPERSEDED, closed_note=note, closed_at=at):
            audit.record(
                company=decision.company, by=decision.signed_by, verb="supersede_decision", obj=other, at=at,
                before={"state": before}, after={"number": str(other), "by": str(decision)},
            )  # fmt: skip


def _cut(decision: Decision, by: Membership, at: datetime, today: date) -> None:
    common = {"company": decision.company, "by": by, "at": at, "reason": str(decision)}
    budget = Decimal(decision.terms["budget"])
    if decision.campaign_id:
        update_campaign(campaign=decision.campaign, budget=budget, **common)
    else:
        name = "test_budget" if cuts_a_test(decision) else "monthly_budget"
        update_channel(channel=decision.channel, today=today, **{name: budget}, **common)


def _tell_machine(decision: Decision, today: date) -> None:
    breach = decision.breach
    if breach is None:
        return
    until, extra = decision.terms.get("until"), decision.terms.get("extra_spend")
    apply_verdict(
        company=decision.company, rule=breach.rule, breach=breach, channel=decision.channel, campaign=decision.campaign,
        day=today, kind=decision.choice, until=date.fromisoformat(until) if until else None,
        extra_spend=Decimal(extra) if extra else None, kept=decision.terms.get("keep", ()),
    )  # fmt: skip


def _give_action(decision: Decision, by: Membership, at: datetime, today: date) -> Action:
    """The to-do that follows, in the company's language: for the channel's owner, or whom the decision names."""
    with translation.override(decision.company.language):
        text, kind, due_on = _action_of(decision, today)
    return Action.objects.create(
        company=decision.company, text=text[:400], kind=kind, owner=_doer(decision, by), due_on=due_on,
        channel=decision.channel, campaign=decision.campaign, decision=decision, created_by=by, created_at=at,
    )  # fmt: skip


def _doer(decision: Decision, by: Membership) -> Membership:
    if decision.choice == Choice.REWRITE:
        return Membership.objects.get(company=decision.company, pk=decision.terms["assignee"])
    if decision.choice == Choice.FALSE_ALARM and decision.breach_id:
        rule_owner = decision.breach.version.owner
        if rule_owner.is_active:
            return rule_owner
    return decision.channel.owner or by


def _action_of(decision: Decision, today: date) -> tuple[str, str, date]:
    terms, subject = decision.terms, decision.subject
    kinds = Action.Kind
    if decision.choice == Choice.STOP:
        texts = {
            Channel.Kind.CRM: _("Stop “%(subject)s” in the mailer"),
            Channel.Kind.PAID: _("Stop “%(subject)s” in the advertising cabinet"),
        }
        text = texts.get(decision.channel.kind, _("Stop “%(subject)s” where it runs")) % {"subject": subject}
        return text + _kept_words(decision), kinds.STOP, today
    if decision.choice == Choice.CUT:
        budget = formats.money(Decimal(terms["budget"]), decision.company.currency)
        text = _("Set the budget of “%(subject)s” to %(budget)s in the advertising cabinet")
        return text % {"subject": subject, "budget": budget}, kinds.CUT, today
    if decision.choice == Choice.REWRITE:
        text = _("Rewrite “%(subject)s”: %(reason)s") % {"subject": subject, "reason": decision.reason}
        return text, kinds.REWRITE, date.fromisoformat(terms["due"])
    if decision.choice == Choice.CONTINUE:
        text = _("Show what has changed on “%(subject)s”: continued because of “%(reason)s”")
        day = date.fromisoformat(terms["until"])
        return text % {"subject": subject, "reason": decision.reason}, kinds.TODO, day
    text = _("Look through the stop-rule of “%(subject)s”: the alarm was false, %(reason)s")
    day = today + timedelta(days=RULE_REVIEW_DAYS)
    return text % {"subject": subject, "reason": decision.reason}, kinds.TODO, day


def _kept_words(decision: Decision) -> str:
    if not decision.terms.get("keep"):
        return ""
    kept = Campaign.objects.filter(company=decision.company, pk__in=decision.terms["keep"])
    return _(", keep running: %(names)s") % {"names": ", ".join(campaign.name for campaign in kept)}


def resume_after_rewrite(*, action: Action, today: date) -> None:
    """The accepted rewrite lets the rule look again: the state machine goes on to RECOVERING."""
    decision = action.decision
    if decision is None or decision.breach is None:
        return
    apply_verdict(
        company=decision.company, rule=decision.breach.rule, breach=decision.breach, channel=decision.channel,
        campaign=decision.campaign, day=today, kind="resume",
    )  # fmt: skip
