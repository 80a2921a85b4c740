"""The figures beside the entries of the menu: what waits for this person, in two queries on every page."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from kpis.selectors.sources import freshness
from mops.models import Notification
from processes.models import Decision
from reports.models import WeeklyReport
from reports.selectors.weekly import channels_held
from roles.models import Company, Membership
from roles.permissions import Permission

State = WeeklyReport.State


@dataclass(frozen=True)
class Figure:
    """A figure beside an entry; `hot`: something is overdue or broken, drawn in the warning colour."""

    n: int
    hot: bool = False


def counts_for(*, company: Company, person: Membership, at: datetime) -> dict[str, Figure]:
    """By the name of the entry's page. Zeros are left out; sources are counted for whoever may load figures."""
    row = _row(company, person, at)
    found = {
        "reports:weekly-report-list": Figure(row["plans"] + row["facts"] + row["reviews"], row["overdue"] > 0),
        "processes:decision-list": Figure(row["decisions"], row["late_decisions"] > 0),
        "mops:notification-list": Figure(row["unread"]),
    }
    if person.can(Permission.ENTER_FACTS) or person.can(Permission.DECIDE):
        silent = sum(source.state == "silent" for source in freshness(company=company, at=at))
        found["kpis:source-list"] = Figure(silent, hot=True)
    return {name: count for name, count in found.items() if count.n}


def _row(company: Company, person: Membership, at: datetime) -> dict[str, int]:
    """All counts of the database in one query."""
    held = WeeklyReport.objects.filter(channel__in=channels_held(person))
    open_now = Q(locks_at__gt=at) | Q(reopened_until__gt=at)
    plans = held.filter(open_now, plan_submitted_at=None).exclude(state=State.LOCKED)
    facts = held.filter(open_now, fact_opens_at__lte=at, state__in=[State.EMPTY, State.DRAFT, State.RETURNED])
    reviews = WeeklyReport.objects.filter(state=State.SUBMITTED, locks_at__gt=at)
    decisions = Decision.objects.filter(state__in=Decision.UNDECIDED)
    wanted = {
        "plans": plans,
        "facts": facts,
        "overdue": plans.filter(plan_due_at__lte=at) | facts.filter(fact_due_at__lte=at),
        "reviews": reviews if person.can(Permission.REVIEW_REPORT) else reviews.none(),
        "decisions": decisions,
        "late_decisions": decisions.filter(deadline_at__lt=at),
        "unread": Notification.objects.filter(person=person, read_at=None),
    }
    rows = Company.objects.filter(pk=company.pk).annotate(
        **{f"n_{name}": _number(rows) for name, rows in wanted.items()}
    )
    return dict(zip(wanted, rows.values_list(*(f"n_{name}" for name in wanted)).get(), strict=True))


def _number(rows: QuerySet) -> Coalesce:
    grouped = rows.filter(company=OuterRef("pk")).order_by().values("company").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(grouped, output_field=IntegerField()), 0)
