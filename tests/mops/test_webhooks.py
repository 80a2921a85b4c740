"""Webhooks reach real receivers that fail, hang, redirect and recover: at least once, one id, signed as the standard asks."""

import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from standardwebhooks import Webhook

from mops import due, outgoing, pipeline, vault
from mops.models import Delivery, Notification, Progress, WebhookDelivery, WebhookEndpoint
from mops.notifications import events
from mops.webhooks import endpoints, sending
from roles import audit
from roles.models import AuditEvent
from roles.refusals import Refused
from tests.kpis.test_evaluation import child_environment

from .conftest import make_decision, make_report

EVENTS = ["decision.opened", "report.late"]


@pytest.fixture
def listen(acme, now):
    """An endpoint of ACME for a receiver; its secret is `listen.secret`."""

    def make(receiver, **fields):
        fields = {"name": "CRM", "url": receiver.url, "events": EVENTS, **fields}
        endpoint, listen.secret = endpoints.create_endpoint(
            company=acme.company, by=acme.owner, at=now - timedelta(hours=1), **fields
        )
        return endpoint

    listen = make
    return make


def tell(made, at):
    Progress.objects.get_or_create(company=made.company)
    events.tell(made.company, at)


def only(**fields) -> WebhookDelivery:
    return WebhookDelivery.objects.get(**fields)


def test_event_is_delivered_signed(acme, listen, receive, now):
    receiver = receive()
    endpoint, secret = endpoints.create_endpoint(
        company=acme.company, by=acme.owner, at=now, name="CRM", url=receiver.url, events=EVENTS
    )
    decision = make_decision(acme)
    tell(acme, now)
    real = timezone.now()

    assert sending.send_due(acme.company, real) == 1

    ((_step, headers, body, path),) = receiver.got
    data = Webhook(secret).verify(body, headers)
    assert (path, data["type"], headers["Content-Type"]) == ("/hook", "decision.opened", "application/json")
    assert headers["webhook-id"] == str(only(endpoint=endpoint).uid)
    assert data["data"] == {
        "company": "acme", "event": AuditEvent.objects.get(verb="open_decision").pk, "object": "decision", "id": decision.pk,
        "url": f"http://127.0.0.1:8000/c/acme/processes/decisions/{decision.pk}/", "number": "2026-1", "state": "open",
        "channel": "vk", "campaign": None, "choice": None, "recommendation": None,
        "opened_at": "2026-11-20T12:20:00+00:00", "deadline_at": "2026-11-21T12:20:00+00:00", "signed_at": None,
        "signed_as": None,
    }  # fmt: skip


def test_readme_shows_how_to_verify(acme, receive, now):
    """The example of the README takes what we send, and refuses what somebody changed."""
    receiver = receive()
    _endpoint, secret = endpoints.create_endpoint(
        company=acme.company, by=acme.owner, at=now, name="CRM", url=receiver.url, events=EVENTS
    )
    made = endpoints.test_delivery(company=acme.company, endpoint=_endpoint, at=timezone.now())
    sending.send_now(made, timezone.now())
    ((_step, headers, body, _path),) = receiver.got
    readme = (django_settings.BASE_DIR / "README.md").read_text()
    scope = {}
    exec(re.search(r"```python\n(.*?def verified.*?)```", readme, re.DOTALL)[1], scope)

    assert scope["verified"](secret, headers, body.encode())
    assert not scope["verified"](secret, headers, body.encode() + b" ")
    assert not scope["verified"](secret, {**headers, "webhook-timestamp": "1"}, body.encode())


def test_one_delivery_per_endpoint_and_event_however_often_events_are_read(acme, listen, receive, now):
    receiver = receive()
    listen(receiver), listen(receiver, name="second"), listen(receiver, name="deaf", events=["import.done"])
    make_decision(acme)

    for _pass in range(3):
        tell(acme, now)

    assert WebhookDelivery.objects.count() == 2


