"""The owner's letter on Friday evening and the director's before the stand-up: once, at their moment, never empty."""

from datetime import UTC, datetime, timedelta

import pytest

from kpis.services.facts import record_facts
from mops.models import Delivery, Notification
from mops.notifications import digests
from reports.services import schedule
from tests.mops.conftest import MONDAY, make_decision, make_report


def at(made, days: int, hour: int, minute: int = 0) -> datetime:
    local = datetime.combine(MONDAY + timedelta(days=days), datetime.min.time(), tzinfo=made.company.zone)
    return local.replace(hour=hour, minute=minute).astimezone(UTC)


@pytest.fixture
def week(acme):
    record_facts(
        company=acme.company, by=acme.analyst, at=at(acme, 4, 9), source_code="crm",
        rows=[{"channel": "vk", "date": MONDAY.isoformat(), "spend": 1000, "gross_profit": 3000}],
    )  # fmt: skip
    make_report(acme)
    make_report(acme, acme.blog, timeliness="on_time", fact_submitted_at=at(acme, 4, 15), fact_submitted_by=acme.content,
                state="submitted")  # fmt: skip
    return acme


def test_the_owner_hears_on_friday_evening_who_is_silent(week):
    make_decision(week)
    assert digests.send(week.company, at(week, 4, 18, 29)) == 0
    assert digests.send(week.company, at(week, 4, 18, 30)) == 1

    letter = Notification.objects.get(key="digest:2026-W47")
    assert letter.person == week.owner
    assert "2 000" in letter.title.replace("\xa0", " ")
    assert "200" in letter.title
    assert "Молчат: VK Реклама" in letter.text
    assert "1 из 2" in letter.text.replace("\xa0", " ")
    assert "Ждут решения: 1" in letter.text
    assert Delivery.objects.filter(notification=letter).count() == 1


def test_once_however_often_it_is_asked_and_not_the_day_after(week):
    digests.send(week.company, at(week, 4, 18, 30))
    assert digests.send(week.company, at(week, 4, 19)) == 0
    Notification.objects.all().delete()
    assert digests.send(week.company, at(week, 5, 9)) == 0


def test_the_director_hears_on_monday_that_the_summary_is_due(week):
    digests.send(week.company, at(week, 7, 9, 30))

    letter = Notification.objects.get(key="summary:2026-W47")
    assert letter.person == week.cmo
    assert "Сводка ещё не написана" in letter.text


def test_an_empty_week_and_a_week_of_rest_write_nothing(acme):
    assert digests.send(acme.company, at(acme, 4, 18, 30)) == 0
    make_report(acme)
    schedule.set_company_days(
        company=acme.company, by=acme.pm, at=at(acme, -3, 9), first=MONDAY, last=MONDAY + timedelta(days=4)
    )
    assert digests.send(acme.company, at(acme, 4, 18, 30)) == 0
    assert not Notification.objects.exists()
