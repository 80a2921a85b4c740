"""The independence index and departures by REST."""

from datetime import timedelta

import pytest
from django.utils import timezone

from processes.leaving import services
from processes.models import Handover
from roles import tokens


def test_index_with_its_parts_and_without_each_person(acme, rival, sign_in):
    body = sign_in(acme.owner).get("/api/v1/c/acme/independence/").json()

    assert {part["code"] for part in body["parts"]} >= {"roles", "packs"}
    roles = next(part for part in body["parts"] if part["code"] == "roles")
    assert roles["step"]["lack"] == "no_deputy"
    assert roles["step"]["step"]
    assert len(roles["evidence"]) == 6
    assert body["history"] == []
    assert {row["person"] for row in body["without"]} == {
        person.pk for name, person in vars(acme).items()
        if name in ("owner", "cmo", "pm", "analyst", "performance", "content", "contractor")
    }  # fmt: skip


@pytest.mark.parametrize(("who", "status"), [("cmo", 200), ("performance", 403), ("contractor", 403)])
def test_index_is_for_who_sees_the_money_of_the_company(acme, sign_in, who, status):
    assert sign_in(getattr(acme, who)).get("/api/v1/c/acme/independence/").status_code == status


def test_departures_are_the_managers_and_are_not_closed_while_anything_is_left(acme, sign_in):
    now = timezone.now()
    handover = services.start_handover(
        company=acme.company, by=acme.owner, at=now, person=acme.performance, last_day=acme.company.local_date(now),
        reason="r", at_once=True,
    )  # fmt: skip
    browser = sign_in(acme.pm)

    [row] = browser.get("/api/v1/c/acme/handovers/").json()["results"]
    assert (row["id"], row["state"], row["person"]) == (handover.pk, "left", acme.performance.pk)
    assert [(item["kind"], item["channel"], item["state"]) for item in row["items"]] == [("hat", "vk", "fell")]
    assert browser.post(f"/api/v1/c/acme/handovers/{handover.pk}/close/").status_code == 409
    assert sign_in(acme.cmo).get("/api/v1/c/acme/handovers/").status_code == 403


@pytest.fixture
def leaving(acme):
    """Performance, with VK, leaves in nine days; the item of the hat."""
    now = timezone.now()
    handover = services.start_handover(
        company=acme.company, by=acme.owner, at=now, person=acme.performance, reason="r",
        last_day=acme.company.local_date(now) + timedelta(days=9),
    )  # fmt: skip
    item = handover.items.get(kind="hat")
    services.name_successor(company=acme.company, by=acme.owner, at=now, item=item, successor=acme.content)
    return item


def test_the_successor_gives_their_own_word(acme, leaving, sign_in):
    url = "/api/v1/c/acme/handover-items/"
    browser = sign_in(acme.content)

    [row] = browser.get(url).json()["results"]
    assert (row["id"], row["person"], row["channel"]) == (leaving.pk, acme.performance.pk, "vk")
    no = browser.post(f"{url}{leaving.pk}/answer/", {"agrees": False}, content_type="application/json")
    assert (no.status_code, no.json()["errors"][0]["field"]) == (400, "note")
    body = {"agrees": True}
    assert sign_in(acme.pm).post(f"{url}{leaving.pk}/answer/", body, content_type="application/json").status_code == 403
    answer = browser.post(f"{url}{leaving.pk}/answer/", body, content_type="application/json")
    assert answer.json()["state"] == "confirmed"
    assert browser.get(url).json()["results"] == []


@pytest.mark.parametrize(("scope", "status"), [("read", 403), ("tasks:write", 200), ("admin", 200)])
def test_an_answer_is_a_task_of_ones_own(acme, leaving, client, scope, status):
    """A token that may answer asks nobody else: naming a successor stays with `admin`."""
    now = timezone.now()

    def post(person, path, body):
        key = tokens.create_token(company=acme.company, person=person, by=person, name="t", scopes=[scope], at=now)[1]
        url = f"/api/v1/c/acme/handover-items/{leaving.pk}/{path}/"
        return client.post(url, body, content_type="application/json", headers={"Authorization": f"Bearer {key}"})

    assert post(acme.content, "answer", {"agrees": True}).status_code == status
    named = post(acme.pm, "successor", {"successor": acme.cmo.pk}).status_code
    assert named == (200 if scope == "admin" else 403)


def test_a_manager_asks_another_person_who_has_to_agree(acme, rival, leaving, sign_in):
    url = f"/api/v1/c/acme/handover-items/{leaving.pk}/successor/"
    body = {"successor": acme.cmo.pk}

    def ask(person, **fields):
        return sign_in(person).post(url, fields, content_type="application/json")

    assert ask(acme.content, **body).status_code == 403
    assert ask(acme.pm, successor=rival.pm.pk).json()["errors"][0]["code"] == "unknown"
    assert ask(acme.pm, successor=None, note="x").json()["errors"][0]["code"] == "needs_owner"
    answer = ask(acme.pm, **body).json()
    assert (answer["successor"], answer["state"]) == (acme.cmo.pk, "proposed")


