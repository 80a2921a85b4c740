"""Writes of `processes/`: decisions open, are signed, get their second signature, are withdrawn; actions are given and closed."""

from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Max
from django.utils import translation
from django.utils.translation import gettext as _

from kpis.failpoints import failpoint
from kpis.models import Breach
from processes import deciders, doubts, effects, evidence, selectors, signatures
from processes.models import Action, Choice, Decision, Signature
from processes.signatures import NotOpen
from processes.terms import Terms, checked
from roles import audit
from roles import selectors as roles_selectors
from roles.models import Campaign, Channel, Company, Membership
from roles.refusals import Conflict, Forbidden
from roles.validation import refuse

State, Part = Decision.State, Signature.Part
DECIDE_WITHIN = timedelta(hours=24)
TRIES = 3
MOST_CARRIES = 3


class MayNotSign(Forbidden):
    code = "may_not_sign"


class MayNotCosign(Forbidden):
    code = "may_not_cosign"


class StillFiring(Conflict):
    code = "still_firing"


class TermsExpired(Conflict):
    code = "terms_expired"


class MayNotClose(Forbidden):
    code = "may_not_close"


class ActionClosed(Conflict):
    code = "action_closed"


class MayNotAccept(Forbidden):
    code = "may_not_accept"


def open_decisions(*, company: Company, at: datetime) -> list[Decision]:
    """One decision for every firing breach and round that has none yet, with frozen evidence. Idempotent, safe in a race.

    Returns the decisions that this call opened.
    """
    for _attempt in range(TRIES):
        waiting = selectors.breaches_without_decision(company=company, at=at)
        if not waiting:
            return []
        gathered = evidence.gather(company=company, breaches=[breach for breach, _round in waiting], at=at)
        try:
            with transaction.atomic():
                return _open(company, at, waiting, gathered)
        except IntegrityError:
            continue  # another process has opened some of them, or took the number: look again
    return []


def _open(company: Company, at: datetime, waiting: list[tuple[Breach, int]], gathered: dict) -> list[Decision]:
    year = company.local_date(at).year
    last = Decision.objects.filter(company=company, year=year).aggregate(last=Max("number"))["last"] or 0
    with translation.override(company.language):
        drafts = [
            _draft(company, at, breach, round_, (year, last + place), gathered[breach.pk])
            for place, (breach, round_) in enumerate(waiting, start=1)
        ]
    opened = Decision.objects.bulk_create(drafts)
    with translation.override(company.language):
        _end_stale(company, at, opened)
    for decision in opened:
        audit.record(
            company=company, by=None, verb="open_decision", obj=decision, at=at,
            after={"number": str(decision), "breach": decision.breach_id, "round": decision.round},
        )  # fmt: skip
    return opened


def _end_stale(company: Company, at: datetime, opened: list[Decision]) -> None:
    """A question whose breach has ended by itself gives way to the new one about the same rule and scope: unsigned, and kept so."""
    fresh = {(row.breach.rule_id, row.channel_id, row.campaign_id): row for row in opened}
    rows = Decision.objects.filter(company=company, state__in=Decision.UNDECIDED, breach__closed_on__isnull=False)
    for row in rows.select_related("company", "breach").exclude(pk__in=[row.pk for row in opened]):
        follower = fresh.get((row.breach.rule_id, row.channel_id, row.campaign_id))
        if follower is None:
            continue
        before = str(row.state)
        note = _("The breach ended by itself and nobody had signed; asked anew by %(number)s.") % {"number": follower}
        mine = Decision.objects.filter(company=company, pk=row.pk, state=before)
        if mine.update(state=State.WITHDRAWN, closed_note=note[:300], closed_at=at):
            audit.record(
                company=company, by=None, verb="withdraw_decision", obj=row, at=at, reason=note, before={"state": before},
                after={"number": str(row), "state": State.WITHDRAWN.value},
            )  # fmt: skip


def _draft(
    company: Company, at: datetime, breach: Breach, round_: int, number: tuple[int, int], seen: dict
) -> Decision:
    action = breach.version.action
    recommended = action if action in Choice.values else ""
    return Decision(
        company=company, year=number[0], number=number[1], question=evidence.question(seen, breach.subject)[:300],
        breach=breach, round=round_, channel=breach.channel, campaign=breach.campaign, evidence=seen,
        options=evidence.options(seen, recommended), recommendation=recommended, opened_at=at,
        deadline_at=at + DECIDE_WITHIN,
    )  # fmt: skip


