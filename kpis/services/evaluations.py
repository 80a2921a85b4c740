"""Work orders of the evaluation: who asks for one, and from which day on."""

import logging
from datetime import date

from celery import current_app
from django.db import connection, transaction

from kpis.models import Evaluation
from roles.models import Company

log = logging.getLogger(__name__)


def kick(company_id: int) -> None:
    """Wake the worker for one company. A lost kick does no harm: the sweep finds what is due."""
    try:
        current_app.send_task("mops.run_company", args=[company_id], ignore_result=True, retry=False)
    except Exception as error:
        log.warning("no broker to wake for company %s, the sweep will find the work: %s", company_id, error)


def request_evaluation(*, company: Company, dirty_from: date) -> None:
    """Ask for an evaluation from this day on, in the caller's transaction: one upsert, then a kick after the commit."""
    table = Evaluation._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} AS e (company_id, dirty_from, request, lease_token) VALUES (%s, %s, 1, '') "
            "ON CONFLICT (company_id) DO UPDATE SET request = e.request + 1, dirty_from = CASE WHEN e.dirty_from IS NULL "
            "OR e.dirty_from > excluded.dirty_from THEN excluded.dirty_from ELSE e.dirty_from END",
            [company.pk, dirty_from],
        )
    transaction.on_commit(lambda: kick(company.pk))
