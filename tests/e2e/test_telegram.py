"""Telegram on a phone against a Bot API of the test: a bot is connected, a chat linked by its code, a test and a replay arrive."""

import re

from django.utils import timezone

from mops import pipeline
from mops.models import Delivery
from mops.telegram import bots
from tests.e2e.test_main_road import PASSWORD, PHONE, road
from tests.mops.conftest import receive
from tests.mops.test_telegram import CHAT, TOKEN, asked, refuses, says, start

__all__ = ["receive", "road"]
PREFERENCES = "/c/acme/notifications/preferences/"


def texts(telegram) -> list[str]:
    return [fields["text"] for method, fields in asked(telegram) if method == "sendMessage"]


def test_a_chat_is_linked_tested_and_sent_to_again(window, road, receive, settings):
    telegram = receive(allowed=False)
    settings.TELEGRAM_API_URL = f"http://{telegram.host}"
    walker = window(PHONE)
    walker.sign_in(road.pm.user.email, PASSWORD)
    page = walker.open(PREFERENCES)
    walker.check("telegram-0-no-bot")

    connect(walker, page, telegram)
    link(walker, page, telegram, road)
    hear_a_test(walker, page, telegram)
    send_again(walker, page, telegram)


def connect(walker, page, telegram):
    walker.open("/c/acme/telegram/")
    telegram.plan.append(refuses(401, "Unauthorized"))
    press(page, "Подключить бота", token=TOKEN)
    assert page.locator(".error").count()
    walker.check("telegram-1-refused")
    telegram.plan.append(says({"username": "acme_bot"}))
    press(page, "Подключить бота", token=TOKEN)
    assert "@acme_bot" in page.inner_text("main")
    assert TOKEN not in page.content()
    walker.check("telegram-2-bot")


def link(walker, page, telegram, road):
    walker.open(PREFERENCES)
    press(page, "Привязать Telegram")
    walker.check("telegram-3-code")
    code = page.input_value("#code").removeprefix("/start ")
    assert page.get_attribute("main a.btn-main", "href") == f"https://t.me/acme_bot?start={code}"
    telegram.plan += [says([start(code)]), says({})]
    now = timezone.now()
    assert bots.poll(road.company, now) == 1
    pipeline.run_company(road.company.pk, now)
    press(page, "Готово, назад")
    assert "привязан @acme_bot" in page.inner_text("main")
    walker.check("telegram-4-linked")
    assert any("привязан" in text for text in texts(telegram))


def hear_a_test(walker, page, telegram):
    telegram.plan.append(refuses(400, "Bad Request: message is broken"))
    page.locator("form[action$='/test/']", has=page.locator("[value=telegram]")).locator("button").click()
    page.wait_for_load_state()
    assert "message is broken" in page.inner_text("main")
    walker.check("telegram-5-test")


def send_again(walker, page, telegram):
    page = walker.open("/c/acme/notifications/log/")
    walker.check("telegram-6-log")
    before = len(texts(telegram))
    page.locator("tr", has_text="не удалось").locator("button").first.click()
    page.wait_for_load_state()
    telegram.plan.append(says({}))
    failed = Delivery.objects.filter(way="telegram").latest("pk")
    pipeline.run_company(failed.company_id, timezone.now())
    failed.refresh_from_db()
    assert (failed.state, len(texts(telegram))) == ("sent", before + 1)
    assert len({re.search(r"№ \d+", text)[0] for text in texts(telegram)[-2:]}) == 1
    assert {fields["chat_id"] for method, fields in asked(telegram) if method == "sendMessage"} == {CHAT}
    walker.open("/c/acme/notifications/log/")
    walker.check("telegram-7-sent-again")


def press(page, name: str, **fields):
    for field, value in fields.items():
        page.fill(f"[name={field}]", value)
    page.locator("main").locator("a, button").filter(has_text=name).first.click()
    page.wait_for_load_state()
