"""The page of one channel, and the map of all of them."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Q
from django.utils.translation import gettext as _

from kpis import periods
from kpis.models import Breach, RuleState, StopRuleVersion
from kpis.selectors import stop_rules
from kpis.selectors.cube import load_cube
from kpis.selectors.measures import Measure, kpis_of, measures_from, metrics_of
from kpis.selectors.targets import load_targets
from processes import lists
from processes.selectors import decision_log
from reports.models import WeeklyReport
from reports.selectors import channel_charts, channel_tiles
from reports.selectors.campaigns import COUNTS as CAMPAIGN_COUNTS
from reports.selectors.campaigns import CampaignRow, campaign_rows
from reports.selectors.channel_charts import Chart, Desk, Mini, count_of
from reports.selectors.channel_tiles import Tile
from reports.selectors.figures import Shared, shared_from
from reports.selectors.weekly import ReportRow, rows_of, weeks_of_channel
from reports.spans import Span, read_span
from roles import formats
from roles import selectors as roles_selectors
from roles.models import Appointment, Channel, Company, Membership
from roles.permissions import Permission, RoleKind

WEEKS = 7
WINDOWS = (14, 42, 365)
LOG_LINES = 6
BEFORE = timedelta(days=channel_charts.POOLED_DAYS)


@dataclass(frozen=True)
class WeekLine:
    """A week of the channel: plan and fact of its count, the result KPI, how the report stands."""

    row: ReportRow
    plan: Decimal | None
    fact: Decimal | None
    kpi: Decimal | None


@dataclass(frozen=True)
class RuleLine:
    """A rule that looks at the channel: its sentence (empty where it tells of hidden money) and its worst state."""

    version: StopRuleVersion
    sentence: str
    state: str
    since: date | None


@dataclass(frozen=True)
class Event:
    """A line of the channel's history. `mark`: next, stop, go or none; `decision_id` where it opens a decision."""

    at: datetime
    mark: str
    title: str
    text: str
    decision_id: int | None


@dataclass(frozen=True)
class ChannelPage:
    """Everything on a channel's page as one person may see it; a part that is None or empty is left out."""

    channel: Channel
    sees_money: bool
    span: Span
    window: int
    result_kpi: str
    result: Measure
    count: Measure
    deputy: Appointment | None
    analysts: list[Membership]
    waiting: list[lists.WaitingLine]
    tiles: list[Tile]
    chart: Chart | None
    minis: list[Mini]
    campaigns: list[CampaignRow]
    weeks: list[WeekLine]
    breaches: list[Breach]
    events: list[Event]
    rules: list[RuleLine]
    counts: list[tuple[str, str]]
    """(code, name) of the counts that campaigns show."""

    @property
    def first_day(self) -> date:
        return self.last_day - timedelta(days=self.window - 1)

    @property
    def last_day(self) -> date:
        return self.span.until

    @property
    def currency_sign(self) -> str:
        currency = self.channel.company.currency
        return formats.CURRENCIES.get(currency, currency)

    @property
    def campaigns_show_kpi(self) -> bool:
        return self.result.code not in dict(self.counts)

    @property
    def firing(self) -> Breach | None:
        """The breach the banner tells of: the channel's own before a campaign's."""
        opened = [breach for breach in self.breaches if breach.closed_on is None and not breach.muted]
        return min(opened, key=lambda breach: (breach.campaign_id is not None, breach.first_day), default=None)

    @property
    def asked(self) -> lists.WaitingLine | None:
        """The waiting decision of that breach, or another one of the channel."""
        mine = [line for line in self.waiting if self.firing and line.decision.breach_id == self.firing.pk]
        return next(iter(mine or self.waiting), None)

    @property
    def weeks_show_kpi(self) -> bool:
        return any(line.kpi is not None for line in self.weeks)


