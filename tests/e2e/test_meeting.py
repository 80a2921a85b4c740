"""The stand-up held in two windows: one presents, one follows; claim, suspend, sign in place, a dropped connection, minutes."""

from datetime import date, timedelta
from decimal import Decimal

import time_machine

from kpis.services.facts import record_facts
from tests.e2e.test_main_road import PASSWORD, road
from tests.e2e.test_stand_up import AT, open_meeting, shown

__all__ = ["road"]
OFFLINE = ("DISCONNECTED", "htmx:sendError", "htmx:afterRequest")
"""What the browser and HTMX write while there is no network."""
URL = "/c/acme/reports/stand-up/?week=2026-W47"


def bar(page, words: str):
    page.locator("#meeting-bar", has_text=words).wait_for()


def wait_for_slide(page, slide: str):
    page.locator(f"#{slide}:visible").wait_for()


def burn(road):
    """A week of figures of VK far over the line: a decision waits on its slide."""
    day = {"channel": "vk", "spend": Decimal(30_000), "leads": Decimal(8), "qualified_leads": Decimal(4)}
    rows = [day | {"date": (date(2026, 11, 16) + timedelta(days=n)).isoformat()} for n in range(6)]
    record_facts(company=road.company, by=road.analyst, at=AT, source_code="crm", rows=rows)


def test_one_presents_and_the_other_follows(window, road):
    with time_machine.travel(AT, tick=True):
        burn(road)
        walker, cmo = open_meeting(window, road)
        follower = window()
        follower.sign_in(road.pm.user.email, PASSWORD)
        pm = follower.open(URL)

        cmo.click("text=Начать встречу")
        bar(cmo, "Встреча идёт")
        bar(pm, f"Ведёт: {road.cmo}")
        cmo.keyboard.press("ArrowRight")
        wait_for_slide(pm, "s2")

        pm.keyboard.press("ArrowLeft")  # looks back alone
        assert (shown(pm), shown(cmo)) == (["s1"], ["s2"])
        pm.click("text=Снова следить")
        assert shown(pm) == ["s2"]
        follower.check("meeting-follower")

        cmo.click("text=Прервать")
        bar(pm, "Встреча прервана")
        pm.click("text=Продолжить")
        bar(cmo, "Встреча идёт")
        assert (shown(pm), shown(cmo)) == (["s2"], ["s2"])

        pm.click("text=Вести самому")
        bar(cmo, f"Ведёт: {road.pm}")
        pm.keyboard.press("End")
        wait_for_slide(cmo, "summary")

        pm.context.set_offline(True)
        pm.keyboard.press("Home")
        assert shown(pm) == ["s1"]
        pm.locator("[data-offline]:visible").wait_for()
        pm.context.set_offline(False)
        wait_for_slide(cmo, "s1")
        pm.locator("[data-offline]").wait_for(state="hidden")

        sign_in_place(cmo)

        pm.fill("#topic-first", "Склад")
        pm.click("text=Сохранить темы")
        bar(pm, "Встреча идёт")
        pm.click("text=Закончить с итогами")
        pm.wait_for_url("**/meetings/*/")
        minutes = pm.inner_text("main")
        assert all(word in minutes for word in ("Склад", "На встрече:", str(road.cmo), str(road.pm)))
        follower.check("minutes")
        bar(cmo, "Встреча состоялась")
        for one in (walker, follower):
            one.faults[:] = [fault for fault in one.faults if not any(word in fault for word in OFFLINE)]


def test_a_channel_owner_follows_without_the_money_of_others(window, road):
    with time_machine.travel(AT, tick=True):
        burn(road)
        _walker, cmo = open_meeting(window, road)
        follower = window()
        follower.sign_in(road.content.user.email, PASSWORD)
        blog = follower.open("/c/acme/reports/meetings/")
        blog.click("text=На стендап")
        bar(blog, "ещё не началась")

        cmo.click("text=Начать встречу")
        bar(blog, f"Ведёт: {road.cmo}")
        follower.check("meeting-channel-owner")
        for key in ("End", "Home", "ArrowRight"):
            cmo.keyboard.press(key)
            wait_for_slide(blog, shown(cmo)[0])
        assert blog.locator("#meeting-bar form, [name=present]").count() == 0
        vk = "article[data-code=vk]"
        assert "₽" in cmo.locator(vk).text_content()
        assert "₽" not in blog.locator(vk).text_content()


def sign_in_place(page):
    """A refusal stands in its place with the slide beside it; then the decision is signed without leaving the page."""
    page.locator(".slide:visible [data-in-place]").first.click()
    form = page.locator("#in-place form#sign-form")
    form.wait_for()
    form.locator("input[name=choice][value=continue]").check()
    form.locator("[name=reason]").fill("")
    form.locator("button[type=submit]:visible").first.click()
    page.locator("#in-place [role=alert]").wait_for()
    form.locator("input[name=choice][value=stop]").check()
    form.locator("[name=reason]").fill("Заявка вдвое дороже порога")
    form.locator("button[type=submit]:visible").first.click()
    page.click("#confirm-stop [data-confirmed]")
    page.locator("#in-place h2", has_text="Решено").wait_for()
    assert "/reports/stand-up/" in page.url