@transaction.atomic
def sign_decision(
    *, company: Company, decision: Decision, by: Membership, at: datetime, choice: str, reason: str,
    terms: Terms | None = None, evidence_seen: bool = False,
) -> Decision:  # fmt: skip
    """Choose, with a reason. In force at once, or waiting for the second signature where one is needed.

    Whoever comes second gets AlreadySigned (409) with `signed_by`, `signed_at`. Also raises MayNotSign (403, who may),
    WrongTerms (400). `evidence_seen`: the signer has read that the rule no longer fires, needed when it does not.
    """
    decision = selectors.read_decision(company=company, pk=decision.pk)
    people = deciders.around_at(decision, at)
    standing = deciders.standing_of(decision=decision, person=by, at=at, people=people)
    if not standing.may_sign:
        who = [str(person) for person in deciders.deciders(decision=decision, people=people)]
        raise MayNotSign(standing.why, who_may=who)
    if decision.state != State.OPEN:
        raise signatures.taken(decision)
    kept = checked(
        decision=decision, choice=choice, reason=reason, terms=terms or Terms(), today=company.local_date(at)
    )
    _check_evidence_read(decision, evidence_seen)
    cosigner = standing.cosigner if choice in standing.must_cosign else ""
    if cosigner:
        kept |= _second_signer(decision, by, cosigner, people, terms or Terms())
    signed = {"choice": choice, "reason": reason.strip(), "terms": kept, "cosigner": cosigner}
    _put_first_signature(decision, by, at, str(standing.signs_as), signed)
    audit.record(
        company=company, by=by, verb="propose_decision" if cosigner else "sign_decision", obj=decision, at=at,
        reason=decision.reason, before={"state": State.OPEN.value},
        after={"number": str(decision), "state": str(decision.state), "choice": choice, "terms": kept},
    )  # fmt: skip
    failpoint("signing.before_commit")
    return selectors.read_decision(company=company, pk=decision.pk)


def _second_signer(
    decision: Decision, by: Membership, cosigner: str, people: deciders.Around, terms: Terms
) -> dict:  # fmt: skip
    """The checker as the terms name one: whoever is checked says by whom, and then nobody else checks."""
    found = deciders.cosigners(decision=decision, signer_id=by.pk, cosigner=cosigner, people=people)
    if not found:
        message = _(
            "Nobody can give the second signature: stop or cut, or appoint somebody who does not run the channel."
        )
        raise refuse("choice", "no_checker", message)
    if cosigner != Decision.Cosigner.CHECKER:
        return {}
    outside = [person for person in people.outside_checkers(by.pk) if person in found]
    named = (outside or found) if terms.checker is None else [person for person in found if person.pk == terms.checker]
    if len(named) != 1:
        who = ", ".join(str(person) for person in found)
        raise refuse("checker", "required", _("Name who checks: %(people)s.") % {"people": who})
    return {"checker": named[0].pk, "checker_name": str(named[0])}


def _put_first_signature(decision: Decision, by: Membership, at: datetime, signed_as: str, signed: dict) -> None:
    """Claim, keep the figures of this moment, sign; and seal at once when no second signature is needed.

    The channel is locked first: a stop answers the other questions about it, and two such signatures must not wait for
    each other.
    """
    roles_selectors.lock_channel(company=decision.company, pk=decision.channel_id)
    signatures.claim(
        decision, State.OPEN, state=State.WAITING_COSIGN, evidence=evidence.kept_with_now(decision, "at_signature", at),
        signed_by=by, signed_as=signed_as, signed_at=at, **signed,
    )  # fmt: skip
    signatures.add_signature(
        decision=decision, by=by, at=at, signed_as=signed_as, part=Part.SIGN, reason=decision.reason
    )
    if not signed["cosigner"]:
        signatures.seal(decision=decision, by=by, at=at)


def _check_evidence_read(decision: Decision, evidence_seen: bool) -> None:
    if selectors.evidence_changed(decision) and not evidence_seen:
        message = _("The evidence has changed: the rule no longer fires. Read it, then sign or withdraw.")
        raise refuse("evidence_seen", "evidence_changed", message)


@transaction.atomic
def cosign_decision(
    *, company: Company, decision: Decision, by: Membership, at: datetime, approve: bool = True, reason: str = ""
) -> Decision:
    """The second signature: approve and the choice is in force; refuse, with a reason, and the question is open again.

    The signer may only take the own proposal back (refuse it). Raises MayNotCosign (403), NotOpen, AlreadySigned,
    TermsExpired (409).
    """
    decision = selectors.read_decision(company=company, pk=decision.pk)
    if decision.state == State.SIGNED:
        raise signatures.taken(decision)
    if decision.state != State.WAITING_COSIGN:
        raise NotOpen(_("No second signature is awaited here."))
    people = deciders.around_at(decision, at)
    if approve or decision.signed_by_id != by.pk:
        problem = deciders.cosign_problem(
            decision=decision, person=by, signer_id=decision.signed_by_id, cosigner=decision.cosigner, people=people
        )
        if problem:
            raise MayNotCosign(problem)
    hat = deciders.hat_of_cosigner(decision=decision, person=by, people=people)
    if approve:
        return _approve(decision, by, at, hat, reason.strip())
    return _refuse(decision, by, at, hat, reason.strip())


