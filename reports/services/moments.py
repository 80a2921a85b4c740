"""Moves the moments of reports that are open already after the schedule, the calendar or the time zone has changed."""

from datetime import date, datetime

from reports.models import Timeliness, WeeklyReport
from reports.selectors.calendar import WeekBook
from reports.services.excuses import rest_words
from roles.models import Company

FIELDS = ("plan_due_at", "fact_opens_at", "fact_due_at", "locks_at")
EXCUSED = Timeliness.EXCUSED


def move(company: Company, at: datetime, book: WeekBook, first: date) -> int:
    """Give open reports of the weeks from `first` (a Monday) on the moments that the book says now; returns how many moved.

    What is past stays past: only moments that are still to come move, and only to moments still to come. A week that
    turns out to have no working day excuses its reports, and one that gets a working day asks for them again.
    """
    reports = list(
        WeeklyReport.objects.filter(company=company, week__gte=first, locks_at__gt=at).exclude(
            state=WeeklyReport.State.LOCKED
        )
    )
    weeks = {week: book.deadlines(week) for week in {report.week for report in reports}}
    words = rest_words(company)
    moved = [report for report in reports if _move(report, at, weeks[report.week], words)]
    WeeklyReport.objects.bulk_update(moved, [*FIELDS, "plan_timeliness", "timeliness", "excused_for"])
    return len(moved)


def _move(report: WeeklyReport, at: datetime, moments, words: str) -> bool:
    changed = False
    own_start = report.plan_due_at == report.fact_due_at  # began inside the week: its plan is owed with the fact
    for name in FIELDS:
        old, new = (
            getattr(report, name),
            getattr(moments, "fact_due_at" if own_start and name == "plan_due_at" else name),
        )
        if old != new and old > at and new > at:
            setattr(report, name, new)
            changed = True
    for mark, due in (("plan_timeliness", "plan_due_at"), ("timeliness", "fact_due_at")):
        if getattr(report, due) <= at:
            continue
        wanted = EXCUSED if moments.rests else ""
        if getattr(report, mark) in {"", EXCUSED} and getattr(report, mark) != wanted and _unfiled(report, mark):
            setattr(report, mark, wanted)
            report.excused_for = words if moments.rests else ""
            changed = True
    return changed


def _unfiled(report: WeeklyReport, mark: str) -> bool:
    return (report.plan_submitted_at if mark == "plan_timeliness" else report.fact_submitted_at) is None
