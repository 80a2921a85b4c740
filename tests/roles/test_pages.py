"""Pages of people, hats, channels, journal and tokens: what they show, who may, and that nothing of the rival appears."""

from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from roles.models import Absence, ApiToken, Appointment, AuditEvent, Channel, Membership, RoleVersion, User

TODAY = timezone.now().date()


def url(name, *args, slug="acme"):
    return reverse(f"roles:{name}", args=[slug, *args])


def html(response) -> str:
    return response.content.decode()


READ_PAGES = ["role-list", "person-list", "permission-table", "audit-list"]


@pytest.mark.parametrize("name", READ_PAGES)
@pytest.mark.parametrize("person", ["owner", "cmo", "pm", "analyst", "performance"])
def test_everybody_but_the_contractor_reads(acme, sign_in, name, person):
    assert sign_in(getattr(acme, person)).get(url(name)).status_code == 200
    assert sign_in(acme.contractor).get(url(name)).status_code == 403


@pytest.mark.parametrize("name", [*READ_PAGES, "token-list", "person-create", "company-update"])
def test_strangers_see_nothing(acme, rival, sign_in, name):
    assert sign_in(rival.owner).get(url(name)).status_code == 404


@pytest.mark.parametrize("name", READ_PAGES)
def test_nothing_of_the_rival_appears(acme, rival, sign_in, name):
    page = html(sign_in(acme.owner).get(url(name)))

    assert "Acme" in page or name == "permission-table"
    assert "Rival" not in page


def test_map_shows_a_vacant_role_in_red_and_who_has_it_meanwhile(acme, sign_in):
    Appointment.objects.filter(person=acme.analyst).delete()
    Appointment.objects.filter(channel=acme.vk).update(interim=True)

    page = html(sign_in(acme.pm).get(url("role-list")))

    assert "Вакантно: 2" in page
    assert "пока ведёт Performance Acme" in page
    assert f"{url('appointment-create')}?role={acme.roles['analyst'].pk}" in page


def test_role_page_tells_mission_duties_rights_holders_and_versions(acme, sign_in):
    RoleVersion.objects.filter(role=acme.roles["content"]).update(
        mission_ru="Приводит людей текстами",
        duties=[{"key": "a", "cadence": "month", "ru": "Снять темы", "en": "Drop topics"}],
        kpis=["cpl"],
    )

    page = html(sign_in(acme.performance).get(url("role-detail", acme.roles["content"].pk)))

    for text in ("Приводит людей текстами", "Каждый месяц", "Снять темы", "Content Acme", "Версия 1", "видеть деньги"):
        assert text in page
    assert "Пересмотреть роль" not in page


def duty_rows(*rows):
    data = {"duties-TOTAL_FORMS": len(rows), "duties-INITIAL_FORMS": 0}
    for number, (key, cadence, ru) in enumerate(rows):
        data |= {f"duties-{number}-key": key, f"duties-{number}-cadence": cadence, f"duties-{number}-ru": ru}
    return data


def test_revising_a_role_makes_a_version_with_its_reason(acme, sign_in):
    role = acme.roles["content"]
    data = {
        "name_ru": "Редакция",
        "kpis": "cpl, CPA",
        "reason": "Новые цели",
        **duty_rows(("a", "week", "Писать"), ("", "day", "")),
    }

    response = sign_in(acme.pm).post(url("role-update", role.pk), data)

    assert response.status_code == 302
    old, new = RoleVersion.objects.filter(role=role).order_by("number")
    assert old.superseded_at is not None
    assert (new.name_ru, new.kpis, new.reason, new.number) == ("Редакция", ["cpl", "cpa"], "Новые цели", 2)
    assert new.duties == [{"key": "a", "cadence": "week", "ru": "Писать", "en": ""}]
    assert AuditEvent.objects.get().verb == "revise_role"


