"""In Chromium: a brief's whole life by two people, the owner of a channel at a desk and the contractor with a phone."""

from datetime import timedelta

import pytest
from django.utils import timezone

from processes.models import Brief
from roles.services import contractors
from tests.conftest import PASSWORD

from .conftest import DESKTOP, PHONE

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def contract(acme):
    """A contract for the blog, with the contractor's person let in."""
    now = timezone.now()
    today = acme.company.local_date(now)
    firm = contractors.create_contractor(
        company=acme.company, by=acme.pm, at=now, name="Студия", scope="Тексты блога", starts_on=today - timedelta(days=9),
        ends_on=today + timedelta(days=90), responsible=acme.pm, channels=[acme.blog],
    )  # fmt: skip
    contractors.add_contractor_person(
        company=acme.company, by=acme.pm, at=now, today=today, contractor=firm, email=acme.contractor.user.email,
        invite=False,
    )  # fmt: skip
    return acme


def press(page, words: str):
    page.click(f"main button:has-text('{words}')")
    page.wait_for_load_state()


def reload(walker):
    walker.page.reload()
    return walker.page


def test_a_brief_is_returned_taken_reworked_and_accepted(window, contract):
    ours, theirs = window(DESKTOP), window(PHONE)
    ours.sign_in(contract.content.user.email, PASSWORD)
    theirs.sign_in(contract.contractor.user.email, PASSWORD)

    desk = ours.open("/c/acme/processes/briefs/new/")
    ours.check("brief-new")
    desk.fill("[name=title]", "Пять статей о кухнях")
    desk.select_option("[name=channel]", str(contract.blog.pk))
    desk.fill("[name=text]", "По заявкам ноября")
    desk.fill("[name=criteria]", "Заявка в конце каждой\nБез орфографических ошибок")
    desk.click("main form button[type=submit]")
    desk.wait_for_load_state()
    ours.check("brief-draft")
    press(desk, "Отправить подрядчику")

    phone = theirs.open("/c/acme/reports/today/")
    phone.click("main a:has-text('Пять статей')")
    phone.wait_for_load_state()
    theirs.check("brief-asked-phone")
    phone.click("summary:has-text('Вернуть с вопросом')")
    press(phone, "Вернуть задание")
    assert "Не сохранено" in phone.inner_text("#errors")
    phone.fill("[name=reason]", "О каких кухнях?")
    press(phone, "Вернуть задание")

    desk = reload(ours)
    assert "О каких кухнях?" in desk.inner_text("main")
    desk.click("main a:has-text('Изменить')")
    desk.fill("[name=text]", "О белых кухнях, по заявкам ноября")
    desk.click("main form button[type=submit]")
    press(desk, "Отправить подрядчику")

    phone = reload(theirs)
    press(phone, "Взять в работу")
    phone.fill("[name=delivery_url]", "https://docs.example/articles")
    phone.fill("[name=delivery_text]", "Четыре готовы")
    press(phone, "Сдать")
    theirs.check("brief-delivered-phone")

    desk = reload(ours)
    desk.check("text=Без орфографических ошибок >> nth=-1")
    press(desk, "Принять работу")
    assert "Заявка в конце каждой" in desk.inner_text("#errors")
    ours.check("brief-not-all-met")
    desk.click("summary:has-text('Вернуть на доработку')")
    desk.fill("[name=reason]:visible", "Пятой статьи нет")
    press(desk, "Вернуть на доработку")

    phone = reload(theirs)
    assert "Пятой статьи нет" in phone.inner_text("main")
    phone.fill("[name=delivery_text]", "Все пять")
    press(phone, "Сдать")

    desk = reload(ours)
    for criterion in ("Заявка в конце каждой", "Без орфографических ошибок"):
        desk.locator("fieldset label", has_text=criterion).locator("input").check()
    press(desk, "Принять работу")
    ours.check("brief-accepted")
    assert Brief.objects.get().state == "done"
    assert "принято" in reload(theirs).inner_text("main")
    theirs.open("/c/acme/processes/briefs/")
    theirs.check("briefs-of-the-contractor-dark")
