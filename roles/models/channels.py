"""Channels and their campaigns."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from roles.fields import MicrosField
from roles.models.company import CompanyOwned


class Channel(CompanyOwned):
    """A way to customers with one owner, one coordinator and one result KPI. Budgets are money: of a month, and of a test."""

    class Kind(models.TextChoices):
        PAID = "paid", _("Paid")
        ORGANIC = "organic", _("Organic")
        PR = "pr", _("PR")
        CRM = "crm", _("CRM")
        SITE = "site", _("Site")
        PARTNER = "partner", _("Partners")
        OFFLINE = "offline", _("Offline")

    class Status(models.TextChoices):
        PLANNED = "planned", _("planned")
        TESTING = "testing", _("testing")
        ACTIVE = "active", _("active")
        PAUSED = "paused", _("paused")
        STOPPED = "stopped", _("stopped")

    class Priority(models.TextChoices):
        GROW = "grow", _("grow")
        HOLD = "hold", _("hold")
        LATER = "later", _("later")

    RUNNING = (Status.TESTING, Status.ACTIVE)

    code = models.SlugField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.PLANNED)
    priority = models.CharField(_("priority"), max_length=10, choices=Priority, default=Priority.HOLD)
    priority_reason = models.CharField(_("why this priority"), max_length=300, blank=True)
    owner = models.ForeignKey(
        "roles.Membership", on_delete=models.PROTECT, null=True, blank=True, related_name="owned_channels"
    )
    coordinator = models.ForeignKey(
        "roles.Membership", on_delete=models.PROTECT, null=True, blank=True, related_name="coordinated_channels"
    )
    result_kpi = models.SlugField(_("result KPI"), max_length=40, default="cpa")
    monthly_budget = MicrosField(_("budget of the month"), null=True, blank=True)
    test_budget = MicrosField(
        _("budget of a test"), null=True, blank=True, help_text="of all its days; of the month where none is set"
    )
    tolerance = MicrosField(_("tolerance, a share"), null=True, blank=True)
    stop_loss = MicrosField(_("stop-loss"), null=True, blank=True)
    position = models.PositiveSmallIntegerField(default=100)

    class Meta:
        ordering = ["position", "name"]
        constraints = [
            models.UniqueConstraint(fields=["company", "code"], name="channel_code_once_per_company"),
            models.CheckConstraint(
                condition=Q(owner__isnull=False) | Q(status__in=["planned", "stopped"]),
                name="running_channel_has_owner",
            ),
        ]

    def __str__(self):
        return self.name

    @property
    def is_running(self) -> bool:
        return self.status in self.RUNNING


class Campaign(CompanyOwned):
    """A part of a channel with its own spend, budget and stop-loss; `external_id` is the id in the source."""

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="campaigns")
    external_id = models.CharField(max_length=120)
    name = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=Channel.Status, default=Channel.Status.ACTIVE)
    series = models.CharField(max_length=80, blank=True)
    budget = MicrosField(null=True, blank=True)
    tolerance = MicrosField(null=True, blank=True)
    stop_loss = MicrosField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["company", "channel", "external_id"], name="campaign_once_per_channel")
        ]

    def __str__(self):
        return self.name

    @property
    def is_running(self) -> bool:
        return self.status in Channel.RUNNING
