"""The two tasks that keep every company going: ids in, one service each."""

from celery import shared_task
from django.utils import timezone

from mops import due, pipeline, pulse

STALE = 60
"""Seconds after which a wake-up that no worker has taken is dropped: the next sweep makes a new one."""


@shared_task(name="mops.sweep")
def sweep() -> None:
    """Wake a worker for every company with something due."""
    now = timezone.now()
    for company_id in due.companies_due(now):
        run_company.apply_async([company_id], expires=STALE)
    pulse.beat(now)


@shared_task(name="mops.run_company")
def run_company(company_id: int) -> None:
    """One pass of the pipeline over one company."""
    pipeline.run_company(company_id, timezone.now())
