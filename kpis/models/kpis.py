"""What figures are read by: KPIs and their versions, targets, the funnel."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from roles.fields import MicrosField
from roles.models import Channel, CompanyOwned, Versioned, in_language


class Kpi(CompanyOwned):
    """A figure the company lives by. Its formula and meaning stand in versions."""

    code = models.SlugField(max_length=40)
    is_builtin = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["company", "code"], name="kpi_code_once_per_company")]

    def __str__(self):
        return self.code


class KpiVersion(Versioned):
    """One formula over metrics, with direction, unit and place in the KPI tree. Rates are shares (0.008)."""

    class Better(models.TextChoices):
        HIGHER = "higher", _("higher is better")
        LOWER = "lower", _("lower is better")

    class Unit(models.TextChoices):
        MONEY = "money", _("money")
        SHARE = "share", _("share")
        NUMBER = "number", _("number")

    kpi = models.ForeignKey(Kpi, on_delete=models.CASCADE, related_name="versions")
    name_ru = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80, blank=True)
    formula = models.CharField(max_length=300)
    better = models.CharField(max_length=6, choices=Better)
    unit = models.CharField(max_length=6, choices=Unit)
    parent = models.ForeignKey(Kpi, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "kpi", "number"], name="kpi_version_number_once"),
            models.UniqueConstraint(
                fields=["company", "kpi"], condition=Q(superseded_at=None), name="kpi_has_one_current_version"
            ),
        ]

    def __str__(self):
        return in_language(self.name_ru, self.name_en)


class Target(Versioned):
    """The planned value of a KPI or metric for one month, for the company (no channel) or one channel.

    Metrics are planned for the whole month and prorated by calendar days; KPIs (ratios) hold for every day of it.
    """

    measure = models.SlugField(max_length=40, help_text="KPI or metric code")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, null=True, blank=True, related_name="targets")
    month = models.DateField(help_text="its first day")
    value = MicrosField()

    class Meta:
        ordering = ["month", "measure"]
        constraints = [
            models.CheckConstraint(condition=Q(month__day=1), name="target_month_is_its_first_day"),
            models.UniqueConstraint(
                fields=["company", "measure", "channel", "month"],
                condition=Q(superseded_at=None, channel__isnull=False),
                name="channel_has_one_current_target",
            ),
            models.UniqueConstraint(
                fields=["company", "measure", "month"],
                condition=Q(superseded_at=None, channel=None),
                name="company_has_one_current_target",
            ),
        ]

    def __str__(self):
        return f"{self.measure} {self.month:%Y-%m}"


class FunnelStage(CompanyOwned):
    """The company's funnel: an ordered list of metrics; without rows the default funnel counts."""

    position = models.PositiveSmallIntegerField()
    metric = models.SlugField(max_length=40)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["company", "position"], name="funnel_position_once"),
            models.UniqueConstraint(fields=["company", "metric"], name="funnel_metric_once"),
        ]

    def __str__(self):
        return self.metric