def _approve(decision: Decision, by: Membership, at: datetime, hat: str, reason: str) -> Decision:
    ends = decision.terms.get("until") or decision.terms.get("due")
    if ends and date.fromisoformat(ends) < decision.company.local_date(at):
        raise TermsExpired(_("Its date has passed meanwhile: refuse it and decide anew."))
    roles_selectors.lock_channel(company=decision.company, pk=decision.channel_id)
    signatures.claim(decision, State.WAITING_COSIGN)
    signatures.add_signature(decision=decision, by=by, at=at, signed_as=hat, part=Part.COSIGN, reason=reason)
    signatures.seal(decision=decision, by=by, at=at)
    audit.record(
        company=decision.company, by=by, verb="cosign_decision", obj=decision, at=at, reason=reason,
        before={"state": State.WAITING_COSIGN.value},
        after={"number": str(decision), "state": str(decision.state), "choice": decision.choice},
    )  # fmt: skip
    return selectors.read_decision(company=decision.company, pk=decision.pk)


def _refuse(decision: Decision, by: Membership, at: datetime, hat: str, reason: str) -> Decision:
    if not reason:
        raise refuse("reason", "required", _("Say why: the signer will read it."))
    choice = decision.choice
    roles_selectors.lock_channel(company=decision.company, pk=decision.channel_id)
    signatures.claim(decision, State.WAITING_COSIGN)
    signatures.add_signature(decision=decision, by=by, at=at, signed_as=hat, part=Part.REFUSE, reason=reason)
    signatures.claim(
        decision, State.WAITING_COSIGN, state=State.OPEN, choice="", reason="", terms={}, cosigner="", signed_by=None,
        signed_as="", signed_at=None, attempt=F("attempt") + 1,
    )  # fmt: skip
    audit.record(
        company=decision.company, by=by, verb="refuse_decision", obj=decision, at=at, reason=reason,
        before={"number": str(decision), "state": State.WAITING_COSIGN.value, "choice": choice},
        after={"state": State.OPEN.value},
    )  # fmt: skip
    return selectors.read_decision(company=decision.company, pk=decision.pk)


@transaction.atomic
def withdraw_decision(*, company: Company, decision: Decision, by: Membership, at: datetime, reason: str) -> Decision:
    """Close a question that restated data has answered: only while the rule no longer fires. The reason is kept, and the
    figures of this moment beside those that had opened it.

    Whoever may decide may withdraw, and the analyst, whose figures they are. Raises MayNotSign (403), StillFiring,
    AlreadySigned or NotOpen (409).
    """
    decision = selectors.read_decision(company=company, pk=decision.pk)
    people = deciders.around_at(decision, at)
    standing = deciders.standing_of(decision=decision, person=by, at=at, people=people)
    if not selectors.may_withdraw(person=by, standing=standing, people=people):
        raise MayNotSign(_("The marketing director, the owner or the analyst withdraws a decision."))
    if decision.state not in Decision.UNDECIDED:
        raise signatures.taken(decision)
    if not selectors.evidence_changed(decision):
        raise StillFiring(_("The rule still fires: sign, or call it a false alarm with a reason."))
    if not reason.strip():
        raise refuse("reason", "required", _("Say why: which figures have been refined."))
    before = str(decision.state)
    signatures.claim(
        decision, decision.state, state=State.WITHDRAWN, closed_note=reason.strip()[:300], closed_at=at,
        evidence=evidence.kept_with_now(decision, "at_withdrawal", at),
    )  # fmt: skip
    audit.record(
        company=company, by=by, verb="withdraw_decision", obj=decision, at=at, reason=reason.strip(),
        before={"state": before}, after={"number": str(decision), "state": State.WITHDRAWN.value},
    )  # fmt: skip
    return decision


