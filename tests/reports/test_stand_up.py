"""The meeting's page: every slide is in it at once, those that ask for something first, for those who may see the money."""

import re

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.reports.test_slides import week

__all__ = ["week"]
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


@pytest.mark.parametrize(("person", "status"), [("owner", 200), ("pm", 200), ("performance", 403), ("contractor", 403)])
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
