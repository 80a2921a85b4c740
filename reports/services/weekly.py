"""The week that runs by itself: opens reports with their plan, notes lateness, locks. Idempotent: run it as often as you like."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from django.db import transaction
from django.db.models import Q

from kpis.selectors.measures import measures_of
from kpis.selectors.targets import load_targets
from reports.deadlines import deadlines, local_monday
from reports.filing import PREFILLED, default_measures
from reports.models import PlanLine, Timeliness, WeeklyReport
from reports.selectors.figures import figures_of, kept_figures
from roles.models import AuditEvent, Channel, Company

State = WeeklyReport.State
WEEK = timedelta(weeks=1)


@dataclass(frozen=True)
class WeekRun:
    """How many reports a run opened, whose fact it opened, marked late and locked."""

    opened: int = 0
    fact_opened: int = 0
    late: int = 0
    locked: int = 0


def run_week(*, company: Company, at: datetime) -> WeekRun:
    """Do everything of the company's week that is due at a moment; a second run at the same moment changes nothing.

    Opens the reports of this week and, from Thursday noon, of the next one for every running channel, with plan lines
    from the targets; keeps plans that nobody has touched in step with the targets until their deadline; marks plan
    and fact late; locks with the final figures. Each change leaves its audit event, from which people are notified.
    """
    with transaction.atomic():
        # One run per company at a time: two workers may sweep the same company.
        Company.objects.select_for_update(no_key=True).get(pk=company.pk)
        opened = _open_reports(company, at)
        _prefill(company, at)
        return WeekRun(
            opened=opened,
            fact_opened=_open_facts(company, at),
            late=_mark_late(company, at),
            locked=_lock(company, at),
        )


def _note(company: Company, at: datetime, verb: str, reports: Iterable[WeeklyReport], extra=lambda report: {}) -> None:
    """One audit event by the system per report."""
    AuditEvent.objects.bulk_create(
        AuditEvent(
            company=company, by=None, at=at, verb=verb, object_type=WeeklyReport._meta.label_lower,
            object_id=str(report.pk), after={"channel": report.channel_id, "week": f"{report.week:%G-W%V}", **extra(report)},
        )
        for report in reports
    )  # fmt: skip


def _open_reports(company: Company, at: datetime) -> int:
    weeks = {}
    monday = local_monday(at, company.zone)
    for week in (monday, monday + WEEK):
        moments = deadlines(week, company.zone)
        # A week whose fact is already due cannot be asked for any more: the next one is open by then.
        if moments.plan_opens_at <= at < moments.fact_due_at:
            weeks[week] = moments
    running = list(Channel.objects.filter(company=company, status__in=Channel.RUNNING))
    known = set(WeeklyReport.objects.filter(company=company, week__in=weeks).values_list("channel_id", "week"))
    reports = WeeklyReport.objects.bulk_create(
        WeeklyReport(
            company=company, channel=channel, week=week,
            # A channel that starts after Monday noon owes its plan with the fact: nobody is late for what was not there.
            plan_due_at=moments.plan_due_at if at < moments.plan_due_at else moments.fact_due_at,
            fact_opens_at=moments.fact_opens_at, fact_due_at=moments.fact_due_at, locks_at=moments.locks_at,
        )
        for week, moments in weeks.items()
        for channel in running
        if (channel.pk, week) not in known
    )  # fmt: skip
    _note(company, at, "open_weekly_report", reports, lambda report: {"plan_due_at": report.plan_due_at.isoformat()})
    return len(reports)


def _prefill(company: Company, at: datetime) -> None:
    """Plan lines from the targets for every report whose plan nobody has touched and whose deadline has not passed."""
    untouched = list(
        WeeklyReport.objects.filter(
            company=company, plan_due_at__gt=at, plan_submitted_at=None, saved_at=None
        ).select_related("channel")
    )
    if not untouched:
        return
    lines = {
        (line.report_id, line.measure): line for line in PlanLine.objects.filter(company=company, report__in=untouched)
    }
    made, changed = [], []
    for report, position, measure, value in _planned(company, untouched):
        line = lines.get((report.pk, measure))
        if line is None:
            made.append(PlanLine(company=company, report=report, position=position, measure=measure, value=value))
        elif line.value != value:
            line.value = value
            changed.append(line)
    PlanLine.objects.bulk_create(made)
    PlanLine.objects.bulk_update(changed, ["value"])


def _planned(company: Company, reports: list[WeeklyReport]):
    """(report, position, measure, planned value of the week or None) for the default measures and those with a target."""
    measures = measures_of(company=company)
    weeks = [report.week for report in reports]
    targets = load_targets(company=company, start=min(weeks), end=max(weeks) + timedelta(days=6))
    for report in reports:
        asked = [code for code in default_measures(report.channel) if code in measures]
        sunday = report.week + timedelta(days=6)
        aimed = [
            code for code in targets.measures
            if code in measures and code not in asked
            and targets.value(code, channel_id=report.channel_id, start=report.week, end=sunday) is not None
        ]  # fmt: skip
        for position, code in enumerate((asked + sorted(aimed))[:PREFILLED]):
            yield report, position, code, planned_value(measures[code], targets, report.channel_id, report.week)


def planned_value(measure, targets, channel_id: int, monday: date) -> Decimal | None:
    """The week's share of the channel's target, rounded as people plan; a KPI without a target follows from its metrics'."""
    sunday = monday + timedelta(days=6)
    value = targets.value(measure.code, channel_id=channel_id, start=monday, end=sunday)
    if value is None and measure.is_kpi:
        parts = {
            code: targets.value(code, channel_id=channel_id, start=monday, end=sunday)
            for code in measure.formula.metrics
        }
        value = measure.formula.value(parts)
    return None if value is None else rounded(value, measure.unit)


