"""The company's money over a span: earned, ROMI, plan, forecast, the year before, and the figures beside them.

Everything is a ratio of sums over the cube; a part that is unknown is None and left out by the pages, never a zero.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from kpis import bullets, formulas, periods
from kpis.metrics import BUILT_IN, MetricInfo
from kpis.models import Evaluation
from kpis.selectors.cube import Cube, load_cube
from kpis.selectors.measures import Measure, funnel_of, kpis_of, measures_from, metrics_of
from kpis.selectors.targets import TargetBook, load_targets
from reports.kept import kept
from reports.spans import Span
from roles.models import Company

EARNED = formulas.parse("gross_profit - spend")
ROMI = formulas.parse("(gross_profit - spend) / spend")
AOV = formulas.parse("revenue / deals")
FIGURES = ("revenue", "spend", "gross_profit", "cac")
CHANNEL_METRICS = ("spend", "leads", "qualified_leads", "deals", "new_customers", "revenue", "gross_profit")
CHANNEL_KPIS = ("cpl", "cac")
WEEKS = 13
COMPARABLE = Decimal("0.8")
"""The year before is comparable when it knows at least this share of the days that are known now."""

ChannelMetrics = dict[str, Decimal | None]


@dataclass(frozen=True)
class Books:
    """What the pages of money are computed from, each part read once. `mondays`: the 13 full weeks up to the span's end."""

    company: Company
    span: Span
    metrics: dict[str, MetricInfo]
    measures: dict[str, Measure]
    funnel: list[str]
    cube: Cube
    targets: TargetBook
    mondays: list[date]
    request: int
    """Grows with every load of the company: what was computed from the same request is still true."""

    @property
    def until(self) -> date:
        return self.span.until

    def plan(self, measure: str, channel_id: int | None = None, start: date | None = None, end: date | None = None):
        """The planned value over [start, end], the days of the span that are over without them; None without a target."""
        return self.targets.value(measure, channel_id=channel_id, start=start or self.span.start, end=end or self.until)

    def planned_earnings(self, channel_id: int | None = None, end: date | None = None) -> Decimal | None:
        """Planned gross profit − planned spend; None unless both are planned."""
        profit, spend = (self.plan(code, channel_id, end=end) for code in ("gross_profit", "spend"))
        return None if profit is None or spend is None else profit - spend

    def value(self, formula: formulas.Formula, channel_ids: list[int] | None = None):
        """The formula over the days of the span that are over."""
        return self.cube.kpi(formula, channel_ids=channel_ids, start=self.span.start, end=self.until)

    def weekly(self, formula: formulas.Formula, channel_ids: list[int] | None = None) -> list[Decimal | None]:
        return [figure.value for figure in self.cube.weekly(formula, self.mondays, channel_ids=channel_ids)]


def open_books(*, company: Company, span: Span) -> Books:
    """Six queries for any number of channels."""
    known_metrics = metrics_of(company=company)
    measures = measures_from(known_metrics, kpis_of(company=company))
    funnel = [code for code in funnel_of(company=company) if code in known_metrics]
    mondays = periods.last_weeks(span.until + timedelta(days=1), WEEKS)
    wanted = {*CHANNEL_METRICS, *funnel}
    for code in (*FIGURES, *CHANNEL_KPIS):
        if code in measures:
            wanted |= measures[code].formula.metrics
    cube = load_cube(
        company=company, start=min(span.start, mondays[0]), end=span.until,
        metrics={code: info for code, info in known_metrics.items() if code in wanted},
    )  # fmt: skip
    targets = load_targets(company=company, start=min(span.start, mondays[-1]), end=span.end)
    return Books(company, span, known_metrics, measures, funnel, cube, targets, mondays, _request(company))


def open_account(*, company: Company, span: Span) -> Books:
    """Only what the money sentence needs, in three queries: no figures, funnel or weeks."""
    metrics = {code: BUILT_IN[code] for code in EARNED.metrics}
    cube = load_cube(company=company, start=span.start, end=span.until, metrics=metrics)
    targets = load_targets(company=company, start=span.start, end=span.end)
    return Books(company, span, metrics, {}, [], cube, targets, [], _request(company))


def _request(company: Company) -> int:
    return Evaluation.objects.filter(company=company).values_list("request", flat=True).first() or 0


@dataclass(frozen=True)
class Earnings:
    """The money sentence. `gross_profit` and `spend` are those of the (channel, day) pairs where both are known, so that
    they give `earned` exactly; `left_out` pairs know only one. `forecast`: to-date × days of the span / days over."""

    earned: Decimal | None
    romi: Decimal | None
    gross_profit: Decimal | None
    spend: Decimal | None
    plan: Decimal | None
    goal: Decimal | None
    forecast: Decimal | None
    before: Decimal | None
    left_out: int

    @property
    def of_plan(self) -> Decimal | None:
        """Earned as a share of the plan to date; None without a plan above zero."""
        return None if self.earned is None or self.plan is None or self.plan <= 0 else self.earned / self.plan

    @property
    def change(self) -> Decimal | None:
        """Against the same days a year before, as a share; None where that was not above zero or is not known."""
        return change(self.earned, self.before)

    @property
    def runway(self) -> bullets.Runway | None:
        return bullets.runway(self.earned, self.goal, self.plan, self.forecast)


