"""What the slides of a week say: one per channel in the order of the summary, then the summary of the CMO. No drawing here.

Money is in full units of the company's currency. Nothing is reckoned anew: the figures are those of the report pages and of
the summary page.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from processes.models import Action, Decision
from processes.wording import choice_title
from reports.models import Meeting
from reports.selectors.channel import open_desks, result_measure
from reports.selectors.channel_charts import Chart, Desk, main_chart
from reports.selectors.figures import Line
from reports.selectors.summary import ChannelMoney, Summary, week_summary
from reports.selectors.weekly import ReportRow, actions_of, reports_of_week
from reports.slides.seen import lines_for, summary_for
from roles import formats
from roles.models import Company, Membership
from roles.permissions import Permission

CHART_DAYS = 28
"""Days up to the last settled one: four of the same weekdays show whether a week is unusual."""


@dataclass(frozen=True)
class ByDay:
    """The channel's result KPI day by day; None where a day is unknown. `line` is the stop-rule's, `goal` the plan's."""

    name: str
    unit: str
    days: list[date]
    values: list[Decimal | None]
    goal: Decimal | None
    line: Decimal | None


@dataclass(frozen=True)
class ChannelSlide:
    """One channel: its money as the title, plan and fact, conclusion, actions, decisions (`waiting`: those that nobody has
    signed yet). The KPI by day is made from the `desk` over the `days` when a file or a screen asks for it."""

    money: ChannelMoney
    title: str
    bad: bool
    state: str
    lines: list[Line]
    conclusion: str
    actions: list[str]
    decided: list[Decision]
    desk: Desk
    days: list[date]

    def by_day(self) -> ByDay | None:
        """The result KPI as values; None where nothing of it is known on any of the days."""
        measure, desk = result_measure(self.desk), self.desk
        daily = desk.cube.daily(measure.formula, desk.channel.pk)
        values = [daily[day].value for day in self.days]
        if all(value is None for value in values):
            return None
        rule = desk.line_of(measure.code)
        goal = desk.goal(measure, self.days[0], self.days[-1]) if measure.is_kpi else None
        return ByDay(str(measure.name), measure.unit, self.days, values, goal, rule.line if rule else None)

    def drawing(self) -> Chart | None:
        """The same for a screen."""
        return main_chart(self.desk, result_measure(self.desk), self.days)

    @property
    def decisions(self) -> list[str]:
        return [decision_words(decision) for decision in self.decided]

    @property
    def waiting(self) -> list[Decision]:
        return [decision for decision in self.decided if decision.is_open]

    @property
    def asks(self) -> bool:
        """Does the meeting have something to decide here, or to ask for?"""
        return bool(self.waiting) or self.money.is_missing


@dataclass(frozen=True)
class Deck:
    """All slides of a week (its Monday) as one person may see them, and the meeting that goes through them.

    `sees_money`: of the whole company; of a channel its desk says it.
    """

    company: Company
    summary: Summary
    title: str
    channels: list[ChannelSlide]
    sees_money: bool

    @property
    def meeting(self) -> Meeting:
        return self.summary.meeting

    @property
    def period(self) -> str:
        return formats.days(self.summary.week, self.summary.sunday)


def deck_of(*, company: Company, person: Membership, week: date, at: datetime) -> Deck:
    """The slides of a week as of a moment, without the money that `person` may not see; the number of queries does not depend
    on the number of channels."""
    summary = summary_for(person, week_summary(company=company, week=week, at=at))
    rows = {row.report.channel_id: row for row in reports_of_week(company=company, week=week, at=at)}
    promised = _promised(company, rows, summary)
    decided: dict[int, list[Decision]] = defaultdict(list)
    for decision in summary.decisions:
        decided[decision.channel_id or decision.campaign.channel_id].append(decision)
    today = company.local_date(at)
    days = _days(summary, today)
    desks = open_desks(
        company=company, channels=[row.channel for row in summary.channels], person=person, first=days[0],
        last=summary.sunday, today=today,
    )  # fmt: skip
    channels = [
        _channel(money, _lines(person, money, rows), desk, days, promised, decided[money.channel.pk])
        for money, desk in zip(summary.channels, desks, strict=True)
    ]
    sees_money = person.can(Permission.VIEW_MONEY)
    title = _title(summary, company.currency) if sees_money else _("What the channels concluded and promised")
    return Deck(company, summary, title, channels, sees_money)


