"""What happened in the sample company: decisions of the past year, the weeks of reports, and the breach that burns now.

Everything goes through the same services as a real company's day, with the moments of that day.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal

from kpis import evaluation
from mops.demo import people as cast
from mops.demo.founding import Sample
from processes import services as processes
from processes.models import Action, Decision
from processes.terms import Terms
from reports.deadlines import deadlines
from reports.filing import ActionDraft, FactDraft, ItemDraft, PlanDraft, Promise
from reports.models import WeeklyReport
from reports.services import fact, plan, review, weekly
from roles.models import Campaign, Membership
from roles.services import campaigns, channels

WEEKS = 8
STOP_WEEK = (243, 236)
"""Days before the anchor on which VK was stopped by a signed decision: no figures then."""


def evaluate(sample: Sample, day: date, hour: int = 6) -> list[Decision]:
    """The morning's evaluation of a day, and the decisions it opens."""
    at = sample.at(day, hour, 10)
    evaluation.evaluate_company(company=sample.company, at=at, today=day)
    return processes.open_decisions(company=sample.company, at=at)


def decide_the_past(sample: Sample) -> None:
    """A stop, a rewrite and an override with its second signature, each on the day its rule fired."""
    _stop_vk(sample, sample.anchor - timedelta(days=243))
    _rewrite_avito(sample, sample.anchor - timedelta(days=215))
    _continue_vk(sample, sample.anchor - timedelta(days=146))


def _waiting(sample: Sample, code: str) -> Decision:
    return Decision.objects.get(company=sample.company, channel=sample.channels[code], state=Decision.State.OPEN)


def _stop_vk(sample: Sample, day: date) -> None:
    evaluate(sample, day)
    decision = processes.sign_decision(
        company=sample.company, decision=_waiting(sample, "vk"), by=sample.people["cmo"], at=sample.at(day, 16), choice="stop",
        reason="Объявления выгорели: показы дорожают, заявки нет. Останавливаем на неделю и готовим новые.",
        terms=Terms(resume_on=day + timedelta(days=7), expected="CPA не выше 3 100 ₽ через две недели"),
    )  # fmt: skip
    _close_actions(sample, decision, "performance", day)
    back = day + timedelta(days=8)
    sample.channels["vk"].refresh_from_db()
    channels.update_channel(
        company=sample.company, by=sample.people["pm"], at=sample.at(back, 9), today=back, channel=sample.channels["vk"],
        status="active", reason="Новые объявления готовы",
    )  # fmt: skip
    for campaign in Campaign.objects.filter(company=sample.company, channel=sample.channels["vk"], status="stopped"):
        campaigns.set_campaign_status(
            company=sample.company, by=sample.people["pm"], at=sample.at(back, 9), campaign=campaign, status="active",
            reason="Новые объявления готовы",
        )  # fmt: skip


def _rewrite_avito(sample: Sample, day: date) -> None:
    evaluate(sample, day)
    decision = processes.sign_decision(
        company=sample.company, decision=_waiting(sample, "avito"), by=sample.people["cmo"], at=sample.at(day, 12),
        choice="rewrite", reason="Заголовки обещают «от 90 тысяч», звонят не наши клиенты.",
        terms=Terms(assignee=sample.people["avito"].pk, due=day + timedelta(days=3), expected="CPA ниже 2 400 ₽"),
    )  # fmt: skip
    done = day + timedelta(days=2)
    for action in Action.objects.filter(company=sample.company, decision=decision):
        processes.close_action(
            company=sample.company, by=sample.people["avito"], at=sample.at(done, 15), action=action,
            note="Заголовки и цены переписаны",
        )  # fmt: skip
        action.refresh_from_db()
        processes.accept_rewrite(company=sample.company, by=sample.people["cmo"], at=sample.at(done, 17), action=action)


def _continue_vk(sample: Sample, day: date) -> None:
    """The CMO deputises the channel's owner, so the owner of the company signs second."""
    evaluate(sample, day)
    decision = processes.sign_decision(
        company=sample.company, decision=_waiting(sample, "vk"), by=sample.people["cmo"], at=sample.at(day, 11),
        choice="continue", reason="Сезон отпусков: заявки вернутся с понедельника, новые аудитории уже запущены.",
        terms=Terms(until=day + timedelta(days=5)),
    )  # fmt: skip
    if decision.state == Decision.State.WAITING_COSIGN:
        processes.cosign_decision(
            company=sample.company, decision=decision, by=sample.people["owner"], at=sample.at(day, 18),
            reason="Пять дней, не больше",
        )  # fmt: skip
    _close_actions(sample, decision, "performance", day + timedelta(days=5))
    evaluate(sample, day + timedelta(days=12))


def _close_actions(sample: Sample, decision: Decision, code: str, day: date) -> None:
    for action in Action.objects.filter(company=sample.company, decision=decision):
        processes.close_action(
            company=sample.company,
            by=sample.people[code],
            at=sample.at(day, 17),
            action=action,
            note="Сделано в кабинете",
        )


def live_the_weeks(sample: Sample, now: datetime) -> None:
    """Eight weeks of plans and facts up to this moment: mostly on time, one late plan, one missed fact."""
    monday = sample.anchor - timedelta(days=sample.anchor.weekday())
    for back in range(WEEKS, -1, -1):
        week = monday - timedelta(weeks=back)
        times = deadlines(week, sample.company.zone)
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
            plan=PlanDraft(items=[ItemDraft(text=text, expected=Decimal(expected))]),
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
