"""Which companies have something due: one set-based query per kind of work, ids only, cheap when nothing is.

This is the one place of `mops/` that looks over all companies; what is done inside a company is the pipeline's.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import DateTimeField, Exists, ExpressionWrapper, F, Max, OuterRef, Q, QuerySet
from django_scopes import scopes_disabled

from kpis.models import Evaluation, Import
from mops.models import Delivery, Progress, TelegramChat, WebhookDelivery, WebhookEndpoint
from mops.moments import DECISION_WAITS, SETTLED_AFTER
from processes.models import Decision
from reports.models import DashboardSnapshot, WeeklyReport
from roles.models import AuditEvent, Company

RECENT_EVENTS = 20_000
"""Audit events that a sweep looks at: constant work however long the history. Older ones wait for the company's next pass."""


def companies_due(at: datetime) -> list[int]:
    """Ids of the companies that need a pass at this moment, those that rest after a broken pass left out."""
    with scopes_disabled():
        found = {company_id for query in _queries(at) for company_id in query} | _with_new_events()
        resting = set(Progress.objects.filter(rest_until__gt=at).values_list("company_id", flat=True))
    return sorted(found - resting)


def evaluations_due(at: datetime) -> set[int]:
    """Ids of the companies whose evaluation hour has come and that nobody evaluates yet."""
    with scopes_disabled():
        return set(Company.objects.filter(_evaluation_hour(at)).values_list("pk", flat=True))


def _queries(at: datetime) -> Iterator[QuerySet]:
    """One query per kind of work; each yields company ids."""
    free = Q(lease_until=None) | Q(lease_until__lte=at)
    yield _ids(Import.objects.filter(free, state=Import.State.QUEUED))
    yield _ids(Evaluation.objects.filter(free, dirty_from__isnull=False))
    waiting = Q(free, state=Delivery.State.WAITING, next_attempt_at__lte=at)
    yield _ids(Delivery.objects.filter(waiting))
    yield _ids(TelegramChat.objects.filter(code_until__gt=at))
    yield _ids(WebhookDelivery.objects.filter(waiting, endpoint__state=WebhookEndpoint.State.ACTIVE))
    yield _ids(Progress.objects.filter(seen_event_id__gt=F("settled_event_id"), marked_at__lte=at - SETTLED_AFTER))
    yield _ids(WeeklyReport.objects.filter(reopened_until__lte=at).exclude(state=WeeklyReport.State.LOCKED))
    yield _by_the_clock(at)
    yield _without_snapshot(at)
    for wait in DECISION_WAITS:
        yield _ids(unreminded(at, wait))


def _ids(rows: QuerySet) -> QuerySet:
    return rows.order_by().values_list("company_id", flat=True).distinct()


def _by_the_clock(at: datetime) -> QuerySet:
    """Companies whose local clock has passed the start of a day, their evaluation hour or a moment of the week unnoticed."""
    due = _evaluation_hour(at)
    for name, local in _local_clocks(at):
        begun = Progress.objects.filter(company=OuterRef("pk"), day_begun_on__gte=local.date(), week_next_at__gt=at)
        due |= Q(timezone=name) & ~Exists(begun)
    return Company.objects.filter(due).values_list("pk", flat=True)


def _evaluation_hour(at: datetime) -> Q:
    """Companies past their evaluation hour of the local day and not evaluated on it."""
    due = Q(pk=None)
    for name, local in _local_clocks(at):
        evaluated = Evaluation.objects.filter(
            Q(daily_done_on__gte=local.date()) | Q(lease_until__gt=at), company=OuterRef("pk")
        )
        due |= Q(timezone=name, evaluate_at__lte=local.time()) & ~Exists(evaluated)
    return due


def _without_snapshot(at: datetime) -> QuerySet:
    """Companies evaluated on their local day, by a range or a pass that broke afterwards, whose snapshot of it is missing."""
    missing = Q(pk=None)
    for name, local in _local_clocks(at):
        evaluated = Evaluation.objects.filter(company=OuterRef("pk"), daily_done_on__gte=local.date())
        kept = DashboardSnapshot.objects.filter(company=OuterRef("pk"), day=local.date())
        missing |= Q(timezone=name) & Exists(evaluated) & ~Exists(kept)
    return Company.objects.filter(missing).values_list("pk", flat=True)


def _local_clocks(at: datetime) -> Iterator[tuple[str, datetime]]:
    """The zones that companies live in, and what time it is there."""
    for name in Company.objects.order_by().values_list("timezone", flat=True).distinct():
        yield name, at.astimezone(ZoneInfo(name))


def unreminded(at: datetime, wait: timedelta) -> QuerySet[Decision]:
    """Open decisions that have waited that long and whose reminder no pass has looked at yet."""
    moment = ExpressionWrapper(OuterRef("opened_at") + wait, output_field=DateTimeField())
    looked = Progress.objects.filter(company=OuterRef("company"), reminded_at__gte=moment)
    return Decision.objects.filter(~Exists(looked), state__in=Decision.UNDECIDED, opened_at__lte=at - wait)


def _with_new_events() -> set[int]:
    """Companies with an audit event that their last pass has not seen, among the recent ones."""
    top = AuditEvent.objects.aggregate(top=Max("pk"))["top"] or 0
    recent = AuditEvent.objects.filter(pk__gt=top - RECENT_EVENTS).order_by().values("company_id")
    last = {row["company_id"]: row["last"] for row in recent.annotate(last=Max("pk"))}
    seen = dict(Progress.objects.filter(company_id__in=last).values_list("company_id", "seen_event_id"))
    return {company_id for company_id, event_id in last.items() if event_id > seen.get(company_id, 0)}