def channel_page(*, company: Company, person: Membership, code: str, window: int, at: datetime) -> ChannelPage | None:
    """The page of the channel with this code, None where there is none; its queries do not grow with its campaigns."""
    channel = roles_selectors.get_channel(company=company, code=code)
    if channel is None:
        return None
    channel.company = company
    today = company.local_date(at)
    span = read_span({}, today)
    desk = open_desk(company=company, channel=channel, person=person, span=span, window=window, today=today)
    result = result_measure(desk)
    days = list(periods.days_between(today - timedelta(days=window), today - timedelta(days=1)))
    waiting = lists.waiting_lines(company=company, person=person, at=at)
    holders = list(roles_selectors.appointments_in_force(company=company, on=today).filter(_of_page(channel)))
    return ChannelPage(
        channel=channel, sees_money=desk.sees_money, span=span, window=window, result=result,
        result_kpi=_name_of_result(desk),
        count=count_of(desk, result),
        deputy=next((row for row in holders if row.channel_id == channel.pk and row.deputy_id), None),
        analysts=[row.person for row in holders if row.role.kind == RoleKind.ANALYST],
        waiting=[line for line in waiting if line.decision.channel_id == channel.pk],
        tiles=channel_tiles.tiles_of(desk, result, span),
        chart=channel_charts.main_chart(desk, result, days),
        minis=channel_charts.minis(desk, result, days),
        campaigns=_campaigns(desk, result, span),
        weeks=_weeks(company, channel, desk, result, at),
        breaches=desk.breaches,
        events=_events(desk, person, [line for line in waiting if line.decision.channel_id == channel.pk], at),
        rules=_rules(desk),
        counts=[(code, desk.measures[code].name) for code in CAMPAIGN_COUNTS],
    )  # fmt: skip


def _name_of_result(desk: Desk) -> str:
    measure = desk.measures.get(desk.channel.result_kpi)
    return measure.name if measure else desk.channel.result_kpi


def _of_page(channel: Channel) -> Q:
    return Q(channel=channel, role__kind=RoleKind.CHANNEL_OWNER) | Q(channel=None, role__kind=RoleKind.ANALYST)


def open_desk(
    *, company: Company, channel: Channel, person: Membership, span: Span, window: int, today: date
) -> Desk:  # fmt: skip
    """What the figures of one channel are made from: enough days for the window and for the month before the span."""
    first = min(periods.add_months(span.start, -1), today - timedelta(days=window) - BEFORE)
    return open_desks(company=company, channels=[channel], person=person, first=first, last=span.end, today=today)[0]


def open_desks(
    *, company: Company, channels: list[Channel], person: Membership, first: date, last: date, today: date
) -> list[Desk]:  # fmt: skip
    """A desk per channel over the facts from `first` on and the targets up to `last`; six queries for any number of them."""
    known = metrics_of(company=company)
    measures = measures_from(known, kpis_of(company=company))
    ids = [channel.pk for channel in channels]
    wanted = needed_metrics(measures, channels)
    cube = load_cube(
        company=company, start=first, end=today - timedelta(days=1), channel_ids=ids,
        metrics={code: info for code, info in known.items() if code in wanted},
    )  # fmt: skip
    targets = load_targets(company=company, start=first, end=last)
    rules = list(stop_rules.rules_in_force(company=company))
    breaches: dict[int, list[Breach]] = defaultdict(list)
    rows = Breach.objects.filter(company=company, channel__in=ids)
    for breach in rows.select_related("rule", "version__kpi", "campaign", "channel").order_by("-opened_on", "-pk"):
        breaches[breach.channel_id].append(breach)
    return [
        Desk(
            company=company, channel=channel, metrics=known, measures=measures, cube=cube, targets=targets,
            rules=[rule for rule in rules if covers(rule, channel)], breaches=breaches[channel.pk],
            sees_money=person.can(Permission.VIEW_MONEY, channel),
        )
        for channel in channels
    ]  # fmt: skip


def needed_metrics(measures: dict[str, Measure], channels: list[Channel]) -> set[str]:
    """Codes of the metrics that the pages of these channels show: the fewer columns are read, the sooner."""
    found = {"spend", "gross_profit", *channel_tiles.COUNTS}
    for channel in channels:
        result = measures.get(channel.result_kpi)
        if result is not None:
            found |= result.formula.metrics
            step = channel_charts.step_above(measures, channel_charts.counted(measures, result))
            found |= step.formula.metrics if step else set()
    return found


