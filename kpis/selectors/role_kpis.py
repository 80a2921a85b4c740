"""The KPIs of a role with their current values, over the channels that its holders run."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from kpis.selectors.cube import load_cube
from kpis.selectors.measures import Measure, kpis_of, measures_from, metrics_of
from roles.models import Company

DAYS = 28


class RoleKpi(NamedTuple):
    """A KPI over the last 28 full days, [start, end]; `value` None where it is unknown."""

    measure: Measure
    value: Decimal | None
    start: date
    end: date


def role_kpis(
    *, company: Company, codes: Sequence[str], today: date, channel_ids: Iterable[int] | None = None
) -> dict[str, RoleKpi]:
    """By code, those that are formulas over metrics; of the whole company without channels. Three queries, none without such."""
    metrics = metrics_of(company=company)
    measures = measures_from(metrics, kpis_of(company=company))
    wanted = [measures[code] for code in codes if code in measures]
    if not wanted:
        return {}
    needed = set().union(*(one.formula.metrics for one in wanted))
    ids = None if channel_ids is None else sorted(set(channel_ids))
    start, end = today - timedelta(days=DAYS), today - timedelta(days=1)
    cube = load_cube(
        company=company, start=start, end=end, channel_ids=ids,
        metrics={code: info for code, info in metrics.items() if code in needed},
    )  # fmt: skip
    return {one.code: RoleKpi(one, cube.kpi(one.formula, channel_ids=ids).value, start, end) for one in wanted}
