"""What the pages tell after a decision: overrides by day, refined figures, reviews, the account; and to whom."""

import re
from decimal import Decimal

import pytest
from django.utils import timezone

from processes.models import Review
from processes.review_pages import hit_rates
from tests.conftest import shown

from .road import BAD, GOOD, Road


@pytest.fixture
def road(acme, monkeypatch):
    acme.company.language = "ru"
    road = Road(acme)
    road.clock = road.at(17, 7)
    monkeypatch.setattr(timezone, "now", lambda: road.clock)
    return road


@pytest.fixture
def see(road, sign_in):
    def page(person, path, offset, status=200) -> str:
        road.clock = road.at(offset, 12)
        response = sign_in(person).get(f"/c/acme/{path}")
        assert response.status_code == status
        text = re.sub(r"\s+", " ", shown(response.content.decode()).replace("\xa0", " "))
        return re.sub(r" ([,.;:])", r"\1", text)

    return page


def test_an_override_is_seen_on_the_list_the_decision_and_the_channel(road, see):
    decision = road.burn()
    road.sign(17, "continue", until=road.day(23), extra_spend=Decimal(400_000))
    road.live(18, 20, BAD)
    paths = ("processes/decisions/", f"processes/decisions/{decision.pk}/", "reports/channels/vk/")
    for path in paths:
        page = see(road.made.cmo, path, 20)
        assert re.search(r"[Дд]ень 4 из 7", page), path
        assert "22 400 ₽" in page
        hidden = see(road.made.content, path, 20)
        assert re.search(r"[Дд]ень 4 из 7", hidden), path
        assert "22 400" not in hidden
    assert "117 600 ₽" in see(road.made.cmo, paths[1], 20)


def test_refined_figures_are_shown_as_was_and_now(road, see):
    decision = road.burn()
    road.load(15, BAD, leads=20)
    road.run(17, 9)
    page = see(road.made.cmo, f"processes/decisions/{decision.pk}/", 17)

    assert "CPA: было 4 900 ₽, стало 3 267 ₽" in page
    assert "17.11: 4 900 ₽ → 1 960 ₽" in page
    assert "3 267" not in see(road.made.content, f"processes/decisions/{decision.pk}/", 17)


def test_a_review_is_done_on_the_page_of_the_decision(road, see, sign_in):
    decision = road.burn()
    road.sign(17, "continue", until=road.day(22), expected_value=Decimal(3000), expected_on=road.day(24))
    road.live(18, 24, GOOD)
    review = Review.objects.get()
    path = f"processes/decisions/{decision.pk}/"
    page = see(road.made.cmo, path, 24)
    assert "не выше 3 000 ₽" in page
    assert "По цифрам: сбылось" in page
    assert "Это решение подписали вы" in page
    assert "Записать разбор" not in see(road.made.performance, path, 24)

    address = f"/c/acme/processes/reviews/{review.pk}/"
    refused = sign_in(road.made.cmo).post(address, {"verdict": "came_true", "note": ""})
    assert refused.status_code == 400
    assert "Напишите, что показали цифры" in refused.content.decode()
    assert sign_in(road.made.performance).post(address, {"verdict": "no", "note": "x"}).status_code == 403
    done = sign_in(road.made.cmo).post(address, {"verdict": "partly", "note": "Помогла распродажа"})
    assert done.status_code == 302

    page = see(road.made.owner, path, 24)
    assert "Помогла распродажа" in page
    assert "Один и тот же человек" in page
    assert sign_in(road.made.owner).post(address, {"verdict": "no", "note": "x"}).status_code == 409


def test_each_decider_sees_their_own_hits_and_the_owner_the_sum(road, see):
    road.burn()
    road.sign(17, "continue", until=road.day(22), expected_value=Decimal(3000), expected_on=road.day(24))
    road.live(18, 24, GOOD)
    Review.objects.update(state="done", verdict="came_true", reviewed_by=road.made.owner, reviewed_at=road.at(24))

    assert "Ваши прогнозы сбылось 1 из 1" in see(road.made.cmo, "processes/decisions/", 24)
    owner = see(road.made.owner, "processes/decisions/", 24)
    assert "Прогнозы всех решений сбылось 1 из 1" in owner
    assert "Ваши прогнозы" not in owner
    assert "рогнозы" not in see(road.made.pm, "processes/decisions/", 24)
    everybody, mine = hit_rates(person=road.made.cmo)
    assert everybody == mine
    assert everybody.rate == 1


def test_the_list_counts_what_was_not_decided_in_time(road, see):
    road.burn()
    road.run(19, 7)
    page = see(road.made.cmo, "processes/decisions/", 19)

    assert "В силе за 24 часа 0 из 1" in page
    assert "Не решено в срок 1: ждут до сих пор 1" in page
    assert "Ваши, в силе за 24 часа 0 из 1" in page
    assert "Ваши, в силе" not in see(road.made.owner, "processes/decisions/", 19)


def test_the_account_is_for_those_who_see_the_money(road, see):
    road.burn()
    road.load(17, BAD)
    road.sign(17, "stop")
    road.run(20)
    page = see(road.made.owner, "processes/decisions/account/", 20)
    assert "+22 400 ₽" in page
    assert "средний день срабатывания: 39 200 ₽ и 8 (" in page
    see(road.made.performance, "processes/decisions/account/", 20, status=403)
    line = see(road.made.owner, "reports/dashboard/", 20)
    assert "Решения сберегли 22 400 ₽, недополучили 0 ₽; ложных тревог: 0 из 1." in line


def test_similar_decisions_tell_what_followed(road, see):
    road.burn()
    road.load(17, BAD)
    road.sign(17, "rewrite", assignee=road.made.content.pk, due=road.day(20))
    for offset in range(18, 24):
        road.load(offset, GOOD)
    from processes import services
    from processes.models import Action

    action = Action.objects.get()
    services.close_action(company=road.company, by=road.made.content, at=road.at(19), action=action)
    services.accept_rewrite(company=road.company, by=road.made.cmo, at=road.at(20), action=action)
    for offset in range(24, 29):
        road.load(offset, BAD)
    road.run(29)
    second = road.decision()
    assert second.state == "open"
    page = see(road.made.cmo, f"processes/decisions/{second.pk}/", 29)

    assert "+32 000 ₽" in page
    assert "CPA 4 900 ₽ → 3 809 ₽, дней не выше порога: 6 из 11" in page
    assert "32 000" not in see(road.made.content, f"processes/decisions/{second.pk}/", 29)
