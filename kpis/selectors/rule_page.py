"""The pages of stop-rules: the list in sentences, one rule with its states and the log that answers "why (not)"."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from kpis import periods, rule_terms, rule_told, rule_words
from kpis.charts import Plot, line_plot
from kpis.day_classes import Window
from kpis.formulas import parse, written
from kpis.models import EvaluationLog, EvaluationLogRevision, RuleState, StopRuleVersion
from kpis.rule_signers import Signers, signers
from kpis.rule_told import Change
from kpis.rule_words import Mark
from kpis.selectors import stop_rules as reads
from kpis.selectors.log_loads import Behind, loads_behind
from kpis.selectors.measures import metrics_of, money_metrics
from kpis.selectors.rule_days import units_of
from kpis.sentences import current_kpi, measured, rule_sentence
from kpis.series import last_day_taken
from kpis.windows import SPENDING
from roles.models import Company, Membership
from roles.permissions import Permission

LOG_DAYS = 60


@dataclass(frozen=True)
class ListLine:
    """A rule in the list. `shadow`: the last day on which it only reports, None when it asks."""

    row: reads.RuleRow
    sentence: str
    scope: str
    mark: Mark
    shadow: date | None


@dataclass(frozen=True)
class StateLine:
    """One scope; `value` None where unknown or not to be told, `first` to `last` the days of its facts; `key` names the scope in
    addresses; `note`: how long what was signed holds."""

    state: RuleState
    mark: Mark
    since: date | None
    value: Decimal | None
    first: date | None
    last: date | None
    key: str
    chosen: bool
    note: str


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
class VersionLine:
    """A version in the history: its sentence, and what it changed."""

    version: StopRuleVersion
    sentence: str
    changes: list[Change]


@dataclass(frozen=True)
class RulePage:
    """Everything the page of one rule shows. `shadow`: the last day on which it only reports; of the version that waits
    the one if it were signed today; `finer`: the terms that the sentence leaves out. `above`, `below`: how numerator and denominator are called, and their units;
    `sides`: the formulas of the two, whose facts can be shown."""

    detail: reads.RuleDetail
    sentence: str
    finer: dict[str, str]
    shadow: date | None
    waiting: VersionLine | None
    waiting_shadow: date | None
    signing: str
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
    versions: list[VersionLine]
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


def list_lines(*, company: Company, person: Membership, today: date) -> list[ListLine]:
    """Every rule as a sentence, the firing ones first."""
    money = money_metrics(metrics_of(company=company))
    return [
        ListLine(
            row, rule_sentence(row.version, money=reads.may_see(person, row.version, money)), rule_words.scope_words(row.version),
            _row_mark(row), _shadow(row.version, today),
        )
        for row in reads.rule_list(company=company)
    ]  # fmt: skip


def _shadow(version: StopRuleVersion, today: date) -> date | None:
    """The last day in the shadow of a version in force, while it lasts."""
    until = version.shadow_until
    return until if version.approved_at and version.active and until and until >= today else None


def _row_mark(row: reads.RuleRow) -> Mark:
    if row.version.approved_at is None:
        return Mark("draft", _("waits for a signature"))
    return rule_words.state_mark(row.state or "", row.version)


def rule_page(*, company: Company, person: Membership, detail: reads.RuleDetail, today: date, scope: str) -> RulePage:
    """One rule for one reader; `scope`: the key of the scope whose log is shown, the worst one without it."""
    version, metrics = detail.version, metrics_of(company=company)
    money = money_metrics(metrics)
    shown, kpi, units = reads.may_see(person, version, money), current_kpi(version), units_of(version, metrics)
    states = _state_lines(detail, scope, shown)
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
    found = signers(company=company, on=today)
    versions = _version_lines(detail, person, money)
    return RulePage(
        detail=detail, sentence=rule_sentence(version, money=shown), scope=rule_words.scope_words(version),
        finer=rule_told.finer_terms(version, money=shown), shadow=_shadow(version, today),
        waiting=next((line for line in versions if line.version == waiting), None) if waiting else None,
        waiting_shadow=rule_terms.shadow_if_signed(waiting, today) if waiting else None,
        signing=signing_names(found, waiting, waiting.created_by_id) if waiting else "",
        mark=_row_mark(detail.row), unit=unit, measure=measure, shown=shown, above=(names[0], units[0]),
        below=(names[1], units[1]), sides=_sides(kpi, version), states=states, log=lines[::-1],
        plot=_picture(lines, version, states, kpi) if shown and lines else None, versions=versions,
        may_edit=person.can(Permission.MANAGE_STOP_RULES, detail.latest.channel),
        may_not_sign=found.problem(person, waiting) if waiting else "",
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


def _version_lines(detail: reads.RuleDetail, person: Membership, money: frozenset[str]) -> list[VersionLine]:
    """Newest first; each beside what it changed of the one before it."""
    befores = [*detail.versions[1:], None]
    lines = []
    for version, before in zip(detail.versions, befores, strict=True):
        told = reads.may_see(person, version, money) and (before is None or reads.may_see(person, before, money))
        lines.append(VersionLine(
            version, rule_sentence(version, money=reads.may_see(person, version, money)),
            rule_told.changes_of(version, before, money=told),
        ))  # fmt: skip
    return lines


def _state_lines(detail: reads.RuleDetail, scope: str, shown: bool) -> list[StateLine]:
    states, version = detail.states, detail.version
    signed = {(row.channel_id, row.campaign_id): row for row in reads.last_verdicts(rule=detail.rule, states=states)}
    keys = [f"{row.channel_id}-{row.campaign_id}" if row.campaign_id else str(row.channel_id) for row in states]
    chosen = scope if scope in keys else (keys[0] if keys else "")
    return [
        StateLine(
            row, rule_words.state_mark(row.state, version, len(row.streak)),
            date.fromisoformat(row.detail["since"]) if row.detail.get("since") else None,
            row.last_value if shown else None, *_days_of(row.last_day, version), key, key == chosen,
            rule_words.holds(signed.get((row.channel_id, row.campaign_id)), version.company.currency if shown else ""),
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


def _picture(lines: list[LogLine], version: StopRuleVersion, states: list[StateLine], kpi) -> Plot | None:
    """The days of the chosen scope; of mailings, each of which is one day, all of its channel."""
    chosen = next(line.state for line in states if line.chosen)
    if version.window != Window.EVENT:
        return _plot(lines, version, chosen, kpi)
    sent = [line for line in states if line.state.channel_id == chosen.channel_id and line.value is not None]
    points = {
        line.state.last_day: line for line in sorted(sent, key=lambda line: line.value)
    }  # of two on one day the worse
    days = sorted(points)
    unit, name = measured(version, kpi)
    title = pgettext("plot", "%(kpi)s of mailings of %(subject)s") % {"kpi": name, "subject": chosen.channel}
    fired = [day for day in days if points[day].mark.css == "stop"]
    desc = _("Stop line and the days beyond it: %(n)s.") % {"n": len(fired)}
    values = [points[day].value for day in days]
    return (
        line_plot(days, values, unit, title, desc, line=version.line, breach_days=fired, size="m")
        if len(days) > 1
        else None
    )


def _plot(lines: list[LogLine], version: StopRuleVersion, chosen: RuleState, kpi) -> Plot:
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
