"""The API of people, roles, channels and campaigns: rights, money, ETags, and nothing of the rival."""

from datetime import timedelta

import pytest
from django.utils import timezone

from roles import tokens
from roles.models import Absence, Appointment, AuditEvent, Campaign, Channel

ROOT = "/api/v1/c/acme"


@pytest.fixture
def api(client):
    """`api(person, *scopes)` → a function `call(method, path, body=None, **headers)`."""

    def caller(person, *scopes):
        _token, secret = tokens.create_token(
            company=person.company,
            person=person,
            by=person,
            name="t",
            scopes=list(scopes) or ["admin"],
            at=timezone.now(),
        )

        def call(method, path, body=None, **headers):
            headers = {"Authorization": f"Bearer {secret}", **headers}
            return getattr(client, method)(path, body, content_type="application/json", headers=headers)

        return call

    return caller


def rows(response) -> list[dict]:
    assert response.status_code == 200, response.content
    return response.json()["results"]


def test_me_with_a_token_tells_its_one_company(acme, rival, api):
    from roles.models import Membership

    elsewhere = Membership.objects.create(company=rival.company, user=acme.performance.user, joined_on=timezone.now())
    Appointment.objects.create(
        company=rival.company, role=rival.roles["owner"], person=elsewhere, starts_on=timezone.now() - timedelta(days=9)
    )

    me = api(acme.performance, "read")("get", "/api/v1/me/").json()

    assert me["person"] == {"name": "Performance Acme", "email": "performance@acme.example", "language": "ru"}
    assert [(c["slug"], c["person"]) for c in me["companies"]] == [("acme", acme.performance.pk)]
    assert [(h["company"], h["role"], h["kind"], h["channel"], h["acting"]) for h in me["hats"]] == [
        ("acme", "performance", "channel_owner", "vk", False)
    ]
    permissions = {p["permission"]: p["channels"] for p in me["permissions"]}
    assert (permissions["read"], permissions["submit_report"]) == (None, ["vk"])
    assert "decide" not in permissions
    assert me["scopes"] == ["read"]


def test_me_in_a_browser_tells_every_company(acme, rival, sign_in):
    from roles.models import Membership

    Membership.objects.create(company=rival.company, user=acme.cmo.user, joined_on=timezone.now())

    me = sign_in(acme.cmo).get("/api/v1/me/").json()

    assert [c["slug"] for c in me["companies"]] == ["acme", "rival"]
    assert {h["company"] for h in me["hats"]} == {"acme"}


def test_me_shows_the_deputy_acting(acme, api):
    Appointment.objects.filter(person=acme.cmo).update(deputy=acme.pm)
    today = acme.company.local_date(timezone.now())
    Absence.objects.create(company=acme.company, person=acme.cmo, starts_on=today, ends_on=today)

    me = api(acme.pm)("get", "/api/v1/me/").json()

    acting = [(h["role"], h["instead_of"]) for h in me["hats"] if h["acting"]]
    assert acting == [("cmo", acme.cmo.pk)]
    assert "decide" in {p["permission"] for p in me["permissions"]}


@pytest.mark.parametrize("path", ["/api/v1/me/", f"{ROOT}/people/", f"{ROOT}/channels/", "/api/v1/c/nobody/people/"])
def test_nobody_gets_401_whatever_the_company(acme, client, path):
    assert client.get(path).status_code == 401


@pytest.mark.parametrize("path", ["people", "roles", "channels", "campaigns", "channels/vk"])
def test_stranger_gets_404_and_contractor_403(acme, rival, api, path):
    assert api(rival.owner)("get", f"{ROOT}/{path}/").status_code == 404
    assert api(acme.contractor)("get", f"{ROOT}/{path}/").status_code == 403


def test_people_with_hats_and_absence(acme, rival, api):
    today = acme.company.local_date(timezone.now())
    Absence.objects.create(company=acme.company, person=acme.content, starts_on=today, ends_on=today)

    people = {row["id"]: row for row in rows(api(acme.analyst, "read")("get", f"{ROOT}/people/"))}

    assert len(people) == 7
    assert people[acme.content.pk]["away_until"] == today.isoformat()
    assert [(h["role"], h["channel"]) for h in people[acme.content.pk]["hats"]] == [("content", "blog")]
    assert people[acme.cmo.pk]["hats"][0]["kind"] == "cmo"


