"""The report week, its own days, discipline and stuck actions over REST."""

from datetime import date

import pytest

from processes.models import Action
from reports.models import CompanyDay, WeekSchedule

from .test_weekly_api import api, friday

__all__ = ["api", "friday"]


@pytest.fixture
def ask(api, friday):
    """`ask(person).get("week-schedule/")` inside the company."""

    def caller(person, scopes=("read", "reports:write", "admin")):
        made = api(person, scopes)
        base = f"/api/v1/c/{friday.company.slug}/"
        return lambda method, path, body=None: (
            made.get(base + path) if method == "get" else made.send(method, base + path, body)
        )

    return caller


def test_the_week_is_told_as_it_stands_and_as_it_will_turn_out(ask, acme):
    answer = ask(acme.performance)("get", "week-schedule/").json()

    assert answer["timezone"] == "Europe/Moscow"
    assert answer["now"]["fact_due"] == {"day": 4, "time": "18:00"}
    assert [week["week"] for week in answer["weeks"]][:2] == ["2026-W47", "2026-W48"]
    assert answer["weeks"][0]["fact_due_at"] == "2026-11-20T15:00:00Z"
    new_year = next(week for week in answer["weeks"] if week["week"] == "2027-W01")
    assert new_year["rests"]


def test_new_times_hold_from_the_next_week_and_the_rest_stays(ask, acme):
    changed = ask(acme.pm)(
        "post", "week-schedule/", {"fact_due": {"day": 3, "time": "17:30"}, "fact_opens": {"day": 3, "time": "10:00"}}
    )

    assert changed.status_code == 200, changed.json()
    body = changed.json()
    assert body["now"]["fact_due"] == {"day": 4, "time": "18:00"}
    assert body["coming"]["fact_due"] == {"day": 3, "time": "17:30"}
    assert body["coming"]["plan_due"] == body["now"]["plan_due"]
    assert body["coming"]["from_week"] == "2026-W48"


def test_times_out_of_order_change_nothing(ask, acme):
    refused = ask(acme.pm)("post", "week-schedule/", {"fact_due": {"day": 4, "time": "11:00"}})

    assert refused.status_code == 400
    assert ("fact_due", "not_after") in {(error["field"], error["code"]) for error in refused.json()["errors"]}
    assert not WeekSchedule.objects.exists()


def test_who_may_not_manage_the_company_changes_no_times(ask, acme):
    assert ask(acme.performance)("post", "week-schedule/", {}).status_code == 403
    assert ask(acme.pm, ("read", "reports:write"))("post", "week-schedule/", {}).status_code == 403
    assert ask(acme.performance)("post", "company-days/", {"first": "2026-12-31"}).status_code == 403


def test_own_days_are_marked_listed_and_taken_back(ask, acme):
    by = ask(acme.pm)
    made = by("post", "company-days/", {"first": "2026-12-30", "last": "2026-12-31", "name": "Инвентаризация"})

    assert made.status_code == 201, made.json()
    assert [(row["day"], row["is_working"]) for row in made.json()] == [("2026-12-30", False), ("2026-12-31", False)]
    listed = by("get", "company-days/").json()
    assert [row["name"] for row in listed] == ["Инвентаризация"] * 2
    assert by("delete", f"company-days/{listed[0]['id']}/").status_code == 204
    assert [str(day) for day in CompanyDay.objects.values_list("day", flat=True)] == ["2026-12-31"]


def test_a_past_day_is_refused_in_words(ask, acme):
    refused = ask(acme.pm)("post", "company-days/", {"first": "2026-11-01"})

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["code"] == "past"


def test_discipline_counts_by_week_and_role_for_those_who_see_all_money(ask, acme, friday):
    friday.run("next_mon", 13)

    answer = ask(acme.pm)("get", "discipline/")

    assert answer.status_code == 200, answer.json()
    body = answer.json()
    assert len(body["weeks"]) == 12
    assert body["weeks"][-1]["week"] == "2026-W47"
    assert body["fact"]["missed"] + body["plan"]["missed"] > 0
    assert body["fact"]["rate"] in {None, "0"}
    assert {row["name"] for row in body["roles"]} == {"Роль performance", "Роль content"}
    assert ask(acme.performance)("get", "discipline/").status_code == 403


@pytest.fixture
def stuck(acme, friday):
    return Action.objects.create(
        company=acme.company, text="Собрать отзывы", owner=acme.performance, due_on=date(2026, 11, 20), carried=3,
        channel=acme.vk, created_at=friday.local("fri", 10),
    )  # fmt: skip


def test_a_stuck_action_is_split_by_the_director_and_nobody_else(ask, acme, stuck):
    pieces = [
        {"text": text, "owner": acme.performance.pk, "due": "2026-11-27"} for text in ("Написать", "Опубликовать")
    ]
    body = {"choice": "split", "reason": "Слишком крупно", "pieces": pieces}
    (listed,) = ask(acme.cmo)("get", "stuck-actions/").json()["results"]
    assert (listed["id"], listed["carried"], listed["channel"]) == (stuck.pk, 3, "vk")

    assert ask(acme.performance)("post", f"stuck-actions/{stuck.pk}/settle/", body).status_code == 403
    made = ask(acme.cmo)("post", f"stuck-actions/{stuck.pk}/settle/", body)

    assert made.status_code == 201, made.json()
    assert (made.json()["choice"], made.json()["made_by"]) == ("split", acme.cmo.pk)
    assert sorted(Action.objects.filter(state="open").values_list("text", flat=True)) == ["Написать", "Опубликовать"]
    assert ask(acme.cmo)("post", f"stuck-actions/{stuck.pk}/settle/", body).status_code == 409


def test_a_choice_without_what_it_needs_says_what_is_missing(ask, acme, stuck):
    refused = ask(acme.cmo)("post", f"stuck-actions/{stuck.pk}/settle/", {"choice": "hand_over", "reason": "Отпуск"})

    assert refused.status_code == 400
    assert {error["field"] for error in refused.json()["errors"]} == {"owner", "due_on"}
    stuck.refresh_from_db()
    assert (stuck.state, stuck.carried, stuck.due_on) == ("open", 3, date(2026, 11, 20))
