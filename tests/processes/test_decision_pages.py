"""The list, the page and the forms: what each person sees and may do, also on a foreign company."""

from datetime import date, timedelta

import pytest
import time_machine
from django.urls import reverse

from kpis.models import Breach, DailyFact, Source
from processes.models import Action, Decision
from roles.models import Appointment, Campaign, Channel
from tests.conftest import shown

from .conftest import NOW, TODAY, add_breach, add_facts, add_rule, sign

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _friday():
    with time_machine.travel(NOW, tick=False):
        yield


def url(name, made, *args):
    return reverse(f"processes:{name}", args=[made.company.slug, *args])


def text(response) -> str:
    return response.content.decode().replace("\xa0", " ")


def own(made, person):
    Channel.objects.filter(pk=made.vk.pk).update(owner=person)


def test_list_shows_the_money_first(house, sign_in):
    page = text(sign_in(house.owner).get(url("decision-list", house)))

    assert "53 690 ₽" in page
    assert "≈ 13 400 ₽ в день" in page
    assert "CPA выше 3 500 ₽ 4 дня, 16–19.11" in page
    assert "1 д 9 ч" in page
    assert "срок был 24 ч" in page
    assert str(house.cmo) in page


def test_list_hides_the_money_of_other_channels(house, sign_in):
    page = text(sign_in(house.content).get(url("decision-list", house)))

    assert "53 690" not in page
    assert "3 500" not in page
    assert "VK Реклама" in page


def test_owner_of_the_channel_sees_its_money(house, sign_in):
    assert "53 690 ₽" in text(sign_in(house.performance).get(url("decision-list", house)))


def test_nothing_of_the_rival_is_seen(house, rival_house, sign_in):
    browser = sign_in(house.cmo)

    assert "999" not in shown(text(browser.get(url("decision-list", house))))
    assert browser.get(url("decision-detail", house, rival_house.decision.pk)).status_code == 404
    for name in ("decision-sign", "decision-cosign", "decision-withdraw"):
        assert browser.post(url(name, house, rival_house.decision.pk)).status_code == 404
    assert browser.get(url("decision-list", rival_house)).status_code == 404


def test_empty_list_says_what_will_be_here(acme, sign_in):
    page = text(sign_in(acme.cmo).get(url("decision-list", acme)))

    assert "Ничего не ждёт" in page
    assert "Подписанных решений пока нет" in page


def test_contractor_is_kept_out(house, sign_in):
    browser = sign_in(house.contractor)

    assert browser.get(url("decision-list", house)).status_code == 403
    assert browser.get(url("decision-detail", house, house.decision.pk)).status_code == 403
    assert browser.post(url("decision-sign", house, house.decision.pk)).status_code == 403


def test_page_shows_evidence_and_the_price_of_waiting(house, sign_in):
    page = text(sign_in(house.cmo).get(url("decision-detail", house, house.decision.pk)))

    assert "CPA выше 3 500 ₽ 4 дня, 16–19.11: 4 900 ₽, 5 300 ₽, 5 750 ₽ и 5 520 ₽." in page
    assert "155 190 ₽" in page
    assert "Если ждать до стендапа" in page
    assert page.count('class="hot"') == 4
    assert '<svg class="plot plot-m"' in page
    assert "Сбережёт ≈ 13 400 ₽ в день, отнимет ≈ 7 в день" in page
    assert 'data-confirm="confirm-stop"' in page
    assert "Подписать и применить" in page


def test_page_without_money_keeps_its_figures(house, sign_in):
    page = text(sign_in(house.content).get(url("decision-detail", house, house.decision.pk)))

    for figure in ("53 690", "3 500", "4 900", "39 200", "155 190"):
        assert figure not in page
    assert "CPA за стоп-линией 4 дня, 16–19.11" in page


