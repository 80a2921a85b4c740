"""Every address inside a company × every kind of person × own and foreign object. New addresses are found by themselves.

404 for strangers and for another company's object (the same as for a missing one), 403 for members without the right,
the sign-in page for nobody. What a kind may open comes from the permission on the view, which must be there.
"""

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from roles.permissions import ROLE_PERMISSIONS, Reach

PEOPLE = ("owner", "cmo", "pm", "analyst", "performance", "content", "contractor")
KIND = {"performance": "channel_owner", "content": "channel_owner"}


def company_patterns(resolver=None, prefix: str = "", namespaces: tuple[str, ...] = ()) -> list[tuple[str, URLPattern]]:
    """(full name, pattern) of every page under `/c/<slug>/`."""
    found = []
    for entry in (resolver or get_resolver()).url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            names = (*namespaces, entry.namespace) if entry.namespace else namespaces
            found += company_patterns(entry, path, names)
        elif path.startswith("c/<slug:company_slug>/"):
            found.append((":".join([*namespaces, entry.name or path]), entry))
    return found


PATTERNS = company_patterns()
NAMES = [name for name, _pattern in PATTERNS]


def kwargs_of(pattern: URLPattern, name: str, things: dict) -> dict:
    """The pattern's own arguments filled with a real object; an address whose model has no sample fails here."""
    model = name.split(":")[-1]
    needed = list(pattern.pattern.converters)
    if not needed:
        return {}
    known = next((things[key] for key in sorted(things, key=len, reverse=True) if model.startswith(key)), None)
    assert known is not None, f"{name}: add a sample object for it to tests/guards/conftest.py"
    missing = set(needed) - set(known)
    assert not missing, f"{name}: the sample object lacks {missing}"
    return {kwarg: known[kwarg] for kwarg in needed}


def address(slug: str, name: str, pattern: URLPattern, things: dict) -> str:
    return reverse(name, kwargs={"company_slug": slug, **kwargs_of(pattern, name, things)})


@pytest.mark.parametrize(("name", "pattern"), PATTERNS, ids=NAMES)
def test_every_page_names_its_permission(name, pattern):
    assert getattr(pattern.callback, "permission", None) is not None


@pytest.mark.parametrize(("name", "pattern"), PATTERNS, ids=NAMES)
def test_nobody_is_sent_to_sign_in(name, pattern, two_companies, client):
    acme, _rival = two_companies

    for method in (client.get, client.post):
        response = method(address("acme", name, pattern, acme.things))
        assert response.status_code == 302
        assert response.url.startswith("/accounts/login/")


@pytest.mark.parametrize(("name", "pattern"), PATTERNS, ids=NAMES)
def test_stranger_sees_nothing(name, pattern, two_companies, sign_in):
    acme, rival = two_companies
    browser = sign_in(rival.owner)

    for method in (browser.get, browser.post):
        assert method(address("acme", name, pattern, acme.things)).status_code == 404


@pytest.mark.parametrize(("name", "pattern"), [row for row in PATTERNS if row[1].pattern.converters], ids=str)
def test_foreign_object_looks_like_a_missing_one(name, pattern, two_companies, sign_in):
    """By number or by code; both companies may have the same code, so the foreign one is a code that only the rival has."""
    acme, rival = two_companies
    if not set(pattern.pattern.converters) - {"company_slug"}:
        return
    theirs = {
        key: known | ({"code": known["theirs"]} if "theirs" in known else {}) for key, known in rival.things.items()
    }
    needed = {"owner", "cmo", "pm", "analyst"}

    for person in needed:
        browser = sign_in(getattr(acme, person))
        for method in (browser.get, browser.post):
            status = method(address("acme", name, pattern, theirs)).status_code
            assert status in ({404, 405} if may(person, pattern) else {403, 404, 405})
    assert any(may(person, pattern) for person in needed)


def may(person: str, pattern: URLPattern) -> bool:
    view = pattern.callback
    reach = ROLE_PERMISSIONS[KIND.get(person, person)].get(view.permission)
    return reach is Reach.COMPANY or (reach is Reach.CHANNELS and view.somewhere)


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize(("name", "pattern"), PATTERNS, ids=NAMES)
def test_member_opens_what_the_hats_allow(name, pattern, person, two_companies, sign_in):
    acme, _rival = two_companies

    status = sign_in(getattr(acme, person)).get(address("acme", name, pattern, acme.things)).status_code

    if may(person, pattern) and not is_somebody_elses_task(person, name):
        allowed = {200, 302, 405} | ({403} if pattern.pattern.converters and view_is_about_channels(pattern) else set())
        assert status in allowed
    else:
        assert status == 403


def is_somebody_elses_task(person: str, name: str) -> bool:
    """A contractor opens the tasks given to them; the sample of this address is the owner's."""
    return person == "contractor" and name.endswith("check-round-detail")


def view_is_about_channels(pattern: URLPattern) -> bool:
    """A right on own channels opens the address; the object itself may be another's channel."""
    return pattern.callback.somewhere


@pytest.mark.parametrize(("name", "pattern"), PATTERNS, ids=NAMES)
def test_writes_need_the_csrf_token(name, pattern, two_companies):
    from django.test import Client

    acme, _rival = two_companies
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(acme.owner.user)

    assert browser.post(address("acme", name, pattern, acme.things)).status_code in {403, 405}
