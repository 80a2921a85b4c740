"""The money over the line of breaches, day by day, in the terms of each rule's window."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from django.db.models import Max

from kpis.day_classes import Figures, Window
from kpis.formulas import Formula
from kpis.histories import read_history
from kpis.models import Breach, RuleState, StopRuleVersion
from kpis.replay import formulas_of
from kpis.selectors.measures import metrics_of
from kpis.series import MAILING_DAYS, History
from kpis.windows import Series, figures_of, metrics_needed
from roles.fields import MICRO
from roles.models import Campaign, Company

CENT = Decimal("0.01")
MAILINGS_BACK = timedelta(days=180)
"""How far back the earlier mailings of a series are shown."""


@dataclass(frozen=True)
class OverDay:
    """One day of a breach; everything but `day`, `cumulated` and `breaching` is None where the day is unknown."""

    day: date
    numerator: Decimal | None
    denominator: Decimal | None
    value: Decimal | None
    over: Decimal | None
    cumulated: Decimal | None
    breaching: bool


@dataclass(frozen=True)
class OverLine:
    """Money over the line since the first breaching day: Σ (numerator − line · denominator) over the known days.

    For a "below" rule the money that is short of the line; for a budget what is spent beyond budget and tolerance, or lost
    beyond the stop-loss. None where the rule is not about money or no day is known. `per_day`: the total spread over the
    known days. `around`: what to compare with where the window is not one of days: earlier mailings of the series, the
    budget's days before; None: the KPI day by day.
    """

    total: Decimal | None = None
    per_day: Decimal | None = None
    numerator: Decimal | None = None
    denominator: Decimal | None = None
    days: list[OverDay] = field(default_factory=list)
    around: list[OverDay] | None = None


def over_line(
    *, company: Company, breaches: Iterable[Breach], formulas: Mapping[int, Formula] | None = None
) -> dict[int, OverLine]:
    """Breach id → its money and days, up to the last judged day or the day it ended; one query for all facts.

    `formulas`: breach id → the formula to reckon by, of what was signed; without it the KPIs' formulas in force.
    """
    breaches = list(breaches)
    if not breaches:
        return {}
    by_breach = _formulas(company, breaches, formulas)
    metrics = metrics_of(company=company)
    codes = set().union(*(metrics_needed([breach.version], by_breach[breach.pk]) for breach in breaches))
    ends = _last_days(company, breaches)
    history = read_history(
        company=company, metrics=[metrics[code] for code in codes if code in metrics], today=max(_reads_to(breach, ends[breach.pk]) for breach in breaches),
        since=min(_reaches_back(breach) for breach in breaches),
    )  # fmt: skip
    money = {code for code, info in metrics.items() if info.unit == "money"}
    mailings = _mailings_beside(company, breaches)
    found = {}
    for breach in breaches:
        mine = by_breach[breach.pk]
        reader = _Reader(breach, mine.get(breach.version.kpi_id), history, ends[breach.pk], money)
        found[breach.pk] = reader.read(mine, mailings.get(breach.channel_id, []))
    return found


def _formulas(company: Company, breaches: list[Breach], given: Mapping[int, Formula] | None) -> dict[int, dict]:
    """Breach id → its KPI's formula by KPI id."""
    if given is None:
        current = formulas_of(company=company, versions=[breach.version for breach in breaches])
        return {breach.pk: current for breach in breaches}
    return {breach.pk: {breach.version.kpi_id: given[breach.pk]} if breach.pk in given else {} for breach in breaches}


def _reaches_back(breach: Breach) -> date:
    """The first day whose figures the money of a breach needs."""
    if breach.version.window == Window.EVENT:
        return breach.first_day - MAILINGS_BACK
    if breach.version.window == Window.BUDGET:
        is_test = breach.version.period == StopRuleVersion.Period.TEST
        return date.min if is_test else breach.first_day.replace(day=1)
    return breach.first_day


def _reads_to(breach: Breach, last: date) -> date:
    return last + timedelta(days=MAILING_DAYS) if breach.version.window == Window.EVENT else last


def _mailings_beside(company: Company, breaches: list[Breach]) -> dict[int, list[Campaign]]:
    """Channel id → its mailings, where a mailing is in question."""
    channels = {breach.channel_id for breach in breaches if breach.version.window == Window.EVENT}
    found: dict[int, list[Campaign]] = {}
    if channels:
        for campaign in Campaign.objects.filter(company=company, channel__in=channels).exclude(series=""):
            found.setdefault(campaign.channel_id, []).append(campaign)
    return found


def _last_days(company: Company, breaches: list[Breach]) -> dict[int, date]:
    """The last day that counts for each breach: through the recovery, up to the day before a signature."""
    rows = RuleState.objects.filter(company=company, version__rule__in={breach.rule_id for breach in breaches})
    judged = {
        (row["version__rule"], row["channel"], row["campaign"]): row["last"]
        for row in rows.values("version__rule", "channel", "campaign").annotate(last=Max("last_day"))
    }
    found = {}
    for breach in breaches:
        newest = max(judged.get((breach.rule_id, breach.channel_id, breach.campaign_id), date.min), breach.opened_on)
        if breach.closed_on is not None:
            ended = breach.closed_on - timedelta(days=breach.closed_as != "recovered")
            newest = min(newest, max(ended, breach.opened_on))
        found[breach.pk] = newest
    return found


