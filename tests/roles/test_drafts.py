"""A reorganisation on paper changes nothing, shows what it would cause, and is made whole or not at all."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from roles import boards, drafts
from roles.models import Appointment, AuditEvent, Channel, ExternalCheck, Move, Reorganisation
from roles.refusals import Refused
from roles.services import conflicts, hats
from roles.services import drafts as service
from roles.services.conflicts import CheckTerms

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
TODAY = NOW.date()


@pytest.fixture
def house(acme):
    conflicts.install_builtin_pairs(company=acme.company, at=NOW, today=TODAY)
    acme.act = {"company": acme.company, "by": acme.owner, "at": NOW, "today": TODAY}
    acme.draft = service.start_reorganisation(**acme.act, title="Второй перформанс", starts_on=TODAY)
    return acme


def move(house, kind: str, **fields) -> Move:
    return service.add_move(company=house.company, by=house.owner, draft=house.draft, kind=kind, **fields)


def give(house, code: str, person, channel=None, **fields) -> Move:
    return move(house, "appoint", role=house.roles[code], person=person, channel=channel, **fields)


def snapshot(company) -> list:
    rows = Appointment.objects.filter(company=company).order_by("pk")
    fields = ("pk", "role_id", "person_id", "channel_id", "deputy_id", "starts_on", "ends_on", "hours_per_week")
    owners = Channel.objects.filter(company=company).order_by("pk").values_list("pk", "owner_id")
    return [*rows.values_list(*fields), *owners, AuditEvent.objects.count(), ExternalCheck.objects.count()]


def test_looking_at_a_draft_changes_nothing(house):
    give(house, "content", house.pm, house.blog, hours_per_week=12)
    before = snapshot(house.company)

    shown = service.preview(**house.act, draft=house.draft)

    assert snapshot(house.company) == before
    (place,) = drafts.changed_places(shown.before, shown.after)
    assert (place.before, place.after) == (str(house.content), str(house.pm))
    (hours,) = drafts.changed_hours(shown.before, shown.after)
    assert (hours.person, hours.before, hours.after) == (house.pm, 0, 12)


def test_a_draft_shows_the_vacancy_it_would_leave(house):
    move(house, "end", appointment=Appointment.objects.get(role__code="analyst"))

    shown = service.preview(**house.act, draft=house.draft)

    assert [row.role.role.code for row in shown.before.vacant] == []
    assert [row.role.role.code for row in shown.after.vacant] == ["analyst"]


def test_a_draft_names_the_clash_before_it_is_made(house):
    clash = give(house, "content", house.analyst, house.blog)
    worse = give(house, "cmo", house.analyst)

    shown = service.preview(**house.act, draft=house.draft)

    assert set(shown.refusals) == {worse.pk}
    assert str(house.analyst) in shown.refusals[worse.pk]
    assert clash.pk not in shown.refusals


def test_one_impossible_move_keeps_all_of_them_from_being_made(house):
    give(house, "content", house.pm, house.blog)
    give(house, "cmo", house.analyst)
    before = snapshot(house.company)

    with pytest.raises(service.MovesRefused) as refused:
        service.apply_reorganisation(**house.act, draft=house.draft, reason="Пора")

    assert len(refused.value.errors) == 1
    assert snapshot(house.company) == before
    house.draft.refresh_from_db()
    assert house.draft.is_draft


def test_applying_makes_every_move_with_the_reason_and_closes_the_draft(house):
    give(house, "content", house.pm, house.blog, deputy=house.content, hours_per_week=12)
    move(house, "deputy", appointment=Appointment.objects.get(channel=house.vk), deputy=house.owner)

    service.apply_reorganisation(**house.act, draft=house.draft, reason="Ольга уходит в другой отдел")

    house.blog.refresh_from_db()
    assert house.blog.owner == house.pm
    made = Appointment.objects.get(channel=house.blog, person=house.pm)
    assert (made.deputy, made.hours_per_week, made.reason) == (house.content, 12, "Ольга уходит в другой отдел")
    assert Appointment.objects.get(channel=house.vk).deputy == house.owner
    with pytest.raises(service.DraftClosed):
        service.apply_reorganisation(**house.act, draft=house.draft, reason="Ещё раз")
    with pytest.raises(service.DraftClosed):
        give(house, "content", house.pm, house.blog)


def test_two_people_may_swap_hats_that_must_not_meet(house):
    for person, code, taken in ((house.analyst, "cmo", "analyst"), (house.cmo, "analyst", "cmo")):
        give(house, code, person)
        move(house, "end", appointment=Appointment.objects.get(role__code=taken))

    service.apply_reorganisation(**house.act, draft=house.draft, reason="Меняются местами")

    today = Appointment.objects.filter(ends_on=None)
    assert today.get(role__code="cmo").person == house.analyst
    assert today.get(role__code="analyst").person == house.cmo


def test_a_move_with_a_checker_is_made_under_the_check(house):
    check = CheckTerms(house.owner, "Договоры", "week", TODAY + timedelta(days=60))
    give(house, "analyst", house.performance, check=check)

    service.apply_reorganisation(**house.act, draft=house.draft, reason="Аналитик в отпуске")

    assert ExternalCheck.objects.get().person == house.performance


def test_a_draft_needs_a_reason_and_a_move_and_a_day_to_come(house):
    with pytest.raises(Refused):
        service.apply_reorganisation(**house.act, draft=house.draft, reason="Пора")
    give(house, "content", house.pm, house.blog)
    with pytest.raises(Refused):
        service.apply_reorganisation(**house.act, draft=house.draft, reason=" ")
    with pytest.raises(Refused):
        service.start_reorganisation(**house.act, title="Вчера", starts_on=TODAY - timedelta(days=1))


def test_the_manager_cannot_give_the_directors_hat_by_a_map(house):
    wanted = give(house, "cmo", house.content)

    shown = service.preview(**house.act | {"by": house.pm}, draft=house.draft)

    assert wanted.pk in shown.refusals


@pytest.mark.parametrize("seed", range(12))
def test_the_map_that_was_promised_is_the_map_that_comes(house, seed):
    """Random moves; those that cannot be made are taken off the map, then it is applied: the board is the previewed one."""
    chance = random.Random(seed)
    people = [house.pm, house.analyst, house.content, house.performance, house.cmo]
    for _number in range(5):
        code = chance.choice(["content", "performance", "analyst", "pm", "cmo"])
        channel = chance.choice([house.vk, house.blog]) if code in ("content", "performance") else None
        if chance.random() < 0.7:
            give(house, code, chance.choice(people), channel, hours_per_week=chance.choice([None, 10, 20]))
        else:
            row = chance.choice(list(Appointment.objects.filter(company=house.company)))
            move(house, chance.choice(["end", "deputy"]), appointment=row)
    shown = service.preview(**house.act, draft=house.draft)
    for pk in shown.refusals:
        service.remove_move(company=house.company, by=house.owner, move=Move.objects.get(pk=pk))
    if not house.draft.moves.exists():
        return
    again = service.preview(**house.act, draft=house.draft)
    assert again.refusals == {}

    service.apply_reorganisation(**house.act, draft=house.draft, reason="Проба")

    assert told(boards.role_map(company=house.company, on=TODAY)) == told(again.after)
    running = Channel.objects.filter(company=house.company, status="active")
    assert not running.filter(owner=None).exists()
    assert Reorganisation.objects.get().state == "applied"


def told(board) -> list:
    places = [(row.role.role_id, row.channel and row.channel.pk, row.marks, row.vacant) for row in board.rows]
    return [places, board.hours, [(row.clash.person.pk, row.is_checked) for row in board.conflicts]]


def test_hats_may_be_tried_and_given_in_the_browser(house, sign_in):
    browser = sign_in(house.owner)
    page = f"/c/acme/roles/drafts/{house.draft.pk}/"
    browser.post(
        f"{page}moves/appoint/",
        {"role": house.roles["content"].pk, "person": house.pm.pk, "channel": house.blog.pk, "cadence": "week"},
    )

    shown = browser.get(page).content.decode()
    assert str(house.pm) in shown
    house.blog.refresh_from_db()
    assert house.blog.owner == house.content

    browser.post(f"{page}apply/", {"reason": "Пора"})
    house.blog.refresh_from_db()
    assert house.blog.owner == house.pm
    assert hats.heirs(company=house.company, today=TODAY)
