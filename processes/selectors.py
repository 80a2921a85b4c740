"""Reads of `processes/`: decisions that wait, their log, and actions."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Case, Prefetch, Q, QuerySet, SmallIntegerField, When

from kpis.engine import FALSE_ALARM_DAYS
from kpis.models import Breach, KpiVersion, StopRule
from kpis.replay import channels_of, judged_on
from kpis.selectors import stop_rules
from processes import deciders, evidence
from processes.models import Action, Choice, Decision
from processes.signing import Standing
from roles.models import AuditEvent, Channel, Company, Membership
from roles.permissions import Permission, RoleKind

State = Decision.State
FALSE_ALARM_RESTS = timedelta(days=FALSE_ALARM_DAYS)
LATE_AFTER = timedelta(days=7)


def decisions(*, company: Company) -> QuerySet[Decision]:
    """Decisions with everything their texts need.

    The breach and its rule come by a query of their own: in one query PostgreSQL plans fifteen joins for longer than
    it reads them, and where nothing is found the second one is never asked.
    """
    current = Prefetch("version__kpi__versions", KpiVersion.objects.filter(superseded_at=None), to_attr="current")
    breaches = Breach.objects.filter(company=company).prefetch_related(current).select_related(
        "rule", "version__company", "version__rule", "version__kpi", "version__owner__user", "channel__owner__user",
        "campaign",
    )  # fmt: skip
    return (
        Decision.objects.filter(company=company)
        .select_related("company", "channel__owner__user", "campaign__channel", "signed_by__user")
        .prefetch_related(Prefetch("breach", breaches))
    )


def get_decision(*, company: Company, pk: int) -> Decision | None:
    return (
        decisions(company=company)
        .prefetch_related("signatures__person__user", "actions__owner__user", "actions__accepted_by__user")
        .filter(pk=pk)
        .first()
    )


def read_decision(*, company: Company, pk: int) -> Decision:
    """The decision as it stands now; Decision.DoesNotExist for another company's."""
    decision = get_decision(company=company, pk=pk)
    if decision is None:
        raise Decision.DoesNotExist(pk)
    return decision


def decisions_in_state(*, company: Company, state: str = "") -> QuerySet[Decision]:
    """Decisions with their signatures, all of them or those in one state; none for a state that does not exist."""
    found = decisions(company=company).prefetch_related("signatures__person__user")
    return found.filter(state=state) if state else found


def latest_of_rule(*, company: Company, rule: StopRule) -> dict[str, Decision]:
    """Key of a scope (`12`, of a campaign `12-34`) → the newest decision about its newest breach."""
    newest: dict[str, Breach] = {}
    for breach in Breach.objects.filter(company=company, rule=rule).order_by("opened_on", "pk"):
        key = f"{breach.channel_id}-{breach.campaign_id}" if breach.campaign_id else str(breach.channel_id)
        newest[key] = breach
    found = Decision.objects.filter(company=company, breach__in=newest.values()).order_by("round", "pk")
    by_breach = {decision.breach_id: decision for decision in found}
    return {key: by_breach[breach.pk] for key, breach in newest.items() if breach.pk in by_breach}


def breaches_without_decision(*, company: Company, at: datetime) -> list[tuple[Breach, int]]:
    """Firing breaches that a decision must be opened for, with the round it will be; oldest first.

    A muted breach opens none, nor one of a rule in its shadow or behind a data incident; one found late only while its
    newest day is younger than seven days; a scope that does not run any more burns nothing and needs none.
    """
    today = company.local_date(at)
    breaches = [
        breach
        for breach in stop_rules.open_breaches(company=company)
        if not breach.muted and breach.subject.is_running and not _too_late(breach, today) and not breach.is_held
    ]
    breaches = _that_run(company, breaches)
    if breaches:
        shadowed = stop_rules.shadowed_rules(company=company, day=today)
        breaches = [breach for breach in breaches if breach.rule_id not in shadowed]
    latest: dict[int, Decision] = {}
    earlier = Decision.objects.filter(company=company, breach__in=[breach.pk for breach in breaches])
    for decision in earlier.order_by("round", "pk"):
        latest[decision.breach_id] = decision
    return [
        (breach, _next_round(latest.get(breach.pk)))
        for breach in sorted(breaches, key=lambda breach: (breach.opened_on, breach.pk))
        if breach.pk not in latest or _calls_for_a_round(company, latest[breach.pk], today)
    ]


def _that_run(company: Company, breaches: list[Breach]) -> list[Breach]:
    """Those whose channel runs, or was stopped by a signature that kept the campaign."""
    if all(breach.channel.is_running for breach in breaches):
        return breaches
    running = {channel.pk for channel in judged_on(channels_of(companies=[company.pk], by_campaign=True))}
    return [row for row in breaches if row.channel.is_running or (row.campaign_id and row.channel_id in running)]


