"""Campaigns of a channel over the month so far: figures, spend of the budget, loss of the stop-loss."""

from dataclasses import dataclass
from decimal import Decimal

from kpis import formulas
from kpis.models import RuleState
from kpis.selectors.cube import Cube
from kpis.selectors.measures import Measure
from reports.spans import Span
from roles.models import Campaign, Channel, Company

COUNTS = ("leads", "qualified_leads", "deals")
SPEND = formulas.parse("spend")
LOSS = formulas.parse("spend - gross_profit")
NEARLY = Decimal("0.8")
WORST_FIRST = ("firing", "pending", "recovering", "muted", "no_data", "ok")


@dataclass(frozen=True)
class Limit:
    """An amount against its limit; `share` None without a limit or amount. `state`: "" | watch | low."""

    amount: Decimal | None
    limit: Decimal | None
    state: str

    @property
    def share(self) -> Decimal | None:
        if self.amount is None or self.limit is None or self.limit <= 0:
            return None
        return max(Decimal(0), self.amount) / self.limit


@dataclass(frozen=True)
class CampaignRow:
    """`counts` by metric code; `kpi` is the channel's result KPI of this campaign, `is_bad` beyond the channel's goal.
    `state`: firing, stop_loss, budget, stopped, paused, planned, pending, recovering, muted, no_data, ok."""

    campaign: Campaign
    counts: dict[str, Decimal | None]
    kpi: Decimal | None
    is_bad: bool
    spend: Limit
    loss: Limit
    state: str

    @property
    def mark(self) -> str:
        return {
            "firing": "stop", "stop_loss": "stop", "budget": "watch", "stopped": "pause", "paused": "pause",
            "planned": "wait", "pending": "watch", "recovering": "watch", "muted": "wait", "no_data": "none",
        }.get(self.state, "ok")  # fmt: skip

    @property
    def profit(self) -> Decimal | None:
        """What it earned, where it is not a loss."""
        return None if self.loss.amount is None or self.loss.amount > 0 else -self.loss.amount


def campaign_rows(
    *, company: Company, channel: Channel, measure: Measure, goal: Decimal | None, cube: Cube, span: Span
) -> list[CampaignRow]:
    """Campaigns that run or have figures in the span, the most spent first; two queries beside the cube."""
    states: dict[int, str] = {}
    rows = RuleState.objects.filter(
        company=company, channel=channel, campaign__isnull=False, version__superseded_at=None
    ).values_list("campaign_id", "state")
    for campaign_id, state in rows:
        states[campaign_id] = min(state, states.get(campaign_id, state), key=_badness)
    known = set(cube.campaign_ids)
    found = [
        _row(campaign, measure, goal, cube, span, states.get(campaign.pk))
        for campaign in Campaign.objects.filter(company=company, channel=channel)
        if campaign.is_running or campaign.pk in known
    ]
    return sorted(found, key=lambda row: (-(row.spend.amount or 0), row.campaign.name))


def _badness(state: str) -> int:
    return WORST_FIRST.index(state) if state in WORST_FIRST else len(WORST_FIRST)


def _row(campaign: Campaign, measure: Measure, goal, cube: Cube, span: Span, ruled: str | None) -> CampaignRow:
    def value(formula: formulas.Formula) -> Decimal | None:
        return cube.campaign_kpi(formula, campaign.pk, start=span.start, end=span.until).value

    kpi = value(measure.formula)
    worse = kpi is not None and goal is not None and (kpi > goal if measure.better == "lower" else kpi < goal)
    spend = _limit(value(SPEND), campaign.budget, campaign.tolerance or Decimal(0), nearly=False)
    loss = _limit(value(LOSS), campaign.stop_loss, Decimal(0), nearly=True)
    return CampaignRow(
        campaign=campaign, counts={code: value(formulas.parse(code)) for code in COUNTS}, kpi=kpi, is_bad=worse,
        spend=spend, loss=loss, state=_state(campaign, ruled, spend, loss),
    )  # fmt: skip


def _limit(amount: Decimal | None, limit: Decimal | None, tolerance: Decimal, nearly: bool) -> Limit:
    """Over the limit with its tolerance is low; over the limit alone, or near a stop-loss, is to be watched."""
    if amount is None or limit is None or limit <= 0:
        return Limit(amount, limit, "")
    share = amount / limit
    if share > 1 + tolerance and (nearly or tolerance):
        return Limit(amount, limit, "low")
    return Limit(amount, limit, "watch" if share >= (NEARLY if nearly else 1) else "")


def _state(campaign: Campaign, ruled: str | None, spend: Limit, loss: Limit) -> str:
    if not campaign.is_running:
        return campaign.status
    if ruled == "firing":
        return ruled
    if loss.state == "low":
        return "stop_loss"
    if spend.state:
        return "budget"
    return ruled if ruled in WORST_FIRST else "ok"
