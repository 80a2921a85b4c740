"""The lines of lists: decisions that wait, their log, actions. Amounts only for those who may see them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from processes import evidence, selectors, wording
from processes.changed import Changed, changed_of, told_by
from processes.escalation import Deadlines, deadlines
from processes.models import Action, Choice, Decision
from processes.opening import Behind, burned_behind
from processes.review_pages import HitRate, hit_rates
from processes.selectors import WaitingDecision
from roles import selectors as roles_selectors
from roles.models import Channel, Company, Membership
from roles.permissions import Permission, RoleKind

MARKS = {"stop": "stop", "rewrite": "watch", "cut": "watch"}


@dataclass(frozen=True)
class WaitingLine:
    """A waiting decision as a list shows it; `burned` and `per_day` are None for those who may not see the money."""

    row: WaitingDecision
    mark: str
    kind: str
    headline: str
    burned: Decimal | None
    per_day: Decimal | None

    @property
    def behind(self) -> Behind | None:
        """The facts of what burned."""
        return burned_behind(self.row.evidence)

    @property
    def changed(self) -> Changed | None:
        """That the rule fires no more, where nobody has decided yet."""
        return changed_of(self.row.decision)

    @property
    def pace(self) -> str:
        """The cost of a day as an estimate: «13 400 ₽»; empty where there is none."""
        company = self.row.decision.company
        return wording.about(self.per_day, company.currency) if self.per_day and self.per_day > 0 else ""

    @property
    def decision(self) -> Decision:
        return self.row.decision


@dataclass(frozen=True)
class LogLine:
    decision: Decision
    title: str
    headline: str
    burned: Decimal | None

    @property
    def behind(self) -> Behind | None:
        """The facts of what burned."""
        return burned_behind(self.decision.kept_evidence)

    @property
    def opened_on(self) -> date:
        return self.decision.company.local_date(self.decision.opened_at)

    @property
    def signed_on(self) -> date | None:
        signed_at = self.decision.signed_at
        return signed_at and self.decision.company.local_date(signed_at)


@dataclass(frozen=True)
class LogFilters:
    """What the log can be narrowed by, and what is chosen; an unknown value chooses nothing."""

    channels: list[Channel]
    choices: list[tuple[str, str]]
    channel: str
    choice: str
    chosen: dict

    @property
    def query(self) -> str:
        """The filters as the links to further pages repeat them."""
        return "".join(
            f"&{name}={value}" for name, value in (("channel", self.channel), ("choice", self.choice)) if value
        )


@dataclass(frozen=True)
class ActionLine:
    action: Action
    overdue: bool
    may_close: bool
    may_accept: bool


def waiting_lines(*, company: Company, person: Membership, at: datetime) -> list[WaitingLine]:
    """Everything that waits for a decision, the costliest first, as this person may see it."""
    lines = []
    for row in selectors.waiting_decisions(company=company, at=at):
        sees = person.can(Permission.VIEW_MONEY, row.decision.channel_id)
        told = told_by(row.decision, row.evidence)
        told = told if sees or not told else evidence.without_money(told)
        lines.append(
            WaitingLine(
                row=row, mark=_mark(row.decision), kind=_kind(row.decision),
                headline=wording.headline(told, company.currency),
                burned=row.burned if sees else None, per_day=row.per_day if sees else None,
            )
        )  # fmt: skip
    return lines


def _mark(decision: Decision) -> str:
    return "wait" if decision.state == Decision.State.WAITING_COSIGN else MARKS.get(decision.recommendation, "wait")


def _kind(decision: Decision) -> str:
    if decision.state == Decision.State.WAITING_COSIGN:
        return _("Second signature")
    titles = {Choice.STOP: _("Stop-rule"), Choice.REWRITE: _("Rewrite"), Choice.CUT: _("Cut the budget")}
    return titles.get(decision.recommendation, _("Look at it"))


def burned_together(lines: Iterable[WaitingLine]) -> Decimal | None:
    """Money over the lines of all that waits; None where none is known or may be seen.

    Two rules on one scope see the same money, and so do a channel and its campaigns: each channel counts once, with the
    larger of the two.
    """
    scopes: dict[tuple, Decimal] = {}
    for line in lines:
        if line.burned is not None and line.burned > 0:
            scope = (line.decision.channel_id, line.decision.campaign_id)
            scopes[scope] = max(scopes.get(scope, Decimal(0)), line.burned)
    channels = {channel for channel, _campaign in scopes}
    return sum(_of_channel(scopes, channel) for channel in channels) if scopes else None


def _of_channel(scopes: dict[tuple, Decimal], channel: int) -> Decimal:
    campaigns = sum(money for (owner, campaign), money in scopes.items() if owner == channel and campaign is not None)
    return max(scopes.get((channel, None), Decimal(0)), campaigns)


@dataclass(frozen=True)
class KeptLine:
    """How decisions are kept in time and how their forecasts come out. `hits`: everybody's, for the owner only; `my_hits`:
    the reader's own; None where there is nothing to show. No table of people."""

    deadlines: Deadlines
    hits: HitRate | None
    my_hits: HitRate | None

    @property
    def is_empty(self) -> bool:
        return not self.deadlines.everybody.due and self.hits is None and self.my_hits is None


def kept(*, company: Company, person: Membership, at: datetime) -> KeptLine:
    everybody, mine = hit_rates(person=person)
    return KeptLine(
        deadlines=deadlines(company=company, person=person, at=at),
        hits=everybody if everybody.reviewed and person.wears(RoleKind.OWNER) else None,
        my_hits=mine if mine.reviewed else None,
    )


def log_filters(*, company: Company, query: Mapping[str, str]) -> LogFilters:
    channels = list(roles_selectors.channels(company=company))
    channel = next((row for row in channels if row.code == query.get("channel")), None)
    choices = [*((choice.value, wording.choice_title(choice)) for choice in Choice), ("withdrawn", _("Withdrawn"))]
    choice = query.get("choice", "")
    choice = choice if choice in dict(choices) else ""
    return LogFilters(
        channels=channels, choices=choices, channel=channel.code if channel else "", choice=choice,
        chosen={"channel": channel, "choice": choice},
    )  # fmt: skip


def log_lines(*, decisions: Iterable[Decision], person: Membership) -> list[LogLine]:
    lines = []
    for decision in decisions:
        seen = decision.kept_evidence
        sees = person.can(Permission.VIEW_MONEY, decision.channel_id)
        if seen and not sees:
            seen = evidence.without_money(seen)
        burned = evidence.amount(seen.get("burned")) if seen.get("is_money") else None
        title = wording.choice_title(decision.choice) if decision.state == Decision.State.SIGNED else ""
        lines.append(LogLine(decision, title, wording.headline(seen, decision.company.currency), burned))
    return lines


def action_lines(
    *, company: Company, person: Membership, whose: Membership | None, at: datetime
) -> tuple[list[ActionLine], list[ActionLine]]:
    """(to do, closed last) of one person or of everybody, with what the reader may do about each."""
    today = company.local_date(at)

    def line(action: Action) -> ActionLine:
        is_open = action.state == Action.State.OPEN
        waits = (
            action.kind == Action.Kind.REWRITE and action.state == Action.State.DONE and action.accepted_by_id is None
        )
        return ActionLine(
            action=action, overdue=is_open and action.due_on < today,
            may_close=is_open and selectors.may_close(person=person, action=action),
            may_accept=waits and selectors.may_accept(person=person, action=action),
        )  # fmt: skip

    to_do = selectors.actions_of(company=company, person=whose)
    return [line(row) for row in to_do], [line(row) for row in selectors.closed_actions(company=company, person=whose)]
