"""The whole life of a decision through the real pipeline: waiting, overrides and their rounds, late data, reviews, the account.

A bad day is 8 leads at 4 900 ₽: (4 900 − 3 500) · 8 = 11 200 ₽ over the line.
"""

from datetime import timedelta
from decimal import Decimal

import pytest

from kpis.models import Breach
from mops.models import Notification
from processes import account_page, escalation, ledger, overrides, reviews, selectors
from processes.models import Decision, Review
from processes.reviews import MayNotReview, ReviewClosed, close_review
from roles.models import Appointment, AuditEvent, Channel
from roles.refusals import Refused

from .road import BAD, GOOD, Road


@pytest.fixture
def road(acme):
    acme.company.language = "ru"
    return Road(acme)


def told(road, person, key) -> list[str]:
    rows = Notification.objects.filter(company=road.company, person=person, key__startswith=key)
    return [row.text.replace("\xa0", " ") for row in rows]


# ------------------------------------------------------------------ nobody decides
def test_waiting_is_recalled_with_the_money_and_never_becomes_consent(road):
    Appointment.objects.filter(person=road.made.cmo).update(deputy=road.made.pm)
    decision = road.burn()
    road.load(17, BAD)
    road.run(18, 7)
    first = f"decision-waits:{decision.pk}:24"
    assert told(road, road.made.owner, first) == []
    (text,) = told(road, road.made.cmo, first)
    assert "за время ожидания: 11 200 ₽, с начала нарушения: 44 800 ₽" in text

    road.load(18, BAD)
    road.run(19, 7)
    second = f"decision-waits:{decision.pk}:48"
    for person in (road.made.cmo, road.made.pm, road.made.owner):
        (text,) = told(road, person, second)
        assert "за время ожидания: 22 400 ₽, с начала нарушения: 56 000 ₽" in text
    assert told(road, road.made.performance, "decision-waits") == []

    road.live(20, 34, BAD)
    assert road.rounds() == [(1, "open")]
    assert Channel.objects.get(pk=road.made.vk.pk).status == "active"


def test_money_is_not_told_to_who_may_not_see_it(road):
    Appointment.objects.filter(person=road.made.cmo).update(deputy=road.made.content)
    decision = road.burn()
    road.load(17, BAD)
    road.run(19, 7)

    (text,) = told(road, road.made.content, f"decision-waits:{decision.pk}:48")
    assert "₽" not in text


def test_a_missed_deadline_is_counted_for_whoever_was_awaited(road):
    decision = road.burn()
    road.run(18, 6)
    assert escalation.deadlines(company=road.company, person=road.made.cmo, at=road.at(18, 6)).everybody.due == 0

    at = road.run(18, 7)
    found = escalation.deadlines(company=road.company, person=road.made.cmo, at=at)
    assert (found.everybody.waiting, found.everybody.in_time, found.mine.waiting) == (1, 0, 1)
    assert Decision.objects.get(pk=decision.pk).awaited == road.made.cmo
    assert AuditEvent.objects.filter(verb="miss_decision_deadline").count() == 1

    road.sign(20, "stop", by=road.made.owner)
    found = escalation.deadlines(company=road.company, person=road.made.owner, at=road.at(21))
    assert (found.everybody.late, found.everybody.waiting, found.everybody.rate) == (1, 0, 0)
    assert found.mine.due == 0


def test_a_decision_in_time_is_its_signers(road):
    road.burn()
    road.sign(17, "stop")
    found = escalation.deadlines(company=road.company, person=road.made.cmo, at=road.at(19))

    assert (found.everybody.in_time, found.mine.in_time, found.mine.rate) == (1, 1, 1)
    assert escalation.deadlines(company=road.company, person=road.made.cmo, at=road.at(120)).everybody.due == 0


def test_a_breach_that_ends_by_itself_leaves_its_question_until_the_next_one(road):
    """Never consent by silence: the question stays; when the rule fires anew the old one is withdrawn, unsigned and counted."""
    first = road.burn()
    road.live(18, 22, GOOD)
    assert Breach.objects.get().closed_as == "recovered"
    assert road.rounds() == [(1, "open")]

    road.live(23, 25, BAD)
    assert road.rounds() == [(1, "withdrawn"), (1, "open")]
    first.refresh_from_db()
    assert "закончилось само" in first.closed_note
    found = escalation.deadlines(company=road.company, person=None, at=road.at(25)).everybody
    assert (found.ended, found.missed) == (1, 1)


