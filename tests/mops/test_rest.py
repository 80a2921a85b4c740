"""What every API write and error keeps to: Idempotency-Key, limits, problem documents, tokens."""

from datetime import timedelta

import pytest
from django.core.cache.backends.locmem import LocMemCache
from django.utils import timezone

from roles import tokens
from roles.models import Channel, IdempotencyKey
from roles.rest.throttling import CompanyThrottle, PersonThrottle

ROOT = "/api/v1/c/acme"
TELEGRAM = {"code": "telegram", "name": "Telegram", "kind": "paid"}
PROBLEM = {"type", "title", "status", "detail", "request_id", "errors"}


@pytest.fixture
def api(client, acme):
    """`api()` → `call(method, path, body, **headers)` with a token of the project manager."""

    def caller(person=None, lifetime=None):
        _token, secret = tokens.create_token(
            company=acme.company, person=person or acme.pm, by=None, name="t", scopes=["admin"], at=timezone.now(),
            lifetime=lifetime,
        )  # fmt: skip

        def call(method, path, body=None, **headers):
            headers = {"Authorization": f"Bearer {secret}", **headers}
            return getattr(client, method)(path, body, content_type="application/json", headers=headers)

        return call

    return caller


def made() -> int:
    return Channel.objects.filter(code="telegram").count()


# ------------------------------------------------------------------ idempotency
def test_same_key_and_body_give_the_same_answer_and_one_effect(api):
    call = api()

    first = call("post", f"{ROOT}/channels/", TELEGRAM, **{"Idempotency-Key": "a1"})
    second = call("post", f"{ROOT}/channels/", TELEGRAM, **{"Idempotency-Key": "a1"})

    assert (first.status_code, second.status_code, made()) == (201, 201, 1)
    assert first.json() == second.json()
    assert second.headers["Idempotent-Replay"] == "true"


def test_same_key_with_another_body_is_422(api):
    call = api()
    call("post", f"{ROOT}/channels/", TELEGRAM, **{"Idempotency-Key": "a1"})

    answer = call("post", f"{ROOT}/channels/", TELEGRAM | {"code": "other"}, **{"Idempotency-Key": "a1"})

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert not Channel.objects.filter(code="other").exists()


def test_keys_of_two_tokens_are_apart(api, acme):
    api()("post", f"{ROOT}/channels/", TELEGRAM, **{"Idempotency-Key": "a1"})

    answer = api(acme.owner)("post", f"{ROOT}/channels/", TELEGRAM | {"code": "other"}, **{"Idempotency-Key": "a1"})

    assert answer.status_code == 201


def leave_running(call, lease_until) -> None:
    """As if the first request had claimed the key and its process had not finished."""
    call("post", f"{ROOT}/channels/", TELEGRAM, **{"Idempotency-Key": "a1"})
    Channel.objects.filter(code="telegram").delete()
    IdempotencyKey.objects.update(status=None, body="", lease_until=lease_until)


def test_still_running_is_409_with_retry_after(api):
    call = api()
    leave_running(call, timezone.now() + timedelta(seconds=30))

    answer = call("post", f"{ROOT}/channels/", TELEGRAM, **{"Idempotency-Key": "a1"})

    assert (answer.status_code, answer.json()["code"], made()) == (409, "idempotency_key_in_use", 0)
    assert int(answer.headers["Retry-After"]) >= 1


def test_expired_lease_is_taken_over(api):
    call = api()
    leave_running(call, timezone.now() - timedelta(seconds=1))

    answer = call("post", f"{ROOT}/channels/", TELEGRAM, **{"Idempotency-Key": "a1"})

    assert (answer.status_code, made()) == (201, 1)


def test_slow_request_whose_key_was_taken_over_leaves_no_effect(api, monkeypatch):
    from roles.api.channels import ChannelViewSet

    whole = ChannelViewSet.create

    def slow(self, request, company_slug=None):
        answer = whole(self, request, company_slug)
        IdempotencyKey.objects.update(lease_until=timezone.now() + timedelta(minutes=2))  # another try claims it
        return answer

    monkeypatch.setattr(ChannelViewSet, "create", slow)

    answer = api()("post", f"{ROOT}/channels/", TELEGRAM, **{"Idempotency-Key": "a1"})

    assert (answer.status_code, made()) == (409, 0)


def test_refused_request_frees_its_key(api):
    call = api()
    wrong = call("post", f"{ROOT}/channels/", {"code": "telegram"}, **{"Idempotency-Key": "a1"})

    answer = call("post", f"{ROOT}/channels/", TELEGRAM, **{"Idempotency-Key": "a1"})

    assert (wrong.status_code, answer.status_code) == (400, 201)


def test_key_is_forgotten_after_a_day(api):
    call = api()
    call("post", f"{ROOT}/channels/", TELEGRAM, **{"Idempotency-Key": "a1"})
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=25))

    answer = call("post", f"{ROOT}/channels/", TELEGRAM | {"code": "other"}, **{"Idempotency-Key": "a1"})

    assert answer.status_code == 201


