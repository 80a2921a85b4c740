"""One report as its page shows it: figures, promises, actions, and what this person may do with it now."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from kpis.charts import Plot, line_plot
from kpis.models import Breach
from kpis.selectors.targets import load_targets
from processes.models import Action, Decision
from reports import filing
from reports.models import FigureDispute, WeeklyReport
from reports.selectors.amendments import Amendment, amendments_of
from reports.selectors.figures import Figures, Line, Shared, figures_of, shared_of
from reports.selectors.promises import actions_of_report, promises_of
from reports.selectors.weekly import Part, fact_part, get_report, plan_part
from roles import formats
from roles.models import Company, Membership
from roles.permissions import Permission

State = WeeklyReport.State
PLOT_DAYS = 14


@dataclass(frozen=True)
class ReportPage:
    """Everything on the page of a report, as one person sees it at one moment."""

    report: WeeklyReport
    figures: Figures
    promises: list[Action]
    actions: list[Action]
    before: WeeklyReport | None
    plan: Part
    fact: Part
    person: Membership
    at: datetime
    plot: Plot | None
    decision: Decision | None
    disputes: list[FigureDispute]

    @cached_property
    def lines(self) -> list[Line]:
        """Lines that this person may see: money of other people's channels is left out."""
        if self.sees_money:
            return self.figures.lines
        return [line for line in self.figures.lines if not line.about_money]

    @property
    def sees_money(self) -> bool:
        return self.person.can(Permission.VIEW_MONEY, self.report.channel_id)

    @property
    def plain_rows(self) -> list[tuple]:
        """Lines without inputs, for those who only read."""
        return [(line, None) for line in self.lines]

    @property
    def plain_items(self) -> list[tuple]:
        return [(item, None) for item in self.figures.items]

    @property
    def words_are_shown(self) -> bool:
        """A conclusion is read by others once it is filed."""
        return self.may_file or self.report.fact_submitted_at is not None

    @property
    def sunday(self) -> date:
        return self.report.week + timedelta(days=6)

    @property
    def today(self) -> date:
        return self.report.company.local_date(self.at)

    @property
    def open_promises(self) -> list[Action]:
        return [action for action in self.promises if action.state == Action.State.OPEN]

    @property
    def part_due(self) -> str:
        return "plan" if self.at < self.report.fact_opens_at else "fact"

    @property
    def is_closed(self) -> bool:
        return filing.is_closed(self.report, self.at)

    @property
    def plan_is_frozen(self) -> bool:
        return filing.plan_is_frozen(self.report, self.at)

    @property
    def may_file(self) -> bool:
        return self.person.can(Permission.SUBMIT_REPORT, self.report.channel_id)

    @property
    def may_edit_plan(self) -> bool:
        return self.may_file and not self.is_closed

    @property
    def is_amendment(self) -> bool:
        """The plan is filed and frozen: what changes now is an amendment."""
        return self.plan_is_frozen and self.report.plan_submitted_at is not None

    @cached_property
    def amendments(self) -> list[Amendment]:
        """What was changed in the plan since it froze, step by step."""
        return amendments_of(report=self.report, lines=self.lines) if self.plan_is_frozen else []

    @property
    def last_amendment(self) -> Amendment | None:
        return self.amendments[-1] if self.amendments else None

    @property
    def may_draft_plan(self) -> bool:
        return self.may_edit_plan and not self.plan_is_frozen

    @property
    def may_edit_fact(self) -> bool:
        return self.may_file and filing.may_edit_fact(self.report, self.at)

    @property
    def fact_is_open(self) -> bool:
        return self.at >= self.report.fact_opens_at

    @property
    def may_review(self) -> bool:
        return self.person.can(Permission.REVIEW_REPORT)

    @property
    def may_accept(self) -> bool:
        own = self.report.fact_submitted_by_id == self.person.pk
        return self.may_review and not self.is_closed and self.report.state == State.SUBMITTED and not own

    @property
    def may_return(self) -> bool:
        return self.may_review and not self.is_closed and self.report.state in {State.SUBMITTED, State.ACCEPTED}

    @property
    def may_reopen(self) -> bool:
        return self.may_review and self.is_closed

    @property
    def on_behalf(self) -> bool:
        """Would this person file on behalf of the channel's holder?"""
        return self.may_file and not filing.holds_channel(self.person, self.report.channel_id)

    @property
    def is_late(self) -> bool:
        """Is the fact past its deadline and not filed yet?"""
        return self.at > self.report.fact_due_at and self.report.fact_submitted_at is None

    @property
    def plan_is_late(self) -> bool:
        return self.plan_is_frozen and self.report.plan_submitted_at is None

    def left(self, due_at: datetime) -> timedelta:
        """Time to a deadline, or since it."""
        return abs(due_at - self.at)

    @property
    def plan_left(self) -> timedelta:
        return self.left(self.report.plan_due_at)

    @property
    def fact_left(self) -> timedelta:
        return self.left(self.report.reopened_until or self.report.fact_due_at)

    @property
    def disputed(self) -> list[tuple[FigureDispute, Line | None]]:
        """Disputes with the line they are about; None for a measure that is not shown any more."""
        lines = {line.measure: line for line in self.lines}
        return [(row, lines[row.measure]) for row in self.disputes if row.measure in lines]

    @property
    def may_dispute(self) -> bool:
        return self.may_file and not self.is_closed and any(line.from_data for line in self.lines)

    @property
    def default_owner(self) -> int | None:
        return self.report.channel.owner_id