@pytest.mark.parametrize("person", ["owner", "pm", "analyst", "performance", "content"])
def test_who_may_not_sign_sees_who_does(house, sign_in, person):
    page = text(sign_in(getattr(house, person)).get(url("decision-detail", house, house.decision.pk)))

    assert "Кто решает" in page
    assert str(house.cmo) in page
    assert "Подписать и применить" not in page


def test_signing_on_the_page(house, sign_in):
    browser = sign_in(house.cmo)
    answer = browser.post(
        url("decision-sign", house, house.decision.pk),
        {"choice": "stop", "reason": "Заявки вдвое дороже", "resume_on": "2026-12-01", "until": "2026-11-27"},
    )

    assert answer.status_code == 302
    page = text(browser.get(answer.url))
    assert "Подписано и действует" in page
    assert "Печать цела" in page
    assert "Заявки вдвое дороже" in page
    assert "01.12.2026" in page
    assert Channel.objects.get(pk=house.vk.pk).status == "stopped"


def test_a_missing_reason_stands_at_the_field_and_keeps_what_was_typed(house, sign_in):
    answer = sign_in(house.cmo).post(
        url("decision-sign", house, house.decision.pk), {"choice": "continue", "until": "2026-11-25", "reason": " "}
    )

    page = text(answer)
    assert answer.status_code == 400
    assert "без неё подписать нельзя" in page
    assert 'value="2026-11-25"' in page
    assert 'aria-invalid="true"' in page
    assert Decision.objects.get(pk=house.decision.pk).state == "open"


@pytest.mark.parametrize("person", ["owner", "pm", "analyst", "performance"])
def test_signing_without_the_right_is_refused(house, sign_in, person):
    answer = sign_in(getattr(house, person)).post(
        url("decision-sign", house, house.decision.pk), {"choice": "stop", "reason": "x"}
    )

    assert answer.status_code == 403
    assert Decision.objects.get(pk=house.decision.pk).state == "open"


def test_the_second_of_two_sees_who_was_faster(house, sign_in):
    sign(house)
    answer = sign_in(house.cmo).post(
        url("decision-sign", house, house.decision.pk), {"choice": "cut", "budget": "5", "reason": "x"}
    )

    assert answer.status_code == 409
    assert f"Уже подписано: {house.cmo}, 20.11.2026, 15:20" in text(answer)


def test_second_signature_on_the_page(house, sign_in):
    own(house, house.cmo)
    director = sign_in(house.cmo)
    page = text(director.get(url("decision-detail", house, house.decision.pk)))
    assert "кто ведёт канал, не продлевает его в одиночку" in page
    assert f"Подписать и отправить: {house.owner}" in page
    director.post(
        url("decision-sign", house, house.decision.pk),
        {"choice": "continue", "until": "2026-11-25", "reason": "Новые объявления"},
    )

    page = text(director.get(url("decision-detail", house, house.decision.pk)))
    assert "Ждёт второй подписи" in page
    assert "Забрать мою подпись" in page
    assert director.post(url("decision-cosign", house, house.decision.pk), {"approve": "yes"}).status_code == 403

    owner = sign_in(house.owner)
    assert "Ваша подпись" in text(owner.get(url("decision-detail", house, house.decision.pk)))
    assert owner.post(url("decision-cosign", house, house.decision.pk), {"approve": "yes"}).status_code == 302
    assert Decision.objects.get(pk=house.decision.pk).state == "signed"


def test_refusing_needs_a_word(house, sign_in):
    own(house, house.cmo)
    sign(house, choice="continue")
    owner = sign_in(house.owner)
    refused = owner.post(url("decision-cosign", house, house.decision.pk), {"approve": "no", "reason": ""})
    assert refused.status_code == 400
    assert (
        owner.post(url("decision-cosign", house, house.decision.pk), {"approve": "no", "reason": "Дорого"}).status_code
        == 302
    )
    assert "Дорого" in text(sign_in(house.cmo).get(url("decision-detail", house, house.decision.pk)))


