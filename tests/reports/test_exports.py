"""Tables in files: the screen's figures, numbers as numbers, dates as dates, nothing that a spreadsheet would run."""

import csv
import io
from datetime import date, datetime, time
from decimal import Decimal

import pytest
from django.utils import translation
from openpyxl import load_workbook

from processes.models import Action
from reports.csvfile import csv_file
from reports.models import ReportAction
from reports.selectors.summary import week_summary
from reports.tables import Column, Kind, Table
from reports.workbook import workbook_file
from tests.reports.conftest import MONDAY

HOSTILE = ["=1+1", "+7 900", "-2", "@SUM(A1)", "\t=1", "|calc", "%0A=1", "=HYPERLINK(\"//x\")"]  # fmt: skip


def midnight(day: date) -> datetime:
    """How openpyxl gives a date back."""
    return datetime.combine(day, time.min)


def book(table: Table):
    return load_workbook(io.BytesIO(workbook_file([table]))).active


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_a_formula(text):
    table = Table("t", [Column("a")], [[text]])

    cell = book(table)["A2"]
    assert (cell.data_type, cell.value) == ("s", text)
    [_head, [written]] = csv.reader(io.StringIO(csv_file(table).removeprefix("\ufeff")), delimiter=";")
    assert written == f"'{text}"


def test_values_keep_their_kind():
    table = Table(
        "t", [Column("м", Kind.MONEY), Column("д", Kind.SHARE), Column("дата", Kind.DATE), Column("ш", Kind.COUNT)],
        [[Decimal("1234.5"), Decimal("0.125"), date(2026, 11, 16), 7], [None, None, None, None]],
    )  # fmt: skip

    sheet = book(table)
    assert [cell.value for cell in sheet[2]] == [1234.5, 0.125, midnight(date(2026, 11, 16)), 7]
    assert [cell.number_format for cell in sheet[2]] == ["#,##0.00", "0.0%", "DD.MM.YYYY", "#,##0.##"]
    assert [cell.value for cell in sheet[3]] == [None] * 4
    assert csv_file(table).splitlines()[1:] == ["1234,5;0,125;16.11.2026;7", ";;;"]


def test_signs_no_sheet_can_hold_do_not_break_it():
    assert book(Table("a/b:c?" * 9, [Column("x")], [["до\x00\x0bпосле"]]))["A2"].value == "допосле"


def test_sheets_of_one_name_stand_beside_each_other():
    table = Table("Каналы", [Column("x")], [])
    assert load_workbook(io.BytesIO(workbook_file([table, table]))).sheetnames == ["Каналы", "Каналы 2"]


# ------------------------------------------------------------------ the summary of a week
@pytest.fixture
def week(desk, acme):
    desk.run("before_thu", 12)
    desk.facts(acme.vk, spend=1100, qualified_leads=2, gross_profit=500)
    desk.facts(acme.blog, spend=100, gross_profit=400)
    action = Action.objects.create(
        company=acme.company, channel=acme.vk, text="=cmd|' /C calc'!A0", owner=acme.performance, due_on=date(2026, 11, 27),
        created_by=acme.cmo, created_at=desk.local("fri", 12),
    )  # fmt: skip
    ReportAction.objects.create(company=acme.company, report=desk.report(), action=action)
    return desk


def test_the_workbook_says_what_the_page_says(client, week, acme):
    client.force_login(acme.cmo.user)
    answer = client.get("/c/acme/reports/week-summary/tables.xlsx?week=2026-W47")
    sheets = load_workbook(io.BytesIO(answer.content))

    summary = week_summary(company=acme.company, week=MONDAY, at=week.local("next_mon", 10))
    channels = {row[0]: row[2] for row in sheets["Каналы"].iter_rows(min_row=2, values_only=True)}
    assert channels == {**{row.channel.name: row.earned for row in summary.channels}, "Все": summary.earned}
    assert channels["VK Реклама"] == -4200
    actions = sheets.worksheets[3]
    [action] = actions.iter_rows(min_row=2, values_only=True)
    assert (action[0], action[3]) == ("=cmd|' /C calc'!A0", midnight(date(2026, 11, 27)))
    assert actions["A2"].data_type == "s"


def test_the_channels_come_as_csv_too(client, week, acme):
    client.force_login(acme.cmo.user)
    answer = client.get("/c/acme/reports/week-summary/channels.csv?week=2026-W47")

    assert "filename*=utf-8''Acme%2C%20%D0%BD" in answer["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.content.decode().removeprefix("\ufeff")), delimiter=";"))
    assert [row[2] for row in rows if row[0] == "VK Реклама"] == ["-4200"]
    with translation.override("en"):
        assert csv_file(Table("t", [Column("x", Kind.MONEY)], [[Decimal("1.5")]])).endswith("1.5\r\n")


@pytest.mark.parametrize("path", ["week-summary/tables.xlsx", "week-summary/channels.csv", "dashboard/channels.xlsx"])
def test_files_are_for_those_who_see_the_money(client, week, acme, rival, path):
    for person, status in ((acme.owner, 200), (acme.performance, 403), (rival.owner, 404)):
        client.force_login(person.user)
        assert client.get(f"/c/acme/reports/{path}").status_code == status
