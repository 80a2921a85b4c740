"""A stop-rule tried on history: its firings and their money, beside the version in force and at other lines.

The company's facts are read once and the engine runs once, over the series of every version and line together. Nothing
is written, and no signature counts: each firing runs until it recovers, pauses or the test ends.
"""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from kpis import engine, rule_terms
from kpis.backtest import OPEN, Firings, add_up, find_firings
from kpis.day_classes import Figures, Rule
from kpis.formulas import Formula, parse
from kpis.histories import read_history
from kpis.metrics import MetricInfo
from kpis.models import KpiVersion, StopRuleVersion
from kpis.replay import Replay, rule_of, series_of
from kpis.series import History
from kpis.windows import Series, figures_of, metrics_needed
from roles.fields import MICRO
from roles.models import Campaign, Channel, Company

YEAR = 365
PLACES = Decimal("0.000001")


@dataclass(frozen=True)
class Draft:
    """A version to try, with its KPI and the company's metrics. `zero_line_follows`: the zero line is three lines."""

    version: StopRuleVersion
    kpi: KpiVersion
    metrics: dict[str, MetricInfo]
    zero_line_follows: bool = False

    @property
    def formula(self) -> Formula:
        return parse(self.kpi.formula)

    @property
    def has_account(self) -> bool:
        """Can its firings be counted in money?"""
        version = self.version
        return rule_terms.has_money_account(self.formula, self.metrics, version.comparison, version.window)

    def at_line(self, line: Decimal) -> "Draft":
        """The same rule with another line."""
        version = copy(self.version)
        version.line = line
        if self.zero_line_follows and self.has_account:
            version.zero_line = rule_terms.usual_zero_line(line)
        return Draft(version, self.kpi, self.metrics, self.zero_line_follows)


@dataclass(frozen=True)
class Account:
    """Money of one or many firings. `net` = `spend` − line · `forgone` = `saved` − `lost`; `forgone` counts conversions."""

    spend: Decimal
    forgone: Decimal
    net: Decimal
    saved: Decimal
    lost: Decimal


@dataclass(frozen=True)
class Firing:
    """One firing on one scope, the draft's `row`-th series. `closed_on` None: it goes on at the end; `closed_as`: recovered, paused or "". Without a money account both last are None."""

    row: int
    channel: Channel
    campaign: Campaign | None
    first_day: date
    opened_on: date
    closed_on: date | None
    closed_as: str
    avoidable_days: int
    false_alarm: bool | None
    account: Account | None

    @property
    def subject(self):
        return self.campaign or self.channel


@dataclass(frozen=True)
class Totals:
    """All firings of a rule together; what needs a money account is None without one."""

    firings: int
    going_on: int
    false_alarms: int | None
    account: Account | None


@dataclass(frozen=True)
class Trial:
    """One version on history: its firings, oldest first. `replay`: what the engine said of the draft's days, if any."""

    draft: Draft
    firings: list[Firing]
    totals: Totals
    replay: Replay | None

    @property
    def version(self) -> StopRuleVersion:
        return self.draft.version


@dataclass(frozen=True)
class Backtest:
    """The draft on the days `since` to `until`, the version beside it, and totals by other lines in their order."""

    since: date
    until: date
    draft: Trial
    beside: Trial | None
    lines: list[tuple[Decimal, Totals]]


def span_of(today: date, since: date | None = None, until: date | None = None) -> tuple[date, date]:
    """The days of a test where none or one of the ends is given: the last twelve months, never beyond today."""
    until = min(until or today, today)
    return since or until - timedelta(days=YEAR - 1), until


def backtest(
    *,
    company: Company,
    draft: Draft,
    today: date,
    since: date,
    until: date,
    lines: Sequence[Decimal] = (),
    beside: Draft | None = None,
) -> Backtest:
    """Try a draft on the days `since` to `until`; what was before warms the machine up.

    Three queries, one more where campaigns are looked at, whatever is tried.
    """  # fmt: skip
    versions = [draft] + ([beside] if beside else [])
    mine = [series_of(company=company, versions=[one.version]) for one in versions]
    last = min(today, until + timedelta(days=max(one.version.settling_days for one in versions)))
    history = _history(company, versions, mine, last)
    parts = [_part(one, series, history) for one, series in zip(versions, mine, strict=True)]
    parts += [_Part(draft.at_line(line), parts[0].series, parts[0].figures) for line in lines]
    _run([part for part in parts if part.figures is not None], history, since, until)
    trials = [part.trial(history) for part in parts[: len(versions)]]
    swept = [(part.draft.version.line, part.totals()) for part in parts[len(versions) :]]
    return Backtest(since, until, trials[0], trials[1] if beside else None, swept)


