"""The page of a channel and the map of channels: figures by hand, money hidden, rival absurd."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from kpis.models import RuleState
from kpis.outcomes import State
from reports.selectors.channel import channel_map, channel_page
from roles.models import Campaign, Channel

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
ABSURD = re.compile(r"999\D{0,7}999")


@pytest.fixture(autouse=True)
def _friday():
    with time_machine.travel(NOW, tick=False):
        yield


def page_of(lab, person, code="vk", window=42):
    return channel_page(company=lab.company, person=person, code=code, window=window, at=NOW)


def text_of(response) -> str:
    words = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", words.replace("\u00a0", " "))


def tiles_of(page) -> dict:
    return {tile.title.replace("\u00a0", " "): tile for tile in page.tiles}


def test_tiles_of_a_firing_channel(fired, acme):
    page = page_of(fired, acme.cmo)

    tiles = tiles_of(page)
    # 1–15.11: 15 × 27 000; 16–19.11: 155 190; profit 19 × 30 000
    assert tiles["Заработали"].value.replace("\u00a0", " ") == "9 810 ₽"
    assert tiles["CPA, 16–19.11"].value.replace("\u00a0", " ") == "5 351 ₽"  # 155 190 / 29
    assert (tiles["CPA, 16–19.11"].mark, tiles["CPA, 16–19.11"].word) == ("stop", "4-й день")
    assert [note.replace("\u00a0", " ") for note in tiles["CPA, 16–19.11"].notes] == [
        "цель 2 900 ₽, стоп 3 500 ₽", "с начала месяца 3 416 ₽",  # 560 190 / 164
    ]  # fmt: skip
    assert (tiles["Заявки"].value, tiles["Заявки"].mark) == ("164", "watch")  # plan 300 × 19 / 30 = 190


def test_chart_numbers_the_breach_days_under_goal_and_stop_line(fired, acme):
    chart = page_of(fired, acme.cmo).chart

    assert [(mark.number, mark.day.day, mark.value) for mark in chart.plot.breaches] == [
        (1, 16, Decimal(4900)), (2, 17, Decimal(5300)), (3, 18, Decimal(5750)), (4, 19, Decimal(5520)),
    ]  # fmt: skip
    assert (chart.plot.goal.value, chart.plot.line.value) == (2900, 3500)
    day, figures, hot = chart.rows[0]
    assert (day, hot) == (date(2026, 11, 19), True)
    assert [(one.code, figure.replace("\u00a0", " ")) for one, figure in figures] == [
        ("spend", "38 640"), ("leads", "15"), ("qualified_leads", "7"), ("cpa", "5 520"),
    ]  # fmt: skip
    assert len(chart.rows) == 42


def test_firing_breach_its_decision_and_its_rule(fired, acme):
    page = page_of(fired, acme.cmo)

    assert page.firing.first_day == date(2026, 11, 16)
    assert page.asked.burned == 53_690
    assert page.asked.row.decider == acme.cmo
    assert [event.mark for event in page.events] == ["next", "stop"]
    (rule,) = page.rules
    assert (rule.state, rule.since) == ("firing", date(2026, 11, 18))
    assert "3\u00a0500" in rule.sentence


@pytest.mark.parametrize("state", sorted(set(State) - {State.NONE}))  # after its last day no series is before its first
def test_the_pages_have_a_word_for_every_state_of_a_rule(fired, acme, sign_in, state):
    """A stop leaves the other rules of the channel disabled: the page opened by its owner next broke on the word."""
    RuleState.objects.update(state=state.code)
    browser = sign_in(acme.cmo)

    for path in ("channels/vk/", "channels/"):
        assert browser.get(f"/c/acme/reports/{path}").status_code == 200


def test_the_page_says_it_in_russian(fired, acme, sign_in):
    response = sign_in(acme.cmo).get("/c/acme/reports/channels/vk/")

    text = text_of(response)
    assert response.status_code == 200
    assert "Сработало стоп-правило" in text
    assert "Сверх допуска ушло 53 690 ₽" in text
    assert "К решению" in text
    assert "сегодня Ждёт решения" in text
    assert (
        f'href="{reverse("processes:decision-detail", args=["acme", page_of(fired, acme.cmo).asked.decision.pk])}"'
        in (response.content.decode().split('id="log"')[1])
    )
    assert not ABSURD.search(text)
    assert " style=" not in response.content.decode()


def test_money_of_another_channel_is_hidden(fired, acme, sign_in):
    response = sign_in(acme.content).get("/c/acme/reports/channels/vk/")

    text = text_of(response)
    assert response.status_code == 200
    assert "₽" not in text
    for figure in ("53 690", "3 500", "5 351", "2 900", "38 640", "560 190", "9 810"):
        assert figure not in text
    page = page_of(fired, acme.content)
    assert not page.sees_money
    assert page.chart.measure.code == "qualified_leads"
    assert {tile.code for tile in page.tiles} <= {"qualified_leads", "leads", "deals"}


def test_its_own_owner_sees_the_money(fired, acme, sign_in):
    assert "53 690 ₽" in text_of(sign_in(acme.performance).get("/c/acme/reports/channels/vk/"))


def test_campaigns_with_budget_and_stop_loss(fired, acme):
    low = Campaign.objects.create(
        company=acme.company, channel=acme.vk, external_id="a", name="А", budget=40_000, stop_loss=10_000
    )
    fine = Campaign.objects.create(company=acme.company, channel=acme.vk, external_id="b", name="Б", budget=10_000)
    Campaign.objects.create(company=acme.company, channel=acme.vk, external_id="c", name="В", status="stopped")
    for campaign, spend, profit in ((low, 30_000, 5000), (fine, 9000, 20_000)):
        fired.facts(
            acme.vk, date(2026, 11, 10), date(2026, 11, 10), campaign=campaign.pk, spend=spend, gross_profit=profit,
            leads=4, qualified_leads=3, deals=1,
        )  # fmt: skip

    first, second = page_of(fired, acme.cmo).campaigns

    assert (first.campaign, first.kpi, first.is_bad) == (low, 10_000, True)
    assert (first.spend.share, first.spend.state) == (Decimal("0.75"), "")
    assert (first.loss.amount, first.loss.share, first.loss.state) == (25_000, Decimal("2.5"), "low")
    assert (first.state, first.mark) == ("stop_loss", "stop")
    assert (second.profit, second.loss.share, second.state) == (11_000, None, "ok")
    assert second.counts == {"leads": 4, "qualified_leads": 3, "deals": 1}


def test_a_channel_without_figures_says_what_is_missing(acme, lab, sign_in):
    text = text_of(sign_in(acme.analyst).get("/c/acme/reports/channels/blog/"))

    assert "По этому каналу пока нет цифр" in text
    assert "Загрузить цифры" in text
    assert page_of(lab, acme.cmo, "blog").chart is None


def test_result_kpi_without_figures_leaves_the_rest(lab, acme, sign_in):
    Channel.objects.filter(pk=acme.blog.pk).update(result_kpi="unsubscribe_rate")
    lab.facts(acme.blog, date(2026, 11, 1), date(2026, 11, 19), spend=500, leads=3)

    page = page_of(lab, acme.cmo, "blog")

    assert page.chart is None
    assert "spend" in {tile.code for tile in page.tiles}
    assert sign_in(acme.cmo).get("/c/acme/reports/channels/blog/").status_code == 200


@pytest.mark.parametrize(("window", "days"), [(14, 14), (365, 365)])
def test_other_windows(fired, acme, window, days):
    page = page_of(fired, acme.cmo, window=window)

    assert (page.last_day - page.first_day).days == days - 1
    assert (page.chart.plot.breaches == ()) is (window == 365)


def test_what_is_not_there_is_not_found(fired, acme, rival, sign_in):
    Channel.objects.create(company=rival.company, code="secret", name="x", kind="pr")
    browser = sign_in(acme.cmo)

    for path in ("secret/", "vk/?days=7", "vk/?days=x"):
        assert browser.get(f"/c/acme/reports/channels/{path}").status_code == 404
    assert sign_in(rival.cmo).get("/c/acme/reports/channels/vk/").status_code == 404
    assert sign_in(acme.contractor).get("/c/acme/reports/channels/vk/").status_code == 403
    assert sign_in(acme.contractor).get("/c/acme/reports/channels/").status_code == 403


def test_same_queries_for_three_and_thirty_campaigns(fired, acme, sign_in):
    browser = sign_in(acme.cmo)
    counts = []
    for first, last in ((0, 3), (3, 30)):
        for number in range(first, last):
            campaign = Campaign.objects.create(
                company=acme.company, channel=acme.vk, external_id=str(number), name=str(number)
            )
            fired.facts(
                acme.vk, date(2026, 11, 10), date(2026, 11, 10), campaign=campaign.pk, spend=10, qualified_leads=1
            )
        browser.get("/c/acme/reports/channels/vk/")
        with CaptureQueriesContext(connection) as queries:
            assert browser.get("/c/acme/reports/channels/vk/").status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_map_shows_every_channel_by_kind(fired, acme, sign_in):
    Channel.objects.filter(pk=acme.vk.pk).update(priority="grow", priority_reason="Дешёвый договор")
    found = channel_map(company=acme.company, person=acme.cmo, at=NOW)

    assert [(kind, [row.channel.code for row in rows]) for kind, rows in found.groups] == [
        ("paid", ["vk"]), ("organic", ["blog"]),
    ]  # fmt: skip
    vk = found.groups[0][1][0]
    assert (found.start, found.end) == (date(2026, 10, 23), date(2026, 11, 19))
    assert (vk.leads, vk.conversion, vk.state) == (28 * 15, Decimal("0.05"), "firing")
    assert vk.value == Decimal(24 * 27_000 + 155_190) / (24 * 9 + 29)
    text = text_of(sign_in(acme.cmo).get("/c/acme/reports/channels/"))
    assert "Дешёвый договор" in text
    assert "Стоп-правило" in text
    assert not ABSURD.search(text)


def test_map_hides_money_of_others_channels(fired, acme, sign_in):
    text = text_of(sign_in(acme.content).get("/c/acme/reports/channels/"))

    assert "500 ₽" in text  # the blog's own CPA
    assert "3 278 ₽" not in text
    assert "1 911 ₽" not in text


def test_map_costs_the_same_for_three_and_thirty(fired, acme, sign_in):
    browser = sign_in(acme.cmo)
    counts = []
    for first, last in ((0, 1), (1, 28)):
        Channel.objects.bulk_create(
            Channel(
                company=acme.company, code=f"n{n}", name=f"n{n}", kind="pr", status="active", owner=acme.content,
                coordinator=acme.pm,
            )
            for n in range(first, last)
        )  # fmt: skip
        with CaptureQueriesContext(connection) as queries:
            assert browser.get("/c/acme/reports/channels/").status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_a_company_without_channels_is_told_what_to_do(acme, sign_in):
    from roles.models import Appointment

    Appointment.objects.filter(company=acme.company, channel__isnull=False).delete()
    Channel.objects.filter(company=acme.company).delete()

    assert "Завести первый канал" in text_of(sign_in(acme.owner).get("/c/acme/reports/channels/"))
