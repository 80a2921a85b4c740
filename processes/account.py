"""The money account of one signed decision, by the arithmetic of the back-test (domain.md 3.1). Pure: figures in, money out.

Only rules of money per count (CPL, CPA, CAC above a line X) have one. All figures are today's: restated days count as
they stand now.

over(day)   = numerator − X · denominator: the money over the line, negative below it.
lost        = Σ over, from the first breaching day through the day the decision took effect.
rate        = the mean day of those days: numerator and denominator per known day.

Stop, cut and rewrite are counted from the day after the effect. What would have been spent is not known, so it is assumed
that every day would have been like `rate`; that is an estimate and is always shown as one.

net(day)    = over(rate) − over(day): what was not spent less the worth of the conversions that did not come.
kept        = Σ of the positive net(day);  given up = Σ of the negative ones, as a positive amount.
net         = kept − given up = avoided spend − X · forgone conversions.

A day without figures is left out; after a stop it is a day on which nothing was spent and nothing came. The last day is
the earliest of: 30 days after the effect; after a stop the day before the channel runs again; after a cut or a rewrite the
day of the recovery, by the classes that the engine gives the days (so many OK days as the rule asks for, GREY and BREACH
begin the count anew, THIN and idle ones say nothing; or a week of idle ones); the next decision about it; yesterday.

A campaign that was decided about apart is counted once: on the days that its own account counts it is taken out of its
channel's, out of the day and out of the mean day alike.

Continue and false alarm go on with real figures through the end of the override, so nothing is assumed:

paid        = Σ of the positive over(day);  kept = Σ of the negative ones, as a positive amount: those days were cheaper than the
line, a stop would have given them up.
net         = kept − paid.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from kpis.day_classes import DayClass
from kpis.engine import PAUSE_DAYS

CENT = Decimal("0.01")
LONGEST = timedelta(days=30)
ONE = timedelta(days=1)


class Figures(NamedTuple):
    """The two sides of the KPI on a known day: money, and the count it is spread over."""

    numerator: Decimal
    denominator: Decimal


Days = Mapping[date, Figures]
"""Known days only: an absent day is unknown."""


class Rate(NamedTuple):
    """A mean known day; `days` is how many it was made of."""

    numerator: Decimal
    denominator: Decimal
    days: int


@dataclass(frozen=True)
class Account:
    """What a decision came to. Money is None where no day is known; `given_up` belongs to acting, `paid` to going on.

    `days`: how many days after the effect are counted, `first` to `last` of them; `silent`: those among them that have no
    figures and count as days without spend. `avoided` (money) and `forgone` (conversions) are the parts of `net`.
    """

    lost: Decimal | None
    rate: Rate | None
    first: date
    last: date
    days: int = 0
    silent: int = 0
    kept: Decimal | None = None
    given_up: Decimal | None = None
    avoided: Decimal | None = None
    forgone: Decimal | None = None
    paid: Decimal | None = None

    @property
    def net(self) -> Decimal | None:
        """Positive: the decision was worth it. None where nothing after the effect is known."""
        return None if self.kept is None else self.kept - (self.given_up or 0) - (self.paid or 0)

    @property
    def went_on(self) -> bool:
        """Counted by real figures: nothing was stopped."""
        return self.paid is not None

    @property
    def proved_false(self) -> bool:
        """Acting that came to nothing: at least one day counted and no money kept in the end."""
        return self.given_up is not None and self.net <= 0


def over(line: Decimal, numerator: Decimal, denominator: Decimal) -> Decimal:
    return numerator - line * denominator


def between(days: Days, first: date, last: date) -> list[Figures]:
    """The known days of [first, last], oldest first."""
    return [days[day] for day in sorted(days) if first <= day <= last]


def rate_of(days: Days, first: date, last: date) -> Rate | None:
    """The mean known day of [first, last]; None where none is known."""
    known = between(days, first, last)
    if not known:
        return None
    count = len(known)
    return Rate(sum(row.numerator for row in known) / count, sum(row.denominator for row in known) / count, count)


def total_over(line: Decimal, known: list[Figures]) -> Decimal | None:
    return sum((over(line, *row) for row in known), Decimal(0)).quantize(CENT) if known else None


def last_day(effect: date, *ends: date | None) -> date:
    """The last day that counts: the earliest of the ends that are known, 30 days after the effect at most."""
    return min([effect + LONGEST, *(end for end in ends if end is not None)])


def recovered_on(classes: Mapping[date, DayClass], effect: date, clear_days: int) -> date | None:
    """The day on which firing would have ended by itself, as in the state machine: `clear_days` OK days, or a week without
    anything going on. None if never. `classes`: of the rule's days, those that nobody has judged yet left out."""
    clean = idle = 0
    for day in sorted(day for day in classes if day > effect):
        found = classes[day]
        if found in (DayClass.GREY, DayClass.BREACH):
            clean = 0
        clean += found == DayClass.OK
        idle = idle + 1 if found == DayClass.INACTIVE else 0
        if clean >= clear_days or idle >= PAUSE_DAYS:
            return day
    return None