@transaction.atomic
def create_action(
    *, company: Company, by: Membership | None, at: datetime, text: str, owner: Membership, due_on: date,
    channel: Channel | None = None, campaign: Campaign | None = None, decision: Decision | None = None,
    kind: str = Action.Kind.TODO,
) -> Action:  # fmt: skip
    """Give somebody a to-do with a date. Refused without text, in the past, or for somebody who has left."""
    if not text.strip():
        raise refuse("text", "required", _("Say what is to be done."))
    if due_on < company.local_date(at):
        raise refuse("due_on", "past", _("This date is past: give today or a later day."))
    if not owner.is_active:
        raise refuse("owner", "not_a_member", _("This person has left the company: choose another one."))
    action = Action.objects.create(
        company=company, text=text.strip()[:400], owner=owner, due_on=due_on, channel=channel, campaign=campaign,
        decision=decision, kind=kind, created_by=by, created_at=at,
    )  # fmt: skip
    after = {"text": action.text, "owner": str(owner), "due_on": due_on.isoformat()}
    audit.record(company=company, by=by, verb="create_action", obj=action, at=at, after=after)
    return action


@transaction.atomic
def close_action(
    *, company: Company, by: Membership, at: datetime, action: Action, done: bool = True, note: str = ""
) -> Action:
    """Done, or dropped (then the note says why). A dropped rewrite lets the rule look again, as an accepted one does.

    Raises MayNotClose (403), MayNotAccept (403) for an author who drops the own rewrite, doubts.MayNotAnswer (403) for one
    who answers the own doubt, ActionClosed (409).
    """
    _check_may_close(by, action)
    if done:
        doubts.check_may_answer(by=by, action=action, on=company.local_date(at))
    drops_rewrite = not done and action.kind == Action.Kind.REWRITE
    if drops_rewrite and not selectors.may_accept(person=by, action=action):
        raise MayNotAccept(_("The marketing director or the owner drops a rewrite, never its author."))
    if not done and not note.strip():
        raise refuse("note", "required", _("Say why it is dropped."))
    state = Action.State.DONE if done else Action.State.DROPPED
    _change_open(action, state=state, closed_by=by, closed_at=at, closed_note=note.strip()[:300])
    audit.record(
        company=company, by=by, verb="close_action", obj=action, at=at, reason=note.strip(),
        before={"text": action.text, "state": Action.State.OPEN.value}, after={"state": state.value},
    )  # fmt: skip
    if drops_rewrite:
        effects.resume_after_rewrite(action=action, today=company.local_date(at))
    return action


@transaction.atomic
def carry_action(
    *, company: Company, by: Membership, at: datetime, action: Action, due_on: date, reason: str = ""
) -> Action:
    """Give an undone action a new date and count it. Raises MayNotClose (403), ActionClosed (409), Refused for a past date
    or when it was moved three times: then the stand-up chooses what becomes of it."""
    _check_may_close(by, action)
    if action.carried >= MOST_CARRIES:
        raise refuse(
            "due_on", "carried", _("It was moved three times: the stand-up drops, splits, hands over or raises it.")
        )
    if due_on < company.local_date(at):
        raise refuse("due_on", "past", _("This date is past: give today or a later day."))
    before = {"text": action.text, "due_on": action.due_on.isoformat(), "carried": action.carried}
    _change_open(action, due_on=due_on, carried=F("carried") + 1)
    action.refresh_from_db(fields=["carried"])
    audit.record(
        company=company, by=by, verb="carry_action", obj=action, at=at, reason=reason.strip(), before=before,
        after={"due_on": due_on.isoformat(), "carried": action.carried},
    )  # fmt: skip
    return action


@transaction.atomic
def accept_rewrite(*, company: Company, by: Membership, at: datetime, action: Action) -> Action:
    """Accept a finished rewrite: the rule looks at the channel again. The author is never the approver.

    Raises MayNotAccept (403), ActionClosed (409) when it is not finished or was accepted before.
    """
    if not selectors.may_accept(person=by, action=action):
        raise MayNotAccept(_("The marketing director or the owner accepts a rewrite, never its author."))
    finished = Action.objects.filter(
        company=company, pk=action.pk, kind=Action.Kind.REWRITE, state=Action.State.DONE, accepted_by=None
    )
    if not finished.update(accepted_by=by, accepted_at=at):
        raise ActionClosed(_("Only a finished rewrite can be accepted, and only once."))
    action.accepted_by, action.accepted_at = by, at
    effects.resume_after_rewrite(action=action, today=company.local_date(at))
    audit.record(company=company, by=by, verb="accept_rewrite", obj=action, at=at, after={"text": action.text})
    return action


def _check_may_close(by: Membership, action: Action) -> None:
    if not selectors.may_close(person=by, action=action):
        raise MayNotClose(_("Whoever has to do it closes it, or who gave it, or who answers for the channel."))


def _change_open(action: Action, **values) -> None:
    rows = Action.objects.filter(company_id=action.company_id, pk=action.pk, state=Action.State.OPEN)
    if not rows.update(**values):
        raise ActionClosed(_("This action is closed already."))
    for name, value in values.items():
        setattr(action, name, value)
