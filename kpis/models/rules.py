"""Stop-rules and their versions: what is watched, and by which line."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from kpis.models.kpis import Kpi
from roles.fields import MicrosField
from roles.models import Channel, CompanyOwned, Membership, Versioned


class StopRule(CompanyOwned):
    """ "If KPI is over the line so long, then propose this." Numbered per company: «СП-07». What it says stands in versions."""

    number = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["company", "number"], name="stop_rule_number_once")]

    def __str__(self):
        return f"{_('SR')}-{self.number:02d}"


class StopRuleVersion(Versioned):
    """The parameters of a rule, see domain.md 3.1. Rates and lines are in the KPI's own unit (shares, ₽).

    In force: approved, not superseded, active. A channel owner's version waits for the CMO while the old one goes on.
    Of a budget rule the line is a share of the budget (1.1: ten per cent over it) and `period` says which budget. Up to
    `shadow_until` (a local date, included) the rule reports and opens no decision.
    """

    class Comparison(models.TextChoices):
        ABOVE = "above", _("above")
        BELOW = "below", _("below")

    class Window(models.TextChoices):
        IN_A_ROW = "in_a_row", _("days in a row")
        M_OF_N = "m_of_n", _("days of the last")
        POOLED = "pooled", _("pooled over days")
        EVENT = "event", _("per mailing")
        SINCE_CONVERSION = "since_conversion", _("spend since the last conversion")
        BUDGET = "budget", _("budget")

    class NoData(models.TextChoices):
        HOLD = "hold", _("hold")
        BREACH = "breach", _("count as a breach")
        OK = "ok", _("count as fine")
        NO_DATA = "no_data", _("no data at once")

    class Action(models.TextChoices):
        STOP = "stop", _("stop")
        REWRITE = "rewrite", _("rewrite")
        CUT = "cut", _("cut the budget")
        REVIEW = "review", _("review")

    class Period(models.TextChoices):
        MONTH = "month", _("month")
        TEST = "test", _("whole test")

    class Per(models.TextChoices):
        CHANNEL = "channel", _("channel")
        CAMPAIGN = "campaign", _("campaign")

    rule = models.ForeignKey(StopRule, on_delete=models.CASCADE, related_name="versions")
    name = models.CharField(max_length=160)
    kpi = models.ForeignKey(Kpi, on_delete=models.PROTECT, related_name="+")
    comparison = models.CharField(max_length=5, choices=Comparison)
    line = MicrosField()
    window = models.CharField(max_length=20, choices=Window)
    n = models.PositiveSmallIntegerField(null=True, blank=True)
    m = models.PositiveSmallIntegerField(null=True, blank=True)
    k = MicrosField(null=True, blank=True)
    max_span = models.PositiveSmallIntegerField(null=True, blank=True)
    period = models.CharField(max_length=5, choices=Period, blank=True)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, null=True, blank=True, related_name="stop_rules")
    channel_kind = models.CharField(max_length=10, choices=Channel.Kind, blank=True)
    per = models.CharField(max_length=10, choices=Per, default=Per.CHANNEL)
    minimum_sample = MicrosField(default=3)
    zero_line = MicrosField(null=True, blank=True)
    no_data = models.CharField(max_length=10, choices=NoData, default=NoData.HOLD)
    settling_days = models.PositiveSmallIntegerField(default=1)
    confirm_pooled_7d = models.BooleanField(default=False)
    clear_ratio = MicrosField(default="0.9")
    clear_days = models.PositiveSmallIntegerField(default=2)
    action = models.CharField(max_length=10, choices=Action, default=Action.STOP)
    owner = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    active = models.BooleanField(default=True)
    shadow_until = models.DateField(null=True, blank=True)
    approved_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "rule", "number"], name="stop_rule_version_number_once"),
            *(
                models.UniqueConstraint(
                    fields=["company", "rule"], condition=Q(superseded_at=None) & approved, name=f"stop_rule_one_{name}"
                )
                for name, approved in (("in_force", Q(approved_at__isnull=False)), ("waiting", Q(approved_at=None)))
            ),
        ]

    def __str__(self):
        return self.name
