"""Duties that must not meet: refused before they do, allowed under a check, open again when the check is skipped."""

import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from django.db import DatabaseError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roles import conflicts
from roles.conflicts import Worn, clashes, named_rounds, standings
from roles.models import (
    Appointment,
    AuditEvent,
    CheckRound,
    ExternalCheck,
    Incompatibility,
    IncompatibilityVersion,
    Membership,
    Role,
)
from roles.permissions import RoleKind
from roles.refusals import Forbidden, Refused
from roles.services import channels, hats, people
from roles.services import conflicts as service
from roles.services.conflicts import CheckTerms, DutiesClash

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
TODAY = NOW.date()
PAIRS = (
    ("content", "performance"),
    ("performance", "analyst"),
    ("analyst", "cmo"),
    ("performance", "cmo"),
    ("content", "cmo"),
)
CHANNEL_OF = {"performance": "vk", "content": "blog"}


@pytest.fixture
def house(acme):
    service.install_builtin_pairs(company=acme.company, at=NOW, today=TODAY)
    acme.act = {"company": acme.company, "by": acme.owner, "at": NOW, "today": TODAY}
    return acme


def terms(house, **fields) -> CheckTerms:
    given = {"checker": house.owner, "what": "Договоры", "cadence": "week", "until": TODAY + timedelta(days=60)}
    return CheckTerms(**given | fields)


def place(house, code: str) -> dict:
    channel = CHANNEL_OF.get(code)
    return {"role": house.roles[code], "channel": getattr(house, channel) if channel else None}


@pytest.mark.parametrize(("held", "wanted"), [*PAIRS, *(pair[::-1] for pair in PAIRS)])
def test_a_clashing_appointment_is_refused_naming_both_duties(house, held, wanted):
    with pytest.raises(DutiesClash) as refused:
        hats.appoint(**house.act, person=getattr(house, held), **place(house, wanted))

    assert str(getattr(house, held)) in refused.value.message
    assert len(re.findall("«[^»]+»|“[^”]+”", refused.value.message)) == 2
    assert refused.value.errors[0].field == "checker"
    assert not Appointment.objects.filter(person=getattr(house, held), role=house.roles[wanted]).exists()


def test_the_refusal_names_the_two_roles_and_the_reason(house):
    with pytest.raises(DutiesClash) as refused:
        hats.appoint(**house.act, person=house.performance, **place(house, "content"))

    assert "Роль content" in refused.value.message
    assert "Роль performance" in refused.value.message
    assert "кто написал, тот не запускает" in refused.value.message


@pytest.mark.parametrize(("held", "wanted"), PAIRS)
def test_a_clashing_deputy_is_refused(house, held, wanted):
    appointment = Appointment.objects.get(role=house.roles[wanted])

    with pytest.raises(DutiesClash):
        hats.update_appointment(**house.act, appointment=appointment, deputy=getattr(house, held), hours_per_week=None)
    appointment.refresh_from_db()
    assert appointment.deputy is None


def test_giving_a_channel_by_its_form_is_refused_too(house):
    with pytest.raises(DutiesClash):
        channels.update_channel(**house.act, channel=house.vk, owner=house.cmo)


def test_the_api_refuses_a_clashing_owner_with_both_duties(house, sign_in):
    answer = sign_in(house.owner).patch(
        f"/api/v1/c/acme/channels/{house.vk.code}/", {"owner": house.analyst.pk}, content_type="application/json"
    )

    assert answer.status_code == 409, answer.content
    assert answer.json()["errors"][0]["code"] == "required"
    assert "Роль performance" in answer.json()["detail"]


def test_duties_that_follow_each_other_do_not_clash(house):
    last = TODAY + timedelta(days=5)
    Appointment.objects.filter(person=house.analyst).update(ends_on=last)

    made = hats.appoint(**house.act, person=house.analyst, role=house.roles["cmo"], starts_on=last + timedelta(days=1))

    assert made.pk


