"""Weekly reports and the summary over REST, as integrations rely on them."""

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from reports.models import WeekSummary
from roles.tokens import create_token


def base(desk, path=""):
    return f"/api/v1/c/{desk.company.slug}/weekly-reports/{path}"


@pytest.fixture
def friday(desk):
    desk.run("before_thu", 12)
    desk.facts(desk.made.vk, days=4, spend=1250, leads=9, qualified_leads=5)
    with time_machine.travel(desk.local("fri", 15), tick=False):
        yield desk


@pytest.fixture
def api(friday):
    """A caller with the token of a person: `api(acme.performance).post(path, body)`."""

    def caller(person, scopes=("read", "reports:write")):
        _token, secret = create_token(
            company=person.company, person=person, by=None, name="t", scopes=list(scopes), at=timezone.now()
        )
        return Caller(secret)

    return caller


class Caller:
    def __init__(self, token):
        self.client, self.headers = Client(), {"Authorization": f"Bearer {token}"}

    def get(self, path, **query):
        return self.client.get(path, query, headers=self.headers)

    def send(self, method, path, body=None, **headers):
        return getattr(self.client, method)(
            path, body or {}, content_type="application/json", headers=self.headers | headers
        )


WORDS = {
    "conclusion": {"cause": "market", "text": "Выгорела"}, "no_action_reason": "Ждём решения",
}  # fmt: skip


def test_list_of_a_week(friday, api):
    answer = api(friday.made.analyst).get(base(friday), week="2026-W47").json()

    assert [row["channel"] for row in answer["results"]] == ["vk", "blog"]
    row = answer["results"][0]
    assert (row["week"], row["state"], row["timeliness"], row["plan_timeliness"]) == ("2026-W47", "empty", None, None)
    plan = {line["kpi"]: line for line in row["plan"]}
    assert (plan["spend"]["value"], plan["leads"]["value"], plan["deals"]["value"]) == ("7000", 70, None)
    facts = {line["kpi"]: line for line in row["fact"]["lines"]}
    assert (facts["spend"]["value"], facts["leads"]["value"], facts["cpa"]["value"]) == ("5000", 36, "250")
    assert (facts["spend"]["deviation"], facts["spend"]["off"]) == ("0.2500", True)
    assert row["fact"]["days"] == ["2026-11-16", "2026-11-19"]
    assert api(friday.made.analyst).get(base(friday), channel="blog").json()["results"][0]["channel"] == "blog"


@pytest.mark.parametrize("week", ["2026-47", "2026-W60", "нет"])
def test_wrong_week_is_a_400_with_the_field(friday, api, week):
    answer = api(friday.made.analyst).get(base(friday), week=week)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "week"


def test_draft_plan_and_fact(friday, api):
    with time_machine.travel(friday.local("mon", 9), tick=False):
        me, pk = api(friday.made.performance), friday.report().pk
        answer = me.send("patch", base(friday, f"{pk}/"), {
            "plan": [{"kpi": "leads", "value": 80}, {"kpi": "revenue", "value": "100000.50"}],
            "items": [{"text": "Объявления", "expected": 6, "clause": "2.1"}],
        })  # fmt: skip
        assert answer.status_code == 200, answer.content
        plan = {line["kpi"]: line["value"] for line in answer.json()["plan"]}
        assert (plan["leads"], plan["revenue"]) == (80, "100000.5")
        assert answer.json()["items"] == [{"text": "Объявления", "expected": 6, "clause": "2.1", "actual": None}]
        assert me.send("post", base(friday, f"{pk}/submit-plan/")).json()["plan_timeliness"] == "on_time"

    me = api(friday.made.performance)
    answer = me.send("patch", base(friday, f"{pk}/"), {
        "conclusion": {"text": "Начало"}, "actions": [{"text": "Без даты"}],
    })  # fmt: skip
    assert answer.json()["state"] == "draft"
    assert answer.json()["actions"] == [{"id": None, "text": "Без даты", "owner": None, "due": None, "state": "draft"}]
    answer = me.send("patch", base(friday, f"{pk}/"), {"plan": [{"kpi": "leads", "value": 90}]})
    assert (answer.status_code, answer.json()["code"]) == (409, "plan_frozen")
    answer = me.send("patch", base(friday, f"{pk}/"), {"plan": [{"kpi": "leads", "amended": 90}], "reason": "Бюджет"})
    line = next(line for line in answer.json()["plan"] if line["kpi"] == "leads")
    assert (line["value"], line["amended"], line["amend_reason"]) == (80, 90, "Бюджет")


def test_filing_lists_what_is_missing_then_files_once(friday, api):
    me, path = api(friday.made.performance), base(friday, f"{friday.report().pk}/submit-fact/")
    answer = me.send("post", path)
    assert answer.status_code == 400
    assert {error["field"] for error in answer.json()["errors"]} == {"cause", "conclusion", "actions"}

    action = {"text": "Новая аудитория", "owner": friday.made.performance.pk, "due": "2026-11-27"}
    answer = me.send("post", path, {"conclusion": WORDS["conclusion"], "actions": [action]})
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert (body["state"], body["timeliness"], body["submitted_by"]) == (
        "submitted", "on_time", friday.made.performance.pk,
    )  # fmt: skip
    assert [(a["text"], a["due"], a["state"]) for a in body["actions"]] == [("Новая аудитория", "2026-11-27", "open")]
    assert next(line for line in body["fact"]["lines"] if line["kpi"] == "leads")["snapshot"] == 36
    assert me.send("post", path, WORDS).status_code == 409


