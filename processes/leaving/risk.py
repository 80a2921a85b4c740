"""If they leave tomorrow: what stands on one person. Pure over a `House`."""

from dataclasses import dataclass
from decimal import Decimal

from kpis.models import Source, StopRuleVersion
from processes.leaving.house import Earning, House, Work, administrators, is_channel_hat, is_contractors
from processes.models import Action, Decision
from roles.journal_words import VERBS
from roles.models import Access, Appointment, Channel, Contractor, DocumentLink, ExternalCheck, Membership
from roles.permissions import ROLE_PERMISSIONS, Permission, Reach, RoleKind

APPROVALS = (
    Permission.DECIDE, Permission.APPROVE_STRATEGY, Permission.SET_PRIORITY, Permission.MANAGE_COMPANY,
    Permission.SET_CONFLICTS, Permission.SIGN_STOP_RULES, Permission.REVIEW_REPORT, Permission.ENTER_FACTS,
)  # fmt: skip
"""Rights of the whole company that stop something when nobody has them."""


@dataclass(frozen=True)
class HeldHat:
    """A hat nobody else wears; `deputy`: who would stand in, None for nobody."""

    name: str
    channel: Channel | None
    deputy: Membership | None
    appointment: Appointment


@dataclass(frozen=True)
class HeldChannel:
    """A running channel on this person, with its money per week."""

    channel: Channel
    earning: Earning
    deputy: Membership | None


@dataclass(frozen=True)
class SoleWork:
    """Work that in 90 days only this person did, in words."""

    name: str
    channel: str
    times: int


@dataclass(frozen=True)
class Risk:
    """What stops when this person leaves."""

    person: Membership
    hats: list[HeldHat]
    channels: list[HeldChannel]
    approvals: list[Permission]
    work: list[SoleWork]
    decisions: list[Decision]
    actions: list[Action]
    rules: list[StopRuleVersion]
    sources: list[Source]
    checks: list[ExternalCheck]
    coordinates: list[Channel]
    deputises: list[Appointment]
    accesses: list[Access]
    documents: list[DocumentLink]
    contractors: list[Contractor]
    tokens: int = 0

    @property
    def locked_in(self) -> list[Access]:
        """Accesses that nobody else administers."""
        return [row for row in self.accesses if administrators(row) == {self.person.pk}]

    @property
    def unknown_to_others(self) -> list[Contractor]:
        """Contractors whose only contact with us this person is."""
        return [row for row in self.contractors if row.deputy is None or not row.deputy.is_active]

    @property
    def money(self) -> Decimal | None:
        """Revenue per week of the channels nobody would stand in for; None where none of it is known."""
        known = [row.earning.revenue for row in self.channels if row.deputy is None and row.earning.revenue is not None]
        return sum(known, Decimal()) if known else None

    @property
    def without_figures(self) -> list[Channel]:
        """Channels without a deputy whose revenue nobody knows: they are not in `money`."""
        return [row.channel for row in self.channels if row.deputy is None and row.earning.revenue is None]

    @property
    def vacant(self) -> list[HeldHat]:
        """The hats that nobody would pick up."""
        return [hat for hat in self.hats if hat.deputy is None]

    @property
    def weight(self) -> int:
        """How many things stop or change hands."""
        held = (
            self.hats,
            self.approvals,
            self.work,
            self.decisions,
            self.actions,
            self.rules,
            self.sources,
            self.checks,
            self.accesses,
            self.documents,
            self.contractors,
        )
        return sum(len(part) for part in (*held, self.coordinates))

    @property
    def is_empty(self) -> bool:
        return not (self.weight or self.channels or self.deputises or self.tokens)


def risks(house: House) -> list[Risk]:
    """Everybody, worst first: by money at risk, then hats nobody would pick up, then everything else."""
    found = [risk_of(house, person) for person in house.people]
    return sorted(found, key=lambda risk: (-(risk.money or 0), -len(risk.vacant), -risk.weight, str(risk.person)))


def risk_of(house: House, person: Membership) -> Risk:
    mine = house.held_by(person)
    return Risk(
        person=person,
        hats=[
            HeldHat(house.role_name(row), row.channel, _deputy(row), row)
            for row in mine
            if not is_contractors(row) and not _has_others(house, row)
        ],
        channels=[
            HeldChannel(row.channel, house.earning(row.channel), _deputy(row))
            for row in mine
            if is_channel_hat(row) and row.channel.is_running
        ],
        approvals=_approvals(house, person),
        work=[_named(work, person) for work in house.work if work.only() == person.pk],
        decisions=[row for row, decider in house.decisions if decider is not None and decider.pk == person.pk],
        actions=[row for row in house.actions if row.owner_id == person.pk],
        rules=[row for row in house.rules if row.owner_id == person.pk],
        sources=[row for row in house.sources if row.owner_id == person.pk],
        checks=[row for row in house.checks if row.checker_id == person.pk],
        coordinates=[row for row in house.channels if row.coordinator_id == person.pk and row.status != "stopped"],
        deputises=[row for row in house.appointments if row.deputy_id == person.pk],
        accesses=[row for row in house.accesses if person.pk in administrators(row)],
        documents=[row for row in house.documents if row.owner_id == person.pk],
        contractors=[row for row in house.contractors if row.responsible_id == person.pk],
        tokens=house.tokens.get(person.pk, 0),
    )


def _deputy(row: Appointment) -> Membership | None:
    return row.deputy if row.deputy_id and row.deputy.is_active else None


def _has_others(house: House, mine: Appointment) -> bool:
    """Does somebody else hold the same place by right?"""
    return any(
        row.role_id == mine.role_id and row.channel_id == mine.channel_id and row.person_id != mine.person_id
        and not row.interim
        for row in house.appointments
    )  # fmt: skip


def _approvals(house: House, person: Membership) -> list[Permission]:
    """Company-wide rights that come from this person's hats and from nobody else's."""
    wearers: dict[Permission, set[int]] = {permission: set() for permission in APPROVALS}
    for row in house.appointments:
        for permission, reach in ROLE_PERMISSIONS[RoleKind(row.role.kind)].items():
            if permission in wearers and reach is Reach.COMPANY and row.person.is_active:
                wearers[permission].add(row.person_id)
    return [permission for permission, ids in wearers.items() if ids == {person.pk}]


def _named(work: Work, person: Membership) -> SoleWork:
    return SoleWork(str(VERBS[work.verb]), work.channel, work.people[person.pk])
