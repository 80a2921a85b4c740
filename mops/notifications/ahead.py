"""The letter of Monday morning: what waits for a person this week. Who has nothing gets none."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.urls import reverse
from django.utils.translation import gettext as _

from kpis.periods import week_number
from mops.models import Group, Notification
from mops.notifications.recipients import holder
from mops.notifications.writing import Message, write
from processes import deciders
from processes.deciders import around
from processes.models import Action, Decision
from reports.deadlines import Deadlines
from reports.models import WeeklyReport
from roles import formats
from roles.models import Company, Membership


@dataclass
class Ahead:
    """What waits for one person."""

    decisions: list[str] = field(default_factory=list)
    plans: list[str] = field(default_factory=list)
    due: int = 0
    overdue: int = 0


def tell(company: Company, at: datetime, week: date, moments: Deadlines) -> int:
    """Write the letters of a week once; returns how many messages were given."""
    key = f"ahead:{week:%G-W%V}"
    if Notification.objects.filter(company=company, key=key).exists():
        return 0
    url = reverse("reports:today", args=[company.slug])
    messages = [
        Message(
            person=person, key=key, url=url, group=Group.DIGEST,
            words=lambda mine=mine: _words(company, week, mine, moments.plan_due_at),
        )
        for person, mine in _waiting(company, at, week).items()
    ]  # fmt: skip
    return write(company=company, at=at, messages=messages)


def _waiting(company: Company, at: datetime, week: date) -> dict[Membership, Ahead]:
    people = around(company=company, on=company.local_date(at))
    found: dict[Membership, Ahead] = defaultdict(Ahead)
    rows = Decision.objects.filter(company=company, state__in=Decision.UNDECIDED)
    for decision in rows.select_related("company", "channel", "signed_by__user").order_by("opened_at"):
        for person in deciders.deciders(decision=decision, people=people):
            found[person].decisions.append(str(decision))
    plans = WeeklyReport.objects.filter(company=company, week=week, plan_submitted_at=None)
    for report in plans.exclude(state=WeeklyReport.State.LOCKED).select_related("channel__owner__user").order_by("pk"):
        for person in holder(people, report.channel):
            found[person].plans.append(report.channel.name)
    today = company.local_date(at)
    actions = Action.objects.filter(company=company, state=Action.State.OPEN, due_on__lte=week + timedelta(days=6))
    for action in actions.select_related("owner__user"):
        if action.owner.is_active:
            mine = found[action.owner]
            mine.due, mine.overdue = mine.due + 1, mine.overdue + (action.due_on < today)
    return found


def _words(company: Company, week: date, mine: Ahead, plan_due_at: datetime) -> tuple[str, str]:
    title = _("Week %(week)s: what waits for you") % {"week": week_number(week)}
    return title, "\n".join(_lines(company, mine, plan_due_at))


def _lines(company: Company, mine: Ahead, plan_due_at: datetime) -> Iterator[str]:
    if mine.decisions:
        yield _("To be decided: %s.") % ", ".join(mine.decisions)
    if mine.plans:
        yield _("Plans to file by %(until)s: %(channels)s.") % {
            "until": formats.moment(plan_due_at, company.zone), "channels": ", ".join(mine.plans),
        }  # fmt: skip
    if mine.due:
        yield _("Actions due this week: %(n)s, overdue already: %(late)s.") % {"n": mine.due, "late": mine.overdue}