def test_a_named_check_allows_the_appointment_and_lays_out_its_rounds(house):
    hats.appoint(**house.act, person=house.performance, **place(house, "analyst"), check=terms(house))

    check = ExternalCheck.objects.get()
    assert (check.person, check.checker, check.starts_on) == (house.performance, house.owner, TODAY)
    rounds = list(check.rounds.all())
    assert rounds[0].first_day == TODAY
    assert rounds[-1].last_day == check.until
    assert all(one.first_day == before.last_day + timedelta(days=1) for before, one in pairwise(rounds))
    (standing,) = standings(company=house.company, on=TODAY)
    assert standing.is_checked


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"until": TODAY + timedelta(days=93)}, "until"),
        ({"until": TODAY - timedelta(days=1)}, "until"),
        ({"what": " "}, "what"),
        ({"cadence": "year"}, "cadence"),
    ],
)
def test_a_check_says_what_how_often_and_lasts_a_quarter_at_most(house, wrong, field):
    with pytest.raises(Refused) as refused:
        hats.appoint(**house.act, person=house.performance, **place(house, "analyst"), check=terms(house, **wrong))

    assert refused.value.errors[0].field == field
    assert not ExternalCheck.objects.exists()


def test_nobody_checks_themselves_or_names_their_own_checker(house):
    with pytest.raises(Refused) as refused:
        hats.appoint(
            **house.act,
            person=house.performance,
            **place(house, "analyst"),
            check=terms(house, checker=house.performance),
        )
    assert refused.value.errors[0].code == "same_person"

    act = house.act | {"by": house.pm}
    service.add_pair(**house.act, left=RoleKind.PM, right=house.roles["analyst"], why_ru="так надо.", reason="Проба")
    with pytest.raises(Forbidden):
        hats.appoint(**act, person=house.pm, role=house.roles["analyst"], check=terms(house))


def conflicted(house, **fields) -> ExternalCheck:
    hats.appoint(**house.act, person=house.performance, **place(house, "analyst"), check=terms(house, **fields))
    return ExternalCheck.objects.get()


def test_a_skipped_round_opens_the_conflict_and_a_late_signature_closes_it(house):
    first = conflicted(house).rounds.first()
    late = first.due_on + timedelta(days=1)
    (on_the_day,) = standings(company=house.company, on=first.due_on)
    (after,) = standings(company=house.company, on=late)
    assert on_the_day.is_checked
    assert not after.is_checked
    assert after.skipped == (first,)

    assert service.follow_checks(company=house.company, at=NOW, today=late) == 1
    assert service.follow_checks(company=house.company, at=NOW, today=late) == 0
    assert AuditEvent.objects.filter(verb="skip_check").count() == 1

    act = house.act | {"today": late}
    service.sign_round(**act, one=first, outcome="clean", finding="Сверил с CRM")
    (closed,) = standings(company=house.company, on=late)
    assert closed.is_checked


def test_an_open_conflict_does_not_allow_another_appointment(house):
    first = conflicted(house).rounds.first()
    late = house.act | {"today": first.due_on + timedelta(days=1)}

    with pytest.raises(DutiesClash):
        hats.appoint(**late, person=house.performance, role=house.roles["performance"], channel=house.blog)


def test_a_check_runs_out_after_its_last_day(house):
    check = conflicted(house, until=TODAY + timedelta(days=4))

    (last,) = standings(company=house.company, on=check.until)
    (next_day,) = standings(company=house.company, on=check.until + timedelta(days=1))

    assert last.is_checked
    assert next_day.expired
    assert not next_day.is_checked


def test_only_the_checker_signs_and_only_when_the_days_are_over(house):
    first = conflicted(house).rounds.first()
    over = house.act | {"today": first.last_day + timedelta(days=1)}
    told = {"one": first, "outcome": "clean", "finding": "Сверил"}
    for person in (house.pm, house.performance, house.cmo):
        with pytest.raises(service.NotTheChecker):
            service.sign_round(**over | {"by": person}, **told)
    with pytest.raises(service.RoundClosed):
        service.sign_round(**house.act, **told)
    with pytest.raises(Refused) as refused:
        service.sign_round(**over, **told | {"finding": " "})
    assert refused.value.errors[0].field == "finding"

    service.sign_round(**over, **told)
    with pytest.raises(service.RoundClosed):
        service.sign_round(**over, **told)