# ------------------------------------------------------------------ going on
def test_an_override_counts_its_days_and_its_rounds_go_to_the_owner(road):
    road.burn()
    road.sign(17, "continue", until=road.day(20))
    road.live(18, 19, BAD)
    (runs,) = overrides.running(company=road.company, person=road.made.cmo, at=road.at(19))
    assert (runs.day, runs.days, runs.paid) == (3, 4, Decimal(11_200))
    assert overrides.running(company=road.company, person=road.made.content, at=road.at(19))[0].paid is None

    road.live(20, 21, BAD)
    assert road.rounds() == [(1, "signed")]
    road.live(22, 23, BAD)
    assert road.rounds() == [(1, "signed"), (2, "open")]
    assert overrides.running(company=road.company, person=road.made.cmo, at=road.at(23)) == []

    road.sign(23, "continue", until=road.day(25))
    road.live(24, 28, BAD)
    third = road.decision(3)
    assert road.rounds() == [(1, "signed"), (2, "signed"), (3, "open")]
    assert third.breach_id == road.decision(1).breach_id
    assert told(road, road.made.owner, "event:")
    with_owner = road.sign(28, "continue", until=road.day(30))
    assert (with_owner.state, with_owner.cosigner) == ("waiting_cosign", "owner")


def test_an_override_ends_with_its_extra_spend(road):
    """39 200 ₽ a day: after the third day since the signature 100 000 ₽ are gone."""
    road.burn()
    road.sign(17, "continue", extra_spend=Decimal(100_000))
    assert road.decision().terms["until"] == road.day(31).isoformat()
    road.live(18, 19, BAD)
    (runs,) = overrides.running(company=road.company, person=road.made.cmo, at=road.at(19))
    assert (runs.extra, runs.spent) == (Decimal(100_000), Decimal(78_400))
    assert road.rounds() == [(1, "signed")]

    road.live(20, 24, BAD)
    assert road.rounds() == [(1, "signed"), (2, "open")]


def test_nobody_goes_on_for_more_than_fourteen_days(road):
    road.burn()
    with pytest.raises(Refused):
        road.sign(17, "continue", until=road.day(32))

    assert road.sign(17, "continue", until=road.day(31)).state == "signed"


# ------------------------------------------------------------------ late data
def test_late_data_of_an_open_question_must_be_read(road):
    road.burn()
    road.load(15, BAD, leads=20)
    road.run(17, 9)
    decision = selectors.get_decision(company=road.company, pk=road.decision().pk)
    assert selectors.evidence_changed(decision)
    with pytest.raises(Refused) as refused:
        road.sign(17, "continue", until=road.day(20))
    assert refused.value.errors[0].code == "evidence_changed"

    assert road.sign(17, "continue", until=road.day(20), seen=True).state == "signed"


def changed(road) -> list[Review]:
    return list(Review.objects.filter(company=road.company, kind="data_changed").order_by("pk"))


def test_late_data_of_a_signed_decision_opens_one_review_and_rewrites_nothing(road):
    decision = road.burn()
    road.sign(17, "stop")
    before = Decision.objects.filter(pk=decision.pk).values().get()
    road.load(15, BAD, leads=20)
    road.run(18)
    road.run(19)

    (review,) = changed(road)
    assert (review.state, review.due_on) == ("open", road.day(18))
    was, now = ([row["denominator"] for row in side["days"]] for side in (review.forecast, review.fact))
    assert (was, now) == (["8", "8", "8"], ["8", "20", "8"])
    assert (review.forecast["value"], review.fact["value"]) == ("4900", "3266.666667")
    assert (review.fact["proposed"], review.fact["because"]) == ("no", "not_beyond")
    assert Decision.objects.filter(pk=decision.pk).values().get() == before
    assert len(told(road, road.made.cmo, "event:")) >= 1

    close_review(
        company=road.company, review=review, by=road.made.owner, at=road.at(19), verdict="no", note="Заявки дошли позже"
    )
    road.run(20)
    assert len(changed(road)) == 1
    road.load(15, BAD, leads=40)
    road.run(21)
    assert [row.state for row in changed(road)] == ["done", "open"]