def rounded(value: Decimal, unit: str) -> Decimal:
    """Whole roubles and whole large counts; one place for counts below ten, four for shares, two for other numbers."""
    step = {"money": "1", "count": "1" if abs(value) >= 10 else "0.1", "share": "0.0001"}.get(unit, "0.01")
    return value.quantize(Decimal(step), rounding=ROUND_HALF_UP)


def _open_facts(company: Company, at: datetime) -> int:
    """Tell once per report that the fact may be filed: between Friday noon and its deadline."""
    open_now = list(
        WeeklyReport.objects.filter(company=company, fact_opens_at__lte=at, fact_due_at__gt=at, fact_submitted_at=None)
    )
    if not open_now:
        return 0
    told = set(
        AuditEvent.objects.filter(
            company=company, object_type=WeeklyReport._meta.label_lower, verb="open_weekly_fact",
            object_id__in=[str(report.pk) for report in open_now],
        ).values_list("object_id", flat=True)
    )  # fmt: skip
    fresh = [report for report in open_now if str(report.pk) not in told]
    _note(company, at, "open_weekly_fact", fresh, lambda report: {"fact_due_at": report.fact_due_at.isoformat()})
    return len(fresh)


def _mark_late(company: Company, at: datetime) -> int:
    """Nothing at the deadline is late; nothing at the lock is missed (see `_lock`)."""
    marked = 0
    for verb, mark, filed, due in (
        ("late_weekly_plan", "plan_timeliness", "plan_submitted_at", "plan_due_at"),
        ("late_weekly_fact", "timeliness", "fact_submitted_at", "fact_due_at"),
    ):
        late = list(
            WeeklyReport.objects.filter(
                Q(**{f"{due}__lte": at, filed: None, mark: ""}),
                ~Q(state=State.LOCKED),
                company=company,
                locks_at__gt=at,
            )
        )
        if late:
            WeeklyReport.objects.filter(company=company, pk__in=[report.pk for report in late]).update(
                **{mark: Timeliness.LATE}
            )
            _note(company, at, verb, late)
        marked += len(late)
    return marked


def _lock(company: Company, at: datetime) -> int:
    """Lock every report whose time has come, re-opened ones after their day; the first lock keeps the final figures."""
    due = list(
        WeeklyReport.objects.filter(
            Q(reopened_until=None) | Q(reopened_until__lte=at), company=company, locks_at__lte=at
        )
        .exclude(state=State.LOCKED)
        .select_related("channel")
    )
    figures = figures_of(company=company, reports=due, at=at)
    missed = {"miss_weekly_plan": [], "miss_weekly_fact": []}
    for report in due:
        if report.final is None:
            report.final = kept_figures(figures[report.pk], at)
        if report.plan_submitted_at is None and report.plan_timeliness != Timeliness.MISSED:
            report.plan_timeliness = Timeliness.MISSED
            missed["miss_weekly_plan"].append(report)
        if report.fact_submitted_at is None and report.timeliness != Timeliness.MISSED:
            report.timeliness = Timeliness.MISSED
            missed["miss_weekly_fact"].append(report)
        report.state = State.LOCKED
        report.version += 1
    WeeklyReport.objects.bulk_update(due, ["final", "plan_timeliness", "timeliness", "state", "version"])
    for verb, reports in missed.items():
        _note(company, at, verb, reports)
    _note(company, at, "lock_weekly_report", due)
    return len(due)