# ------------------------------------------------------------------ limits
@pytest.mark.parametrize("throttle", [PersonThrottle, CompanyThrottle])
def test_limit_is_429_with_retry_after(api, monkeypatch, throttle):
    monkeypatch.setattr(throttle, "cache", LocMemCache(f"limits-{throttle.scope}", {}))
    monkeypatch.setattr(throttle, "THROTTLE_RATES", {throttle.scope: "2/min"})
    call = api()
    clock = iter([1_200_000_010.0, 1_200_000_020.0, 1_200_000_050.0, 1_200_000_061.0])
    monkeypatch.setattr(throttle, "timer", lambda self: next(clock))

    answers = [call("get", f"{ROOT}/people/") for _n in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 429, 200]
    assert answers[2].headers["Retry-After"] == "11"
    assert set(answers[2].json()) >= PROBLEM


def test_limit_of_a_company_counts_all_its_people(api, acme, monkeypatch):
    monkeypatch.setattr(CompanyThrottle, "cache", LocMemCache("limits-shared", {}))
    monkeypatch.setattr(CompanyThrottle, "THROTTLE_RATES", {"company": "2/min"})
    monkeypatch.setattr(CompanyThrottle, "timer", lambda self: 1_200_000_010.0)

    statuses = [api(person)("get", f"{ROOT}/people/").status_code for person in (acme.pm, acme.cmo, acme.owner)]

    assert statuses == [200, 200, 429]


# ------------------------------------------------------------------ problems
@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("get", "/api/v1/nothing/", None, 404),
        ("get", f"{ROOT}/nothing/", None, 404),
        ("get", f"{ROOT}/channels/nothing/", None, 404),
        ("get", "/api/v1/c/rival/channels/", None, 404),
        ("get", "/api/v1/c/nobody/channels/", None, 404),
        ("put", f"{ROOT}/channels/", {}, 405),
        ("post", f"{ROOT}/channels/", {}, 400),
        ("post", f"{ROOT}/channels/", "{broken", 400),
    ],
)
def test_every_error_is_a_problem_document(api, rival, method, path, body, status):
    answer = api()(method, path, body)

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    document = answer.json()
    assert set(document) >= PROBLEM
    assert document["status"] == status
    assert document["request_id"] == answer.headers["X-Request-ID"]
    assert all({"field", "code", "message"} <= set(row) for row in document["errors"])


def test_foreign_company_looks_like_an_unknown_one(api, rival):
    call = api()

    foreign, unknown = (call("get", f"/api/v1/c/{slug}/channels/") for slug in ("rival", "nobody"))

    assert without_id(foreign) == without_id(unknown)


def without_id(answer) -> dict:
    return {key: value for key, value in answer.json().items() if key != "request_id"}


def test_unexpected_error_is_a_problem_without_details(api, monkeypatch):
    from roles.api.people import PersonViewSet

    def broken(*args, **kwargs):
        raise RuntimeError("secret of the house")

    monkeypatch.setattr(PersonViewSet, "list", broken)

    answer = api()("get", f"{ROOT}/people/")

    assert (answer.status_code, answer.headers["Content-Type"]) == (500, "application/problem+json")
    assert "secret" not in answer.content.decode()


# ------------------------------------------------------------------ tokens
def test_nobody_is_401_for_any_company(client, acme):
    for slug in ("acme", "nobody"):
        answer = client.get(f"/api/v1/c/{slug}/channels/")
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_token_lives_until_its_end(api):
    assert api(lifetime=timedelta(minutes=1))("get", f"{ROOT}/people/").status_code == 200
    assert api(lifetime=timedelta(0))("get", f"{ROOT}/people/").status_code == 401


def test_revoked_token_is_unknown_at_once(client, acme):
    token, secret = tokens.create_token(
        company=acme.company, person=acme.pm, by=None, name="t", scopes=["read"], at=timezone.now()
    )
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.get(f"{ROOT}/people/", headers=headers).status_code == 200

    tokens.revoke_token(company=acme.company, token=token, by=acme.pm, at=timezone.now())

    assert client.get(f"{ROOT}/people/", headers=headers).status_code == 401


def test_token_ends_with_the_membership(api, acme):
    call = api()
    acme.pm.is_active = False
    acme.pm.save()

    assert call("get", f"{ROOT}/people/").status_code == 401


@pytest.mark.parametrize("header", ["Bearer", "Bearer a b", "Bearer \u00e9", "Token x", "Bearer mops_unknown"])
def test_strange_authorization_is_401(client, acme, header):
    assert client.get(f"{ROOT}/people/", headers={"Authorization": header}).status_code == 401


def test_stale_if_match_is_412(api):
    call = api()
    etag = call("get", f"{ROOT}/channels/vk/").headers["ETag"]
    assert call("patch", f"{ROOT}/channels/vk/", {"name": "VK"}, **{"If-Match": etag}).status_code == 200

    answer = call("patch", f"{ROOT}/channels/vk/", {"name": "ВК"}, **{"If-Match": etag})

    assert (answer.status_code, answer.json()["code"]) == (412, "stale")
