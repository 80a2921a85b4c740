"""The grid of figures in Chromium: a paste of 200 × 8 cells, one Ctrl+Z, the keyboard alone, drafts, and without scripts."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from kpis.models import DailyFact, GridDraft
from tests.conftest import PASSWORD, make_company
from tests.e2e.conftest import DESKTOP, PHONE

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
DAY = date(2026, 11, 19)
PATH = "/c/acme/facts/type/"


@pytest.fixture
def made(transactional_db):
    with time_machine.travel(NOW, tick=True):
        yield make_company("acme")


def block(rows: int) -> str:
    head = "Дата\tРасход, ₽\tПоказы\tКлики\tВизиты\tЛиды\tСделки\tCTR, %\n"
    return head + "\n".join(
        f"{DAY - timedelta(days=n):%d.%m.%Y}\t1\u00a0{100 + n},50 ₽\t{n}\t{n}\t—\t{'много' if n == 3 else n}\t\t1,25%"
        for n in range(rows)
    )


def walk(window, size, **kwargs):
    walker = window(size, **kwargs)
    walker.sign_in("analyst@acme.example", PASSWORD)
    return walker


def put(page, field: str, text: str):
    """Paste as a person does: copied elsewhere, Ctrl+V in the field."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    page.focus(f"[id='{field}']")
    page.keyboard.press("Control+v")


@pytest.mark.parametrize(("size", "dark"), [(DESKTOP, False), (PHONE, True)])
def test_a_paste_is_spread_and_one_ctrl_z_takes_it_back(window, made, size, dark):
    walker = walk(window, size, dark=dark)
    page = walker.open(f"{PATH}?day={DAY}&channel=vk")
    spend, leads = (f"f-{DAY}-{made.vk.pk}-{code}" for code in ("spend", "leads"))
    page.fill(f"[id='{spend}']", "7")
    walker.check(f"grid-{size['width']}")

    put(page, spend, block(200))
    page.wait_for_selector("text=Вставлено: 200 строк")
    assert page.locator("tbody tr").count() == 200
    assert page.input_value(f"[id='{spend}']") == "1100,5"
    wrong = f"f-{DAY - timedelta(days=3)}-{made.vk.pk}-leads"
    assert page.get_attribute(f"[id='{wrong}']", "aria-invalid") == "true"
    assert "не число" in page.inner_text(f"[id='{wrong}-error']")
    walker.check(f"grid-pasted-{size['width']}")

    page.focus(f"[id='{leads}']")
    page.keyboard.press("Control+z")
    page.wait_for_selector("text=Вставлено", state="detached")
    assert page.input_value(f"[id='{spend}']") == "7"
    assert page.locator("tbody tr").count() == 1, "the rows are those of before the paste"
    assert [page.input_value(f"#{name}") for name in ("from", "to", "channel")] == [f"{DAY}", f"{DAY}", "vk"]
    assert f"from={DAY}&to={DAY}" in page.url
    assert page.evaluate("document.activeElement.id") == leads
    page.reload()
    assert page.locator("tbody tr").count() == 1
    assert list(GridDraft.objects.get().cells) == [spend]
    assert not DailyFact.objects.exists()


def test_the_keyboard_alone_types_a_day(window, made):
    walker = walk(window, DESKTOP)
    page = walker.open(f"{PATH}?day={DAY}")
    at = lambda: page.evaluate("document.activeElement.id")  # noqa: E731
    first = f"f-{DAY}-{made.vk.pk}-spend"
    page.focus(f"[id='{first}']")
    for key, channel, code in (
        ("ArrowRight", made.vk, "leads"), ("ArrowLeft", made.vk, "spend"), ("ArrowDown", made.blog, "spend"),
        ("ArrowUp", made.vk, "spend"), ("Enter", made.blog, "spend"), ("Shift+Enter", made.vk, "spend"), ("Tab", made.vk, "leads"),
        ("Shift+Tab", made.vk, "spend"),
    ):  # fmt: skip
        page.keyboard.press(key)
        assert at() == f"f-{DAY}-{channel.pk}-{code}", key

    page.keyboard.type("12")
    page.keyboard.press("ArrowLeft")
    assert at() == first, "inside a text the arrow moves the caret"
    page.keyboard.press("Escape")
    assert page.input_value(f"[id='{first}']") == ""
    page.keyboard.type("много")
    page.wait_for_selector(f"[id='{first}-error']")
    assert "не число" in page.inner_text(f"[id='{first}-error']")
    walker.check("grid-wrong-cell")
    page.keyboard.press("Control+a")
    page.keyboard.type("12,5")
    page.wait_for_selector(f"[id='{first}-error']", state="detached")
    page.reload()
    assert page.input_value(f"[id='{first}']") == "12,5", "the draft survives a reload"
    assert "Черновик записан в" in page.inner_text("#grid-status")
    page.focus(f"[id='{first}']")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("text=Сохранено")
    assert DailyFact.objects.get().spend == 12.5
    assert not GridDraft.objects.exists()
    walker.check("grid-saved")


def test_without_scripts_a_block_is_pasted_undone_and_saved(window, made):
    walker = walk(window, PHONE, javascript=False)
    page = walker.open(f"{PATH}?day={DAY}")
    page.click("text=Вставить диапазон из таблицы")
    page.fill("#block", "19.11.2026\t5\t6\n18.11.2026\t7\t8\n")
    page.select_option("#whose", "vk")
    page.click("text=Разложить по таблице")
    page.wait_for_load_state()
    assert "Вставлено: 2 строки" in page.inner_text("main")
    page.click("text=Отменить вставку")
    page.wait_for_load_state()
    assert not GridDraft.objects.exists()
    page.fill(f"[id='f-{DAY}-{made.vk.pk}-spend']", "5")
    page.click("button[data-save]")
    page.wait_for_load_state()
    assert DailyFact.objects.get().spend == 5
