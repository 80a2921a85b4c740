"""The decisions of the sample company: a year of them with what came of each, and those that wait or run now.

Everything goes through the same services as a real company's day, in the order of the days and with their moments.
"""

from datetime import date, timedelta
from decimal import Decimal

from kpis import evaluation
from mops.demo.founding import Sample
from processes import reviews
from processes import services as processes
from processes.models import Action, Decision, Review
from processes.terms import Terms
from roles.models import Campaign
from roles.services import campaigns, channels

STOP_WEEK = (243, 236)
"""Days before the anchor on which VK was stopped by a signed decision: no figures then."""
LEARNT = {
    "came_true": "Прогноз держится: цифры там, где ждали.",
    "partly": "Стало дешевле, но не настолько: прогноз был смелее, чем позволял рынок.",
    "no": "Не сбылось: ждали, что вернётся само. В следующий раз режем сразу.",
    "cannot_tell": "Дней с данными мало, вернёмся к этому на сессии.",
}
"""What is written under a review, by the verdict that the figures propose."""


def evaluate(sample: Sample, day: date, hour: int = 6) -> list[Decision]:
    """The morning's evaluation of a day, the decisions it opens, and what is to be followed up."""
    at = sample.at(day, hour, 10)
    evaluation.evaluate_company(company=sample.company, at=at, today=day)
    opened = processes.open_decisions(company=sample.company, at=at)
    reviews.follow_up(company=sample.company, at=at)
    return opened


def decide_the_past(sample: Sample) -> None:
    """A stop, two rewrites and an override with its second signature, each on the day its rule fired, all reviewed since."""
    _stop_vk(sample, _ago(sample, 243))
    _rewrite_avito(sample, _ago(sample, 215))
    _continue_vk(sample, _ago(sample, 146))
    _rewrite_vk(sample, _ago(sample, 42))


def live_the_last_weeks(sample: Sample) -> None:
    """Every morning of the last weeks: an override whose review waits, one that runs, and questions nobody has answered."""
    for back in (17, 16, 15, *range(9, 0, -1)):
        day = _ago(sample, back)
        evaluate(sample, day)
        _answer(sample, "direct" if back > 9 else "avito", day)


def _answer(sample: Sample, code: str, day: date) -> None:
    """Let a channel go on, once: its first open question."""
    channel = sample.channels[code]
    recent = Decision.objects.filter(
        company=sample.company, channel=channel, opened_at__gt=sample.at(_ago(sample, 30), 0)
    )
    waiting = recent.filter(state=Decision.State.OPEN).first()
    if waiting is None or recent.exclude(signed_by=None).exists():
        return
    reason, days, expected = {
        "direct": ("Конкуренты распродают остатки до конца недели, ставки вернутся.", 8, 3_300),
        "avito": ("Площадка меняет выдачу: ждём возврата показов, объявления обновлены.", 11, 3_000),
    }[code]
    _go_on(sample, waiting, day, days, reason, expected)


def _ago(sample: Sample, days: int) -> date:
    return sample.anchor - timedelta(days=days)


def _waiting(sample: Sample, code: str) -> Decision:
    return Decision.objects.get(company=sample.company, channel=sample.channels[code], state=Decision.State.OPEN)


