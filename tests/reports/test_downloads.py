"""Any page's tables as a file: the same rights, filters and figures as the page, because they are read off it."""

import csv
import io
import zipfile
from datetime import date
from decimal import Decimal
from urllib.parse import unquote

import pytest
import time_machine
from django.utils import translation
from openpyxl import load_workbook

from processes.models import Decision
from processes.services import create_action, sign_decision
from processes.terms import Terms
from reports.page_tables import read_page
from reports.tables import Kind
from tests.conftest import shown

CHANNEL = "/c/acme/reports/channels/vk/"


@pytest.fixture(autouse=True)
def _friday(fired):
    with time_machine.travel(fired.now, tick=False):
        yield


def table_of(rows: str, before: str = ""):
    with translation.override("ru"):
        _title, (table,) = read_page(f"<title>Т · МОПС</title><main>{before}<table>{rows}</table></main>")
    return table


def sheets(answer) -> dict[str, list[list]]:
    book = load_workbook(io.BytesIO(answer.content))
    return {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in book}


# ------------------------------------------------------------------ reading a table
def test_a_column_of_one_kind_has_it_and_unknown_cells_stay_empty():
    table = table_of(
        "<caption>Каналы</caption><thead><tr><th>Канал<th>Расход<th>ROMI<th>День<th></tr></thead>"
        "<tbody><tr><th>VK<td>1\u00a0200\u00a0₽<td>−4\u00a0%<td>20.11.2026<td></tr>"
        "<tr><th>Блог<td>—<td>12\u00a0%<td>—<td></tr></tbody><tfoot><tr><th>Все<td>1\u00a0200\u00a0₽<td>—<td>—<td></tr></tfoot>"
    )

    assert (table.name, table.total) == ("Каналы", True)
    assert [(column.name, column.kind) for column in table.columns] == [
        ("Канал", Kind.TEXT), ("Расход", Kind.MONEY), ("ROMI", Kind.SHARE), ("День", Kind.DATE),
    ]  # fmt: skip
    assert table.rows == [
        ["VK", Decimal(1200), Decimal("-0.04"), date(2026, 11, 20)],
        ["Блог", None, Decimal("0.12"), None],
        ["Все", Decimal(1200), None, None],
    ]


def test_headings_of_two_lines_and_cells_over_several_places_keep_their_columns():
    table = table_of(
        "<thead><tr><th rowspan=2>Канал<th colspan=2>План</tr><tr><th>ноябрь<th>декабрь</tr></thead>"
        "<tbody><tr><th rowspan=2>VK<td>1<td>2</tr><tr><td>3<td>4</tr><tr><th colspan=3>Платные</tr></tbody>"
    )

    assert [column.name for column in table.columns] == ["Канал", "План · ноябрь", "декабрь"]
    assert table.rows == [["VK", 1, 2], [None, 3, 4], ["Платные", None, None]]


def test_what_is_said_aloud_stands_in_only_where_nothing_is_shown():
    table = table_of(
        "<thead><tr><th>a<th>b<th><span class=vh>Доля</span></tr></thead><tbody><tr>"
        "<td>5<span class=vh> лидов</span><td><svg><text>9</text></svg><span class=vh>да</span>"
        "<td><span role=img aria-label='половина'></span></tr></tbody>",
        before="<section><h2>Каналы <span class=vh>ноября</span></h2></section>",
    )

    assert [column.name for column in table.columns] == ["a", "b", "Доля"]
    assert table.rows == [[5, "да", "половина"]]


# ------------------------------------------------------------------ pages
def test_the_workbook_has_every_table_of_the_page_with_its_figures(sign_in, acme):
    browser = sign_in(acme.cmo)
    page, answer = browser.get(CHANNEL), browser.get(CHANNEL, {"download": "xlsx"})

    assert answer["Content-Disposition"].startswith("attachment")
    assert unquote(answer["Content-Disposition"]).endswith("Acme. VK Реклама.xlsx")
    found = sheets(answer)
    with translation.override("ru"):
        _title, tables = read_page(page.content.decode())
    assert len(found) == len(tables) >= 1
    for sheet, table in zip(found.values(), tables, strict=True):
        assert sheet[0] == [column.name or None for column in table.columns]
        assert len(sheet) == len(table.rows) + 1
    days = next(rows for rows in found.values() if rows[0][0] == "День")
    spend = days[0].index("Расход, ₽")
    assert all(isinstance(row[spend], int | float) for row in days[1:] if row[spend] is not None)
    assert {row[spend] for row in days[1:]} >= {27_000}
    assert days[1][0].date() == date(2026, 11, 19)


