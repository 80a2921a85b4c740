"""Decisions that nobody took in time: what the waiting costs, whose word was missing, and how often it happens.

Waiting never becomes consent. A decision is in time when it is in force by its deadline; the second signature counts too.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from processes import deciders
from processes.evidence import amount
from processes.models import Decision
from roles import audit
from roles.models import Company, Membership

State = Decision.State
WEEKS = 12
COUNTED_FOR = timedelta(weeks=WEEKS)


def gone_since(seen: dict, opened_on: date) -> Decimal | None:
    """Money over the line on the known days since a decision opened; None where none is known or it is not money."""
    if not seen.get("is_money"):
        return None
    rows = [row for row in seen["days"] if row["over"] is not None and row["date"] >= opened_on.isoformat()]
    return sum(amount(row["over"]) for row in rows) if rows else None


def note_deadlines(*, company: Company, at: datetime) -> int:
    """Keep whose word was awaited when a deadline passed with nothing in force; each decision once. How many were noted."""
    late = (
        _overdue(company, at).filter(awaited=None).select_related("company", "channel__owner__user", "signed_by__user")
    )
    rows = list(late)
    if not rows:
        return 0
    people = deciders.around(company=company, on=company.local_date(at))
    noted = 0
    for row in rows:
        person = next(iter(deciders.deciders(decision=row, people=people)), None)
        if person is None:
            continue
        mine = Decision.objects.filter(company=company, pk=row.pk, state__in=Decision.UNDECIDED, awaited=None)
        if mine.update(awaited=person):
            noted += 1
            audit.record(
                company=company, by=None, verb="miss_decision_deadline", obj=row, at=at,
                after={"number": str(row), "awaited": str(person)},
            )  # fmt: skip
    return noted


def _overdue(company: Company, at: datetime) -> QuerySet[Decision]:
    return Decision.objects.filter(company=company, state__in=Decision.UNDECIDED, deadline_at__lte=at)


@dataclass(frozen=True)
class Kept:
    """How the deadlines of some weeks were kept. `late`: in force after the deadline; `ended`: closed without a
    signature after it; `waiting`: past it and still open."""

    in_time: int
    late: int
    ended: int
    waiting: int

    @property
    def due(self) -> int:
        return self.in_time + self.missed

    @property
    def missed(self) -> int:
        """Not decided in time."""
        return self.late + self.ended + self.waiting

    @property
    def words(self) -> str:
        """What "not decided in time" is made of, without its zeros: «с опозданием 1, ждут до сих пор 3»."""
        parts = (
            (self.late, _("late %(n)s")), (self.waiting, _("still waiting %(n)s")), (self.ended, _("ended unsigned %(n)s")),
        )  # fmt: skip
        return ", ".join(text % {"n": count} for count, text in parts if count)

    @property
    def rate(self) -> Decimal | None:
        return Decimal(self.in_time) / self.due if self.due else None


@dataclass(frozen=True)
class Deadlines:
    """Of the whole company, and of one reader: the decisions that were theirs to take."""

    everybody: Kept
    mine: Kept


def deadlines(*, company: Company, person: Membership | None, at: datetime) -> Deadlines:
    """Decisions whose deadline fell into the last 12 weeks, one query. Those that data refined in time owe nothing."""
    rows = Decision.objects.filter(company=company, deadline_at__gt=at - COUNTED_FOR, deadline_at__lte=at)
    found = [
        (_outcome(state, deadline, effective or closed), awaited or signer)
        for state, deadline, effective, closed, awaited, signer in rows.values_list(
            "state", "deadline_at", "effective_at", "closed_at", "awaited_id", "signed_by_id"
        )
    ]
    mine = [outcome for outcome, who in found if person is not None and who == person.pk]
    return Deadlines(_kept([outcome for outcome, _who in found]), _kept(mine))


def _outcome(state: str, deadline: datetime, ended: datetime | None) -> str:
    if state in Decision.UNDECIDED:
        return "waiting"
    in_time = ended is None or ended <= deadline
    if state == State.WITHDRAWN:
        return "" if in_time else "ended"
    return "in_time" if in_time else "late"


def _kept(outcomes: list[str]) -> Kept:
    return Kept(*(outcomes.count(name) for name in ("in_time", "late", "ended", "waiting")))
