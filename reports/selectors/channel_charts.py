"""Drawings of a channel: its result KPI by day with goal, stop line and breach days, the same as a table, small companions."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from kpis import charts, formulas, periods
from kpis.metrics import MetricInfo
from kpis.models import Breach, StopRuleVersion
from kpis.selectors.cube import Cube
from kpis.selectors.measures import Measure, money_metrics
from kpis.selectors.targets import TargetBook
from roles import formats
from roles.models import Channel, Company

TABLE_DAYS = 42
POOLED_DAYS = 7


@dataclass(frozen=True)
class Desk:
    """What the drawings of one channel are made from. `rules` are those in force that look at the channel or its campaigns,
    `breaches` those of either, the newest first. The cube may hold other channels too."""

    company: Company
    channel: Channel
    metrics: dict[str, MetricInfo]
    measures: dict[str, Measure]
    cube: Cube
    targets: TargetBook
    rules: list[StopRuleVersion]
    breaches: list[Breach]
    sees_money: bool

    def may_show(self, measure: Measure) -> bool:
        """Figures that tell of money are shown only to those who may see this channel's money."""
        return self.sees_money or not (measure.formula.metrics & money_metrics(self.metrics))

    def line_of(self, code: str) -> StopRuleVersion | None:
        """The rule whose line is drawn for a KPI: the strictest one on the channel."""
        mine = [rule for rule in self.rules if rule.kpi.code == code and rule.per == StopRuleVersion.Per.CHANNEL]
        above = [rule for rule in mine if rule.comparison == StopRuleVersion.Comparison.ABOVE]
        if above:
            return min(above, key=lambda rule: rule.line)
        return max(mine, key=lambda rule: rule.line, default=None)

    def breach_days(self, code: str) -> list[date]:
        """Breaching days of the channel under the rules of a KPI, oldest first."""
        found = {
            date.fromisoformat(day)
            for breach in self.breaches
            if breach.version.kpi.code == code and breach.campaign_id is None
            for day in breach.days
        }
        return sorted(found)

    def goal(self, measure: Measure, start: date, end: date) -> Decimal | None:
        """The plan of a day: a KPI's level, the daily share of a metric's plan."""
        value = self.targets.value(measure.code, channel_id=self.channel.pk, start=start, end=end)
        if value is None or measure.is_kpi:
            return value
        return value / ((end - start).days + 1)


@dataclass(frozen=True)
class Chart:
    """The large drawing with its table: `columns` are its measures, a row is (day, (measure, figure written out) each, is a breach day)."""

    measure: Measure
    plot: charts.Plot
    columns: list[Measure]
    rows: list[tuple[date, list[tuple[Measure, str]], bool]]
    has_line: bool


@dataclass(frozen=True)
class Mini:
    """A small drawing: the last known value, of which measure and days it is, and what it is compared with, written in words."""

    title: str
    code: str
    is_kpi: bool
    start: date
    end: date
    value: Decimal | None
    unit: str
    beside: str
    plot: charts.Plot


def main_chart(desk: Desk, measure: Measure, days: list[date]) -> Chart | None:
    """The measure over the days; None where nothing of it is known."""
    daily = desk.cube.daily(measure.formula, desk.channel.pk)
    figures = [daily[day] for day in days]
    if not any(figure.known_pairs for figure in figures):
        return None
    breached = [day for day in desk.breach_days(measure.code) if days[0] <= day <= days[-1]]
    rule = desk.line_of(measure.code)
    title = _("%(kpi)s of %(subject)s by day") % {"kpi": measure.name, "subject": desk.channel.name}
    plot = charts.line_plot(
        days, [figure.value for figure in figures], measure.unit, title, _described(desk, measure, days, breached, daily),
        goal=desk.goal(measure, periods.month_start(days[-1]), periods.month_end(days[-1])),
        line=rule.line if rule else None, breach_days=breached, gap_days=_gaps(days, figures),
    )  # fmt: skip
    columns, rows = _table(desk, measure, days[-TABLE_DAYS:], set(breached), daily)
    return Chart(measure, plot, columns, rows, rule is not None)


def _gaps(days: list[date], figures: list) -> list[date]:
    """Days without figures after the first known one."""
    first = next(index for index, figure in enumerate(figures) if figure.known_pairs)
    return [day for day, figure in zip(days[first:], figures[first:], strict=True) if not figure.known_pairs]


def _described(desk: Desk, measure: Measure, days: list[date], breached: list[date], daily: dict) -> str:
    text = _("From %(first)s to %(last)s.") % {"first": formats.day(days[0]), "last": formats.day(days[-1])}
    if not breached:
        return text
    values = [
        formats.figure(daily[day].value, measure.unit, desk.company.currency) for day in charts.episodes(breached)[-1]
    ]
    return f"{text} " + _("Days beyond the stop line: %(values)s.") % {"values": ", ".join(values)}


