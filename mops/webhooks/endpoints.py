"""Endpoints of a company: made, changed, paused, tested; what they were sent, and sending it again with the same id."""

import base64
import json
import secrets
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from mops import outgoing, vault
from mops.models import WebhookDelivery, WebhookEndpoint
from mops.webhooks import catalogue
from roles import audit
from roles.models import Company, Membership
from roles.refusals import Conflict
from roles.validation import changes, check_fields, refuse

MOST = 20
BOTH_SIGN = timedelta(days=1)
SHOWN = 100
State = WebhookEndpoint.State
FIELDS = ("name", "url", "events", "with_money")


class NotReady(Conflict):
    """The endpoint or the delivery is not in a state that allows it."""

    code = "not_ready"


def endpoints_of(*, company: Company) -> QuerySet[WebhookEndpoint]:
    return WebhookEndpoint.objects.filter(company=company)


def get_endpoint(*, company: Company, pk: int) -> WebhookEndpoint | None:
    return endpoints_of(company=company).filter(pk=pk).first()


def deliveries_of(*, company: Company, endpoint: WebhookEndpoint) -> QuerySet[WebhookDelivery]:
    """Newest first."""
    return WebhookDelivery.objects.filter(company=company, endpoint=endpoint).select_related("endpoint")


def get_delivery(*, company: Company, pk: int, endpoint: WebhookEndpoint | None = None) -> WebhookDelivery | None:
    rows = WebhookDelivery.objects.filter(company=company, pk=pk).select_related("company", "endpoint")
    return (rows if endpoint is None else rows.filter(endpoint=endpoint)).first()


@transaction.atomic
def create_endpoint(
    *, company: Company, by: Membership, at: datetime, name: str, url: str, events: list[str], with_money: bool = False
) -> tuple[WebhookEndpoint, str]:
    """A new endpoint and its secret, which nobody will see again. Refused for an address that may not be called."""
    if endpoints_of(company=company).count() >= MOST:
        raise NotReady(_("A company has at most %(n)s endpoints: delete one that is not needed.") % {"n": MOST})
    secret = _new_secret()
    endpoint = WebhookEndpoint(
        company=company, name=name, url=url, events=_known(events), with_money=with_money, secret=vault.lock(secret),
        active_since=at, created_by=by, created_at=at,
    )  # fmt: skip
    _check(endpoint)
    endpoint.save()
    after = changes({}, _told({field: getattr(endpoint, field) for field in FIELDS}))[1]
    audit.record(company=company, by=by, verb="create_webhook_endpoint", obj=endpoint, at=at, after=after)
    return endpoint, secret


@transaction.atomic
def update_endpoint(
    *, company: Company, by: Membership, at: datetime, endpoint: WebhookEndpoint, **fields
) -> WebhookEndpoint:
    """Change what was given of name, url, events, with_money."""
    if "events" in fields:
        fields["events"] = _known(fields["events"])
    known = _told({name: getattr(endpoint, name) for name in fields})
    for name, value in fields.items():
        setattr(endpoint, name, value)
    _check(endpoint)
    before, after = changes(known, _told(fields))
    endpoint.save(update_fields=[*fields])
    if after:
        audit.record(
            company=company, by=by, verb="update_webhook_endpoint", obj=endpoint, at=at, before=before, after=after
        )
    return endpoint


@transaction.atomic
def renew_secret(*, company: Company, by: Membership, at: datetime, endpoint: WebhookEndpoint) -> str:
    """A new secret, shown once; for a day messages are signed with the old one too."""
    secret = _new_secret()
    WebhookEndpoint.objects.filter(company=company, pk=endpoint.pk).update(
        secret=vault.lock(secret), old_secret=F("secret"), old_secret_until=at + BOTH_SIGN
    )
    audit.record(
        company=company, by=by, verb="renew_webhook_secret", obj=endpoint, at=at, after={"name": endpoint.name}
    )
    return secret


