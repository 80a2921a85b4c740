"""Who holds what in a company on a day, read once: every question about a departure is answered from it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Count, Prefetch
from django.db.models.fields.json import KeyTextTransform

from kpis import formulas
from kpis.metrics import BUILT_IN
from kpis.models import Source, StopRuleVersion
from kpis.selectors.cube import load_cube
from processes import deciders, selectors
from processes.models import Action, Decision
from roles import boards
from roles import selectors as people_selectors
from roles.conflicts import Standing
from roles.models import (
    Access,
    AccessAdministrator,
    AccessChannel,
    ApiToken,
    Appointment,
    AuditEvent,
    Channel,
    Company,
    Contractor,
    DocumentLink,
    ExternalCheck,
    Membership,
    RoleVersion,
)
from roles.permissions import RoleKind

WEEKS = 4
MONEY_DAYS = 7 * WEEKS
WORK_DAYS = 90
WORK_VERBS = (
    "submit_weekly_plan", "submit_weekly_fact", "accept_weekly_report", "write_week_summary", "sign_decision",
    "cosign_decision", "close_review", "record_facts", "confirm_import", "tick_duty", "sign_check", "approve_stop_rule",
    "revise_stop_rule", "set_target", "create_campaign",
)  # fmt: skip
"""What people run again and again. There is no process object yet: the journal says who filed, signed, loaded, ticked."""

SPEND, REVENUE = formulas.parse("spend"), formulas.parse("revenue")


@dataclass(frozen=True)
class Work:
    """A kind of work as the journal knows it: what was done and about which channel (empty: the company). By whom, how often."""

    verb: str
    channel: str
    people: dict[int, int]

    def only(self) -> int | None:
        """Id of the one person who did it; None where several did."""
        return next(iter(self.people)) if len(self.people) == 1 else None


@dataclass(frozen=True)
class Earning:
    """Money of a channel per week, the mean of the last four weeks, `start` to `end`. None: nothing is known, which is no zero."""

    spend: Decimal | None
    revenue: Decimal | None
    start: date | None = None
    end: date | None = None


UNKNOWN = Earning(None, None)


@dataclass(frozen=True)
class House:
    """A company on a day. Lists hold what is in force or open, people loaded."""

    company: Company
    on: date
    board: boards.RoleMap
    appointments: list[Appointment]
    rules: list[StopRuleVersion]
    sources: list[Source]
    actions: list[Action]
    checks: list[ExternalCheck]
    tokens: dict[int, int]
    decisions: list[tuple[Decision, Membership | None]]
    work: list[Work]
    earnings: dict[int, Earning]
    away: frozenset[int]
    accesses: list[Access]
    documents: list[DocumentLink]
    contractors: list[Contractor]

    @property
    def people(self) -> list[Membership]:
        return self.board.people

    @property
    def channels(self) -> list[Channel]:
        return self.board.channels

    @property
    def versions(self) -> dict[int, RoleVersion]:
        return {version.role_id: version for version in self.board.versions}

    @property
    def standings(self) -> list[Standing]:
        return self.board.conflicts

    def role_name(self, appointment: Appointment) -> str:
        """The hat in the reader's language; a role that is not used any more by its code."""
        return self.board.names.get(appointment.role_id, appointment.role.code)

    def held_by(self, person: Membership) -> list[Appointment]:
        return [row for row in self.appointments if row.person_id == person.pk]

    def earning(self, channel: Channel) -> Earning:
        return self.earnings.get(channel.pk, UNKNOWN)

    def hours(self, person: Membership) -> int:
        return self.board.hours.get(person.pk, 0)