def test_fails_hangs_redirects_and_recovers_with_one_id_and_growing_pauses(acme, listen, receive, now, monkeypatch):
    monkeypatch.setattr(outgoing.post, "__kwdefaults__", {**outgoing.post.__kwdefaults__, "timeout": 0.3})
    goal = receive(allowed=False)
    receiver = receive(500, "hang", (302, {"Location": goal.url}), (429, {"Retry-After": "9000"}), 404)
    listen(receiver)
    make_decision(acme)
    tell(acme, now)
    at, pauses = now, []

    for _attempt in range(6):
        sending.send_due(acme.company, at)
        row = only()
        if row.next_attempt_at:
            pauses.append(round((row.next_attempt_at - at).total_seconds()))
            at = row.next_attempt_at

    assert pauses == [5, 300, 1800, 9000, 18000]
    assert [line["code"] for line in row.log] == ["status", "timeout", "redirect", "status", "status", "answered"]
    assert (row.state, row.error, row.attempts) == ("sent", "", 6)
    assert (receiver.ids(), goal.got) == ([str(row.uid)] * 6, [])
    assert len({body for _step, _headers, body, _path in receiver.got}) == 1
    moments = [int(headers["webhook-timestamp"]) for _step, headers, _body, _path in receiver.got]
    assert moments == sorted(set(moments))


def test_dead_receiver_does_not_hold_up_the_living(acme, listen, receive, now):
    dead, alive = receive(*[500] * 9), receive()
    listen(dead, name="dead"), listen(alive, name="alive")
    for channel in (acme.vk, acme.blog):
        audit.record(company=acme.company, by=None, verb="late_weekly_fact", obj=make_report(acme, channel), at=now)
    tell(acme, now)

    sending.send_due(acme.company, now)

    assert (len(dead.got), len(alive.got)) == (1, 2)


def test_410_disables_the_endpoint_and_its_people_learn_it(acme, listen, receive, now):
    endpoint = listen(receive(410))
    make_decision(acme)
    tell(acme, now)

    sending.send_due(acme.company, now)
    tell(acme, now)

    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.note) == ("disabled", "gone")
    told = Notification.objects.filter(title__contains="CRM")
    assert set(told.values_list("person", flat=True)) == {acme.owner.pk, acme.pm.pk}
    assert told.first().url == f"/c/acme/webhooks/{endpoint.pk}/"
    assert sending.send_due(acme.company, now + timedelta(days=1)) == 0


def test_three_days_of_silence_disable_the_endpoint_and_nothing_is_lost(acme, listen, receive, now):
    endpoint = listen(receive(*[503] * 10))
    make_decision(acme)
    tell(acme, now)
    at = now
    for _attempt in range(10):
        sending.send_due(acme.company, at)
        at = only().next_attempt_at or at
    endpoint.refresh_from_db()
    assert (endpoint.state, only().state, only().attempts) == ("disabled", "failed", 10)
    assert timedelta(days=3) < at - now < timedelta(days=4)

    endpoints.switch_endpoint(company=acme.company, by=acme.owner, at=at, endpoint=endpoint, on=True)
    endpoints.replay(
        company=acme.company, by=acme.owner, at=at, delivery=endpoints.get_delivery(company=acme.company, pk=only().pk)
    )

    assert sending.send_due(acme.company, at) == 1


def test_replay_has_the_same_id_and_body(acme, listen, receive, now):
    receiver = receive()
    listen(receiver)
    make_decision(acme)
    tell(acme, now)
    sending.send_due(acme.company, now)

    delivery = endpoints.get_delivery(company=acme.company, pk=only().pk)
    endpoints.replay(company=acme.company, by=acme.pm, at=now + timedelta(days=9), delivery=delivery)
    sending.send_due(acme.company, now + timedelta(days=9))

    first, second = receiver.got
    assert first[1]["webhook-id"] == second[1]["webhook-id"]
    assert first[2] == second[2]
    assert [line["code"] for line in only().log] == ["answered", "answered"]


def test_for_a_day_the_old_secret_signs_too(acme, listen, receive, now):
    receiver = receive()
    endpoint = listen(receiver)
    common = {"company": acme.company, "endpoint": endpoint}
    real, old = timezone.now(), listen.secret
    new = endpoints.renew_secret(**common, by=acme.owner, at=real)

    for at in (real, real + timedelta(days=1)):
        sending.send_now(endpoints.test_delivery(**common, at=at), at)

    both, later = receiver.got
    for secret in (old, new):
        assert Webhook(secret).verify(both[2], both[1])["type"] == "webhook.test"
    assert [len(got[1]["webhook-signature"].split()) for got in (both, later)] == [2, 1]