def report_page(*, company: Company, person: Membership, pk: int, at: datetime) -> ReportPage | None:
    """The page of a report; None when the company has none with this id."""
    report = get_report(company=company, pk=pk)
    if report is None:
        return None
    before = WeeklyReport.objects.filter(
        company=company, channel=report.channel_id, week=report.week - timedelta(weeks=1)
    ).first()
    first, _last = plot_days(report, company.local_date(at))
    shared = shared_of(
        company=company, channel_ids=[report.channel_id], start=min(first, report.week),
        end=report.week + timedelta(days=6), at=at,
    )  # fmt: skip
    breach = _open_breach(shared, report)
    return ReportPage(
        report=report,
        figures=figures_of(company=company, reports=[report], at=at, shared=shared)[report.pk],
        promises=list(promises_of(company=company, report=report)),
        actions=list(actions_of_report(company=company, report=report)),
        before=before,
        plan=plan_part(report, at),
        fact=fact_part(report, at),
        person=person,
        at=at,
        plot=result_plot(company=company, report=report, shared=shared, breach=breach),
        decision=_open_decision(breach),
        disputes=list(disputes_of(report)),
    )


def disputes_of(report: WeeklyReport) -> QuerySet[FigureDispute]:
    """Figures of a report that somebody doubts, the oldest first, with the task's state and answer."""
    return FigureDispute.objects.filter(company=report.company_id, report=report).select_related(
        "action__owner__user", "opened_by__user"
    )


def plot_days(report: WeeklyReport, today: date) -> tuple[date, date]:
    """The last settled days of the report's week and as many before as make two weeks."""
    last = min(report.week + timedelta(days=6), today - timedelta(days=1))
    return last - timedelta(days=PLOT_DAYS - 1), last


def _open_breach(shared: Shared, report: WeeklyReport) -> Breach | None:
    """The channel's open breach whose rule is about its result KPI, else any other of the channel."""
    found = [breach for breach in shared.breaches if breach.channel_id == report.channel_id]
    about_result = (breach for breach in found if breach.version.kpi.code == report.channel.result_kpi)
    return next(about_result, found[0] if found else None)


def _open_decision(breach: Breach | None) -> Decision | None:
    if breach is None:
        return None
    return Decision.objects.filter(company=breach.company_id, breach=breach, state__in=Decision.UNDECIDED).first()


def result_plot(*, company: Company, report: WeeklyReport, shared: Shared, breach: Breach | None) -> Plot | None:
    """The channel's result KPI by day, two weeks; None without any figure."""
    kpi = shared.measures.get(report.channel.result_kpi)
    if kpi is None:
        return None
    first, last = plot_days(report, shared.today)
    daily = shared.cube.daily(kpi.formula, report.channel_id)
    values = {day: value.value for day, value in daily.items() if first <= day <= last}
    known = [value for value in values.values() if value is not None]
    if not known:
        return None
    goal = load_targets(company=company, start=first, end=last).value(
        kpi.code, channel_id=report.channel_id, start=first, end=last
    )
    about = breach if breach and breach.version.kpi.code == kpi.code and breach.campaign_id is None else None
    figures = [formats.figure(value, kpi.unit, company.currency) for value in (min(known), max(known))]
    days = {"name": kpi.name, "channel": report.channel.name, "days": formats.days(first, last)}
    return line_plot(
        list(values), list(values.values()), kpi.unit,
        title=_("%(name)s, %(channel)s, by day") % days,
        desc=_("%(days)s: from %(low)s to %(high)s.") % {**days, "low": figures[0], "high": figures[1]},
        goal=goal, line=about.version.line if about else None,
        breach_days=[date.fromisoformat(day) for day in about.days] if about else (), size="m",
    )  # fmt: skip
