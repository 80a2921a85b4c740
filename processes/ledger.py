"""The accounts of signed decisions, read set-based: a constant number of queries for any number of decisions.

Which days count stands in `processes.account`. A channel's account leaves out its campaigns on the days that their own
accounts count, whoever asks and whatever else is asked for: sums count every rouble once.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from kpis import engine
from kpis.day_classes import DayClass
from kpis.engine import FALSE_ALARM_DAYS
from kpis.formulas import Formula
from kpis.histories import read_history
from kpis.metrics import MetricInfo
from kpis.models import Breach, StopRuleVersion, Verdict
from kpis.replay import rule_of
from kpis.rule_terms import has_money_account
from kpis.selectors.measures import metrics_of
from kpis.series import History
from processes import account
from processes.account import Account, Figures
from processes.models import Action, Choice, Decision
from processes.signed_formulas import signed_formulas
from roles.fields import MICRO
from roles.models import Company

State = Decision.State
GOES_ON = frozenset({Choice.CONTINUE, Choice.FALSE_ALARM})
AFTER_DAYS = 14
"""How many known days after the decision the KPI is looked at."""


@dataclass(frozen=True)
class Entry:
    """One decision with its money and times. `account` is None where the rule counts no money per conversion.

    `before`, `after`: the KPI over the days of the breach, and over the first known days since `begin`: the day after the
    effect, after a stop the day it runs again (None while it does not). None where unknown. `under`: on how many of those
    `after_days` it stood on the right side of the line. `apart`: names of the campaigns that this account leaves out on some
    days, because their own accounts count them. `formula`: the signed one; `since`: the first day whose loss belongs to it,
    `breached`: the first breaching one, `effect`: the day it took effect.
    """

    decision: Decision
    account: Account | None
    before: Decimal | None
    after: Decimal | None
    begin: date | None
    after_days: int
    under: int
    to_decide: timedelta | None
    to_act: timedelta | None
    formula: Formula | None
    since: date
    breached: date
    effect: date
    apart: tuple[str, ...] = ()

    @property
    def is_false_alarm(self) -> bool:
        """Signed as one, or the account proves it."""
        called = self.decision.choice == Choice.FALSE_ALARM
        return called or (self.account is not None and self.account.proved_false)


@dataclass(frozen=True)
class Around:
    """What the accounts of several decisions share: read once."""

    today: date
    formulas: dict[int, Formula]
    metrics: dict[str, MetricInfo]
    history: History | None
    resumed: dict[tuple, list[date]]
    later: list[Decision]
    acted: dict[int, datetime]
    parts: list[Decision]


def entries(*, company: Company, decisions: Iterable[Decision], at: datetime) -> list[Entry]:
    """The accounts of the signed ones among these decisions, in their order. Decisions come with breach and version."""
    signed = [row for row in decisions if row.state == State.SIGNED and row.breach_id and row.effective_at]
    if not signed:
        return []
    around = _around(company, signed, at)
    return [_entry(row, around) for row in signed]


def _around(company: Company, signed: list[Decision], at: datetime) -> Around:
    today = company.local_date(at)
    parts = _parts(company, signed)
    formulas = signed_formulas(company=company, decisions=[*signed, *parts])
    metrics = metrics_of(company=company)
    channels = {row.channel_id for row in signed}
    rules = {row.breach.rule_id for row in signed}
    resumed: dict[tuple, list[date]] = defaultdict(list)
    marks = Verdict.objects.filter(company=company, rule__in=rules, kind=Verdict.Kind.RESUME).order_by("day")
    for rule, channel, campaign, day in marks.values_list("rule_id", "channel_id", "campaign_id", "day"):
        resumed[rule, channel, campaign].append(day)
    later = Decision.objects.filter(company=company, channel__in=channels, state=State.SIGNED).order_by("effective_at")
    actions = Action.objects.filter(company=company, decision__in=[row.pk for row in signed], state=Action.State.DONE)
    return Around(
        today=today, formulas=formulas,
        metrics=metrics,
        history=_history(company, formulas, min(_reads_from(row) for row in (*signed, *parts)), today),
        resumed=resumed,
        later=list(later.only("pk", "company", "channel", "campaign", "choice", "effective_at", "breach", "round", "terms")),
        acted=dict(actions.exclude(kind=Action.Kind.TODO).values_list("decision_id", "closed_at")),
        parts=parts,
    )  # fmt: skip


def _parts(company: Company, signed: list[Decision]) -> list[Decision]:
    """Signed decisions about campaigns of the channels that these decide about as a whole."""
    channels = {row.channel_id for row in signed if row.campaign_id is None}
    if not channels:
        return []
    rows = Decision.objects.filter(
        company=company, channel__in=channels, campaign__isnull=False, breach__isnull=False, state=State.SIGNED,
        effective_at__isnull=False,
    )  # fmt: skip
    return list(rows.select_related("company", "campaign", "breach__version").order_by("effective_at"))


def _entry(decision: Decision, around: Around) -> Entry:
    breach, company = decision.breach, decision.company
    effect = company.local_date(decision.effective_at)
    formula = around.formulas.get(decision.pk)
    days = _days(decision, formula, around.history, decision.terms.get("keep", ()), _first(decision))
    found, apart = None, []
    if _counts_money(decision, formula, around):
        apart = _apart(decision, around)
        found = _account(decision, formula, days, around, [one for _name, one in apart])
    before = _ratio(account.between(days, _first(decision), effect))
    begin = _begin(decision, effect, around)
    after = account.between(days, begin, around.today - timedelta(days=1))[:AFTER_DAYS] if begin else []
    began = breach.detected_at if decision.round == 1 else decision.opened_at
    done = around.acted.get(decision.pk)
    return Entry(
        decision=decision, account=found, before=before, after=_ratio(after), begin=begin, after_days=len(after),
        under=sum(_is_fine(row, breach.version) for row in after),
        to_decide=decision.signed_at - began if decision.signed_at else None,
        to_act=None if done is None else done - decision.effective_at, formula=formula, since=_since(decision, around),
        breached=_first(decision), effect=effect, apart=tuple(sorted(name for name, _one in apart)),
    )  # fmt: skip


def _counts_money(decision: Decision, formula: Formula | None, around: Around) -> bool:
    """Money per count above a line: the only rules that have a money account, as in the back-test."""
    version = decision.breach.version
    return formula is not None and has_money_account(formula, around.metrics, version.comparison, version.window)


def _account(
    decision: Decision, formula: Formula, days: account.Days, around: Around, apart: Sequence[account.Apart] = ()
) -> Account:
    breach, choice = decision.breach, decision.choice
    effect = decision.company.local_date(decision.effective_at)
    goes_on = choice in GOES_ON
    if choice == Choice.STOP:
        over_on = _day_before(_resumed_on(decision, effect, around))
    elif goes_on:
        over_on = _end_of_choice(decision, breach, effect)
    else:
        over_on = account.recovered_on(_classes(decision, formula, around), effect, breach.version.clear_days)
    last = account.last_day(effect, around.today - timedelta(days=1), _next_effect(decision, around), over_on)
    common = {
        "line": breach.version.line, "days": days, "first": _first(decision), "effect": effect, "last": last,
        "since": _since(decision, around), "apart": apart,
    }  # fmt: skip
    if goes_on:
        return account.went_on(**common)
    return account.acted(**common, stopped=choice == Choice.STOP)


def _apart(decision: Decision, around: Around) -> list[tuple[str, account.Apart]]:
    """The campaigns of a channel, by name, that have accounts of their own since its breach began, but for those that a stop
    kept: they are left out anyway."""
    if decision.campaign_id is not None:
        return []
    formula, kept = around.formulas[decision.pk], set(decision.terms.get("keep", ()))
    counted: dict[int, set[date]] = defaultdict(set)
    one_of: dict[int, Decision] = {}
    for row in around.parts:
        mine = around.formulas.get(row.pk)
        if row.channel_id == decision.channel_id and row.campaign_id not in kept and _counts_money(row, mine, around):
            counted[row.campaign_id] |= _counted_days(row, mine, around)
            one_of[row.campaign_id] = row
    first = _first(decision)
    return [
        (row.campaign.name, account.Apart(_days(row, formula, around.history, (), first), frozenset(counted[campaign])))
        for campaign, row in one_of.items()
        if max(counted[campaign]) >= first
    ]


def _counted_days(decision: Decision, formula: Formula, around: Around) -> set[date]:
    """The days that an account counts: of the loss, and after the effect."""
    days = _days(decision, formula, around.history, (), _first(decision))
    found = _account(decision, formula, days, around)
    effect = decision.company.local_date(decision.effective_at)
    last = effect if found.net is None else max(found.last, effect)
    first = _since(decision, around)
    return {first + timedelta(days=offset) for offset in range((last - first).days + 1)}


def _classes(decision: Decision, formula: Formula, around: Around) -> dict[date, DayClass]:
    """What the engine calls the days of a decision's scope, by the rule that fired and the formula that was signed."""
    history, breach = around.history, decision.breach
    scope = (decision.channel_id, decision.campaign_id or 0)
    if history is None or scope not in history.rows or formula.metrics - set(history.columns):
        return {}
    figures = history.figures(formula, [scope])
    [classes] = engine.run(figures, [rule_of(breach.version, formula.scales)]).classes
    return {
        history.day(index): DayClass(found)
        for index, found in enumerate(classes.tolist())
        if found > DayClass.NOT_READY
    }


