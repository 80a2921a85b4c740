"""Appointing and ending: rights follow the hat at once, and no running channel is ever without an owner."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from roles import selectors
from roles.models import Absence, Appointment, AuditEvent, Channel, Membership
from roles.permissions import Permission
from roles.refusals import Refused
from roles.services import hats

NOW = datetime.now(UTC)


@pytest.fixture
def today(acme):
    return acme.company.local_date(NOW)


def act(acme, today, **kwargs):
    return {"company": acme.company, "by": acme.owner, "at": NOW, "today": today, **kwargs}


def fresh(person: Membership) -> Membership:
    return Membership.objects.select_related("company", "user").get(pk=person.pk)


def hat_of(person, channel=None) -> Appointment:
    return Appointment.objects.select_related("role", "person__user", "deputy__user", "channel").get(
        person=person, channel=channel
    )


def test_appointing_to_a_channel_moves_it_to_the_new_owner(acme, today):
    hats.appoint(**act(acme, today, role=acme.roles["content"], person=acme.analyst, channel=acme.vk))

    acme.vk.refresh_from_db()
    assert acme.vk.owner == acme.analyst
    assert fresh(acme.analyst).can(Permission.SUBMIT_REPORT, acme.vk)
    assert not fresh(acme.performance).can(Permission.SUBMIT_REPORT, acme.vk)
    assert hat_of(acme.performance, acme.vk).ends_on == today - timedelta(days=1)


def test_scheduled_appointment_waits_for_its_day(acme, today):
    tomorrow = today + timedelta(days=1)
    hats.appoint(
        **act(acme, today, role=acme.roles["content"], person=acme.analyst, channel=acme.vk, starts_on=tomorrow)
    )

    acme.vk.refresh_from_db()
    assert acme.vk.owner == acme.performance
    assert fresh(acme.performance).can(Permission.SUBMIT_REPORT, acme.vk)

    assert hats.settle_owners(company=acme.company, at=NOW, today=tomorrow) == 1
    acme.vk.refresh_from_db()
    assert acme.vk.owner == acme.analyst
    assert hats.settle_owners(company=acme.company, at=NOW, today=tomorrow) == 0


def test_ended_appointment_stops_working_on_the_next_request(acme, today, sign_in):
    browser = sign_in(acme.analyst)
    before = Membership.objects.get(pk=acme.analyst.pk).can(Permission.ENTER_FACTS)

    hats.end_appointment(**act(acme, today, appointment=hat_of(acme.analyst)))

    assert before
    assert not fresh(acme.analyst).can(Permission.ENTER_FACTS)
    assert browser.get("/c/acme/roles/").status_code == 403


def test_ended_channel_goes_to_the_deputy_and_shows_vacant(acme, today):
    appointment = hat_of(acme.performance, acme.vk)
    appointment.deputy = acme.content
    appointment.save()

    hats.end_appointment(**act(acme, today, appointment=appointment))

    acme.vk.refresh_from_db()
    assert acme.vk.owner == acme.content
    interim = Appointment.objects.get(channel=acme.vk, ends_on=None)
    assert (interim.person, interim.interim) == (acme.content, True)
    assert fresh(acme.content).can(Permission.SUBMIT_REPORT, acme.vk)


@pytest.mark.parametrize(("gone", "heir"), [([], "cmo"), (["cmo"], "owner")])
def test_ended_channel_without_deputy_goes_to_the_cmo_else_the_owner(acme, today, gone, heir):
    for name in gone:
        Appointment.objects.filter(person=getattr(acme, name)).delete()

    hats.end_appointment(**act(acme, today, appointment=hat_of(acme.performance, acme.vk)))

    acme.vk.refresh_from_db()
    assert acme.vk.owner == getattr(acme, heir)


def test_channel_that_nobody_could_take_keeps_its_hat(acme, today):
    Appointment.objects.filter(person__in=[acme.cmo, acme.owner]).delete()

    with pytest.raises(hats.ChannelOrphaned, match="VK Реклама"):
        hats.end_appointment(**act(acme, today, by=None, appointment=hat_of(acme.performance, acme.vk)))

    acme.vk.refresh_from_db()
    assert acme.vk.owner == acme.performance
    assert hat_of(acme.performance, acme.vk).ends_on is None


def test_stopped_channel_may_stay_without_an_owner(acme, today):
    Channel.objects.filter(pk=acme.vk.pk).update(status="stopped")

    hats.end_appointment(**act(acme, today, appointment=hat_of(acme.performance, acme.vk)))

    acme.vk.refresh_from_db()
    assert acme.vk.owner is None


def test_appointment_that_ran_out_passes_on_the_next_day(acme, today):
    hats.end_appointment(**act(acme, today, appointment=hat_of(acme.performance, acme.vk), last_day=today))
    assert hats.settle_owners(company=acme.company, at=NOW, today=today) == 0
    acme.vk.refresh_from_db()
    assert acme.vk.owner == acme.performance

    assert hats.settle_owners(company=acme.company, at=NOW, today=today + timedelta(days=1)) == 1
    acme.vk.refresh_from_db()
    assert acme.vk.owner == acme.cmo


def test_successor_takes_over_from_the_interim_holder(acme, today):
    hats.end_appointment(**act(acme, today, appointment=hat_of(acme.performance, acme.vk)))

    hats.appoint(**act(acme, today, role=acme.roles["performance"], person=acme.content, channel=acme.vk))

    in_force = selectors.appointments_in_force(company=acme.company, on=today).filter(channel=acme.vk)
    assert [(a.person, a.interim) for a in in_force] == [(acme.content, False)]


def test_deputy_acts_only_while_the_holder_is_away(acme, today):
    Appointment.objects.filter(person=acme.cmo).update(deputy=acme.owner)
    assert not fresh(acme.owner).can(Permission.DECIDE)

    Absence.objects.create(company=acme.company, person=acme.cmo, starts_on=today, ends_on=today)

    assert fresh(acme.owner).can(Permission.DECIDE)
    assert [hat.acting for hat in fresh(acme.owner).hats if hat.kind == "cmo"] == [True]
    tomorrow = today + timedelta(days=1)
    assert "cmo" not in {hat.kind for hat in selectors.hats_of(person=fresh(acme.owner), on=tomorrow)}


def test_nobody_deputises_themselves(acme, today):
    with pytest.raises(Refused) as refusal:
        hats.appoint(
            **act(acme, today, role=acme.roles["content"], person=acme.analyst, channel=acme.blog, deputy=acme.analyst)
        )

    assert [(error.field, error.code) for error in refusal.value.errors] == [("deputy", "same_person")]


@pytest.mark.parametrize(
    ("role", "fields", "error"),
    [
        ("content", {}, ("channel", "required")),
        ("analyst", {"channel": True}, ("channel", "company_wide")),
        ("analyst", {"ends_on": date(2026, 1, 1)}, ("ends_on", "before_start")),
        ("analyst", {"gone": True}, ("person", "not_a_member")),
    ],
)
def test_impossible_appointments_name_the_field(acme, today, role, fields, error):
    if fields.pop("gone", False):
        acme.content.is_active = False
    if fields.pop("channel", False):
        fields["channel"] = acme.blog

    with pytest.raises(Refused) as refusal:
        hats.appoint(**act(acme, today, role=acme.roles[role], person=acme.content, **fields))

    assert [(e.field, e.code) for e in refusal.value.errors] == [error]


def test_same_hat_twice_is_refused(acme, today):
    with pytest.raises(hats.AlreadyAppointed):
        hats.appoint(**act(acme, today, role=acme.roles["analyst"], person=acme.analyst))


@pytest.mark.parametrize("role", ["owner", "cmo"])
def test_only_the_owner_gives_the_hats_that_decide(acme, today, role):
    with pytest.raises(hats.OnlyOwnerAppoints):
        hats.appoint(**act(acme, today, by=acme.pm, role=acme.roles[role], person=acme.pm))

    hats.appoint(**act(acme, today, role=acme.roles[role], person=acme.pm))
    assert role in {hat.kind for hat in fresh(acme.pm).hats}


def test_last_owner_keeps_the_hat(acme, today):
    with pytest.raises(hats.LastOwner):
        hats.end_appointment(**act(acme, today, appointment=hat_of(acme.owner)))

    hats.appoint(**act(acme, today, role=acme.roles["owner"], person=acme.pm))
    hats.end_appointment(**act(acme, today, appointment=hat_of(acme.owner)))
    assert [str(p) for p in selectors.holders(company=acme.company, kind="owner", on=today)] == [str(acme.pm)]


def test_holder_who_starts_later_is_not_pushed_out(acme, today):
    later = today + timedelta(days=10)
    hats.appoint(**act(acme, today, role=acme.roles["content"], person=acme.pm, channel=acme.vk, starts_on=later))

    with pytest.raises(hats.AlreadyAppointed, match="Pm Acme"):
        hats.appoint(**act(acme, today, role=acme.roles["content"], person=acme.analyst, channel=acme.vk))


def test_every_change_is_in_the_journal(acme, today):
    appointment = hats.appoint(
        **act(acme, today, role=acme.roles["content"], person=acme.analyst, channel=acme.vk, reason="отпуск")
    )

    verbs = list(AuditEvent.objects.order_by("pk").values_list("verb", "by", "reason"))
    assert verbs == [
        ("end_appointment", acme.owner.pk, ""),
        ("appoint", acme.owner.pk, "отпуск"),
        ("change_channel_owner", acme.owner.pk, ""),
    ]
    assert AuditEvent.objects.get(verb="appoint").after["person"] == str(appointment.person)


@pytest.mark.parametrize("seed", range(6))
def test_whoever_leaves_no_channel_in_work_is_without_an_owner(acme, today, seed):
    """Random appointments, deputies, absences and departures: a refusal changes nothing, all else keeps the rule."""
    from roles.models import User
    from roles.services import people

    chance = random.Random(seed)
    crew = [acme.cmo, acme.pm, acme.analyst, acme.performance, acme.content]
    for number in range(4):
        user = User.objects.create_user(f"crew{number}@acme.example", name=f"Crew {number}")
        crew.append(Membership.objects.create(company=acme.company, user=user, joined_on=today))
    for number in range(6):
        Channel.objects.create(
            company=acme.company, code=f"c{number}", name=f"C{number}", kind="paid", status="planned"
        )

    for _step in range(30):
        here = [person for person in map(fresh, crew) if person.is_active]
        if len(here) < 2:
            break
        person, other = chance.choice(here), chance.choice(here)
        channel = chance.choice(list(Channel.objects.all()))
        try:
            match chance.choice([0, 1, 2, 0, 1, 2, 3]):
                case 0 | 1:
                    hats.appoint(
                        **act(acme, today, role=acme.roles["content"], person=person, channel=channel, deputy=other)
                    )
                    Channel.objects.filter(pk=channel.pk).update(status="active")
                case 2:
                    appointment = chance.choice(list(Appointment.objects.filter(ends_on=None)))
                    hats.end_appointment(**act(acme, today, appointment=appointment))
                case 3:
                    people.remove_person(**act(acme, today, person=person))
        except Refused:
            pass
        hats.settle_owners(company=acme.company, at=NOW, today=today)
        running = Channel.objects.exclude(status__in=["planned", "stopped"]).select_related("owner")
        holders = {a.channel_id: a.person_id for a in selectors.appointments_in_force(company=acme.company, on=today)}
        assert [c for c in running if not c.owner.is_active or holders[c.pk] != c.owner_id] == []
