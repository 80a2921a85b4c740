"""Actions that were moved three times: not moved once more, and the stand-up chooses what becomes of them."""

from datetime import date

import pytest
import time_machine
from django.urls import reverse

from processes.models import Action
from processes.services import carry_action, create_action
from reports.filing import ActionDraft, FactDraft, Promise
from reports.models import CarryChoice, ReportAction
from reports.services import carried, fact
from reports.services.summary import CarriedActions, write_summary
from roles.models import AuditEvent
from roles.refusals import Refused


@pytest.fixture
def stuck(desk):
    """An action of VK from the week before, moved three times; it is Friday 15:00 of week 47."""
    desk.run("before_thu", 11)
    desk.run("before_thu", 12)
    desk.run("fri", 12)
    action = create_action(
        company=desk.company, by=desk.made.performance, at=desk.local("before_thu", 12), text="Собрать аудиторию",
        owner=desk.made.performance, due_on=date(2026, 11, 13), channel=desk.made.vk,
    )  # fmt: skip
    ReportAction.objects.create(company=desk.company, report=desk.report(week=date(2026, 11, 9)), action=action)
    for day in (16, 17, 18):
        carry_action(
            company=desk.company, by=desk.made.performance, at=desk.local("before_thu", 13), action=action,
            due_on=date(2026, 11, day),
        )  # fmt: skip
    desk.action = action
    return desk


def settle(desk, choice, **fields):
    given = {"by": desk.made.cmo, "at": desk.local("next_mon", 10), "reason": "Висит месяц"} | fields
    return carried.settle_carried(company=desk.company, action=desk.action, choice=choice, **given)


def test_the_fourth_move_is_refused(stuck):
    with pytest.raises(Refused) as refused:
        carry_action(
            company=stuck.company, by=stuck.made.performance, at=stuck.local("fri", 15), action=stuck.action,
            due_on=date(2026, 11, 27),
        )  # fmt: skip
    assert refused.value.errors[0].code == "carried"


def file(desk, promise):
    return fact.submit_fact(
        company=desk.company, by=desk.made.performance, at=desk.local("fri", 15), report=desk.report(),
        fact=FactDraft(cause="data", conclusion="Нет цифр", no_action_reason="Ждём", promises=[promise]),
    )  # fmt: skip


def test_the_fact_does_not_move_it_but_leaves_it_to_the_stand_up(stuck):
    with pytest.raises(Refused) as refused:
        file(stuck, Promise(stuck.action.pk, "move", date(2026, 11, 27)))
    assert refused.value.errors[0].code == "carried"

    file(stuck, Promise(stuck.action.pk, "stand_up"))
    stuck.action.refresh_from_db()
    assert (stuck.action.state, stuck.action.carried) == ("open", 3)


def test_the_summary_waits_for_the_choice(stuck):
    given = {
        "company": stuck.company,
        "by": stuck.made.cmo,
        "at": stuck.local("next_mon", 9),
        "week": date(2026, 11, 16),
    }
    with pytest.raises(CarriedActions):
        write_summary(**given, text="Итоги")
    settle(stuck, "drop")
    assert write_summary(**given, text="Итоги").text == "Итоги"


def test_dropped_with_a_reason(stuck):
    settle(stuck, "drop")
    stuck.action.refresh_from_db()

    assert (stuck.action.state, CarryChoice.objects.get().carried) == ("dropped", 3)
    assert "Висит месяц" in stuck.action.closed_note
    assert AuditEvent.objects.get(verb="settle_carried_action").by == stuck.made.cmo


def test_split_gives_smaller_actions_that_are_asked_about_again(stuck):
    pieces = [ActionDraft(text, stuck.made.performance.pk, date(2026, 11, 27)) for text in ("Выгрузить", "Загрузить")]
    settle(stuck, "split", pieces=pieces)

    stuck.action.refresh_from_db()
    assert stuck.action.state == "dropped"
    made = Action.objects.filter(state="open")
    assert {action.text for action in made} == {"Выгрузить", "Загрузить"}
    assert all(action.report_links.exists() and action.carried == 0 for action in made)


def test_handed_over_counts_anew(stuck):
    settle(stuck, "hand_over", owner_id=stuck.made.content.pk, due_on=date(2026, 11, 27))
    stuck.action.refresh_from_db()

    assert (stuck.action.owner, stuck.action.carried, stuck.action.state) == (stuck.made.content, 0, "open")


def test_raised_to_the_director_and_from_the_director_to_the_owner(stuck):
    settle(stuck, "raise", due_on=date(2026, 11, 27))
    stuck.action.refresh_from_db()
    assert stuck.action.owner == stuck.made.cmo

    Action.objects.update(carried=3)
    settle(stuck, "raise", due_on=date(2026, 11, 27))
    stuck.action.refresh_from_db()
    assert stuck.action.owner == stuck.made.owner

    Action.objects.update(carried=3)
    with pytest.raises(carried.ChoiceIncomplete) as refused:
        settle(stuck, "raise", due_on=date(2026, 11, 27))
    assert refused.value.errors[0].code == "nobody_above"


@pytest.mark.parametrize(
    ("choice", "fields", "field"),
    [
        ("", {}, "choice"), ("move", {}, "choice"), ("drop", {"reason": " "}, "reason"), ("hand_over", {}, "owner"),
        ("raise", {"due_on": date(2026, 11, 1)}, "due_on"), ("split", {"pieces": [ActionDraft("a")]}, "pieces"),
        ("split", {"pieces": [ActionDraft("a"), ActionDraft("b")]}, "pieces.owner"),
    ],
)  # fmt: skip
def test_what_is_missing_is_told(stuck, choice, fields, field):
    with pytest.raises(carried.ChoiceIncomplete) as refused:
        settle(stuck, choice, **fields)
    assert field in {error.field for error in refused.value.errors}
    assert not CarryChoice.objects.exists()


def test_only_the_director_and_the_manager_and_only_what_waits(stuck):
    with pytest.raises(carried.MayNotSettle):
        settle(stuck, "drop", by=stuck.made.performance)
    settle(stuck, "drop", by=stuck.made.pm)
    with pytest.raises(carried.NotStuck):
        settle(stuck, "drop")


def test_page_of_the_choice_and_the_summary_that_asks_for_it(stuck, sign_in):
    url = reverse("reports:action-settle", args=[stuck.company.slug, stuck.action.pk])
    with time_machine.travel(stuck.local("next_mon", 9), tick=False):
        cmo = sign_in(stuck.made.cmo)
        summary = cmo.get(reverse("reports:week-summary", args=[stuck.company.slug])).content.decode()
        assert "Перенесли трижды" in summary
        assert url in summary
        assert cmo.get(url).status_code == 200
        assert cmo.post(url, {"choice": "raise", "reason": ""}).status_code == 400
        assert sign_in(stuck.made.performance).post(url, {"choice": "drop", "reason": "x"}).status_code == 403
        piece = {"piece-0-text": "А", "piece-0-owner": stuck.made.pm.pk, "piece-0-due": "2026-11-27"}
        answer = cmo.post(url, {"choice": "split", "reason": "Делим", **piece, "piece-2-text": "Б"})
        assert answer.status_code == 400
        assert 'id="id_piece-2-due-error"' in answer.content.decode()
        piece |= {"piece-2-text": "Б", "piece-2-owner": stuck.made.pm.pk, "piece-2-due": "2026-11-27"}
        assert cmo.post(url, {"choice": "split", "reason": "Делим", **piece}).status_code == 302
    assert Action.objects.filter(state="open").count() == 2
