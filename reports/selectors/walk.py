"""The reports that one person owes now, all on one page: what can be filed at once, and what needs words first."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from processes.models import Action
from reports.models import ReportAction, WeeklyReport
from reports.selectors.weekly import Part, ReportRow, channels_held, reports, rows_of
from roles.models import Company, Membership

State = WeeklyReport.State


@dataclass(frozen=True)
class Owed:
    """A plan or fact to file. `promises`: earlier actions that want a mark; `needs`: what is off plan or red, by name."""

    row: ReportRow
    what: str
    part: Part
    promises: int
    needs: list[str]

    @property
    def key(self) -> str:
        return f"{self.what}-{self.row.report.pk}"

    @property
    def is_ready(self) -> bool:
        """Can it be filed as it stands, without a word more?"""
        if self.what == "plan":
            return any(line.planned is not None for line in self.row.figures.lines) and not self._items_missing
        late = self.part.kind == "overdue"
        return not (self.row.figures.needs_words or self.promises or late or self.part.kind == "returned")

    @property
    def _items_missing(self) -> bool:
        return any(item.expected is None or not item.clause for item in self.row.figures.items)


@dataclass(frozen=True)
class Walk:
    """`owed` in the order of deadlines; `filed`: what is filed of the nearest deadline, of all open weeks when nothing is owed."""

    owed: list[Owed]
    filed: list[tuple[ReportRow, Part]]

    @property
    def ready(self) -> list[Owed]:
        return [item for item in self.owed if item.is_ready]

    @property
    def rest(self) -> list[Owed]:
        return [item for item in self.owed if not item.is_ready]

    @property
    def count(self) -> int:
        """How many the nearest deadline is about, filed ones included."""
        return len(self.filed) + sum(item.part.due_at == self.nearest for item in self.owed)

    @property
    def nearest(self) -> datetime | None:
        return min((item.part.due_at for item in self.owed), default=None)

    def after(self, report: WeeklyReport, what: str) -> Owed | None:
        """The next one that needs words, after this report in the order of the walk; the first one at the end."""
        keys = [(item.row.report.pk, item.what) for item in self.rest]
        if (report.pk, what) in keys:
            rest = self.rest[keys.index((report.pk, what)) + 1 :]
            return rest[0] if rest else None
        return self.rest[0] if self.rest else None

    def place(self, report: WeeklyReport, what: str) -> tuple[int, int]:
        """Which one it is, from 1, and of how many: those of later deadlines included."""
        keys = [(item.row.report.pk, item.what) for item in self.owed]
        before = keys.index((report.pk, what)) if (report.pk, what) in keys else 0
        return len(self.filed) + 1 + before, len(self.filed) + len(self.owed)


def walk(*, company: Company, person: Membership, at: datetime) -> Walk:
    """What this person owes as the holder (or deputy) of channels; the number of queries does not grow with them."""
    held = channels_held(person)
    if not held:
        return Walk([], [])
    found = reports(company=company).filter(Q(locks_at__gt=at) | Q(reopened_until__gt=at), channel__in=held)
    rows = rows_of(company=company, found=found.order_by("week", "channel__position", "channel__name"), at=at)
    promises = _promises(company, [row.report for row in rows])
    owed, filed = [], []
    for row in rows:
        parts = [("plan", row.plan)]
        if at >= row.report.fact_opens_at:
            parts.append(("fact", row.fact))
        for what, part in parts:
            if part.is_owed:
                waiting = promises.get(row.report.channel_id, 0) if what == "fact" else 0
                owed.append(Owed(row, what, part, waiting, row.figures.demanding_now))
            elif part.filed_at is not None and (what == "fact" or at < row.report.fact_opens_at):
                filed.append((row, part))
    owed.sort(key=lambda item: item.part.due_at)
    nearest = owed[0].part.due_at if owed else None
    return Walk(owed, [(row, part) for row, part in filed if nearest in {None, part.due_at}])


def _promises(company: Company, found: list[WeeklyReport]) -> dict[int, int]:
    """Channel id → open actions that earlier weeks promised; one query."""
    weeks = {report.channel_id: report.week for report in found}
    links = ReportAction.objects.filter(
        company=company, action__state=Action.State.OPEN, report__channel__in=list(weeks)
    ).values_list("report__channel_id", "report__week", "action_id")
    open_now: dict[int, set[int]] = {}
    for channel_id, week, action_id in links:
        if week < weeks[channel_id]:
            open_now.setdefault(channel_id, set()).add(action_id)
    return {channel_id: len(ids) for channel_id, ids in open_now.items()}
