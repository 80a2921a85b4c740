"""The tasks that keep every company going: ids in, one service each."""

from celery import shared_task
from django.utils import timezone

from kpis.services.evaluations import RANGE
from mops import due, pipeline, pulse

STALE = 60
"""Seconds after which a wake-up that no worker has taken is dropped: the next sweep makes a new one."""


CROWD = 20
"""So many companies whose evaluation hour has come are evaluated by ranges, fewer each in its own pass."""


@shared_task(name="mops.sweep")
def sweep() -> None:
    """Wake a worker for every company with something due, and in the morning one for every range of companies."""
    now = timezone.now()
    ids = due.companies_due(now)
    evaluated = due.evaluations_due(now)
    crowd = [company_id for company_id in ids if company_id in evaluated]
    if len(crowd) < CROWD:
        crowd = []
    for begin in range(0, len(crowd), RANGE):
        evaluate_range.apply_async([crowd[begin : begin + RANGE]], expires=STALE)
    for company_id in sorted(set(ids) - set(crowd)):
        run_company.apply_async([company_id], expires=STALE)
    pulse.beat(now)


@shared_task(name="mops.evaluate_range")
def evaluate_range(company_ids: list[int]) -> None:
    """The morning's evaluation of a range of companies, then the rest of each one's pass."""
    pipeline.evaluate_range(company_ids, timezone.now())
    for company_id in company_ids:
        run_company.apply_async([company_id], expires=STALE)


@shared_task(name="mops.run_company")
def run_company(company_id: int) -> None:
    """One pass of the pipeline over one company."""
    pipeline.run_company(company_id, timezone.now())
