"""Briefs of contractors: who may see and do what with them, and what waits for whom. Reads only."""

from dataclasses import dataclass
from datetime import date, datetime, time

from django.db.models import Q, QuerySet

from processes.models import Brief
from roles import contracts
from roles.models import Channel, Company, Contractor, Membership
from roles.permissions import Permission

State = Brief.State


@dataclass(frozen=True)
class BriefLine:
    """A brief in a list. `mine`: the next step is this person's."""

    brief: Brief
    mine: bool
    overdue: bool


@dataclass(frozen=True)
class Rights:
    """What a person may do with a brief in its present state."""

    runs: bool
    answers: bool

    def may(self, brief: Brief, step: str) -> bool:
        ours, states = STEPS[step]
        return (self.runs if ours else self.answers) and brief.state in states


STEPS: dict[str, tuple[bool, tuple]] = {
    "edit": (True, Brief.EDITABLE),
    "send": (True, Brief.EDITABLE),
    "cancel": (True, tuple(state for state in State if state not in Brief.CLOSED)),
    "accept_work": (True, (State.DELIVERED,)),
    "return_work": (True, (State.DELIVERED,)),
    "take": (False, (State.SENT,)),
    "return_brief": (False, (State.SENT,)),
    "deliver": (False, (State.ACCEPTED, State.REWORK)),
}
"""step → (is it the company's?, in which states): the whole life of a brief in one table."""


def briefs(*, company: Company) -> QuerySet[Brief]:
    return Brief.objects.filter(company=company).select_related(
        "contractor__responsible__user", "contractor__deputy__user", "channel", "author__user", "accepted_by__user",
        "delivered_by__user", "judged_by__user",
    )  # fmt: skip


def get_brief(*, company: Company, pk: int) -> Brief | None:
    return briefs(company=company).filter(pk=pk).first()


def visible_briefs(*, company: Company, person: Membership) -> QuerySet[Brief]:
    """Everything for who may read; for a contractor's person what was sent by the contracts they work by today."""
    found = briefs(company=company)
    if person.can(Permission.READ):
        return found
    return found.filter(contractor__in=contracts.contracts_of(person=person)).exclude(state=State.DRAFT)


def may_run(*, person: Membership, contractor: Contractor, channel: Channel | None) -> bool:
    """Who writes, sends and judges: managers, who answers for the contractor, who files for the channel."""
    return (
        person.can(Permission.MANAGE_COMPANY)
        or (person.can(Permission.READ) and person.pk in {contractor.responsible_id, contractor.deputy_id})
        or (channel is not None and person.can(Permission.SUBMIT_REPORT, channel))
    )


def rights_of(*, person: Membership, brief: Brief) -> Rights:
    answers = not person.can(Permission.READ) and any(
        row.pk == brief.contractor_id for row in contracts.contracts_of(person=person)
    )
    return Rights(may_run(person=person, contractor=brief.contractor, channel=brief.channel), answers)


def may_see(*, person: Membership, brief: Brief) -> bool:
    return person.can(Permission.READ) or (brief.state != State.DRAFT and rights_of(person=person, brief=brief).answers)


def waiting_for(*, company: Company, person: Membership) -> list[Brief]:
    """Briefs whose next step is this person's, the soonest due first; one query, two for a contractor's person."""
    if not person.can(Permission.READ):
        mine = Q(contractor__in=contracts.contracts_of(person=person), state__in=Brief.WITH_CONTRACTOR)
    else:
        people = Q(author=person) | Q(contractor__responsible=person)
        mine = people & Q(state__in=(State.RETURNED, State.DELIVERED))
    return list(briefs(company=company).filter(mine).distinct())


def brief_lines(
    *, company: Company, person: Membership, today: date, contractor: int | None = None
) -> tuple[list[BriefLine], list[Brief]]:
    """(open, closed) briefs that this person may see; those that wait for them first."""
    found = visible_briefs(company=company, person=person)
    rows = list(found.filter(contractor_id=contractor) if contractor else found)
    reads = person.can(Permission.READ)
    lines = [
        BriefLine(
            row, _is_mine(row, person, reads), not row.is_closed and row.due_on < today and row.state != State.DELIVERED
        )
        for row in rows
        if not row.is_closed
    ]
    closed = sorted((row for row in rows if row.is_closed), key=lambda row: row.changed_at, reverse=True)
    return sorted(lines, key=lambda line: (not line.mine, line.brief.due_on)), closed


def due_at(brief: Brief, company: Company) -> datetime:
    """The end of the brief's last day in the company's zone."""
    return datetime.combine(brief.due_on, time(23, 59), tzinfo=company.zone)


def _is_mine(brief: Brief, person: Membership, reads: bool) -> bool:
    if not reads:
        return brief.state in Brief.WITH_CONTRACTOR
    return brief.state in Brief.WITH_US and person.pk in {brief.author_id, brief.contractor.responsible_id}
