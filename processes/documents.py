"""Decisions as the API gives them: for one reader, with the money only where the reader may see it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from processes import deciders, evidence, selectors
from processes.models import Decision, Signature
from roles.models import Company, Membership
from roles.permissions import Permission

AMOUNTS_OF_TERMS = frozenset({"budget", "budget_before", "extra_spend", "expected_value"})


@dataclass(frozen=True)
class DecisionDocument:
    """One decision; amounts are decimal strings, None where unknown or not to be seen."""

    id: int
    number: str
    question: str
    kind: str
    subject: dict
    evidence: dict
    options: list[dict]
    recommendation: str | None
    burned_since: str | None
    money_at_stake: str | None
    opened_at: datetime
    deadline: datetime
    round: int
    state: str
    evidence_changed: bool
    may_sign: bool
    must_cosign: list[str]
    choice: str | None
    reason: str | None
    terms: dict
    signed_by: str | None
    signed_by_id: int | None
    signed_at: datetime | None
    effective_at: datetime | None
    review_on: date | None
    signatures: list[dict]
    seal: str | None


def decision_views(
    *, company: Company, person: Membership, decisions: Iterable[Decision], at: datetime
) -> list[DecisionDocument]:
    """The documents of these decisions; the number of queries does not grow with them."""
    decisions = list(decisions)
    if not decisions:
        return []
    people = deciders.around(company=company, on=company.local_date(at))
    breaches = [row.breach for row in decisions if row.is_open and row.breach_id]
    live = evidence.gather(company=company, breaches=breaches, at=at, brief=True)
    return [_document(row, live.get(row.breach_id) or row.kept_evidence, person, people, at) for row in decisions]


def _document(
    decision: Decision, now: dict, person: Membership, people: deciders.Around, at: datetime
) -> DecisionDocument:
    sees = person.can(Permission.VIEW_MONEY, decision.channel_id)
    counted = sees and now.get("is_money", False)
    standing = deciders.standing_of(decision=decision, person=person, at=at, people=people)
    is_open = decision.state == Decision.State.OPEN
    return DecisionDocument(
        id=decision.pk,
        number=f"{decision.year}-{decision.number}",
        question=decision.question,
        kind=decision.kind,
        subject={
            "channel": decision.channel.code, "campaign": decision.campaign_id, "name": str(decision.subject),
        },
        evidence=decision.evidence if sees else evidence.without_money(decision.evidence),
        options=decision.options if sees else evidence.options_without_money(decision.options),
        recommendation=decision.recommendation or None,
        burned_since=now.get("burned") if counted else None,
        money_at_stake=now.get("per_day") if counted else None,
        opened_at=decision.opened_at,
        deadline=decision.deadline_at,
        round=decision.round,
        state=decision.state,
        evidence_changed=selectors.evidence_changed(decision),
        may_sign=is_open and standing.may_sign,
        must_cosign=sorted(standing.must_cosign) if is_open else [],
        choice=decision.choice or None,
        reason=decision.reason or None,
        terms=decision.terms if sees else {k: v for k, v in decision.terms.items() if k not in AMOUNTS_OF_TERMS},
        signed_by=str(decision.signed_by) if decision.signed_by_id else None,
        signed_by_id=decision.signed_by_id,
        signed_at=decision.signed_at,
        effective_at=decision.effective_at,
        review_on=decision.review_on,
        signatures=[_signature(row) for row in decision.signatures.all()],
        seal=decision.seal or None,
    )  # fmt: skip


def _signature(row: Signature) -> dict:
    return {
        "person": row.person_id, "name": str(row.person), "signed_as": row.signed_as, "part": row.part,
        "choice": row.choice, "reason": row.reason, "at": row.at,
    }  # fmt: skip
