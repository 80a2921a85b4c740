"""Weekly reports as people look at them: lists, states of plan and fact, discipline of a week, what somebody owes now."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kpis.periods import week_label, week_number
from processes.models import Action
from reports.deadlines import local_monday
from reports.models import ReportAction, Timeliness, WeeklyReport, WeekSummary
from reports.selectors.calendar import week_book
from reports.selectors.figures import Figures, Line, Shared, figures_of
from roles import selectors as roles_selectors
from roles.models import Channel, Company, Membership
from roles.permissions import ROLE_PERMISSIONS, Permission

State = WeeklyReport.State


@dataclass(frozen=True)
class Part:
    """How the plan or the fact of a report stands. `kind`: not_open, waiting, draft, returned, overdue, filed, accepted,
    missed, excused. `late`: filed after its deadline; `after`: missed at the lock and filled afterwards; `by` filed it."""

    kind: str
    due_at: datetime
    filed_at: datetime | None
    on_behalf: bool
    late: bool
    report: WeeklyReport
    filer: str
    after: bool = False
    excused: bool = False

    @property
    def by(self) -> Membership | None:
        # Asked only where it is shown: most lists do not say who filed.
        return getattr(self.report, self.filer)

    @property
    def mark(self) -> str:
        """The status mark of the design: shape and colour."""
        if self.kind in {"overdue", "missed", "returned"}:
            return "watch" if self.kind == "returned" else "stop"
        if self.kind in {"filed", "accepted"}:
            return "watch" if self.late else ("done" if self.kind == "accepted" else "ok")
        return {"draft": "draft", "not_open": "none", "excused": "pause"}.get(self.kind, "wait")

    @property
    def is_owed(self) -> bool:
        return self.kind in {"waiting", "draft", "returned", "overdue"}


@dataclass(frozen=True)
class ReportRow:
    """One report in a list, with its figures and the line of the channel's result KPI (None when it is not planned)."""

    report: WeeklyReport
    figures: Figures
    plan: Part
    fact: Part

    @property
    def main(self) -> Line | None:
        wanted = self.report.channel.result_kpi
        return next((line for line in self.figures.lines if line.measure == wanted), None)

    @property
    def number(self) -> int:
        return week_number(self.report.week)


def plan_part(report: WeeklyReport, at: datetime) -> Part:
    """The plan's state at a moment."""
    if report.plan_submitted_at is not None:
        kind = "filed"
    elif report.plan_timeliness == Timeliness.EXCUSED:
        kind = "excused"
    elif report.plan_timeliness == Timeliness.MISSED or at >= report.locks_at:
        kind = "missed"
    elif at >= report.plan_due_at:
        kind = "overdue"
    else:
        kind = "draft" if report.saved_at else "waiting"
    return Part(
        kind, report.plan_due_at, report.plan_submitted_at, report.plan_on_behalf,
        report.plan_timeliness in {Timeliness.LATE, Timeliness.MISSED}, report, "plan_submitted_by",
        after=_filled_after(report.plan_timeliness, report.plan_submitted_at),
        excused=report.plan_timeliness == Timeliness.EXCUSED,
    )  # fmt: skip


def fact_part(report: WeeklyReport, at: datetime) -> Part:
    """The fact's state at a moment; a locked report keeps whether it was ever filed."""
    states = {State.SUBMITTED: "filed", State.ACCEPTED: "accepted", State.RETURNED: "returned"}
    if report.state == State.LOCKED:
        kind = ("accepted" if report.reviewed_at else "filed") if report.fact_submitted_at else "missed"
        kind = "excused" if kind == "missed" and report.timeliness == Timeliness.EXCUSED else kind
    elif report.state in states:
        kind = states[report.state]
    elif report.timeliness == Timeliness.EXCUSED and report.state == State.EMPTY:
        kind = "excused"
    elif at >= report.locks_at:
        kind = "missed"
    elif at >= report.fact_due_at:
        kind = "overdue"
    elif report.state == State.DRAFT:
        kind = "draft"
    else:
        kind = "waiting" if at >= report.fact_opens_at else "not_open"
    return Part(
        kind, report.fact_due_at, report.fact_submitted_at, report.on_behalf,
        report.timeliness in {Timeliness.LATE, Timeliness.MISSED}, report, "fact_submitted_by",
        after=_filled_after(report.timeliness, report.fact_submitted_at), excused=report.timeliness == Timeliness.EXCUSED,
    )  # fmt: skip


