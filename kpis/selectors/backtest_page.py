"""The replay of a stop-rule as its editor shows it: tiles, pictures with tables, firings, other lines, silences."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from math import floor, log10

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kpis.backtest import REACTION_LAG
from kpis.charts import percent
from kpis.day_classes import DayClass, Window
from kpis.formulas import over
from kpis.selectors.backtest import Backtest, Draft, Firing, Totals, backtest, span_of
from kpis.selectors.backtest_pictures import Picture, pictures, spent_since, value_of
from kpis.selectors.backtest_silence import Told, silences
from kpis.sentences import exact, measured, rule_sentence
from kpis.series import last_day_taken
from roles import formats
from roles.models import Company

MOST_LINES, MOST_FIRINGS = 9, 30
NICE = (1, 2, 2.5, 5, 10)
AROUND = (Decimal("0.8"), Decimal("1.4"))
SHARES = tuple(Decimal(share) for share in ("1", "1.05", "1.1", "1.2", "1.3", "1.5"))
"""Of a budget."""


@dataclass(frozen=True)
class FiringLine:
    """One firing in the table: its `number` also stands in the picture. `value`: the KPI of the days that fired it.

    `fired`, `avoidable`: first and last day of the facts behind the value and behind the net; None where there are none.
    """

    number: int
    firing: Firing
    value: Decimal | None
    then: str
    fired: tuple[date | None, date | None]
    avoidable: tuple[date | None, date | None]


@dataclass(frozen=True)
class OtherLine:
    """What another line would have given. `words`: the line as it is read, `typed`: as it is typed into its field. `x`, `width`: of its bar around the middle, in per cent."""

    line: Decimal
    words: str
    typed: str
    totals: Totals
    is_now: bool
    x: str
    width: str
    loses: bool


@dataclass(frozen=True)
class TrialPage:
    """A draft tried on history. `unit`, `name`: of what is compared with the line. `sentence`, `beside`: both versions in words."""

    tried: Backtest
    unit: str
    name: str
    sentence: str
    beside: str
    pictures: list[Picture]
    more_scopes: int
    scopes: int
    firings: list[FiringLine]
    lines: list[OtherLine]
    told: Told
    is_short: bool

    @property
    def totals(self) -> Totals:
        return self.tried.draft.totals

    @property
    def is_of_mailings(self) -> bool:
        return self.tried.draft.version.window == Window.EVENT

    @property
    def has_gaps(self) -> bool:
        """Is a stretch without figures drawn anywhere?"""
        return any(band.gap for picture in self.pictures for band in picture.plot.bands)

    @property
    def shown_firings(self) -> list[FiringLine]:
        """The newest ones: a table of hundreds helps nobody."""
        return self.firings[-MOST_FIRINGS:]

    @property
    def hidden_firings(self) -> int:
        return len(self.firings) - len(self.shown_firings)

    @property
    def account(self):
        return self.totals.account

    @property
    def line(self) -> str:
        """The draft's line in words, with every place of it."""
        version = self.tried.draft.version
        return exact(version.line, self.unit, version.company.currency)

    @property
    def over(self) -> str:
        """The formula of a firing's net: spend − line · conversions."""
        return over(self.tried.draft.draft.formula, self.tried.draft.version.line)


def trial_page(*, company: Company, draft: Draft, today: date, beside: Draft | None = None) -> TrialPage:
    """Try the draft on the last twelve months, at lines around its own, and beside the version that it would replace."""
    since, until = span_of(today, until=today - timedelta(days=1))
    tried = backtest(
        company=company, draft=draft, today=today, since=since, until=until, lines=lines_around(draft), beside=beside
    )
    unit, name = measured(draft.version, draft.kpi)
    if draft.version.window == Window.SINCE_CONVERSION:
        name = _("Spent without a result")
    lines = [_firing_line(tried, number, firing) for number, firing in enumerate(tried.draft.firings, start=1)]
    found = tried.draft.replay
    drawn = pictures(tried, unit, name)
    return TrialPage(
        tried, unit, name, rule_sentence(draft.version), rule_sentence(beside.version) if beside else "", drawn,
        max(len(found.series) - len(drawn), 0) if found and draft.version.window != Window.EVENT else 0,
        len(found.series) if found else 0, lines, _other_lines(tried, unit),
        silences(tried.draft, since, until), found is not None and found.history.first_day > until - timedelta(days=90),
    )  # fmt: skip


