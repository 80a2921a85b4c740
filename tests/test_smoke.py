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