def test_filing_again_after_a_return_doubles_no_action(friday, api):
    me, pk = api(friday.made.performance), friday.report().pk
    action = {"text": "Новая аудитория", "owner": friday.made.performance.pk, "due": "2026-11-27"}
    body = {"conclusion": WORDS["conclusion"], "actions": [action]}
    me.send("post", base(friday, f"{pk}/submit-fact/"), body)
    cmo = api(friday.made.cmo)
    assert cmo.send("post", base(friday, f"{pk}/return/"), {}).status_code == 400
    assert cmo.send("post", base(friday, f"{pk}/return/"), {"note": "Причина?"}).json()["return_note"] == "Причина?"

    assert len(me.send("post", base(friday, f"{pk}/submit-fact/"), body).json()["actions"]) == 1
    assert cmo.send("post", base(friday, f"{pk}/accept/")).json()["state"] == "accepted"
    assert cmo.send("post", base(friday, f"{pk}/accept/")).status_code == 409
    assert cmo.send("post", base(friday, f"{pk}/reopen/"), {"reason": "x"}).status_code == 409


def test_etag(friday, api):
    me, path = api(friday.made.performance), base(friday, f"{friday.report().pk}/")
    tag = me.get(path).headers["ETag"]
    answer = me.send("patch", path, {"no_action_reason": "x"}, **{"If-Match": tag})
    assert answer.status_code == 200
    assert answer.headers["ETag"] != tag
    assert me.send("patch", path, {"no_action_reason": "y"}, **{"If-Match": tag}).status_code == 412
    assert friday.report().no_action_reason == "x"


def test_idempotency_key(friday, api):
    me, path = api(friday.made.performance), base(friday, f"{friday.report().pk}/submit-fact/")
    first = me.send("post", path, WORDS, **{"Idempotency-Key": "k"})
    again = me.send("post", path, WORDS, **{"Idempotency-Key": "k"})

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()


@pytest.mark.parametrize(
    ("person", "status"),
    [("performance", 200), ("pm", 200), ("cmo", 403), ("owner", 403), ("analyst", 403), ("content", 403),
     ("contractor", 403)],
)  # fmt: skip
def test_who_files(friday, api, person, status):
    caller = api(getattr(friday.made, person))

    assert caller.send("post", base(friday, f"{friday.report().pk}/submit-fact/"), WORDS).status_code == status


def test_token_needs_the_scope(friday, api):
    caller = api(friday.made.performance, scopes=["read"])

    assert caller.get(base(friday)).status_code == 200
    assert caller.send("patch", base(friday, f"{friday.report().pk}/"), WORDS).status_code == 403


def test_strangers_and_missing_ones_look_the_same(friday, rival, api):
    foreign = api(rival.performance)
    answers = [
        foreign.get(f"/api/v1/c/rival/weekly-reports/{friday.report().pk}/"),
        foreign.get("/api/v1/c/rival/weekly-reports/999999/"), foreign.get(base(friday)),
    ]  # fmt: skip

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert Client().get(base(friday)).status_code == 401


def test_money_of_another_channel_is_left_out(friday, api):
    row = api(friday.made.content).get(base(friday, f"{friday.report().pk}/")).json()

    assert [line["kpi"] for line in row["plan"]] == ["leads", "qualified_leads", "deals"]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e30", "много"])
def test_figures_that_are_none_are_refused(friday, api, value):
    with time_machine.travel(friday.local("mon", 9), tick=False):
        body = {"plan": [{"kpi": "leads", "value": value}]}
        answer = api(friday.made.performance).send("patch", base(friday, f"{friday.report().pk}/"), body)

    assert answer.status_code == 400


def test_summary(friday, api):
    friday.target(friday.made.vk, "gross_profit", 60_000)
    friday.facts(friday.made.blog, days=4, spend=500, gross_profit=3000)
    WeekSummary.objects.create(company=friday.company, week=friday.monday, text="Держим")
    path = f"/api/v1/c/{friday.company.slug}/summary/"
    answer = api(friday.made.owner).get(path, week="2026-W47")
    assert answer.status_code == 200, answer.content
    body = answer.json()

    assert (body["week"], body["settled_days"], body["earned"], body["romi"]) == ("2026-W47", 4, "10000", "5")
    rows = {row["code"]: row for row in body["channels"]}
    assert (rows["vk"]["earned"], rows["vk"]["plan"], rows["vk"]["report"]) == (None, "4000", "waiting")
    assert rows["vk"]["metrics"]["leads"] == 36
    assert rows["blog"]["earned"] == "10000"
    assert body["discipline"] == {"plan_on_time": 0, "plan_due": 2, "fact_on_time": 0, "fact_due": 0, "missing": []}
    assert body["text"] == "Держим"
    assert [stage["metric"] for stage in body["funnel"]] == ["visits", "leads", "qualified_leads", "deals"]
    assert api(friday.made.performance).get(path).status_code == 403
    assert api(friday.made.owner).get(path, week="x").status_code == 400