def _too_late(breach: Breach, today: date) -> bool:
    newest = date.fromisoformat(breach.days[-1]) if breach.days else breach.opened_on
    return breach.found_late and today - newest >= LATE_AFTER


def _next_round(before: Decision | None) -> int:
    """One more than were answered: a question that refined figures took back is asked again under its own number."""
    if before is None:
        return 1
    return before.round + (before.state == State.SIGNED)


def _calls_for_a_round(company: Company, decision: Decision, today: date) -> bool:
    """Is the answer of the last round used up while the rule still fires?"""
    if decision.state in Decision.UNDECIDED:
        return False
    if decision.state == State.SIGNED and decision.choice == Choice.CONTINUE:
        return date.fromisoformat(decision.terms["until"]) < today or bool(decision.terms.get("extra_spend"))
    if decision.state == State.SIGNED and decision.choice == Choice.FALSE_ALARM:
        return company.local_date(decision.effective_at) + FALSE_ALARM_RESTS <= today
    return True


def evidence_changed(decision: Decision) -> bool:
    """Does the rule no longer fire, although nobody has decided? Then the signer has to read that first."""
    return decision.is_open and decision.breach is not None and decision.breach.closed_on is not None


def withdrawn_by(decision: Decision) -> Membership | None:
    """Who withdrew a question; None where it gave way to a newer one by itself, or nobody withdrew it."""
    if decision.state != State.WITHDRAWN:
        return None
    events = AuditEvent.objects.filter(
        company=decision.company, object_type=decision._meta.label_lower, object_id=str(decision.pk),
        verb="withdraw_decision", by__isnull=False,
    )  # fmt: skip
    event = events.select_related("by__user").last()
    return event and event.by


@dataclass(frozen=True)
class WaitingDecision:
    """A decision that waits, with what the waiting costs now.

    `burned`: money over the line since the first breaching day, `per_day`: that per known day; both None where the rule
    is not about money or no day is known. `decider`: whose word is awaited, None when nobody wears the hat.
    """

    decision: Decision
    evidence: dict
    burned: Decimal | None
    per_day: Decimal | None
    waits: timedelta
    overdue: bool
    decider: Membership | None
    changed: bool


def waiting_decisions(*, company: Company, at: datetime) -> list[WaitingDecision]:
    """Open decisions and those that wait for a second signature, the costliest first; a constant number of queries."""
    rows = list(decisions(company=company).filter(state__in=Decision.UNDECIDED))
    if not rows:
        return []
    people = deciders.around(company=company, on=company.local_date(at))
    breaches = [row.breach for row in rows if row.breach_id]
    gathered = evidence.gather(company=company, breaches=breaches, at=at, brief=True)
    waiting = [_waiting(row, gathered.get(row.breach_id, row.evidence), people, at) for row in rows]
    return sorted(waiting, key=lambda row: (row.burned is None, -(row.burned or 0), row.decision.opened_at))


def _waiting(decision: Decision, seen: dict, people: deciders.Around, at: datetime) -> WaitingDecision:
    money = seen.get("is_money", False)
    return WaitingDecision(
        decision=decision,
        evidence=seen,
        burned=evidence.amount(seen.get("burned")) if money else None,
        per_day=evidence.amount(seen.get("per_day")) if money else None,
        waits=at - decision.opened_at,
        overdue=at > decision.deadline_at,
        decider=next(iter(deciders.deciders(decision=decision, people=people)), None),
        changed=evidence_changed(decision),
    )


def waiting_decision(*, decision: Decision, at: datetime, people: deciders.Around) -> WaitingDecision:
    """One undecided decision with what its waiting costs now."""
    breaches = [decision.breach] if decision.breach_id else []
    gathered = evidence.gather(company=decision.company, breaches=breaches, at=at)
    return _waiting(decision, gathered.get(decision.breach_id, decision.evidence), people, at)


def may_withdraw(*, person: Membership, standing: Standing, people: deciders.Around) -> bool:
    """Whoever may decide, the owner, and the analyst, whose figures were refined."""
    kinds = {hat.kind for hat in people.hats(person)}
    return standing.may_sign or bool(kinds & {RoleKind.OWNER, RoleKind.ANALYST})


