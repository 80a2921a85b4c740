"""From stop-rules and facts to what the engine says: the series of a company, their marks, one run over all of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from django.db.models import QuerySet

from kpis import day_classes, engine
from kpis.day_classes import Figures, Window
from kpis.formulas import Formula, parse
from kpis.histories import read_history
from kpis.models import KpiVersion, StopRuleVersion, Verdict
from kpis.selectors.measures import metrics_of
from kpis.series import History
from kpis.windows import SPENDING, Series, figures_of, metrics_needed
from roles.fields import LIMIT, MICRO, from_micros, to_micros
from roles.models import Campaign, Channel, Company


@dataclass(frozen=True)
class Replay:
    """What the machine gives for some series. Days are indexes of `history`; `scales` multiply the figures of a series."""

    series: list[Series]
    history: History
    figures: Figures
    scales: list[tuple[int, int]]
    outcome: engine.Outcome

    def parts(self, series: int, day: int) -> tuple[Decimal | None, Decimal | None]:
        """Numerator and denominator of a day; None where unknown or beyond what a figure may be."""
        if day < 0 or not self.figures.known[series, day]:
            return None, None
        above, below = self.scales[series]
        return (
            _decimal(Fraction(int(self.figures.numerator[series, day]), above * MICRO)),
            _decimal(Fraction(int(self.figures.denominator[series, day]), below * MICRO)),
        )

    def value(self, series: int, day: int) -> Decimal | None:
        """The KPI of a day; None where unknown or the denominator is zero."""
        if day < 0 or not self.figures.known[series, day] or not int(self.figures.denominator[series, day]):
            return None
        above, below = self.scales[series]
        return _decimal(
            Fraction(
                int(self.figures.numerator[series, day]) * below, int(self.figures.denominator[series, day]) * above
            )
        )

    def last_ready(self, series: int) -> int:
        """Index of the newest day that is judged; before the first day it is −1 or less. A mailing has but one."""
        version = self.series[series].version
        newest = self.history.days - 1 - version.settling_days
        return min(newest, int(self.figures.start[series])) if version.window == Window.EVENT else newest


def _decimal(value: Fraction) -> Decimal | None:
    """Rounded as the database keeps it: six places, half to even."""
    if abs(value) * MICRO >= LIMIT:
        return None
    return from_micros(to_micros(Decimal(value.numerator) / Decimal(value.denominator)))


def in_force(*, company: Company) -> list[StopRuleVersion]:
    """Versions that are evaluated: approved, current, active; rule, KPI and channel loaded."""
    return list(
        StopRuleVersion.objects.filter(company=company, superseded_at=None, approved_at__isnull=False, active=True)
        .select_related("rule", "kpi", "channel")
        .order_by("rule__number")
    )


def series_of(*, company: Company, versions: Iterable[StopRuleVersion]) -> list[Series]:
    """Every version on every running scope it is about: two queries, one when no rule looks at campaigns."""
    versions = list(versions)
    by_campaign = any(version.per == StopRuleVersion.Per.CAMPAIGN for version in versions)
    channels = judged_on(channels_of(companies=[company.pk], by_campaign=by_campaign))
    parts: dict[int, list[Campaign]] = {}
    if by_campaign:
        for campaign in Campaign.objects.filter(company=company, status__in=Channel.RUNNING).order_by("pk"):
            parts.setdefault(campaign.channel_id, []).append(campaign)
    return [Series(version, *scope) for version in versions for scope in scopes_of(version, channels, parts)]


def channels_of(*, companies: Iterable[int], by_campaign: bool) -> QuerySet[Channel]:
    """The running channels of these companies (ids); where campaigns are looked at the stopped ones too, for `judged_on`."""
    statuses = [*Channel.RUNNING, Channel.Status.STOPPED] if by_campaign else Channel.RUNNING
    return Channel.objects.filter(company__in=companies, status__in=statuses)


def judged_on(channels: Iterable[Channel]) -> list[Channel]:
    """Of these channels those that run or that a signature stopped: a campaign that was kept, or was started again, is
    judged on. Of a channel stopped by hand nobody has said what runs. One query where any is stopped, none elsewhere."""
    channels = list(channels)
    stopped = [channel.id for channel in channels if channel.status == Channel.Status.STOPPED]
    if not stopped:
        return channels
    words = Verdict.objects.filter(
        channel__in=stopped, campaign=None, kind__in=(Verdict.Kind.STOP, Verdict.Kind.RESUME)
    )
    newest = dict(words.order_by("day", "pk").values_list("channel_id", "kind"))
    by_hand = {pk for pk in stopped if newest.get(pk) != Verdict.Kind.STOP}
    return [channel for channel in channels if channel.id not in by_hand]


def scopes_of(
    version: StopRuleVersion, channels: Iterable[Channel], campaigns: Mapping[int, list[Campaign]]
) -> list[tuple[Channel, Campaign | None]]:
    """Of the channels that are `judged_on` and their running campaigns (by channel id) the ones a version is about; a
    channel as a whole has no campaign and has to run itself."""
    mine = [channel for channel in channels if covers(version, channel)]
    if version.per != StopRuleVersion.Per.CAMPAIGN:
        return [(channel, None) for channel in mine if channel.is_running and version.window != Window.EVENT]
    parts = [(channel, campaign) for channel in mine for campaign in campaigns.get(channel.id, ())]
    return [part for part in parts if is_mailing(*part)] if version.window == Window.EVENT else parts


def is_mailing(channel: Channel, campaign: Campaign | None) -> bool:
    """A campaign of a CRM channel that belongs to a series of mailings."""
    return channel.kind == Channel.Kind.CRM and campaign is not None and bool(campaign.series)


def covers(version: StopRuleVersion, channel: Channel) -> bool:
    """Is the channel in the rule's scope: the one it names, all of the kind it names, or all?"""
    if version.channel_id:
        return version.channel_id == channel.pk
    return not version.channel_kind or version.channel_kind == channel.kind