def _since(decision: Decision, around: Around) -> date:
    """The first day whose loss belongs to this round: after the override of the round before, else the first breaching one."""
    rounds = [row for row in around.later if row.breach_id == decision.breach_id and row.round < decision.round]
    if not rounds:
        return _first(decision)
    before = max(rounds, key=lambda row: row.round)
    effect = decision.company.local_date(before.effective_at)
    return account.last_day(effect, _end_of_choice(before, decision.breach, effect)) + timedelta(days=1)


def _end_of_choice(decision: Decision, breach: Breach, effect: date) -> date | None:
    """The last day of an override or a cool-down; a breach that ended by itself ends it too. None for the other choices."""
    if decision.choice == Choice.FALSE_ALARM:
        return effect + timedelta(days=FALSE_ALARM_DAYS - 1)
    if decision.choice != Choice.CONTINUE:
        return None
    until = date.fromisoformat(decision.terms["until"])
    ended = breach.closed_on if breach.closed_as in {"recovered", "paused"} else None
    return until if ended is None else max(min(until, ended), effect)


def _next_effect(decision: Decision, around: Around) -> date | None:
    """The day of the next decision about the same scope, or of a stop of the channel around it."""
    for row in around.later:
        same = row.channel_id == decision.channel_id and row.campaign_id == decision.campaign_id
        stopped = row.channel_id == decision.channel_id and row.campaign_id is None and row.choice == Choice.STOP
        if row.pk != decision.pk and row.effective_at > decision.effective_at and (same or stopped):
            return decision.company.local_date(row.effective_at)
    return None


