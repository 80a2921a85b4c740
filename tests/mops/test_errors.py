"""Pages of errors are whole wherever the request was stopped: before the session, the person and the language are known, too."""

import pytest
from django.test import Client, override_settings

from kpis.models import Source


@pytest.mark.parametrize("language", ["ru", "en"])
def test_a_foreign_host_is_told_so_and_nothing_breaks(db, settings, language):
    settings.ALLOWED_HOSTS = ["mops.example"]
    settings.LANGUAGE_CODE = language

    answer = Client(raise_request_exception=True).get("/c/acme/", headers={"host": "evil.example"})

    assert answer.status_code == 400
    assert f'<html lang="{language}"' in answer.content.decode()


@override_settings(ALLOWED_HOSTS=["mops.example"])
def test_the_api_answers_a_foreign_host_as_it_answers_everything(db):
    answer = Client().get("/api/v1/me/", headers={"host": "evil.example"})

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["status"] == 400


def test_a_page_that_is_not_there_says_so_in_the_default_language(db):
    answer = Client().get("/nothing-here/")

    assert answer.status_code == 404
    assert "Такой страницы нет" in answer.content.decode()


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/c/acme/documents/?channel=%00", "/api/v1/c/acme/documents/?role=%00", "/api/v1/c/acme/briefs/?state=%00",
        "/api/v1/c/acme/campaigns/?channel=%00", "/api/v1/c/acme/weekly-reports/?channel=%00",
        "/api/v1/c/acme/decisions/?state=%00", "/c/acme/imports/?recounts=cr%00m",
    ],
)  # fmt: skip
def test_a_nul_in_the_query_breaks_nothing(acme, sign_in, path):
    Source.objects.create(company=acme.company, code="crm", name="CRM", kind="file")

    assert sign_in(acme.cmo).get(path).status_code in {200, 404}
