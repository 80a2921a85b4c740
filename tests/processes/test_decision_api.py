"""Decisions over the API: the contract's fields, who may, who was faster, and nothing of other companies."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from kpis.models import Breach
from processes import services
from processes.models import Decision
from roles import tokens
from roles.models import Channel

from .conftest import NOW, TODAY, add_breach, add_facts, add_rule, sign

pytestmark = pytest.mark.django_db
FIELDS = {
    "question", "kind", "subject", "evidence", "options", "recommendation", "burned_since", "money_at_stake", "deadline",
    "round", "state", "must_cosign",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _friday():
    with time_machine.travel(NOW, tick=False):
        yield


class Caller:
    """A program with the token of one person."""

    def __init__(self, person, scopes=("read", "decisions:write")):
        _token, secret = tokens.create_token(
            company=person.company, person=person, by=None, name="t", scopes=list(scopes), at=NOW
        )
        self.client = Client(headers={"authorization": f"Bearer {secret}"})
        self.base = f"/api/v1/c/{person.company.slug}/decisions/"

    def get(self, path="", **query):
        return self.client.get(self.base + path, query)

    def post(self, path, **body):
        return self.client.post(self.base + path, body, content_type="application/json")


@pytest.fixture
def calls():
    return Caller


def test_list_gives_the_contract(house, calls):
    answer = calls(house.cmo).get(state="open")
    (row,) = answer.json()["results"]

    assert answer.status_code == 200
    assert set(row) >= FIELDS
    assert (row["burned_since"], row["money_at_stake"]) == ("53690", "13422.5")
    assert row["deadline"] == "2026-11-20T03:10:00Z"
    assert (row["state"], row["round"], row["recommendation"], row["kind"]) == ("open", 1, "stop", "stop_rule")
    assert row["subject"] == {"channel": "vk", "campaign": None, "name": "VK Реклама"}
    assert row["must_cosign"] == []
    assert row["may_sign"] is True
    assert calls(house.cmo).get(state="signed").json()["results"] == []


def test_money_is_null_without_the_right(house, calls):
    row = calls(house.content).get(f"{house.decision.pk}/").json()

    assert row["burned_since"] is row["money_at_stake"] is None
    for figure in ("53690", "3500", "39200", "13422"):
        assert figure not in str(row)
    assert calls(house.performance).get(f"{house.decision.pk}/").json()["burned_since"] == "53690"


def test_must_cosign_is_the_callers_own(house, calls):
    Channel.objects.filter(pk=house.vk.pk).update(owner=house.cmo)

    row = calls(house.cmo).get(f"{house.decision.pk}/").json()
    assert row["must_cosign"] == ["continue", "false_alarm", "rewrite"]
    assert calls(house.owner).get(f"{house.decision.pk}/").json()["may_sign"] is False


def test_sign_takes_effect(house, calls):
    answer = calls(house.cmo).post(f"{house.decision.pk}/sign/", choice="stop", reason="Дорого", resume_on="2026-12-01")
    body = answer.json()

    assert answer.status_code == 200
    assert (body["state"], body["choice"], body["signed_by"]) == ("signed", "stop", str(house.cmo))
    assert len(body["seal"]) == 64
    assert [row["part"] for row in body["signatures"]] == ["sign"]
    assert Channel.objects.get(pk=house.vk.pk).status == "stopped"


def test_second_signer_gets_409_with_who_and_when(house, calls):
    sign(house)
    answer = calls(house.cmo).post(f"{house.decision.pk}/sign/", choice="stop", reason="Дорого")

    assert answer.status_code == 409
    assert answer["content-type"] == "application/problem+json"
    assert answer.json()["signed_by"] == str(house.cmo)
    assert answer.json()["signed_at"] == "2026-11-20T12:20:00Z"


@pytest.mark.parametrize("person", ["owner", "pm", "analyst", "performance", "content"])
def test_403_says_who_may(house, calls, person):
    answer = calls(getattr(house, person)).post(f"{house.decision.pk}/sign/", choice="stop", reason="Дорого")

    assert answer.status_code == 403
    assert answer.json()["who_may"] == [str(house.cmo)]


def test_contractor_and_missing_scope_are_403(house, calls):
    assert calls(house.contractor).get().status_code == 403
    reader = calls(house.cmo, scopes=("read",))
    assert reader.get().status_code == 200
    assert reader.post(f"{house.decision.pk}/sign/", choice="stop", reason="x").status_code == 403
    assert Decision.objects.get().state == "open"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"choice": "stop", "reason": ""}, "reason"),
        ({"choice": "explode", "reason": "x"}, "choice"),
        ({"choice": "continue", "reason": "x"}, "until"),
        ({"choice": "continue", "reason": "x", "until": "2026-12-05"}, "until"),
        ({"choice": "continue", "reason": "x", "until": "soon"}, "until"),
        ({"choice": "cut", "reason": "x"}, "budget"),
        ({"choice": "cut", "reason": "x", "budget": "NaN"}, "budget"),
        ({"choice": "cut", "reason": "x", "budget": "-5"}, "budget"),
        ({"choice": "stop", "reason": "x", "keep": ["a"]}, "keep.0"),
        ({"reason": "x"}, "choice"),
        ({"choice": "stop"}, "reason"),
    ],
)
def test_400_names_the_field(house, calls, body, field):
    answer = calls(house.cmo).post(f"{house.decision.pk}/sign/", **body)

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert Decision.objects.get().state == "open"


def test_cosign_over_the_api(house, calls):
    Channel.objects.filter(pk=house.vk.pk).update(owner=house.cmo)
    path = f"{house.decision.pk}/"
    waiting = calls(house.cmo).post(path + "sign/", choice="continue", reason="Новые объявления", until="2026-11-25")

    assert waiting.json()["state"] == "waiting_cosign"
    assert waiting.json()["effective_at"] is None
    assert calls(house.cmo).post(path + "cosign/").status_code == 403
    assert calls(house.pm).post(path + "cosign/").status_code == 403
    assert calls(house.owner).post(path + "cosign/", approve=False).status_code == 400
    done = calls(house.owner).post(path + "cosign/")
    assert (done.status_code, done.json()["state"]) == (200, "signed")
    assert calls(house.owner).post(path + "cosign/").status_code == 409


def test_withdraw_over_the_api(house, calls):
    path = f"{house.decision.pk}/withdraw/"
    assert calls(house.cmo).post(path, reason="Уточнили").status_code == 409
    Breach.objects.update(closed_on=TODAY, closed_as="gone")
    assert calls(house.cmo).get(f"{house.decision.pk}/").json()["evidence_changed"] is True
    assert calls(house.cmo).post(path, reason="").status_code == 400
    assert calls(house.performance).post(path, reason="x").status_code == 403
    assert calls(house.cmo).post(path, reason="Уточнили").json()["state"] == "withdrawn"


def test_foreign_and_missing_look_the_same(house, rival_house, calls):
    caller = calls(house.cmo)
    for path in ("", "sign/", "cosign/", "withdraw/"):
        method = caller.get if path == "" else caller.post
        foreign, missing = method(f"{rival_house.decision.pk}/{path}"), method(f"999999/{path}")
        assert (foreign.status_code, missing.status_code) in {(404, 404), (400, 400)}
        drop = {"request_id"}
        assert {k: v for k, v in foreign.json().items() if k not in drop} == {
            k: v for k, v in missing.json().items() if k not in drop
        }
    assert caller.client.get("/api/v1/c/rival/decisions/").status_code == 404
    assert [row["id"] for row in caller.get().json()["results"]] == [house.decision.pk]


def test_the_same_key_signs_once(house, calls):
    caller = calls(house.cmo)
    address, body = f"{caller.base}{house.decision.pk}/sign/", {"choice": "stop", "reason": "Дорого"}
    answers = [
        caller.client.post(address, body, content_type="application/json", headers={"idempotency-key": "k-1"})
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert Decision.objects.get().signatures.count() == 1


def test_list_costs_the_same_for_three_and_thirty(acme, calls):
    caller = calls(acme.cmo)
    add_facts(acme, acme.vk)

    def queries(numbers):
        for number in numbers:
            add_breach(acme, add_rule(acme, number=number))
        for decision in services.open_decisions(company=acme.company, at=NOW - timedelta(hours=1))[::2]:
            sign(acme, decision=decision, choice="false_alarm")
        caller.get()
        with CaptureQueriesContext(connection) as caught:
            assert caller.get().status_code == 200
        return len(caught)

    assert queries(range(3)) == queries(range(3, 31)) <= 20
