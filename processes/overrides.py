"""Overrides that run: a breach goes on under a signed "continue", and everybody sees which day of it this is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from kpis.formulas import parse
from kpis.selectors.cube import Cube, load_cube
from processes import ledger, selectors
from processes.evidence import amount
from processes.ledger import Entry
from processes.models import Choice, Decision
from processes.opening import Behind, over_behind
from roles.models import Company, Membership
from roles.permissions import Permission

SPEND = "spend"


@dataclass(frozen=True)
class Override:
    """Day `day` of `days`, both ends included. `paid`: money over the line since it took effect, less that of the days below
    it, None where unknown or hidden, `paid_of` its facts; `extra` the agreed spend after which it ends, `spent` what has gone of it."""

    decision: Decision
    day: int
    days: int
    until: date
    paid: Decimal | None
    paid_of: Behind | None
    extra: Decimal | None
    spent: Decimal | None

    @property
    def is_used_up(self) -> bool:
        """Has the agreed spend gone before the date? Then the rule counts breaching days anew and asks again."""
        return self.extra is not None and self.spent is not None and self.spent >= self.extra


def running(
    *, company: Company, person: Membership, at: datetime, channel_id: int | None = None, breach_id: int | None = None
) -> list[Override]:
    """Overrides in force whose breach goes on, the one that ends first at the top; three more queries where there are any."""
    rows = selectors.decisions(company=company).filter(
        state=Decision.State.SIGNED, choice=Choice.CONTINUE, breach__closed_on=None, breach__muted=True
    )
    if channel_id is not None:
        rows = rows.filter(channel=channel_id)
    if breach_id is not None:
        rows = rows.filter(breach=breach_id)
    today = company.local_date(at)
    latest = {row.breach_id: row for row in rows.order_by("round")}
    found = [row for row in latest.values() if date.fromisoformat(row.terms["until"]) >= today]
    if not found:
        return []
    entries = ledger.entries(company=company, decisions=found, at=at)
    spent = _spent(company, found, today)
    lines = [_override(entry, spent.get(entry.decision.pk), person, today) for entry in entries]
    return sorted(lines, key=lambda line: (line.until, line.decision.pk))


def _override(entry: Entry, spent: Decimal | None, person: Membership, today: date) -> Override:
    decision = entry.decision
    effect, until = decision.company.local_date(decision.effective_at), date.fromisoformat(decision.terms["until"])
    sees = person.can(Permission.VIEW_MONEY, decision.channel_id)
    return Override(
        decision=decision, day=(today - effect).days + 1, days=(until - effect).days + 1, until=until,
        paid=-entry.account.net if sees and entry.account and entry.account.net is not None else None,
        paid_of=entry.account and over_behind(entry.formula, decision.breach.version.line, entry.account.first, entry.account.last),
        extra=amount(decision.terms.get("extra_spend")) if sees else None, spent=spent if sees else None,
    )  # fmt: skip


def _spent(company: Company, decisions: Iterable[Decision], today: date) -> dict[int, Decimal | None]:
    """Decision id → spend since the day it took effect, of those that end with an agreed spend."""
    limited = [row for row in decisions if row.terms.get("extra_spend")]
    if not limited:
        return {}
    since = {row.pk: company.local_date(row.effective_at) for row in limited}
    cube = load_cube(
        company=company, start=min(since.values()), end=today, channel_ids={row.channel_id for row in limited},
        metrics={SPEND}, campaigns=any(row.campaign_id for row in limited),
    )  # fmt: skip
    return {row.pk: _sum(cube, row, since[row.pk]) for row in limited}


def _sum(cube: Cube, decision: Decision, since: date) -> Decimal | None:
    if decision.campaign_id:
        return cube.campaign_kpi(parse(SPEND), decision.campaign_id, start=since).numerator
    return cube.sums([SPEND], decision.channel_id, start=since)[SPEND]