def change(now: Decimal | None, before: Decimal | None) -> Decimal | None:
    """now / before − 1 as a share; None where either is unknown or `before` is not above zero."""
    return None if now is None or before is None or before <= 0 else now / before - 1


def forecast(value: Decimal | None, span: Span) -> Decimal | None:
    """The value of the whole span if its other days are like those that are over; None when it is over."""
    if value is None or span.is_over or not span.days:
        return None
    return value * span.whole / span.days


def earnings(books: Books, before: "YearBefore") -> Earnings:
    """Earned and everything the sentence says about it."""
    figure = books.value(ROMI)
    earned, spend = figure.numerator, figure.denominator
    return Earnings(
        earned=earned, romi=figure.value, spend=spend, gross_profit=None if earned is None else earned + spend,
        plan=books.planned_earnings(), goal=books.planned_earnings(end=books.span.end),
        forecast=forecast(earned, books.span), before=before.earned, left_out=figure.left_out,
    )  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """One of the figures under the sentence. `plan` is that of the days over, `goal` of the whole span (for a KPI both
    are its level); `before` is the year before. `weekly` are 13 full weeks, `weekly_goal` the plan of the last one."""

    code: str
    name: str
    unit: str
    better: str | None
    is_kpi: bool
    value: Decimal | None
    plan: Decimal | None
    goal: Decimal | None
    forecast: Decimal | None
    before: Decimal | None
    weekly: list[Decimal | None]
    weekly_goal: Decimal | None

    @property
    def change(self) -> Decimal | None:
        return change(self.value, self.before)

    @property
    def of_goal(self) -> Decimal | None:
        """The forecast (at the end the value) as a share of the goal."""
        reached = self.value if self.forecast is None else self.forecast
        return None if reached is None or self.goal is None or self.goal <= 0 else reached / self.goal

    @property
    def state(self) -> str:
        """ "" when there is nothing to look at; else over (a budget), behind (a plan), above or below (a KPI's goal)."""
        if self.value is None or self.goal is None or self.goal <= 0:
            return ""
        if self.is_kpi:
            worse = self.value > self.goal if self.better == "lower" else self.value < self.goal
            return ("above" if self.better == "lower" else "below") if worse else ""
        if self.better is None or self.better == "lower":
            return "over" if (self.of_goal or 0) > 1 else ""
        behind = self.plan is not None and self.plan > 0 and bullets.plan_state(float(self.value / self.plan)) != ""
        return "behind" if behind else ""

    @property
    def is_grave(self) -> bool:
        """More than a fifth to the bad side."""
        reference = self.goal if self.is_kpi else self.plan
        if not self.state or reference is None or reference <= 0:
            return False
        return (
            bullets.plan_state(float(self.value / reference), "lower" if self.better != "higher" else "higher") == "low"
        )


def figures(books: Books, before: "YearBefore") -> list[Figure]:
    """The figures that are known or planned, in their order."""
    found = [_figure(books, before, books.measures[code]) for code in FIGURES if code in books.measures]
    return [figure for figure in found if figure.value is not None or figure.goal is not None]


def _figure(books: Books, before: "YearBefore", measure: Measure) -> Figure:
    value = books.value(measure.formula).value
    week = books.mondays[-1]
    return Figure(
        code=measure.code, name=measure.name, unit=measure.unit, better=measure.better, is_kpi=measure.is_kpi,
        value=value, plan=books.plan(measure.code), goal=books.plan(measure.code, end=books.span.end),
        forecast=None if measure.is_kpi else forecast(value, books.span), before=before.values.get(measure.code),
        weekly=books.weekly(measure.formula),
        weekly_goal=books.plan(measure.code, start=week, end=week + timedelta(days=6)),
    )  # fmt: skip


@dataclass(frozen=True)
class YearBefore:
    """The same days a year before; everything None where too few of them are known to compare."""

    earned: Decimal | None
    values: dict[str, Decimal | None]


def year_before(books: Books) -> YearBefore:
    """One query, kept until the next load of the company: those days change only with one."""
    start, end = books.span.a_year_before()
    wanted = {code: books.measures[code].formula for code in FIGURES if code in books.measures}
    key = ("year", books.company.pk, books.company.created_at, books.request, start, end, tuple(wanted.items()))

    def read() -> YearBefore:
        codes = EARNED.metrics.union(*(formula.metrics for formula in wanted.values()))
        cube = load_cube(
            company=books.company, start=start, end=end,
            metrics={code: books.metrics[code] for code in codes if code in books.metrics},
        )  # fmt: skip
        if known_days(cube, start, end) < COMPARABLE * known_days(books.cube, books.span.start, books.until):
            return YearBefore(None, {})
        return YearBefore(cube.kpi(EARNED).value, {code: cube.kpi(formula).value for code, formula in wanted.items()})

    return kept(key, read)


def known_days(cube: Cube, start: date, end: date) -> int:
    """Days on which the whole company's earnings are known for at least one channel."""
    days = cube.daily(EARNED)
    return sum(1 for day, figure in days.items() if start <= day <= end and figure.known_pairs)