def _resumed_on(decision: Decision, effect: date, around: Around) -> date | None:
    days = around.resumed.get((decision.breach.rule_id, decision.channel_id, decision.campaign_id), ())
    return next((day for day in days if day > effect), None)


def _day_before(day: date | None) -> date | None:
    return None if day is None else day - timedelta(days=1)


def _begin(decision: Decision, effect: date, around: Around) -> date | None:
    """Since when the KPI is that of the time after: after a stop, since it runs again."""
    if decision.choice == Choice.STOP:
        return _resumed_on(decision, effect, around)
    return effect + timedelta(days=1)


def _is_fine(row: Figures, version: StopRuleVersion) -> bool:
    beyond = row.numerator - version.line * row.denominator
    return beyond <= 0 if version.comparison == StopRuleVersion.Comparison.ABOVE else beyond >= 0


def _ratio(known: list[Figures]) -> Decimal | None:
    below = sum((row.denominator for row in known), Decimal(0))
    return sum(row.numerator for row in known) / below if below else None


# ---------------------------------------------------------------- figures
def figures_of(*, company: Company, decisions: Iterable[Decision], at: datetime) -> dict[int, account.Days]:
    """Decision id → the known days of its scope since the first that its evidence rests on, as they stand now."""
    decisions = list(decisions)
    formulas = signed_formulas(company=company, decisions=decisions)
    history = _history(company, formulas, min(_rests_from(row) for row in decisions), company.local_date(at))
    return {row.pk: _days(row, formulas.get(row.pk), history, (), _rests_from(row)) for row in decisions}


def _history(company: Company, formulas: dict[int, Formula], since: date, today: date) -> History | None:
    metrics = metrics_of(company=company)
    codes = frozenset().union(*(formula.metrics for formula in formulas.values()))
    known = [metrics[code] for code in codes if code in metrics]
    return read_history(company=company, metrics=known, today=today, since=since) if known else None


def _first(decision: Decision) -> date:
    """The first breaching day as it was when the decision opened: late data may have moved the breach's own."""
    kept = decision.evidence.get("first_day")
    return min(decision.breach.first_day, date.fromisoformat(kept)) if kept else decision.breach.first_day


def _reads_from(decision: Decision) -> date:
    """A pooled window looks back beyond the first day of the breach."""
    version = decision.breach.version
    return _first(decision) - timedelta(days=version.n if version.window == StopRuleVersion.Window.POOLED else 0)


def _rests_from(decision: Decision) -> date:
    kept = decision.kept_evidence.get("rests_from")
    return min(_first(decision), date.fromisoformat(kept)) if kept else _first(decision)


def _days(
    decision: Decision, formula: Formula | None, history: History | None, keep: Iterable[int], since: date
) -> account.Days:
    """Known days of a scope since one of them; of a channel without the campaigns in `keep`, which a stop let run."""
    scope = (decision.channel_id, decision.campaign_id or 0)
    if formula is None or history is None or scope not in history.rows or formula.metrics - set(history.columns):
        return {}
    kept = [(decision.channel_id, pk) for pk in keep if (decision.channel_id, pk) in history.rows]
    figures = history.figures(formula, [scope, *kept])
    above, below = (scale * MICRO for scale in formula.scales)
    found = {}
    for index in range(max(0, history.index(since)), history.days):
        if figures.known[0, index]:
            parts = [row for row in range(1, len(kept) + 1) if figures.known[row, index]]
            top = int(figures.numerator[0, index]) - sum(int(figures.numerator[row, index]) for row in parts)
            bottom = int(figures.denominator[0, index]) - sum(int(figures.denominator[row, index]) for row in parts)
            found[history.day(index)] = Figures(_plain(Fraction(top, above)), _plain(Fraction(bottom, below)))
    return found


def _plain(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)
