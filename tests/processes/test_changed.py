"""An open question whose rule fires no more: what its page says, one-click withdrawal, and what stays of it."""

import pytest

from kpis.models import Breach, DataIncident
from mops.models import Notification
from processes import selectors, services
from processes.lists import waiting_lines
from processes.models import Decision
from processes.overrides import running
from processes.wording import quote

from .road import BAD
from .test_after_pages import road, see  # noqa: F401


@pytest.fixture
def refined(road):  # noqa: F811
    """The two later days of the breach got the leads that were missing: only the first one is over the line now."""
    decision = road.burn()
    for offset in (15, 16):
        road.load(offset, BAD, leads=20)
    road.run(17, 9)
    return decision


def page_of(decision: Decision) -> str:
    return f"processes/decisions/{decision.pk}/"


def test_the_page_tells_what_was_asked_and_calls_only_bad_days_bad(road, see, refined, sign_in):  # noqa: F811
    page = see(road.made.cmo, page_of(refined), 17)
    assert "Когда вопрос открылся: CPA выше 3 500 ₽ 3 дня, 16–18.11: 4 900 ₽, 4 900 ₽ и 4 900 ₽." in page
    assert "По сумме этих дней сверх порога ничего нет: −" in page
    assert "Сверх порога за время ожидания" not in page
    html = sign_in(road.made.cmo).get(f"/c/acme/{page_of(refined)}").content.decode()
    assert html.count('<tr class="hot">') == 1

    everything = see(road.made.cmo, "processes/decisions/", 17)
    assert "CPA выше 3 500 ₽ 3 дня, 16–18.11" in everything
    assert "сверх порога ничего" in everything
    assert "Данные изменились: правило больше не срабатывает" in see(road.made.cmo, "reports/today/", 17)


def test_the_question_is_withdrawn_with_one_click_and_keeps_both_figures(road, see, refined, sign_in):  # noqa: F811
    browser = sign_in(road.made.analyst)
    response = browser.get(f"/c/acme/{page_of(refined)}")
    proposed = response.context["forms"]["withdraw"]["reason"].value()
    assert proposed == "Данные уточнены: по ним правило не срабатывает."
    browser.post(f"/c/acme/{page_of(refined)}withdraw/", {"reason": proposed})

    road.load(15, BAD)  # what comes later changes nothing of what is kept
    road.load(16, BAD)
    page = see(road.made.cmo, page_of(refined), 18)
    assert f"{road.made.analyst} отозвано" in page
    assert "CPA: было 4 900 ₽, стало 2 450 ₽" in page
    hidden = see(road.made.content, page_of(refined), 18)
    assert "2 450" not in hidden
    assert "4 900" not in hidden
    assert str(road.made.analyst) in hidden


@pytest.mark.parametrize(("closed_as", "told"), [
    ("recovered", "Следующие дни вернулись по нужную сторону порога."),
    ("paused", "Семь дней ни расхода, ни результата"),
    ("stopped", "Больше не работает: правило на это не смотрит."),
    ("disabled", "Правило выключили"),
    ("gone", "По нынешним цифрам и нынешнему правилу срабатывания нет"),
])  # fmt: skip
def test_why_it_fell_silent_is_said_as_it_was(road, see, closed_as, told):  # noqa: F811
    decision = road.burn()
    Breach.objects.filter(pk=decision.breach_id).update(closed_on=road.day(17), closed_as=closed_as)
    by_figures = closed_as in {"gone", "recovered"}
    page = see(road.made.cmo, page_of(decision), 17)
    assert told in page
    assert ("Данные изменились" in page) is by_figures
    assert "отзовите вопрос" in page
    assert "отзовите вопрос" not in see(road.made.content, page_of(decision), 17)


def test_a_withdrawn_question_is_no_round(road, refined):  # noqa: F811
    """Figures that went to and fro ask the director again; the owner's third round is of answers."""
    for back in range(3):
        decision = selectors.get_decision(company=road.company, pk=road.decision().pk)
        services.withdraw_decision(
            company=road.company, decision=decision, by=road.made.cmo, at=road.at(17, 10 + back), reason="Уточнили"
        )
        for leads, hour in ((8, 10.3), (20, 10.6)):
            for offset in (15, 16):
                road.load(offset, BAD, leads=leads)
            road.run(17, hour + back)
    assert road.rounds() == [(1, "withdrawn")] * 3 + [(1, "open")]


