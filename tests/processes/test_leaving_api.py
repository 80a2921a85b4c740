"""The independence index and departures by REST."""

import pytest
from django.utils import timezone

from processes.leaving import services


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
