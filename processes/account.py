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
day of the recovery, as in the back-test (so many known days running on the right side of the line as the rule asks for);
the next decision about it; yesterday.

Continue and false alarm go on with real figures through the end of the override, so nothing is assumed:

paid        = Σ of the positive over(day);  kept = Σ of the negative ones, as a positive amount: those days were cheaper than the
line, a stop would have given them up.
net         = kept − paid.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

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


def recovered_on(line: Decimal, days: Days, effect: date, clear_days: int) -> date | None:
    """The day on which it has been on the right side of the line for `clear_days` known days running; None if never."""
    running = 0
    for day in sorted(day for day in days if day > effect):
        running = running + 1 if over(line, *days[day]) <= 0 else 0
        if running >= clear_days:
            return day
    return None


def acted(*, line: Decimal, days: Days, first: date, since: date, effect: date, last: date, stopped: bool) -> Account:
    """The account of a stop, a cut or a rewrite.

    `first`: the first breaching day, from which the rate is taken; `since`: the first day whose loss belongs to this
    round; `effect`: the day it took effect, `last`: the last day that counts. `stopped`: silent days are days without spend.
    """
    lost, rate = total_over(line, between(days, since, effect)), rate_of(days, first, effect)
    begin = effect + ONE
    if rate is None or last < begin:
        return Account(lost, rate, begin, last)
    kept = given_up = avoided = forgone = Decimal(0)
    counted = silent = 0
    for offset in range((last - effect).days):
        row = days.get(begin + offset * ONE)
        if row is None and not stopped:
            continue
        silent += row is None
        row = row or Figures(Decimal(0), Decimal(0))
        counted += 1
        spared, missed = rate.numerator - row.numerator, rate.denominator - row.denominator
        net = spared - line * missed
        avoided, forgone = avoided + spared, forgone + missed
        kept, given_up = kept + max(net, Decimal(0)), given_up + max(-net, Decimal(0))
    if not counted:
        return Account(lost, rate, begin, last)
    return Account(
        lost, rate, begin, last, counted, silent, kept.quantize(CENT), given_up.quantize(CENT), avoided.quantize(CENT),
        forgone.quantize(CENT),
    )  # fmt: skip


def went_on(*, line: Decimal, days: Days, first: date, since: date, effect: date, last: date) -> Account:
    """The account of "continue" and of a false alarm: what the days after the effect cost over the line."""
    lost, rate = total_over(line, between(days, since, effect)), rate_of(days, first, effect)
    known = between(days, effect + ONE, last)
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