def test_roles_with_holder_and_deputy(acme, api):
    Appointment.objects.filter(person=acme.cmo).update(deputy=acme.owner, hours_per_week=8)
    Appointment.objects.filter(person=acme.analyst).delete()

    roles = {row["code"]: row for row in rows(api(acme.pm)("get", f"{ROOT}/roles/"))}

    holder = roles["cmo"]["holders"][0]
    assert (holder["person"], holder["deputy"], holder["hours_per_week"]) == (acme.cmo.pk, acme.owner.pk, 8)
    assert (roles["analyst"]["vacant"], roles["cmo"]["vacant"], roles["analyst"]["holders"]) == (True, False, [])


def test_money_is_null_for_who_may_not_see_it(acme, api):
    Channel.objects.update(monthly_budget=930_000, stop_loss="150000.5", tolerance="0.15")

    channels = {row["code"]: row for row in rows(api(acme.performance)("get", f"{ROOT}/channels/"))}

    assert channels["vk"]["monthly_budget"] == "930000"
    assert (channels["vk"]["stop_loss"], channels["vk"]["tolerance"]) == ("150000.5", "0.15")
    assert (channels["blog"]["monthly_budget"], channels["blog"]["stop_loss"]) == (None, None)


def channel_body(acme, **fields):
    return {"code": "avito", "name": "Авито", "kind": "paid", "status": "active", "owner": acme.content.pk, **fields}


def test_channel_is_created_with_its_owner(acme, api):
    response = api(acme.pm)("post", f"{ROOT}/channels/", channel_body(acme, monthly_budget="410000.50"))

    assert response.status_code == 201, response.content
    assert response.headers["ETag"]
    body = response.json()
    assert (body["owner"], body["coordinator"], body["monthly_budget"]) == (acme.content.pk, acme.pm.pk, "410000.5")
    assert Appointment.objects.get(channel__code="avito").person == acme.content


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"owner": None}, "owner", "required"),
        ({"owner": 999_999}, "owner", "unknown_person"),
        ({"monthly_budget": "NaN"}, "monthly_budget", "invalid"),
        ({"monthly_budget": "-1"}, "monthly_budget", "min_value"),
        ({"kind": "tv"}, "kind", "invalid_choice"),
        ({"code": "Пробел код"}, "code", "invalid"),
    ],
)
def test_wrong_channel_names_the_field(acme, api, fields, field, code):
    response = api(acme.pm)("post", f"{ROOT}/channels/", channel_body(acme, **fields))

    assert response.status_code == 400
    assert [(e["field"], e["code"]) for e in response.json()["errors"]] == [(field, code)]
    assert not Channel.objects.filter(name="Авито").exists()


def test_rivals_person_cannot_own_a_channel(acme, rival, api):
    response = api(acme.pm)("post", f"{ROOT}/channels/", channel_body(acme, owner=rival.pm.pk))

    assert response.json()["errors"][0]["code"] == "unknown_person"


def test_same_code_twice_is_a_conflict(acme, api):
    assert api(acme.pm)("post", f"{ROOT}/channels/", channel_body(acme, code="vk")).status_code == 409


def test_patching_the_owner_makes_an_appointment(acme, api):
    response = api(acme.owner)("patch", f"{ROOT}/channels/vk/", {"owner": acme.content.pk})

    assert response.json()["owner"] == acme.content.pk
    assert Appointment.objects.get(channel=acme.vk, ends_on=None).person == acme.content


def test_owner_of_a_channel_in_work_cannot_be_taken_away(acme, api):
    response = api(acme.owner)("patch", f"{ROOT}/channels/vk/", {"owner": None})

    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "owner")
    assert api(acme.owner)("patch", f"{ROOT}/channels/vk/", {"owner": None, "status": "stopped"}).status_code == 200
    acme.vk.refresh_from_db()
    assert (acme.vk.owner, acme.vk.status) == (None, "stopped")


def test_stale_if_match_is_412_and_changes_nothing(acme, api):
    call = api(acme.pm)
    etag = call("get", f"{ROOT}/channels/vk/").headers["ETag"]

    fresh = call("patch", f"{ROOT}/channels/vk/", {"status": "paused"}, **{"If-Match": etag})
    stale = call("patch", f"{ROOT}/channels/vk/", {"status": "testing"}, **{"If-Match": etag})

    assert (fresh.status_code, stale.status_code) == (200, 412)
    assert fresh.headers["ETag"] != etag
    acme.vk.refresh_from_db()
    assert acme.vk.status == "paused"


