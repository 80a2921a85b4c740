"""The first road: the door opens, strangers see nothing."""


def test_home_asks_to_sign_in(client, db):
    response = client.get("/")

    assert response.status_code == 302
    assert response.url.startswith("/accounts/login/")


def test_healthz(client, db):
    assert client.get("/healthz").content == b"ok"


def test_database_refuses_a_row_of_another_company(acme, rival):
    import pytest
    from django.db import IntegrityError, transaction

    with pytest.raises(IntegrityError, match="another company"), transaction.atomic():
        type(acme.vk).objects.filter(pk=acme.vk.pk).update(owner=rival.performance)


def test_the_bare_address_of_a_company_leads_to_the_first_page_of_the_person(acme, rival, sign_in):
    """People shorten a link by hand; strangers learn nothing from it."""

    def first(person):
        return sign_in(person).get("/c/acme/")

    assert first(acme.owner).url == "/c/acme/reports/dashboard/"
    assert first(acme.performance).url == "/c/acme/reports/today/"
    assert first(rival.owner).status_code == 404