def test_what_would_stop_without_a_person(acme, rival, sign_in, django_assert_max_num_queries):
    browser = sign_in(acme.cmo)
    url = f"/api/v1/c/acme/people/{acme.performance.pk}/risk/"
    browser.get(url)
    with django_assert_max_num_queries(40):
        body = browser.get(url).json()

    assert body["person"] == acme.performance.pk
    assert [(row["channel"], row["deputy"], row["revenue"]) for row in body["channels"]] == [("vk", None, None)]
    assert (body["money"], body["without_figures"]) == (None, ["vk"]), "unknown is not zero"
    assert [row["channel"] for row in body["hats"]] == ["vk"]
    assert set(body["index"]) == {"value", "without"}
    assert browser.get(f"/api/v1/c/acme/people/{rival.performance.pk}/risk/").status_code == 404


@pytest.mark.parametrize(("who", "status"), [("owner", 200), ("performance", 403), ("contractor", 403)])
def test_a_risk_is_for_who_sees_the_money_of_the_company(acme, sign_in, who, status):
    url = f"/api/v1/c/acme/people/{acme.performance.pk}/risk/"
    assert sign_in(getattr(acme, who)).get(url).status_code == status


def post(browser, path, **body):
    return browser.post(f"/api/v1/c/acme/{path}", body, content_type="application/json")


def test_a_manager_starts_a_departure_and_calls_it_off(acme, rival, sign_in):
    browser, today = sign_in(acme.pm), acme.company.local_date(timezone.now())
    body = {"person": acme.performance.pk, "last_day": str(today + timedelta(days=9)), "reason": "уходит"}

    started = post(browser, "handovers/", **body)
    plan = started.json()
    assert (started.status_code, plan["state"], plan["person"]) == (201, "open", acme.performance.pk)
    assert [(item["kind"], item["channel"], item["state"]) for item in plan["items"]] == [("hat", "vk", "proposed")]
    assert (post(browser, "handovers/", **body).status_code, Handover.objects.count()) == (409, 1)
    assert post(browser, f"handovers/{plan['id']}/close/").status_code == 409, "the person is still here"
    silent = post(browser, f"handovers/{plan['id']}/cancel/", reason=" ")
    assert (silent.status_code, silent.json()["errors"][0]["field"]) == (400, "reason")
    assert post(browser, f"handovers/{plan['id']}/cancel/", reason="остаётся").json()["state"] == "cancelled"
    assert post(browser, f"handovers/{plan['id']}/cancel/", reason="остаётся").status_code == 409


def test_a_departure_at_once_ends_the_membership_and_needs_no_day(acme, sign_in):
    browser, today = sign_in(acme.pm), acme.company.local_date(timezone.now())
    person = acme.performance.pk

    assert post(browser, "handovers/", person=person, reason="r").json()["errors"][0]["field"] == "last_day"
    plan = post(browser, "handovers/", person=person, reason="r", at_once=True).json()
    assert (plan["state"], plan["last_day"]) == ("left", str(today))
    acme.performance.refresh_from_db()
    assert not acme.performance.is_active
    assert post(browser, f"handovers/{plan['id']}/cancel/", reason="r").status_code == 409, "the person has left"


def test_a_departure_once_for_one_key(acme, sign_in):
    browser, today = sign_in(acme.pm), acme.company.local_date(timezone.now())
    body = {"person": acme.performance.pk, "last_day": str(today), "reason": "r"}

    first, again = (
        browser.post(
            "/api/v1/c/acme/handovers/", body, content_type="application/json", headers={"Idempotency-Key": "k"}
        )
        for _time in range(2)
    )

    assert (first.status_code, again.status_code, again.json()["id"]) == (201, 201, first.json()["id"])
    assert Handover.objects.count() == 1


def test_who_may_not_start_a_departure_is_told(acme, rival, sign_in):
    today = str(acme.company.local_date(timezone.now()))

    def start(by, person):
        answer = post(sign_in(by), "handovers/", person=person.pk, last_day=today, reason="r")
        return answer.status_code, answer.json().get("code")

    assert start(acme.cmo, acme.performance)[0] == 403
    assert start(acme.pm, acme.pm) == (403, "not_yours")
    assert start(acme.pm, acme.cmo) == (403, "only_owner_appoints")
    assert start(acme.pm, rival.performance)[0] == 400
    assert start(rival.pm, acme.performance)[0] == 404
    assert not Handover.objects.exists()


def test_a_drill_is_started_by_a_manager_and_read_by_who_sees_money(acme, rival, sign_in):
    made = post(sign_in(acme.pm), "drills/", person=acme.performance.pk)
    found = made.json()

    assert (made.status_code, found["person"], found["run_by"]) == (201, acme.performance.pk, acme.pm.pk)
    assert {"what": "report", "name": "VK Реклама", "stand_in": None} in found["stopped"]
    cmo = sign_in(acme.cmo)
    assert cmo.get(f"/api/v1/c/acme/drills/{found['id']}/").json() == found
    assert cmo.get(f"/api/v1/c/acme/drills/?person={acme.performance.pk}").json()["results"] == [found]
    assert cmo.get(f"/api/v1/c/acme/drills/?person={acme.pm.pk}").json()["results"] == []
    assert post(cmo, "drills/", person=acme.performance.pk).status_code == 403
    assert sign_in(acme.performance).get(f"/api/v1/c/acme/drills/{found['id']}/").status_code == 403
    assert post(sign_in(acme.pm), "drills/", person=rival.performance.pk).json()["errors"][0]["code"] == "unknown"
    assert sign_in(rival.owner).get(f"/api/v1/c/rival/drills/{found['id']}/").status_code == 404
    assert not Handover.objects.exists(), "a drill begins no departure"