def _stop_vk(sample: Sample, day: date) -> None:
    evaluate(sample, day)
    decision = processes.sign_decision(
        company=sample.company, decision=_waiting(sample, "vk"), by=sample.people["cmo"], at=sample.at(day, 16), choice="stop",
        reason="Объявления выгорели: показы дорожают, заявки нет. Останавливаем на неделю и готовим новые.",
        terms=Terms(
            resume_on=day + timedelta(days=7), expected_value=Decimal(3_400), expected_on=day + timedelta(days=22),
            expected="Новые объявления заменят выгоревшие",
        ),
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
    evaluate(sample, back)
    _judge(sample, decision, "owner")


def _rewrite_avito(sample: Sample, day: date) -> None:
    evaluate(sample, day)
    decision = _rewrite(
        sample, _waiting(sample, "avito"), day, author="avito", expected=2_400,
        reason="Заголовки обещают «от 90 тысяч», звонят не наши клиенты.", done="Заголовки и цены переписаны",
    )  # fmt: skip
    _judge(sample, decision, "cmo")


def _rewrite_vk(sample: Sample, day: date) -> None:
    """The CMO deputises the channel's owner, so the owner of the company signs second."""
    evaluate(sample, day)
    decision = _rewrite(
        sample, _waiting(sample, "vk"), day, author="content", expected=3_300,
        reason="Ролики «Замер за день» досматривают, но заявок не оставляют: переписываем первый экран.",
        done="Новый первый экран и три объявления",
    )  # fmt: skip
    _judge(sample, decision, "cmo")


def _rewrite(
    sample: Sample, decision: Decision, day: date, *, author: str, expected: int, reason: str, done: str
) -> Decision:  # fmt: skip
    decision = processes.sign_decision(
        company=sample.company, decision=decision, by=sample.people["cmo"], at=sample.at(day, 12), choice="rewrite",
        reason=reason, terms=Terms(
            assignee=sample.people[author].pk, due=day + timedelta(days=3), expected_value=Decimal(expected),
            expected_on=day + timedelta(days=12),
        ),
    )  # fmt: skip
    decision = _second_signature(sample, decision, day)
    for action in Action.objects.filter(company=sample.company, decision=decision):
        at = sample.at(day + timedelta(days=2), 15)
        processes.close_action(company=sample.company, by=sample.people[author], at=at, action=action, note=done)
        action.refresh_from_db()
        processes.accept_rewrite(
            company=sample.company, by=sample.people["cmo"], at=at + timedelta(hours=2), action=action
        )
    return decision


def _continue_vk(sample: Sample, day: date) -> None:
    evaluate(sample, day)
    decision = _go_on(
        sample, _waiting(sample, "vk"), day, 5, "Сезон отпусков: заявки вернутся с понедельника, новые аудитории уже запущены.",
        3_300,
    )  # fmt: skip
    evaluate(sample, day + timedelta(days=12))
    _judge(sample, decision, "owner")


def _go_on(sample: Sample, decision: Decision, day: date, days: int, reason: str, expected: int) -> Decision:
    until = day + timedelta(days=days)
    decision = processes.sign_decision(
        company=sample.company, decision=decision, by=sample.people["cmo"], at=sample.at(day, 11), choice="continue",
        reason=reason, terms=Terms(until=until, expected_value=Decimal(expected), expected_on=until),
    )  # fmt: skip
    decision = _second_signature(sample, decision, day)
    if until < sample.anchor:
        _close_actions(sample, decision, "performance", until)
    return decision


def _second_signature(sample: Sample, decision: Decision, day: date) -> Decision:
    """The CMO deputises the owner of the paid channels: then the owner of the company signs second."""
    if decision.state != Decision.State.WAITING_COSIGN:
        return decision
    return processes.cosign_decision(
        company=sample.company, decision=decision, by=sample.people["owner"], at=sample.at(day, 18),
        reason="До этого дня, не дольше",
    )  # fmt: skip


def _close_actions(sample: Sample, decision: Decision, code: str, day: date) -> None:
    for action in Action.objects.filter(company=sample.company, decision=decision):
        processes.close_action(
            company=sample.company,
            by=sample.people[code],
            at=sample.at(day, 17),
            action=action,
            note="Сделано в кабинете",
        )


def _judge(sample: Sample, decision: Decision, code: str) -> None:
    """The review on its day, by the figures of that day."""
    at = sample.at(decision.review_on, 10)
    reviews.open_due(company=sample.company, at=at)
    review = Review.objects.get(company=sample.company, decision=decision)
    review.decision = processes.selectors.read_decision(company=sample.company, pk=decision.pk)
    _forecast, fact = reviews.outlook(decision=review.decision, at=at)
    reviews.close_review(
        company=sample.company, review=review, by=sample.people[code], at=at + timedelta(hours=1), verdict=fact["proposed"],
        note=LEARNT[fact["proposed"]],
    )  # fmt: skip
