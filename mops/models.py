"""Notifications and their deliveries: the outbox that must survive a restart."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from roles.models import AuditEvent, CompanyOwned, Membership


class Group(models.TextChoices):
    """What people choose by: the lines of the matrix of events × ways."""

    DECISIONS = "decisions", _("A decision waits for me")
    ESCALATIONS = "escalations", _("A decision has waited for more than two days")
    OUTCOMES = "outcomes", _("What was decided, and what came of it")
    DEADLINES = "deadlines", _("My plan or fact is due soon")
    REPORTS = "reports", _("Reports that are late, missed or sent back")
    TASKS = "tasks", _("I am given something to do")
    FIGURES = "figures", _("Figures: failed loads, silent sources, doubts")
    RULES = "rules", _("Rules, checks and webhooks that need a look")
    DIGEST = "digest", _("The week in a letter: Monday morning, Friday evening")


class Notification(CompanyOwned):
    """A line for one person: shown in the app unless they do not want it there, and sent by its deliveries. `key` makes it
    happen once. `group` empty: older than the groups, or a test."""

    person = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="notifications")
    key = models.CharField(max_length=120, help_text="what it is about: event:17, report-due:12:fact")
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    url = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    group = models.CharField(max_length=12, choices=Group, blank=True)
    shown = models.BooleanField(default=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["company", "person", "key"], name="notification_once")]

    def __str__(self):
        return self.title


class Preference(CompanyOwned):
    """What one person chose: {group: {way: wanted}}, absent cells are as usual for the hats; quiet hours in the company's zone."""

    person = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+")
    chosen = models.JSONField(default=dict)
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    break_through = models.BooleanField(default=False, help_text="escalations of decisions come in quiet hours too")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["company", "person"], name="preference_once_per_person")]

    def __str__(self):
        return f"preferences of {self.person_id}"


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


class TelegramBot(CompanyOwned):
    """The company's bot. `token` is encrypted (`mops.vault`) and never shown; `offset`: the next update to read."""

    token = models.TextField()
    username = models.CharField(max_length=64)
    offset = models.BigIntegerField(default=0)
    problem = models.CharField(
        max_length=20, blank=True, help_text="token: Telegram refuses it; unreadable: another SECRET_KEY"
    )
    created_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["company"], name="telegram_bot_once")]

    def __str__(self):
        return f"@{self.username}"


class TelegramChat(CompanyOwned):
    """A person's chat with the bot, or the code that waits for it: only its SHA-256 is kept."""

    person = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+")
    chat_id = models.BigIntegerField(null=True)
    linked_at = models.DateTimeField(null=True)
    code_digest = models.CharField(max_length=64, blank=True)
    code_until = models.DateTimeField(null=True)
    problem = models.CharField(
        max_length=20, blank=True, help_text="blocked: the person does not want the bot any more"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["company", "person"], name="telegram_chat_once_per_person")]
        indexes = [
            models.Index(fields=["code_until"], condition=Q(code_until__isnull=False), name="telegram_code_waits")
        ]

    def __str__(self):
        return f"chat of {self.person_id}"


class WebhookEndpoint(CompanyOwned):
    """An address of the company that is told about events. `secret` is encrypted (`mops.vault`) and shown once, when it is made;
    one that was replaced signs beside the new one until `old_secret_until`, so that a receiver may change it without a gap."""

    class State(models.TextChoices):
        ACTIVE = "active", _("on")
        PAUSED = "paused", _("paused")
        DISABLED = "disabled", _("disabled by us")

    name = models.CharField(_("what for"), max_length=120)
    url = models.CharField(_("address"), max_length=500)
    secret = models.TextField()
    old_secret = models.TextField(blank=True)
    old_secret_until = models.DateTimeField(null=True, blank=True)
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
