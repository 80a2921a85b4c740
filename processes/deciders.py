"""Who may sign which decision, asked of the hats of a day: the reads around `processes.signing`."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from django.utils.translation import gettext as _

from processes import signing
from processes.models import Decision
from processes.signing import CHECKER, Case, Standing
from roles import conflicts, selectors
from roles.models import Appointment, Company, ExternalCheck, Membership
from roles.permissions import Hat, RoleKind


@dataclass(frozen=True)
class Around:
    """Who matters to the decisions of a company on a day: appointments in force and who is away. Two queries, and a third
    for the outside checks where an owner who runs the channel has signed."""

    appointments: tuple[Appointment, ...]
    away: frozenset[int]
    company: Company
    on: date

    @cached_property
    def checks(self) -> list[ExternalCheck]:
        """The outside checks of whoever decides, in force on the day."""
        return conflicts.checks_of_kind(company=self.company, on=self.on, kinds=(RoleKind.CMO, RoleKind.OWNER))

    def outside_checkers(self, signer_id: int) -> list[Membership]:
        """Who was named to check this person's decisions, whatever their own hats."""
        return [check.checker for check in self.checks if check.person_id == signer_id and check.checker.is_active]

    def side(self, channel) -> frozenset[int]:
        """Ids of the people who own or deputise a channel."""
        ids = {channel.owner_id} if channel.owner_id else set()
        for appointment in self.appointments:
            if appointment.channel_id == channel.pk and appointment.role.kind == RoleKind.CHANNEL_OWNER:
                ids |= {appointment.person_id, appointment.deputy_id} - {None}
        return frozenset(ids)

    def wearers(self, *kinds: RoleKind) -> list[Membership]:
        """Active people who wear one of the hats: its deputy where the holder is away. Each person once."""
        found: dict[int, Membership] = {}
        for appointment in self.appointments:
            if appointment.role.kind in kinds:
                absent = appointment.person_id in self.away and appointment.deputy_id
                person = appointment.deputy if absent else appointment.person
                if person.is_active:
                    found.setdefault(person.pk, person)
        return list(found.values())

    def hats(self, person: Membership) -> tuple[Hat, ...]:
        """The hats of a person as `roles.selectors.hats_of` gives them, without a query."""
        if not person.is_active:
            return ()
        return tuple(
            Hat(RoleKind(row.role.kind), row.role_id, row.channel_id, acting=row.interim or row.person_id != person.pk)
            for row in self.appointments
            if row.person_id == person.pk or (row.deputy_id == person.pk and row.person_id in self.away)
        )


def around(*, company: Company, on: date) -> Around:
    appointments = selectors.appointments_in_force(company=company, on=on)
    away = selectors.absences(company=company, on=on).filter(starts_on__lte=on).values_list("person_id", flat=True)
    return Around(tuple(appointments), frozenset(away), company, on)


def around_at(decision: Decision, at: datetime) -> Around:
    return around(company=decision.company, on=decision.company.local_date(at))


def standing_of(*, decision: Decision, person: Membership, at: datetime, people: Around | None = None) -> Standing:
    """What this person may do with this decision now, with the reason in words."""
    people = people or around_at(decision, at)
    case = Case(decision.round, at - decision.opened_at, people.side(decision.channel))
    return signing.standing(person_id=person.pk, hats=people.hats(person), case=case)


def deciders(*, decision: Decision, people: Around) -> list[Membership]:
    """Whose word is awaited: the director (or who acts), from the third round on the owner; the second signer while one is awaited."""
    if decision.state == Decision.State.WAITING_COSIGN:
        return cosigners(decision=decision, signer_id=decision.signed_by_id, cosigner=decision.cosigner, people=people)
    if decision.round >= signing.OWNERS_ROUND:
        return people.wearers(RoleKind.OWNER)
    return people.wearers(RoleKind.CMO) or people.wearers(RoleKind.OWNER)


def cosigners(*, decision: Decision, signer_id: int, cosigner: str, people: Around) -> list[Membership]:
    """Who may give the second signature: the owner, or the named checkers; never the signer."""
    wearers = people.wearers(RoleKind.OWNER)
    if cosigner == CHECKER:
        wearers = [*people.outside_checkers(signer_id), *people.wearers(RoleKind.CMO, RoleKind.PM)]
    return [
        person
        for person in dict.fromkeys(wearers)
        if cosign_problem(decision=decision, person=person, signer_id=signer_id, cosigner=cosigner, people=people)
        is None
    ]


def cosign_problem(
    *, decision: Decision, person: Membership, signer_id: int, cosigner: str, people: Around
) -> str | None:
    """Why this person may not give the second signature; None when they may."""
    named = decision.terms.get("checker") if cosigner == CHECKER else None
    if named and person.pk not in _stand_for(named, people):
        return _("%(name)s was named to check.") % {"name": decision.terms["checker_name"]}
    outside = [row.pk for row in people.outside_checkers(signer_id)] if cosigner == CHECKER else []
    return signing.cosign_refusal(
        person_id=person.pk, hats=people.hats(person), signer_id=signer_id, cosigner=cosigner,
        side=people.side(decision.channel), outside=frozenset(outside),
    )  # fmt: skip


def _stand_for(named: int, people: Around) -> set[int]:
    """The named checker, and while they are away whoever deputises the hat they check under."""
    if named not in people.away:
        return {named}
    hats = (RoleKind.CMO, RoleKind.PM)
    return {named} | {
        row.deputy_id for row in people.appointments
        if row.person_id == named and row.deputy_id and row.role.kind in hats
    }  # fmt: skip


def hat_of_cosigner(*, decision: Decision, person: Membership, people: Around) -> str:
    """Under which hat a second signature is given, or a proposal taken back."""
    kinds = [hat.kind for hat in people.hats(person)]
    wanted = (RoleKind.CMO, RoleKind.PM) if decision.cosigner == CHECKER else (RoleKind.OWNER,)
    return str(next((kind for kind in (*wanted, RoleKind.CMO, RoleKind.OWNER, *kinds) if kind in kinds), ""))
