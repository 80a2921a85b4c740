"""Would a breach still fire by the figures of now? Asked of what was signed, after late data: the engine itself answers.

The version that fired is replayed over today's facts with the formula and the bounds that were signed and the signatures
that stood before it.
"""

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from kpis import engine
from kpis.formulas import Formula
from kpis.histories import read_history
from kpis.models import Breach, Verdict
from kpis.replay import mark_of, marks_of, rule_of, verdicts_of
from kpis.selectors.measures import metrics_of
from kpis.series import History
from kpis.windows import Series, figures_of, metrics_needed
from roles.models import Company


@dataclass(frozen=True)
class Bounds:
    """What a budget rule was held against: money, and the tolerance as a share; None where there was none."""

    budget: Decimal | None
    tolerance: Decimal | None
    stop_loss: Decimal | None


@dataclass(frozen=True)
class Signed:
    """A breach as it was signed: its first and last day in the evidence and the local day of the signature.

    `formula`: of the KPI at that time; `bounds`: of a budget rule, None for what the scope has now.
    """

    breach: Breach
    formula: Formula
    first_day: date
    last_day: date
    effect: date
    bounds: Bounds | None = None


def still_firing(*, company: Company, signed: Iterable[Signed], today: date) -> dict[int, bool]:
    """Breach id → does its run of firing still reach into the days that were signed? Three queries for all of them.

    A scope of which nothing is known any more fires no longer.
    """
    signed = list(signed)
    if not signed:
        return {}
    metrics = metrics_of(company=company)
    codes: set[str] = set()
    for one in signed:
        codes |= metrics_needed([one.breach.version], {one.breach.version.kpi_id: one.formula})
    known = [metrics[code] for code in sorted(codes) if code in metrics]
    history = read_history(company=company, metrics=known, today=today)
    verdicts = verdicts_of(companies=[company.pk], versions=[one.breach.version for one in signed])
    return {
        one.breach.pk: history is not None and _fires(one, history, verdicts, codes & set(metrics)) for one in signed
    }


def _fires(one: Signed, history: History, verdicts: list[Verdict], known: set[str]) -> bool:
    version = one.breach.version
    formulas = {version.kpi_id: one.formula}
    if metrics_needed([version], formulas) - known:
        return True  # a metric was taken away: nobody can say, and that is no restatement
    series = _series(one)
    _order, figures = figures_of(history, formulas, [series])
    if figures is None:
        return False
    before = [row for row in marks_of([series], verdicts)[0] if row.day < one.effect]
    found = engine.run(
        figures, [rule_of(version, one.formula.scales, series.line)], [mark_of(0, row, history) for row in before]
    )
    first, last = history.index(one.first_day), history.index(one.last_day)
    return any(
        episode.opened <= last
        and (episode.closed is None or episode.closed > last)
        and any(first <= day <= last for day in episode.days)
        for episode in found.episodes
    )


def _series(one: Signed) -> Series:
    """The scope as it was bound when it was signed."""
    breach, bounds = one.breach, one.bounds
    if bounds is None:
        return Series(breach.version, breach.channel, breach.campaign)
    channel, campaign = copy(breach.channel), copy(breach.campaign)
    scope = campaign or channel
    scope.tolerance, scope.stop_loss = bounds.tolerance, bounds.stop_loss
    if campaign:
        campaign.budget = bounds.budget
    else:
        channel.monthly_budget, channel.test_budget = bounds.budget, None
    return Series(breach.version, channel, campaign)
