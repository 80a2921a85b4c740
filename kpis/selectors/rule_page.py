"""The pages of stop-rules: the list in sentences, one rule with its states and the log that answers "why (not)"."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from kpis import periods, rule_words
from kpis.charts import Plot, line_plot
from kpis.day_classes import Window
from kpis.formulas import parse, written
from kpis.models import EvaluationLog, EvaluationLogRevision, RuleState, StopRuleVersion
from kpis.rule_signers import Signers, signers
from kpis.rule_words import Mark
from kpis.selectors import stop_rules as reads
from kpis.selectors.log_loads import Behind, loads_behind
from kpis.selectors.measures import metrics_of, money_metrics
from kpis.selectors.rule_days import units_of
from kpis.sentences import current_kpi, measured, rule_sentence
from kpis.series import last_day_taken
from kpis.windows import SPENDING
from roles.models import Channel, Company, Membership
from roles.permissions import Permission

LOG_DAYS = 60


@dataclass(frozen=True)
class ListLine:
    """A rule in the list; `shown` false: the line is money that this person may not see."""

    row: reads.RuleRow
    sentence: str
    scope: str
    mark: Mark


@dataclass(frozen=True)
class StateLine:
    """One scope; `value` None where unknown or not to be told, `first` to `last` the days of its facts; `key` names the scope in
    addresses."""

    state: RuleState
    mark: Mark
    since: date | None
    value: Decimal | None
    first: date | None
    last: date | None
    key: str
    chosen: bool


@dataclass(frozen=True)
class LogLine:
    """One judged day in words. Figures are None where unknown or not to be told; `first` to `last` are the days of their
    facts, None where no address leads to them."""

    day: date
    first: date | None
    last: date | None
    verdict: Mark
    why: str
    numerator: Decimal | None
    denominator: Decimal | None
    value: Decimal | None
    streak: int
    state: Mark
    loads: Behind | None
    before: "list[EarlierLine]"


@dataclass(frozen=True)
class EarlierLine:
    """What the log said of a day until `changed_at`, when the load `changed_by` was the newest one (None: none was)."""

    verdict: Mark
    numerator: Decimal | None
    denominator: Decimal | None
    changed_at: datetime
    changed_by: int | None


@dataclass(frozen=True)
class RulePage:
    """Everything the page of one rule shows. `above`, `below`: how numerator and denominator are called, and their units;
    `sides`: the formulas of the two, whose facts can be shown."""

    detail: reads.RuleDetail
    sentence: str
    waiting_sentence: str
    scope: str
    mark: Mark
    measure: str
    unit: str
    shown: bool
    above: tuple[str, str]
    below: tuple[str, str]
    sides: tuple[str, str]
    states: list[StateLine]
    log: list[LogLine]
    plot: Plot | None
    versions: list[tuple[StopRuleVersion, str]]
    may_edit: bool
    may_not_sign: str

    @property
    def may_approve(self) -> bool:
        """Does a version wait that this reader may put in force?"""
        return self.detail.row.waiting is not None and not self.may_not_sign

    @property
    def chosen(self) -> RuleState | None:
        """The scope whose days are shown."""
        return next((line.state for line in self.states if line.chosen), None)

    @property
    def opens(self) -> bool:
        """Is what the rule compares a KPI of facts? What a budget rule compares with its line is a share of the budget."""
        return self.detail.version.window != Window.BUDGET


def list_lines(*, company: Company, person: Membership) -> list[ListLine]:
    """Every rule as a sentence, the firing ones first."""
    money = money_metrics(metrics_of(company=company))
    return [
        ListLine(
            row, rule_sentence(row.version, money=reads.may_see(person, row.version, money)), scope_words(row.version),
            _row_mark(row),
        )
        for row in reads.rule_list(company=company)
    ]  # fmt: skip


def _row_mark(row: reads.RuleRow) -> Mark:
    if row.version.approved_at is None:
        return Mark("draft", _("waits for a signature"))
    return rule_words.state_mark(row.state or "", row.version)


def scope_words(version: StopRuleVersion) -> str:
    """Where the rule looks: `VK Реклама`, `every campaign of VK Реклама`, `all channels: Paid`."""
    if version.channel:
        place = version.channel.name
    elif version.channel_kind:
        place = _("all channels of the kind “%(kind)s”") % {"kind": Channel.Kind(version.channel_kind).label}
    else:
        place = _("all channels")
    return _("%(place)s, each campaign") % {"place": place} if version.per == "campaign" else place


def rule_page(*, company: Company, person: Membership, detail: reads.RuleDetail, today: date, scope: str) -> RulePage:
    """One rule for one reader; `scope`: the key of the scope whose log is shown, the worst one without it."""
    version, metrics = detail.version, metrics_of(company=company)
    money = money_metrics(metrics)
    shown, kpi, units = reads.may_see(person, version, money), current_kpi(version), units_of(version, metrics)
    states = _state_lines(detail.states, version, scope, shown)
    chosen = next((line.state for line in states if line.chosen), None)
    log = [] if chosen is None else reads.log_of(
        company=company, version=version, channel_id=chosen.channel_id, campaign_id=chosen.campaign_id,
        since=today - timedelta(days=LOG_DAYS),
    )  # fmt: skip
    behind = loads_behind(company=company, rows=log)
    before = {} if chosen is None else reads.said_before(
        company=company, version=version, channel_id=chosen.channel_id, campaign_id=chosen.campaign_id,
        since=today - timedelta(days=LOG_DAYS),
    )  # fmt: skip
    lines = [_log_line(row, version, shown, units, behind.get(row.day), before.get(row.day, ())) for row in log]
    unit, measure = measured(version, kpi)
    names = rule_words.side_names(version, kpi.formula if kpi else "", metrics)
    waiting = detail.row.waiting
    return RulePage(
        detail=detail, sentence=rule_sentence(version, money=shown), scope=scope_words(version),
        waiting_sentence=rule_sentence(waiting, money=reads.may_see(person, waiting, money)) if waiting else "",
        mark=_row_mark(detail.row), unit=unit, measure=measure, shown=shown, above=(names[0], units[0]),
        below=(names[1], units[1]), sides=_sides(kpi, version), states=states, log=lines[::-1],
        plot=_plot(lines, version, chosen, kpi, today) if shown and lines else None,
        versions=[(row, rule_sentence(row, money=reads.may_see(person, row, money))) for row in detail.versions],
        may_edit=person.can(Permission.MANAGE_STOP_RULES, detail.latest.channel),
        may_not_sign=signers(company=company, on=today).problem(person, waiting) if waiting else "",
    )  # fmt: skip


def waits_for(
    *, company: Company, person: Membership, version: StopRuleVersion, today: date, before: reads.RuleDetail | None
) -> str:
    """Who puts the version that is being written in force, in words; empty when it will be in force at once.

    `version`: as far as it is known; of one that nothing is known of but its channels these are enough.
    """
    found = signers(company=company, on=today)
    if not found.waits(person, version, before.latest if before else None):
        return ""
    runs = person.pk in found.side(version)
    text = _("It comes into force when %(who)s signs it.")
    if runs:
        text = _("It comes into force when %(who)s signs it: you run or deputise a channel of this rule.")
    after = _("Until then it judges nothing.") if before is None else _("Until then the version before it goes on.")
    return f"{text % {'who': signing_names(found, version, person.pk)}} {after}"


def signing_names(found: Signers, version: StopRuleVersion, author: int | None) -> str:
    """Who may put a version of `author` in force: «Игорь Лаптев или Марина Ершова», else the hat that could."""
    people = [str(person) for person in found.who_may_sign(version, author)]
    return _(" or ").join(people) or _("the marketing director")


def _days_of(day: date | None, version: StopRuleVersion) -> tuple[date | None, date | None]:
    """The days whose facts make the figures of a judged day: a mailing's are three, a month's budget sums from its first on."""
    if version.window == Window.BUDGET:
        monthly = version.period != StopRuleVersion.Period.TEST
        return (periods.month_start(day), day) if day and monthly else (None, None)
    return day, day and last_day_taken(version.window, day)


def _sides(kpi, version: StopRuleVersion) -> tuple[str, str]:
    """Numerator and denominator of what the rule compares as texts of formulas; empty: it is none of facts."""
    if version.window == Window.BUDGET:
        return SPENDING, ""
    if kpi is None:
        return "", ""
    formula = parse(kpi.formula)
    return written(formula.numerator), written(formula.denominator)


def _state_lines(states: Iterable[RuleState], version: StopRuleVersion, scope: str, shown: bool) -> list[StateLine]:
    states = list(states)
    keys = [f"{row.channel_id}-{row.campaign_id}" if row.campaign_id else str(row.channel_id) for row in states]
    chosen = scope if scope in keys else (keys[0] if keys else "")
    return [
        StateLine(
            row, rule_words.state_mark(row.state, version, len(row.streak)),
            date.fromisoformat(row.detail["since"]) if row.detail.get("since") else None,
            row.last_value if shown else None, *_days_of(row.last_day, version), key, key == chosen,
        )
        for row, key in zip(states, keys, strict=True)
    ]  # fmt: skip


def _log_line(
    row: EvaluationLog, version: StopRuleVersion, shown: bool, units: tuple[str, str], loads: Behind | None,
    before: Iterable[EvaluationLogRevision] = (),
) -> LogLine:  # fmt: skip
    value = row.numerator / row.denominator if row.numerator is not None and row.denominator else None
    return LogLine(
        row.day, *_days_of(row.day, version), rule_words.class_mark(row.day_class), rule_words.why(row.day_class, row.state, row.streak, version),
        row.numerator if shown or units[0] != "money" else None,
        row.denominator if shown or units[1] != "money" else None, value if shown else None, row.streak,
        rule_words.state_mark(row.state, version, row.streak), loads,
        [
            EarlierLine(
                rule_words.class_mark(old.day_class), old.numerator if shown or units[0] != "money" else None,
                old.denominator if shown or units[1] != "money" else None, old.changed_at, old.changed_by_load_id,
            )
            for old in before
        ],
    )  # fmt: skip


def _episode_days(lines: list[LogLine]) -> list[date]:
    """The bad days that made the rule fire, and those on which it went on: single bad days are none of them."""
    bad: list[date] = []
    found: set[date] = set()
    for line in lines:
        if line.verdict.css == "stop":
            bad.append(line.day)
        if line.state.css == "stop":
            found.update(bad[-line.streak :] if line.streak else ())
    return sorted(found)


def _plot(lines: list[LogLine], version: StopRuleVersion, chosen: RuleState, kpi, today: date) -> Plot:
    known = {line.day: line for line in lines}
    days = [lines[0].day + timedelta(days=step) for step in range((lines[-1].day - lines[0].day).days + 1)]
    fired = _episode_days(lines)
    unit, name = measured(version, kpi)
    title = pgettext("plot", "%(kpi)s of %(subject)s by day") % {"kpi": name, "subject": chosen.subject}
    desc = _("Stop line and the days beyond it: %(n)s.") % {"n": len(fired)}
    return line_plot(
        days, [known[day].value if day in known else None for day in days], unit, title, desc, line=version.line,
        breach_days=fired, gap_days=[day for day in days if day not in known or known[day].verdict.css == "none"], size="m",
    )  # fmt: skip
