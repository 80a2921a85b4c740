"""The record of what the owner's page showed: one a day, made by the pipeline, never shown instead of live figures."""

from datetime import date, datetime

from django.db import transaction

from processes.selectors import waiting_decisions
from reports.documents import dashboard_document
from reports.models import DashboardSnapshot
from reports.selectors.dashboard import dashboard
from reports.spans import read_span
from roles import audit
from roles.models import Company


def build_snapshot(*, company: Company, day: date, at: datetime) -> DashboardSnapshot:
    """Keep what the page of a local day shows at a moment. A second call for the day gives the first record unchanged."""
    kept = DashboardSnapshot.objects.filter(company=company, day=day).first()
    if kept is not None:
        return kept
    page = dashboard(company=company, span=read_span({}, day), at=at)
    data = dashboard_document(page, waiting_decisions(company=company, at=at))
    with transaction.atomic():
        snapshot, created = DashboardSnapshot.objects.get_or_create(
            company=company, day=day, defaults={"data": data, "built_at": at}
        )
        if created:
            after = {"day": day.isoformat(), "earned": data["earned"]}
            audit.record(company=company, by=None, verb="build_snapshot", obj=snapshot, at=at, after=after)
    return snapshot
