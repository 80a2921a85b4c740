"""The weeks of reports of the sample company, through the same services as a real company's week, with its moments."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from mops.demo import people as cast
from mops.demo.founding import Sample
from processes.models import Action
from reports.filing import ActionDraft, FactDraft, ItemDraft, PlanDraft, Promise
from reports.models import WeeklyReport
from reports.selectors.calendar import week_book
from reports.services import disputes, fact, plan, review, weekly
from roles.models import Membership
from roles.services import people

WEEKS = 8
VACATION, HOLE, FILLED_AFTER, FIRST_MOVE = 2, 1, 3, 3
"""How many weeks before the present one the designer's friend was away, the blog said nothing, the site was filled after the
lock, and an action of Avito was moved for the first time (then every week)."""


def live_the_weeks(sample: Sample, now: datetime) -> None:
    """Eight weeks of plans and facts up to this moment: mostly on time; one plan late, one fact missed, one filled after, one excused, one plan amended, one figure disputed, one action moved three times."""
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
        if back == VACATION:
            _go_away(sample, week)
        if back == 0:
            _amend(sample, week, times.plan_due_at + timedelta(hours=26), now)
        if times.fact_opens_at <= now:
            weekly.run_week(company=sample.company, at=times.fact_opens_at + timedelta(minutes=1))
            _file_facts(sample, week, times.fact_due_at, now, back)
        if times.locks_at <= now:
            _accept(sample, week, times.locks_at - timedelta(minutes=90))
            weekly.run_week(company=sample.company, at=times.locks_at + timedelta(minutes=1))
            if back == FILLED_AFTER:
                _fill_after(sample, week, times.locks_at)
        if back == 0 and times.fact_opens_at + timedelta(hours=1) <= now:
            _dispute(sample, week, times.fact_opens_at + timedelta(hours=1))


SILENT = {("blog", HOLE), ("pr", VACATION), ("site", FILLED_AFTER), ("vk", 0), ("avito", 0), ("site", 0)}
"""(channel, weeks before the present one) of the facts that are not filed in time."""


def _go_away(sample: Sample, week: date) -> None:
    """A vacation entered beforehand by somebody without a deputy: the fact of this week is excused."""
    people.add_absence(
        company=sample.company, by=sample.people["pr"], at=sample.at(week, 15), person=sample.people["pr"],
        starts_on=week + timedelta(days=2), ends_on=week + timedelta(days=8), reason="Отпуск",
    )  # fmt: skip


def _amend(sample: Sample, week: date, at: datetime, now: datetime) -> None:
    """A plan changed after its deadline: both stay visible."""
    report = next(report for report in _reports(sample, week) if report.channel.code == "direct")
    if at <= now and report.plan_submitted_at:
        leads = report.plan_lines.get(measure="leads").value
        plan.amend_plan(
            company=sample.company, by=_holder(sample, report), at=at, report=report,
            values={"leads": (leads * Decimal("1.05")).quantize(Decimal(1))}, reason="Добавили бюджет на ретаргетинг",
        )  # fmt: skip


def _fill_after(sample: Sample, week: date, locked: datetime) -> None:
    """A missed fact that was filled after the lock: its week stays missed."""
    report = next(report for report in _reports(sample, week) if report.channel.code == "site")
    review.reopen_report(
        company=sample.company, by=sample.people["cmo"], at=locked + timedelta(hours=1), report=report,
        reason="Нужен вывод по форме на телефоне",
    )  # fmt: skip
    at = locked + timedelta(hours=3)
    report.refresh_from_db()
    fact.submit_fact(
        company=sample.company, by=_holder(sample, report), at=at, report=report,
        fact=_fact_draft(sample, report, at, FILLED_AFTER),
    )  # fmt: skip
    weekly.run_week(company=sample.company, at=locked + timedelta(hours=26))


def _dispute(sample: Sample, week: date, at: datetime) -> None:
    report = next(report for report in _reports(sample, week) if report.channel.code == "direct")
    disputes.dispute_figure(
        company=sample.company, by=_holder(sample, report), at=at, report=report, measure="deals",
        note="В CRM два договора от четверга без источника",
    )  # fmt: skip


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
        if at > now or (code, back) in SILENT:
            continue
        fact.submit_fact(
            company=sample.company, by=_holder(sample, report), at=at, report=report,
            fact=_fact_draft(sample, report, at, back),
        )  # fmt: skip


def _fact_draft(sample: Sample, report: WeeklyReport, at: datetime, back: int) -> FactDraft:
    code, holder = report.channel.code, _holder(sample, report)
    cause, conclusion = cast.CONCLUSIONS[code]
    day = sample.company.local_date(at)
    promised = Action.objects.filter(
        company=sample.company, channel=report.channel, state=Action.State.OPEN, decision=None, dispute=None
    ).order_by("pk")
    _text, expected = cast.PROMISES[code]
    return FactDraft(
        cause=cause, conclusion=conclusion, late_reason="waiting",
        actions=[ActionDraft(text=cast.ACTIONS[code], owner_id=holder.pk, due_on=day + timedelta(days=6))],
        promises=[
            Promise(action.pk, "move", day + timedelta(days=6))
            if code == "avito" and 0 < back <= FIRST_MOVE and number == 0
            else Promise(action.pk, "done")
            for number, action in enumerate(promised)
        ],
        actuals={item.pk: Decimal(expected - 1) for item in report.plan_items.all()},
    )  # fmt: skip


def _accept(sample: Sample, week: date, at: datetime) -> None:
    for report in _reports(sample, week):
        if report.state == WeeklyReport.State.SUBMITTED:
            review.accept_report(company=sample.company, by=sample.people["cmo"], at=at, report=report)