def covers(rule: StopRuleVersion, channel: Channel) -> bool:
    """Does the rule look at the channel or at its campaigns?"""
    if rule.channel_id is not None:
        return rule.channel_id == channel.pk
    return rule.channel_kind in {"", channel.kind}


def result_measure(desk: Desk) -> Measure:
    """The channel's result KPI; where it tells of hidden money, the count it is spread over."""
    chosen = desk.measures.get(desk.channel.result_kpi) or desk.measures["leads"]
    return chosen if desk.may_show(chosen) else count_of(desk, chosen)


def _campaigns(desk: Desk, result: Measure, span: Span) -> list[CampaignRow]:
    codes = {"spend", "gross_profit", "leads", "qualified_leads", "deals", *result.formula.metrics}
    cube = load_cube(
        company=desk.company, start=span.start, end=span.until, channel_ids=[desk.channel.pk], campaigns=True,
        metrics={code: desk.metrics[code] for code in codes},
    )  # fmt: skip
    goal = desk.targets.value(result.code, channel_id=desk.channel.pk, start=span.start, end=span.until)
    return campaign_rows(
        company=desk.company,
        channel=desk.channel,
        measure=result,
        goal=goal if result.is_kpi else None,
        cube=cube,
        span=span,
    )


def _shared(desk: Desk, reports: list[WeeklyReport], at: datetime) -> Shared | None:
    """What the figures of these weeks are made from, as far as the desk has read it already."""
    if not reports:
        return None
    weeks, company = [report.week for report in reports], desk.company
    cube = load_cube(
        company=company, start=min(weeks), end=periods.week_end(max(weeks)), channel_ids=[desk.channel.pk],
        metrics=desk.metrics,
    )  # fmt: skip
    firing = [breach for breach in desk.breaches if breach.closed_on is None and not breach.muted]
    return shared_from(desk.metrics, desk.measures, cube, firing, company.local_date(at))


def _weeks(company: Company, channel: Channel, desk: Desk, result: Measure, at: datetime) -> list[WeekLine]:
    count = count_of(desk, result).code
    found = []
    reports = weeks_of_channel(company=company, channel=channel, n=WEEKS, at=at)
    for row in rows_of(company=company, found=reports, at=at, shared=_shared(desk, reports, at)):
        lines = {line.measure: line for line in row.figures.lines}
        counted, kpi = lines.get(count), lines.get(result.code)
        found.append(
            WeekLine(
                row, counted.plan if counted else None, counted.fact if counted else None,
                kpi.fact if kpi and result.code != count else None,
            )
        )  # fmt: skip
    return found


def _rules(desk: Desk) -> list[RuleLine]:
    """Rules in force that look at the channel or at its campaigns, the firing ones first."""
    states: dict[int, list[str]] = defaultdict(list)
    rows = RuleState.objects.filter(company=desk.company, channel=desk.channel, version__superseded_at=None)
    for version_id, state in rows.values_list("version_id", "state"):
        states[version_id].append(state)
    opened = {breach.rule_id: breach.opened_on for breach in reversed(desk.breaches) if breach.closed_on is None}
    order = {state: index for index, state in enumerate(("firing", "no_data", "pending", "muted", "recovering"))}
    lines = []
    for version in desk.rules:
        state = min(states.get(version.pk, ["ok"]), key=lambda code: order.get(code, len(order)))
        measure = desk.measures.get(version.kpi.code)
        hidden = measure is not None and not desk.may_show(measure)
        sentence = version.name if hidden else str(stop_rules.rule_sentence(version))
        lines.append(RuleLine(version, sentence, state, opened.get(version.rule_id)))
    return sorted(lines, key=lambda line: (order.get(line.state, len(order)), line.version.rule.number))


