"""Duties are ticked period by period by whoever wears the hat; what was missed stays visible."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from roles import checklists, journal, tokens
from roles.checklists import period_of, periods
from roles.models import Absence, Appointment, AuditEvent, DutyTick, RoleVersion
from roles.refusals import Refused
from roles.services import duties, hats
from roles.services import roles as role_service

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)  # a Friday
TODAY = NOW.date()
MONDAY = date(2026, 11, 16)


@pytest.fixture
def house(acme):
    rows = [{"key": "plan", "cadence": "week", "ru": "План"}, {"key": "watch", "cadence": "day", "ru": "Расход"}]
    for code in ("performance", "analyst"):
        RoleVersion.objects.filter(role=acme.roles[code]).update(duties=rows)
    acme.act = {"company": acme.company, "at": NOW, "today": TODAY}
    return acme


def tick(house, by, on=TODAY, code="performance", key="plan", channel=...):
    place = {"role": house.roles[code], "channel": (house.vk if code == "performance" else None)}
    return duties.tick_duty(company=house.company, at=NOW, by=by, today=on, key=key, **place)


def listed(house, code="performance", today=TODAY):
    version = RoleVersion.objects.select_related("role").get(role=house.roles[code], superseded_at=None)
    (one,) = checklists.checklists(company=house.company, version=version, today=today)
    return one


def states(house, key="plan", **kwargs) -> list[str]:
    return [cell.state for row in listed(house, **kwargs).rows if row.key == key for cell in row.cells]


@pytest.mark.parametrize(
    ("cadence", "start", "end"),
    [
        ("day", TODAY, TODAY),
        ("week", MONDAY, date(2026, 11, 22)),
        ("month", date(2026, 11, 1), date(2026, 11, 30)),
        ("quarter", date(2026, 10, 1), date(2026, 12, 31)),
    ],
)
def test_periods_are_calendar_ones(cadence, start, end):
    assert period_of(cadence, TODAY) == (start, end)


def test_periods_follow_each_other_through_years():
    for cadence in ("week", "month", "quarter"):
        for day in (date(2024, 2, 29), date(2025, 1, 1), date(2026, 12, 31)):
            rows = periods(cadence, day)
            assert all(after[0] - before[1] == timedelta(days=1) for before, after in pairwise(rows))
            assert rows[-1][0] <= day <= rows[-1][1]


def test_daily_duties_rest_at_the_weekend():
    days = [start for start, _end in periods("day", MONDAY)]

    assert date(2026, 11, 15) not in days
    assert date(2026, 11, 13) in days


def test_a_period_without_a_tick_is_missed_once_it_is_over(house):
    tick(house, house.performance, on=MONDAY - timedelta(days=3))

    assert states(house) == ["missed"] * 4 + ["done", "due"]
    assert listed(house).missed > 0


def test_a_tick_counts_for_its_period_only_and_once(house):
    tick(house, house.performance)
    with pytest.raises(duties.AlreadyTicked):
        tick(house, house.performance, on=MONDAY)

    assert states(house)[-1] == "done"
    assert states(house, today=MONDAY + timedelta(days=7))[-1] == "due"
    assert AuditEvent.objects.filter(verb="tick_duty").count() == 1


def test_a_company_wide_duty_is_ticked_once_too(house):
    tick(house, house.analyst, code="analyst")

    with pytest.raises(duties.AlreadyTicked):
        tick(house, house.analyst, code="analyst")


def test_only_the_holder_ticks_and_the_deputy_while_the_holder_is_away(house):
    Appointment.objects.filter(person=house.performance).update(deputy=house.pm)
    for person in (house.pm, house.owner, house.content):
        with pytest.raises(duties.NotTheHolder):
            tick(house, person)

    Absence.objects.create(company=house.company, person=house.performance, starts_on=MONDAY, ends_on=TODAY)
    made = tick(house, house.pm)
    assert (made.person, made.instead_of) == (house.pm, house.performance)
    assert listed(house).acting
    (told,) = journal.journal(company=house.company, about="roles.dutytick").lines
    assert ("вместо кого", str(house.performance)) in [(one.label, one.after) for one in told.changes]
    mine = checklists.my_checklists(company=house.company, person=house.pm, today=TODAY)
    assert [one.holder for one in mine] == [house.performance]


def test_an_unknown_duty_is_refused(house):
    with pytest.raises(Refused):
        tick(house, house.performance, key="nothing")


def test_a_mistaken_tick_is_taken_back_and_remembered(house):
    tick(house, house.performance)
    duties.untick_duty(**house.act, by=house.performance, role=house.roles["performance"], key="plan", channel=house.vk)

    assert not DutyTick.objects.exists()
    assert AuditEvent.objects.filter(verb="untick_duty").count() == 1


def test_weeks_before_the_hat_was_worn_are_nobodys_miss(house):
    Appointment.objects.filter(person=house.performance).update(starts_on=MONDAY - timedelta(days=7))

    assert states(house) == ["vacant"] * 4 + ["missed", "due"]


def test_a_new_duty_is_not_missed_in_the_weeks_before_it_was_written(house):
    version = RoleVersion.objects.get(role=house.roles["performance"])
    duty = {"key": "new", "cadence": "week", "ru": "Новая", "en": ""}
    role_service.revise_role(
        **house.act | {"today": MONDAY - timedelta(days=7)}, by=house.pm, role=house.roles["performance"],
        reason="Добавили", duties=[*version.duties, duty],
    )  # fmt: skip

    assert states(house, key="new") == ["before"] * 4 + ["missed", "due"]


def test_a_checklist_goes_on_with_the_next_holder(house):
    tick(house, house.performance, on=MONDAY - timedelta(days=3))
    hats.appoint(**house.act, by=house.owner, role=house.roles["performance"], person=house.pm, channel=house.vk)

    assert states(house)[-2:] == ["done", "due"]
    assert listed(house).by == house.pm


def test_ticking_in_the_browser(house, sign_in):
    role = house.roles["performance"].pk
    browser = sign_in(house.performance)

    browser.post(f"/c/acme/roles/{role}/duties/plan/", {"channel": "vk"})
    assert DutyTick.objects.get().key == "plan"
    browser.post(f"/c/acme/roles/{role}/duties/plan/", {"channel": "vk", "undo": "1"})
    assert not DutyTick.objects.exists()

    assert sign_in(house.content).post(f"/c/acme/roles/{role}/duties/plan/", {"channel": "vk"}).status_code == 403


@pytest.fixture
def now(house, time_machine):
    time_machine.move_to(NOW, tick=False)
    return house


def send(browser, path, **body):
    return browser.post(f"/api/v1/c/acme/roles/{path}", body, content_type="application/json")


def test_the_api_reads_ticks_and_unticks_a_duty(now, rival, sign_in):
    browser, url = sign_in(now.performance), "performance/duties/"

    (own,) = browser.get("/api/v1/c/acme/duties/").json()
    assert (own["role"], own["channel"], own["ticks"]) == ("performance", "vk", now.performance.pk)
    ticked = send(browser, f"{url}tick/", key="plan", channel="vk", period="2026-11-16")
    (row,) = [row for row in ticked.json()[0]["duties"] if row["key"] == "plan"]
    assert row["periods"][-1] == {
        "first_day": "2026-11-16", "last_day": "2026-11-22", "state": "done", "ticked_by": now.performance.pk,
        "instead_of": None, "ticked_at": "2026-11-20T12:20:00Z",
    }  # fmt: skip
    again = send(browser, f"{url}tick/", key="plan", channel="vk")
    assert (again.status_code, again.json()["code"]) == (409, "already_ticked")
    assert sign_in(now.cmo).get(f"/api/v1/c/acme/roles/{url}").json() == ticked.json(), "everybody reads it"
    for _twice in range(2):
        taken_back = send(browser, f"{url}untick/", key="plan", channel="vk").json()
        assert [row["periods"][-1]["state"] for row in taken_back[0]["duties"]] == ["due", "due"]
    assert browser.get("/api/v1/c/rival/roles/performance/duties/").status_code == 404


@pytest.mark.parametrize("step", ["tick", "untick"])
def test_the_api_refuses_a_period_that_is_over_and_who_does_not_wear_the_hat(now, sign_in, step):
    url = f"performance/duties/{step}/"

    late = send(sign_in(now.performance), url, key="plan", channel="vk", period="2026-11-09")
    assert (late.status_code, late.json()["code"]) == (409, "period_over")
    other = send(sign_in(now.pm), url, key="plan", channel="vk")
    assert (other.status_code, other.json()["code"]) == (403, "not_the_holder")
    for wrong, code in (
        ({"key": "plan", "channel": "x"}, "unknown_channel"),
        ({"key": "x", "channel": "vk"}, "unknown"),
    ):
        assert send(sign_in(now.performance), url, **wrong).json()["errors"][0]["code"] == code
    assert send(sign_in(now.performance), "nothing/duties/tick/", key="plan").status_code == 404
    assert not DutyTick.objects.exists()


def test_ticking_is_a_task_of_ones_own_for_a_token(now, client):
    def status(scope):
        key = tokens.create_token(
            company=now.company, person=now.performance, by=now.performance, name=scope, scopes=[scope], at=NOW
        )[1]
        body, headers = {"key": "plan", "channel": "vk"}, {"Authorization": f"Bearer {key}"}
        url = "/api/v1/c/acme/roles/performance/duties/tick/"
        return client.post(url, body, content_type="application/json", headers=headers).status_code

    assert [status(scope) for scope in ("read", "reports:write", "tasks:write")] == [403, 403, 200]
