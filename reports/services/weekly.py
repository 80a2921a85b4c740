"""The week that runs by itself: opens reports with their plan, notes lateness, locks. Idempotent: run it as often as you like."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from reports.deadlines import local_monday
from reports.models import Timeliness, WeeklyReport
from reports.selectors.calendar import WeekBook, week_book
from reports.selectors.figures import figures_of, kept_figures
from reports.services import excuses, moments
from reports.services.prefill import prefill
from roles.models import AuditEvent, Channel, Company

State = WeeklyReport.State
WEEK = timedelta(weeks=1)
SETTLED = {Timeliness.MISSED, Timeliness.EXCUSED}
"""What the lock leaves as it is."""


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
        book = week_book(company=company)
        # A new time zone holds from the next week on, like a new schedule.
        moments.move(company, at, book, local_monday(at, company.zone) + WEEK)
        opened = _open_reports(company, at, book)
        prefill(company, at)
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


def _open_reports(company: Company, at: datetime, book: WeekBook) -> int:
    weeks = {}
    monday = local_monday(at, company.zone)
    for week in (monday, monday + WEEK):
        moments = book.deadlines(week)
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
            **(_rest(company) if moments.rests else {}),
        )
        for week, moments in weeks.items()
        for channel in running
        if (channel.pk, week) not in known
    )  # fmt: skip
    _note(company, at, "open_weekly_report", reports, lambda report: {"plan_due_at": report.plan_due_at.isoformat()})
    return len(reports)


def _rest(company: Company) -> dict:
    """What marks a report of a week in which the whole company rests."""
    mark = Timeliness.EXCUSED
    return {"plan_timeliness": mark, "timeliness": mark, "excused_for": excuses.rest_words(company)}


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
            ).select_related("channel")
        )
        marked += _judge(company, at, late, (mark, due, verb)) if late else 0
    return marked


def _judge(company: Company, at: datetime, unfiled: list[WeeklyReport], words: tuple[str, str, str]) -> int:
    """Late, or excused where the reason was there before the deadline; returns how many are late. After the lock only the
    excuses are written: what is not excused is missed then."""
    mark, due, verb = words
    reasons = excuses.excused(company=company, reports=unfiled, due=due)
    free = [report for report in unfiled if report.pk in reasons]
    late = [report for report in unfiled if report.pk not in reasons and report.locks_at > at]
    for report in free:
        setattr(report, mark, Timeliness.EXCUSED)
        report.excused_for = reasons[report.pk]
    WeeklyReport.objects.bulk_update(free, [mark, "excused_for"])
    _note(
        company,
        at,
        "excuse_weekly_report",
        free,
        lambda report: {"part": due.partition("_")[0], "why": report.excused_for},
    )
    if late:
        WeeklyReport.objects.filter(company=company, pk__in=[report.pk for report in late]).update(
            **{mark: Timeliness.LATE}
        )
        _note(company, at, verb, late)
    return len(late)


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
        if report.plan_submitted_at is None and report.plan_timeliness not in SETTLED:
            report.plan_timeliness = Timeliness.MISSED
            missed["miss_weekly_plan"].append(report)
        if report.fact_submitted_at is None and report.timeliness not in SETTLED:
            report.timeliness = Timeliness.MISSED
            missed["miss_weekly_fact"].append(report)
        report.state = State.LOCKED
        report.version += 1
    WeeklyReport.objects.bulk_update(due, ["final", "plan_timeliness", "timeliness", "state", "version"])
    for verb, reports in missed.items():
        _note(company, at, verb, reports)
    _note(company, at, "lock_weekly_report", due)
    return len(due)