def test_a_small_or_an_old_change_opens_no_review(road):
    road.burn()
    road.sign(17, "stop")
    road.load(15, BAD + 200)
    road.run(18)
    assert changed(road) == []

    road.run(47)
    road.load(15, BAD, leads=20)
    road.run(48)
    assert changed(road) == []


def test_figures_that_are_gone_open_a_review(road):
    from kpis.models import DailyFact

    road.burn()
    road.sign(17, "stop")
    DailyFact.objects.filter(day=road.day(15)).delete()
    road.run(18)

    (review,) = changed(road)
    assert [row["numerator"] for row in review.fact["days"]] == ["39200", None, "39200"]


# ------------------------------------------------------------------ reviews
def test_a_review_opens_on_its_day_and_keeps_what_it_saw(road):
    road.burn()
    road.sign(17, "continue", until=road.day(22), expected_value=Decimal(3000), expected_on=road.day(24))
    road.live(18, 23, GOOD)
    assert not Review.objects.exists()
    road.live(24, 25, GOOD)

    review = Review.objects.get()
    assert (review.kind, review.state, review.due_on) == ("due", "open", road.day(24))
    assert told(road, road.made.cmo, "event:")
    with pytest.raises(MayNotReview):
        close(road, review, by=road.made.performance)
    with pytest.raises(Refused):
        close(road, review, note=" ")
    with pytest.raises(Refused):
        close(road, review, verdict="perhaps")
    close(road, review)

    review.refresh_from_db()
    assert (review.verdict, review.reviewed_by, review.state) == ("came_true", road.made.owner, "done")
    assert review.forecast["value"] == "3000"
    assert (review.fact["value"], review.fact["days"]) == ("2900", 6)
    assert (review.fact["proposed"], review.fact["because"]) == ("came_true", "reached")
    with pytest.raises(ReviewClosed):
        close(road, review)
    road.load(20, BAD)
    assert Review.objects.get().fact["value"] == "2900"


def close(road, review, *, by=None, verdict="came_true", note="Сбылось, как ждали"):
    return close_review(
        company=road.company, review=review, by=by or road.made.owner, at=road.at(25, 12), verdict=verdict, note=note
    )


def test_a_superseded_decision_is_not_reviewed(road):
    road.burn()
    decision = road.sign(17, "stop", resume_on=road.day(20))
    Decision.objects.filter(pk=decision.pk).update(state="superseded")
    road.run(21)

    assert not Review.objects.exists()


def test_what_waits_for_a_review_stands_on_todays_page_of_the_signer(road, sign_in, monkeypatch):
    from django.utils import timezone

    road.burn()
    road.sign(17, "stop", resume_on=road.day(20))
    road.run(20)
    monkeypatch.setattr(timezone, "now", lambda: road.at(20, 12))

    def page(person):
        return sign_in(person).get(f"/c/{road.company.slug}/reports/today/").content.decode()

    assert "Разобрать решение: VK Реклама" in page(road.made.cmo)
    assert "Разобрать решение" not in page(road.made.owner)


# ------------------------------------------------------------------ the account
def entry(road, offset):
    rows = selectors.decisions(company=road.company).filter(state="signed").order_by("pk")
    return ledger.entries(company=road.company, decisions=rows, at=road.at(offset))


def test_the_account_of_a_stop_until_it_runs_again(road):
    """Three bad days and the day of the stop: 44 800 lost; 11 200 kept on each of the three silent days 18–20."""
    road.burn()
    road.load(17, BAD)
    road.sign(17, "stop")
    road.run(18)
    (found,) = entry(road, 19)
    assert (found.account.lost, found.account.kept, found.account.net) == (44_800, 11_200, 11_200)

    Channel.objects.filter(pk=road.made.vk.pk).update(status="active")
    road.run(21)
    for offset in range(21, 26):
        road.load(offset, GOOD)
    road.run(26)
    (found,) = entry(road, 26)
    assert (found.account.days, found.account.silent, found.account.net) == (3, 3, 33_600)
    assert (found.before, found.after, found.under, found.after_days) == (4900, 2900, 5, 5)
    assert found.to_decide == timedelta(hours=5, minutes=30)
    assert found.to_act is None


