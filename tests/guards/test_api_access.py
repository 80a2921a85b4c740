"""Every operation of the API × nobody, stranger, foreign token, revoked token, contractor × own, foreign and missing object.

Operations are taken from the resolver: a new viewset is found by itself. Foreign and missing look the same, body included.
"""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from roles import tokens

METHODS = ("get", "post", "patch", "put", "delete")
MISSING = 987_654_321
OF_THE_CONTRACTOR = {
    ("brief-list", "get"), ("brief-detail", "get"), ("brief-take", "post"), ("brief-return-brief", "post"),
    ("brief-deliver", "post"), ("handover-item-list", "get"), ("handover-item-answer", "post"),
    ("own-duty-list", "get"), ("role-duty-tick", "post"), ("role-duty-untick", "post"),
}  # fmt: skip
"""What a contractor's person may ask: the briefs of the own contract, their own steps on them, things they are asked to take,
the duties of the own hat."""


def operations(resolver=None, prefix: str = "") -> list[tuple[str, URLPattern, str]]:
    """(url name, pattern, method) of every operation inside a company."""
    found = []
    for entry in (resolver or get_resolver()).url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            found += operations(entry, path)
        elif path.startswith("api/v1/c/") and hasattr(entry.callback, "actions"):
            found += [(entry.name, entry, method) for method in entry.callback.actions if method in METHODS]
    return found


OPERATIONS = operations()
IDS = [f"{name}-{method}" for name, _pattern, method in OPERATIONS]
WITH_OBJECT = [
    row for row in OPERATIONS if set(row[1].pattern.converters or row[1].pattern.regex.groupindex) - {"company_slug"}
]


def arguments(pattern) -> set[str]:
    return set(pattern.pattern.regex.groupindex) - {"company_slug", "format"}


def address(slug: str, name: str, pattern, things: dict, missing: bool = False) -> str:
    needed = arguments(pattern)
    kwargs = {"company_slug": slug}
    if needed:
        known = next((things[key] for key in sorted(things, key=len, reverse=True) if name.startswith(key)), None)
        assert known is not None, f"{name}: add a sample object to tests/guards/conftest.py"
        kwargs |= {key: value_of(known, key, missing) for key in needed}
    return reverse(name, kwargs=kwargs)


def value_of(known: dict, key: str, missing: bool):
    """`theirs`: a code that only this company has, where it has one."""
    if key == "code":
        return "nowhere" if missing else known.get("theirs", known["code"])
    return MISSING if missing else known.get(key, known.get("pk"))


def call(browser: Client, method: str, url: str, key: str | None = None):
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return getattr(browser, method)(url, data={} if method == "get" else "{}", headers=headers,
                                    **({} if method == "get" else {"content_type": "application/json"}))  # fmt: skip


@pytest.fixture
def key_of():
    def make(person, **kwargs) -> str:
        scopes = ["read", "facts:write", "reports:write", "decisions:write", "tasks:write", "admin"]
        return tokens.create_token(
            company=person.company, person=person, by=person, name="t", scopes=scopes, at=timezone.now(), **kwargs
        )[1]

    return make


def test_the_resolver_knows_the_operations_of_the_contract():
    assert len(OPERATIONS) >= 40


@pytest.mark.parametrize(("name", "pattern", "method"), OPERATIONS, ids=IDS)
def test_nobody_gets_401(name, pattern, method, two_companies, client):
    acme, _rival = two_companies

    answer = call(client, method, address("acme", name, pattern, acme.things))

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(("name", "pattern", "method"), OPERATIONS, ids=IDS)
def test_stranger_and_dead_token_learn_nothing(name, pattern, method, two_companies, client, sign_in, key_of):
    acme, rival = two_companies
    url = address("acme", name, pattern, acme.things)

    assert call(client, method, url, key_of(rival.owner)).status_code == 404
    assert call(sign_in(rival.owner), method, url).status_code == 404
    assert call(client, method, url, key_of(acme.owner, lifetime=timedelta(0))).status_code == 401


@pytest.mark.parametrize(
    ("name", "pattern", "method"), WITH_OBJECT, ids=lambda value: getattr(value, "name", str(value))
)
def test_foreign_object_looks_like_a_missing_one(name, pattern, method, two_companies, client, key_of):
    """By number or by code; both companies may have the same code, so the foreign one is a code that only the rival has."""
    acme, rival = two_companies
    for person in (acme.owner, acme.cmo, acme.pm, acme.analyst):
        key = key_of(person)
        foreign = call(client, method, address("acme", name, pattern, rival.things), key)
        missing = call(client, method, address("acme", name, pattern, rival.things, missing=True), key)

        assert foreign.status_code == missing.status_code
        assert foreign.status_code in {
            400,
            403,
            404,
        }  # 400: the empty body was refused before the object was looked for
        without_id = [{k: v for k, v in answer.json().items() if k != "request_id"} for answer in (foreign, missing)]
        assert without_id[0] == without_id[1]


@pytest.mark.parametrize(("name", "pattern", "method"), OPERATIONS, ids=IDS)
def test_contractor_reads_and_writes_nothing_of_the_company(name, pattern, method, two_companies, client, key_of):
    """But what is theirs: that opens, or answer what the service says of the empty body and the state."""
    acme, _rival = two_companies

    answer = call(client, method, address("acme", name, pattern, acme.things), key_of(acme.contractor))

    if (name, method) in OF_THE_CONTRACTOR:
        assert answer.status_code in ({200} if method == "get" else {200, 400, 409})
        return
    assert answer.status_code == 403
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(("name", "pattern", "method"), OPERATIONS, ids=IDS)
def test_no_operation_breaks_on_an_empty_body(name, pattern, method, two_companies, client, key_of):
    acme, _rival = two_companies

    for person in (acme.owner, acme.cmo, acme.performance):
        assert call(client, method, address("acme", name, pattern, acme.things), key_of(person)).status_code < 500