def test_a_check_that_waits_says_which_two_duties_it_is_about(house):
    first = conflicted(house).rounds.first()
    after = first.last_day + timedelta(days=1)

    ((one, duties),) = named_rounds(company=house.company, checker=first.external_check.checker, on=after)

    assert one == first
    assert duties == "Роль performance × Роль analyst"
    assert conflicts.round_sides(company=house.company, rounds=[one]) == {one.pk: ("Роль performance", "Роль analyst")}
    assert named_rounds(company=house.company, checker=house.pm, on=first.last_day) == []


def test_a_signed_round_cannot_be_rewritten(house):
    first = conflicted(house).rounds.first()
    service.sign_round(
        **house.act | {"today": first.last_day + timedelta(days=1)}, one=first, outcome="clean", finding="Сверил"
    )

    with pytest.raises(DatabaseError), transaction.atomic():
        CheckRound.objects.filter(pk=first.pk).update(finding="Иначе")


def test_the_sample_is_what_was_done_under_both_duties_in_the_days(house):
    first = conflicted(house).rounds.first()
    inside = datetime.combine(first.first_day + timedelta(days=2), datetime.min.time(), tzinfo=UTC)
    rows = [
        (house.performance, "record_facts", inside), (house.performance, "create_campaign", inside),
        (house.performance, "create_token", inside), (house.analyst, "record_facts", inside),
        (house.performance, "record_facts", inside + timedelta(days=30)),
    ]  # fmt: skip
    for by, verb, at in rows:
        AuditEvent.objects.create(
            company=house.company, by=by, verb=verb, at=at, object_type="roles.channel", object_id=str(house.vk.pk)
        )

    sample = service.sample_of(company=house.company, one=first)

    assert [(event.by, event.verb) for event in sample] == [
        (house.performance, "record_facts"), (house.performance, "create_campaign")
    ]  # fmt: skip


def test_a_check_ends_when_its_conflict_is_gone(house):
    conflicted(house)
    hats.end_appointment(
        **house.act, appointment=Appointment.objects.get(person=house.performance, role__code="analyst")
    )

    service.follow_checks(company=house.company, at=NOW, today=TODAY + timedelta(days=1))

    assert ExternalCheck.objects.get().ended_on == TODAY
    assert standings(company=house.company, on=TODAY) == []
    assert service.follow_checks(company=house.company, at=NOW, today=TODAY + timedelta(days=90)) == 0


def test_a_conflict_is_open_again_when_its_checker_leaves(house):
    conflicted(house, checker=house.cmo)

    people.remove_person(**house.act, person=house.cmo)

    (standing,) = standings(company=house.company, on=TODAY)
    assert not standing.is_checked


def test_only_the_owner_changes_the_matrix_and_with_a_reason(house):
    pair = Incompatibility.objects.get(left_kind="analyst")
    told = {"pair": pair, "why_ru": "кто посчитал, тот не решает.", "is_active": False}
    with pytest.raises(Forbidden):
        service.revise_pair(**house.act | {"by": house.pm}, **told, reason="Некому")
    with pytest.raises(Refused):
        service.revise_pair(**house.act, **told, reason=" ")

    service.revise_pair(**house.act, **told, reason="Решает совет, а не один человек")

    versions = list(IncompatibilityVersion.objects.filter(pair=pair).order_by("number"))
    assert [version.is_active for version in versions] == [True, False]
    assert AuditEvent.objects.get(verb="revise_incompatibility").reason == "Решает совет, а не один человек"
    assert hats.appoint(**house.act, person=house.analyst, role=house.roles["cmo"]).pk


def test_the_same_pair_is_not_added_twice_the_other_way_round(house):
    with pytest.raises(service.PairExists):
        service.add_pair(**house.act, left=RoleKind.CMO, right=RoleKind.ANALYST, why_ru="так.", reason="Проба")