def decision_log(
    *, company: Company, channel: Channel | None = None, choice: str = "", year: int | None = None
) -> QuerySet[Decision]:
    """Decisions that are answered, the newest first: signed, withdrawn, superseded."""
    found = decisions(company=company).exclude(state__in=Decision.UNDECIDED)
    if channel is not None:
        found = found.filter(channel=channel)
    if choice in Choice.values:
        found = found.filter(choice=choice, state=State.SIGNED)
    elif choice == State.WITHDRAWN:
        found = found.filter(state=State.WITHDRAWN)
    if year is not None:
        found = found.filter(year=year)
    return found.order_by("-year", "-number")


def earlier_rounds(*, decision: Decision) -> list[Decision]:
    """The questions that the same breach has asked before, oldest first."""
    if decision.breach_id is None:
        return []
    found = Decision.objects.filter(company=decision.company, breach=decision.breach_id, pk__lt=decision.pk)
    return list(found.select_related("company", "signed_by__user").order_by("pk"))


def similar_decisions(*, decision: Decision, limit: int = 4) -> list[Decision]:
    """Decisions signed before about what is alike, the nearest first: same channel and KPI, the KPI on a channel of the
    kind, the channel, the KPI anywhere, a channel of the kind; the newest first among equals."""
    kpi = Q(breach__version__kpi=decision.breach.version.kpi_id) if decision.breach_id else Q(pk=None)
    channel, kind = Q(channel=decision.channel_id), Q(channel__kind=decision.channel.kind)
    nearness = Case(
        When(channel & kpi, then=0), When(kind & kpi, then=1), When(channel, then=2), When(kpi, then=3), When(kind, then=4),
        default=9, output_field=SmallIntegerField(),
    )  # fmt: skip
    found = decisions(company=decision.company).filter(state=State.SIGNED, opened_at__lte=decision.opened_at)
    return list(
        found.exclude(pk=decision.pk).annotate(nearness=nearness).filter(nearness__lt=9)
        .order_by("nearness", "-signed_at", "-pk")[:limit]
    )  # fmt: skip


def actions(*, company: Company) -> QuerySet[Action]:
    return Action.objects.filter(company=company).select_related(
        "company", "owner__user", "channel", "campaign", "decision", "created_by__user", "closed_by__user",
        "accepted_by__user",
    )  # fmt: skip


def actions_of(*, company: Company, person: Membership | None = None) -> QuerySet[Action]:
    """Actions to do, the nearest date first: of one person, or of everybody."""
    found = actions(company=company).filter(state=Action.State.OPEN)
    return found.filter(owner=person) if person else found


def on_the_table(*, company: Company, person: Membership, accepts: bool) -> list[Action]:
    """Actions to do of a person, the nearest date first, and with `accepts` the finished rewrites nobody has accepted."""
    wanted = Q(state=Action.State.OPEN, owner=person)
    if accepts:
        wanted |= Q(kind=Action.Kind.REWRITE, state=Action.State.DONE, accepted_by=None)
    found = Action.objects.filter(wanted, company=company).select_related("channel", "campaign", "decision")
    rows = list(found)
    for row in rows:
        if row.owner_id == person.pk:
            row.owner = person
    return rows


def closed_actions(*, company: Company, person: Membership | None = None, limit: int = 20) -> list[Action]:
    """The actions closed last, newest first; finished rewrites that wait for acceptance come first."""
    found = actions(company=company).exclude(state=Action.State.OPEN)
    if person is not None:
        found = found.filter(owner=person)
    waits = Q(kind=Action.Kind.REWRITE, state=Action.State.DONE, accepted_by=None)
    pending = list(found.filter(waits).order_by("-closed_at")[:limit])
    return pending + list(found.exclude(waits).order_by("-closed_at")[: max(0, limit - len(pending))])


def get_action(*, company: Company, pk: int) -> Action | None:
    found = actions(company=company).select_related(
        "decision__company", "decision__channel", "decision__campaign", "decision__breach__rule"
    )
    return found.filter(pk=pk).first()


def may_see(*, person: Membership, action: Action) -> bool:
    """Own actions are everybody's to see; others' need the right to read."""
    return action.owner_id == person.pk or person.can(Permission.READ)


def may_close(*, person: Membership, action: Action) -> bool:
    """Whoever has to do it, who gave it, who files for its channel, the director and the owner."""
    return (
        person.pk in {action.owner_id, action.created_by_id}
        or person.can(Permission.SUBMIT_REPORT, action.channel_id)
        or person.wears(RoleKind.OWNER, RoleKind.CMO)
    )


def may_accept(*, person: Membership, action: Action) -> bool:
    """A rewrite is accepted by the director or the owner, never by whoever wrote it."""
    authors = {action.owner_id, action.closed_by_id}
    return person.pk not in authors and person.wears(RoleKind.OWNER, RoleKind.CMO)
