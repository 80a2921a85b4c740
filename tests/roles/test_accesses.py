"""The registry of accesses and documents: secrets are refused, flags stand where they should, each sees their own."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse

from roles import registry, secrets
from roles.flags import Flag, access_flags
from roles.models import Access, AuditEvent, Contractor, DocumentLink
from roles.places import Place, is_personal_address, place_of
from roles.refusals import Refused
from roles.services import accesses, documents

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
TODAY = NOW.date()
PASSWORDS = (
    "Qwerty123!", "p@ssw0rd2024", "x7Kp9qLm2", "пароль: Qwerty1", "password = hunter2x", "ghp_abcdefghij1234567890AB",
    "-----BEGIN OPENSSH PRIVATE KEY-----", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc", "https://user:pa55word@host.ru/",
    "0123456789abcdef0123456789abcdef",
)  # fmt: skip
PLACES = (
    "1Password, сейф «Маркетинг»", "пароль: в сейфе у Орловой", "Bitwarden, коллекция Marketing 2026", "pm@veresk.example",
    "https://vault.veresk.example/item/12", "Сейф в бухгалтерии, конверт 14", "KeePass, файл //share/Marketing.kdbx", "",
)  # fmt: skip


def add(made, **fields):
    given = {"system": "VK Реклама", "identifier": "кабинет 1", "owned_by": "company", "two_factor": True} | fields
    given.setdefault("administrators", [made.performance, made.pm])
    return accesses.create_access(company=made.company, by=made.pm, at=NOW, today=TODAY, **given)


def flags(access, on=TODAY):
    return set(access_flags(access, access.administrators.all(), on))


@pytest.mark.parametrize("text", PASSWORDS)
def test_a_password_a_token_and_a_key_are_seen(text):
    assert secrets.looks_like_secret(text)


@pytest.mark.parametrize("text", PLACES)
def test_the_name_of_a_place_is_no_secret(text):
    assert not secrets.looks_like_secret(text)


@pytest.mark.parametrize("name", ["secret_place", "note", "paid_by"])
def test_a_password_is_refused_and_not_repeated(acme, name):
    with pytest.raises(Refused) as refused:
        add(acme, **{name: "Qwerty123!"})

    assert [(error.field, error.code) for error in refused.value.errors] == [(name, "secret")]
    assert "Qwerty" not in refused.value.message
    assert not Access.objects.exists()
    assert not AuditEvent.objects.filter(verb="create_access").exists()


def test_an_access_in_order_has_no_flag(acme):
    assert flags(add(acme)) == set()


@pytest.mark.parametrize(
    ("fields", "flag"),
    [
        ({"owned_by": "person", "owner_name": "И. Громов"}, Flag.OWNED_BY_PERSON),
        ({"recovery": "belova@Mail.ru"}, Flag.PERSONAL_RECOVERY),
        ({"two_factor": False}, Flag.NO_TWO_FACTOR),
        ({"two_factor": None}, Flag.NO_TWO_FACTOR),
        ({"checked_on": TODAY - timedelta(days=92)}, Flag.UNCHECKED),
        ({"administrators": []}, Flag.SINGLE_ADMINISTRATOR),
    ],
)
def test_each_fault_has_its_flag_alone(acme, fields, flag):
    assert flags(add(acme, **fields)) == {flag}


def test_an_administrator_who_has_left_does_not_count(acme):
    access = add(acme)
    acme.pm.is_active = False
    acme.pm.save()

    assert flags(access) == {Flag.SINGLE_ADMINISTRATOR}


def test_what_was_never_checked_waits_a_quarter_from_its_registration(acme):
    access = add(acme)

    assert flags(access, TODAY + timedelta(days=91)) == set()
    assert flags(access, TODAY + timedelta(days=92)) == {Flag.UNCHECKED}


@pytest.mark.parametrize(("until", "past"), [(None, TODAY + timedelta(days=6)), (TODAY, TODAY + timedelta(days=1))])
def test_a_contractor_stays_no_longer_than_the_contract_or_the_day_named(acme, until, past):
    firm = Contractor.objects.create(
        company=acme.company, name="Ф", scope="с", starts_on=TODAY, ends_on=TODAY + timedelta(days=5), responsible=acme.pm,
        changed_at=NOW,
    )  # fmt: skip
    access = add(acme, contractor=firm, contractor_until=until)

    assert flags(access, past - timedelta(days=1)) == set()
    assert flags(access, past) == {Flag.CONTRACTOR_PAST_END}


def test_checked_today_is_one_act_with_who_and_when(acme, sign_in):
    access = add(acme, channels=[acme.vk], checked_on=date(2026, 1, 1))

    answer = sign_in(acme.performance).post(reverse("roles:access-check", args=["acme", access.pk]))

    access.refresh_from_db()
    event = AuditEvent.objects.get(verb="check_access")
    assert answer.status_code == 302
    assert (access.checked_by, event.by) == (acme.performance, acme.performance)
    assert access.checked_on > date(2026, 11, 1)
    assert event.before["checked_on"] == "2026-01-01"


def test_an_owner_of_a_channel_sees_and_checks_the_own_ones_alone(acme, sign_in):
    mine, other = add(acme, channels=[acme.vk]), add(acme, identifier="кабинет 2", channels=[acme.blog])
    browser = sign_in(acme.performance)

    page = browser.get(reverse("roles:access-list", args=["acme"])).content.decode()

    assert ("кабинет 1" in page, "кабинет 2" in page) == (True, False)
    assert browser.get(reverse("roles:access-detail", args=["acme", mine.pk])).status_code == 200
    assert browser.get(reverse("roles:access-detail", args=["acme", other.pk])).status_code == 403
    assert browser.post(reverse("roles:access-check", args=["acme", other.pk])).status_code == 403
    assert browser.post(reverse("roles:access-update", args=["acme", mine.pk])).status_code == 403
    lines = registry.registry(company=acme.company, person=acme.pm, today=TODAY).lines
    assert {line.access for line in lines} == {mine, other}


def test_a_closed_access_is_history(acme):
    access = add(acme, two_factor=False)
    accesses.close_access(company=acme.company, by=acme.pm, at=NOW, today=TODAY, access=access, reason="нет кабинета")
    access.refresh_from_db()

    assert flags(access) == set()
    with pytest.raises(accesses.AccessClosed):
        accesses.check_access(company=acme.company, by=acme.pm, at=NOW, today=TODAY, access=access)
    page = registry.registry(company=acme.company, person=acme.pm, today=TODAY)
    assert (page.total, page.closed) == (0, 1)


def test_the_same_login_twice_is_refused_and_a_change_that_changes_nothing_writes_nothing(acme):
    access = add(acme)
    with pytest.raises(accesses.AccessExists):
        add(acme)

    accesses.update_access(company=acme.company, by=acme.pm, at=NOW, access=access, system="VK Реклама", channels=[])
    assert not AuditEvent.objects.filter(verb="update_access").exists()
    accesses.update_access(
        company=acme.company, by=acme.pm, at=NOW, access=access, administrators=[acme.pm], reason="уход"
    )
    event = AuditEvent.objects.get(verb="update_access")
    assert (event.after["administrators"], event.reason) == (str(acme.pm), "уход")


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://t.me/+abc", Place.PERSONAL),
        ("https://onedrive.live.com/x", Place.PERSONAL),
        ("https://mail.google.com/mail/u/0/", Place.PERSONAL),
        ("https://docs.google.com/document/d/1", Place.MAY_BE_PERSONAL),
        ("https://disk.yandex.ru/d/1", Place.MAY_BE_PERSONAL),
        ("https://wiki.veresk.example/utm", Place.OURS),
        ("https://nott.me/", Place.OURS),
    ],
)
def test_whose_place_an_address_names(url, place):
    assert place_of(url) is place


def test_a_phone_does_not_say_whose_it_is():
    assert not is_personal_address("+7 910 123-45-67")
    assert is_personal_address("Anna <belova@gmail.com>")


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "ftp://host/x",
        "C:/Users/anna/price.xlsx",
        "https://user:secret1@host.ru/",
        "просто текст",
        "//host/x",
    ],
)
def test_only_an_address_of_the_web_is_a_place(acme, url):
    with pytest.raises(Refused) as refused:
        documents.create_document(
            company=acme.company, by=acme.pm, at=NOW, today=TODAY, title="Прайс", url=url, owner=acme.pm
        )

    assert refused.value.errors[0].field == "url"
    assert not DocumentLink.objects.exists()


def test_a_drive_that_somebody_vouches_for_is_ours_and_a_messenger_never(acme):
    common = {
        "company": acme.company,
        "by": acme.pm,
        "at": NOW,
        "today": TODAY,
        "owner": acme.pm,
        "place_is_ours": True,
    }
    documents.create_document(**common, title="Прайс", url="https://docs.google.com/1")
    documents.create_document(**common, title="Фото", url="https://t.me/+abc")

    lines = registry.document_lines(company=acme.company, person=acme.pm)

    assert [(line.document.title, bool(line.flags)) for line in lines] == [("Фото", True), ("Прайс", False)]


def test_an_owner_of_a_channel_keeps_documents_of_the_own_one_alone(acme):
    common = {
        "company": acme.company,
        "by": acme.performance,
        "at": NOW,
        "today": TODAY,
        "owner": acme.pm,
        "title": "Т",
    }
    mine = documents.create_document(**common, url="https://host.ru/1", channel=acme.vk)

    for channel in (None, acme.blog):
        with pytest.raises(documents.NotYours):
            documents.create_document(**common, url="https://host.ru/2", channel=channel)
    with pytest.raises(documents.NotYours):
        documents.update_document(company=acme.company, by=acme.performance, at=NOW, document=mine, channel=acme.blog)


def test_the_form_shows_the_refused_password_at_its_field(acme, sign_in):
    browser = sign_in(acme.pm)
    posted = {"system": "VK", "identifier": "1", "owned_by": "company", "secret_place": "Qwerty123!"}

    answer = browser.post(reverse("roles:access-create", args=["acme"]), posted)

    assert answer.status_code == 400
    assert "Это похоже на пароль" in answer.content.decode()
    posted["secret_place"] = "1Password, сейф «Реклама»"
    assert browser.post(reverse("roles:access-create", args=["acme"]), posted).status_code == 302
    assert Access.objects.get().secret_place == "1Password, сейф «Реклама»"


def test_the_api_keeps_the_registry_without_secrets(acme, sign_in):
    browser = sign_in(acme.pm)
    body = {"system": "VK", "identifier": "1", "administrators": [acme.pm.pk], "channels": ["vk"], "two_factor": None}

    refused = browser.post(
        "/api/v1/c/acme/accesses/", body | {"secret_place": "Qwerty123!"}, content_type="application/json"
    )
    made = browser.post("/api/v1/c/acme/accesses/", body, content_type="application/json")

    assert refused.status_code == 400
    assert refused.json()["errors"][0] | {"message": ""} == {"field": "secret_place", "code": "secret", "message": ""}
    assert made.status_code == 201
    assert set(made.json()["flags"]) == {"single_administrator", "no_two_factor"}
    url = f"/api/v1/c/acme/accesses/{made.json()['id']}/"
    changed = browser.patch(
        url, {"two_factor": True}, content_type="application/json", headers={"If-Match": made["ETag"]}
    )
    assert changed.json()["flags"] == ["single_administrator"]
    stale = browser.patch(url, {"note": "x"}, content_type="application/json", headers={"If-Match": made["ETag"]})
    assert stale.status_code == 412
    theirs = sign_in(acme.performance)
    assert theirs.post(f"{url}check/").json()["checked_by"] == acme.performance.pk
    assert sign_in(acme.content).get("/api/v1/c/acme/accesses/").json()["results"] == []
    assert sign_in(acme.content).get(url).status_code == 403


def test_the_api_keeps_the_list_of_documents(acme, rival, sign_in):
    url = "/api/v1/c/acme/documents/"
    manager, keeper, reader = sign_in(acme.pm), sign_in(acme.performance), sign_in(acme.analyst)
    body = {"title": "Прайс", "url": "https://example.org/price", "channel": "vk", "role": "performance"}

    def post(browser, **fields):
        return browser.post(url, body | fields, content_type="application/json")

    assert post(reader).status_code == 403
    assert post(keeper, channel="blog").status_code == 403, "the document of another channel"
    assert post(keeper, channel="none").json()["errors"][0]["field"] == "channel"
    assert post(manager, owner=rival.pm.pk).json()["errors"][0]["field"] == "owner"
    assert post(manager, url="javascript:alert(1)").json()["errors"][0]["code"] == "scheme"
    made = post(keeper)
    assert made.status_code == 201
    assert {name: made.json()[name] for name in ("owner", "channel", "role", "flags")} == {
        "owner": acme.performance.pk, "channel": "vk", "role": "performance", "flags": [],
    }  # fmt: skip
    assert post(manager).status_code == 409
    one = f"{url}{made.json()['id']}/"
    assert reader.get(f"{url}?channel=vk").json()["results"] == [reader.get(one).json()]
    assert reader.get(f"{url}?channel=blog").json()["results"] == []

    def patch(browser, **fields):
        return browser.patch(one, fields, content_type="application/json", headers={"If-Match": made["ETag"]})

    assert patch(keeper, channel=None).status_code == 403, "it would become the company's"
    assert patch(manager, channel=None, owner=acme.content.pk).json()["channel"] is None
    assert patch(manager, title="x").status_code == 412
    assert keeper.delete(one).status_code == 403
    assert manager.delete(one).status_code == 204
    assert reader.get(one).status_code == 404


def test_a_document_of_another_company_is_not_there(acme, rival, sign_in):
    theirs = documents.create_document(
        company=rival.company, by=rival.pm, at=NOW, today=TODAY, title="t", url="https://example.org/t", owner=rival.pm
    )
    browser, url = sign_in(acme.pm), f"/api/v1/c/acme/documents/{theirs.pk}/"

    assert browser.get(url).status_code == 404
    assert browser.patch(url, {"title": "x"}, content_type="application/json").status_code == 404
    assert browser.delete(url).status_code == 404
    assert DocumentLink.objects.filter(pk=theirs.pk).exists()