def _lines(person: Membership, money: ChannelMoney, rows: dict[int, ReportRow]) -> list[Line]:
    row = rows.get(money.channel.pk)
    return lines_for(person, money, row.figures.lines) if row else []


def _promised(company: Company, rows: dict[int, ReportRow], summary: Summary) -> dict[int, list[Action]]:
    """Actions by the id of their report; those of the summary, which have read their owners."""
    known = {action.pk: action for action in summary.actions}
    found = actions_of(company=company, reports=[row.report for row in rows.values()])
    return {pk: [known[action.pk] for action in actions if action.pk in known] for pk, actions in found.items()}


def _title(summary: Summary, currency: str) -> str:
    if summary.earned is None:
        return _("What the week earned is not known yet")
    said = _("Over the week we earned %(money)s") % {"money": formats.money(summary.earned, currency)}
    if summary.romi is not None:
        said = _("%(said)s with ROMI %(romi)s") % {"said": said, "romi": formats.percent(summary.romi)}
    if summary.of_plan is not None:
        said += " — " + _("%(share)s of plan") % {"share": formats.percent(summary.of_plan)}
    return said


def _channel(
    money: ChannelMoney, lines: list[Line], desk: Desk, days: list[date], promised: dict, decided: list[Decision]
) -> ChannelSlide:
    title = _channel_title(money, desk.company.currency) if desk.sees_money else money.channel.name
    return ChannelSlide(
        money=money, title=title, bad=money.tone == "bad",
        state=_state(money), lines=lines, conclusion=money.conclusion,
        actions=[_action(action) for action in promised.get(money.report_id, ())],
        decided=decided, desk=desk, days=days,
    )  # fmt: skip


def _channel_title(money: ChannelMoney, currency: str) -> str:
    values = {"channel": money.channel.name, "money": formats.money(money.earned, currency)}
    if money.earned is None:
        return _("%(channel)s: what it earned is not known yet") % values
    verb = _("%(channel)s earned %(money)s") if money.earned >= 0 else _("%(channel)s lost %(money)s")
    if money.earned < 0:
        values["money"] = formats.money(-money.earned, currency)
    said = verb % values
    if money.plan is None:
        return said
    return _("%(said)s, plan %(plan)s") % {"said": said, "plan": formats.money(money.plan, currency)}


def _state(money: ChannelMoney) -> str:
    if money.is_missing:
        return _("the report is not there")
    return "" if money.channel.is_running else money.channel.get_status_display()


def _days(summary: Summary, today: date) -> list[date]:
    """Up to the week's last settled day; of a week to come up to yesterday."""
    last = min(summary.last or summary.week - timedelta(days=1), today - timedelta(days=1))
    return [last - timedelta(days=back) for back in range(CHART_DAYS - 1, -1, -1)]


def _action(action: Action) -> str:
    return _("%(text)s — %(owner)s, %(day)s") % {
        "text": action.text, "owner": action.owner.user.short_name, "day": formats.day(action.due_on, year=False),
    }  # fmt: skip


def decision_words(decision: Decision) -> str:
    """What was decided and by whom, or that it waits."""
    if not decision.choice:
        return _("%(decision)s waits: %(subject)s") % {"decision": decision, "subject": decision.subject.name}
    said = f"{choice_title(decision.choice)}: {decision.subject.name}"
    if decision.reason:
        said += f". {decision.reason}"
    return f"{said} — {decision.signed_by.user.short_name}" if decision.signed_by else said
