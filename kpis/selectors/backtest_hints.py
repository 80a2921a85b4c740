"""Where a stop line may come from: what a result earns on this scope, and the plan of its KPI."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from kpis.formulas import parse
from kpis.metrics import MetricInfo
from kpis.models import KpiVersion
from kpis.rule_terms import is_money_per_count
from kpis.selectors.cube import load_cube
from kpis.selectors.targets import load_targets
from roles.models import Channel, Company

DAYS = 90
WORN, USUAL = Decimal("1.2"), (Decimal("1.3"), Decimal("1.5"))
"""Times the plan: a stop line below the first is no stop line but the plan; between the others it usually lies."""


@dataclass(frozen=True)
class Earned:
    """What one unit of the KPI's denominator earns: `profit` of a deal · `share` of the units that become deals = `line`.

    `share` is 1 where the KPI counts deals. Sums of the `days` to `until` where all of it is known.
    """

    line: Decimal
    profit: Decimal
    share: Decimal
    unit: MetricInfo
    since: date
    until: date


@dataclass(frozen=True)
class Planned:
    """The plan of this month and the lines that follow from it, `low` to `high`. `of_company`: the scope has none itself."""

    plan: Decimal
    low: Decimal
    high: Decimal
    of_company: bool
    above: bool

    def is_too_near(self, line: Decimal) -> bool:
        """Is the line under 1.2 × the plan (or the mirror of it), so that a plain bad week fires?"""
        if self.plan <= 0:
            return False
        return line < self.plan * WORN if self.above else line * WORN > self.plan


@dataclass(frozen=True)
class Hints:
    earned: Earned | None
    planned: Planned | None


def hints(
    *,
    company: Company,
    kpi: KpiVersion,
    metrics: dict[str, MetricInfo],
    channels: Iterable[Channel],
    channel: Channel | None,
    above: bool,
    today: date,
) -> Hints:
    """`channels`: those the rule looks at; `channel`: the one it names, if it names one. Two queries."""  # fmt: skip
    return Hints(
        _earned(company, kpi, metrics, [one.pk for one in channels], today), _planned(company, kpi, channel, above, today)
    )  # fmt: skip


def _earned(
    company: Company, kpi: KpiVersion, metrics: dict[str, MetricInfo], channels: list[int], today: date
) -> Earned | None:
    formula = parse(kpi.formula)
    if formula.text.split("/")[0].strip() != "spend" or not is_money_per_count(formula, metrics):
        return None
    if len(formula.denominator) != 1 or formula.denominator[0][1] != 1 or not channels:
        return None
    unit = formula.denominator[0][0]
    since, until = today - timedelta(days=DAYS), today - timedelta(days=1)
    together = parse("gross_profit / deals" if unit == "deals" else f"gross_profit / (deals + {unit})")
    wanted = {code: metrics[code] for code in together.metrics}
    cube = load_cube(company=company, start=since, end=until, channel_ids=channels, metrics=wanted)
    sums = cube.formula_sums(together, channels)
    profit, deals, units = sums["gross_profit"], sums["deals"], sums[unit]
    if profit is None or profit <= 0 or not deals or not units:
        return None
    return Earned(profit / units, profit / deals, deals / units, metrics[unit], since, until)


def _planned(company: Company, kpi: KpiVersion, channel: Channel | None, above: bool, today: date) -> Planned | None:
    book, code = load_targets(company=company, start=today, end=today), kpi.kpi.code
    plan = book.value(code, channel.pk) if channel else None
    of_company = plan is None
    plan = book.value(code) if plan is None else plan
    if plan is None or plan <= 0:
        return None
    low, high = (plan * USUAL[0], plan * USUAL[1]) if above else (plan / USUAL[1], plan / USUAL[0])
    return Planned(plan, low, high, of_company and channel is not None, above)