def test_withdrawing_on_the_page(house, sign_in):
    browser = sign_in(house.analyst)
    assert browser.post(url("decision-withdraw", house, house.decision.pk), {"reason": "x"}).status_code == 409
    Breach.objects.filter(pk=house.breach.pk).update(closed_on=TODAY, closed_as="gone")
    page = text(browser.get(url("decision-detail", house, house.decision.pk)))
    assert "правило больше не срабатывает" in page
    assert browser.post(url("decision-withdraw", house, house.decision.pk), {"reason": " "}).status_code == 400
    done = browser.post(url("decision-withdraw", house, house.decision.pk), {"reason": "Дозагрузили заявки"})
    assert done.status_code == 302
    assert "Дозагрузили заявки" in text(browser.get(done.url))
    assert "Дозагрузили заявки" in text(browser.get(url("decision-list", house)))


def test_the_log_is_filtered(house, sign_in):
    sign(house)
    browser = sign_in(house.cmo)

    assert "Заявки вдвое дороже" in text(browser.get(url("decision-list", house)))
    for query, found in (("choice=stop", True), ("choice=cut", False), ("channel=blog", False), ("channel=vk", True)):
        page = text(browser.get(url("decision-list", house) + f"?{query}"))
        assert ("Заявки вдвое дороже" in page) is found, query
    assert browser.get(url("decision-list", house) + "?choice=nonsense&page=zzz").status_code == 200


def test_earlier_decisions_stand_on_the_page(house, sign_in):
    sign(house)
    Channel.objects.filter(pk=house.vk.pk).update(status="active")
    house.vk.refresh_from_db()
    add_breach(house, add_rule(house, number=2))
    from processes import services

    (second,) = services.open_decisions(company=house.company, at=NOW)
    page = text(sign_in(house.cmo).get(url("decision-detail", house, second.pk)))

    assert "Похожие решения и что было потом" in page
    assert "Заявки вдвое дороже" in page


def test_list_costs_the_same_for_three_and_thirty(acme, sign_in):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from processes import services

    browser = sign_in(acme.cmo)
    add_facts(acme, acme.vk)

    def queries(numbers):
        for number in numbers:
            add_breach(acme, add_rule(acme, number=number))
        for decision in services.open_decisions(company=acme.company, at=NOW)[::2]:
            sign(acme, decision=decision, choice="false_alarm")
        browser.get(url("decision-list", acme))
        with CaptureQueriesContext(connection) as caught:
            assert browser.get(url("decision-list", acme)).status_code == 200
        return len(caught)

    assert queries(range(3)) == queries(range(3, 31)) <= 28


def test_page_costs_the_same_with_many_earlier_decisions(acme, sign_in):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from processes import services

    browser = sign_in(acme.cmo)
    add_facts(acme, acme.vk)

    def queries(numbers):
        for number in numbers:
            add_breach(acme, add_rule(acme, number=number))
        first, *rest = services.open_decisions(company=acme.company, at=NOW)
        for decision in rest:
            sign(acme, decision=decision, choice="false_alarm")
        browser.get(url("decision-detail", acme, first.pk))
        with CaptureQueriesContext(connection) as caught:
            assert browser.get(url("decision-detail", acme, first.pk)).status_code == 200
        return len(caught)

    assert queries(range(3)) == queries(range(3, 31)) <= 42


def test_english_reader(house, sign_in):
    house.cmo.user.language = "en"
    house.cmo.user.save()
    page = text(sign_in(house.cmo).get(url("decision-detail", house, house.decision.pk)))

    assert "CPA above 3,500 ₽ for 4 days" in page
    assert "What waiting costs" in page


def test_actions_of_a_person_and_of_everybody(house, sign_in):
    sign(house)
    mine = text(sign_in(house.performance).get(url("action-list", house)))
    assert "Остановить «VK Реклама» в рекламном кабинете" in mine
    browser = sign_in(house.cmo)
    assert "Остановить «VK Реклама»" not in text(browser.get(url("action-list", house)))
    assert "Остановить «VK Реклама»" in text(browser.get(url("action-list", house) + "?whose=all"))
    assert "Остановить «VK Реклама»" not in text(
        sign_in(house.contractor).get(url("action-list", house) + "?whose=all")
    )