def _history(company: Company, drafts: list[Draft], series: list[list[Series]], last: date) -> History | None:
    """Figures of the channels in question until `last`; up to then the last day of the test is settled as far as it is."""
    channels = {one.channel.pk for found in series for one in found}
    if not channels:
        return None
    known = drafts[0].metrics
    codes = set().union(*(metrics_needed([one.version], {one.version.kpi_id: one.formula}) for one in drafts))
    return read_history(
        company=company, metrics=[known[code] for code in codes if code in known], today=last, channels=channels,
    )  # fmt: skip


@dataclass
class _Part:
    """One version on its series: some rows of the one run. `figures` None: nothing to judge."""

    draft: Draft
    series: list[Series]
    figures: Figures | None
    outcome: engine.Outcome | None = None
    firings: Firings | None = None
    first_row: int = 0

    def rules(self) -> Iterator[Rule]:
        """The engine's rule for each series: one and the same, unless a scope has a tolerance of its own."""
        found: dict[Decimal, Rule] = {}
        for one in self.series:
            line = one._replace(version=self.draft.version).line
            if line not in found:
                found[line] = rule_of(self.draft.version, self.draft.formula.scales, line)
            yield found[line]

    def totals(self) -> Totals:
        sums = add_up(self.firings) if self.firings else None
        count = (sums.firings, sums.going_on) if sums else (0, 0)
        if not self.draft.has_account:
            return Totals(*count, None, None)
        if sums is None:
            return Totals(*count, 0, self._account(0, 0, 0, 0))
        money = self._account(sums.spend, sums.forgone, sums.over_spend, sums.over_forgone)
        return Totals(*count, sums.false_alarms, money)

    def _account(self, spend: int, forgone: int, over_spend: int, over_forgone: int) -> Account:
        """Of whole numbers in the units of the figures; all of it over one denominator, so that nothing is rounded twice."""
        above, below = (scale * MICRO for scale in self.draft.formula.scales)
        line, part = Decimal(self.draft.version.line).as_integer_ratio()
        whole, money, cost = above * below * part, below * part, above * line
        net = spend * money - forgone * cost
        saved = over_spend * money - over_forgone * cost
        return Account(
            _decimal(spend, above), _decimal(forgone, below), _decimal(net, whole), _decimal(saved, whole),
            _decimal(saved - net, whole),
        )  # fmt: skip

    def trial(self, history: History | None) -> Trial:
        if self.figures is None:
            return Trial(self.draft, [], self.totals(), None)
        told = [self._firing(number, history) for number in range(len(self.firings))]
        told.sort(key=lambda firing: (firing.opened_on, str(firing.subject)))
        scales = [self.draft.formula.scales] * len(self.series)
        seen = self.outcome and Replay(self.series, history, self.figures, scales, self.outcome)
        return Trial(self.draft, told, self.totals(), seen)

    def _firing(self, number: int, history: History) -> Firing:
        found = self.firings
        row = int(found.series[number]) - self.first_row
        one = self.series[row]
        closed, has_account = int(found.closed[number]), self.draft.has_account
        money = (found.spend, found.forgone, found.over_spend, found.over_forgone)
        return Firing(
            row, one.channel, one.campaign, history.day(int(found.first[number])), history.day(int(found.opened[number])),
            None if closed == OPEN else history.day(closed), _ending(closed, bool(found.recovered[number])),
            int(found.days[number]),
            bool(found.false_alarm[number]) if has_account else None,
            self._account(*(int(values[number]) for values in money)) if has_account else None,
        )  # fmt: skip


def _ending(closed: int, recovered: bool) -> str:
    if closed == OPEN:
        return ""
    return "recovered" if recovered else "paused"


def _part(draft: Draft, series: list[Series], history: History | None) -> _Part:
    """The series with something to judge, in the order of their figures."""
    if history is None:
        return _Part(draft, [], None)
    order, figures = figures_of(history, {draft.version.kpi_id: draft.formula}, series)
    return _Part(draft, [series[number] for number in order], figures)


def _run(parts: list[_Part], history: History | None, since: date, until: date) -> None:
    """One run of the engine over the series of all parts, and each part's share of what fired."""
    if not parts:
        return
    figures = Figures.joined([part.figures for part in parts])
    rules = [rule for part in parts for rule in part.rules()]
    outcome = engine.run(figures, rules)
    firings = find_firings(figures, rules, outcome, history.index(since), history.index(until))
    row = 0
    for part in parts:
        part.first_row, part.firings = row, firings.of(row, row + len(part.series))
        part.outcome = outcome if row == 0 else None  # whose series are the first rows
        row += len(part.series)


def _decimal(above: int, below: int) -> Decimal:
    return (Decimal(above) / below).quantize(PLACES)
