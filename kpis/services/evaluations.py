"""Work orders of the evaluation: who asks for one, from which day on, and who carries it out under a lease."""

import logging
import secrets
from datetime import date, datetime, timedelta

from celery import current_app
from django.db import connection, transaction
from django.db.models import Case, F, Q, Value, When
from django.utils.translation import gettext as _

from kpis.evaluation import Outcome, evaluate_company
from kpis.models import Evaluation
from roles.models import Company
from roles.refusals import Conflict

log = logging.getLogger(__name__)
LEASE = timedelta(seconds=60)


class BeingEvaluated(Conflict):
    code = "being_evaluated"


class LeaseLost(Exception):
    """Somebody else took the work over meanwhile: this attempt is rolled back."""


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


def evaluate_due(*, company: Company, at: datetime) -> Outcome | None:
    """Evaluate when a load asks for it or the company's hour of the day has come; None when nothing is due or another has it.

    The request is cleared only if no load has come meanwhile: then the next pass looks again.
    """
    row, _created = Evaluation.objects.get_or_create(company=company)
    daily = _daily_is_due(row, company, at)
    if row.dirty_from is None and not daily:
        return None
    token = _claim(company, at)
    return None if token is None else _carry_out(company, at, token, daily=daily)


def evaluate_now(*, company: Company, at: datetime) -> Outcome:
    """Evaluate at once because somebody asks. BeingEvaluated (409) while another process does it."""
    Evaluation.objects.get_or_create(company=company)
    token = _claim(company, at)
    if token is None:
        raise BeingEvaluated(_("The rules are being evaluated right now: ask again in a minute."))
    outcome = _carry_out(company, at, token, daily=False, whole=True)
    if outcome.rows:
        transaction.on_commit(lambda: kick(company.pk))
    return outcome


def _daily_is_due(row: Evaluation, company: Company, at: datetime) -> bool:
    local = at.astimezone(company.zone)
    done = row.daily_done_on is not None and row.daily_done_on >= local.date()
    return local.time() >= company.evaluate_at and not done


def _claim(company: Company, at: datetime) -> str | None:
    """Take the lease; None while another holds it."""
    token = secrets.token_hex(16)
    free = Evaluation.objects.filter(Q(lease_until=None) | Q(lease_until__lte=at), company=company)
    return token if free.update(lease_until=at + LEASE, lease_token=token) else None


def _carry_out(company: Company, at: datetime, token: str, *, daily: bool, whole: bool = False) -> Outcome:
    """Evaluate and give the lease back in one transaction; whoever lost the lease leaves nothing behind."""
    mine = Evaluation.objects.filter(company=company, lease_token=token)
    today = company.local_date(at)
    try:
        with transaction.atomic():
            order = mine.get()
            dirty_from = None if daily or whole else order.dirty_from
            outcome = evaluate_company(company=company, at=at, today=today, dirty_from=dirty_from)
            finished = mine.update(
                dirty_from=Case(When(request=order.request, then=Value(None)), default=F("dirty_from")),
                daily_done_on=today if daily else F("daily_done_on"), evaluated_at=at, lease_until=None, lease_token="",
            )  # fmt: skip
            if not finished:
                raise LeaseLost(company.slug)
    except BaseException:
        mine.update(lease_until=None, lease_token="")
        raise
    return outcome