def test_closing_an_action(house, sign_in):
    sign(house)
    action = Action.objects.get()
    browser = sign_in(house.performance)
    address = url("action-close", house, action.pk)

    assert browser.get(address).status_code == 200
    assert browser.post(address, {"outcome": "drop", "note": ""}).status_code == 400
    assert browser.post(address, {"outcome": "carry"}).status_code == 400
    assert browser.post(address, {"outcome": "carry", "due_on": "2026-11-19"}).status_code == 400
    assert browser.post(address, {"outcome": "carry", "due_on": "2026-11-23"}).status_code == 302
    action.refresh_from_db()
    assert (action.carried, action.due_on) == (1, TODAY + timedelta(days=3))
    assert browser.post(address, {"outcome": "done", "note": "Выключил"}).status_code == 302
    assert browser.post(address, {"outcome": "done"}).status_code == 409
    assert Action.objects.get().state == "done"


def test_others_do_not_close_it(house, sign_in):
    sign(house)
    address = url("action-close", house, Action.objects.get().pk)

    assert sign_in(house.content).post(address, {"outcome": "done"}).status_code == 403
    assert sign_in(house.contractor).get(address).status_code == 403
    assert Action.objects.get().state == "open"


def test_foreign_action_is_missing(house, rival_house, sign_in):
    sign(rival_house)
    for name in ("action-close", "action-accept"):
        assert sign_in(house.cmo).post(url(name, house, Action.objects.get().pk)).status_code == 404


def test_a_rewrite_is_accepted_by_another_person(house, sign_in):
    sign(house, choice="rewrite", assignee=house.content.pk)
    action = Action.objects.get()
    accept = url("action-accept", house, action.pk)
    director = sign_in(house.cmo)

    assert director.post(accept).status_code == 302
    assert Action.objects.get().accepted_by is None
    sign_in(house.content).post(url("action-close", house, action.pk), {"outcome": "done"})
    assert sign_in(house.content).post(accept).status_code == 403
    assert "Принять новую версию" in text(director.get(url("action-list", house) + "?whose=all"))
    assert director.post(accept).status_code == 302
    assert Action.objects.get().accepted_by == house.cmo
    assert Decision.objects.get().breach.verdicts.filter(kind="resume").exists()


def test_appointments_are_not_touched(house):
    """A stop leaves the hats: the owner of the channel has the task."""
    before = Appointment.objects.count()
    sign(house)

    assert Appointment.objects.count() == before
    assert Channel.objects.get(pk=house.vk.pk).owner == house.performance


def test_what_to_keep_is_chosen_by_its_figure(house, sign_in):
    """A stop takes the campaigns along; which of them is worth keeping is read beside its name."""
    known, silent = (
        Campaign.objects.create(company=house.company, channel=house.vk, external_id=name, name=name, status="active")
        for name in ("Ретаргетинг", "Клипы")
    )
    source = Source.objects.get(company=house.company, code="crm")
    for offset, (spend, leads) in enumerate(((2_000, 1), (2_576, 1))):
        DailyFact.objects.create(
            company=house.company, day=date(2026, 11, 17 + offset), channel=house.vk, campaign_id=known.pk,
            source=source, load_id=0, spend=spend, qualified_leads=leads,
        )  # fmt: skip
    page = text(sign_in(house.cmo).get(url("decision-detail", house, house.decision.pk)))
    assert "Ретаргетинг: CPA 2 288 ₽" in page
    assert "Клипы: CPA" not in page
    assert silent.name in page
    assert "2 288" not in text(sign_in(house.content).get(url("decision-detail", house, house.decision.pk)))
