"""The week as a file of slides: the same figures as the screens, native tables and charts, texts that fit."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from pptx import Presentation

from reports.models import WeeklyReport
from reports.selectors.summary import week_summary
from reports.services.summary import write_summary
from reports.slides.content import CHART_DAYS, deck_of
from reports.slides.deck import Sheet, deck_file
from reports.slides.typography import lines_of, shortened, size_for, tidy
from roles import formats
from tests.reports.conftest import MONDAY

URL = "/c/acme/reports/week-summary/slides.pptx"


@pytest.fixture
def week(desk, acme):
    """VK with four weeks of figures but for one day, the blog with the week alone; both reports are open."""
    desk.run("before_thu", 12)
    first = MONDAY - timedelta(days=21)
    desk.facts(acme.vk, days=10, first=first, spend=900, qualified_leads=3, gross_profit=2000)
    desk.facts(
        acme.vk, days=17, first=first + timedelta(days=11), spend=1100, qualified_leads=2,
        leads=10, gross_profit=500,
    )  # fmt: skip
    desk.facts(acme.blog, spend=100, qualified_leads=1, gross_profit=400)
    return desk


def deck(week, acme, person=None):
    with translation.override("ru"):
        told = deck_of(
            company=acme.company, person=person or acme.cmo, week=MONDAY, at=week.local("next_mon", 10)
        )  # fmt: skip
        return told, Presentation(BytesIO(deck_file(told)))


def texts(slide) -> str:
    return "\n".join(shape.text_frame.text for shape in slide.shapes if shape.has_text_frame).replace("\u00a0", " ")


def tables(slide) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for shape in slide.shapes if shape.has_table for row in shape.table.rows]


def charts(slide):
    return [shape.chart for shape in slide.shapes if shape.has_chart]


def test_there_is_a_slide_per_channel_and_the_summary_is_last(week, acme):
    told, show = deck(week, acme)

    titles = [slide.shapes.title.text_frame.text.replace("\u00a0", " ") for slide in show.slides]
    wanted = ["VK Реклама: потеряли 4 200 ₽", "Блог: заработали 2 100 ₽", told.title.replace("\u00a0", " ")]
    assert titles == wanted
    assert titles[2].startswith("За неделю")


def test_figures_are_those_of_the_summary_page(week, acme):
    _told, show = deck(week, acme)
    with translation.override("ru"):
        summary = week_summary(company=acme.company, week=MONDAY, at=week.local("next_mon", 10))
        wanted = {row.channel.name: formats.money(row.earned) for row in summary.channels}

    rows = {cells[0].replace("\u00a0", " "): cells[2] for cells in tables(show.slides[2])[1:]}
    total = rows.pop("Все")
    assert rows == wanted
    with translation.override("ru"):
        assert total == formats.money(summary.earned)


def test_the_chart_is_native_and_an_unknown_day_is_a_gap(week, acme):
    _told, show = deck(week, acme)

    [chart] = charts(show.slides[0])
    values = list(chart.plots[0].series[0].values)
    assert len(values) == CHART_DAYS
    assert values[10] is None
    assert values[0] == 300
    assert values[-1] == 550
    assert list(chart.plots[0].categories)[-1] == "22.11"


def test_texts_of_people_stand_whole_in_the_notes(week, acme):
    long = "Аудитория выгорела: люди видят одно и то же. " * 40
    WeeklyReport.objects.filter(channel=acme.vk).update(
        conclusion=long, fact_submitted_at=week.local("fri", 17), state="submitted"
    )
    _told, show = deck(week, acme)

    slide = show.slides[1]  # the blog's report is missing and stands first
    assert "…" in texts(slide)
    assert long.strip() in slide.notes_slide.notes_text_frame.text.replace("\u00a0", " ")


def test_the_words_of_the_director_are_on_the_last_slide(week, acme):
    write_summary(
        company=acme.company, by=acme.cmo, at=week.local("next_mon", 9), week=MONDAY, text="VK убираем.", version=0
    )
    _told, show = deck(week, acme)

    assert "VK убираем." in texts(show.slides[2])


def test_a_week_without_anything_has_its_summary_alone(desk, acme):
    _told, show = deck(desk, acme)

    assert [texts(slide).count("неизвестно") for slide in show.slides] == [1]


def test_no_query_per_channel(week, acme):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            deck_of(company=acme.company, person=acme.cmo, week=MONDAY, at=week.local("next_mon", 10))
        return len(seen)

    queries()
    before = queries()
    for number in range(5):
        channel = type(acme.vk).objects.create(
            company=acme.company, code=f"more-{number}", name=f"Ещё {number}", kind="paid", status="active",
            owner=acme.performance, coordinator=acme.pm, priority="hold", priority_reason="x", result_kpi="cpa",
        )  # fmt: skip
        week.facts(channel, spend=100, gross_profit=400, qualified_leads=1)
    assert queries() == before


# ------------------------------------------------------------------ the address
def test_the_file_comes_with_a_russian_name(client, week, acme):
    client.force_login(acme.cmo.user)
    answer = client.get(f"{URL}?week=2026-W47")

    assert answer.status_code == 200
    assert answer["Content-Type"].endswith("presentationml.presentation")
    assert "filename*=utf-8''Acme%2C%20%D0%BD%D0%B5%D0%B4%D0%B5%D0%BB%D1%8F" in answer["Content-Disposition"]
    assert len(Presentation(BytesIO(answer.content)).slides) == 3


@pytest.mark.parametrize(("person", "status"), [("owner", 200), ("contractor", 403), ("performance", 403)])
def test_only_those_who_may_see_the_money_get_it(client, week, acme, person, status):
    client.force_login(getattr(acme, person).user)
    assert client.get(f"{URL}?week=2026-W47").status_code == status


def test_strangers_find_nothing(client, week, rival):
    client.force_login(rival.owner.user)
    assert client.get(URL).status_code == 404


# ------------------------------------------------------------------ typography
def test_short_words_keep_to_the_next_one():
    assert (
        tidy("Стоп до 01.12 и в ноябре — без посева")
        == "Стоп до\u00a001.12 и\u00a0в\u00a0ноябре\u00a0— без\u00a0посева"
    )


def test_the_size_falls_until_the_text_fits():
    assert size_for("коротко", 400, 60, (30, 20, 10)) == 30
    assert size_for("слово " * 30, 400, 60, (30, 20, 10)) == 10
    assert size_for("слово " * 300, 400, 60, (30, 20, 10)) is None


def test_what_is_cut_fits_and_ends_between_words():
    cut = shortened("слово " * 300, 400, 60, 10)
    assert cut.endswith("слово…")
    assert lines_of(cut, 400, 10) * 10 * 1.22 <= 60


def test_a_dozen_figures_have_their_rows_above_the_words():
    show = Presentation()
    sheet = Sheet(show)
    sheet.table(["a", "b", "c", "d"], [("CPA", "1", "2", "3", "1B2430")] * 12, left=42, top=136, width=430, height=234)

    [table] = [shape.table for shape in sheet.slide.shapes if shape.has_table]
    assert len(table.rows) == 13
    assert sum(row.height.pt for row in table.rows) <= 235
