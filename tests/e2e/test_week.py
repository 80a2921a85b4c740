"""The week in Chromium: a draft over a dropped connection, two windows, five channels on a phone of 360 px."""

import time
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django_scopes import scopes_disabled

from kpis.services.kpis import install_builtin_kpis
from reports.models import WeeklyReport
from reports.services.weekly import run_week
from roles.models import Appointment, Channel
from tests.conftest import PASSWORD, make_company
from tests.reports.conftest import Desk

FRIDAY = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
MONDAY = date(2026, 11, 16)
PHONE = {"width": 360, "height": 740}


@pytest.fixture
def desk(transactional_db):
    """Five channels of one person on Friday afternoon: VK spends too much, four are as planned."""
    with time_machine.travel(FRIDAY, tick=True), scopes_disabled():
        made = make_company("acme")
        install_builtin_kpis(company=made.company, at=FRIDAY)
        found = Desk(made)
        found.target(made.vk, "spend", 30_000)
        found.facts(made.vk, days=4, spend=1250)
        for code in "abcd":
            channel = Channel.objects.create(
                company=made.company, code=code, name=f"Канал {code}", kind="paid", status="active",
                owner=made.performance, result_kpi="cpa",
            )  # fmt: skip
            Appointment.objects.create(
                company=made.company, role=made.roles["performance"], person=made.performance, channel=channel,
                starts_on=date(2026, 1, 1),
            )  # fmt: skip
            found.target(channel, "leads", 300)
            found.facts(channel, days=4, leads=10)
        for at in (FRIDAY - timedelta(days=8), FRIDAY):
            run_week(company=made.company, at=at)
        WeeklyReport.objects.update(
            plan_submitted_at=FRIDAY, plan_submitted_by=made.performance, plan_timeliness="on_time"
        )
        WeeklyReport.objects.exclude(week=MONDAY).delete()
        yield found


def opened(window, desk, size=None):
    walker = window(size)
    walker.sign_in(desk.made.performance.user.email, PASSWORD)
    return walker


def report_of(desk, code="vk"):
    with scopes_disabled():
        return WeeklyReport.objects.get(channel__code=code, week=MONDAY)


def until(check, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if check():
            return True
        time.sleep(0.25)
    return False


def test_a_dropped_connection_loses_nothing_and_files_when_it_is_back(window, desk):
    walker = opened(window, desk)
    page = walker.open(f"/c/acme/reports/weekly-reports/{report_of(desk).pk}/?part=fact")
    page.check("[name=cause][value=market]", force=True)
    page.fill("[name=conclusion]", "Показ дорожает")
    page.wait_for_selector("#saved:has-text('сохранён')")
    assert until(lambda: report_of(desk).conclusion == "Показ дорожает")

    page.context.set_offline(True)
    page.fill("[name=conclusion]", "Показ дорожает третью неделю")
    page.wait_for_selector("#saved:has-text('Нет связи')")
    page.fill("[name=no_action_reason]", "Ждём теста")
    page.click("button[value=submit]")
    page.wait_for_selector("#saved:has-text('отчёт уйдёт')")
    page.wait_for_timeout(4000)
    assert report_of(desk).state == "draft"

    with page.expect_navigation():  # a window closed in the middle of one stands for ever in Chromium
        page.context.set_offline(False)
    assert until(lambda: report_of(desk).state == "submitted")
    assert report_of(desk).conclusion == "Показ дорожает третью неделю"
    assert report_of(desk).no_action_reason == "Ждём теста"
    walker.faults = [fault for fault in walker.faults if not fault.startswith("console: ")]  # htmx tells of the fall


def test_two_windows_of_one_browser_warn_and_the_second_one_cannot_overwrite(window, desk):
    walker = opened(window, desk)
    path = f"/c/acme/reports/weekly-reports/{report_of(desk).pk}/?part=fact"
    first = walker.open(path)
    second = first.context.new_page()
    second.goto(walker.base + path)
    for page in (first, second):
        page.wait_for_selector("#two-windows:not([hidden])")

    first.fill("[name=conclusion]", "Первое окно")
    assert until(lambda: report_of(desk).conclusion == "Первое окно")
    second.fill("[name=conclusion]", "Второе окно")
    second.wait_for_selector("#saved:has-text('Не сохранено')")
    assert report_of(desk).conclusion == "Первое окно"
    second.close()
    first.wait_for_selector("#two-windows[hidden]", state="attached")


def test_five_channels_on_a_small_phone_in_six_touches(window, desk):
    walker = opened(window, desk, PHONE)
    page = walker.open("/c/acme/reports/my-week/")
    walker.check("my-week-360")
    page.click("main form button[type=submit]")
    page.click("text=Начать")
    page.check("[name=cause][value=market]", force=True)
    page.fill("[name=conclusion]", "Показ дорожает: аудитория выгорела")
    page.fill("[name=no_action_reason]", "Ждём итогов теста")
    walker.check("fact-360")
    page.click("button[value=submit]")
    page.wait_for_selector("text=Всё сдано")

    with scopes_disabled():
        assert WeeklyReport.objects.filter(week=MONDAY, state="submitted", timeliness="on_time").count() == 5
