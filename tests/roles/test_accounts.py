"""The door: sign-in, sign-up, passwords and the second step, in Russian, without JavaScript, without telling who is known."""

import re
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.urls import reverse

from roles.models import Company, Membership, User

PASSWORD = "correct-horse-9"


def html(response) -> str:
    return response.content.decode()


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("account_login", "Войти"),
        ("account_signup", "Зарегистрироваться"),
        ("account_reset_password", "Восстановить пароль"),
        ("account_reset_password_done", "Проверьте почту"),
        ("account_reset_password_from_key_done", "Пароль задан"),
        ("account_inactive", "Вход закрыт"),
    ],
)
def test_pages_before_sign_in_are_russian_and_in_the_products_look(db, client, name, heading):
    response = client.get(reverse(name))
    page = html(response)

    assert response.status_code == 200
    assert f"<h1>{heading}</h1>" in page
    assert "css/mops.css" in page
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=", page)
    assert 'href="http' not in page


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("account_logout", "Выйти?"),
        ("account_change_password", "Сменить пароль"),
        ("account_email", "Адреса почты"),
        ("account_reauthenticate", "Подтвердите, что это вы"),
        ("mfa_index", "Вход и безопасность"),
    ],
)
def test_pages_of_ones_own_login_are_russian(acme, client, name, heading):
    client.post(reverse("account_login"), {"login": "cmo@acme.example", "password": PASSWORD})

    page = html(client.get(reverse(name)))

    assert f"<h1>{heading}</h1>" in page
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=", page)


def test_pages_speak_english_when_asked(db, client):
    client.post(reverse("preferences"), {"language": "en", "next": "/accounts/login/"})

    assert "<h1>Sign in</h1>" in html(client.get(reverse("account_login")))


def test_signing_in_needs_the_address_and_the_password_only(acme, client):
    response = client.post(reverse("account_login"), {"login": "CMO@acme.example", "password": PASSWORD})

    assert response.status_code == 302
    assert response.url == "/"


def test_wrong_password_and_unknown_address_get_the_same_sentence(acme, client):
    answers = {
        re.search(r"<li>([^<]+)</li>", html(client.post(reverse("account_login"), form)))[1]
        for form in (
            {"login": "cmo@acme.example", "password": "wrong-horse-1"},
            {"login": "nobody@acme.example", "password": "wrong-horse-1"},
        )
    }

    assert len(answers) == 1
    assert "парол" in answers.pop().lower()


def test_reset_does_not_tell_who_is_known(acme, client):
    answers = [
        client.post(reverse("account_reset_password"), {"email": e}) for e in ("cmo@acme.example", "no@acme.example")
    ]

    assert [(a.status_code, a.url) for a in answers] == [(302, reverse("account_reset_password_done"))] * 2
    assert [letter.to for letter in mail.outbox] == [["cmo@acme.example"]]


def test_password_is_reset_by_the_link_once(acme, client):
    client.post(reverse("account_reset_password"), {"email": "cmo@acme.example"})
    letter = mail.outbox[0]
    link = urlsplit(next(word for word in letter.body.split() if "/password/reset/key/" in word)).path

    form = client.get(link, follow=True)
    assert "<h1>Новый пароль</h1>" in html(form)
    address = form.redirect_chain[-1][0]
    assert client.post(address, {"password1": "short", "password2": "short"}).status_code == 200
    done = client.post(address, {"password1": "brand-new-1987", "password2": "brand-new-1987"})

    assert done.status_code == 302
    assert User.objects.get(email="cmo@acme.example").check_password("brand-new-1987")
    client.logout()
    assert "Ссылка больше не действует" in html(client.get(link, follow=True))


def test_letters_do_not_say_example_com(acme, client):
    client.post(reverse("account_reset_password"), {"email": "cmo@acme.example"})

    assert "example.com" not in mail.outbox[0].body
    assert "Здравствуйте." in mail.outbox[0].body


def test_signed_up_person_without_a_company_starts_one(db, client):
    signed_up = client.post(
        reverse("account_signup"),
        {"email": "new@shop.example", "password1": "brand-new-1987", "password2": "brand-new-1987"},
    )
    assert signed_up.status_code == 302
    assert reverse("company-create") in html(client.get("/"))

    response = client.post(reverse("company-create"), {"name": "Лавка чая", "timezone": "Asia/Omsk", "currency": "RUB"})

    company = Company.objects.get()
    assert response.url == f"/c/{company.slug}/roles/"
    assert (company.slug, company.timezone) == ("lavka-chaya", "Asia/Omsk")
    page = html(client.get(response.url))
    assert "Собственник системы" in page
    assert "Вакантно: 3" in page
    assert Membership.objects.get().wears("owner")


def test_new_company_has_roles_and_kpis(db):
    from django.utils import timezone

    from kpis.models import KpiVersion
    from mops.companies import start_company
    from roles.models import RoleVersion

    user = User.objects.create_user("o@shop.example", PASSWORD)
    company = start_company(owner=user, at=timezone.now(), slug="shop", name="Shop")

    assert RoleVersion.objects.filter(company=company).count() == 10
    known = set(KpiVersion.objects.filter(company=company).values_list("kpi__code", flat=True))
    from roles import catalogue

    named = {code for role in catalogue.BUILT_IN for code in role.kpis}
    assert named <= known | set(catalogue.PROCESS_KPIS)


def test_taken_address_is_refused_with_the_name_kept(acme, client):
    client.force_login(acme.cmo.user)

    response = client.post(reverse("company-create"), {"name": "Acme", "timezone": "Europe/Moscow", "currency": "RUB"})

    assert response.status_code == 409
    assert "занят" in html(response)
    assert 'value="Acme"' in html(response)


def test_company_page_asks_to_sign_in(db, client):
    assert client.get(reverse("company-create")).status_code == 302


def test_second_step_is_connected_asked_for_and_turned_off(acme, client):
    from allauth.account.models import EmailAddress
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

    def code(secret):
        return format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))

    door = {"login": "cmo@acme.example", "password": PASSWORD}
    client.post(reverse("account_login"), door)
    assert client.get(reverse("mfa_activate_totp")).status_code == 302
    EmailAddress.objects.filter(user=acme.cmo.user).delete()
    EmailAddress.objects.create(user=acme.cmo.user, email="cmo@acme.example", verified=True, primary=True)
    asked = client.get(reverse("mfa_activate_totp"))
    assert "/reauthenticate/" in asked.url
    client.post(asked.url, {"password": PASSWORD, "next": reverse("mfa_activate_totp")})
    page = html(client.get(reverse("mfa_activate_totp")))
    secret = re.search(r'id="authenticator_secret" type="text" value="(\w+)"', page)[1]
    assert "<svg" in page
    assert "data:" not in page

    done = client.post(reverse("mfa_activate_totp"), {"code": code(secret)})
    assert done.url == reverse("mfa_view_recovery_codes")
    assert "<h1>Запасные коды</h1>" in html(client.get(done.url))
    assert "Приложение подключено" in html(client.get(reverse("mfa_index")))

    client.post(reverse("account_logout"))
    asked = client.post(reverse("account_login"), door)
    assert asked.url == reverse("mfa_authenticate")
    assert "<h1>Второй шаг</h1>" in html(client.get(asked.url))
    wrong = client.post(asked.url, {"code": "000000"})
    assert wrong.status_code == 200
    assert "aria-invalid" in html(wrong)
