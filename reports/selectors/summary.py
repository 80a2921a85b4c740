"""The CMO's summary of a week: the money, the channels by money off plan, missing reports, decisions, actions."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.db.models import Q

from kpis import bullets, formulas
from kpis.selectors.cube import Cube, load_cube
from kpis.selectors.measures import funnel_of, measures_of
from kpis.selectors.targets import TargetBook, load_targets
from processes.models import Action, Decision
from reports.deadlines import Deadlines, local_monday, moment, settled_days
from reports.models import Meeting, WeekSummary
from reports.selectors.calendar import week_book
from reports.selectors.carried import stuck_actions
from reports.selectors.figures import settled
from reports.selectors.meetings import meeting_of
from reports.selectors.weekly import Discipline, Part, discipline
from roles.models import Channel, Company

EARNED = formulas.parse("gross_profit - spend")
ROMI = formulas.parse("(gross_profit - spend) / spend")
FIGURES = ("revenue", "spend", "qualified_leads", "cpa", "deals", "drr")


@dataclass(frozen=True)
class Restated:
    """What a figure was known to be when the summary was written, and what the same days give now."""

    was: Decimal
    now: Decimal | None


@dataclass(frozen=True)
class SummaryFigure:
    """One figure of the whole company: value and plan of the settled days, None where unknown.

    `restated`: where the same days gave another value when the summary was written.
    """

    code: str
    name: str
    unit: str
    better: str | None
    value: Decimal | None
    plan: Decimal | None
    is_kpi: bool
    restated: Restated | None = None


@dataclass(frozen=True)
class ChannelMoney:
    """A channel in the summary: earned = gross profit − spend in money; `plan` is that of the settled days."""

    channel: Channel
    earned: Decimal | None
    romi: Decimal | None
    plan: Decimal | None
    metrics: dict[str, Decimal | None]
    conclusion: str
    fact: Part | None
    report_id: int | None
    restated: Restated | None = None

    @property
    def off(self) -> Decimal | None:
        """Money over (+) or under (−) plan."""
        return None if self.earned is None or self.plan is None else self.earned - self.plan

    @property
    def tone(self) -> str:
        """How the figure is coloured, by the rule of the bar beside it: "" | care | bad. What misses a plan that is not above
        zero is held against its size."""
        if self.off is None or self.off >= 0:
            return ""
        return bullets.tone(bullets.plan_state(1 + float(self.off / abs(self.plan)) if self.plan else 0.0))

    @property
    def is_missing(self) -> bool:
        return self.fact is not None and self.fact.kind in {"overdue", "missed"}

    @property
    def rank(self) -> tuple:
        """Missing reports first, then the most money under plan, unknown ones last."""
        return not self.is_missing, self.off is None, self.off or 0, self.channel.position, self.channel.name


@dataclass(frozen=True)
class Summary:
    """Everything that the summary page and its API show. `last` is the last settled day, None before there is one."""

    week: date
    days: int
    last: date | None
    earned: Decimal | None
    romi: Decimal | None
    plan: Decimal | None
    left_out: int
    figures: list[SummaryFigure]
    channels: list[ChannelMoney]
    decisions: list[Decision]
    actions: list[Action]
    discipline: Discipline
    words: WeekSummary | None
    meeting: Meeting
    """The stand-up on the week."""
    moments: Deadlines
    stuck: list[Action]
    """Actions that were moved three times and wait for a choice."""
    funnel: list[tuple[str, Decimal | None]]
    """(metric code, sum) from the top down."""
    restated: Restated | None = None
    """What was earned."""

    @property
    def sunday(self) -> date:
        return self.week + timedelta(days=6)

    @property
    def missing(self) -> list[ChannelMoney]:
        return [row for row in self.channels if row.is_missing]

    @property
    def off(self) -> Decimal | None:
        """Money over (+) or under (−) plan."""
        return None if self.earned is None or self.plan is None else self.earned - self.plan

    @property
    def of_plan(self) -> Decimal | None:
        """Earned as a share of plan; None without a plan above zero."""
        return None if self.earned is None or not self.plan or self.plan < 0 else self.earned / self.plan


def summary_week(*, company: Company, at: datetime) -> date:
    """The week whose summary is looked at now: the oldest one that is not locked, weeks of rest left out."""
    monday = local_monday(at, company.zone)
    waiting = [
        week
        for week, moments in week_book(company=company).weeks_around(at, at)
        if week < monday and at < moments.locks_at and not moments.rests
    ]
    return waiting[0] if waiting else monday


def words_of(*, company: Company, week: date) -> WeekSummary | None:
    return WeekSummary.objects.filter(company=company, week=week).select_related("written_by__user").first()


def week_summary(*, company: Company, week: date, at: datetime) -> Summary:
    """The summary of a week (its Monday) as of a moment. The number of queries does not depend on the number of channels."""
    days = settled_days(week, company.local_date(at))
    last = week + timedelta(days=max(days, 1) - 1)
    channels = list(
        Channel.objects.filter(company=company).exclude(status=Channel.Status.PLANNED).select_related("owner__user")
    )
    cube = load_cube(company=company, start=week, end=last)
    targets = load_targets(company=company, start=week, end=last)
    kept = discipline(company=company, week=week, at=at)
    words = words_of(company=company, week=week)
    told = _told(company, cube, words)
    meeting, moments = meeting_of(company=company, week=week), week_book(company=company).deadlines(week)
    earned, romi = cube.kpi(EARNED, start=week, end=last), cube.kpi(ROMI, start=week, end=last)
    return Summary(
        week=week, days=days, last=last if days else None, earned=earned.value, romi=romi.value,
        plan=planned_earnings(targets, None, week, last) if days else None, left_out=earned.left_out,
        figures=_figures(company, cube, targets, told),
        channels=sorted(_channel_rows(channels, cube, targets, kept, told), key=lambda row: row.rank),
        decisions=_decisions(company, meeting, moments, at), actions=_actions(company, week), discipline=kept,
        words=words, meeting=meeting, moments=moments, restated=told.of(EARNED), stuck=list(stuck_actions(company=company)),
        funnel=list(cube.sums(funnel_of(company=company), start=week, end=last).items()),
    )  # fmt: skip


@dataclass(frozen=True)
class Told:
    """The figures of the week now, and those of the days until `until` as they were known when the summary was written.

    `then` None: it is not written, or no day was over by then.
    """

    now: Cube
    then: Cube | None
    until: date | None

    def of(self, formula: formulas.Formula, channel_ids: list[int] | None = None) -> Restated | None:
        """Where the same days gave another value then; None where they did not, or nothing was known."""
        if self.then is None:
            return None
        was, now = (cube.kpi(formula, channel_ids, end=self.until).value for cube in (self.then, self.now))
        return None if was is None or settled(was) == settled(now) else Restated(was, now)


def _told(company: Company, cube: Cube, words: WeekSummary | None) -> Told:
    """What was known when the summary was written; three queries more once it is."""
    if words is None or words.written_at is None:
        return Told(cube, None, None)
    until = min(cube.end, company.local_date(words.written_at) - timedelta(days=1))
    if until < cube.start:
        return Told(cube, None, None)
    then = load_cube(company=company, start=cube.start, end=until, as_known=words.written_at)
    return Told(cube, then, until)


def planned_earnings(targets: TargetBook, channel_id: int | None, start: date, end: date) -> Decimal | None:
    """Planned gross profit − planned spend of the days; None unless both are planned."""
    profit = targets.value("gross_profit", channel_id=channel_id, start=start, end=end)
    spend = targets.value("spend", channel_id=channel_id, start=start, end=end)
    return None if profit is None or spend is None else profit - spend


def _figures(company: Company, cube: Cube, targets: TargetBook, told: Told) -> list[SummaryFigure]:
    measures, week, last = measures_of(company=company), cube.start, cube.end
    found = []
    for code in FIGURES:
        if measure := measures.get(code):
            value = cube.kpi(measure.formula, start=week, end=last).value
            plan = targets.value(code, start=week, end=last)
            restated = told.of(measure.formula)
            found.append(
                SummaryFigure(
                    code, str(measure.name), measure.unit, measure.better, value, plan, measure.is_kpi, restated
                )
            )
    return [figure for figure in found if figure.value is not None or figure.plan is not None]


METRICS = ("spend", "leads", "qualified_leads", "deals", "revenue", "gross_profit")


def _channel_rows(channels, cube: Cube, targets: TargetBook, kept: Discipline, told: Told):
    week, last = cube.start, cube.end
    reports = {report.channel_id: report for report in kept.reports}
    for channel in channels:
        report = reports.get(channel.pk)
        metrics = cube.sums(METRICS, channel_id=channel.pk, start=week, end=last)
        if report is None and all(value is None for value in metrics.values()):
            continue
        yield ChannelMoney(
            channel=channel,
            earned=cube.kpi(EARNED, channel_ids=[channel.pk], start=week, end=last).value,
            romi=cube.kpi(ROMI, channel_ids=[channel.pk], start=week, end=last).value,
            plan=planned_earnings(targets, channel.pk, week, last),
            metrics=metrics,
            conclusion=report.conclusion if report and report.fact_submitted_at else "",
            fact=kept.parts[report.pk][1] if report else None,
            report_id=report.pk if report else None,
            restated=told.of(EARNED, [channel.pk]),
        )


def _bounds(company: Company, week: date) -> tuple[datetime, datetime]:
    return moment(week, time.min, company.zone), moment(week + timedelta(weeks=1), time.min, company.zone)


def _decisions(company: Company, meeting: Meeting, moments: Deadlines, at: datetime) -> list[Decision]:
    """The decisions of a week, one meaning for the summary and the slides: signed from its Monday until the stand-up on it is
    over; and waiting, asked for before that stand-up's week ends (the last night's figures open some on Monday)."""
    start, end = _bounds(company, meeting.week)
    asked_until = min(max(at, end), end + timedelta(weeks=1))
    signed = Q(signed_at__gte=start, signed_at__lte=_talked_until(meeting, max(end, moments.standup_at), at))
    waiting = Q(state__in=Decision.UNDECIDED, opened_at__lt=asked_until)
    found = Decision.objects.filter(signed | waiting, company=company)
    return list(found.select_related("channel", "campaign__channel", "signed_by__user", "breach__rule"))


def _talked_until(meeting: Meeting, planned: datetime, at: datetime) -> datetime:
    """When the stand-up was over; while it is held, now; one that nobody has held takes place at its hour."""
    if meeting.is_live:
        return at
    return meeting.ended_at or planned


def _actions(company: Company, week: date) -> list[Action]:
    """What the reports of this week promised."""
    return list(
        Action.objects.filter(company=company, report_links__report__week=week)
        .select_related("owner__user", "channel")
        .order_by("due_on", "pk")
        .distinct()
    )
