"""All companies of one login on one page (R6): what waits for this person, what burns and what is late in each of them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django_scopes import scope

from reports.selectors.today import Coming, Due, Today, today_page
from roles import selectors as roles_selectors
from roles.models import Company, Membership

MOST_SHOWN = 3


@dataclass(frozen=True)
class CompanyLine:
    """One company as this person's hats let them see it now. `hours`: hours a week of own appointments, None where none are
    named; `share`: what waits here out of the most that waits in any of the companies, 0–1, for the picture."""

    today: Today
    hats: list[str]
    hours: int | None
    share: float = 0

    @property
    def company(self) -> Company:
        return self.today.person.company

    @property
    def waits(self) -> int:
        """Things that this person is to do or to sign; what is late of it counts here too."""
        return len(self.today.due) + len(self.today.actions)

    @property
    def first_due(self) -> list[Due]:
        return self.today.due[:MOST_SHOWN]

    @property
    def burning(self) -> Decimal | None:
        """Money over the stop-lines of all decisions that wait, in the company's currency; None where none may be seen."""
        return self.today.burning

    @property
    def late(self) -> int:
        """Past the deadline: own things and actions, and the reports of others where this person keeps the deadlines."""
        return len(self.today.overdue) + len(self.today.late) + sum(line.overdue for line in self.today.actions)

    @property
    def next(self) -> Coming | None:
        return self.today.coming[0] if self.today.coming else None


def companies_page(*, memberships: Iterable[Membership], at: datetime) -> list[CompanyLine]:
    """The companies of one login, each read within its own scope and by its own hats; where most is late and burns first.

    `memberships` as `roles.selectors.companies_of` gives them. A company costs the queries of its own page of today: money of
    two companies is never added, so there is nothing to ask of them together.
    """
    lines = []
    for person in memberships:
        with scope(company=person.company):
            lines.append(
                CompanyLine(
                    today=today_page(company=person.company, person=person, at=at),
                    hats=roles_selectors.hat_names(person=person),
                    hours=roles_selectors.hours_a_week(person=person, on=person.company.local_date(at)),
                )
            )
    most = max((line.waits for line in lines), default=0) or 1
    shared = [replace(line, share=line.waits / most) for line in lines]
    return sorted(shared, key=lambda line: (not line.late, not line.burning, -line.waits, line.company.name))