# ---------------------------------------------------------------- firings
def _firing_line(tried: Backtest, number: int, firing: Firing) -> FiringLine:
    found = tried.draft.replay
    classes = found.outcome.classes[firing.row]
    first, opened = found.history.index(firing.first_day), found.history.index(firing.opened_on)
    bad = [day for day in range(max(first, 0), opened + 1) if classes[day] == DayClass.BREACH]
    end = found.history.index(firing.closed_on or tried.until)
    after = int((classes[opened + 1 : end + 1] == DayClass.BREACH).sum())
    then = "" if tried.draft.version.window == Window.EVENT else _then(firing, after)
    value = value_of(found, firing.row, bad)
    if tried.draft.version.window == Window.SINCE_CONVERSION:
        value = spent_since(found, firing.row, opened)[-1]
    return FiringLine(number, firing, value, then, _fired(tried, firing), _avoidable(tried, firing))


def _fired(tried: Backtest, firing: Firing) -> tuple[date | None, date | None]:
    """What a budget or a drip adds up is no ratio of the days that fired it; a mailing takes the days after its own."""
    window = tried.draft.version.window
    if window in (Window.BUDGET, Window.SINCE_CONVERSION):
        return None, None
    return firing.first_day, last_day_taken(window, firing.opened_on)


def _avoidable(tried: Backtest, firing: Firing) -> tuple[date | None, date | None]:
    if not firing.avoidable_days:
        return None, None
    settled = tried.draft.replay.history.last_day - timedelta(days=tried.draft.version.settling_days)
    return firing.opened_on + timedelta(days=1 + REACTION_LAG), firing.closed_on or min(tried.until, settled)


def _then(firing: Firing, after: int) -> str:
    if firing.closed_on is None:
        return _("goes on")
    if firing.false_alarm:
        return _("false alarm")
    if firing.closed_as == "paused":
        return _("nothing was spent any more")
    if not after:
        return _("back within the line by itself")
    return ngettext("%(n)s more day beyond the line", "%(n)s more days beyond the line", after) % {"n": after}


# ---------------------------------------------------------------- other lines
def lines_around(draft: Draft) -> list[Decimal]:
    """Round lines from 0.8 to 1.4 of the draft's own (mirrored for "below"), its own among them; none around zero."""
    version = draft.version
    if version.window == Window.BUDGET:
        return sorted({*SHARES, version.line})
    line = version.line
    if not line:
        return []
    low, high = (abs(line) * share for share in AROUND)
    if (version.comparison == "below") != (line < 0):
        low, high = abs(line) / AROUND[1], abs(line) / AROUND[0]
    step = _round_step(abs(line) * Decimal("0.07"))
    first = (low / step).to_integral_value(ROUND_CEILING)
    found = [step * (first + number) for number in range(int(high // step - first) + 1)]
    near = sorted({*found, abs(line)}, key=lambda one: abs(one - abs(line)))[:MOST_LINES]
    return sorted(one.copy_sign(line) for one in near)


def _round_step(rough: Decimal) -> Decimal:
    """The smallest of 1, 2, 2.5, 5 × 10ⁿ that is not below; at least a millionth, which is as fine as lines are."""
    power = Decimal(10) ** floor(log10(rough))
    step = next(Decimal(str(nice)) * power for nice in NICE if Decimal(str(nice)) * power >= rough)
    return max(step, Decimal("0.000001"))


def round_between(low: Decimal, high: Decimal) -> Decimal:
    """The middle of two lines above zero on a round step that fits between them."""
    step = _round_step((high - low) / 5) if high > low else low
    return (low + high) / 2 // step * step


def _other_lines(tried: Backtest, unit: str) -> list[OtherLine]:
    nets = [totals.account.net if totals.account else Decimal(0) for _line, totals in tried.lines]
    most = max((abs(net) for net in nets), default=Decimal(0)) or Decimal(1)
    found = []
    for (line, totals), net in zip(tried.lines, nets, strict=True):
        share = float(abs(net) / most) / 2
        is_now = line == tried.draft.version.line
        start = percent(0.5 - share if net < 0 else 0.5)
        words, typed = _line_words(tried, line, unit)
        found.append(OtherLine(line, words, typed, totals, is_now, start, percent(share), net < 0))
    return found


def _line_words(tried: Backtest, line: Decimal, unit: str) -> tuple[str, str]:
    """A line as it is read and as it is typed: of shares in per cent, of a budget what comes beyond it."""
    if tried.draft.version.window == Window.BUDGET:
        over = (line - 1) * 100
        return (
            f"+{formats.number(over, 0 if over == over.to_integral_value() else 1)}{formats.NBSP}%",
            formats.typed(over),
        )
    typed = formats.typed(line * 100 if unit == "share" else line)
    return exact(line, unit, tried.draft.version.company.currency), typed