def test_revision_without_a_reason_is_sent_back_with_the_values_kept(acme, sign_in):
    role = acme.roles["content"]

    response = sign_in(acme.pm).post(url("role-update", role.pk), {"name_ru": "Редакция", **duty_rows()})

    assert response.status_code == 400
    assert 'value="Редакция"' in html(response)
    assert RoleVersion.objects.filter(role=role).count() == 1


def test_role_of_the_companys_own(acme, sign_in):
    data = {"name_ru": "Контроль цифр", "kind": "analyst", "reason": "нужна", **duty_rows(("", "week", "Сверить"))}

    response = sign_in(acme.owner).post(url("role-create"), data)

    version = RoleVersion.objects.select_related("role").get(name_ru="Контроль цифр")
    assert response.url == url("role-detail", version.role_id)
    assert (version.role.code, version.role.kind, version.duties[0]["key"]) == ("kontrol-tsifr", "analyst", "d1")


def test_rights_of_a_new_role_are_chosen_and_never_the_owners_by_default(acme, sign_in):
    browser = sign_in(acme.owner)
    assert browser.get(url("role-create")).context["form"]["kind"].subwidgets[0].data["value"] == ""

    response = browser.post(url("role-create"), {"name_ru": "Отзывы", "kind": "", "reason": "нужна", **duty_rows()})

    assert (response.status_code, list(response.context["form"].errors)) == (400, ["kind"])


@pytest.mark.parametrize(
    "name",
    ["person-create", "appointment-create", "channel-create", "campaign-create", "company-update", "role-create"],
)
@pytest.mark.parametrize("person", ["cmo", "analyst", "performance", "contractor"])
def test_only_owner_and_pm_manage(acme, sign_in, name, person):
    browser = sign_in(getattr(acme, person))

    assert browser.get(url(name)).status_code == 403
    assert browser.post(url(name), {}).status_code == 403
    assert sign_in(acme.pm).get(url(name)).status_code == 200
    assert sign_in(acme.owner).get(url(name)).status_code == 200


