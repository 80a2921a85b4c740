"""What a report is filled with, and the rules of who may fill it and when. No writes here: `reports.services` does them."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from kpis.metrics import BUILT_IN
from reports.models import Timeliness, WeeklyReport
from roles.models import Channel, Membership
from roles.permissions import ROLE_PERMISSIONS, Permission
from roles.refusals import Conflict, Forbidden, Refused, Stale

MOST_ITEMS = 5
MOST_LINES = 15
PREFILLED = 10
MOST_ACTIONS = 10
LONGEST_CONCLUSION = 1000
REOPENED_FOR = timedelta(hours=24)

MEASURES_OF_KIND = {
    Channel.Kind.CRM: ("sends", "unsubscribes", "unsubscribe_rate", "revenue"),
    Channel.Kind.SITE: ("visits", "leads", "qualified_leads", "deals", "revenue"),
    Channel.Kind.ORGANIC: ("spend", "visits", "leads", "qualified_leads", "cpa", "deals", "revenue"),
}
DEFAULT_MEASURES = ("spend", "leads", "qualified_leads", "cpa", "deals", "revenue")


class ReportLocked(Conflict):
    code = "locked"


class PlanFrozen(Conflict):
    code = "plan_frozen"


class PlanNotFrozen(Conflict):
    code = "plan_not_frozen"


class FactNotOpen(Conflict):
    code = "fact_not_open"


class AlreadyFiled(Conflict):
    code = "already_filed"


class WrongState(Conflict):
    code = "wrong_state"


class ReportChanged(Stale):
    code = "changed_elsewhere"


class MayNotFile(Forbidden):
    code = "may_not_file"


class MayNotReview(Forbidden):
    code = "may_not_review"


class Incomplete(Refused):
    code = "incomplete"


@dataclass(frozen=True)
class ActionDraft:
    """An action being written down: any part may still be missing."""

    text: str = ""
    owner_id: int | None = None
    due_on: date | None = None

    @property
    def is_empty(self) -> bool:
        return not self.text.strip() and self.due_on is None

    def as_json(self) -> dict:
        return {"text": self.text, "owner": self.owner_id, "due": self.due_on.isoformat() if self.due_on else None}

    @classmethod
    def from_json(cls, data: dict) -> "ActionDraft":
        due = data.get("due")
        return cls(data.get("text", ""), data.get("owner"), date.fromisoformat(due) if due else None)


@dataclass(frozen=True)
class Promise:
    """What became of an action promised earlier: `done`, `move` (to `due_on`), `drop` (for `reason`), or `stand_up`: moved
    three times already, it is left to the stand-up."""

    action_id: int
    mark: str
    due_on: date | None = None
    reason: str = ""

    def as_json(self) -> dict:
        due = self.due_on.isoformat() if self.due_on else None
        return {"action": self.action_id, "mark": self.mark, "due": due, "reason": self.reason}

    @classmethod
    def from_json(cls, data: dict) -> "Promise":
        due = data.get("due")
        return cls(data["action"], data["mark"], date.fromisoformat(due) if due else None, data.get("reason", ""))


@dataclass(frozen=True)
class ItemDraft:
    """One thing promised for the week and the number expected of it."""

    text: str
    expected: Decimal | None = None
    clause: str = ""


@dataclass(frozen=True)
class PlanDraft:
    """Planned values by measure; `items` None leaves the items as they are. `tab`: the open page that saves."""

    values: dict[str, Decimal | None] = field(default_factory=dict)
    items: list[ItemDraft] | None = None
    tab: str = ""


@dataclass(frozen=True)
class FactDraft:
    """The fact as its author writes it; None leaves a part as it is. `typed` by measure, `actuals` by plan item id."""

    cause: str | None = None
    conclusion: str | None = None
    no_action_reason: str | None = None
    late_reason: str | None = None
    actions: list[ActionDraft] | None = None
    promises: list[Promise] | None = None
    typed: dict[str, Decimal | None] = field(default_factory=dict)
    actuals: dict[int, Decimal | None] = field(default_factory=dict)
    tab: str = ""


def drafted_actions(report: WeeklyReport) -> list[ActionDraft]:
    return [ActionDraft.from_json(row) for row in report.draft.get("actions", [])]


def drafted_promises(report: WeeklyReport) -> dict[int, Promise]:
    """Marks not given yet, by action id."""
    promises = [Promise.from_json(row) for row in report.draft.get("promises", [])]
    return {promise.action_id: promise for promise in promises}


def default_measures(channel: Channel) -> list[str]:
    """The measures a channel of this kind is asked about every week; its own result KPI is always one of them."""
    measures = list(MEASURES_OF_KIND.get(channel.kind, DEFAULT_MEASURES))
    if channel.result_kpi not in measures and channel.kind != Channel.Kind.CRM:
        measures.append(channel.result_kpi)
    return measures


def is_signed(measure: str) -> bool:
    """May the measure's plan be below zero? Only money that can be lost, and KPIs."""
    known = BUILT_IN.get(measure)
    return known is None or known.signed


def holds_channel(person: Membership, channel_id: int) -> bool:
    """Does this person hold (or deputise) a hat of this very channel that files reports?"""
    return any(
        hat.channel_id == channel_id and Permission.SUBMIT_REPORT in ROLE_PERMISSIONS[hat.kind] for hat in person.hats
    )


def check_may_file(person: Membership, report: WeeklyReport) -> None:
    """The holder of the channel's hat, or the project manager on behalf; 403 with who may for everybody else."""
    if not person.can(Permission.SUBMIT_REPORT, report.channel_id):
        owner = report.channel.owner
        raise MayNotFile(
            _("The report is filed by %(owner)s, or by the project manager on behalf.")
            % {"owner": owner or _("the owner of the channel")}
        )


def check_may_review(person: Membership) -> None:
    if not person.can(Permission.REVIEW_REPORT):
        raise MayNotReview(_("Reports are accepted, returned and re-opened by the marketing director."))


def is_closed(report: WeeklyReport, at: datetime) -> bool:
    """Is the week locked at this moment? By the clock too: the task that locks may come a little later."""
    if report.reopened_until and at < report.reopened_until:
        return False
    return report.state == WeeklyReport.State.LOCKED or at >= report.locks_at


def timeliness(marked: str, *, in_time: bool) -> str:
    """How a part keeps its deadline when it is filed for the first time. What was missed at the lock stays missed: it is
    only filled after; whoever was excused and files all the same is not late."""
    if marked == Timeliness.MISSED:
        return marked
    if in_time:
        return Timeliness.ON_TIME
    return Timeliness.EXCUSED if marked == Timeliness.EXCUSED else Timeliness.LATE


def plan_is_frozen(report: WeeklyReport, at: datetime) -> bool:
    return at > report.plan_due_at


def may_edit_fact(report: WeeklyReport, at: datetime) -> bool:
    """Is the fact in a state in which its author may still change it?"""
    states = WeeklyReport.State
    return not is_closed(report, at) and report.state in {states.EMPTY, states.DRAFT, states.RETURNED}


def check_open(report: WeeklyReport, at: datetime) -> None:
    if is_closed(report, at):
        raise ReportLocked(_("The week is locked. The marketing director can re-open this report for 24 hours."))
