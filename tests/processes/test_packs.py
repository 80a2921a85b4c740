"""What a pack hands over: accesses, documents, contractors; who sees what of them, and when it is to be read again."""

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from processes.models import PackReading
from processes.packs import pack
from roles import selectors
from roles.models import Appointment, Membership
from roles.services import accesses, contractors, documents

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
TODAY = AT.date()
VAULT = "1Password, сейф «Маркетинг»"


@pytest.fixture
def furnished(acme):
    """VK has an account, a price list and a firm; the blog an account; the whole company a hosting."""
    common = {"company": acme.company, "by": acme.pm, "at": AT}
    acme.cabinet = accesses.create_access(
        **common, today=TODAY, system="VK Реклама", identifier="кабинет 1", owned_by="company", two_factor=True,
        secret_place=VAULT, channels=[acme.vk], administrators=[acme.performance, acme.pm],
    )  # fmt: skip
    acme.panel = accesses.create_access(
        **common, today=TODAY, system="Панель блога", identifier="editor", owned_by="company", channels=[acme.blog]
    )
    accesses.create_access(**common, today=TODAY, system="Хостинг", identifier="acme-1", owned_by="company")
    documents.create_document(
        **common, today=TODAY, title="Прайс", url="https://d.example/1", owner=acme.pm, channel=acme.vk
    )
    acme.firm = contractors.create_contractor(
        **common, name="Сервис-76", scope="Баннеры", starts_on=TODAY, ends_on=TODAY + timedelta(days=30),
        responsible=acme.pm, contact_name="Егор", contact="egor@service.example", channels=[acme.vk],
    )  # fmt: skip
    Appointment.objects.filter(person=acme.performance).update(deputy=acme.analyst)
    return acme


def role(made, code="performance"):
    return selectors.get_role(company=made.company, pk=made.roles[code].pk)


def seen(made, reader, code="performance"):
    """The pack as a new request of the reader sees it."""
    reader = Membership.objects.get(pk=reader.pk)
    return pack.pack_of(company=made.company, role=role(made, code), reader=reader, on=TODAY).handed


def systems(handed):
    return {one.access.system: one.place for one in handed.accesses}


def asked(made, reader, code="performance") -> bool:
    rows = pack.readers(company=made.company, on=TODAY)[made.roles[code].pk]
    return next(one for one in rows if one.person == reader).read_at is None


def read(made, reader, code="performance"):
    return pack.read_pack(company=made.company, by=reader, at=AT, role=role(made, code))


def test_a_channels_owner_gets_the_channels_accesses_documents_and_contractors(furnished):
    handed = seen(furnished, furnished.performance)

    assert systems(handed) == {"VK Реклама": VAULT}
    assert handed.accesses[0].administrators == [furnished.performance, furnished.pm]
    assert [row.title for row in handed.documents] == ["Прайс"]
    assert [row.contact for row in handed.contractors] == ["egor@service.example"]


def test_a_deputy_learns_what_to_ask_for_and_not_where_the_secret_lies(furnished):
    assert systems(seen(furnished, furnished.analyst)) == {"VK Реклама": None}


def test_somebody_elses_accesses_are_not_told(furnished):
    handed = seen(furnished, furnished.content)

    assert (handed.accesses, handed.hidden) == ([], True)
    assert systems(seen(furnished, furnished.pm)) == {"VK Реклама": VAULT}


def test_whoever_keeps_accesses_gets_all_and_an_analyst_none(furnished):
    assert set(systems(seen(furnished, furnished.pm, "pm"))) == {"VK Реклама", "Панель блога", "Хостинг"}
    assert not seen(furnished, furnished.analyst, "analyst").keeps
    assert not seen(furnished, furnished.owner, "analyst").accesses


def test_an_administrator_who_left_a_closed_access_and_another_company_are_not_told(furnished, rival):
    Membership.objects.filter(pk=furnished.pm.pk).update(is_active=False)
    accesses.create_access(
        company=rival.company, by=rival.pm, at=AT, today=TODAY, system="Чужое", identifier="1", owned_by="company"
    )
    assert seen(furnished, furnished.performance).accesses[0].administrators == [furnished.performance]
    accesses.close_access(
        company=furnished.company, by=furnished.owner, at=AT, today=TODAY, access=furnished.panel, reason="не нужен"
    )

    assert set(systems(seen(furnished, furnished.owner, "owner"))) == {"VK Реклама", "Хостинг"}


