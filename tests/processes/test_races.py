"""Two people at once, on PostgreSQL: one outcome each time, and the loser learns who and when."""

import pytest
from django.db import connection

from kpis.models import Verdict
from processes import sealing, services
from processes.models import Action, Decision, Signature
from processes.signatures import AlreadySigned, NotOpen
from roles.models import Appointment, AuditEvent, Channel
from tests.conftest import make_company
from tests.races import at_once

from .conftest import HOURS_49, NOW, OPENED, add_breach, add_facts, add_rule, burning, sign

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def racing(transactional_db):
    return burning(make_company("acme"))


def test_tests_of_races_run_on_postgresql():
    assert connection.vendor == "postgresql"


@pytest.mark.parametrize("turn", range(5))
def test_two_people_sign_at_once(racing, turn):
    """The director stops, the owner (after two days) cuts: exactly one of it happens."""
    answers = at_once(
        lambda: sign(racing, racing.cmo, at=HOURS_49, choice="stop"),
        lambda: sign(racing, racing.owner, at=HOURS_49, choice="cut", budget=1000),
    )
    winners = [answer for answer in answers if isinstance(answer, Decision)]
    losers = [answer for answer in answers if isinstance(answer, AlreadySigned)]

    assert (len(winners), len(losers)) == (1, 1), answers
    decision = Decision.objects.get()
    assert losers[0].status == 409
    assert losers[0].extra["signed_by_id"] == decision.signed_by_id
    assert losers[0].extra["signed_at"]
    assert decision.choice == winners[0].choice
    assert sealing.is_intact(decision)
    assert [model.objects.count() for model in (Signature, Action, Verdict)] == [1, 1, 1]
    assert AuditEvent.objects.filter(verb="sign_decision").count() == 1
    channel = Channel.objects.get(pk=racing.vk.pk)
    assert (channel.status, channel.monthly_budget) == (
        ("stopped", None) if decision.choice == "stop" else ("active", 1000)
    )


@pytest.mark.parametrize("turn", range(5))
def test_two_questions_about_one_channel_are_stopped_at_once(racing, turn):
    """Each stop answers the other question: one is signed, the other learns that it is closed; neither waits for ever."""
    add_breach(racing, add_rule(racing, number=2))
    (second,) = services.open_decisions(company=racing.company, at=OPENED)
    answers = at_once(lambda: sign(racing), lambda: sign(racing, decision=second))

    assert sorted(type(answer).__name__ for answer in answers) == ["Decision", "NotOpen"], answers
    assert sorted(Decision.objects.values_list("state", flat=True)) == ["signed", "superseded"]
    assert Action.objects.count() == 1


@pytest.mark.parametrize("turn", range(3))
def test_approved_and_refused_at_once(racing, turn):
    Channel.objects.filter(pk=racing.vk.pk).update(owner=racing.cmo)
    Appointment.objects.create(
        company=racing.company, role=racing.roles["owner"], person=racing.pm, starts_on=OPENED.date()
    )
    decision = sign(racing, choice="continue")

    def cosign(by, **answer):
        return lambda: services.cosign_decision(company=racing.company, decision=decision, by=by, at=NOW, **answer)

    answers = at_once(cosign(racing.owner), cosign(racing.pm, approve=False, reason="Дорого"))
    kept = Decision.objects.get()
    failed = [answer for answer in answers if isinstance(answer, Exception)]

    assert len(failed) == 1, answers
    assert isinstance(failed[0], AlreadySigned | NotOpen)
    assert (kept.state, Verdict.objects.count()) in {("signed", 1), ("open", 0)}
    assert Signature.objects.count() == 2


def test_two_workers_open_at_once(transactional_db):
    made = make_company("acme")
    add_facts(made, made.vk)
    for number in range(1, 6):
        add_breach(made, add_rule(made, number=number))
    answers = at_once(*[lambda: services.open_decisions(company=made.company, at=OPENED)] * 4)

    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert sum(len(answer) for answer in answers) == 5
    assert sorted(Decision.objects.values_list("number", flat=True)) == [1, 2, 3, 4, 5]
    assert AuditEvent.objects.filter(verb="open_decision").count() == 5


def test_an_action_is_closed_once(racing):
    sign(racing)
    action = Action.objects.get()
    answers = at_once(
        *[
            lambda: services.close_action(
                company=racing.company, by=racing.performance, at=NOW, action=Action.objects.get(pk=action.pk)
            )
        ]
        * 2
    )

    assert sum(isinstance(answer, services.ActionClosed) for answer in answers) == 1
    assert AuditEvent.objects.filter(verb="close_action").count() == 1
