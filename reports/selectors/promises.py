"""Actions that reports gave, and what became of them."""

from datetime import time

from django.db.models import Q, QuerySet

from processes.models import Action
from reports.deadlines import moment
from reports.models import WeeklyReport
from roles.models import Company


def open_promises(*, company: Company, report: WeeklyReport) -> QuerySet[Action]:
    """Actions that earlier weeks of this channel promised and that are still to do."""
    return promises_of(company=company, report=report).filter(state=Action.State.OPEN)


def promises_of(*, company: Company, report: WeeklyReport) -> QuerySet[Action]:
    """Promises of earlier weeks that were open when this week began, closed ones included; oldest date first."""
    begun = moment(report.week, time.min, company.zone)
    return (
        Action.objects.filter(
            Q(state=Action.State.OPEN) | Q(closed_at__gte=begun),
            company=company,
            report_links__report__channel=report.channel_id,
            report_links__report__week__lt=report.week,
        )
        .select_related("owner__user")
        .order_by("due_on", "pk")
        .distinct()
    )


def actions_of_report(*, company: Company, report: WeeklyReport) -> QuerySet[Action]:
    """Actions that this report gave or carried over."""
    return (
        Action.objects.filter(company=company, report_links__report=report)
        .select_related("owner__user")
        .order_by("due_on", "pk")
    )
