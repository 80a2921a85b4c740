"""Events become signed POSTs: one row per endpoint and event, retried for three days, always the same id and body."""

import base64
import hashlib
import hmac
import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.db.models import QuerySet

from mops import outgoing, vault
from mops.models import WebhookDelivery, WebhookEndpoint
from mops.notifications import outbox
from mops.notifications.outbox import Outcome
from mops.webhooks import catalogue, endpoints
from roles.models import AuditEvent, Company

log = logging.getLogger("mops.webhooks")
RETRIES = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
)  # fmt: skip
"""5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h: ten attempts in three days."""
State = WebhookEndpoint.State


def collect(company: Company, at: datetime, events: Iterable[AuditEvent]) -> int:
    """Make the deliveries of these events for every endpoint that chose them; a second reading adds none. How many were wanted."""
    listening = list(WebhookEndpoint.objects.filter(company=company, state=State.ACTIVE))
    if not listening:
        return 0
    rows = list(_rows(company, at, listening, events))
    WebhookDelivery.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _rows(company: Company, at: datetime, listening: list, events: Iterable[AuditEvent]) -> Iterator[WebhookDelivery]:
    by_thing: dict[catalogue.Thing, list[AuditEvent]] = defaultdict(list)
    for event in events:
        if kind := catalogue.BY_VERB.get(event.verb):
            by_thing[kind.thing].append(event)
    for thing, told in by_thing.items():
        ids = {event.object_id for event in told}
        objects = {str(obj.pk): obj for obj in thing.rows(company).filter(pk__in=ids)}
        for event in told:
            kind, obj = catalogue.BY_VERB[event.verb], objects.get(event.object_id)
            for endpoint in listening if obj else ():
                if kind.name in endpoint.events and event.at >= endpoint.active_since:
                    body = catalogue.payload(company, kind, event, obj, with_money=endpoint.with_money)
                    yield WebhookDelivery(
                        company=company, endpoint=endpoint, event=event, kind=kind.name, created_at=at, next_attempt_at=at,
                        body=json.dumps(body, ensure_ascii=False),
                    )  # fmt: skip


def send_due(company: Company, at: datetime) -> int:
    """Send what is due to the company's endpoints; returns how many were taken. One that fails is left alone until the next pass,
    so that a dead receiver does not hold up the living ones."""
    failed: set[int] = set()

    def rows() -> QuerySet[WebhookDelivery]:
        mine = WebhookDelivery.objects.filter(company=company, endpoint__state=State.ACTIVE)
        return mine.exclude(endpoint__in=failed).select_related("company", "endpoint")

    def send(delivery: WebhookDelivery, now: datetime) -> Outcome:
        outcome = deliver(delivery, now)
        if not outcome.sent:
            failed.add(delivery.endpoint_id)
        return outcome

    return outbox.run_pass(rows, send, at, RETRIES)


def deliver(delivery: WebhookDelivery, now: datetime) -> Outcome:
    """One signed POST. 2xx is taken; 410 disables the endpoint; everything else, a redirect too, is tried again."""
    endpoint = delivery.endpoint
    try:
        headers = signed_headers(delivery, _secrets(endpoint, now), now)
        answer = outgoing.post(endpoint.url, delivery.body.encode(), headers)
    except vault.Unreadable:
        return _failed(delivery, Outcome("secret"), now)
    except outgoing.Unreachable as error:
        return _failed(delivery, Outcome(error.code, error.detail), now)
    detail = f"{answer.status} {answer.text}".strip()
    if answer.ok:
        return Outcome("answered", detail, sent=True)
    if answer.status == 410:
        endpoints.disable(endpoint=endpoint, at=now, note="gone")
        return Outcome("gone", detail)
    code = "redirect" if 300 <= answer.status < 400 else "status"
    return _failed(delivery, Outcome(code, detail, retry_after=answer.retry_after), now)


def _failed(delivery: WebhookDelivery, outcome: Outcome, now: datetime) -> Outcome:
    """After the last attempt an endpoint that has taken nothing since is disabled, and its people are told."""
    log.warning("webhook %s was not taken (attempt %s): %s", delivery.uid, delivery.attempts, outcome.code)
    endpoint = delivery.endpoint
    taken = WebhookDelivery.objects.filter(
        company=delivery.company, endpoint=endpoint, state=WebhookDelivery.State.SENT, sent_at__gt=delivery.created_at
    )
    if delivery.attempts > len(RETRIES) and not taken.exists():
        endpoints.disable(endpoint=endpoint, at=now, note="failing")
    return outcome


def _secrets(endpoint: WebhookEndpoint, now: datetime) -> list[str]:
    old = endpoint.old_secret_until is not None and now < endpoint.old_secret_until
    return [vault.unlock(kept) for kept in ([endpoint.secret, endpoint.old_secret] if old else [endpoint.secret])]


def signed_headers(delivery: WebhookDelivery, keys: list[str], now: datetime) -> dict[str, str]:
    """The headers of Standard Webhooks: a signature by each key (`whsec_` and base64) covers id, moment and body."""
    moment = str(int(now.timestamp()))
    signed = f"{delivery.uid}.{moment}.{delivery.body}".encode()
    return {
        "Content-Type": "application/json", "User-Agent": "MOPS-Webhooks/1", "webhook-id": str(delivery.uid),
        "webhook-timestamp": moment, "webhook-signature": " ".join(_signature(key, signed) for key in keys),
    }  # fmt: skip


def _signature(key: str, signed: bytes) -> str:
    made = hmac.new(base64.b64decode(key.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(made).decode()}"


def send_now(delivery: WebhookDelivery, at: datetime) -> WebhookDelivery:
    """One attempt while somebody waits for its result; the row as it is afterwards. A sweep that was quicker has done it already."""
    mine = WebhookDelivery.objects.filter(company=delivery.company, pk=delivery.pk).select_related(
        "company", "endpoint"
    )
    if row := outbox.claim(mine, at):
        outbox.attempt(row, deliver, at, RETRIES)
    return mine.get()