def test_inviting_sends_a_letter_that_sets_the_password(acme, sign_in, client, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        response = sign_in(acme.pm).post(url("person-create"), {"email": "New@Acme.example", "name": "Нина Новая"})

    person = Membership.objects.get(user__email="new@acme.example")
    assert response.url == url("person-detail", person.pk)
    assert not person.user.has_usable_password()
    letter = mail.outbox[-1]
    assert letter.to == ["new@acme.example"]
    assert letter.subject == "Acme приглашает вас в MOPS"

    link = next(word for word in letter.body.split() if "/password/reset/key/" in word)
    form = client.get(link.split("8000", 1)[1], follow=True)
    assert "Новый пароль" in html(form)
    done = client.post(form.redirect_chain[-1][0], {"password1": "brand-new-1987", "password2": "brand-new-1987"})
    assert done.status_code == 302
    assert (
        client.post("/accounts/login/", {"login": "new@acme.example", "password": "brand-new-1987"}).status_code == 302
    )


def test_inviting_twice_is_refused(acme, sign_in):
    response = sign_in(acme.pm).post(url("person-create"), {"email": "cmo@acme.example", "name": "x"})

    assert response.status_code == 409
    assert "уже в компании" in html(response)


def test_person_of_another_company_keeps_the_password(acme, rival, sign_in, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        sign_in(acme.pm).post(url("person-create"), {"email": "cmo@rival.example", "name": "Чужое имя"})

    user = User.objects.get(email="cmo@rival.example")
    assert user.has_usable_password()
    assert user.name == "Cmo Rival"
    assert "/accounts/login/" in mail.outbox[-1].body


def test_login_that_never_confirmed_its_address_proves_it_before_it_joins(acme, sign_in):
    from allauth.account.models import EmailAddress

    squatter = User.objects.create_user("victim@acme.example", "squatter-1987")
    EmailAddress.objects.create(user=squatter, email=squatter.email, verified=False, primary=True)

    sign_in(acme.pm).post(url("person-create"), {"email": "victim@acme.example", "name": "Жертва"})

    squatter.refresh_from_db()
    assert not squatter.has_usable_password()


def test_absence_of_ones_own_and_of_others(acme, sign_in):
    days = {"starts_on": TODAY, "ends_on": TODAY + timedelta(days=3)}

    assert sign_in(acme.content).post(url("absence-create"), {"person": acme.content.pk, **days}).status_code == 302
    assert sign_in(acme.content).post(url("absence-create"), {"person": acme.cmo.pk, **days}).status_code == 400
    assert sign_in(acme.pm).post(url("absence-create"), {"person": acme.cmo.pk, **days}).status_code == 302
    assert sign_in(acme.pm).post(url("absence-create"), {"person": acme.cmo.pk, **days}).status_code == 409
    assert {absence.person for absence in Absence.objects.all()} == {acme.content, acme.cmo}

    absence = Absence.objects.get(person=acme.cmo)
    assert sign_in(acme.content).post(url("absence-remove", absence.pk)).status_code == 403
    assert sign_in(acme.cmo).post(url("absence-remove", absence.pk)).status_code == 302
    assert list(Absence.objects.filter(person=acme.cmo)) == []


def channel_data(acme, **fields):
    return {
        "name": "Авито", "kind": "paid", "status": "active", "owner": acme.content.pk, "result_kpi": "cpa",
        "monthly_budget": "410 000,50", "tolerance": "15", **fields,
    }  # fmt: skip


def test_channel_is_added_with_owner_coordinator_and_hat(acme, sign_in):
    response = sign_in(acme.pm).post(url("channel-create"), channel_data(acme))

    channel = Channel.objects.get(code="avito")
    assert response.url == url("channel-update", "avito")
    assert (channel.owner, channel.coordinator) == (acme.content, acme.pm)
    assert (str(channel.monthly_budget), str(channel.tolerance)) == ("410000.5", "0.15")
    assert Appointment.objects.get(channel=channel).role == acme.roles["performance"]


def test_channel_in_work_needs_an_owner(acme, sign_in):
    response = sign_in(acme.pm).post(url("channel-create"), channel_data(acme, owner=""))

    assert response.status_code == 400
    assert "нужен владелец" in html(response)
    assert not Channel.objects.filter(code="avito").exists()

    response = sign_in(acme.pm).post(url("channel-update", "vk"), channel_data(acme, owner="", name="VK"))
    assert response.status_code == 400
    acme.vk.refresh_from_db()
    assert (acme.vk.owner, acme.vk.name) == (acme.performance, "VK Реклама")


def test_changing_a_channel_is_in_the_journal_with_both_values(acme, sign_in):
    data = channel_data(acme, name="VK Реклама", owner=acme.performance.pk, status="paused", coordinator=acme.pm.pk)

    sign_in(acme.pm).post(url("channel-update", "vk"), {**data, "reason": "сезон"})

    event = AuditEvent.objects.get(verb="update_channel")
    assert (event.before["status"], event.after["status"], event.reason) == ("active", "paused", "сезон")
    page = html(sign_in(acme.cmo).get(url("audit-list")))
    assert "Канал изменён" in page
    assert "<del>работает</del> → на паузе" in page
    assert "410000.5" not in html(sign_in(acme.performance).get(url("audit-list")))


def test_new_owner_of_a_channel_is_an_appointment(acme, sign_in):
    sign_in(acme.pm).post(url("channel-update", "vk"), channel_data(acme, name="VK", owner=acme.content.pk))

    acme.vk.refresh_from_db()
    assert acme.vk.owner == acme.content
    assert Appointment.objects.get(channel=acme.vk, ends_on=None).person == acme.content


@pytest.mark.parametrize(("person", "status"), [("cmo", 302), ("pm", 403), ("owner", 403), ("performance", 403)])
def test_priority_is_the_directors_and_needs_a_reason(acme, sign_in, person, status):
    browser = sign_in(getattr(acme, person))

    assert (
        browser.post(url("channel-priority", "vk"), {"priority": "grow", "priority_reason": "дешёво"}).status_code
        == status
    )
    if status == 302:
        assert browser.post(url("channel-priority", "vk"), {"priority": "later"}).status_code == 400
        acme.vk.refresh_from_db()
        assert (acme.vk.priority, acme.vk.priority_reason) == ("grow", "дешёво")


def test_campaign_is_added_once_and_changed(acme, sign_in):
    browser = sign_in(acme.pm)
    data = {"channel": acme.vk.pk, "name": "Клипы", "external_id": "vk-1", "status": "active", "budget": "100"}

    assert browser.post(url("campaign-create"), data).status_code == 302
    assert browser.post(url("campaign-create"), data).status_code == 409
    campaign = acme.vk.campaigns.get()
    assert (
        browser.post(url("campaign-update", campaign.pk), {**data, "status": "stopped", "stop_loss": "-1"}).status_code
        == 400
    )
    assert browser.post(url("campaign-update", campaign.pk), {**data, "status": "stopped"}).status_code == 302
    campaign.refresh_from_db()
    assert campaign.status == "stopped"


def test_company_refuses_an_unknown_time_zone(acme, sign_in):
    data = {"name": "Acme", "timezone": "Mars/Olympus", "language": "ru", "currency": "RUB", "evaluate_at": "06:00"}

    assert sign_in(acme.owner).post(url("company-update"), data).status_code == 400
    assert sign_in(acme.owner).post(url("company-update"), {**data, "timezone": "Asia/Omsk"}).status_code == 302
    acme.company.refresh_from_db()
    assert acme.company.timezone == "Asia/Omsk"


def test_token_is_shown_once_and_works_until_revoked(acme, sign_in, client):
    browser = sign_in(acme.content)
    response = browser.post(url("token-create"), {"name": "CRM", "scopes": ["read"], "days": "30"})

    secret = html(response).split('value="mops_')[1].split('"')[0]
    assert response.status_code == 201
    assert "no-store" in response["Cache-Control"]
    headers = {"Authorization": f"Bearer mops_{secret}"}
    assert client.get("/api/v1/c/acme/people/", headers=headers).status_code == 200
    assert secret not in html(browser.get(url("token-list")))

    token = ApiToken.objects.get()
    assert sign_in(acme.performance).post(url("token-revoke", token.pk)).status_code == 404
    assert sign_in(acme.pm).post(url("token-revoke", token.pk)).status_code == 302
    assert client.get("/api/v1/c/acme/people/", headers=headers).status_code == 401


def test_the_hat_of_an_appointment_is_chosen_unless_its_page_was_left_for_it(acme, sign_in):
    browser, path = sign_in(acme.owner), "/c/acme/roles/appointments/new/"
    role = acme.roles["performance"].pk

    plain = browser.get(path).context["form"]
    named = browser.get(f"{path}?role={role}").context["form"]

    assert plain.fields["role"].choices[0] == ("", "—")
    assert plain["role"].value() in (None, "")
    assert str(named["role"].value()) == str(role)


def test_a_new_role_is_asked_why_it_is_needed(acme, sign_in):
    browser = sign_in(acme.owner)

    assert "Зачем нужна роль" in html(browser.get(url("role-create")))
    assert "Причина изменения" not in html(browser.get(url("role-create")))
    assert "Причина изменения" in html(browser.get(url("role-update", acme.roles["content"].pk)))


def test_token_without_a_scope_is_refused(acme, sign_in):
    assert sign_in(acme.content).post(url("token-create"), {"name": "CRM", "days": "30"}).status_code == 400
    assert ApiToken.objects.count() == 0


def test_journal_is_filtered_by_person_kind_and_day(acme, sign_in):
    now = timezone.now()
    for verb, by in (("update_channel", acme.pm), ("appoint", acme.owner), ("strange_new_verb", None)):
        AuditEvent.objects.create(
            company=acme.company,
            at=now,
            by=by,
            verb=verb,
            object_type="roles.channel",
            object_id="1",
            after={"name": verb},
        )
    browser = sign_in(acme.cmo)

    page = html(browser.get(url("audit-list"), {"person": acme.pm.pk}))
    assert ("Канал изменён" in page, "strange_new_verb" in page) == (True, False)
    assert "Strange new verb" in html(browser.get(url("audit-list"), {"about": "roles.channel"}))
    yesterday = acme.company.local_date(now) - timedelta(days=1)
    assert "Событий нет" in html(browser.get(url("audit-list"), {"until": yesterday}))


def test_journal_pages_by_fifty(acme, sign_in):
    AuditEvent.objects.bulk_create(
        AuditEvent(
            company=acme.company,
            at=timezone.now(),
            verb="appoint",
            object_type="x",
            object_id="1",
            after={"name": f"n{i}"},
        )
        for i in range(60)
    )
    browser = sign_in(acme.cmo)

    first = html(browser.get(url("audit-list")))
    assert ("n59<" in first, "n9<" in first) == (True, False)
    older = first.split('class="btn" href="?')[1].split('"')[0].replace("&amp;", "&")
    second = html(browser.get(f"{url('audit-list')}?{older}"))
    assert ("n59<" in second, "n9<" in second) == (False, True)


def grow(acme, first: int, last: int):
    for number in range(first, last):
        user = User.objects.create_user(f"p{number}@acme.example", name=f"Имя Фамилия{number}")
        person = Membership.objects.create(company=acme.company, user=user, joined_on=TODAY)
        channel = Channel.objects.create(
            company=acme.company, code=f"c{number}", name=f"C{number}", kind="paid", status="active", owner=person
        )
        Appointment.objects.create(
            company=acme.company, role=acme.roles["performance"], person=person, channel=channel, starts_on=TODAY,
            deputy=acme.cmo,
        )  # fmt: skip
        AuditEvent.objects.create(
            company=acme.company,
            at=timezone.now(),
            by=person,
            verb="appoint",
            object_type="roles.channel",
            object_id="1",
        )
        ApiToken.objects.create(
            company=acme.company, person=person, name="t", digest=f"d{number}", hint="mops_", scopes=["read"],
            created_at=timezone.now(), expires_at=timezone.now() + timedelta(days=1),
        )  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "role-list",
        "person-list",
        "audit-list",
        "token-list",
        "role-detail",
        "appointment-create",
        "channel-create",
        "person-detail",
    ],
)
def test_pages_ask_as_often_for_three_rows_as_for_thirty(acme, sign_in, name, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    browser = sign_in(acme.pm)
    pk = acme.roles["performance"].pk if name == "role-detail" else acme.performance.pk if "person-" in name else None
    pk = None if name == "person-list" else pk
    address = url(name, *([pk] if pk else []))
    grow(acme, 0, 3)
    with CaptureQueriesContext(connection) as few:
        assert browser.get(address).status_code == 200
    grow(acme, 3, 30)

    with django_assert_num_queries(len(few)):
        browser.get(address)


def test_first_page_is_that_of_the_company_one_worked_in_last(acme, rival, rf):
    """A fractional director: one login, two companies. Who has one company needs nothing kept."""
    from mops import navigation
    from roles import selectors

    both = Membership.objects.create(company=rival.company, user=acme.cmo.user, joined_on=TODAY)
    kept = {}

    for person, session in ((both, kept), (acme.cmo, kept), (acme.pm, {})):
        request = rf.get(f"/c/{person.company.slug}/roles/")
        request.user, request.person, request.company, request.session = person.user, person, person.company, session
        request.memberships = selectors.companies_of(user=person.user)
        shown = navigation.context(request)
        assert len(shown["companies"]) == (1 if person == acme.pm else 2)
        assert session.get("company") == (None if person == acme.pm else person.company.slug)
