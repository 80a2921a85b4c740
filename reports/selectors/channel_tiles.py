"""The figures at the head of a channel's page: earned, ROMI, result KPI, its count, spend; without money only counts."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from kpis import bullets, periods
from kpis.selectors.measures import Measure
from reports.selectors.channel_charts import Desk, count_of
from reports.selectors.money import EARNED, ROMI
from reports.spans import Span
from roles import formats

COUNTS = ("leads", "qualified_leads", "deals")


@dataclass(frozen=True)
class Tile:
    """A figure with its provenance (`code`, `is_kpi`, days), its state in a mark and a word, and at most two notes."""

    title: str
    code: str
    is_kpi: bool
    start: date
    end: date
    value: str
    mark: str
    word: str
    notes: tuple[str, ...]


class _Head:
    """Writes the tiles of one channel and span."""

    def __init__(self, desk: Desk, span: Span):
        self.desk, self.span, self.ids = desk, span, [desk.channel.pk]
        self.currency = desk.company.currency

    def value(self, formula, start: date | None = None, end: date | None = None) -> Decimal | None:
        return self.desk.cube.kpi(
            formula, channel_ids=self.ids, start=start or self.span.start, end=end or self.span.until
        ).value

    def plan(self, code: str, end: date | None = None) -> Decimal | None:
        return self.desk.targets.value(
            code, channel_id=self.desk.channel.pk, start=self.span.start, end=end or self.span.until
        )

    def money(self, value: Decimal) -> str:
        return formats.money(value, self.currency)

    def tile(self, title: str, code: str, is_kpi: bool, value: str, mark: str, word: str, *notes: str, **days) -> Tile:
        start, end = days.get("start") or self.span.start, days.get("end") or self.span.until
        return Tile(title, code, is_kpi, start, end, value, mark, word, tuple(note for note in notes if note))

    @property
    def by(self) -> str:
        return formats.day(self.span.until, year=False)

    def planned_earnings(self) -> Decimal | None:
        profit, spend = self.plan("gross_profit"), self.plan("spend")
        return None if profit is None or spend is None else profit - spend

    def earned(self) -> Tile | None:
        value = self.value(EARNED)
        if value is None:
            return None
        plan = self.planned_earnings()
        mark, word = ("stop", _("a loss")) if value < 0 else ("", "")
        note = "" if plan is None else _("plan by %(day)s: %(value)s") % {"day": self.by, "value": self.money(plan)}
        return self.tile(_("Earned"), "earned", True, self.money(value), mark, word, note)

    def romi(self) -> Tile | None:
        value = self.value(ROMI)
        if value is None:
            return None
        goal = self._planned_romi()
        notes = [] if goal is None else [_("plan %(value)s") % {"value": formats.percent(goal)}]
        month = periods.add_months(self.span.start, -1)
        before = self.value(ROMI, month, periods.month_end(month))
        if before is not None:
            notes.append(_("the month before: %(value)s") % {"value": formats.percent(before)})
        bad = value < 0 or (goal is not None and value < goal)
        mark, word = (
            (("stop" if value < 0 else "watch"), _("below the goal") if goal is not None else "") if bad else ("", "")
        )
        return self.tile(
            "ROMI", "romi", True, formats.percent(value), mark, word or (_("a loss") if mark else ""), ", ".join(notes)
        )

    def _planned_romi(self) -> Decimal | None:
        own = self.plan("romi")
        earned, spend = self.planned_earnings(), self.plan("spend")
        return own if own is not None or earned is None or not spend else earned / spend

    def result(self, measure: Measure) -> Tile | None:
        value = self.value(measure.formula)
        if value is None:
            return None
        goal, rule = self.plan(measure.code), self.desk.line_of(measure.code)
        firing = self._firing(measure)
        if firing is not None:
            return self._episode(measure, value, goal, firing)
        mark, word = "", ""
        if goal is not None and goal > 0:
            state = bullets.plan_state(float(value / goal), measure.better or "higher")
            worse = value > goal if measure.better == "lower" else value < goal
            if worse:
                mark = "stop" if state == "low" and rule is None else "watch"
                word = _("above the goal") if measure.better == "lower" else _("below the goal")
        return self.tile(
            measure.name, measure.code, True, self.figure(value, measure), mark, word, self._levels(measure, goal, rule)
        )

    def _firing(self, measure: Measure):
        mine = (
            breach for breach in self.desk.breaches
            if breach.closed_on is None and not breach.muted and breach.campaign_id is None
            and breach.version.kpi.code == measure.code and breach.days
        )  # fmt: skip
        return next(mine, None)

    def _episode(self, measure: Measure, month: Decimal, goal: Decimal | None, breach) -> Tile:
        first, last = (date.fromisoformat(breach.days[index]) for index in (0, -1))
        value = self.value(measure.formula, first, last)
        title = f"{measure.name}, {formats.days(first, last, year=False)}"
        word = _("day %(number)s") % {"number": len(breach.days)}
        whole = _("the span: %(value)s") % {"value": self.figure(month, measure)}
        return self.tile(
            title, measure.code, True, self.figure(month if value is None else value, measure), "stop", word,
            self._levels(measure, goal, breach.version), whole, start=first, end=last,
        )  # fmt: skip

    def figure(self, value: Decimal, measure: Measure) -> str:
        return formats.figure(value, measure.unit, self.currency)

    def _levels(self, measure: Measure, goal: Decimal | None, rule) -> str:
        parts = []
        if goal is not None:
            parts.append(_("goal %(value)s") % {"value": self.figure(goal, measure)})
        if rule is not None:
            parts.append(_("stop %(value)s") % {"value": self.figure(rule.line, measure)})
        return ", ".join(parts)

    def count(self, measure: Measure) -> Tile | None:
        value = self.value(measure.formula)
        if value is None:
            return None
        plan, notes, mark, word = self.plan(measure.code), [], "", ""
        if plan is not None and plan > 0:
            share = value / plan
            notes = [
                _("plan by %(day)s: %(value)s") % {"day": self.by, "value": formats.planned(plan, measure.unit)},
                _("%(share)s of the plan") % {"share": formats.percent(share)},
            ]
            state = bullets.plan_state(float(share), measure.better or "higher") if measure.better != "lower" else ""
            mark, word = ("watch", _("behind")) if state else ("", "")
        return self.tile(measure.name, measure.code, False, formats.count(value), mark, word, *notes)

    def spend(self) -> Tile | None:
        value = self.value(self.desk.measures["spend"].formula)
        if value is None:
            return None
        budget = self.desk.channel.monthly_budget or self.plan("spend", self.span.end)
        notes, mark, word = [], "", ""
        if budget:
            share, time = value / budget, Decimal(self.span.days) / self.span.whole
            notes = [
                _("budget of the month: %(value)s") % {"value": self.money(budget)},
                _("%(share)s of the budget in %(time)s of the month") % {
                    "share": formats.percent(share), "time": formats.percent(time),
                },
            ]  # fmt: skip
            over = share > 1 + (self.desk.channel.tolerance or 0)
            mark, word = ("stop", _("over budget")) if over else (("watch", _("used up")) if share >= 1 else ("", ""))
        return self.tile(self.desk.measures["spend"].name, "spend", False, self.money(value), mark, word, *notes)


def tiles_of(desk: Desk, result: Measure, span: Span) -> list[Tile]:
    """At most five tiles; what is unknown, or tells of hidden money, is left out."""
    head = _Head(desk, span)
    if desk.sees_money:
        count = count_of(desk, result)
        own = result.is_kpi and result.code != "romi"
        found = [head.earned(), head.romi(), head.result(result) if own else None, head.count(count), head.spend()]
    else:
        found = [head.result(result) if result.is_kpi else None]
        found += [head.count(desk.measures[code]) for code in dict.fromkeys((count_of(desk, result).code, *COUNTS))]
    return [tile for tile in found if tile is not None][:5]
