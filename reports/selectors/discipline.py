"""Discipline without pressure: how the work flows, by role and by week. Trends of roles, never a table of people."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from statistics import median

from django.utils.translation import gettext as _

from kpis.charts import Plot, line_plot
from processes.models import Action, Decision
from reports.deadlines import local_monday
from reports.models import Timeliness, WeeklyReport
from roles import formats, selectors
from roles.models import Company

WEEKS = 12
WEEK = timedelta(weeks=1)


@dataclass(frozen=True)
class Kept:
    """Parts of reports (a plan or a fact each) that were due: in time, late, missed, of these filled afterwards; and excused
    ones, which count neither way."""

    on_time: int = 0
    late: int = 0
    missed: int = 0
    filled_after: int = 0
    excused: int = 0

    @property
    def due(self) -> int:
        return self.on_time + self.late + self.missed

    @property
    def rate(self) -> Decimal | None:
        """Share in time; None where nothing was due."""
        return Decimal(self.on_time) / self.due if self.due else None

    def __add__(self, other: "Kept") -> "Kept":
        return Kept(*(a + b for a, b in zip(_counts(self), _counts(other), strict=True)))


def _counts(kept: Kept) -> tuple[int, ...]:
    return kept.on_time, kept.late, kept.missed, kept.filled_after, kept.excused


@dataclass(frozen=True)
class Cycle:
    """Median hours from the breach to the decision in force, and from there to the action done; None where none ended.
    `count`: decisions in force, `done`: those whose action is done."""

    decide: Decimal | None
    act: Decimal | None
    count: int
    done: int


@dataclass(frozen=True)
class Done:
    """Actions whose (first or last) date fell into the weeks: done, done by their date, dropped, and moved at least once."""

    due: int = 0
    done: int = 0
    in_time: int = 0
    dropped: int = 0
    moved: int = 0

    @property
    def rate(self) -> Decimal | None:
        return Decimal(self.done) / self.due if self.due else None


@dataclass(frozen=True)
class RoleRow:
    """One role over the weeks."""

    name: str
    plan: Kept
    fact: Kept
    before: Decimal | None
    after: Decimal | None
    cycle: Cycle
    actions: Done

    @property
    def rate(self) -> Decimal | None:
        return (self.plan + self.fact).rate

    @property
    def trend(self) -> Decimal | None:
        """Share in time of the last six weeks less that of the six before; None where one of them is empty."""
        return None if self.before is None or self.after is None else self.after - self.before


@dataclass(frozen=True)
class WeekRow:
    """A week (its Monday) of all channels."""

    monday: date
    plan: Kept
    fact: Kept

    @property
    def both(self) -> Kept:
        return self.plan + self.fact

    @property
    def rate(self) -> Decimal | None:
        return self.both.rate


@dataclass(frozen=True)
class DisciplinePage:
    """Twelve weeks, the present one last."""

    weeks: list[WeekRow]
    roles: list[RoleRow]
    plan: Kept
    fact: Kept
    cycle: Cycle
    actions: Done
    plot: Plot | None

    @property
    def rate(self) -> Decimal | None:
        return (self.plan + self.fact).rate


@dataclass(frozen=True)
class _Rows:
    """What the page is computed from."""

    reports: list[WeeklyReport]
    decisions: list[Decision]
    actions: list[Action]


def discipline_page(*, company: Company, at: datetime) -> DisciplinePage:
    """The number of queries depends on nothing."""
    last = local_monday(at, company.zone)
    first = last - (WEEKS - 1) * WEEK
    rows = _read(company, first, last, at)
    roles = _roles(company, at)
    weeks = [_week(first + n * WEEK, rows.reports) for n in range(WEEKS)]
    names = sorted({roles.get(report.channel_id, "") for report in rows.reports})
    return DisciplinePage(
        weeks=weeks,
        roles=[_role(name, _of_role(rows, roles, name), last, company) for name in names],
        plan=_kept(rows.reports, "plan"), fact=_kept(rows.reports, "fact"),
        cycle=_cycle(rows.decisions), actions=_done(rows.actions, company), plot=_plot(weeks),
    )  # fmt: skip


def _read(company: Company, first: date, last: date, at: datetime) -> _Rows:
    reports = WeeklyReport.objects.filter(company=company, week__gte=first, week__lte=last)
    decisions = (
        Decision.objects.filter(company=company, effective_at__gte=at - WEEKS * WEEK, effective_at__lte=at)
        .select_related("breach")
        .prefetch_related("actions")
    )
    today = company.local_date(at)
    actions = Action.objects.filter(company=company, due_on__gte=first, due_on__lt=today)
    return _Rows(list(reports), list(decisions), list(actions))


def _roles(company: Company, at: datetime) -> dict[int, str]:
    """Channel id → the name of the role that runs it today."""
    names = selectors.role_names(company=company)
    on = company.local_date(at)
    return {
        row.channel_id: names.get(row.role_id, "")
        for row in selectors.appointments_in_force(company=company, on=on)
        if row.channel_id
    }


def _of_role(rows: _Rows, roles: dict[int, str], name: str) -> _Rows:
    def mine(found):
        return [row for row in found if row.channel_id and roles.get(row.channel_id, "") == name]

    return _Rows(mine(rows.reports), mine(rows.decisions), mine(rows.actions))


def _week(monday: date, reports: Iterable[WeeklyReport]) -> WeekRow:
    mine = [report for report in reports if report.week == monday]
    return WeekRow(monday, _kept(mine, "plan"), _kept(mine, "fact"))


def _role(name: str, rows: _Rows, last: date, company: Company) -> RoleRow:
    halves: dict[bool, list[WeeklyReport]] = defaultdict(list)
    for report in rows.reports:
        halves[report.week > last - WEEKS // 2 * WEEK].append(report)
    before, after = ((_kept(halves[half], "plan") + _kept(halves[half], "fact")).rate for half in (False, True))
    return RoleRow(
        name or _("without a role"), _kept(rows.reports, "plan"), _kept(rows.reports, "fact"), before, after,
        _cycle(rows.decisions), _done(rows.actions, company),
    )  # fmt: skip


def _kept(reports: Iterable[WeeklyReport], part: str) -> Kept:
    mark, filed = ("plan_timeliness", "plan_submitted_at") if part == "plan" else ("timeliness", "fact_submitted_at")
    marks = [(getattr(report, mark), getattr(report, filed)) for report in reports]
    count = [value for value, _filed in marks].count
    after = sum(value == Timeliness.MISSED and filed_at is not None for value, filed_at in marks)
    return Kept(
        count(Timeliness.ON_TIME), count(Timeliness.LATE), count(Timeliness.MISSED), after, count(Timeliness.EXCUSED)
    )


def _hours(values: list[timedelta]) -> Decimal | None:
    if not values:
        return None
    return Decimal(median(value.total_seconds() for value in values) / 3600).quantize(Decimal("0.1"))


def _cycle(decisions: Iterable[Decision]) -> Cycle:
    decide, act = [], []
    for decision in decisions:
        began = decision.breach.detected_at if decision.breach else decision.opened_at
        decide.append(max(decision.effective_at - began, timedelta(0)))
        ended = [row.closed_at for row in decision.actions.all() if row.state == Action.State.DONE]
        if ended:
            act.append(max(max(ended) - decision.effective_at, timedelta(0)))
    return Cycle(_hours(decide), _hours(act), len(decide), len(act))


def _done(actions: Iterable[Action], company: Company) -> Done:
    found = list(actions)
    done = [row for row in found if row.state == Action.State.DONE]
    return Done(
        due=len(found), done=len(done),
        in_time=sum(company.local_date(row.closed_at) <= row.due_on and not row.carried for row in done),
        dropped=sum(row.state == Action.State.DROPPED for row in found), moved=sum(row.carried > 0 for row in found),
    )  # fmt: skip


def _plot(weeks: list[WeekRow]) -> Plot | None:
    """The share in time by week; None where nothing was due in all of them."""
    rates = [week.rate for week in weeks]
    known = [rate for rate in rates if rate is not None]
    if not known:
        return None
    low, high = (formats.figure(value, "share", "") for value in (min(known), max(known)))
    return line_plot(
        [week.monday for week in weeks], rates, "share", title=_("Filed in time, by week"),
        desc=_("Twelve weeks: from %(low)s to %(high)s.") % {"low": low, "high": high}, size="l",
    )  # fmt: skip