def _filled_after(timeliness: str, filed_at: datetime | None) -> bool:
    return filed_at is not None and timeliness == Timeliness.MISSED


def reports(*, company: Company) -> QuerySet[WeeklyReport]:
    """Reports with their channel and its owner."""
    return WeeklyReport.objects.filter(company=company).select_related("channel__owner__user")


def _with_people(company: Company, found: Iterable[WeeklyReport]) -> list[WeeklyReport]:
    """The same reports with everybody who is named on them."""
    found = list(found)
    roles_selectors.load_people(
        company=company, rows=found, links=["plan_submitted_by", "fact_submitted_by", "reviewed_by"]
    )
    return found


def get_report(*, company: Company, pk: int) -> WeeklyReport | None:
    found = _with_people(company, reports(company=company).filter(pk=pk).order_by())
    return found[0] if found else None


def rows_of(
    *, company: Company, found: Iterable[WeeklyReport], at: datetime, shared: Shared | None = None
) -> list[ReportRow]:
    """The same reports with figures and states; `shared`: what was already read of their weeks."""
    found = _with_people(company, found)
    figures = figures_of(company=company, reports=found, at=at, shared=shared)
    return [ReportRow(report, figures[report.pk], plan_part(report, at), fact_part(report, at)) for report in found]


def reports_of_week(*, company: Company, week: date, at: datetime) -> list[ReportRow]:
    """Every report of the week in the order of channels."""
    return rows_of(company=company, found=reports(company=company).filter(week=week), at=at)


def weeks_of_channel(*, company: Company, channel: Channel, n: int, at: datetime) -> list[WeeklyReport]:
    """The channel's latest n reports that have begun, newest first."""
    begun = WeeklyReport.objects.filter(
        company=company, channel=channel, week__lte=local_monday(at, company.zone)
    ).order_by("-week")[:n]
    return [_of_channel(report, channel) for report in begun]


def _of_channel(report: WeeklyReport, channel: Channel) -> WeeklyReport:
    report.channel = channel
    return report


def neighbour_weeks(*, company: Company, week: date) -> tuple[date | None, date | None]:
    """The Mondays of the nearest weeks with reports before and after; None where there are none."""
    known = WeeklyReport.objects.filter(company=company)
    before = known.filter(week__lt=week).order_by("-week").values_list("week", flat=True).first()
    after = known.filter(week__gt=week).order_by("week").values_list("week", flat=True).first()
    return before, after


@dataclass(frozen=True)
class Discipline:
    """How a week is kept: counts of reports whose part is due or filed, and how many of them were in time."""

    week: date
    reports: list[WeeklyReport]
    parts: dict[int, tuple[Part, Part]]
    plan_on_time: int
    plan_due: int
    fact_on_time: int
    fact_due: int

    @property
    def label(self) -> str:
        return week_label(self.week)

    @property
    def sunday(self) -> date:
        return self.week + timedelta(days=6)

    @property
    def rows(self) -> list[tuple[WeeklyReport, Part, Part]]:
        return [(report, *self.parts[report.pk]) for report in self.reports]

    @property
    def missing(self) -> list[WeeklyReport]:
        """Reports whose fact is past its deadline and not there."""
        return [report for report in self.reports if self.parts[report.pk][1].kind in {"overdue", "missed"}]


def discipline(*, company: Company, week: date, at: datetime) -> Discipline:
    """On-time rates of a week (its Monday) by plan and fact. Two queries, no figures."""
    rows = WeeklyReport.objects.filter(company=company, week=week).select_related("channel")
    found = _with_people(company, rows)
    parts = {report.pk: (plan_part(report, at), fact_part(report, at)) for report in found}
    counts = []
    for index in (0, 1):
        due = [pair[index] for pair in parts.values() if _counts(pair[index], at)]
        counts += [sum(part.filed_at is not None and not part.late for part in due), len(due)]
    return Discipline(week, found, parts, *counts)


