"""What the machine says of a rule's days, scope by scope, by replaying history now: for the API and the rule's page."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from kpis.day_classes import DayClass, Window
from kpis.engine import State
from kpis.formulas import parse
from kpis.metrics import MetricInfo
from kpis.replay import Replay, replay
from kpis.selectors.stop_rules import RuleDetail
from kpis.sentences import current_kpi
from roles.models import Campaign, Channel, Company

TOLD = {"opened", "recovered", "paused", "data_incident"}


@dataclass(frozen=True)
class JudgedDay:
    """One day: class, figures (None where unknown), what happened; `state` and `streak` after it.

    `units`: of numerator and denominator, money or count. `event` does not depend on whether a decision was opened.
    """

    day: date
    day_class: str
    numerator: Decimal | None
    denominator: Decimal | None
    value: Decimal | None
    event: str | None
    state: str
    streak: int
    units: tuple[str, str]


@dataclass(frozen=True)
class ScopeDays:
    """One scope of a rule; `days` are empty where nothing is judged any more."""

    channel: Channel
    campaign: Campaign | None
    state: str
    streak: int
    since: date | None
    days: list[JudgedDay]

    @property
    def subject(self):
        return self.campaign or self.channel

    @property
    def key(self) -> str:
        """How addresses name the scope: `12` or `12-34`."""
        return f"{self.channel.pk}-{self.campaign.pk}" if self.campaign else str(self.channel.pk)


def scope_days(
    *, company: Company, detail: RuleDetail, today: date, since: date, metrics: dict[str, MetricInfo]
) -> list[ScopeDays]:
    """Every running scope by replay, then the scopes that are judged no more, by their kept state."""
    version = detail.version
    judged = version.active and version.approved_at is not None
    found = replay(company=company, versions=[version], today=today) if judged else None
    kept = {(row.channel_id, row.campaign_id): row for row in detail.states}
    units = units_of(version, metrics)
    scopes = []
    for number, one in enumerate(found.series if found else []):
        kept.pop((one.channel.pk, one.campaign.pk if one.campaign else None), None)
        scopes.append(_replayed(found, number, since, units))
    for row in kept.values():
        state = row.state if row.state == State.STOPPED.code else State.DISABLED.code
        told = row.detail.get("since")
        scopes.append(
            ScopeDays(row.channel, row.campaign, state, 0, date.fromisoformat(told) if told else None, [])
        )  # fmt: skip
    return scopes


def units_of(version, metrics: dict[str, MetricInfo]) -> tuple[str, str]:
    """Units of the two sides of the rule's KPI: money where a metric of the side is money, else count."""
    if version.window == Window.BUDGET:
        return "money", "money"
    kpi = current_kpi(version)
    if kpi is None:
        return "count", "count"
    formula = parse(kpi.formula)
    return tuple(
        "money" if any(code in metrics and metrics[code].unit == "money" for code, _factor in side) else "count"
        for side in (formula.numerator, formula.denominator)
    )


def _replayed(found: Replay, number: int, since: date, units: tuple[str, str]) -> ScopeDays:
    one, outcome, history = found.series[number], found.outcome, found.history
    events = {event.day: event.kind for event in outcome.events if event.series == number and event.kind in TOLD}
    first = max(int(found.figures.start[number]), history.index(since), 0)
    states = outcome.states[number]
    changed = next((day for day in range(history.days - 1, 0, -1) if states[day] != states[day - 1]), 0)
    days = [
        JudgedDay(
            history.day(day), DayClass(int(outcome.classes[number, day])).code, *found.parts(number, day),
            found.value(number, day), events.get(day), State(int(states[day])).code, int(outcome.streaks[number, day]), units,
        )
        for day in range(first, history.days)
    ]  # fmt: skip
    return ScopeDays(
        one.channel, one.campaign, State(int(states[-1])).code, int(outcome.streaks[number, -1]),
        history.day(max(changed, int(found.figures.start[number]))), days,
    )  # fmt: skip