def test_log_is_kept_for_90_days_and_what_waits_for_ever(acme, listen, receive, now):
    endpoint = listen(receive())
    done = endpoints.test_delivery(company=acme.company, endpoint=endpoint, at=now)
    sending.send_now(done, now)
    endpoints.test_delivery(company=acme.company, endpoint=endpoint, at=now)

    pipeline.begin_day(acme.company, now + timedelta(days=90))
    assert WebhookDelivery.objects.count() == 2
    pipeline.begin_day(acme.company, now + timedelta(days=91))

    assert only().state == "waiting"


def test_pause_keeps_what_waits_and_does_not_tell_what_happens_meanwhile(acme, listen, receive, now):
    receiver = receive()
    endpoint = listen(receiver)
    make_decision(acme)
    tell(acme, now)
    common = {"company": acme.company, "by": acme.owner, "endpoint": endpoint}
    endpoints.switch_endpoint(**common, at=now, on=False)
    make_decision(acme, opened_at=now + timedelta(hours=1))
    tell(acme, now + timedelta(hours=1))
    assert sending.send_due(acme.company, now + timedelta(hours=1)) == 0
    assert acme.company.pk not in set(due._ids(WebhookDelivery.objects.filter(endpoint__state="active")))

    endpoints.switch_endpoint(**common, at=now + timedelta(hours=2), on=True)
    tell(acme, now + timedelta(hours=2))

    assert sending.send_due(acme.company, now + timedelta(hours=2)) == 1


def test_sweep_wakes_the_company_for_a_webhook_that_is_due(acme, listen, receive, now):
    endpoint = listen(receive())
    Delivery.objects.all().delete()
    endpoints.test_delivery(company=acme.company, endpoint=endpoint, at=now)

    found = {pk for query in due._queries(now) for pk in query if query.model is WebhookDelivery}

    assert found == {acme.company.pk}


def test_money_and_people_are_not_in_a_payload_unless_money_is_allowed(acme, listen, receive, now):
    listen(receive(), name="poor"), listen(receive(), name="rich", with_money=True)
    decision = make_decision(acme)
    decision.evidence = {"is_money": True, "burned": "31337.5"}
    decision.save()
    tell(acme, now)

    poor, rich = only(endpoint__name="poor"), only(endpoint__name="rich")

    assert "31337" not in poor.body
    assert '"money": {"over_the_line": "31337.5", "currency": "RUB"}' in rich.body
    for body in (poor.body, rich.body):
        assert not re.search(r"Остановить|@acme\.example|Cmo|Acme", body)


