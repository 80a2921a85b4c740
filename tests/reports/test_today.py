"""Today's page for every kind of person."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kpis.models import DataIncident, StopRule
from processes.services import close_action, create_action
from reports.selectors.today import today_page
from reports.services.weekly import run_week
from roles.models import Channel

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
PATH = "/c/acme/reports/today/"
ABSURD = re.compile(r"999\D{0,7}999")


@pytest.fixture(autouse=True)
def _friday():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def week(fired):
    """Week 47 opened on time; Friday 15:20: the plans are overdue, the facts are open."""
    for at in (NOW - timedelta(days=5), NOW):
        run_week(company=fired.company, at=at)
    return fired


def page_of(lab, person, at=NOW):
    return today_page(company=lab.company, person=person, at=at)


def text_of(response) -> str:
    words = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", words.replace("\u00a0", " "))


def test_channel_owner_sees_reports_actions_and_own_figures(week, acme, sign_in):
    create_action(
        company=acme.company, by=acme.cmo, at=NOW, text="Сменить площадки", owner=acme.performance,
        due_on=date(2026, 11, 24), channel=acme.vk,
    )  # fmt: skip

    page = page_of(week, acme.performance)

    # The plan of week 47 is overdue, its fact is due today, the plan of week 48 on Monday.
    assert [item.due_at.day for item in page.due] == [16, 20, 23]
    assert len(page.overdue) == 1
    assert len(page.due_today) == 1
    assert page.nearest == timedelta(hours=2, minutes=40)
    assert [line.action.text for line in page.actions] == ["Сменить площадки"]
    (mine,) = page.mine
    assert (mine.channel, mine.state) == (acme.vk, "firing")
    cells = {cell.name: (cell.value.replace("\u00a0", " "), cell.bad) for cell in mine.cells}
    assert cells["CPA"] == ("5 351 ₽", True)
    assert cells["Заявки"] == ("29", False)
    assert cells["Сверх допуска"] == ("53 690 ₽", True)
    assert [mark.number for mark in mine.plot.breaches] == [1, 2, 3, 4]
    assert page.waiting == page.late == page.sources == page.incidents == []
    assert page.earnings is None
    text = text_of(sign_in(acme.performance).get(PATH))
    assert "Сегодня до 18:00 — 1 дело" in text
    assert "Пятница, 20.11.2026, неделя 47" in text
    assert not ABSURD.search(text)


def test_director_decides_and_accepts(week, acme, sign_in):
    page = page_of(week, acme.cmo)

    decide = [item for item in page.due if item.url_name == "processes:decision-detail"]
    assert len(decide) == 1
    assert decide[0].due_at < NOW  # opened on the 19th at 06:10, a day was given
    assert page.waiting == []  # it stands among the things that are due, once
    assert page.earnings.earned == Decimal(19 * 30_000 - 15 * 27_000 - 155_190 - 19 * 100)
    assert {late.report.channel.code for late in page.late} == {"vk", "blog"}
    text = text_of(sign_in(acme.cmo).get(PATH))
    assert "Решить: VK Реклама" in text
    assert "В ноябре" in text


def test_owner_sees_what_waits_and_the_money(week, acme, sign_in):
    page = page_of(week, acme.owner)

    assert [line.decision.channel for line in page.waiting] == [acme.vk]
    assert page.burned == 53_690
    assert page.mine == []
    assert "53 690 ₽" in text_of(sign_in(acme.owner).get(PATH))


def test_after_two_days_the_owner_is_asked_too(week, acme):
    director, owner = (page_of(week, person, at=NOW + timedelta(days=2)) for person in (acme.cmo, acme.owner))

    asked = [item for page in (director, owner) for item in page.due if item.url_name == "processes:decision-detail"]
    assert len(asked) == 1


def test_project_manager_sees_who_is_late(week, acme, sign_in):
    page = page_of(week, acme.pm)

    assert sorted((late.report.channel.code, late.what) for late in page.late) == [("blog", "план"), ("vk", "план")]
    assert "Не сдано в срок: 2" in text_of(sign_in(acme.pm).get(PATH))


def test_analyst_sees_silent_sources_and_incidents(week, acme, sign_in):
    rule = StopRule.objects.get(company=acme.company)
    DataIncident.objects.create(
        company=acme.company, channel=acme.blog, rule=rule, first_day=date(2026, 11, 17), last_day=date(2026, 11, 19),
        opened_at=NOW,
    )  # fmt: skip
    later = NOW + timedelta(days=6)

    page = page_of(week, acme.analyst, at=later)

    assert [(row.source.code, row.state) for row in page.sources] == [("crm", "silent")]
    assert [incident.channel for incident in page.incidents] == [acme.blog]
    assert "Цифры не приходят" in text_of(sign_in(acme.analyst).get(PATH))
    assert page_of(week, acme.performance, at=later).sources == []


def test_contractor_sees_own_tasks_and_nothing_else(week, acme, sign_in):
    for owner, text in ((acme.contractor, "Нарисовать баннер"), (acme.performance, "Чужое дело")):
        create_action(company=acme.company, by=acme.cmo, at=NOW, text=text, owner=owner, due_on=date(2026, 11, 24))

    response = sign_in(acme.contractor).get(PATH)

    text = text_of(response)
    assert response.status_code == 200
    assert "Нарисовать баннер" in text
    for hidden in ("Чужое дело", "53 690", "₽", "VK Реклама", "Блог", "Каналы"):
        assert hidden not in text


def test_done_actions_leave_the_page(week, acme):
    action = create_action(
        company=acme.company, by=acme.cmo, at=NOW, text="Дело", owner=acme.performance, due_on=date(2026, 11, 24)
    )
    close_action(company=acme.company, by=acme.performance, at=NOW, action=action, done=True)

    page = page_of(week, acme.performance)

    assert page.actions == []
    assert page.actions_count == 0


def test_a_quiet_day_says_so(acme, sign_in):
    text = text_of(sign_in(acme.content).get(PATH))

    assert "На сегодня сроков нет" in text
    assert "Вас ничего не ждёт" in text


def test_strangers_get_404(week, rival, sign_in):
    assert sign_in(rival.owner).get(PATH).status_code == 404


def test_same_queries_for_one_and_many_own_channels(week, acme, sign_in):
    from roles.models import Appointment

    browser = sign_in(acme.performance)
    counts = []
    for first, last in ((0, 1), (1, 12)):
        for number in range(first, last):
            channel = Channel.objects.create(
                company=acme.company, code=f"n{number}", name=f"n{number}", kind="paid", status="active",
                owner=acme.performance, coordinator=acme.pm,
            )  # fmt: skip
            Appointment.objects.create(
                company=acme.company, role=acme.roles["performance"], person=acme.performance, channel=channel,
                starts_on=date(2026, 1, 1),
            )  # fmt: skip
            week.facts(channel, date(2026, 11, 1), date(2026, 11, 19), spend=10, qualified_leads=1)
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(PATH).status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1]