@transaction.atomic
def switch_endpoint(*, company: Company, by: Membership, at: datetime, endpoint: WebhookEndpoint, on: bool) -> None:
    """Pause it, or let it go on: what waited is sent then, what happened during the pause is not told. Twice changes nothing."""
    mine = WebhookEndpoint.objects.filter(company=company, pk=endpoint.pk)
    if on:
        done = mine.exclude(state=State.ACTIVE).update(state=State.ACTIVE, note="", active_since=at)
    else:
        done = mine.filter(state=State.ACTIVE).update(state=State.PAUSED)
    if done:
        verb = "resume_webhook_endpoint" if on else "pause_webhook_endpoint"
        audit.record(company=company, by=by, verb=verb, obj=endpoint, at=at, after={"name": endpoint.name})


@transaction.atomic
def disable(*, endpoint: WebhookEndpoint, at: datetime, note: str) -> None:
    """Switch it off by ourselves; its people learn it from the audit event. `note`: gone (410) or failing."""
    company = endpoint.company
    mine = WebhookEndpoint.objects.filter(company=company, pk=endpoint.pk, state=State.ACTIVE)
    if mine.update(state=State.DISABLED, note=note):
        after = {"name": endpoint.name, "note": note}
        audit.record(company=company, by=None, verb="disable_webhook_endpoint", obj=endpoint, at=at, after=after)


@transaction.atomic
def delete_endpoint(*, company: Company, by: Membership, at: datetime, endpoint: WebhookEndpoint) -> None:
    """It goes with its log."""
    audit.record(
        company=company, by=by, verb="delete_webhook_endpoint", obj=endpoint, at=at, before={"name": endpoint.name}
    )
    WebhookEndpoint.objects.filter(company=company, pk=endpoint.pk).delete()


def test_delivery(*, company: Company, endpoint: WebhookEndpoint, at: datetime) -> WebhookDelivery:
    """A row to try the endpoint with; whoever made it sends it at once, a sweep does otherwise."""
    if endpoint.state != State.ACTIVE:
        raise NotReady(_("The endpoint is off. Switch it on first."))
    body = {"type": catalogue.TEST, "timestamp": at.isoformat(), "data": {"company": company.slug}}
    return WebhookDelivery.objects.create(
        company=company,
        endpoint=endpoint,
        kind=catalogue.TEST,
        body=json.dumps(body),
        created_at=at,
        next_attempt_at=at,
    )


@transaction.atomic
def replay(*, company: Company, by: Membership, at: datetime, delivery: WebhookDelivery) -> None:
    """Send it once more from the start of its retries: same id, same body. Refused while the endpoint is off."""
    if delivery.endpoint.state != State.ACTIVE:
        raise NotReady(_("The endpoint is off. Switch it on first."))
    mine = WebhookDelivery.objects.filter(company=company, pk=delivery.pk)
    mine.update(state=WebhookDelivery.State.WAITING, attempts=0, next_attempt_at=at)
    audit.record(company=company, by=by, verb="replay_webhook", obj=delivery, at=at, after={"kind": delivery.kind})


def _told(fields: dict) -> dict:
    """What the journal keeps: of the address its host only, because the rest often holds a secret of the receiver."""
    return fields | ({"url": urlsplit(fields["url"]).netloc.rpartition("@")[2]} if "url" in fields else {})


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _known(events: list[str]) -> list[str]:
    """The chosen types in the order of the catalogue."""
    unknown = set(events) - {kind.name for kind in catalogue.TYPES}
    if unknown or not events:
        raise refuse("events", "unknown_event", _("Choose at least one event from the list."))
    return [kind.name for kind in catalogue.TYPES if kind.name in events]


def _check(endpoint: WebhookEndpoint) -> None:
    check_fields(endpoint, exclude=("secret",))
    try:
        outgoing.check(endpoint.url)
    except outgoing.Unreachable as error:
        if error.detail == "private":
            message = _("This address leads into a private network. Give one that is reached from the internet.")
        else:
            message = _("Give an address that begins with https://, on port 443 or above 1023, without a login in it.")
        raise refuse("url", "bad_address", message) from error