def test_secret_is_encrypted_shown_once_and_never_logged(acme, rival, sign_in, receive, now, caplog):
    browser, receiver = sign_in(acme.owner), receive(500)
    page = browser.post("/c/acme/webhooks/new/", {"name": "CRM", "url": receiver.url, "events": EVENTS})
    secret = re.search(r"whsec_[\w+/=]+", page.content.decode())[0]
    endpoint = WebhookEndpoint.objects.get()
    browser.post(f"/c/acme/webhooks/{endpoint.pk}/test/")

    kept = repr(list(WebhookEndpoint.objects.values())) + repr(list(AuditEvent.objects.values())) + caplog.text
    pages = [
        browser.get(f"/c/acme/webhooks/{tail}").content.decode()
        for tail in ("", f"{endpoint.pk}/", f"{endpoint.pk}/edit/")
    ]

    assert page.status_code == 201
    assert page.headers["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    assert secret not in kept
    assert not any(secret in html for html in pages)
    assert vault.unlock(endpoint.secret) == secret


def test_other_secret_key_says_so_and_the_old_one_may_still_be_named(acme, listen, receive, now, settings):
    listen(receive())
    endpoint = WebhookEndpoint.objects.get()
    made = endpoints.test_delivery(company=acme.company, endpoint=endpoint, at=now)
    old = settings.SECRET_KEY
    settings.SECRET_KEY = "another" * 9
    assert sending.send_now(made, now).log[-1]["code"] == "secret"

    settings.SECRET_KEY_FALLBACKS = [old]

    assert sending.send_now(made, now + timedelta(seconds=6)).state == "sent"


@pytest.mark.parametrize(
    "url", ["http://example.com/", "https://127.0.0.1/", "https://[::ffff:10.0.0.1]/", "https://u:p@example.com/"]
)
def test_private_address_is_refused_with_words(acme, sign_in, url):
    answer = sign_in(acme.owner).post("/c/acme/webhooks/new/", {"name": "x", "url": url, "events": EVENTS})

    assert answer.status_code == 400
    assert WebhookEndpoint.objects.count() == 0


def test_test_button_shows_the_real_answer(acme, listen, receive, sign_in, now):
    endpoint = listen(receive((503, {}, b"on holiday"), 204))
    browser = sign_in(acme.pm)

    first = browser.post(f"/c/acme/webhooks/{endpoint.pk}/test/", follow=True).content.decode()
    second = browser.post(f"/c/acme/webhooks/{endpoint.pk}/test/", follow=True).content.decode()

    assert "503 on holiday" in first
    assert "принято (204)" in second


def test_other_company_sees_and_hears_nothing(acme, rival, listen, receive, sign_in, now):
    receiver = receive()
    endpoint = listen(receiver)
    make_decision(rival)
    tell(rival, now)

    sending.send_due(rival.company, now)
    foreign = sign_in(rival.owner).get(f"/c/rival/webhooks/{endpoint.pk}/")

    assert (receiver.got, foreign.status_code) == ([], 404)


def test_api_makes_an_endpoint_once_and_keeps_no_secret(acme, receive, sign_in):
    browser, receiver = sign_in(acme.owner), receive()
    body = {"name": "CRM", "url": receiver.url, "events": EVENTS}

    def post(path="", **data):
        return browser.post(
            f"/api/v1/c/acme/webhooks/{path}",
            data,
            content_type="application/json",
            headers={"Idempotency-Key": f"k{path}"},
        )

    first, again = post(**body), post(**body)
    pk = first.json()["id"]
    tried = post(f"{pk}/test/")
    delivery = tried.json()["id"]
    sending.send_due(acme.company, timezone.now())
    replayed = post(f"{pk}/deliveries/{delivery}/replay/")
    log = browser.get(f"/api/v1/c/acme/webhooks/{pk}/deliveries/").json()["results"]

    assert (first.status_code, again.status_code, WebhookEndpoint.objects.count()) == (201, 201, 1)
    assert first.json()["secret"].startswith("whsec_")
    assert again.json()["secret"] is None
    assert (tried.status_code, replayed.status_code, replayed.json()["state"]) == (202, 202, "waiting")
    assert [row["log"][0]["sent"] for row in log] == [True]
    paused = browser.patch(f"/api/v1/c/acme/webhooks/{pk}/", {"active": False}, content_type="application/json")
    assert paused.json()["state"] == "paused"
    with pytest.raises(Refused):
        endpoints.test_delivery(company=acme.company, endpoint=WebhookEndpoint.objects.get(), at=timezone.now())


CHILD = """
import os, django
django.setup()
from datetime import datetime
from django_scopes import scope
from mops.webhooks import sending
from roles.models import Company
company = Company.objects.get(slug="acme")
with scope(company=company):
    print(sending.send_due(company, datetime.fromisoformat(os.environ["AT"])))
"""


@pytest.mark.django_db(transaction=True)
def test_kill_9_of_the_sender_loses_nothing_and_keeps_the_id(acme, listen, receive, now, tmp_path):
    receiver = receive()
    listen(receiver)
    for number in range(3):
        make_decision(acme, opened_at=now - timedelta(minutes=number))
    tell(acme, now)
    uids = {str(uid) for uid in WebhookDelivery.objects.values_list("uid", flat=True)}
    common = {
        **os.environ, **child_environment(tmp_path), "OUTGOING_TEST_HOSTS": receiver.host,
        "SECRET_KEY": django_settings.SECRET_KEY,
    }  # fmt: skip

    def child(at: datetime, fail_at: str = ""):
        env = {**common, "AT": at.isoformat(), "FAIL_AT": fail_at}
        return subprocess.run([sys.executable, "-c", CHILD], env=env, capture_output=True, text=True)

    before = child(now, "sending.before")
    assert before.returncode == -signal.SIGKILL, before.stderr
    assert receiver.got == []
    after = child(now, "sending.after")
    assert after.returncode == -signal.SIGKILL, after.stderr
    assert len(receiver.got) == 1

    last = child(now + timedelta(minutes=3))

    assert last.stdout == "3\n", last.stderr
    assert set(receiver.ids()) == uids
    assert len(receiver.got) == 4
    assert child(now + timedelta(hours=1)).stdout == "0\n"


def test_timestamps_of_payloads_are_moments_of_the_event(acme, listen, receive, now):
    listen(receive())
    make_decision(acme)
    tell(acme, now + timedelta(hours=1))

    assert f'"timestamp": "{datetime(2026, 11, 20, 12, 20, tzinfo=UTC).isoformat()}"' in only().body
