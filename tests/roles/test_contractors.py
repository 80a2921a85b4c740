"""Contracts: whom they let in, until when, and what happens on the day after."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from roles import contracts
from roles.models import Appointment, AuditEvent, ContractorPerson, Membership, User
from roles.refusals import Refused
from roles.services import accesses, contractors
from roles.services import people as people_services

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
TODAY = NOW.date()
END = TODAY + timedelta(days=30)


def sign(made, **fields):
    given = {"name": "Сервис-76", "scope": "Сайт", "starts_on": TODAY, "ends_on": END, "responsible": made.content}
    return contractors.create_contractor(company=made.company, by=made.pm, at=NOW, **given | fields)


def let_in(made, firm, email="egor@service.example", at=NOW):
    return contractors.add_contractor_person(
        company=made.company,
        by=made.pm,
        at=at,
        today=at.date(),
        contractor=firm,
        email=email,
        name="Егор Панов",
        invite=False,
    )


def hats(person):
    return list(Appointment.objects.filter(person=person).values_list("role__kind", "starts_on", "ends_on"))


def end(made, day):
    return contractors.end_past_contracts(company=made.company, at=NOW + (day - TODAY), today=day)


def test_a_person_is_let_in_for_the_days_of_the_contract(acme):
    person = let_in(acme, sign(acme))

    assert hats(person) == [("contractor", TODAY, END)]
    assert [row.name for row in contracts.contracts_of(person=person, on=END)] == ["Сервис-76"]
    assert contracts.contracts_of(person=person, on=END + timedelta(days=1)) == []


def test_the_day_after_the_end_access_ends_by_itself_and_once(acme):
    firm = sign(acme)
    person = let_in(acme, firm)

    assert end(acme, END) == 0
    assert end(acme, END + timedelta(days=1)) == 1
    assert end(acme, END + timedelta(days=2)) == 0

    person.refresh_from_db()
    firm.refresh_from_db()
    assert (person.is_active, firm.ended_on) == (False, END + timedelta(days=1))
    assert not User.objects.get(pk=person.user_id).is_active
    assert AuditEvent.objects.filter(verb="end_contractor").count() == 1
    assert ContractorPerson.objects.filter(contractor=firm).exists()


def test_a_person_of_two_contracts_stays_until_the_later_one(acme):
    first, second = sign(acme), sign(acme, name="Кадр", ends_on=END + timedelta(days=10))
    person = let_in(acme, first)
    let_in(acme, second)
    assert hats(person)[-1] == ("contractor", TODAY, END + timedelta(days=10))

    end(acme, END + timedelta(days=1))
    person.refresh_from_db()
    assert person.is_active
    assert [row.name for row in contracts.contracts_of(person=person, on=END + timedelta(days=1))] == ["Кадр"]


def test_a_longer_contract_lets_its_people_in_again(acme):
    firm = sign(acme)
    person = let_in(acme, firm)
    day = END + timedelta(days=5)
    end(acme, day)

    contractors.update_contractor(
        company=acme.company, by=acme.pm, at=NOW, today=day, contractor=firm, ends_on=END + timedelta(days=60), reason="продлили"
    )  # fmt: skip

    person.refresh_from_db()
    assert person.is_active
    assert hats(person)[-1] == ("contractor", day, END + timedelta(days=60))


def test_nobody_of_the_company_becomes_a_contractors_person(acme):
    with pytest.raises(Refused) as refused:
        let_in(acme, sign(acme), email=acme.content.user.email)

    assert refused.value.errors[0].code == "own_person"
    assert not ContractorPerson.objects.exists()


def test_who_answers_for_it_is_ours_and_not_twice_the_same(acme):
    firm = sign(acme)
    person = let_in(acme, firm)

    for fields, code in (({"responsible": person}, "not_ours"), ({"deputy": acme.content}, "same_person")):
        with pytest.raises(Refused) as refused:
            contractors.update_contractor(
                company=acme.company, by=acme.pm, at=NOW, today=TODAY, contractor=firm, **fields
            )
        assert refused.value.errors[0].code == code


def test_a_person_let_go_loses_the_membership_and_may_come_back(acme):
    firm = sign(acme)
    person = let_in(acme, firm)
    contractors.remove_contractor_person(
        company=acme.company, by=acme.pm, at=NOW, today=TODAY, contractor=firm, person=person
    )
    person.refresh_from_db()
    assert not person.is_active

    assert let_in(acme, firm) == person
    assert Membership.objects.get(pk=person.pk).is_active


def test_a_contract_is_closed_when_its_accesses_are_back(acme):
    firm = sign(acme)
    person = let_in(acme, firm)
    access = accesses.create_access(
        company=acme.company, by=acme.pm, at=NOW, today=TODAY, system="Хостинг", identifier="1", owned_by="company",
        contractor=firm,
    )  # fmt: skip
    close = {"company": acme.company, "by": acme.pm, "at": NOW, "today": TODAY, "contractor": firm}
    with pytest.raises(contractors.StillHolds, match="Хостинг"):
        contractors.close_contractor(**close)

    accesses.update_access(company=acme.company, by=acme.pm, at=NOW, access=access, contractor=None)
    contractors.close_contractor(**close)

    person.refresh_from_db()
    assert not person.is_active
    with pytest.raises(contractors.ContractClosed):
        let_in(acme, firm)


def test_the_owner_of_the_company_is_never_swept_away(acme):
    """A contract may name anybody by a slip of hand; who wears another hat keeps the membership."""
    firm = sign(acme)
    ContractorPerson.objects.create(company=acme.company, contractor=firm, person=acme.owner)

    end(acme, END + timedelta(days=1))

    acme.owner.refresh_from_db()
    assert acme.owner.is_active


def test_screens_register_let_in_and_close(acme, sign_in):
    browser = sign_in(acme.pm)
    posted = {
        "name": "Кадр", "scope": "Ролики", "starts_on": "2026-01-01", "ends_on": "2036-01-01", "responsible": acme.content.pk,
        "channels": [acme.blog.pk],
    }  # fmt: skip
    url = browser.post(reverse("roles:contractor-create", args=["acme"]), posted).url
    firm = contracts.contractors(company=acme.company).get()
    browser.post(
        reverse("roles:contractor-person-create", args=["acme", firm.pk]), {"email": "lev@k.example", "name": "Лев"}
    )
    page = browser.get(url).content.decode()
    person = firm.people.get()

    assert "lev@k.example" in page
    assert str(person) == "Лев"
    gone = reverse("roles:contractor-person-remove", args=["acme", firm.pk])
    browser.post(gone, {"person": person.pk})
    assert not firm.people.exists()
    browser.post(reverse("roles:contractor-close", args=["acme", firm.pk]), {"reason": "готово"})
    assert contracts.get_contractor(company=acme.company, pk=firm.pk).closed_on is not None


def test_leaving_by_the_usual_door_still_works_for_a_contractors_person(acme):
    person = let_in(acme, sign(acme))

    people_services.remove_person(company=acme.company, by=acme.pm, at=NOW, today=TODAY, person=person, reason="ушёл")

    assert contracts.contracts_of(person=person, on=TODAY), "the contract remembers who worked by it"


def test_the_history_says_whose_login_was_let_in_and_ended(acme, sign_in):
    firm = sign(acme)
    let_in(acme, firm)
    end(acme, END + timedelta(days=1))

    history = sign_in(acme.content).get(reverse("roles:contractor-detail", args=["acme", firm.pk])).content.decode()

    assert "человек: Егор Панов" in history
    assert "люди: Егор Панов" in history


def test_who_may_not_register_a_contractor_is_told_who_may(acme, sign_in):
    path = reverse("roles:contractor-list", args=["acme"])
    new = reverse("roles:contractor-create", args=["acme"])

    for person, may in ((acme.cmo, False), (acme.pm, True), (acme.owner, True)):
        page = sign_in(person).get(path).content.decode()
        assert (new in page, "Договоры заводят и меняют собственник и менеджер проекта" in page) == (may, not may)
        assert sign_in(person).get(new).status_code == (200 if may else 403)
