"""Notifications and their deliveries: the outbox that must survive a restart."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from roles.models import AuditEvent, CompanyOwned, Membership


class Notification(CompanyOwned):
    """A line for one person: shown in the app, and sent by its deliveries. `key` makes it happen once."""

    person = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="notifications")
    key = models.CharField(max_length=120, help_text="what it is about: event:17, report-due:12:fact")
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    url = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["company", "person", "key"], name="notification_once")]

    def __str__(self):
        return self.title


class Sending(CompanyOwned):
    """A message on its way. The row is the work: a task leases it, and retries until `next_attempt_at` is empty.

    `log`: the last attempts, [{"at", "code", "detail", "sent"}].
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")
        DROPPED = "dropped", _("not wanted any more")

    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    lease_token = models.CharField(max_length=32, blank=True)
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)
    log = models.JSONField(default=list)

    class Meta:
        abstract = True


class Delivery(Sending):
    """One sending of a notification to its person by one way."""

    class Way(models.TextChoices):
        EMAIL = "email", _("e-mail")
        TELEGRAM = "telegram", _("Telegram")

    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="deliveries")
    way = models.CharField(max_length=10, choices=Way)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["company", "notification", "way"], name="delivery_once")]
        indexes = [models.Index(fields=["next_attempt_at"], condition=Q(state="waiting"), name="delivery_due")]

    def __str__(self):
        return f"{self.way} {self.state}"


class WebhookEndpoint(CompanyOwned):
    """An address of the company that is told about events. `secret` is encrypted (`mops.vault`) and shown once, when it is made."""

    class State(models.TextChoices):
        ACTIVE = "active", _("on")
        PAUSED = "paused", _("paused")
        DISABLED = "disabled", _("disabled by us")

    name = models.CharField(_("what for"), max_length=120)
    url = models.CharField(_("address"), max_length=500)
    secret = models.TextField()
    events = models.JSONField(default=list, help_text="types of mops.webhooks.catalogue")
    with_money = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State, default=State.ACTIVE)
    note = models.CharField(max_length=20, blank=True, help_text="why it was disabled: gone, failing")
    active_since = models.DateTimeField(help_text="older events are not told")
    created_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self):
        return self.name


class WebhookDelivery(Sending):
    """One event for one endpoint. `uid` is the `webhook-id` of every attempt and replay; the body never changes either."""

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(
        AuditEvent, on_delete=models.PROTECT, null=True, related_name="+", help_text="null: a test"
    )
    uid = models.UUIDField(default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=40)
    body = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["company", "endpoint", "event"], condition=Q(event__isnull=False), name="webhook_delivery_once"
            ),
            models.UniqueConstraint(fields=["company", "uid"], name="webhook_id_once"),
        ]
        indexes = [models.Index(fields=["next_attempt_at"], condition=Q(state="waiting"), name="webhook_delivery_due")]

    def __str__(self):
        return f"{self.kind} {self.uid}"


class Progress(CompanyOwned):
    """How far the pipeline has come in one company: one row, made by its first pass.

    Audit events up to `settled_event_id` are done with; those up to `seen_event_id` have been told, but are read again
    for some minutes, because PostgreSQL may commit a lower id after a higher one (`Notification.key` makes the second
    reading silent). `marked_event_id` is what had been seen at `marked_at`, and is settled some minutes later.
    """

    settled_event_id = models.BigIntegerField(default=0)
    marked_event_id = models.BigIntegerField(default=0)
    marked_at = models.DateTimeField(null=True)
    seen_event_id = models.BigIntegerField(default=0)
    week_next_at = models.DateTimeField(null=True, help_text="the next moment of the report week to deal with")
    day_begun_on = models.DateField(null=True, help_text="the local date whose hats and owners were settled")
    reminded_at = models.DateTimeField(null=True, help_text="reminders about waiting decisions are written up to here")
    falls = models.PositiveSmallIntegerField(default=0, help_text="passes in a row with a broken step")
    rest_until = models.DateTimeField(null=True, help_text="a broken company is left alone until then")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["company"], name="progress_once")]

    def __str__(self):
        return f"progress of {self.company_id}"
