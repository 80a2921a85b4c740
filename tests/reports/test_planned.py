"""Planned counts are shown whole, everywhere by one rule; the files and the shares keep the exact plan."""

import io
import re
from decimal import Decimal

import pytest
import time_machine
from django.urls import reverse
from django.utils import translation
from openpyxl import load_workbook

from kpis.models import Target
from reports.page_tables import read_page
from reports.selectors.channel import channel_page
from reports.slides import content
from reports.slides.deck import deck_file
from roles import formats
from tests.conftest import shown
from tests.reports.conftest import MONDAY

EXACT = Decimal("20.571429")
"""36 qualified leads of the week (155 of the month), over four days of seven."""


@pytest.fixture
def friday(desk):
    """Friday 15:00 with four settled days and plans that four days do not divide evenly."""
    Target.objects.filter(company=desk.company, measure="qualified_leads").update(value=155)
    desk.run("before_thu", 12)
    desk.run("fri", 12)
    desk.facts(desk.made.vk, days=4, spend=1250, leads=9, qualified_leads=5)
    with time_machine.travel(desk.local("fri", 15), tick=False):
        yield desk


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        ("59.142857", "count", "59"), ("6.5", "count", "7"), ("6.4", "count", "6"), ("1204.5", "count", "1 205"),
        ("0.49", "count", "<1"), ("0", "count", "0"), (None, "count", "—"), ("59.142857", "money", "59,14 ₽"),
        ("0.123", "share", "12 %"), ("2.5", "number", "2,50"),
    ],
)  # fmt: skip
def test_only_counts_are_made_whole(value, unit, text):
    with translation.override("ru"):
        written = formats.planned(None if value is None else Decimal(value), unit)
    assert written.replace("\u00a0", " ") == text


@pytest.mark.parametrize("text", ["59", "&lt;1"])
def test_a_file_takes_the_exact_count_behind_a_whole_one(text):
    with translation.override("ru"):
        _title, (table,) = read_page(
            f"<main><table><tr><th>План<td><data value='0.125'>{text}</data><td>5</tr></table></main>"
        )
    assert table.rows == [["План", Decimal("0.125"), 5]]


def path(desk, name, *args):
    return reverse(f"reports:{name}", args=[desk.company.slug, *args])


def test_the_report_shows_the_plan_whole_and_its_share_exact(friday, sign_in):
    html = sign_in(friday.made.cmo).get(path(friday, "weekly-report-detail", friday.report().pk)).content.decode()

    assert re.search(r'data-l="план"><data value="20\.571429">21</data>', html)
    assert "−3\u00a0%" in html  # 20 / 20.57 − 1, not 20 / 21 − 1 = −5 %


def test_summary_channel_and_stand_up_show_it_whole_too(friday, sign_in):
    browser = sign_in(friday.made.cmo)
    pages = [path(friday, "week-summary"), path(friday, "stand-up"), path(friday, "channel-detail", "vk")]
    texts = {
        page: browser.get(page, {} if "channels" in page else {"week": "2026-W47"}).content.decode() for page in pages
    }

    for page, html in texts.items():
        assert re.search(r'<data value="20\.[56]\d+">21</data>', html), page
        assert not re.search(r"план \d+,\d", shown(html)), page


def test_the_file_of_a_channel_holds_the_exact_plan(friday, sign_in):
    answer = sign_in(friday.made.cmo).get(path(friday, "channel-detail", "vk"), {"download": "xlsx"})

    book = load_workbook(io.BytesIO(answer.content))
    rows = [[cell.value for cell in row] for sheet in book for row in sheet.iter_rows()]
    assert pytest.approx(float(EXACT)) in [row[1] for row in rows]


def test_tiles_and_the_small_chart_of_a_channel(friday):
    made = friday.made
    with translation.override("ru"):
        page = channel_page(company=made.company, person=made.cmo, code="vk", window=42, at=friday.local("fri", 15))
    notes = [note for tile in page.tiles for note in tile.notes]

    assert "план на 19.11 — 98" in notes  # 155 × 19 / 30 = 98.17
    assert [mini.beside for mini in page.minis if mini.code == "qualified_leads"] == ["план 5"]  # 155 / 30 a day


def test_the_slides_file_shows_it_whole(friday):
    from pptx import Presentation

    made = friday.made
    with translation.override("ru"):
        deck = content.deck_of(company=made.company, person=made.cmo, week=MONDAY, at=friday.local("fri", 15))
        show = Presentation(io.BytesIO(deck_file(deck)))
    cells = [
        [cell.text for cell in row.cells]
        for slide in show.slides for shape in slide.shapes if shape.has_table for row in shape.table.rows
    ]  # fmt: skip
    assert ["21", "20"] in [row[1:3] for row in cells]


def test_plan_and_fact_of_a_report_leave_before_it_is_filed(friday, sign_in):
    """A form for the channel's owner, plain figures for the others: the same tables."""
    for person in (friday.made.performance, friday.made.cmo):
        fact, plan = (tables_of(sign_in(person), friday, part) for part in ("fact", "plan"))
        assert fact["Показатель"] == ["План", "Факт", "Выполнение", "К плану", "Откуда"]
        assert fact["Расход"] == [4000, 5000, 1.25, 0.25, "по данным источников"]
        assert fact["Лиды"][:4] == [40, 36, 0.9, -0.1]
        assert fact["Заявки"][:2] == [pytest.approx(float(EXACT)), 20]
        assert plan["Показатель"][0] == "План"
        assert plan["Лиды"][0] == 70


def tables_of(browser, desk, part) -> dict[str, list]:
    """The first table of a report's file by the first word of each row."""
    answer = browser.get(path(desk, "weekly-report-detail", desk.report().pk), {"part": part, "download": "xlsx"})
    rows = [[cell.value for cell in row] for row in load_workbook(io.BytesIO(answer.content)).worksheets[0].iter_rows()]
    return {row[0].partition(",")[0]: row[1:] for row in rows}