def open_house(*, company: Company, on: date, at: datetime, money: bool = True) -> House:
    """Some 25 queries whatever the number of people, channels, rules and actions. `money` False: amounts are not read."""
    board = boards.role_map(company=company, on=on)
    appointments = list(people_selectors.appointments_in_force(company=company, on=on))
    rules = StopRuleVersion.objects.filter(company=company, superseded_at=None, active=True)
    around = deciders.Around(tuple(appointments), frozenset(board.away), company, on)
    waiting = selectors.decisions(company=company).filter(state__in=Decision.UNDECIDED)
    tokens = ApiToken.objects.filter(company=company, revoked_at=None, expires_at__gt=at)
    checks = ExternalCheck.objects.filter(company=company, until__gte=on, ended_on=None)
    return House(
        company=company, on=on, board=board, appointments=appointments,
        rules=list(rules.select_related("rule", "owner__user", "channel").order_by("rule__number", "number")),
        sources=list(Source.objects.filter(company=company).exclude(owner=None).select_related("owner__user")),
        actions=list(selectors.actions_of(company=company)),
        checks=list(checks.select_related("person__user", "checker__user")),
        tokens=dict(tokens.values_list("person_id").annotate(Count("pk")).order_by()),
        decisions=[
            (row, next(iter(deciders.deciders(decision=row, people=around)), None)) for row in waiting
        ],
        work=work_of(company=company, at=at),
        earnings=_earnings(company, on, board.channels) if money else {},
        away=frozenset(board.away),
        accesses=list(
            Access.objects.filter(company=company, closed_on=None).prefetch_related(
                Prefetch("administrator_rows", AccessAdministrator.objects.filter(company=company, person__is_active=True)),
                Prefetch("channel_rows", AccessChannel.objects.filter(company=company).select_related("channel")),
            )
        ),
        documents=list(DocumentLink.objects.filter(company=company).select_related("channel")),
        contractors=list(Contractor.objects.filter(company=company, closed_on=None).select_related("deputy__user")),
    )  # fmt: skip


def work_of(*, company: Company, at: datetime) -> list[Work]:
    """Who did each kind of work in the 90 days before a moment, by the journal; one query."""
    since = at - timedelta(days=WORK_DAYS)
    rows = (
        AuditEvent.objects.filter(company=company, at__gte=since, at__lte=at, verb__in=WORK_VERBS)
        .exclude(by=None)
        .annotate(about=KeyTextTransform("channel", "after"))
        .order_by()
        .values_list("verb", "about", "by_id")
        .annotate(times=Count("pk"))
    )
    found: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    for verb, about, person, times in rows:
        found[verb, about or ""][person] = times
    return [Work(verb, about, people) for (verb, about), people in sorted(found.items())]


def _earnings(company: Company, on: date, channels: Iterable[Channel]) -> dict[int, Earning]:
    ids = [channel.pk for channel in channels]
    metrics = {code: BUILT_IN[code] for code in ("spend", "revenue")}
    start, end = on - timedelta(days=MONEY_DAYS), on - timedelta(days=1)
    cube = load_cube(company=company, start=start, end=end, channel_ids=ids, metrics=metrics)
    return {pk: Earning(_weekly(cube, SPEND, pk), _weekly(cube, REVENUE, pk), start, end) for pk in ids}


def _weekly(cube, formula, channel_id: int) -> Decimal | None:
    """Per week over the days that are known: a gap is left out, not counted as nothing."""
    figure = cube.kpi(formula, channel_ids=[channel_id])
    return None if not figure.known_pairs else figure.numerator / figure.known_pairs * 7


def administrators(access: Access) -> set[int]:
    """Ids of the active people who administer an access of a house."""
    return {row.person_id for row in access.administrator_rows.all()}


def is_channel_hat(appointment: Appointment) -> bool:
    return appointment.role.kind == RoleKind.CHANNEL_OWNER and appointment.channel_id is not None


def is_contractors(appointment: Appointment) -> bool:
    """The hat of another firm's person: it opens their own tasks and nothing else. Who comes instead of them is that firm's to
    say, so it is never vacant, has no deputy, and there is nothing to hand over."""
    return appointment.role.kind == RoleKind.CONTRACTOR
