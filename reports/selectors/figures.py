"""The figures of weekly reports: plan, plan to date, fact from data, deviation, and whether it is off plan or red.

Set-based: any number of reports costs the same queries. Facts come live from the cube; a locked report shows what was
final at its lock, with the later value beside it.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from kpis.models import Breach
from kpis.selectors.cube import Cube, load_cube
from kpis.selectors.measures import Measure, MetricInfo, is_money, kpis_of, measures_from, metrics_of
from reports.deadlines import settled_days
from reports.models import PlanItem, PlanLine, WeeklyReport
from roles.fields import from_micros, to_micros
from roles.models import Company

TOLERANCE = Decimal("0.1")
WEEK = Decimal(7)


@dataclass(frozen=True)
class Line:
    """One measure of a report. `plan` is to date (additive measures, until the week is over), `planned` of the whole week.

    `fact` is what counts: data, else the typed figure, at the lock the final one; None is unknown. `deviation` = fact /
    plan − 1 as a share; None without a plan or with plan 0. `later` is the value of the data now where it differs from the final,
    `restated` what the very days that the author saw give now where that differs from `snapshot`.
    """

    measure: str
    name: str
    unit: str
    better: str | None
    is_kpi: bool
    first_plan: Decimal | None
    planned: Decimal | None
    amend_reason: str
    plan: Decimal | None
    fact: Decimal | None
    typed: Decimal | None
    typed_by: str
    from_data: bool
    left_out: int
    snapshot: Decimal | None
    final: Decimal | None
    later: Decimal | None
    red: bool
    about_money: bool
    basis: str
    snapshot_plan: Decimal | None
    """The plan to the day that the snapshot went to."""
    restated: Decimal | None
    begun: bool
    """Is at least one day of the week settled? Before that nothing is off plan."""

    @property
    def deviation(self) -> Decimal | None:
        return deviation(self.fact, self.plan)

    @property
    def snapshot_deviation(self) -> Decimal | None:
        """How far off plan it was when the fact was filed."""
        return deviation(self.snapshot, self.snapshot_plan)

    @property
    def off(self) -> bool:
        return self.begun and is_off(self.fact, self.plan)

    @property
    def bad(self) -> bool:
        """Off plan to the worse side, or red."""
        return self.red or (self.off and not self.good)

    @property
    def tone(self) -> str:
        """How the deviation is coloured: `bad`, `care` (up to twice the tolerance), or not at all."""
        if not self.bad:
            return ""
        mild = self.deviation is not None and abs(self.deviation) <= 2 * TOLERANCE and not self.red
        return "care" if mild else "bad"

    @property
    def good(self) -> bool:
        if self.deviation is None or self.better is None:
            return False
        return self.deviation > 0 if self.better == "higher" else self.deviation < 0

    @property
    def amended(self) -> bool:
        return self.first_plan != self.planned

    @property
    def may_type(self) -> bool:
        """A typed figure stands only where no source gives the metric."""
        return not self.is_kpi and not self.from_data


def completion(fact: Decimal | None, plan: Decimal | None) -> Decimal | None:
    """fact / plan as a share; None when either is unknown or the plan is 0."""
    return None if fact is None or not plan else fact / plan


def deviation(fact: Decimal | None, plan: Decimal | None) -> Decimal | None:
    """fact / plan − 1 as a share; None when either is unknown or the plan is 0."""
    share = completion(fact, plan)
    return None if share is None else share - 1


def is_off(fact: Decimal | None, plan: Decimal | None) -> bool:
    """More than 10 % off in either direction, a plan of 0 that did not stay 0, or an unknown fact of something planned."""
    if plan is None:
        return False
    if fact is None:
        return True
    if plan == 0:
        return fact != 0
    return abs(fact / plan - 1) > TOLERANCE


def plan_to_date(planned: Decimal | None, is_kpi: bool, days: int) -> Decimal | None:
    """The part of an additive plan that `days` settled days should have brought; ratios hold on every day."""
    if planned is None or is_kpi:
        return planned
    return planned * days / WEEK


@dataclass(frozen=True)
class Figures:
    """All lines of a report with the days they cover; `items` are the promises with their numbers."""

    lines: list[Line]
    items: list[PlanItem]
    first: date
    last: date | None
    days: int
    known_to: date | None = None
    """The last day with any figure, where that is before the last settled one; None when all is there or nothing is."""
    seen_days: int | None = None
    """Over how many settled days the snapshot goes; None before the fact is filed."""
    silent: bool = False
    """No figure at all is known for a week that has begun to settle."""

    @property
    def has_two(self) -> bool:
        """Do the figures of the filed fact and those of now (or of the lock) cover different days?"""
        return self.seen_days is not None and self.seen_days < self.days

    @property
    def needs_words(self) -> bool:
        """Must the author explain: is anything off plan, red or unknown?"""
        return self.silent or any(line.off or line.red for line in self.lines) or any(map(item_is_off, self.items))

    @property
    def demanding_now(self) -> list[str]:
        """The same without items whose number is not written yet."""
        filled = [item.text for item in self.items if item.actual is not None and item_is_off(item)]
        return [line.name for line in self.lines if line.off or line.red] + filled

    @property
    def demanding(self) -> list[str]:
        """Names of what has to be explained, in order."""
        names = [line.name for line in self.lines if line.off or line.red]
        return names + [item.text for item in self.items if item_is_off(item)]


def item_is_off(item: PlanItem) -> bool:
    return is_off(item.actual, item.expected)


@dataclass(frozen=True)
class Shared:
    """What the figures of several reports are computed from, read once: measures, facts, open breaches."""

    measures: dict[str, Measure]
    money: set[str]
    cube: Cube
    breaches: list[Breach]
    today: date

    def is_red(self, channel_id: int, measure: str) -> bool:
        """Does a stop-rule on this KPI fire on the channel?"""
        return any(breach.channel_id == channel_id and breach.version.kpi.code == measure for breach in self.breaches)


def shared_of(*, company: Company, channel_ids: Iterable[int], start: date, end: date, at: datetime) -> Shared:
    """Measures, facts of these channels and days, and open breaches; four queries."""
    metrics = metrics_of(company=company)
    measures = measures_from(metrics, kpis_of(company=company))
    cube = load_cube(company=company, start=start, end=end, channel_ids=sorted(set(channel_ids)), metrics=metrics)
    breaches = Breach.objects.filter(company=company, closed_on=None, muted=False).select_related("version__kpi")
    return shared_from(metrics, measures, cube, list(breaches), company.local_date(at))


def shared_from(
    metrics: dict[str, MetricInfo], measures: dict[str, Measure], cube: Cube, breaches: list[Breach], today: date
) -> Shared:
    """The same from what was already read; `breaches`: the open ones that are not muted."""
    money = {code for code, measure in measures.items() if is_money(measure, metrics)}
    return Shared(measures=measures, money=money, cube=cube, breaches=breaches, today=today)


def figures_of(
    *, company: Company, reports: list[WeeklyReport], at: datetime, shared: Shared | None = None
) -> dict[int, Figures]:
    """Figures of each report by its id, as seen at a moment: six queries for any number of reports, two when `shared`
    (whose cube then covers their weeks) is read already."""
    if not reports:
        return {}
    mondays = [report.week for report in reports]
    shared = shared or shared_of(
        company=company, channel_ids={report.channel_id for report in reports}, start=min(mondays),
        end=max(mondays) + timedelta(days=6), at=at,
    )  # fmt: skip
    ids = [report.pk for report in reports]
    plans = _by_report(PlanLine.objects.filter(company=company, report__in=ids).select_related("typed_by__user"))
    items = _by_report(PlanItem.objects.filter(company=company, report__in=ids))
    return {report.pk: _figures(report, plans[report.pk], items[report.pk], shared) for report in reports}


def _by_report(rows) -> dict[int, list]:
    grouped = defaultdict(list)
    for row in rows:
        grouped[row.report_id].append(row)
    return grouped


def _figures(report: WeeklyReport, plans: list[PlanLine], items: list[PlanItem], shared: Shared) -> Figures:
    days = settled_days(report.week, shared.today)
    last = report.week + timedelta(days=days - 1) if days else None
    lines = [_line(report, plan, shared, days, last) for plan in plans if plan.measure in shared.measures]
    silent = days > 0 and bool(lines) and all(line.fact is None for line in lines)
    known = shared.cube.last_day(report.channel_id)
    known_to = known if known and last and report.week <= known < last else None
    return Figures(
        lines=lines, items=items, first=report.week, last=last, days=days, known_to=known_to, silent=silent,
        seen_days=seen_days(report),
    )  # fmt: skip


def seen_days(report: WeeklyReport) -> int | None:
    """How many days the snapshot of a filed fact covers; None without one."""
    if report.snapshot is None:
        return None
    _first, last = report.snapshot["days"]
    return (date.fromisoformat(last) - report.week).days + 1 if last else 0


def _line(report: WeeklyReport, plan: PlanLine, shared: Shared, days: int, last: date | None) -> Line:
    measure = shared.measures[plan.measure]
    live, left_out = None, 0
    if last is not None:
        value = shared.cube.kpi(measure.formula, channel_ids=[report.channel_id], start=report.week, end=last)
        live, left_out = settled(value.value), value.left_out
    seen, restated = _kept(report.snapshot, plan.measure), None
    if seen is not None and live is not None:
        same_days = settled(
            shared.cube.kpi(measure.formula, [report.channel_id], report.week, _last_seen(report) or last).value
        )
        restated = same_days if same_days != seen else None
    now = live if live is not None else plan.typed_fact
    locked = report.final is not None
    final = _kept(report.final, plan.measure)
    return Line(
        measure=plan.measure, name=str(measure.name), unit=measure.unit, better=measure.better, is_kpi=measure.is_kpi,
        first_plan=plan.value, planned=plan.planned, amend_reason=plan.amend_reason,
        plan=plan_to_date(plan.planned, measure.is_kpi, days or 7), fact=final if locked else now, typed=plan.typed_fact,
        typed_by=str(plan.typed_by) if plan.typed_by else "", from_data=live is not None,
        left_out=left_out if live is not None else 0, snapshot=seen, final=final,
        later=now if locked and now != final else None, begun=days > 0, basis=plan.basis, restated=restated,
        snapshot_plan=plan_to_date(plan.planned, measure.is_kpi, seen_days(report) or 7), about_money=plan.measure in shared.money,
        red=not locked and shared.is_red(report.channel_id, plan.measure),
    )  # fmt: skip


def _last_seen(report: WeeklyReport) -> date | None:
    """The last day of the figures that the author saw."""
    last = (report.snapshot or {}).get("days", [None, None])[1]
    return date.fromisoformat(last) if last else None


def settled(value: Decimal | None) -> Decimal | None:
    """A figure as it is kept: six decimals, so that what was seen compares equal to what is seen again."""
    return None if value is None else from_micros(to_micros(value))


def _kept(kept: dict | None, measure: str) -> Decimal | None:
    value = (kept or {}).get("measures", {}).get(measure)
    return None if value is None else Decimal(value)


def kept_figures(figures: Figures, at: datetime) -> dict:
    """The figures as a report keeps them in `snapshot` and `final`: decimal strings, null where unknown."""
    return {
        "measures": {line.measure: None if line.fact is None else str(line.fact) for line in figures.lines},
        "days": [figures.first.isoformat(), figures.last.isoformat() if figures.last else None],
        "at": at.isoformat(),
    }
