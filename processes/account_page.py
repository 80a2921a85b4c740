"""The account of decisions: per quarter and per channel, with the decisions behind it and a picture of how it adds up."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from statistics import median

from django.utils.translation import gettext as _

from kpis import periods
from kpis.charts import Plot, line_plot
from processes import ledger, selectors, wording
from processes.account import Account, Total, together
from processes.ledger import Entry
from processes.models import Decision
from processes.opening import Behind, over_behind
from roles import formats
from roles.models import Channel, Company

QUARTERS = 4


@dataclass(frozen=True)
class Sheet:
    """The account of some decisions. Times are medians, None where nothing is known."""

    total: Total
    to_decide: timedelta | None
    to_act: timedelta | None


@dataclass(frozen=True)
class Quarter:
    """`label` as addresses carry it: 2026-Q4; `name` as people read it."""

    start: date
    sheet: Sheet

    @property
    def label(self) -> str:
        return f"{self.start.year}-Q{_number(self.start)}"

    @property
    def name(self) -> str:
        return _("quarter %(n)s of %(year)s") % {"n": _number(self.start), "year": self.start.year}


@dataclass(frozen=True)
class Line:
    """A decision of the account; `arithmetic` is how its net came about, in words; `lost`, `net_of`: the facts behind what was
    lost and behind the net."""

    entry: Entry
    title: str
    arithmetic: str
    state: str
    lost: Behind | None = None
    net_of: Behind | None = None

    @property
    def decision(self) -> Decision:
        return self.entry.decision

    @property
    def net(self) -> Decimal | None:
        return self.entry.account.net if self.entry.account else None


@dataclass(frozen=True)
class AccountPage:
    quarters: list[Quarter]
    chosen: Quarter
    channels: list[tuple[Channel, Sheet]]
    lines: list[Line]
    plot: Plot | None

    @property
    def quarter_rows(self) -> list[tuple[str, Sheet, str]]:
        """(name, sheet, address of its decisions) of the quarters that have any."""
        return [
            (quarter.name, quarter.sheet, f"?quarter={quarter.label}#h-lines")
            for quarter in self.quarters
            if quarter.sheet.total.decisions
        ]

    @property
    def channel_rows(self) -> list[tuple[Channel, Sheet, str]]:
        return [(channel, sheet, "#h-lines") for channel, sheet in self.channels]


def account_page(*, company: Company, label: str, at: datetime) -> AccountPage:
    """The last four quarters, newest first, and the one asked for (the newest where none or an unknown one is asked)."""
    today = company.local_date(at)
    starts = [quarter_start(periods.add_months(quarter_start(today), -3 * back)) for back in range(QUARTERS)]
    entries = _entries(company, starts[-1], None, at)
    by_quarter: dict[date, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_quarter[quarter_start(effect_of(entry))].append(entry)
    quarters = [Quarter(start, sheet_of(by_quarter[start])) for start in starts]
    chosen = next((quarter for quarter in quarters if quarter.label == label), quarters[0])
    mine = by_quarter[chosen.start]
    by_channel: dict[Channel, list[Entry]] = defaultdict(list)
    for entry in mine:
        by_channel[entry.decision.channel].append(entry)
    channels = sorted(by_channel.items(), key=lambda item: (item[0].position, item[0].name))
    return AccountPage(
        quarters=quarters, chosen=chosen, channels=[(channel, sheet_of(found)) for channel, found in channels],
        lines=[line_of(entry) for entry in reversed(mine)], plot=_plot(company, entries, starts[-1], today),
    )  # fmt: skip


def quarter_total(*, company: Company, day: date, at: datetime) -> Total:
    """The account of the quarter that a day lies in: one line of the owner's page."""
    start = quarter_start(day)
    entries = _entries(company, start, periods.add_months(start, 3), at)
    return sheet_of(entries).total


def _entries(company: Company, first: date, end: date | None, at: datetime) -> list[Entry]:
    """Decisions in force since a day (and before another), the oldest first."""
    rows = selectors.decisions(company=company).filter(
        state=Decision.State.SIGNED, effective_at__gte=_midnight(company, first)
    )
    if end is not None:
        rows = rows.filter(effective_at__lt=_midnight(company, end))
    return ledger.entries(company=company, decisions=rows.order_by("effective_at", "pk"), at=at)


def _midnight(company: Company, day: date) -> datetime:
    return datetime.combine(day, time(0), tzinfo=company.zone)


def quarter_start(day: date) -> date:
    return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)


def _number(start: date) -> int:
    return (start.month - 1) // 3 + 1