def test_a_handed_over_channel_is_taken_and_its_conflict_stands_open(house):
    hats.end_appointment(**house.act, appointment=Appointment.objects.get(channel=house.vk))

    (standing,) = standings(company=house.company, on=TODAY)
    assert standing.clash.person == house.cmo
    assert not standing.is_checked


def test_a_company_of_one_person_shows_the_conflict_instead_of_refusing(house):
    Membership.objects.filter(company=house.company).exclude(pk=house.owner.pk).update(is_active=False)

    hats.appoint(**house.act, person=house.owner, **place(house, "content"))
    hats.appoint(**house.act, person=house.owner, **place(house, "performance"))

    (standing,) = standings(company=house.company, on=TODAY)
    assert not standing.is_checked


ROLES = [Role(pk=number, code=code, kind=kind) for number, (code, kind) in enumerate(
    [("owner", "owner"), ("cmo", "cmo"), ("pm", "pm"), ("analyst", "analyst"), ("content", "channel_owner"), ("performance", "channel_owner")], 1
)]  # fmt: skip
SIDES = [(role.pk, "") for role in ROLES] + [(None, str(kind)) for kind in RoleKind]
DAY = st.integers(0, 30).map(lambda n: date(2026, 1, 1) + timedelta(days=n))
SPAN = st.tuples(DAY, st.one_of(st.none(), st.integers(0, 10))).map(
    lambda pair: (pair[0], None if pair[1] is None else pair[0] + timedelta(days=pair[1]))
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    worn=st.lists(st.tuples(st.integers(1, 3), st.sampled_from(ROLES), SPAN), max_size=8),
    sides=st.lists(st.tuples(st.sampled_from(SIDES), st.sampled_from(SIDES)), max_size=3),
)
def test_a_clash_is_found_exactly_when_two_hats_of_a_pair_share_a_day(worn, sides):
    hats_on = [Worn(Membership(pk=person), role, None, *span) for person, role, span in worn]
    versions = [
        IncompatibilityVersion(
            pair=Incompatibility(
                pk=number, left_role_id=left[0], left_kind=left[1], right_role_id=right[0], right_kind=right[1]
            )
        )
        for number, (left, right) in enumerate(sides)
    ]

    found = {(clash.person.pk, clash.version.pair_id) for clash in clashes(hats_on, versions)}

    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(60)]
    wanted = set()
    for version in versions:
        for day in days:
            today = [hat for hat in hats_on if hat.starts_on <= day and (hat.ends_on is None or day <= hat.ends_on)]
            for one in today:
                for other in today:
                    pair = version.pair
                    if (
                        one is not other and one.person.pk == other.person.pk
                        and conflicts.is_side(one.role, pair.left_role_id, pair.left_kind)
                        and conflicts.is_side(other.role, pair.right_role_id, pair.right_kind)
                    ):  # fmt: skip
                        wanted.add((one.person.pk, version.pair_id))
    assert found == wanted


def test_the_page_of_a_round_and_the_naming_of_a_checker_call_the_duties_as_the_list_does(house, sign_in):
    check = conflicted(house)
    browser = sign_in(house.owner)

    one = browser.get(f"/c/acme/roles/conflicts/rounds/{check.rounds.first().pk}/").content.decode()
    named = browser.get(
        f"/c/acme/roles/conflicts/checks/new/?person={check.person_id}&pair={check.pair_id}"
    ).content.decode()

    assert "Роль performance × Роль analyst" in one
    assert "любой" not in one
    assert "любой" not in named


def test_after_a_refusal_the_fields_of_the_check_are_needed(house, sign_in):
    browser, path = sign_in(house.owner), "/c/acme/roles/appointments/new/"
    asked = {
        "role": house.roles["content"].pk,
        "person": house.performance.pk,
        "channel": house.blog.pk,
        "starts_on": TODAY,
    }

    before = browser.get(path).content.decode()
    refused = browser.post(path, asked).content.decode()

    fields = [text.partition("</details>")[0].partition("<details")[2] for text in (before, refused)]
    assert ["необязательно" in text for text in fields] == [True, False]
    assert ["aria-required" in text for text in fields] == [False, True]
