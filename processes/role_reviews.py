"""The review of roles and KPIs: due by itself on each trigger, which it names; closed by the owner or the director."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from kpis import periods
from kpis.models import Target
from kpis.selectors.cube import load_cube
from kpis.selectors.measures import kpis_of, measures_from, metrics_of
from processes import triggers
from processes.models import RoleReview
from processes.triggers import Trigger
from roles import audit
from roles import selectors as roles_selectors
from roles.models import AuditEvent, Channel, Company, Membership
from roles.permissions import RoleKind
from roles.refusals import Conflict, Forbidden
from roles.validation import refuse

TIME_TO_REVIEW = timedelta(days=14)
LOOKS_BACK = timedelta(days=14)
SETTLING_IN = timedelta(days=30)
"""A company that has just begun adds channels and goals without that being a reason to review anything."""
WEEKS, LATELY = 26, 4
WATCHED = ("cac", "romi")


class MayNotReview(Forbidden):
    code = "may_not_review"


class ReviewClosed(Conflict):
    code = "review_closed"


@dataclass(frozen=True)
class ReviewPage:
    """A review with its triggers in words."""

    review: RoleReview
    why: list[str]


def follow_triggers(*, company: Company, at: datetime, today: date) -> RoleReview | None:
    """Open the review, or add to the open one, when a trigger has come that no review has named; the daily pass calls it.

    What moves slowly (CAC, ROMI, correlation) is computed on Mondays. Returns the review that was opened or added to.
    """
    if today - company.local_date(company.created_at) < SETTLING_IN:
        return None
    found = [*_events(company, at, today), *(_figures(company, today) if today.weekday() == 0 else ())]
    return note_triggers(company=company, at=at, today=today, found=found)


@transaction.atomic
def note_triggers(*, company: Company, at: datetime, today: date, found: list[Trigger]) -> RoleReview | None:
    """Open the review for those of these triggers that no review has named, or add them to the open one."""
    known = {one["key"] for row in RoleReview.objects.filter(company=company) for one in row.triggers}
    fresh = [one for one in found if one["key"] not in known]
    if not fresh:
        return None
    review = RoleReview.objects.select_for_update().filter(company=company, state=RoleReview.State.OPEN).first()
    if review is None:
        review = RoleReview(company=company, opened_at=at, due_on=today + TIME_TO_REVIEW)
    review.triggers = [*review.triggers, *fresh]
    review.save()
    after = {"triggers": [one["key"] for one in fresh], "due_on": review.due_on.isoformat()}
    audit.record(company=company, by=None, verb="open_role_review", obj=review, at=at, after=after)
    return review


def _events(company: Company, at: datetime, today: date) -> list[Trigger]:
    """Triggers that are events: the quarter, channels and goals of the last two weeks that came after the start."""
    since = max(at - LOOKS_BACK, company.created_at + SETTLING_IN)
    found = []
    quarter = triggers.quarter_over(today)
    first = date(int(quarter["year"]), int(quarter["quarter"]) * 3 - 2, 1)
    if company.local_date(company.created_at) <= first:
        found.append(quarter)
    made = AuditEvent.objects.filter(company=company, verb="create_channel", at__gte=since)
    ids = [int(pk) for pk in made.values_list("object_id", flat=True)]
    found += [triggers.new_channel(row.pk, row.name) for row in Channel.objects.filter(company=company, pk__in=ids)]
    goals = Target.objects.filter(company=company, channel=None, created_at__gte=since, number__gt=1)
    months = goals.order_by("month").values_list("month", flat=True).distinct()
    return found + [triggers.new_goals(month) for month in months]


def _figures(company: Company, today: date) -> list[Trigger]:
    """Triggers that are figures: a strong change of CAC or ROMI, a KPI of a role that lost its tie with revenue."""
    metrics = metrics_of(company=company)
    measures = measures_from(metrics, kpis_of(company=company))
    codes = dict.fromkeys(code for version in roles_selectors.roles(company=company) for code in version.kpis)
    watched = [measures[code] for code in (*WATCHED, *codes) if code in measures and measures[code].is_kpi]
    mondays = periods.last_weeks(today, WEEKS)
    wanted = {"revenue"}.union(*(one.formula.metrics for one in watched))
    cube = load_cube(
        company=company, start=mondays[0], end=today - timedelta(days=1),
        metrics={code: info for code, info in metrics.items() if code in wanted},
    )  # fmt: skip
    found = []
    edge = mondays[-LATELY]
    for one in [measures[code] for code in WATCHED if code in measures]:
        before = cube.kpi(one.formula, start=mondays[-LATELY * 4], end=edge - timedelta(days=1)).value
        now = cube.kpi(one.formula, start=edge, end=mondays[-1] + timedelta(days=6)).value
        found.append(triggers.shift(one.code, one.name, before, now, today))
    revenue = [figure.value for figure in cube.weekly(measures["revenue"].formula, mondays)]
    for one in dict.fromkeys(watched):
        weekly = [figure.value for figure in cube.weekly(one.formula, mondays)]
        found.append(triggers.decoupled(one.code, one.name, weekly, revenue, today))
    return [one for one in found if one is not None]


@transaction.atomic
def close_role_review(
    *, company: Company, by: Membership, at: datetime, review: RoleReview, conclusion: str
) -> RoleReview:
    """What was changed, or why nothing. Raises MayNotReview, ReviewClosed, or Refused without a conclusion."""
    if not may_close(by):
        raise MayNotReview(_("The owner or the marketing director closes the review of roles."))
    if not conclusion.strip():
        raise refuse("conclusion", "required", _("Write what you changed, or why everything stays."))
    locked = RoleReview.objects.select_for_update().get(company=company, pk=review.pk)
    if locked.state == RoleReview.State.DONE:
        raise ReviewClosed(_("This review is closed already."))
    locked.state, locked.conclusion, locked.done_by, locked.done_at = RoleReview.State.DONE, conclusion.strip(), by, at
    locked.save(update_fields=["state", "conclusion", "done_by", "done_at"])
    audit.record(company=company, by=by, verb="close_role_review", obj=locked, at=at, reason=locked.conclusion)
    return locked


def may_close(person: Membership) -> bool:
    return person.wears(RoleKind.OWNER, RoleKind.CMO)


def open_review(*, company: Company) -> ReviewPage | None:
    """The review that is due now, or None."""
    found = RoleReview.objects.filter(company=company, state=RoleReview.State.OPEN).first()
    return page(found) if found else None


def role_reviews(*, company: Company) -> list[ReviewPage]:
    """All of them, the newest first."""
    return [page(row) for row in RoleReview.objects.filter(company=company).select_related("done_by__user")]


def get_role_review(*, company: Company, pk: int) -> RoleReview | None:
    return RoleReview.objects.filter(company=company, pk=pk).first()


def page(review: RoleReview) -> ReviewPage:
    return ReviewPage(review, [triggers.words(one) for one in review.triggers])
