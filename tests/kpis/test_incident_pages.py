"""Pages of data incidents: what is doubtful, and the word that lets its decisions out."""

import pytest
from django.urls import reverse

from kpis.models import DataIncident
from mops import pipeline
from processes.models import Decision
from tests.conftest import shown

from .test_evaluation import BAD, NOW, evaluate, world  # noqa: F401
from .test_guard import all_of, city  # noqa: F401


@pytest.fixture
def doubted(city):  # noqa: F811
    all_of(city, [(6000, 10)] * 10 + [BAD] * 3)
    [city.incident] = evaluate(city).incidents_opened
    return city


def page(made, browser, name="data-incident-detail", data=None):
    address = reverse(
        f"kpis:{name}", args=[made.company.slug, *([made.incident.pk] if name.endswith("detail") else [])]
    )
    return browser.get(address) if data is None else browser.post(address, data)


def text(response) -> str:
    return response.content.decode().replace("\xa0", " ")


def test_list_and_page_say_what_is_held(doubted, sign_in):
    browser = sign_in(doubted.analyst)

    listed, opened = text(page(doubted, browser, "data-incident-list")), text(page(doubted, browser))

    assert "5 решений задержано" in listed or "задержано 5 решений" in listed
    assert "5 из 5 каналов" in opened
    assert "Отпустить решения" in opened
    assert opened.count("Канал 3") >= 2


def test_releasing_needs_words_and_opens_the_decisions(doubted, sign_in):
    browser = sign_in(doubted.analyst)

    silent = page(doubted, browser, data={"reason": " "})
    done = page(doubted, browser, data={"reason": "Сверено с кабинетами"})
    twice = page(doubted, browser, data={"reason": "Ещё раз"})
    pipeline.run_company(doubted.company.pk, NOW)

    assert (silent.status_code, done.status_code, twice.status_code) == (400, 302, 409)
    assert "Сверено с кабинетами" in text(page(doubted, browser))
    assert Decision.objects.count() == 5


def test_whoever_may_not_release_reads_and_gets_403(doubted, sign_in):
    browser = sign_in(doubted.pm)

    assert "Отпустить решения" not in shown(text(page(doubted, browser)))
    assert page(doubted, browser, data={"reason": "можно"}).status_code == 403
    assert DataIncident.objects.get().state == "open"


def test_today_of_the_analyst_leads_to_it(doubted, sign_in):
    response = sign_in(doubted.analyst).get(reverse("reports:today", args=[doubted.company.slug]))

    assert reverse("kpis:data-incident-detail", args=[doubted.company.slug, doubted.incident.pk]) in text(response)
    assert "решения задержаны" in text(response)