def update(made, access, **fields):
    accesses.update_access(company=made.company, by=made.pm, at=AT, access=access, **fields)


@pytest.mark.parametrize("fields", [{"identifier": "кабинет 2"}, {"two_factor": False}, {"system": "VK Ads"}])
def test_a_changed_access_is_read_again_by_everybody_who_was_shown_it(furnished, fields):
    people = (furnished.performance, furnished.analyst)
    for person in people:
        read(furnished, person)
    assert not any(asked(furnished, person) for person in people)

    update(furnished, furnished.cabinet, **fields)

    assert all(asked(furnished, person) for person in people)


def test_other_administrators_documents_and_contacts_are_read_again(furnished):
    changes = (
        lambda: update(furnished, furnished.cabinet, administrators=[furnished.pm]),
        lambda: documents.create_document(
            company=furnished.company, by=furnished.pm, at=AT, today=TODAY, title="Карта", url="https://d.example/2",
            owner=furnished.pm, role=furnished.roles["performance"],
        ),
        lambda: contractors.update_contractor(
            company=furnished.company, by=furnished.pm, at=AT, today=TODAY, contractor=furnished.firm, contact="+7 900"
        ),
    )  # fmt: skip
    for change in changes:
        read(furnished, furnished.performance)
        change()
        assert asked(furnished, furnished.performance)


def test_a_moved_secret_is_read_again_only_by_whoever_may_know_its_place(furnished):
    read(furnished, furnished.performance)
    read(furnished, furnished.analyst)

    update(furnished, furnished.cabinet, secret_place="Сейф в бухгалтерии")

    assert asked(furnished, furnished.performance)
    assert not asked(furnished, furnished.analyst)


def test_what_a_pack_does_not_show_asks_nobody(furnished):
    read(furnished, furnished.performance)

    update(furnished, furnished.cabinet, recovery="box@acme.example", paid_by="бухгалтерия", note="карта 2")
    update(furnished, furnished.panel, identifier="editor-2")
    accesses.check_access(company=furnished.company, by=furnished.pm, at=AT, today=TODAY, access=furnished.cabinet)

    assert not asked(furnished, furnished.performance)


def test_a_hat_that_takes_nothing_over_keeps_the_hash_it_was_read_with(furnished):
    """The text of a pack before accesses came into it: whoever had read it is not asked anew."""
    now = role(furnished, "analyst")
    text = [now.name_ru, now.name_en, now.mission_ru, now.mission_en, now.duties, now.kpis, []]
    content = hashlib.sha256(json.dumps(text, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
    PackReading.objects.create(
        company=furnished.company, role=furnished.roles["analyst"], person=furnished.analyst, content=content, at=AT
    )

    assert not asked(furnished, furnished.analyst, "analyst")


def test_on_screen_and_in_the_file_by_who_reads(furnished, sign_in):
    here = f"/c/acme/processes/packs/{furnished.roles['performance'].pk}/"
    for address in (here, here + "file/"):
        own = sign_in(furnished.performance).get(address).content.decode()
        deputys = sign_in(furnished.analyst).get(address).content.decode()
        strangers = sign_in(furnished.content).get(address).content.decode()
        assert "кабинет 1" in own
        assert VAULT in own
        assert "egor@service.example" in own
        assert "Прайс" in own
        assert "кабинет 1" in deputys
        assert VAULT not in deputys
        assert "кабинет 1" not in strangers
        assert VAULT not in strangers


def test_queries_do_not_grow_with_the_registry(furnished):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            pack.readers(company=furnished.company, on=TODAY)
            seen(furnished, furnished.performance)
        return len(queries)

    few = cost()
    for number in range(10):
        accesses.create_access(
            company=furnished.company, by=furnished.pm, at=timezone.now(), today=TODAY, system="S", identifier=str(number),
            owned_by="company", channels=[furnished.vk], administrators=[furnished.pm],
        )  # fmt: skip

    assert cost() == few