def formulas_of(*, company: Company, versions: Iterable[StopRuleVersion]) -> dict[int, Formula]:
    """KPI id → its formula in force."""
    wanted = {version.kpi_id for version in versions}
    rows = KpiVersion.objects.filter(company=company, kpi_id__in=wanted, superseded_at=None)
    return {version.kpi_id: parse(version.formula) for version in rows}


def replay(
    *, company: Company, versions: list[StopRuleVersion], today: date, verdicts: Iterable[Verdict] | None = None
) -> Replay | None:
    """Replay the versions over all known facts until today; None where there is nothing to judge.

    `verdicts`: the signatures, oldest first; read here when not given.
    """
    series = series_of(company=company, versions=versions)
    if not series:
        return None
    formulas = formulas_of(company=company, versions=versions)
    if verdicts is None:
        verdicts = verdicts_of(companies=[company.pk], versions=versions)
    marked = marks_of(series, verdicts)
    history = _history(company, series, formulas, today, with_spend=any(row.extra_spend for row in verdicts))
    if history is None:
        return None
    order, figures = figures_of(history, formulas, series)
    if figures is None:
        return None
    return _run([series[number] for number in order], [marked[number] for number in order], history, figures, formulas)


def _history(company, series: list[Series], formulas: dict[int, Formula], today: date, with_spend: bool):
    known = metrics_of(company=company)
    codes = metrics_needed([one.version for one in series], formulas) | ({SPENDING} if with_spend else set())
    return read_history(company=company, metrics=[known[code] for code in codes if code in known], today=today)


def _run(
    series: list[Series], marked: list[list[Verdict]], history: History, figures: Figures, formulas: dict[int, Formula]
) -> Replay:
    scales = [formulas[one.version.kpi_id].scales for one in series]
    rules = [rule_of(one.version, scale, one.line) for one, scale in zip(series, scales, strict=True)]
    marks = [mark_of(number, verdict, history) for number, found in enumerate(marked) for verdict in found]
    spent = None
    if SPENDING in history.columns:
        spent = history.figures(parse(SPENDING), [one.scope for one in series])
    return Replay(series, history, figures, scales, engine.run(figures, rules, marks, spent))


@lru_cache(maxsize=16_384)
def _scaled(value: Decimal, above: int = 1, below: int = 1) -> Fraction:
    """value · above / below, exact. Terms repeat from rule to rule: most of the time of making one is this."""
    return Fraction(value) * above / below


def rule_of(
    version: StopRuleVersion, scales: tuple[int, int] = (1, 1), line: Decimal | None = None
) -> day_classes.Rule:
    """The engine's rule in the units of the figures: micros times the formula's scales. `line`: of the scope, if not the version's."""
    above, below = scales
    return day_classes.Rule(
        line=_scaled(version.line if line is None else line, above, below),
        above=version.comparison == StopRuleVersion.Comparison.ABOVE,
        window=day_classes.Window(version.window),
        n=version.n or 1,
        m=version.m,
        k=None if version.k is None else _scaled(version.k, below * MICRO),
        max_span=version.max_span,
        minimum_sample=_scaled(version.minimum_sample, below * MICRO),
        zero_line=None if version.zero_line is None else _scaled(version.zero_line, above * MICRO),
        no_data=day_classes.NoData(version.no_data),
        settling_days=version.settling_days,
        confirm_pooled_7d=version.confirm_pooled_7d,
        clear_ratio=_scaled(version.clear_ratio),
        clear_days=version.clear_days,
    )


def verdicts_of(*, companies: Iterable[int], versions: Iterable[StopRuleVersion]) -> list[Verdict]:
    """Signatures on the rules of these versions, and stops of any rule with their ends: they count for all on that scope.

    `companies`: ids; oldest first.
    """
    rules = {version.rule_id for version in versions}
    rows = Verdict.objects.filter(company__in=companies).order_by("day", "pk")
    return [row for row in rows if row.rule_id in rules or row.kind in (Verdict.Kind.STOP, Verdict.Kind.RESUME)]


def marks_of(series: list[Series], verdicts: Iterable[Verdict]) -> list[list[Verdict]]:
    """The signatures that count for each series, oldest first: its own; stops of its channel or campaign by any rule;
    and the first word of any rule that such a stop is over. A stop of the channel says nothing of the campaigns it kept."""
    verdicts = list(verdicts)
    return [_marks(one, verdicts) for one in series]


def _marks(one: Series, verdicts: list[Verdict]) -> list[Verdict]:
    rule, channel, campaign = one.key
    found: list[Verdict] = []
    for row in verdicts:
        if row.channel_id != channel:
            continue
        own = row.rule_id == rule and (row.campaign_id or 0) == campaign
        around = row.campaign_id in (None, campaign) and campaign not in row.kept
        stopped = bool(found) and found[-1].kind == Verdict.Kind.STOP
        if own or (around and (row.kind == Verdict.Kind.STOP or (row.kind == Verdict.Kind.RESUME and stopped))):
            found.append(row)
    return found


def runs_again(marks: list[Verdict]) -> bool:
    """Was a running scope stopped by a signature, and nobody has said yet that it runs again?"""
    return bool(marks) and marks[-1].kind == Verdict.Kind.STOP


def mark_of(number: int, verdict: Verdict, history: History) -> engine.Mark:
    """The signature as the engine has it, on the series of this number."""
    return engine.Mark(
        number, history.index(verdict.day), verdict.kind, None if verdict.until is None else history.index(verdict.until),
        None if verdict.extra_spend is None else to_micros(verdict.extra_spend),
    )  # fmt: skip