def test_the_page_of_a_round_names_the_ones_before(road, see):  # noqa: F811
    first = road.burn()
    road.sign(17, "continue", until=road.day(19))
    road.live(18, 21, BAD)
    page = see(road.made.cmo, page_of(road.decision(2)), 21)
    assert f"Раунд 2 До этого {first}: продолжать до даты" in page
    assert "До этого" not in see(road.made.cmo, page_of(first), 21)


def test_an_override_says_when_its_spend_is_gone_or_unknown(road, see):  # noqa: F811
    decision = road.burn()
    road.sign(17, "continue", until=road.day(27), extra_spend=75_000)
    assert "уйдёт 75 000 ₽ расхода: данных о нём пока нет" in see(road.made.cmo, page_of(decision), 17)
    road.live(18, 19, BAD)  # 78 400 ₽ on two days, and only two breaching days since the signature
    (runs,) = running(company=road.company, person=road.made.cmo, at=road.at(19))
    assert runs.is_used_up
    assert "Согласованный расход ушёл: правило считает плохие дни заново" in see(road.made.cmo, page_of(decision), 19)
    assert "Согласованный расход ушёл:" in see(road.made.cmo, "processes/decisions/", 19)
    assert "Согласованный расход ушёл" not in see(road.made.content, page_of(decision), 19)


def test_a_long_breach_says_that_not_all_days_are_quoted(road):  # noqa: F811
    road.burn()
    for offset in range(17, 23):
        road.load(offset, BAD)
    road.run(23)
    (line,) = waiting_lines(company=road.company, person=road.made.cmo, at=road.at(23))
    assert "9 дней" in line.headline
    assert quote(line.row.evidence, "RUB").startswith(f"{line.headline}. Последние: ")


def test_a_breach_that_late_figures_bring_back_is_found_late(road, see, refined):  # noqa: F811
    decision = selectors.get_decision(company=road.company, pk=refined.pk)
    services.withdraw_decision(
        company=road.company, decision=decision, by=road.made.cmo, at=road.at(17, 10), reason="Уточнили"
    )
    for offset in (15, 16):
        road.load(offset, BAD)
    road.run(17, 11)
    again = Decision.objects.get(company=road.company, state="open")
    assert (decision.evidence["found_late"], again.evidence["found_late"]) == (False, True)
    assert "Найдено поздно" in see(road.made.cmo, page_of(again), 17)


def test_the_page_names_an_open_doubt_about_its_days(road, see):  # noqa: F811
    decision = road.burn()
    common = {"company": road.company, "opened_at": road.at(17), "last_day": road.day(16)}
    DataIncident.objects.create(
        **common, kind="zeros", first_day=road.day(16), figures={"channels": [road.made.vk.name, "Другой"]}
    )
    DataIncident.objects.create(**common, kind="zeros", first_day=road.day(14), figures={"channels": ["Другой"]})
    page = see(road.made.cmo, page_of(decision), 17)
    assert page.count("Эти цифры под вопросом") == 1
    road.sign(17, "stop")
    assert "Эти цифры под вопросом" not in see(road.made.cmo, page_of(decision), 17)


def test_who_decides_hears_that_it_fires_no_more_and_that_it_was_withdrawn(road, refined):  # noqa: F811
    """The question stays open until somebody reads it: the director is told, and later who took it back and why."""
    title = "Правило больше не срабатывает."
    heard = Notification.objects.filter(company=road.company, url__endswith=page_of(refined))
    assert [row.person for row in heard.filter(title__startswith=title)] == [road.made.cmo]
    decision = selectors.get_decision(company=road.company, pk=refined.pk)
    services.withdraw_decision(
        company=road.company, decision=decision, by=road.made.analyst, at=road.at(17, 10), reason="Пришли заявки"
    )
    road.run(17, 11)
    told = heard.filter(title__startswith="Вопрос отозван.")
    assert {row.person for row in told} == {road.made.cmo, road.made.performance}
    assert f"{refined}, вопрос отозван: {road.made.analyst}.\nПришли заявки" == told[0].text.replace("\xa0", " ")
