"""In Chromium: a project manager loads the business's accounts from a spreadsheet, mends what is wrong row by row, and sees
them in the registry; an Excel file changes them afterwards."""

import io
from datetime import UTC, date, datetime

import openpyxl
import pytest
import time_machine

from roles.models import Access, Contractor
from tests.conftest import PASSWORD

from .conftest import PHONE

pytestmark = pytest.mark.django_db(transaction=True)
FRIDAY = datetime(2026, 11, 20, 9, tzinfo=UTC)
SECRET = "Qw7!zR2#pL9x"
TABLE = f"""Система;Логин;Владелец;Администраторы;Каналы;2FA;Проверен;Где пароль
VK Реклама;vk-1;компания;Performance Acme, Pm Acme;VK Реклама;да;20.11.2026;менеджер паролей
Метрика;m-1;компания;Никто Такой;Блог;возможно;20.11.2026;{SECRET}
Сайт;site-1;Иван Петров;Content Acme;Блог;нет;;сейф
"""


def upload(page, name: str, content: bytes):
    page.set_input_files("main [name=file]", {"name": name, "mimeType": "text/csv", "buffer": content})
    press(page, "Посмотреть, что запишется")


def press(page, words: str):
    page.click(f"main button:has-text('{words}')")
    page.wait_for_load_state()


def row(page, name: str) -> str:
    return page.locator("main tbody tr", has_text=name).inner_text()


def in_excel(*rows) -> bytes:
    book = io.BytesIO()
    made = openpyxl.Workbook()
    for cells in rows:
        made.active.append(cells)
    made.save(book)
    return book.getvalue()


@pytest.mark.parametrize("javascript", [True, False])
def test_accesses_are_loaded_from_a_table(window, acme, javascript):
    with time_machine.travel(FRIDAY, tick=True):
        pm = window(None if javascript else PHONE, javascript=javascript, dark=not javascript)
        pm.sign_in(acme.pm.user.email, PASSWORD)
        page = pm.open("/c/acme/accesses/")
        page.click("main a:has-text('Загрузить')")
        page.wait_for_load_state()
        press(page, "Посмотреть, что запишется")
        assert "Выберите файл или вставьте ячейки" in page.inner_text("#errors")

        upload(page, "доступы.csv", TABLE.encode("cp1251"))
        for wrong in ("Никто Такой", "возможно", "похоже на пароль"):
            assert wrong in row(page, "Метрика"), "everything that is wrong in a row is said at once"
        assert "новое" in row(page, "vk-1")
        assert SECRET not in page.content(), "a password is never shown again"
        assert page.locator("main button[name=keep]").count() == 0
        assert Access.objects.count() == 0
        if javascript:  # axe needs scripts
            pm.check("access-table-wrong")

        text = page.input_value("#table-text").replace("Никто Такой", "Analyst Acme").replace("возможно", "да")
        page.fill("#table-text", text)
        press(page, "Посмотреть, что запишется")
        assert "ошибка" not in page.inner_text("main tbody")
        if javascript:
            pm.check("access-table-right")
        page.click("main button[name=keep]")
        page.wait_for_load_state()
        assert page.url.endswith("/c/acme/accesses/")
        assert "Загружено: новых 3, изменено 0." in page.inner_text("body")
        for name in ("VK Реклама", "Метрика", "Сайт"):
            assert name in page.inner_text("main")
        assert Access.objects.get(identifier="m-1").administrators.get() == acme.analyst
        assert Access.objects.get(identifier="site-1").owned_by == "person"


def test_an_excel_file_changes_what_is_there(window, acme):
    Contractor.objects.create(
        company=acme.company, name="Студия", scope="s", starts_on=FRIDAY.date(), ends_on="2027-01-20",
        responsible=acme.pm, changed_at=FRIDAY,
    )  # fmt: skip
    Access.objects.create(
        company=acme.company, system="Сайт", identifier="site-1", owned_by="company", registered_on=FRIDAY.date(),
        changed_at=FRIDAY,
    )  # fmt: skip
    with time_machine.travel(FRIDAY, tick=True):
        pm = window(PHONE)
        pm.sign_in(acme.pm.user.email, PASSWORD)
        page = pm.open("/c/acme/accesses/")
        page.click("main a:has-text('Загрузить')")
        head = ("Система", "Логин", "Подрядчик", "Подрядчик до")
        upload(page, "a.xlsx", in_excel(head, ("Сайт", "site-1", "Студия", date(2027, 1, 20))))
        assert "изменится" in row(page, "site-1")
        pm.check("access-table-phone")
        page.click("main button[name=keep]")
        page.wait_for_load_state()

        access = Access.objects.get()
        assert (str(access.contractor), str(access.contractor_until)) == ("Студия", "2027-01-20")