def test_the_rounds_of_an_override_count_no_day_twice(road):
    """Round 1 takes effect on day 17 and ends on day 20; round 2 opens on day 22 and stops on it."""
    road.burn()
    road.sign(17, "continue", until=road.day(20))
    road.live(18, 22, BAD)
    road.load(22, BAD)
    road.sign(22, "stop")
    road.run(24)
    first, second = entry(road, 24)

    assert (first.account.lost, first.account.paid, first.account.days) == (44_800, 33_600, 3)
    assert second.account.lost == 22_400
    assert second.account.days == 1


def test_a_rewrite_is_counted_until_it_recovers(road):
    """Day 18 is as bad as before, 19 and 20 are good: 4 800 below the line each, 16 000 better than 11 200 above."""
    road.burn()
    road.load(17, BAD)
    road.sign(17, "rewrite", assignee=road.made.content.pk, due=road.day(20))
    road.load(18, BAD)
    for offset in range(19, 30):
        road.load(offset, GOOD)
    road.run(30)
    (found,) = entry(road, 30)

    assert (found.account.last, found.account.days, found.account.kept) == (road.day(20), 3, 32_000)


def test_the_page_of_the_account_adds_up(road):
    road.burn()
    road.load(17, BAD)
    road.sign(17, "stop")
    road.run(20)
    page = account_page.account_page(company=road.company, label="2026-Q4", at=road.at(20))

    assert [quarter.label for quarter in page.quarters] == ["2026-Q4", "2026-Q3", "2026-Q2", "2026-Q1"]
    assert page.chosen.sheet.total.net == sum(line.net for line in page.lines) == 22_400
    assert [(channel.code, sheet.total.net) for channel, sheet in page.channels] == [("vk", 22_400)]
    total = account_page.quarter_total(company=road.company, day=road.day(20), at=road.at(20))
    assert total == page.chosen.sheet.total
    empty = account_page.account_page(company=road.company, label="2026-Q3", at=road.at(20))
    assert (empty.chosen.label, empty.lines, empty.chosen.sheet.total.net) == ("2026-Q3", [], None)


def test_a_decision_of_another_company_is_in_nobody_elses_account(road, rival):
    other = Road(rival)
    other.burn()
    other.sign(17, "stop")

    assert account_page.account_page(company=road.company, label="", at=road.at(20)).lines == []
    assert reviews.open_due(company=road.company, at=road.at(60)) == []


def test_a_campaign_decided_apart_is_counted_once(road):
    """One campaign is the whole channel: stopped apart, then with its channel, its money stands in one account only."""
    from kpis.models import DailyFact, StopRuleVersion
    from roles.models import Campaign

    from .conftest import add_rule

    campaign = Campaign.objects.create(company=road.company, channel=road.made.vk, external_id="a", name="Поиск")
    by_campaign = add_rule(road.made, number=2)
    StopRuleVersion.objects.filter(pk=by_campaign.pk).update(per="campaign", approved_at=road.at(0))
    for offset in range(17):
        road.load(offset, BAD if offset > 13 else GOOD)
    DailyFact.objects.update(campaign_id=campaign.pk)
    road.run(17)
    whole, part = Decision.objects.filter(company=road.company).order_by("campaign__pk")
    whole, part = (part, whole) if whole.campaign_id else (whole, part)
    road.sign(17, "stop", decision=part)
    road.sign(18, "stop", decision=whole)
    road.run(30)

    rows = list(selectors.decisions(company=road.company).order_by("pk"))
    both = {
        row.decision.campaign_id: row for row in ledger.entries(company=road.company, decisions=rows, at=road.at(30))
    }
    alone, apart = both[campaign.pk].account, both[None].account
    assert alone.net == 11_200  # its day is over when the channel stops around it
    assert (alone.lost, apart.lost) == (3 * 11_200, 0)
    assert (apart.net, both[None].apart) == (11 * 11_200, ("Поиск",))
    (one,) = ledger.entries(
        company=road.company, decisions=[row for row in rows if not row.campaign_id], at=road.at(30)
    )
    assert one.account == apart