@dataclass(frozen=True)
class _Reader:
    """Reads one breach out of the shared history."""

    breach: Breach
    formula: Formula | None
    history: History | None
    last: date
    money: set[str]

    def read(self, formulas: dict[int, Formula], mailings: list[Campaign]) -> OverLine:
        breach = self.breach
        if self.formula is None or self.history is None:
            return OverLine()
        _order, figures = figures_of(self.history, formulas, [self.series])
        if figures is None:
            return OverLine()
        if breach.version.window == Window.BUDGET:
            return self._budget(figures)
        if breach.version.window == Window.EVENT:
            found = self._by_day(figures, breach.first_day)
            return replace(found, around=self._earlier_mailings(formulas, mailings))
        return self._by_day(figures, self.last)

    @property
    def series(self) -> Series:
        return Series(self.breach.version, self.breach.channel, self.breach.campaign)

    @property
    def counts_money(self) -> bool:
        return bool(self.money & {code for code, _factor in self.formula.numerator})

    def _parts(self, figures: Figures, index: int, row: int = 0) -> tuple[Fraction, Fraction] | None:
        """Numerator and denominator of a day; None where it is unknown."""
        if index < 0 or not figures.known[row, index]:
            return None
        above, below = (scale * MICRO for scale in self.formula.scales)
        numerator, denominator = int(figures.numerator[row, index]), int(figures.denominator[row, index])
        return Fraction(numerator, above), Fraction(denominator, below)

    def _day(self, day: date, parts: tuple[Fraction, Fraction] | None, over=None, total=None) -> OverDay:
        numerator, denominator = parts or (None, None)
        return OverDay(
            day, None if numerator is None else _plain(numerator), None if denominator is None else _plain(denominator),
            _plain(numerator / denominator) if denominator else None, None if over is None else _money(over),
            None if total is None else _money(total), parts is not None and day.isoformat() in set(self.breach.days),
        )  # fmt: skip

    def _by_day(self, figures: Figures, last: date) -> OverLine:
        breach = self.breach
        line = Fraction(breach.version.line) * (1 if breach.version.comparison == "above" else -1)
        sign = 1 if breach.version.comparison == "above" else -1
        days, known_days = [], 0
        top = bottom = total = Fraction(0)
        for index in range(self.history.index(breach.first_day), self.history.index(last) + 1):
            parts = self._parts(figures, index)
            over = None
            if parts is not None:
                over = sign * parts[0] - line * parts[1]
                known_days += 1
                top, bottom, total = top + parts[0], bottom + parts[1], total + over
            day = self.history.day(index)
            days.append(
                self._day(day, parts, over, total) if self.counts_money else self._day(day, parts)
            )  # fmt: skip
        return self._summed(days, known_days, top, bottom, total)

    def _summed(self, days: list[OverDay], known_days: int, top, bottom, total) -> OverLine:
        if not known_days:
            return OverLine(days=days)
        counted = (_money(total), _money(total / known_days)) if self.counts_money else (None, None)
        return OverLine(*counted, _plain(top), _plain(bottom), days)

    def _budget(self, figures: Figures) -> OverLine:
        """Day by day what was spent so far; over the line is what came beyond budget and tolerance, or the stop-loss."""
        first, last = self.history.index(self.breach.first_day), self.history.index(self.last)
        beyond = self._beyond_the_budget(figures, first - 1) if first > 0 else Fraction(0)
        days, known_days, spent, total = [], 0, Fraction(0), Fraction(0)
        for index in range(max(first, 0), last + 1):
            parts = self._parts(figures, index)
            over = None
            if parts is not None:
                now = self._beyond_the_budget(figures, index)
                over, beyond = max(now - beyond, Fraction(0)), now
                known_days += 1
                spent, total = spent + self._spent_on(figures, index), total + over
            days.append(self._day(self.history.day(index), parts, over, total))
        before = [self._day(self.history.day(index), self._parts(figures, index)) for index in range(max(first, 0))]
        bottom = Fraction(int(figures.denominator[0, last]), MICRO) if last >= 0 else Fraction(0)
        return replace(self._summed(days, known_days, spent, bottom, total), around=before)

    def _beyond_the_budget(self, figures: Figures, index: int) -> Fraction:
        """Micros made roubles: spend beyond budget and tolerance, or loss beyond the stop-loss, whichever is more."""
        over = Fraction(int(figures.loss[0, index]), MICRO)
        if figures.denominator[0, index]:
            allowed = Fraction(self.series.line) * int(figures.denominator[0, index])
            over = max(over, Fraction(int(figures.numerator[0, index]) - allowed, MICRO))
        return max(over, Fraction(0))

    def _spent_on(self, figures: Figures, index: int) -> Fraction:
        now = int(figures.numerator[0, index])
        before = int(figures.numerator[0, index - 1]) if index else 0
        return Fraction(now - before if now >= before else now, MICRO)

    def _earlier_mailings(self, formulas: dict[int, Formula], mailings: list[Campaign]) -> list[OverDay]:
        """The mailings of the series that went out before, oldest first."""
        breach = self.breach
        series = [
            Series(breach.version, breach.channel, campaign) for campaign in mailings
            if campaign.series == breach.campaign.series and campaign.pk != breach.campaign_id
        ]  # fmt: skip
        _order, figures = figures_of(self.history, formulas, series)
        if figures is None:
            return []
        days = sorted((int(day), row) for row, day in enumerate(figures.start))
        found = [self._day(self.history.day(day), self._parts(figures, day, row)) for day, row in days]
        return [day for day in found if day.day < breach.first_day and day.numerator is not None]


def _plain(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def _money(value: Fraction) -> Decimal:
    return _plain(value).quantize(CENT)