def _table(desk: Desk, measure: Measure, days: list[date], breached: set[date], daily: dict):
    """The newest day first: the metrics of the formula with leads among them, then the figure itself."""
    codes = [code for code in desk.metrics if code in measure.formula.metrics | {"leads"}]
    shown = [desk.measures[code] for code in codes if code != measure.code and desk.may_show(desk.measures[code])]
    series = [(metric, desk.cube.daily(metric.formula, desk.channel.pk)) for metric in shown]
    series.append((measure, daily))
    rows = [
        (day, [(one, formats.bare(found[day].value, one.unit)) for one, found in series], day in breached)
        for day in reversed(days)
    ]
    return [*shown, measure], rows


def minis(desk: Desk, measure: Measure, days: list[date]) -> list[Mini]:
    """Up to three companions of the result KPI: its count a day, a conversion over 7 days, spend a day."""
    count = count_of(desk, measure)
    found = [_daily_mini(desk, count, days)] if count.code != measure.code else []
    found.append(_conversion_mini(desk, measure, days))
    if desk.sees_money and measure.code != "spend":
        found.append(_daily_mini(desk, desk.measures["spend"], days))
    return [mini for mini in found if mini is not None]


def count_of(desk: Desk, measure: Measure) -> Measure:
    """The count a KPI is spread over (qualified leads for CPA); leads where it has none."""
    return desk.measures[counted(desk.measures, measure)]


def counted(measures: dict[str, Measure], measure: Measure) -> str:
    """The code of that count."""
    for code, _factor in measure.formula.denominator or measure.formula.numerator:
        if code in measures and measures[code].unit == "count":
            return code
    return "leads"


def step_above(measures: dict[str, Measure], code: str) -> Measure | None:
    """The KPI that says how many came from the stage above to this count: a share with it alone on top."""
    shares = (kpi for kpi in measures.values() if kpi.is_kpi and kpi.unit == "share")
    return next((kpi for kpi in shares if dict(kpi.formula.numerator).keys() == {code}), None)


def _daily_mini(desk: Desk, measure: Measure, days: list[date]) -> Mini | None:
    daily = desk.cube.daily(measure.formula, desk.channel.pk)
    values = [daily[day].value for day in days]
    if all(value is None for value in values):
        return None
    goal = desk.goal(measure, periods.month_start(days[-1]), periods.month_end(days[-1]))
    currency = desk.company.currency
    beside = "" if goal is None else _("plan %(value)s") % {"value": formats.planned(goal, measure.unit, currency)}
    title = _("%(what)s a day") % {"what": measure.name}
    value, day = _last(days, values)
    return Mini(
        title, measure.code, measure.is_kpi, day, day, value, measure.unit, beside,
        _small(title, days, values, measure, goal=goal),
    )  # fmt: skip


def _conversion_mini(desk: Desk, measure: Measure, days: list[date]) -> Mini | None:
    """The conversion of the step above the counted metric, pooled over 7 days, so that few events do not shake it."""
    step = step_above(desk.measures, count_of(desk, measure).code)
    if step is None or step.code == measure.code or not desk.may_show(step):
        return None
    values = [_pooled(desk, step.formula, day) for day in days]
    if all(value is None for value in values):
        return None
    rule = desk.line_of(step.code)
    currency = desk.company.currency
    beside = "" if rule is None else _("stop %(value)s") % {"value": formats.figure(rule.line, "share", currency)}
    title = _("%(what)s, 7 days") % {"what": step.name}
    plot = _small(title, days, values, step, line=rule.line if rule else None)
    value, day = _last(days, values)
    return Mini(title, step.code, True, day - timedelta(days=POOLED_DAYS - 1), day, value, "share", beside, plot)


def _pooled(desk: Desk, formula: formulas.Formula, day: date) -> Decimal | None:
    start = day - timedelta(days=POOLED_DAYS - 1)
    return desk.cube.kpi(formula, channel_ids=[desk.channel.pk], start=start, end=day).value


def _small(title: str, days: list[date], values, measure: Measure, goal=None, line=None) -> charts.Plot:
    desc = _("From %(first)s to %(last)s.") % {"first": formats.day(days[0]), "last": formats.day(days[-1])}
    return charts.line_plot(days, values, measure.unit, title, desc, goal=goal, line=line, size="s")


def _last(days: list[date], values: list[Decimal | None]) -> tuple[Decimal, date]:
    """The last known value with its day; one must be known."""
    return next((value, day) for day, value in zip(reversed(days), reversed(values), strict=True) if value is not None)


def today_plot(desk: Desk, measure: Measure, days: list[date]) -> charts.Plot | None:
    """The small drawing of the today page."""
    daily = desk.cube.daily(measure.formula, desk.channel.pk)
    figures = [daily[day] for day in days]
    if not any(figure.known_pairs for figure in figures):
        return None
    rule = desk.line_of(measure.code)
    breached = [day for day in desk.breach_days(measure.code) if days[0] <= day <= days[-1]]
    title = _("%(kpi)s of %(subject)s by day") % {"kpi": measure.name, "subject": desk.channel.name}
    return charts.line_plot(
        days, [figure.value for figure in figures], measure.unit, title,
        _described(desk, measure, days, breached, daily), line=rule.line if rule else None, breach_days=breached,
        gap_days=_gaps(days, figures), size="s",
    )  # fmt: skip
