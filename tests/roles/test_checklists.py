"""Duties are ticked period by period by whoever wears the hat; what was missed stays visible."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from roles import checklists
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
