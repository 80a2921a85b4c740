"""The wizard of loads in Chromium: five different files from the upload to the facts, each question answered on its page."""

from datetime import UTC, datetime

import pytest
import time_machine

from kpis.models import DailyFact, Import
from kpis.services import import_runs
from tests.conftest import PASSWORD, make_company
from tests.e2e.conftest import DESKTOP, PHONE
from tests.kpis.test_platforms import FILES, VK, workbook

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)


@pytest.fixture
def made(transactional_db):
    with time_machine.travel(NOW, tick=True):
        yield make_company("acme")


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_five_files_go_from_the_upload_to_the_facts(window, made, size):
    walker = window(size)
    walker.sign_in("analyst@acme.example", PASSWORD)

    def send(name: str, content: bytes, source: str = "", known: str = ""):
        page = walker.open("/c/acme/imports/new/")
        page.set_input_files("[name=file]", {"name": name, "mimeType": "text/csv", "buffer": content})
        if known:
            page.select_option("[name=source]", known)
        else:
            page.fill("[name=source_name]", source)
        walker.check(f"wizard-new-{size['width']}")
        page.click("main form button[type=submit]")
        page.wait_for_load_state()
        return page

    def load(page, name: str) -> Import:
        walker.check(f"wizard-{name}-{size['width']}")
        page.click("button[value=load]")
        page.wait_for_load_state()
        walker.check(f"wizard-{name}-queued-{size['width']}")
        import_runs.run_due_imports(company=made.company, at=datetime.now(UTC))
        page.reload()
        walker.check(f"wizard-{name}-done-{size['width']}")
        return Import.objects.latest("pk")

    page = send(
        "день.csv",
        "дата;канал;расход;лиды\n18.11.2026;VK Реклама;231,33;5\n19.11.2026;Блог;250;\n".encode("cp1251"),
        "CRM",
    )
    assert load(page, "own").created == 2

    page = send("копейки.csv", b"date;channel;spend\n2026-11-17;vk;23133\n2026-11-16;vk;25000\n", known="crm")
    assert "примерно в 100 раз больше" in page.inner_text("main")
    page.select_option("[name=scale]", "0.01")
    assert load(page, "kopecks").state == "done"
    assert str(DailyFact.objects.get(day="2026-11-17").spend) == "231.33"

    content, encoding, *_rest = FILES["direct, Report Master"]
    page = send("direct.csv", content.encode(encoding), "Директ")
    page.select_option("[name=channel-0]", "vk")
    assert load(page, "direct").state == "done"

    page = send(
        "vk.xlsx", workbook(("Объявления", [VK, ["17.11.2026", 7, "Кухни", 1000, 900, 20, 150.5, 2]])), "Кабинет VK"
    )
    page.select_option("[name=channel-0]", "vk")
    assert load(page, "workbook").state == "done"

    page = send(
        "месяцы.csv",
        "Месяц;VK Реклама расход;Блог расход;Охват\nсентябрь 2026;30;60;9\nоктябрь 2026;31;62;9\n".encode(),
        "Таблица",
    )
    walker.check(f"wizard-columns-{size['width']}")
    page.select_option("[name=step]", "month")
    page.click("main form button.btn-main")
    page.wait_for_load_state()
    assert load(page, "months").created == 61 * 2

    page = send("ошибки.csv", b"date;channel;spend\n2026-13-17;vk;-1\n2026-11-16;vk;=1+1\n", known="crm")
    walker.check(f"wizard-wrong-{size['width']}")
    with page.expect_download() as download:
        page.click("text=Ошибочные строки в CSV")
    assert "'=1+1" in download.value.path().read_text("utf-8-sig")
