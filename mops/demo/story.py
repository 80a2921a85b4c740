"""The weeks of reports of the sample company, through the same services as a real company's week, with its moments."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from mops.demo import people as cast
from mops.demo.founding import Sample
from processes.models import Action
from reports.filing import ActionDraft, FactDraft, ItemDraft, PlanDraft, Promise
from reports.models import WeeklyReport
from reports.selectors.calendar import week_book
from reports.services import fact, plan, review, weekly
from roles.models import Membership

WEEKS = 8


def live_the_weeks(sample: Sample, now: datetime) -> None:
    """Eight weeks of plans and facts up to this moment: mostly on time, one late plan, one missed fact."""
    monday = sample.anchor - timedelta(days=sample.anchor.weekday())
    book = week_book(company=sample.company)
    for back in range(WEEKS, -1, -1):
        week = monday - timedelta(weeks=back)
        times = book.deadlines(week)
        if times.plan_opens_at > now:
            break
        # The first week is opened on its own Monday: opened on Thursday, the week before it would stand there as missed.
        opened = sample.at(week, 8) if back == WEEKS else times.plan_opens_at + timedelta(minutes=1)
        weekly.run_week(company=sample.company, at=opened)
        _file_plans(sample, week, times.plan_due_at, now, back)
        if times.fact_opens_at <= now:
            weekly.run_week(company=sample.company, at=times.fact_opens_at + timedelta(minutes=1))
            _file_facts(sample, week, times.fact_due_at, now, back)
        if times.locks_at <= now:
            _accept(sample, week, times.locks_at - timedelta(minutes=90))
            weekly.run_week(company=sample.company, at=times.locks_at + timedelta(minutes=1))


def _reports(sample: Sample, week: date) -> list[WeeklyReport]:
    return list(WeeklyReport.objects.filter(company=sample.company, week=week).select_related("channel"))


def _holder(sample: Sample, report: WeeklyReport) -> Membership:
    return next(person for person in sample.people.values() if person.pk == report.channel.owner_id)


def _file_plans(sample: Sample, week: date, due: datetime, now: datetime, back: int) -> None:
    for number, report in enumerate(_reports(sample, week)):
        at = due - timedelta(minutes=80 - 7 * number)
        if report.channel.code == "avito" and back in {0, 3}:
            at = due + timedelta(minutes=35)
        if at > now:
            continue
        text, expected = cast.PROMISES[report.channel.code]
        plan.submit_plan(
            company=sample.company, by=_holder(sample, report), at=at, report=report,
            plan=PlanDraft(items=[ItemDraft(text=text, expected=Decimal(expected), clause=cast.SERVES[report.channel.code])]),
            reason="Ждали цены от площадки" if at > due else "",
        )  # fmt: skip


def _file_facts(sample: Sample, week: date, due: datetime, now: datetime, back: int) -> None:
    for number, report in enumerate(_reports(sample, week)):
        code = report.channel.code
        at = due - timedelta(minutes=150 - 14 * number)
        if code == "maps" and back == 2:
            at = due + timedelta(hours=14)
        if at > now or (code == "blog" and back == 1) or (code in {"vk", "avito", "site"} and back == 0):
            continue
        fact.submit_fact(
            company=sample.company, by=_holder(sample, report), at=at, report=report,
            fact=_fact_draft(sample, report, at),
        )  # fmt: skip


def _fact_draft(sample: Sample, report: WeeklyReport, at: datetime) -> FactDraft:
    code, holder = report.channel.code, _holder(sample, report)
    cause, conclusion = cast.CONCLUSIONS[code]
    day = sample.company.local_date(at)
    promised = Action.objects.filter(
        company=sample.company, channel=report.channel, state=Action.State.OPEN, decision=None
    )
    _text, expected = cast.PROMISES[code]
    return FactDraft(
        cause=cause, conclusion=conclusion, late_reason="waiting",
        actions=[ActionDraft(text=cast.ACTIONS[code], owner_id=holder.pk, due_on=day + timedelta(days=6))],
        promises=[Promise(action_id=action.pk, mark="done") for action in promised],
        actuals={item.pk: Decimal(expected - 1) for item in report.plan_items.all()},
    )  # fmt: skip


def _accept(sample: Sample, week: date, at: datetime) -> None:
    for report in _reports(sample, week):
        if report.state == WeeklyReport.State.SUBMITTED:
            review.accept_report(company=sample.company, by=sample.people["cmo"], at=at, report=report)