def _events(desk: Desk, person: Membership, waiting: list[lists.WaitingLine], at: datetime) -> list[Event]:
    """What waits, fired and was decided here, the newest first."""
    found = [
        Event(breach.detected_at, "stop", _("%(rule)s has fired") % {"rule": breach.rule}, _fired(desk, breach), None)
        for breach in desk.breaches[:LOG_LINES]
    ]
    log = decision_log(company=desk.company, channel=desk.channel)[:LOG_LINES]
    for line in lists.log_lines(decisions=log, person=person):
        decision = line.decision
        mark = "stop" if decision.choice == "stop" else "go" if line.title else ""
        text = decision.reason if line.title else decision.closed_note
        found.append(
            Event(
                decision.effective_at or decision.signed_at or decision.opened_at, mark,
                line.title or decision.get_state_display(), text or str(decision), decision.pk,
            )
        )  # fmt: skip
    found.sort(key=lambda event: event.at, reverse=True)
    asked = [
        Event(at, "next", _("Waits for a decision"), str(line.row.decider or line.decision), line.decision.pk)
        for line in waiting
    ]
    return asked + found[:LOG_LINES]


def _fired(desk: Desk, breach: Breach) -> str:
    """Days and values of the breach, `CPA 4 900, 5 300, 5 750 ₽`; only its days where the money is hidden."""
    days = formats.days(breach.first_day, breach.opened_on)
    measure = desk.measures.get(breach.version.kpi.code)
    subject = f"{breach.campaign}. " if breach.campaign_id else ""
    if measure is None or not desk.may_show(measure):
        return f"{subject}{days}"
    daily = {} if breach.campaign_id else desk.cube.daily(measure.formula, desk.channel.pk)
    values = [daily[day].value for day in map(date.fromisoformat, breach.days) if day in daily]
    figures = [formats.figure(value, measure.unit, desk.company.currency) for value in values if value is not None]
    return f"{subject}{measure.name}, {days}" + (f": {', '.join(figures)}" if figures else "")


@dataclass(frozen=True)
class MapRow:
    """A channel on the map over the last 28 full days: `leads`, CPL and the result KPI None where unknown or hidden."""

    channel: Channel
    sees_money: bool
    leads: Decimal | None
    cpl: Decimal | None
    conversion: Decimal | None
    result: Measure | None
    value: Decimal | None
    state: str


@dataclass(frozen=True)
class ChannelMap:
    start: date
    end: date
    groups: list[tuple[Channel.Kind, list[MapRow]]]


def channel_map(*, company: Company, person: Membership, at: datetime, days: int = 28) -> ChannelMap:
    """Every channel by kind with owner, coordinator, result KPI, priority; the number of queries is constant."""
    end = company.local_date(at) - timedelta(days=1)
    start = end - timedelta(days=days - 1)
    known = metrics_of(company=company)
    measures = measures_from(known, kpis_of(company=company))
    cube = load_cube(company=company, start=start, end=end, metrics=known)
    states = stop_rules.states_by_channel(company=company)
    grouped: dict[str, list[MapRow]] = defaultdict(list)
    for channel in roles_selectors.channels(company=company):
        sees = person.can(Permission.VIEW_MONEY, channel)
        grouped[channel.kind].append(_map_row(channel, sees, known, measures, cube, states.get(channel.pk)))
    return ChannelMap(start, end, [(kind, grouped[kind]) for kind in Channel.Kind if grouped[kind]])


def _map_row(channel: Channel, sees: bool, known, measures: dict[str, Measure], cube, ruled: str | None) -> MapRow:
    def value(code: str) -> Decimal | None:
        measure = measures.get(code)
        if measure is None or (not sees and _tells_of_money(measure, known)):
            return None
        return cube.kpi(measure.formula, channel_ids=[channel.pk]).value

    result = measures.get(channel.result_kpi)
    return MapRow(
        channel=channel, sees_money=sees, leads=value("leads"), cpl=value("cpl"), conversion=value("lead_rate"),
        result=result, value=value(channel.result_kpi),
        state=ruled if channel.is_running and ruled else ("ok" if channel.is_running else channel.status),
    )  # fmt: skip


def _tells_of_money(measure: Measure, known) -> bool:
    return any(known[code].unit == "money" for code in measure.formula.metrics if code in known)