def _counts(part: Part, at: datetime) -> bool:
    """Is the part judged by now? Who was excused is neither in time nor late."""
    return not part.excused and (part.filed_at is not None or at >= part.due_at)


@dataclass(frozen=True)
class DueItem:
    """Something this person owes: `url_name` with `args` (after the company's slug) opens it."""

    title: str
    url_name: str
    args: tuple
    due_at: datetime
    note: str = ""


def channels_held(person: Membership) -> set[int]:
    """Ids of the channels whose reports this person files as the holder (or acting deputy) of their hat."""
    return {
        hat.channel_id
        for hat in person.hats
        if hat.channel_id and Permission.SUBMIT_REPORT in ROLE_PERMISSIONS[hat.kind]
    }


def due_for(*, company: Company, person: Membership, at: datetime) -> list[DueItem]:
    """Plans and facts to file, reports to accept, the summary to write; the nearest deadline first."""
    items = []
    if held := channels_held(person):
        mine = WeeklyReport.objects.filter(company=company, channel__in=held).select_related("channel")
        open_now = mine.exclude(state__in=[State.LOCKED, State.ACCEPTED])
        for report in open_now.filter(Q(locks_at__gt=at) | Q(reopened_until__gt=at)):
            items += _owed(report, at)
    if person.can(Permission.REVIEW_REPORT):
        items += _to_review(company, at)
    return sorted(items, key=lambda item: item.due_at)


def _owed(report: WeeklyReport, at: datetime) -> list[DueItem]:
    plan, fact = plan_part(report, at), fact_part(report, at)
    values = {"channel": report.channel.name, "week": week_number(report.week)}
    found = []
    if plan.is_owed:
        found.append((plan, _("%(channel)s: plan of week %(week)s") % values))
    if fact.is_owed and at >= report.fact_opens_at:
        found.append((fact, _("%(channel)s: fact of week %(week)s") % values))
    notes = {
        "draft": _("Your draft is kept"), "returned": report.return_note, "overdue": _("The deadline has passed"),
        "waiting": _("The figures are filled in"),
    }  # fmt: skip
    return [
        DueItem(
            title, "reports:weekly-report-detail", (report.pk,), report.reopened_until or part.due_at, notes[part.kind]
        )
        for part, title in found
    ]


def _to_review(company: Company, at: datetime) -> list[DueItem]:
    """Filed facts that wait to be accepted until the lock, and the summary of the week that its Friday evening ends."""
    items = []
    waiting = list(
        WeeklyReport.objects.filter(company=company, state=State.SUBMITTED, locks_at__gt=at).values_list(
            "week", "locks_at"
        )
    )
    for week in sorted({week for week, _locks in waiting}):
        count = sum(row[0] == week for row in waiting)
        title = ngettext("Accept %(n)s report of week %(week)s", "Accept %(n)s reports of week %(week)s", count)
        locks_at = next(locks for row_week, locks in waiting if row_week == week)
        items.append(
            DueItem(title % {"n": count, "week": week_number(week)}, "reports:weekly-report-list", (), locks_at)
        )
    return items + _summary_owed(company, at)


def _summary_owed(company: Company, at: datetime) -> list[DueItem]:
    for week, moments in week_book(company=company).weeks_around(at, at):
        if moments.rests or not moments.fact_due_at <= at < moments.locks_at:
            continue
        written = WeekSummary.objects.filter(company=company, week=week).exclude(text="").exists()
        if not written and WeeklyReport.objects.filter(company=company, week=week).exists():
            title = _("Summary of week %s") % week_number(week)
            return [DueItem(title, "reports:week-summary", (), moments.summary_due_at)]
    return []


def actions_of(*, company: Company, reports: Iterable[WeeklyReport]) -> dict[int, list[Action]]:
    """Actions given by each of the reports, by the report's id; one query."""
    found = defaultdict(list)
    links = ReportAction.objects.filter(company=company, report__in=list(reports)).select_related("action")
    for link in links.order_by("action__due_on", "action_id"):
        found[link.report_id].append(link.action)
    return found
