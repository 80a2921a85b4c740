"""`/stop-rules/` as api.md promises it: terms, versions, who may, what the machine says of each day."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.core.management import call_command

from kpis.models import Breach, DailyFact, Source, StopRuleVersion
from kpis.services.kpis import install_builtin_kpis
from roles import tokens
from roles.models import Appointment, Campaign

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
TODAY = NOW.date()
YESTERDAY = TODAY - timedelta(days=1)
RULE = {"name": "Дорогая заявка", "kpi": "cpa", "line": "1000", "scope": {"channel": "vk"}}


@pytest.fixture(autouse=True)
def _friday():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def world(acme):
    install_builtin_kpis(company=acme.company, at=NOW)
    acme.ads = Source.objects.create(company=acme.company, code="ads", name="Ads", kind="file")
    return acme


@pytest.fixture
def call(client):
    """`call(person, "post", "7/…", body)`: the answer of `/stop-rules/…` to a token of the person."""

    def asked(person, method, path="", body=None, slug="acme", scopes=("read", "admin"), **headers):
        _token, secret = tokens.create_token(
            company=person.company, by=person, person=person, name="t", scopes=list(scopes), at=NOW,
            lifetime=timedelta(days=9),
        )  # fmt: skip
        return getattr(client, method)(
            f"/api/v1/c/{slug}/stop-rules/{path}", json.dumps(body) if body is not None else None,
            content_type="application/json", HTTP_AUTHORIZATION=f"Bearer {secret}", **headers,
        )  # fmt: skip

    return asked


def facts(made, pairs, last=YESTERDAY, channel=None, campaign=0):
    for offset, (spend, leads) in enumerate(reversed(pairs)):
        DailyFact.objects.create(
            company=made.company, day=last - timedelta(days=offset), channel=channel or made.vk, campaign_id=campaign,
            source=made.ads, spend=spend, qualified_leads=leads, load_id=1,
        )  # fmt: skip


def test_create_and_read(world, call):
    made = call(world.cmo, "post", body=RULE)

    assert made.status_code == 201
    body = made.json()
    assert body | {"id": 0} == {
        "id": 0, "number": "СП-01", "name": "Дорогая заявка", "kpi": "cpa", "comparison": "above", "line": "1000",
        "window": {"kind": "in_a_row", "n": 3, "m": None, "k": None, "max_span": 7},
        "scope": {"channel": "vk", "kind": None, "per": "channel"}, "minimum_sample": 3, "zero_line": "3000",
        "no_data": "hold", "settling_days": 1, "confirm_pooled_7d": False, "clear_ratio": "0.9", "clear_days": 2,
        "action": "stop", "active": True, "owner": world.cmo.pk, "version": 1, "state": None, "in_force": True,
        "waits_for_approval": False, "shadow_until": None,
    }  # fmt: skip
    assert call(world.pm, "get", f"{body['id']}/").json() == body
    assert call(world.pm, "get").json()["results"] == [body]
    assert made["ETag"] == '"1"'


def test_patch_makes_a_version_and_keeps_the_rest_of_the_window(world, call):
    pk = call(world.cmo, "post", body=RULE).json()["id"]

    refused = call(world.cmo, "patch", f"{pk}/", {"window": {"n": 5}})
    done = call(world.analyst, "patch", f"{pk}/", {"window": {"n": 5}, "reason": "Спокойнее"}, HTTP_IF_MATCH='"1"')
    stale = call(world.cmo, "patch", f"{pk}/", {"line": "1200", "reason": "x"}, HTTP_IF_MATCH='"1"')

    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "reason")
    assert done.json()["window"] == {"kind": "in_a_row", "n": 5, "m": None, "k": None, "max_span": 11}
    assert (done.json()["version"], done.json()["line"]) == (2, "1000")
    assert stale.status_code == 412


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"line": "NaN"}, "line"),
        ({"line": "Infinity"}, "line"),
        ({"line": "1e30"}, "line"),
        ({"line": None}, "line"),
        ({"kpi": "nonsense"}, "kpi"),
        ({"scope": {"channel": "nowhere"}}, "scope.channel"),
        ({"scope": {"per": "planet"}}, "scope.per"),
        ({"window": {"kind": "often"}}, "window.kind"),
        ({"window": {"n": 0}}, "n"),
        ({"window": {"kind": "budget", "tolerance": -1}}, "window.tolerance"),
        ({"window": {"kind": "event"}, "scope": {"kind": "paid"}}, "scope"),
        ({"action": "explode"}, "action"),
        ({"name": ""}, "name"),
    ],
)
def test_bad_terms_name_their_field(world, call, changes, field):
    answer = call(world.cmo, "post", body=RULE | changes)

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert field in [error["field"] for error in answer.json()["errors"]]
    assert not StopRuleVersion.objects.exists()


def test_who_may(world, call, rival):
    foreign = call(rival.cmo, "get", slug="acme")
    assert foreign.status_code == 404
    assert call(world.pm, "post", body=RULE).status_code == 403
    assert call(world.contractor, "get").status_code == 403
    assert call(world.cmo, "post", body=RULE, scopes=("read",)).status_code == 403
    assert call(world.performance, "post", body=RULE | {"scope": {"channel": "blog"}}).status_code == 403
    pk = call(world.cmo, "post", body=RULE).json()["id"]
    install_builtin_kpis(company=rival.company, at=NOW)
    assert call(rival.cmo, "get", f"{pk}/", slug="rival").status_code == 404
    assert call(rival.cmo, "patch", f"{pk}/", {"line": "1", "reason": "x"}, slug="rival").status_code == 404
    assert call(rival.cmo, "get", f"{pk}/states/", slug="rival").status_code == 404
    assert call(world.cmo, "get", f"{'9' * 30}/").status_code == 404


def test_channel_owners_rule_waits_and_says_so(world, call):
    body = call(world.performance, "post", body=RULE).json()

    assert (body["in_force"], body["waits_for_approval"]) == (False, True)


M = None
VECTORS = {
    "V1": ([(6000, 5), (6600, 5), (7000, 5)], {3: "opened"}, "firing"),
    "V2": ([(6000, 5), (6600, 5), (4000, 5), (7000, 5), (7000, 5)], {}, "pending"),
    "V3": ([(5000, 5)] * 3, {}, "ok"),
    "V10": ([(6000, 5), (M, M), (M, M), (M, M), (6600, 5), (7000, 5)], {4: "data_incident"}, "pending"),
    "V11": ([(3000, M), (3200, M), (3100, M)], {3: "data_incident"}, "no_data"),
    "V12": (
        [(6000, 5), (6600, 5), (7000, 5), (4800, 5), (4400, 5), (4400, 5)], {3: "opened", 6: "recovered"}, "ok",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", VECTORS)
def test_states_tell_what_the_machine_gives(world, call, name):
    pairs, events, state = VECTORS[name]
    pk = call(world.cmo, "post", body=RULE).json()["id"]
    facts(world, pairs)

    [scope] = call(world.pm, "get", f"{pk}/states/").json()

    first = YESTERDAY - timedelta(days=len(pairs) - 1)
    told = {(date.fromisoformat(day["date"]) - first).days + 1: day["event"] for day in scope["days"] if day["event"]}
    assert (told, scope["state"], scope["channel"], scope["campaign"]) == (events, state, "vk", None)
    assert scope["days"][-1]["class"] == "not_ready"


def test_days_carry_figures_as_the_api_writes_them(world, call):
    pk = call(world.cmo, "post", body=RULE).json()["id"]
    facts(world, [(6000, 5), (900, 0), (100, M)])

    days = call(world.pm, "get", f"{pk}/states/").json()[0]["days"]

    assert [tuple(day[name] for name in ("date", "class", "numerator", "denominator", "value")) for day in days] == [
        ("2026-11-17", "breach", "6000", 5, "1200"),
        ("2026-11-18", "thin", "900", 0, None),
        ("2026-11-19", "missing", None, None, None),
        ("2026-11-20", "not_ready", None, None, None),
    ]


def test_at_most_thirty_days_for_each_campaign(world, call):
    pk = call(world.cmo, "post", body=RULE | {"scope": {"kind": "paid", "per": "campaign"}}).json()["id"]
    for external in "12":
        campaign = Campaign.objects.create(company=world.company, channel=world.vk, external_id=external, name=external)
        facts(world, [(100, 5)] * 40, campaign=campaign.pk)

    scopes = call(world.pm, "get", f"{pk}/states/").json()

    assert [len(scope["days"]) for scope in scopes] == [30, 30]
    assert {scope["state"] for scope in scopes} == {"ok"}


def test_switched_off_rule_is_disabled(world, call):
    pk = call(world.cmo, "post", body=RULE).json()["id"]
    facts(world, [(6000, 5)] * 3)
    call(world.cmo, "post", "evaluate/")
    assert (
        call(world.cmo, "patch", f"{pk}/", {"active": False, "reason": "Канал под разбором"}).json()["in_force"]
        is False
    )
    call(world.cmo, "post", "evaluate/")

    assert call(world.pm, "get", f"{pk}/").json()["state"] == "disabled"
    assert call(world.pm, "get", f"{pk}/states/").json() == []
    assert Breach.objects.get().closed_as == "disabled"


def test_evaluate_tells_what_changed_and_nothing_the_second_time(world, call):
    pk = call(world.cmo, "post", body=RULE).json()["id"]
    facts(world, [(6000, 5)] * 3)

    first = call(world.analyst, "post", "evaluate/", scopes=("facts:write",)).json()
    second = call(world.analyst, "post", "evaluate/").json()

    assert first == {
        "states": 1, "days": 3, "closed": [], "data_incidents": [],
        "opened": [{"rule": pk, "channel": "vk", "campaign": None, "date": "2026-11-19"}],
    }  # fmt: skip
    assert second == {"states": 0, "days": 0, "opened": [], "closed": [], "data_incidents": []}
    assert call(world.pm, "post", "evaluate/").status_code == 403
    assert call(world.pm, "get", f"{pk}/").json()["state"] == "firing"


def test_money_is_not_told_to_those_who_may_not_see_it(world, call):
    pk = call(world.cmo, "post", body=RULE).json()["id"]
    facts(world, [(6000, 5)] * 3)

    body = call(world.content, "get", f"{pk}/").json()
    day = call(world.content, "get", f"{pk}/states/").json()[0]["days"][0]

    assert (body["line"], body["zero_line"]) == (None, None)
    assert (day["class"], day["numerator"], day["denominator"], day["value"]) == ("breach", None, 5, None)
    Appointment.objects.create(
        company=world.company, role=world.roles["content"], person=world.content, channel=world.vk, starts_on=TODAY
    )
    assert call(world.content, "get", f"{pk}/").json()["line"] == "1000"


def test_list_takes_the_same_number_of_queries(world, call, django_assert_num_queries):
    call(world.cmo, "post", body=RULE)
    with django_assert_num_queries(11):
        call(world.pm, "get")
    for _number in range(10):
        call(world.cmo, "post", body=RULE | {"scope": {"kind": "paid"}})

    with django_assert_num_queries(11):
        assert len(call(world.pm, "get").json()["results"]) == 11


def test_schema_has_no_warnings(capsys):
    call_command("spectacular", "--fail-on-warn", "--file", "/dev/null")
