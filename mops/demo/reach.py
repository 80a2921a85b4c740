"""What was sent in the sample company: letters of the last days, an endpoint with its log, two people's preferences."""

from datetime import datetime, time, timedelta

from mops.demo.founding import Sample
from mops.models import Delivery, Notification, WebhookDelivery
from mops.notifications import deliveries, outbox, preferences
from mops.notifications.events import NEWS, messages_of
from mops.notifications.outbox import Outcome
from mops.notifications.writing import write
from mops.webhooks import endpoints, sending
from roles.models import AuditEvent

TOLD_DAYS = timedelta(days=9)
BUSY = Outcome("status", "503 Service Unavailable")
TAKEN = {Delivery: Outcome("mail", sent=True), WebhookDelivery: Outcome("answered", "200 ok", sent=True)}
LISTENS_TO = ["decision.opened", "decision.signed", "report.late", "report.missed", "import.failed"]


def fill(sample: Sample, now: datetime) -> None:
    """Everything older than two days, as if it had gone out at its moment; what is newer is told by the first pass itself."""
    company = sample.company
    for code, break_through in (("cmo", True), ("performance", False)):
        preferences.set_preferences(
            company=company, person=sample.people[code], chosen={}, quiet_from=time(22), quiet_until=time(8),
            break_through=break_through,
        )  # fmt: skip
    endpoint, _secret = endpoints.create_endpoint(
        company=company, by=sample.people["pm"], at=now - TOLD_DAYS, name="Хранилище: решения и опоздания",
        url="https://hooks.veresk.example/mops", events=LISTENS_TO,
    )  # fmt: skip
    told = AuditEvent.objects.filter(company=company, at__gt=now - TOLD_DAYS, at__lte=now - NEWS).select_related("by")
    events = list(told.order_by("pk"))
    for event in events:
        write(company=company, at=event.at, messages=messages_of(company, event.at, [event]))
    Notification.objects.filter(company=company).update(read_at=now - NEWS)
    sending.collect(company, now - NEWS, events)
    _send(Delivery.objects.filter(company=company).select_related("notification"), deliveries.RETRIES)
    _send(WebhookDelivery.objects.filter(company=company).select_related("event"), sending.RETRIES)
    endpoints.switch_endpoint(company=company, by=sample.people["pm"], at=now, endpoint=endpoint, on=False)


def _send(rows, retries: tuple[timedelta, ...]) -> None:
    """Every row has gone out at its moment; every seventh at the second attempt."""
    for number, row in enumerate(rows.order_by("pk")):
        at = row.event.at if isinstance(row, WebhookDelivery) else row.notification.created_at
        if isinstance(row, WebhookDelivery):
            row.created_at = at
            row.save(update_fields=["created_at"])
        row.attempts = 1
        if number % 7 == 3:
            outbox.note(row, BUSY, at, retries)
            row.attempts, at = 2, at + retries[0]
        outbox.note(row, TAKEN[type(row)], at, retries)
        type(row).objects.filter(company=row.company_id, pk=row.pk).update(attempts=row.attempts)
