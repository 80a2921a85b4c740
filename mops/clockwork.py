"""Replays one local day of a company: every scheduled moment of it, in order, each at its own time."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from django_scopes import scope

from mops.moments import DECISION_WAITS, week_moments
from mops.pipeline import run_company
from processes.models import Decision
from reports.deadlines import moment
from reports.selectors.calendar import week_book
from roles.models import Company


def run_day(*, company: Company, day: date) -> list[datetime]:
    """Run the pipeline at each moment of a local day; returns the moments. Doing it twice changes nothing."""
    done: list[datetime] = []
    while upcoming := [at for at in moments_of(company=company, day=day) if not done or at > done[-1]]:
        run_company(company.pk, upcoming[0])
        done.append(upcoming[0])  # a pass may open a decision whose reminder falls into the same day: ask again
    return done


def moments_of(*, company: Company, day: date) -> list[datetime]:
    """Everything scheduled on a local day: its start, the evaluation, the report week, reminders of waiting decisions, its end."""
    start, end = _bounds(company, day)
    evaluation = moment(day, company.evaluate_at, company.zone)
    last = end - timedelta(seconds=1)
    with scope(company=company):
        week = week_moments(start - timedelta(seconds=1), last, week_book(company=company))
    return sorted({start, evaluation, *week, *_reminders(company, start, last), last})


def _bounds(company: Company, day: date) -> tuple[datetime, datetime]:
    return tuple(moment(d, time(0, 0), company.zone) for d in (day, day + timedelta(days=1)))


def _reminders(company: Company, start: datetime, end: datetime) -> Iterator[datetime]:
    with scope(company=company):
        opened = list(
            Decision.objects.filter(company=company, opened_at__gt=start - max(DECISION_WAITS), opened_at__lte=end)
            .exclude(state=Decision.State.WITHDRAWN)
            .values_list("opened_at", flat=True)
        )
    for at in opened:
        yield from (at + wait for wait in DECISION_WAITS if start <= at + wait <= end)
