"""In Chromium: a reorganisation tried on a draft map and applied, and a conflict of duties with its check."""

from datetime import timedelta

import pytest
from django.utils import timezone

from roles.models import Appointment, CheckRound, ExternalCheck
from roles.services import conflicts
from tests.conftest import PASSWORD

from .conftest import DESKTOP, PHONE

pytestmark = pytest.mark.django_db(transaction=True)
ROLES = "/c/acme/roles/"


@pytest.fixture
def house(acme):
    conflicts.install_builtin_pairs(
        company=acme.company, at=timezone.now(), today=acme.company.local_date(timezone.now())
    )
    return acme


def choose(page, name: str, person) -> None:
    page.select_option(f"[name={name}]", str(person.pk))


def test_a_reorganisation_is_tried_refused_put_right_and_applied(house, window):
    walker = window(DESKTOP)
    walker.sign_in(house.owner.user.email, PASSWORD)
    page = walker.open(f"{ROLES}drafts/")
    page.fill("[name=title]", "Блог отдать аналитику")
    page.click("main button[type=submit]")
    draft = page.url
    for role, person, channel in (("content", house.pm, house.blog), ("cmo", house.analyst, None)):
        page.click("main a:has-text('Дать роль')")
        page.select_option("[name=role]", str(house.roles[role].pk))
        choose(page, "person", person)
        if channel:
            choose(page, "channel", channel)
        page.click("main button[type=submit]")
    assert "невозможно" in page.inner_text("main")
    assert "кто посчитал, тот не решает" in page.inner_text("main")
    walker.check("draft-map")

    page.fill("[name=reason]", "Разгружаем редакцию")
    page.click("main button:has-text('Провести')")
    assert "Ничего не изменилось" in page.inner_text("main")
    house.blog.refresh_from_db()
    assert house.blog.owner == house.content

    page.goto(draft)
    page.click("main li:has-text('невозможно') button")
    assert "невозможно" not in page.inner_text("main")
    page.fill("[name=reason]", "Разгружаем редакцию")
    page.click("main button:has-text('Провести')")
    page.wait_for_load_state()
    house.blog.refresh_from_db()
    assert house.blog.owner == house.pm


def test_a_conflict_is_refused_checked_signed_and_shown(house, window):
    walker = window(DESKTOP)
    walker.sign_in(house.owner.user.email, PASSWORD)
    page = walker.open(f"{ROLES}appointments/new/?role={house.roles['analyst'].pk}&person={house.performance.pk}")
    page.click("main button[type=submit]")
    assert "Роль performance" in page.inner_text("#errors")
    assert "Роль analyst" in page.inner_text("#errors")
    assert not Appointment.objects.filter(person=house.performance, role=house.roles["analyst"]).exists()
    walker.check("conflict-refused")

    choose(page, "checker", house.pm)
    page.fill("[name=what]", "Сверить расход с CRM")
    page.click("main button[type=submit]")
    page.wait_for_load_state()
    assert Appointment.objects.filter(person=house.performance, role=house.roles["analyst"]).exists()
    page = walker.open(ROLES)
    assert "Сверить расход с CRM" in page.inner_text("main")
    walker.check("map-with-conflict")

    week_ago = house.company.local_date(timezone.now()) - timedelta(days=12)
    ExternalCheck.objects.update(starts_on=week_ago)
    first = CheckRound.objects.first()
    days = {"first_day": week_ago, "last_day": week_ago + timedelta(days=6), "due_on": week_ago + timedelta(days=9)}
    CheckRound.objects.filter(pk=first.pk).update(**days)
    assert "Проверка пропущена" in walker.open(ROLES).inner_text("main")
    walker.close()

    checker = window(PHONE)
    checker.sign_in(house.pm.user.email, PASSWORD)
    page = checker.open("/c/acme/reports/today/")
    duties = page.locator("main h3:has-text('Проверка:'), main b:has-text('Проверка:')").first.inner_text()
    page.click("main a:has-text('Проверить и подписать')")
    checker.check("check-round-phone")
    assert " × " in duties
    assert duties.split(", ")[1] in page.inner_text("main")
    page.fill("[name=finding]", "Расход сошёлся до рубля")
    page.click("main button:has-text('Подписать проверку')")
    page.wait_for_load_state()
    assert "Расход сошёлся до рубля" in page.inner_text("main")
    assert "Проверка пропущена" not in checker.open(ROLES).inner_text("main")
