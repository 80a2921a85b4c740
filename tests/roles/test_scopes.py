"""Doors outside a company, with the net of scopes up as in production: fixtures turn it off, requests must not need that."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope

from roles import selectors, tokens
from roles.models import Company, User
from roles.permissions import RoleKind

PASSWORD = "correct-horse-9"


@pytest.fixture
def net():
    """Scopes are enforced inside `with net():`."""
    return lambda: scope(_enabled=True)


def test_sign_in_and_hats_outside_a_company(acme, net):
    client = Client()

    with net():
        signed_in = client.post(reverse("account_login"), {"login": "owner@acme.example", "password": PASSWORD})
        person = selectors.companies_of(user=acme.owner.user)[0]

        assert person.wears(RoleKind.OWNER)
    assert signed_in.url == "/"


def test_me_by_token_and_by_session(acme, net, client):
    _token, secret = tokens.create_token(
        company=acme.company, person=acme.cmo, by=acme.cmo, name="t", scopes=["read"], at=timezone.now()
    )
    browser = Client()
    browser.force_login(acme.cmo.user)

    with net():
        by_token = client.get("/api/v1/me/", headers={"Authorization": f"Bearer {secret}"})
        by_session = browser.get("/api/v1/me/")

    assert by_token.json()["hats"] == by_session.json()["hats"]
    assert by_token.json()["hats"][0]["role"] == "cmo"


def test_company_is_started_and_its_people_invited(db, net, django_capture_on_commit_callbacks):
    user = User.objects.create_user("o@shop.example", PASSWORD)
    browser = Client()
    browser.force_login(user)

    with net(), django_capture_on_commit_callbacks(execute=True):
        browser.post(reverse("company-create"), {"name": "Shop", "timezone": "UTC", "currency": "RUB"})
        added = browser.post("/c/shop/roles/people/new/", {"email": "x@shop.example", "name": "Икс"})

    assert Company.objects.get().slug == "shop"
    assert added.status_code == 302


def test_every_page_of_the_company_works_under_the_net(acme, net):
    browser = Client()
    browser.force_login(acme.owner.user)
    pages = [
        "",
        "people/",
        f"people/{acme.cmo.pk}/",
        "appointments/new/",
        "channels/vk/edit/",
        "journal/",
        "tokens/",
        "company/",
    ]

    with net():
        statuses = {page: browser.get(f"/c/acme/roles/{page}").status_code for page in pages}

    assert set(statuses.values()) == {200}