class Apart(NamedTuple):
    """A campaign with an account of its own: its known days, and those on which that account counts it."""

    days: Days
    counted: frozenset[date]

    def on(self, day: date) -> Figures:
        """What it takes out of its channel on a day."""
        return self.days.get(day, NOTHING) if day in self.counted else NOTHING


NOTHING = Figures(Decimal(0), Decimal(0))


def without(row: Figures, parts: Iterable[Figures]) -> Figures:
    """A channel's figures less those of some of its campaigns."""
    for part in parts:
        row = Figures(row.numerator - part.numerator, row.denominator - part.denominator)
    return row


def alone(days: Days, apart: Sequence[Apart]) -> Days:
    """The days of a channel less the campaigns that are counted apart on them."""
    return {day: without(row, (one.on(day) for one in apart)) for day, row in days.items()} if apart else days


def _share(one: Apart, days: Days, first: date, effect: date, count: int) -> Figures:
    """What a campaign is of the channel's mean day."""
    known = [one.days[day] for day in days if first <= day <= effect and day in one.days]
    return Figures(sum(row.numerator for row in known) / count, sum(row.denominator for row in known) / count)


def acted(
    *, line: Decimal, days: Days, first: date, since: date, effect: date, last: date, stopped: bool,
    apart: Sequence[Apart] = (),
) -> Account:  # fmt: skip
    """The account of a stop, a cut or a rewrite.

    `first`: the first breaching day, from which the rate is taken; `since`: the first day whose loss belongs to this
    round; `effect`: the day it took effect, `last`: the last day that counts. `stopped`: silent days are days without spend.
    """
    own = alone(days, apart)
    lost, rate = total_over(line, between(own, since, effect)), rate_of(days, first, effect)
    begin = effect + ONE
    if rate is None or last < begin:
        return Account(lost, rate, begin, last)
    shares = [(one, _share(one, days, first, effect, rate.days)) for one in apart]
    kept = given_up = avoided = forgone = Decimal(0)
    counted = silent = 0
    for offset in range((last - effect).days):
        day = begin + offset * ONE
        row = own.get(day)
        if row is None and not stopped:
            continue
        silent += row is None
        row = row or NOTHING
        counted += 1
        usual = without(Figures(*rate[:2]), (share for one, share in shares if day in one.counted))
        spared, missed = usual.numerator - row.numerator, usual.denominator - row.denominator
        net = spared - line * missed
        avoided, forgone = avoided + spared, forgone + missed
        kept, given_up = kept + max(net, Decimal(0)), given_up + max(-net, Decimal(0))
    if not counted:
        return Account(lost, rate, begin, last)
    return Account(
        lost, rate, begin, last, counted, silent, kept.quantize(CENT), given_up.quantize(CENT), avoided.quantize(CENT),
        forgone.quantize(CENT),
    )  # fmt: skip


def went_on(
    *, line: Decimal, days: Days, first: date, since: date, effect: date, last: date, apart: Sequence[Apart] = ()
) -> Account:
    """The account of "continue" and of a false alarm: what the days after the effect cost over the line."""
    own = alone(days, apart)
    lost, rate = total_over(line, between(own, since, effect)), rate_of(days, first, effect)
    known = between(own, effect + ONE, last)
    if not known:
        return Account(lost, rate, effect + ONE, last)
    amounts = [over(line, *row) for row in known]
    return Account(
        lost, rate, effect + ONE, last, days=len(known),
        paid=sum((amount for amount in amounts if amount > 0), Decimal(0)).quantize(CENT),
        kept=sum((-amount for amount in amounts if amount < 0), Decimal(0)).quantize(CENT),
    )  # fmt: skip


@dataclass(frozen=True)
class Total:
    """Several accounts together. `counted` have money, `unknown` have none yet or never will; sums are None without any."""

    decisions: int
    counted: int
    kept: Decimal | None
    given_up: Decimal | None
    paid: Decimal | None
    lost: Decimal | None
    net: Decimal | None
    false_alarms: int

    @property
    def unknown(self) -> int:
        return self.decisions - self.counted


def together(accounts: list[Account | None], false_alarms: int) -> Total:
    """The sum over decisions; None among the accounts stands for a decision that has no money account."""
    known = [account for account in accounts if account is not None and account.net is not None]
    return Total(
        decisions=len(accounts), counted=len(known), false_alarms=false_alarms,
        kept=_sum(account.kept for account in known),
        given_up=_sum(account.given_up for account in known),
        paid=_sum(account.paid for account in known),
        lost=_sum(account.lost for account in accounts if account is not None),
        net=_sum(account.net for account in known),
    )  # fmt: skip


def _sum(amounts) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None
