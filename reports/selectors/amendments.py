"""The steps by which a frozen plan was changed, as the journal has them: each stays readable whatever came later."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from reports.models import WeeklyReport
from reports.selectors.figures import Line
from roles.models import AuditEvent, Membership


@dataclass(frozen=True)
class Amendment:
    """One step: by whom, when and why, and (line, before, after) of each figure that the reader may see."""

    at: datetime
    by: Membership
    reason: str
    figures: list[tuple[Line, Decimal | None, Decimal | None]]


def amendments_of(*, report: WeeklyReport, lines: Iterable[Line]) -> list[Amendment]:
    """Oldest first; steps about nothing but hidden lines are left out. One query."""
    seen = {line.measure: line for line in lines}
    events = AuditEvent.objects.filter(
        company=report.company, object_type=report._meta.label_lower, object_id=str(report.pk), verb="amend_weekly_plan"
    ).select_related("by__user")
    steps = [Amendment(event.at, event.by, event.reason, _figures(event, seen)) for event in events]
    return [step for step in steps if step.figures]


def _figures(event: AuditEvent, seen: dict[str, Line]) -> list[tuple[Line, Decimal | None, Decimal | None]]:
    return [
        (seen[measure], _amount(event.before.get(measure)), _amount(now))
        for measure, now in event.after.items()
        if measure in seen
    ]


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
