"""The meeting's page: every slide is in it at once, those that ask for something first, for those who may see the money."""

import re

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from reports.models import Meeting, WeeklyReport
from reports.services.summary import write_summary
from tests.reports.conftest import MONDAY
from tests.reports.test_meetings import held
from tests.reports.test_slides import week

__all__ = ["held", "week"]
URL = "/c/acme/reports/stand-up/?week=2026-W47"


@pytest.fixture
def page(client, week, acme):
    client.force_login(acme.cmo.user)
    return client.get(URL).content.decode()


def test_missing_reports_stand_first_and_the_summary_last(page):
    heads = re.findall(r'<h2 id="(s\d|summary)-h"[^>]*>([^<]*)<', page)

    assert [number for number, _title in heads] == ["s1", "s2", "summary"]
    assert heads[0][1].startswith("VK Реклама: потеряли")
    assert "отчёта нет" in page


def test_the_rail_names_who_has_something_to_answer(page):
    rail = page[page.index('class="rail"') : page.index("</ol>")]
    assert rail.count('<li class="stop">') == 2
    assert 'href="#summary"' in rail


def test_nothing_is_hidden_before_a_script_runs(page):
    assert not re.search(r'<article class="slide"[^>]*hidden', page)


@pytest.mark.parametrize(
    ("person", "status"), [("owner", 200), ("pm", 200), ("performance", 200), ("content", 200), ("contractor", 403)]
)
def test_who_may_open_it(client, week, acme, person, status):
    client.force_login(getattr(acme, person).user)
    assert client.get(URL).status_code == status


def test_strangers_find_nothing(client, week, rival):
    client.force_login(rival.owner.user)
    assert client.get(URL).status_code == 404


def test_the_number_of_queries_stays_small(client, week, acme):
    client.force_login(acme.cmo.user)
    client.get(URL)
    with CaptureQueriesContext(connection) as seen:
        client.get(URL)
    assert len(seen) <= 39


@pytest.mark.parametrize("asked", ["2026-W48", "2027-W30", "2020-W01"])
@pytest.mark.parametrize("path", ["stand-up/", "week-summary/slides.pptx", "week-summary/tables.xlsx"])
def test_any_week_may_be_asked_for(client, week, acme, asked, path):
    week.run("thu", 13)  # the reports of week 48 are there
    client.force_login(acme.cmo.user)
    with time_machine.travel(week.local("fri", 12), tick=False):
        assert client.get(f"/c/acme/reports/{path}?week={asked}").status_code == 200


ACTS = ("start", "claim", "suspend", "resume", "turn", "topics", "end")


@pytest.mark.parametrize("act", ACTS)
def test_whoever_follows_cannot_drive(client, week, acme, act):
    client.force_login(acme.content.user)
    assert client.post(f"/c/acme/reports/stand-up/{act}/?week=2026-W47").status_code == 403


@pytest.mark.parametrize("path", ["join", "state"])
def test_a_contractor_cannot_follow(client, week, acme, path):
    client.force_login(acme.contractor.user)
    send = client.post if path == "join" else client.get
    assert send(f"/c/acme/reports/stand-up/{path}/?week=2026-W47").status_code == 403


def test_a_channel_owner_reads_the_own_channel_whole_and_no_money_of_others(client, week, acme):
    WeeklyReport.objects.filter(channel=acme.vk).update(
        conclusion="Аудитория выгорела", fact_submitted_at=week.local("fri", 17), state="submitted"
    )
    write_summary(
        company=acme.company, by=acme.cmo, at=week.local("next_mon", 9), week=MONDAY, text="Сняли 4200", version=0
    )
    client.force_login(acme.content.user)
    page = plain(client.get(URL).content.decode())

    slides = dict(re.findall(r'<article class="slide"[^>]*data-code="(\w+)">(.*?)</article>', page))
    assert "Блог: заработали 2 100 ₽" in slides["blog"]
    assert "Аудитория выгорела" in slides["vk"]
    assert "Квалифицированные" in slides["vk"] or "Лиды" in slides["vk"]
    assert "₽" not in slides["vk"]
    assert "2 100 ₽" in slides["summary"]
    for foreign in ("4 200", "4200", "−2 100", "slides.pptx", "week-summary", 'name="present"', "stand-up/start/"):
        assert foreign not in page, foreign


def test_the_live_fragment_tells_a_follower_no_money_and_offers_nothing_to_press(client, held, acme):
    held.act("start_meeting", slide="vk")
    client.force_login(acme.content.user)
    bar = client.get("/c/acme/reports/stand-up/state/?week=2026-W47&seen=0").content.decode()
    assert 'data-slide="vk"' in bar
    assert "₽" not in bar
    assert bar.count("<form") == 0
    client.post("/c/acme/reports/stand-up/join/?week=2026-W47")
    assert acme.content.pk in Meeting.objects.get().present


def plain(html: str) -> str:
    return html.replace("\u00a0", " ").replace("\u202f", " ").replace("\n", " ")
