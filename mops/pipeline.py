"""One pass over one company: load → evaluate → open decisions and reviews → week → snapshot → notify → send.

Every step commits by itself and finds its own work by its own rows, so a pass may be repeated, doubled or killed at any
moment. A step that breaks is logged and does not stop the ones after it; the company then rests for a while, so that
one broken company costs the others nothing.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django_scopes import scopes_disabled

from kpis.models import Evaluation
from kpis.services import evaluations, import_runs, sweeping
from mops.models import Delivery, Progress, WebhookDelivery
from mops.moments import next_week_moment
from mops.notifications import deliveries, digests, events, outbox, reminders
from mops.telegram import bots
from mops.webhooks import sending
from processes import flagging, reviews, role_reviews
from processes import services as processes
from processes.independence import history
from processes.leaving import services as leaving
from reports.selectors.calendar import week_book
from reports.services import snapshots, weekly
from roles.models import Company
from roles.services import conflicts, contractors, hats
from roles.tenancy import company_scope

log = logging.getLogger("mops.pipeline")
Step = Callable[[Company, datetime], object]
SHORTEST_REST = timedelta(seconds=20)
LONGEST_REST = timedelta(minutes=30)


def run_company(company_id: int, at: datetime) -> None:
    """Do everything that is due in a company at a moment (aware UTC). Raises the errors of all broken steps together."""
    with company_scope(company_id) as company:
        Progress.objects.get_or_create(company=company)
        errors = [error for name, step in STEPS if (error := _run(name, step, company, at))]
        _note_outcome(company, at, broken=bool(errors))
    if errors:
        raise ExceptionGroup(f"pass over {company.slug}", errors)


def evaluate_range(company_ids: Sequence[int], at: datetime) -> None:
    """The daily evaluation of many companies together; the evaluation step of their own passes then finds it done.

    The one step that works on several companies at once: every row it reads or writes carries its company, and the
    leases of `evaluations` keep two workers, or a range and a company's own pass, apart.
    """
    with scopes_disabled():
        evaluations.evaluate_range(company_ids=company_ids, at=at)


def _run(name: str, step: Step, company: Company, at: datetime) -> Exception | None:
    try:
        step(company, at)
    except Exception as error:
        log.exception("step %s of %s broke", name, company.slug)
        return error
    return None


def begin_day(company: Company, at: datetime) -> None:
    """Once a local day: what the day itself brings, part by part. One that breaks does not undo the others; the day has
    begun when all are done, until then each pass tries them again."""
    today = company.local_date(at)
    if Progress.objects.filter(company=company, day_begun_on__gte=today).exists():
        return
    errors = [error for name, part in DAY if (error := _run(name, transaction.atomic(part), company, at))]
    if errors:
        raise ExceptionGroup(f"the day of {company.slug}", errors)
    Progress.objects.filter(company=company).update(day_begun_on=today)


def _dated(part: Callable) -> Step:
    """A part of the day that wants its local date too."""
    return lambda company, at: part(company=company, at=at, today=company.local_date(at))


def _keep_index(company: Company, at: datetime) -> None:
    history.keep_index(company=company, day=company.local_date(at), at=at)


def _forget_sent(company: Company, at: datetime) -> None:
    outbox.forget(Delivery.objects.filter(company=company), "notification__created_at", at)
    outbox.forget(WebhookDelivery.objects.filter(company=company), "created_at", at)


# Each may be repeated: it looks at what stands, not at whether it ran.
DAY: tuple[tuple[str, Step], ...] = (
    ("uploads", lambda company, at: sweeping.sweep_uploads(company=company, at=at)),
    ("log", _forget_sent),
    ("owners", _dated(hats.settle_owners)),
    ("contracts", _dated(contractors.end_past_contracts)),
    ("flags", lambda company, at: flagging.settle_flags(company=company, at=at)),
    ("checks", _dated(conflicts.follow_checks)),
    ("role_reviews", _dated(role_reviews.follow_triggers)),
    ("leaving", _dated(leaving.leave_due)),
    ("index", _keep_index),
)


def load(company: Company, at: datetime) -> None:
    import_runs.run_due_imports(company=company, at=at)


def evaluate(company: Company, at: datetime) -> None:
    evaluations.evaluate_due(company=company, at=at)


def open_decisions(company: Company, at: datetime) -> None:
    processes.open_decisions(company=company, at=at)


def follow_up(company: Company, at: datetime) -> None:
    """Missed deadlines of decisions, reviews whose day has come, and signed figures that have changed since."""
    reviews.follow_up(company=company, at=at)


def run_week(company: Company, at: datetime) -> None:
    weekly.run_week(company=company, at=at)
    moment = next_week_moment(at, week_book(company=company))
    Progress.objects.filter(company=company).update(week_next_at=moment)


def build_snapshot(company: Company, at: datetime) -> None:
    """Once a day, after its evaluation: before it the page would show yesterday's states."""
    today = company.local_date(at)
    if Evaluation.objects.filter(company=company, daily_done_on__gte=today).exists():
        snapshots.build_snapshot(company=company, day=today, at=at)


STEPS: tuple[tuple[str, Step], ...] = (
    ("day", begin_day),
    ("load", load),
    ("evaluate", evaluate),
    ("decisions", open_decisions),
    ("follow_up", follow_up),
    ("week", run_week),
    ("snapshot", build_snapshot),
    ("events", events.tell),
    ("reminders", reminders.remind),
    ("digests", digests.send),
    ("telegram", bots.poll),
    ("send", deliveries.send_due),
    ("webhooks", sending.send_due),
)


def _note_outcome(company: Company, at: datetime, *, broken: bool) -> None:
    """After a broken pass the company rests: 20 s, 40 s, … half an hour at most. A whole pass ends that."""
    mine = Progress.objects.filter(company=company)
    if not broken:
        mine.exclude(falls=0, rest_until=None).update(falls=0, rest_until=None)
        return
    falls = mine.values_list("falls", flat=True).get()
    rest = min(LONGEST_REST, SHORTEST_REST * 2 ** min(falls, 10))
    mine.update(falls=F("falls") + 1, rest_until=at + rest)