@pytest.mark.parametrize(
    ("person", "body", "status"),
    [
        ("cmo", {"priority": "grow", "priority_reason": "дёшево"}, 200),
        ("cmo", {"priority": "grow"}, 400),
        ("cmo", {"status": "paused"}, 403),
        ("pm", {"priority": "grow", "priority_reason": "дёшево"}, 403),
        ("pm", {"status": "paused", "reason": "сезон"}, 200),
        ("analyst", {"status": "paused"}, 403),
        ("performance", {"status": "paused"}, 403),
    ],
)
def test_who_may_change_what_of_a_channel(acme, api, person, body, status):
    assert api(getattr(acme, person))("patch", f"{ROOT}/channels/vk/", body).status_code == status
    assert AuditEvent.objects.filter(verb="update_channel").count() == (status == 200)


def test_token_without_the_scope_may_not_write(acme, api):
    assert api(acme.pm, "read")("patch", f"{ROOT}/channels/vk/", {"status": "paused"}).status_code == 403


def test_campaigns_are_created_listed_and_changed(acme, rival, api):
    Campaign.objects.create(company=rival.company, channel=rival.vk, external_id="r-1", name="Чужая")
    call = api(acme.pm)
    body = {"channel": "vk", "external_id": "c-1", "name": "Клипы", "budget": "1000.25", "series": ""}

    made = call("post", f"{ROOT}/campaigns/", body)
    assert made.status_code == 201, made.content
    assert (made.json()["channel"], made.json()["budget"], made.json()["status"]) == ("vk", "1000.25", "active")
    assert call("post", f"{ROOT}/campaigns/", body).status_code == 409
    assert (
        call("post", f"{ROOT}/campaigns/", {**body, "channel": "tv"}).json()["errors"][0]["code"] == "unknown_channel"
    )

    path = f"{ROOT}/campaigns/{made.json()['id']}/"
    etag = call("get", path).headers["ETag"]
    assert call("patch", path, {"status": "stopped"}, **{"If-Match": etag}).json()["status"] == "stopped"
    assert call("patch", path, {"status": "active"}, **{"If-Match": etag}).status_code == 412
    assert [row["name"] for row in rows(call("get", f"{ROOT}/campaigns/?channel=vk"))] == ["Клипы"]
    assert rows(call("get", f"{ROOT}/campaigns/?channel=blog")) == []
    assert rows(api(acme.content)("get", f"{ROOT}/campaigns/"))[0]["budget"] is None


def test_campaign_of_another_company_looks_missing(acme, rival, api):
    foreign = Campaign.objects.create(company=rival.company, channel=rival.vk, external_id="r-1", name="Чужая")
    call = api(acme.pm)

    answers = [call("get", f"{ROOT}/campaigns/{pk}/").json() for pk in (foreign.pk, 999_999)]
    for answer in answers:
        answer.pop("request_id")
    assert answers[0] == answers[1]
    assert call("patch", f"{ROOT}/campaigns/{foreign.pk}/", {"name": "x"}).status_code == 404


@pytest.mark.parametrize("path", ["people", "roles", "channels", "campaigns"])
def test_lists_ask_as_often_for_three_rows_as_for_thirty(acme, api, path, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    call = api(acme.pm, "read")
    call("get", f"{ROOT}/{path}/")
    _grow(acme, 0, 3)
    with CaptureQueriesContext(connection) as few:
        assert len(rows(call("get", f"{ROOT}/{path}/"))) >= 3
    _grow(acme, 3, 30)

    with django_assert_num_queries(len(few)):
        rows(call("get", f"{ROOT}/{path}/"))


def _grow(acme, first, last):
    from roles.models import Membership, User

    for number in range(first, last):
        user = User.objects.create_user(f"p{number}@acme.example", name=f"Имя Фамилия{number}")
        person = Membership.objects.create(company=acme.company, user=user, joined_on=timezone.now())
        channel = Channel.objects.create(
            company=acme.company, code=f"c{number}", name=f"C{number}", kind="paid", status="active", owner=person
        )
        Campaign.objects.create(company=acme.company, channel=channel, external_id=f"e{number}", name=f"N{number}")
        Appointment.objects.create(
            company=acme.company, role=acme.roles["performance"], person=person, channel=channel, deputy=acme.cmo,
            starts_on=timezone.now(),
        )  # fmt: skip
