"""Figures that were signed or read, beside the same days as they stand now. Pure but for `now_of`.

Compared are all the days that the firing rests on: of a pooled window its first day too, of the time since a conversion
every day since it. A change is material when the rule, replayed over them, would no longer fire; when a day that was beyond
the line is no longer (rules that look at days); or when the KPI over those days has crossed the line or moved by more than
ten per cent. Only days of the last 30 are looked at.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from kpis.formulas import Formula
from kpis.models import StopRuleVersion
from kpis.selectors import over_line, refire
from processes import ledger
from processes.account import Days, Figures
from processes.evidence import amount, is_beyond
from processes.models import Decision
from processes.signed_formulas import signed_formulas
from roles.models import Company

Window = StopRuleVersion.Window
BY_DAY = frozenset({Window.IN_A_ROW, Window.M_OF_N})
OF_ITS_OWN = frozenset({Window.EVENT, Window.BUDGET})
"""Windows whose figures are not those of one day."""
MATERIAL = Decimal("0.1")
LOOKED_AT = timedelta(days=30)


@dataclass(frozen=True)
class DayPair:
    """One day then and now; a side without figures is None."""

    day: date
    was: Figures | None
    now: Figures | None
    breaching: bool

    @property
    def differs(self) -> bool:
        return self.was != self.now


@dataclass(frozen=True)
class Restated:
    """The days of the evidence then and now. `was`, `now`: the KPI over them, None where unknown; `material`: see above."""

    days: list[DayPair]
    was: Decimal | None
    now: Decimal | None
    material: bool

    @property
    def differing(self) -> list[DayPair]:
        return [pair for pair in self.days if pair.differs]


def kept_days(seen: Mapping, since: date) -> dict[date, tuple[Figures | None, bool]]:
    """Day → its figures in a kept evidence and whether it counted for the rule; from the first one that it rests on."""
    found = {}
    first = max(since, date.fromisoformat(seen.get("rests_from") or seen["first_day"]))
    for row in seen.get("days", ()):
        day = date.fromisoformat(row["date"])
        if day >= first:
            top, bottom = amount(row["numerator"]), amount(row["denominator"])
            known = None if top is None or bottom is None else Figures(top, bottom)
            found[day] = known, row["breaching"]
    return found


def compare(seen: Mapping, now: Days, *, today: date, fires: bool | None = None) -> Restated:
    """A kept evidence beside the figures of now. `fires`: does the rule, replayed, still fire (see `replayed`); None: not asked."""
    kept = kept_days(seen, today - LOOKED_AT)
    pairs = [
        DayPair(day, was, _against(seen, was, now.get(day)), breaching) for day, (was, breaching) in sorted(kept.items())
    ]  # fmt: skip
    counted = pairs
    if seen["rule"]["window"] in BY_DAY:
        counted = [pair for pair in pairs if pair.day >= date.fromisoformat(seen["first_day"])]
    was, after = ratio(pair.was for pair in counted), ratio(pair.now for pair in counted)
    gone = fires is False and seen.get("firing", True)
    return Restated(pairs, was, after, gone or _is_material(seen, pairs, was, after))


def _against(seen: Mapping, was: Figures | None, now: Figures | None) -> Figures | None:
    """Today's figures; of a budget beside the budget of that day: a signed cut is no restatement."""
    if seen["rule"]["window"] != Window.BUDGET or was is None or now is None:
        return now
    return Figures(now.numerator, was.denominator)


def _is_material(seen: Mapping, pairs: list[DayPair], was: Decimal | None, now: Decimal | None) -> bool:
    line, above = amount(seen["line"]), seen["rule"]["comparison"] == "above"
    if line is None or not any(pair.differs for pair in pairs):
        return False
    if seen["rule"]["window"] == Window.BUDGET:
        was, now = ((pairs[-1].was and pairs[-1].was.numerator), (pairs[-1].now and pairs[-1].now.numerator))
        return was != now and (not was or now is None or abs(now / was - 1) > MATERIAL)
    if seen["rule"]["window"] in BY_DAY and any(
        pair.breaching and pair.was is not None and not (pair.now and is_beyond(pair.now, line, above))
        for pair in pairs
    ):
        return True
    if was is None or now is None:
        return was is not now
    moved = was != 0 and abs(now / was - 1) > MATERIAL
    return moved or (was > line) != (now > line)


def replayed(
    *, company: Company, decisions: Iterable[Decision], now: Mapping[int, Days], at: datetime
) -> dict[int, bool]:
    """Decision id → does its rule, replayed over the figures of now, still fire? Only of those whose figures have changed, and
    of budgets, whose loss hangs on more than their spend; a constant number of queries, none where nothing has changed."""
    today = company.local_date(at)
    asked = [
        row
        for row in decisions
        if row.kept_evidence["rule"]["window"] == Window.BUDGET
        or any(pair.differs for pair in compare(row.kept_evidence, now[row.pk], today=today).days)
    ]
    formulas = signed_formulas(company=company, decisions=asked)
    signed = [_as_signed(row, formulas[row.pk]) for row in asked if row.pk in formulas]
    found = refire.still_firing(company=company, signed=signed, today=today)
    return {row.pk: found[row.breach_id] for row in asked if row.breach_id in found}


def _as_signed(decision: Decision, formula: Formula) -> refire.Signed:
    seen = decision.kept_evidence
    bounds = seen.get("bounds")
    return refire.Signed(
        decision.breach, formula, date.fromisoformat(seen["first_day"]), date.fromisoformat(seen["last_day"]),
        decision.company.local_date(decision.effective_at),
        refire.Bounds(**{name: amount(value) for name, value in bounds.items()}) if bounds else None,
    )  # fmt: skip


def ratio(rows: Iterable[Figures | None]) -> Decimal | None:
    """The KPI over the known ones; None where none is known or the denominator is zero."""
    known = [row for row in rows if row is not None]
    below = sum((row.denominator for row in known), Decimal(0))
    return sum(row.numerator for row in known) / below if below else None


def now_of(*, company: Company, decisions: Iterable[Decision], at: datetime) -> dict[int, Days]:
    """Decision id → today's figures of the days of its breach; a constant number of queries."""
    decisions = list(decisions)
    own = [row for row in decisions if row.breach.version.window in OF_ITS_OWN]
    plain = [row for row in decisions if row.breach.version.window not in OF_ITS_OWN]
    found = ledger.figures_of(company=company, decisions=plain, at=at) if plain else {}
    formulas = signed_formulas(company=company, decisions=own)
    lines = over_line.over_line(
        company=company, breaches=[row.breach for row in own],
        formulas={row.breach_id: formulas[row.pk] for row in own if row.pk in formulas},
    )  # fmt: skip
    for row in own:
        found[row.pk] = {
            day.day: Figures(day.numerator, day.denominator)
            for day in lines[row.breach_id].days
            if day.numerator is not None and day.denominator is not None
        }
    return found
