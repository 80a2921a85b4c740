"""Plans that nobody has touched: figures from the targets, else as the last weeks were; kept in step until the deadline."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from kpis.selectors.cube import Cube, load_cube
from kpis.selectors.measures import Measure, measures_of
from kpis.selectors.targets import TargetBook, load_targets
from reports.filing import PREFILLED, default_measures
from reports.models import PlanLine, WeeklyReport
from roles.models import Company

Basis = PlanLine.Basis
WEEK = timedelta(weeks=1)
LAST_WEEKS = 4
"""So many whole weeks are looked back at; the last one ended before the plan opened, so that a plan does not move by itself."""


def prefill(company: Company, at: datetime) -> None:
    """Plan lines for every report whose plan nobody has touched and whose deadline has not passed."""
    untouched = list(
        WeeklyReport.objects.filter(
            company=company, plan_due_at__gt=at, plan_submitted_at=None, saved_at=None
        ).select_related("channel")
    )
    if not untouched:
        return
    lines = {
        (line.report_id, line.measure): line for line in PlanLine.objects.filter(company=company, report__in=untouched)
    }
    made, changed = [], []
    for found in _planned(company, untouched):
        line = lines.get((found.report.pk, found.measure))
        if line is None:
            made.append(
                PlanLine(
                    company=company, report=found.report, position=found.position, measure=found.measure,
                    value=found.value, basis=found.basis,
                )
            )  # fmt: skip
        elif (line.value, line.basis) != (found.value, found.basis):
            line.value, line.basis = found.value, found.basis
            changed.append(line)
    PlanLine.objects.bulk_create(made)
    PlanLine.objects.bulk_update(changed, ["value", "basis"])


@dataclass(frozen=True)
class Planned:
    """One figure to be planned: the week's value in the measure's unit, None where neither targets nor facts give it."""

    report: WeeklyReport
    position: int
    measure: str
    value: Decimal | None
    basis: str


def _planned(company: Company, reports: list[WeeklyReport]) -> Iterator[Planned]:
    """The default measures and those with a target."""
    measures = measures_of(company=company)
    weeks = [report.week for report in reports]
    targets = load_targets(company=company, start=min(weeks), end=max(weeks) + timedelta(days=6))
    cube = load_cube(
        company=company, start=min(weeks) - (LAST_WEEKS + 1) * WEEK, end=max(weeks) - WEEK - timedelta(days=1),
        channel_ids=sorted({report.channel_id for report in reports}),
    )  # fmt: skip
    for report in reports:
        asked = [code for code in default_measures(report.channel) if code in measures]
        sunday = report.week + timedelta(days=6)
        aimed = [
            code for code in targets.measures
            if code in measures and code not in asked
            and targets.value(code, channel_id=report.channel_id, start=report.week, end=sunday) is not None
        ]  # fmt: skip
        for position, code in enumerate((asked + sorted(aimed))[:PREFILLED]):
            value, basis = planned_value(measures[code], targets, report.channel_id, report.week), Basis.TARGET
            if value is None:
                value, basis = usual_value(measures[code], cube, report.channel_id, report.week), Basis.LAST_WEEKS
            yield Planned(report, position, code, value, basis if value is not None else "")


def planned_value(measure: Measure, targets: TargetBook, channel_id: int, monday: date) -> Decimal | None:
    """The week's share of the channel's target, rounded as people plan; a KPI without a target follows from its metrics'."""
    sunday = monday + timedelta(days=6)
    value = targets.value(measure.code, channel_id=channel_id, start=monday, end=sunday)
    if value is None and measure.is_kpi:
        parts = {
            code: targets.value(code, channel_id=channel_id, start=monday, end=sunday)
            for code in measure.formula.metrics
        }
        value = measure.formula.value(parts)
    return None if value is None else rounded(value, measure.unit)


def usual_value(measure: Measure, cube: Cube, channel_id: int, monday: date) -> Decimal | None:
    """What a week usually brought: of a KPI its ratio of sums over the four whole weeks before the plan opened, of a metric
    the mean of those of them that have figures (absent is not zero); None where none has."""
    first = monday - (LAST_WEEKS + 1) * WEEK

    def value(start: date, end: date) -> Decimal | None:
        return cube.kpi(measure.formula, channel_ids=[channel_id], start=start, end=end).value

    if measure.is_kpi:
        found = value(first, first + LAST_WEEKS * WEEK - timedelta(days=1))
    else:
        starts = [first + number * WEEK for number in range(LAST_WEEKS)]
        known = [v for start in starts if (v := value(start, start + timedelta(days=6))) is not None]
        found = sum(known) / len(known) if known else None
    return None if found is None else rounded(found, measure.unit)


def rounded(value: Decimal, unit: str) -> Decimal:
    """Whole roubles and whole large counts; one place for counts below ten, four for shares, two for other numbers."""
    step = {"money": "1", "count": "1" if abs(value) >= 10 else "0.1", "share": "0.0001"}.get(unit, "0.01")
    return value.quantize(Decimal(step), rounding=ROUND_HALF_UP)