def test_one_table_is_one_csv_and_several_are_an_archive(sign_in, acme):
    browser = sign_in(acme.cmo)
    one, several = (browser.get(path, {"download": "csv"}) for path in ("/c/acme/reports/channels/", "/c/acme/kpis/"))

    assert one["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(one.content.decode().removeprefix("\ufeff")), delimiter=";"))
    assert rows[0][0] == "Канал"
    assert {row[0] for row in rows} >= {"VK Реклама", "Блог"}
    assert several["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(several.content)) as archive:
        assert all(name.endswith(".csv") for name in archive.namelist())
        assert archive.read(archive.namelist()[0]).startswith(b"\xef\xbb\xbf")


def test_filters_of_the_page_are_filters_of_the_file(sign_in, acme):
    browser = sign_in(acme.analyst)
    path = "/c/acme/facts/?metric=spend&channel=vk&from=2026-11-18&to=2026-11-19"

    (rows,) = sheets(browser.get(path + "&download=xlsx")).values()

    assert len(rows) == 3
    assert (
        'href="?metric=spend&amp;channel=vk&amp;from=2026-11-18&amp;to=2026-11-19&amp;download=xlsx"'
        in browser.get(path).content.decode()
    )


def test_who_sees_no_money_on_the_page_gets_none_in_the_file(sign_in, acme):
    page = sign_in(acme.content).get(CHANNEL)
    answer = sign_in(acme.content).get(CHANNEL, {"download": "xlsx"})

    assert "27\u00a0000" not in shown(page.content.decode())
    assert all(27_000 not in row for rows in sheets(answer).values() for row in rows)


def test_a_closed_page_stays_closed_and_a_page_without_tables_stays_a_page(sign_in, acme, client):
    assert sign_in(acme.contractor).get(CHANNEL, {"download": "xlsx"}).status_code == 403
    assert client.get(CHANNEL, {"download": "xlsx"}).status_code == 302
    answer = sign_in(acme.cmo).get("/c/acme/notifications/", {"download": "xlsx"})
    assert answer["Content-Type"].startswith("text/html")
    assert sign_in(acme.cmo).get(CHANNEL, {"download": "exe"})["Content-Type"].startswith("text/html")


# ------------------------------------------------------------------ lists that are no tables on the screen
def test_the_register_of_decisions_leaves_whole(sign_in, acme, fired):
    decision = Decision.objects.get(company=acme.company)
    sign_decision(
        company=acme.company,
        by=acme.cmo,
        at=fired.now,
        decision=decision,
        choice="stop",
        reason="=Дорого",
        terms=Terms(),
    )

    ((rows),) = sheets(sign_in(acme.cmo).get("/c/acme/processes/decisions/", {"download": "xlsx"})).values()

    told = dict(zip(rows[0], rows[1], strict=True))
    assert (told["Решение"], told["Подписал"], told["Причина"]) == (str(decision), str(acme.cmo), "=Дорого")
    assert told["Сгорело"] > 0
    assert told["Подписано"].date() == date(2026, 11, 20)
    seen = sheets(sign_in(acme.content).get("/c/acme/processes/decisions/", {"download": "xlsx"}))
    assert all(dict(zip(rows[0], rows[1], strict=True))["Сгорело"] is None for rows in seen.values())


def test_actions_leave_with_their_dates(sign_in, acme, fired):
    create_action(
        company=acme.company, by=acme.cmo, at=fired.now, text="Позвонить", owner=acme.pm, due_on=date(2026, 11, 24)
    )

    (rows,) = sheets(sign_in(acme.pm).get("/c/acme/processes/actions/", {"download": "xlsx"})).values()

    assert rows[1][0] == "Позвонить"
    assert rows[1][3].date() == date(2026, 11, 24)
    assert "has-file" in sign_in(acme.pm).get("/c/acme/processes/actions/").content.decode()
