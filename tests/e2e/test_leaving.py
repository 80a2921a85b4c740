"""In Chromium, as the people concerned: a departure with handover to its end, and a newcomer who reads the pack of the hat."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from mops import pipeline
from processes.models import Action, Handover
from roles.models import Appointment, Membership
from roles.services import roles
from tests.conftest import PASSWORD

from .conftest import PHONE

pytestmark = pytest.mark.django_db(transaction=True)
FRIDAY = datetime(2026, 11, 20, 9, tzinfo=UTC)
LAST_DAY = "2026-11-25"
AFTER = FRIDAY + timedelta(days=6)


@pytest.fixture
def firm(acme):
    """Performance holds VK with an action; the content owner would stand in."""
    Appointment.objects.filter(person=acme.performance).update(deputy=acme.content, hours_per_week=20)
    Action.objects.create(
        company=acme.company, text="Собрать аудиторию", owner=acme.performance, due_on=FRIDAY.date(), channel=acme.vk,
        created_at=FRIDAY,
    )  # fmt: skip
    return acme


def signed_in(window, person, size=None, **kwargs):
    walker = window(size, **kwargs)
    walker.sign_in(person.user.email, PASSWORD)
    return walker


def press(page, words: str):
    page.click(f"main button:has-text('{words}')")
    page.wait_for_load_state()


def begin(owner, firm):
    """From the list of risks through a fire drill to a plan."""
    page = owner.open("/c/acme/processes/risks/")
    page.click(f"main a:has-text('{firm.performance}')")
    owner.check("risk-of-a-person")
    press(page, "Отрепетировать неделю")
    owner.check("fire-drill")
    page.go_back()
    page.click("main a:has-text('Оформить уход')")
    page.fill("[name=last_day]", LAST_DAY)
    page.fill("[name=reason]", "Переезжает")
    press(page, "Составить план")
    owner.check("handover-plan")
    return page


def agree(walker, what: str):
    page = walker.open("/c/acme/processes/handovers/")
    walker.check("successor-is-asked")
    page.locator("section[aria-labelledby=h-mine] li", has_text=what).locator("button[value=yes]").click()
    page.wait_for_load_state()


def ask_another(page, what: str, person):
    page.locator("main li", has_text=what).locator("a:has-text('Спросить другого')").click()
    page.select_option("[name=successor]", str(person.pk))
    press(page, "Сохранить")


def test_a_departure_is_handed_over_and_closed(window, firm):
    with time_machine.travel(FRIDAY, tick=True):
        owner, leaver = signed_in(window, firm.owner), signed_in(window, firm.performance, PHONE, dark=True)
        plan = begin(owner, firm).url
        leaver.open("/c/acme/processes/handovers/")
        assert "Собрать аудиторию" not in leaver.page.inner_text("main")
        leaver.page.click("main a:has-text('Performance')")
        leaver.check("the-leaver-sees-the-plan")
        successor = signed_in(window, firm.content, PHONE)
        agree(successor, "VK Реклама")
        successor.close()

    with time_machine.travel(AFTER, tick=True):
        pipeline.run_company(firm.company.pk, AFTER)
        page = owner.page
        page.goto(plan)
        assert "передано не всё" in page.inner_text("main")
        assert page.locator("main button:has-text('Закрыть план')").count() == 0
        ask_another(page, "Собрать аудиторию", firm.pm)
        agree(signed_in(window, firm.pm), "Собрать аудиторию")
        page.reload()
        owner.check("handover-closed")
        assert Handover.objects.get().state == "closed"
        assert Action.objects.get(text="Собрать аудиторию").owner == firm.pm
        firm.vk.refresh_from_db()
        assert firm.vk.owner == firm.content
        assert not Membership.objects.get(pk=firm.performance.pk).is_active

        leaver.page.goto(leaver.base + "/c/acme/reports/today/")
        assert "/accounts/login/" in leaver.page.url
        leaver.page.fill("[name=login]", firm.performance.user.email)
        leaver.page.fill("[name=password]", PASSWORD)
        press(leaver.page, "Войти")
        assert "Вход закрыт" in leaver.page.inner_text("main")
        leaver.check("after-leaving")


def test_a_newcomer_reads_the_pack_and_is_asked_again(window, firm):
    with time_machine.travel(FRIDAY, tick=True):
        newcomer = signed_in(window, firm.content, PHONE)
        page = newcomer.open("/c/acme/processes/packs/")
        newcomer.check("packs")
        page.click("section[aria-labelledby=h-mine] a:has-text('Роль content')")
        page.wait_for_load_state()
        newcomer.check("pack")
        with page.expect_download() as file:
            page.click("main a:has-text('Файлом')")
        assert file.value.suggested_filename.endswith(".html")
        press(page, "Прочитано")
        assert "не прочитан" not in page.locator("main li", has_text=str(firm.content)).last.inner_text()
        roles.revise_role(
            company=firm.company, by=firm.owner, at=FRIDAY, today=FRIDAY.date(),
            role=firm.roles["content"], mission_ru="Заявки с поиска и блога", reason="Новый план",
        )  # fmt: skip
        newcomer.open("/c/acme/processes/packs/")
        page.click("section[aria-labelledby=h-mine] a:has-text('Роль content')")
        assert "Заявки с поиска и блога" in page.inner_text("main")
        assert "изменился" in page.inner_text("main")
        press(page, "Прочитано")
        newcomer.open("/c/acme/processes/packs/")
        assert page.locator("section[aria-labelledby=h-mine] a:has-text('Роль content')").count() == 0
