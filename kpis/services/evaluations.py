"""Work orders of the evaluation: who asks for one, from which day on, and who carries it out under a lease."""

import logging
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from celery import current_app
from django.db import connection, transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils.translation import gettext as _

from kpis.evaluation import Order, Outcome, evaluate_companies
from kpis.models import Evaluation, Verdict
from roles.models import Company
from roles.refusals import Conflict

log = logging.getLogger(__name__)
LEASE, FOR_EACH_MORE = timedelta(seconds=60), timedelta(seconds=2)
"""How long a lease holds, and how much longer when one worker takes several companies: they end together."""
TRIES = 3
RANGE = 100
"""Companies that are evaluated together: enough for one query to serve many, few enough for arrays to stay in the cache."""


class BeingEvaluated(Conflict):
    code = "being_evaluated"


class LeaseLost(Exception):
    """Somebody else took the work over meanwhile: this attempt is rolled back."""


class SignedMeanwhile(Exception):
    """A decision was signed between reading and writing: what was read does not know it."""


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
    Evaluation.objects.get_or_create(company=company)
    claims = _claim([company.pk], at)
    return _carry_out(claims, at)[company.pk] if claims else None


def evaluate_now(*, company: Company, at: datetime) -> Outcome:
    """Evaluate at once because somebody asks. BeingEvaluated (409) while another process does it."""
    Evaluation.objects.get_or_create(company=company)
    claims = _claim([company.pk], at, asked=True)
    if not claims:
        raise BeingEvaluated(_("The rules are being evaluated right now: ask again in a minute."))
    outcome = _carry_out(claims, at)[company.pk]
    if outcome.rows:
        transaction.on_commit(lambda: kick(company.pk))
    return outcome


def evaluate_range(*, company_ids: Sequence[int], at: datetime) -> dict[int, Outcome]:
    """Evaluate those of the companies that are due and that nobody else has; what changed, by company id.

    One transaction for all of one local date. Where that breaks, each goes alone, so that one broken company stops no
    other; its error is logged and comes again in its own pass.
    """
    Evaluation.objects.bulk_create([Evaluation(company_id=pk) for pk in company_ids], ignore_conflicts=True)
    outcomes: dict[int, Outcome] = {}
    claims = sorted(_claim(company_ids, at), key=lambda claim: (claim.today, claim.company.pk))
    for _today, group in groupby(claims, key=lambda claim: claim.today):
        group = list(group)
        try:
            outcomes |= _carry_out(group, at)
        except Exception:
            log.exception("a range of %s companies broke: each goes alone", len(group))
            outcomes |= _one_by_one([claim.company for claim in group], at)
    return outcomes


def _one_by_one(companies: Iterable[Company], at: datetime) -> dict[int, Outcome]:
    found = {}
    for company in companies:
        try:
            found[company.pk] = evaluate_due(company=company, at=at)
        except Exception:
            log.exception("evaluation of %s broke", company.slug)
    return {pk: outcome for pk, outcome in found.items() if outcome is not None}


# ---------------------------------------------------------------- leases
@dataclass(frozen=True)
class Claim:
    """The lease of one company in our hands. `daily`: its hour has come; `whole`: somebody asked, everything is compared."""

    company: Company
    token: str
    today: date
    daily: bool
    whole: bool


def _daily_is_due(row: Evaluation, at: datetime) -> bool:
    local = at.astimezone(row.company.zone)
    done = row.daily_done_on is not None and row.daily_done_on >= local.date()
    return local.time() >= row.company.evaluate_at and not done


@transaction.atomic
def _claim(company_ids: Sequence[int], at: datetime, *, asked: bool = False) -> list[Claim]:
    """Take the leases of those that are due (all, when `asked`) and that nobody else holds or is just taking."""
    token = secrets.token_hex(16)
    free = Evaluation.objects.filter(Q(lease_until=None) | Q(lease_until__lte=at), company__in=company_ids)
    rows = free.select_for_update(skip_locked=not asked, of=("self",)).select_related("company").order_by("company_id")
    claims = []
    for row in rows:
        daily = _daily_is_due(row, at)
        if asked or daily or row.dirty_from is not None:
            claims.append(Claim(row.company, token, row.company.local_date(at), daily and not asked, asked))
    taken = Evaluation.objects.filter(company__in=[claim.company.pk for claim in claims])
    if claims:
        taken.update(lease_until=at + LEASE + (len(claims) - 1) * FOR_EACH_MORE, lease_token=token)
    return claims


def _carry_out(claims: Sequence[Claim], at: datetime) -> dict[int, Outcome]:
    """Evaluate and give the leases back in one transaction; whoever lost one leaves nothing behind.

    A signature given meanwhile is never written over: the work is rolled back and done again with it.
    """
    mine = Evaluation.objects.filter(company__in=[claim.company.pk for claim in claims], lease_token=claims[0].token)
    try:
        for attempt in range(1, TRIES + 1):
            try:
                return _evaluated(mine, claims, at)
            except SignedMeanwhile:
                if attempt == TRIES:
                    raise
    except BaseException:
        mine.update(lease_until=None, lease_token="")
        raise


@transaction.atomic
def _evaluated(mine: QuerySet[Evaluation], claims: Sequence[Claim], at: datetime) -> dict[int, Outcome]:
    signatures = Verdict.objects.filter(company__in=[claim.company.pk for claim in claims])
    known = signatures.count()
    rows = {row.pk: row for row in mine}
    if len(rows) < len(claims):
        raise LeaseLost(claims[0].company.slug)
    orders = [_order(claim, rows[claim.company.pk]) for claim in claims]
    outcomes = evaluate_companies(orders=orders, at=at, today=claims[0].today)
    if mine.update(**_finished(claims, rows, outcomes, at)) < len(claims):
        raise LeaseLost(claims[0].company.slug)
    if signatures.count() != known + sum(outcome.resumed for outcome in outcomes.values()):
        raise SignedMeanwhile(claims[0].company.slug)
    return outcomes


def _order(claim: Claim, row: Evaluation) -> Order:
    if claim.whole:
        return Order(claim.company)
    return Order(claim.company, row.dirty_from or claim.today, row.fingerprint)


def _finished(claims: Sequence[Claim], rows: dict[int, Evaluation], outcomes: dict[int, Outcome], at: datetime) -> dict:
    """Columns of the rows after the work: a request that has grown meanwhile stays."""
    answered = [When(pk=row.pk, request=row.request, then=Value(None)) for row in rows.values()]
    values = {
        "dirty_from": Case(*answered, default=F("dirty_from")), "evaluated_at": at, "lease_until": None, "lease_token": "",
    }  # fmt: skip
    daily = [claim.company.pk for claim in claims if claim.daily]
    if daily:
        values["daily_done_on"] = Case(When(pk__in=daily, then=Value(claims[0].today)), default=F("daily_done_on"))
    other = [
        When(pk=pk, then=Value(found.fingerprint))
        for pk, found in outcomes.items()
        if found.fingerprint != rows[pk].fingerprint
    ]
    if other:
        values["fingerprint"] = Case(*other, default=F("fingerprint"))
    return values