def effect_of(entry: Entry) -> date:
    return entry.decision.company.local_date(entry.decision.effective_at)


def sheet_of(entries: list[Entry]) -> Sheet:
    """The sums of these decisions, and the median times to a signature and to the deed."""
    return Sheet(
        total=together([entry.account for entry in entries], sum(entry.is_false_alarm for entry in entries)),
        to_decide=_median(entry.to_decide for entry in entries),
        to_act=_median(entry.to_act for entry in entries),
    )


def _median(spans) -> timedelta | None:
    known = [span for span in spans if span is not None]
    return median(known) if known else None


# ---------------------------------------------------------------- words
def line_of(entry: Entry) -> Line:
    return Line(entry, wording.choice_title(entry.decision.choice), arithmetic(entry), state_of(entry), *_behind(entry))


def _behind(entry: Entry) -> tuple[Behind | None, Behind | None]:
    """What went on opens to the days that followed; an estimate to all its days: those of the breach, whose mean it takes,
    and those after it."""
    found, line = entry.account, entry.decision.breach.version.line
    if found is None:
        return None, None
    lost = over_behind(entry.formula, line, entry.since, entry.effect)
    if found.net is None:
        return lost, None
    begin = found.first if found.went_on else entry.breached
    return lost, over_behind(entry.formula, line, begin, found.last, kept=found.went_on)


def state_of(entry: Entry) -> str:
    """Why there is no figure: no_account (the rule counts no money), early (no day yet), unknown (no figures); or empty."""
    if entry.account is None:
        return "no_account"
    if entry.account.net is not None:
        return ""
    return "early" if entry.account.last < entry.account.first else "unknown"


def arithmetic(entry: Entry) -> str:
    """How the net of a decision came about, with the assumption behind it; empty where there is none."""
    found, currency = entry.account, entry.decision.company.currency
    if found is None or found.net is None:
        return ""
    days, span = formats.in_days(found.days), formats.days(found.first, found.last)
    line = formats.money(entry.decision.breach.version.line, currency)
    if found.went_on:
        text = _("By real figures of %(days)s, %(span)s, against the line of %(line)s.")
        return text % {"line": line, "days": days, "span": span} + _apart(entry)
    what = wording.part_name(entry.decision.kept_evidence["denominator"]).lower()
    words = {
        "days": days, "span": span, "rate": formats.money(found.rate.numerator, currency),
        "count": _tenths(found.rate.denominator), "what": what,
    }  # fmt: skip
    estimate = _(
        "An estimate over %(days)s, %(span)s: without the decision each would have been like the mean day of the breach, "
        "%(rate)s and %(count)s (%(what)s)."
    )
    return f"{estimate % words} {_parts(found, what, line, currency)}{_apart(entry)}"


def _apart(entry: Entry) -> str:
    if not entry.apart:
        return ""
    return " " + _("Left out, because counted by decisions of their own: %(names)s.") % {
        "names": ", ".join(entry.apart)
    }


def _parts(found: Account, what: str, line: str, currency: str) -> str:
    """Avoided spend and forgone conversions, either of which may have gone the other way."""
    spent = _("Not spent: %(money)s.") if found.avoided >= 0 else _("Spent more: %(money)s.")
    fewer, more = (
        _("Fewer by %(count)s: %(what)s, at %(line)s each."),
        _("More by %(count)s: %(what)s, at %(line)s each."),
    )
    came = {"count": _tenths(abs(found.forgone)), "what": what, "line": line}
    spent %= {"money": formats.money(abs(found.avoided), currency)}
    return f"{spent} {(fewer if found.forgone >= 0 else more) % came}"


def _tenths(value: Decimal) -> str:
    rounded = round(value, 1)
    return formats.number(rounded, 0 if rounded == rounded.to_integral_value() else 1)


def _plot(company: Company, entries: list[Entry], first: date, today: date) -> Plot | None:
    """The net adding up week by week; each decision counts from the week it took effect in."""
    known = [
        (effect_of(entry), entry.account.net) for entry in entries if entry.account and entry.account.net is not None
    ]
    if not known:
        return None
    mondays = [first - timedelta(days=first.weekday())]
    while mondays[-1] + timedelta(days=7) <= today:
        mondays.append(mondays[-1] + timedelta(days=7))
    values = [sum((net for day, net in known if day < monday + timedelta(days=7)), Decimal(0)) for monday in mondays]
    title = _("What signed decisions kept, added up by week")
    span = {"days": formats.days(mondays[0], today), "sum": formats.money(values[-1], company.currency, sign=True)}
    return line_plot(mondays, values, "money", title, _("%(days)s: %(sum)s together.") % span)
