"""Numbers: sources, loads, daily facts and their history, KPIs, targets, stop-rules and what their evaluation left behind."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from kpis import metrics
from roles.fields import MicrosField
from roles.models import Campaign, Channel, Company, CompanyOwned, Membership, Versioned, in_language


class Metric(CompanyOwned):
    """A metric of the company's own; `slot` (1–12) names the spare column of the fact table that holds it."""

    code = models.SlugField(max_length=40)
    name_ru = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80, blank=True)
    unit = models.CharField(max_length=10, choices=[("money", _("money")), ("count", _("count"))], default="count")
    slot = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(metrics.SPARE_SLOTS)])
    settling_days = models.PositiveSmallIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "code"], name="metric_code_once_per_company"),
            models.UniqueConstraint(fields=["company", "slot"], name="metric_slot_once_per_company"),
            models.CheckConstraint(condition=Q(slot__gte=1, slot__lte=metrics.SPARE_SLOTS), name="metric_slot_exists"),
        ]

    def __str__(self):
        return in_language(self.name_ru, self.name_en)


class Source(CompanyOwned):
    """Where facts come from. Where two sources give one metric for one channel and day, the lower `priority` wins."""

    class Kind(models.TextChoices):
        FILE = "file", _("file")
        API = "api", _("API")
        MANUAL = "manual", _("typed by a person")

    code = models.SlugField(max_length=40)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=Kind)
    priority = models.PositiveSmallIntegerField(default=100)
    expected_every_days = models.PositiveSmallIntegerField(default=1)
    owner = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["priority", "name"]
        constraints = [models.UniqueConstraint(fields=["company", "code"], name="source_code_once_per_company")]

    def __str__(self):
        return self.name


def upload_path(load: "Import", filename: str) -> str:
    return f"imports/{load.company_id}/{load.sha256[:16]}-{load.created_at:%Y%m%d%H%M%S}.upload"


class Import(CompanyOwned):
    """A load: one file, API call or typed day from one source. `state` says what must still happen; a task leases it."""

    class State(models.TextChoices):
        PREVIEW = "preview", _("waiting for your word")
        QUEUED = "queued", _("in the queue")
        DONE = "done", _("loaded")
        FAILED = "failed", _("failed")
        UNDONE = "undone", _("undone")

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="imports")
    state = models.CharField(max_length=10, choices=State)
    profile = models.CharField(max_length=40, blank=True, help_text="name of the reader in kpis/importers")
    profile_version = models.PositiveSmallIntegerField(default=1)
    filename = models.CharField(max_length=255, blank=True)
    file = models.FileField(upload_to=upload_path, null=True, blank=True, max_length=255)
    sha256 = models.CharField(max_length=64)
    mapping = models.JSONField(default=dict, help_text="names in the file → codes of channels, as the user confirmed")
    created = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    errors = models.JSONField(default=list, help_text='[{"code", "row", "field", "value"}], sentences by kpis.problems')
    first_day = models.DateField(null=True)
    last_day = models.DateField(null=True)
    created_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    lease_token = models.CharField(max_length=32, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(
            fields=["company", "source", "sha256", "profile_version"], name="load_of_a_file_waits_once",
            condition=Q(state__in=["preview", "queued"]),
        )]  # fmt: skip
        indexes = [
            models.Index(fields=["source", "state", f"-{end}"], name=f"load_by_{end}")
            for end in ("last_day", "finished_at")
        ]

    def __str__(self):
        return self.filename or f"{self.source_id} {self.created_at:%Y-%m-%d %H:%M}"


class MetricColumns(models.Model):
    """The nullable metric columns, one per `metrics.COLUMNS`: absent is not zero."""

    class Meta:
        abstract = True


for _column in metrics.COLUMNS:
    MetricColumns.add_to_class(_column, MicrosField(null=True))


UNCHECKED = {"db_constraint": False, "db_index": False, "related_name": "+"}


class DailyFact(MetricColumns, CompanyOwned):
    """Metrics of one scope on one day from one source; `campaign_id` 0 is the channel without a campaign, never NULL.

    No foreign key constraint stands on this table (they make a load five times slower): parents are checked in the
    staging table of each load. Written only by `kpis.facts`.
    """

    pk = models.CompositePrimaryKey("company_id", "day", "channel_id", "campaign_id", "source_id")
    company = models.ForeignKey(Company, on_delete=models.CASCADE, **UNCHECKED)
    day = models.DateField()
    channel = models.ForeignKey(Channel, on_delete=models.DO_NOTHING, **UNCHECKED)
    campaign_id = models.BigIntegerField(default=0)
    source = models.ForeignKey(Source, on_delete=models.DO_NOTHING, **UNCHECKED)
    load_id = models.BigIntegerField(help_text="the Import that last changed this row")

    def __str__(self):
        return f"{self.day} {self.channel_id}/{self.campaign_id}"


class FactRevision(MetricColumns, CompanyOwned):
    """What a row of facts was before a load changed it: gives undo, history and "as known on Friday".

    `existed` false: the load created the row. Written in the transaction of the load, one row per changed fact.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, **UNCHECKED)
    load = models.ForeignKey(Import, on_delete=models.CASCADE, db_constraint=False, related_name="revisions")
    day = models.DateField()
    channel_id = models.BigIntegerField()
    campaign_id = models.BigIntegerField(default=0)
    source_id = models.BigIntegerField()
    existed = models.BooleanField()
    previous_load_id = models.BigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["company", "channel_id", "day"], name="revision_by_scope_and_day")]

    def __str__(self):
        return f"{self.day} {self.channel_id}/{self.campaign_id} before {self.load_id}"


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


class ScopedRow(CompanyOwned):
    """A row about one scope: a channel, or one of its campaigns."""

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="+")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, null=True, blank=True, related_name="+")

    class Meta:
        abstract = True

    @property
    def subject(self):
        """The campaign where there is one, else the channel."""
        return self.campaign or self.channel


def once_per_scope(name: str, *fields: str, condition: Q | None = None) -> list[models.UniqueConstraint]:
    """Unique constraints for (company, …fields, channel, campaign) where a null campaign counts as a value."""
    return [
        models.UniqueConstraint(
            fields=["company", *fields, "channel", "campaign"],
            condition=(condition or Q()) & Q(campaign__isnull=False),
            name=f"{name}_per_campaign",
        ),
        models.UniqueConstraint(
            fields=["company", *fields, "channel"],
            condition=(condition or Q()) & Q(campaign=None),
            name=f"{name}_per_channel",
        ),
    ]


class RuleState(ScopedRow):
    """Where the state machine of one rule version stands on one scope after `last_day`; see `kpis.engine.State`."""

    version = models.ForeignKey(StopRuleVersion, on_delete=models.CASCADE, related_name="states")
    state = models.CharField(max_length=12)
    streak = models.JSONField(default=list, help_text="ISO dates of the breaching days that count")
    last_day = models.DateField()
    last_value = MicrosField(null=True)
    detail = models.JSONField(default=dict)

    class Meta:
        constraints = once_per_scope("rule_state_once", "version")

    def __str__(self):
        return f"{self.version_id} {self.state}"


class EvaluationLog(ScopedRow):
    """One day of one rule version on one scope: why it did or did not fire on that day."""

    version = models.ForeignKey(StopRuleVersion, on_delete=models.CASCADE, related_name="log")
    day = models.DateField()
    day_class = models.CharField(max_length=10)
    state = models.CharField(max_length=12)
    numerator = MicrosField(null=True)
    denominator = MicrosField(null=True)
    streak = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = once_per_scope("evaluation_log_once", "version", "day")

    def __str__(self):
        return f"{self.version_id} {self.day} {self.day_class}"


class Breach(ScopedRow):
    """A stop-rule that has fired on a scope. At most one is open per rule and scope.

    Money over the line = Σ (numerator − line · denominator) over the known days from `first_day` to `last_day`.
    """

    rule = models.ForeignKey(StopRule, on_delete=models.CASCADE, related_name="breaches")
    version = models.ForeignKey(StopRuleVersion, on_delete=models.PROTECT, related_name="breaches")
    first_day = models.DateField()
    opened_on = models.DateField(help_text="the day that fired")
    days = models.JSONField(default=list, help_text="ISO dates of the breaching days, oldest first")
    found_late = models.BooleanField(default=False)
    muted = models.BooleanField(default=False, help_text="under an override: visible, opens no decision")
    detected_at = models.DateTimeField()
    closed_on = models.DateField(null=True, blank=True)
    closed_as = models.CharField(
        max_length=12, blank=True, help_text="recovered, paused, signed, gone, stopped, disabled"
    )

    class Meta:
        ordering = ["-opened_on", "-pk"]
        constraints = once_per_scope("open_breach_once", "rule", condition=Q(closed_on=None))

    def __str__(self):
        return f"{self.rule_id} {self.opened_on}"


class Verdict(ScopedRow):
    """What a signed decision means to the state machine on its day: replay applies it; written by `processes` through a service."""

    class Kind(models.TextChoices):
        STOP = "stop", _("stop")
        CONTINUE = "continue", _("continue")
        REWRITE = "rewrite", _("rewrite")
        CUT = "cut", _("cut")
        FALSE_ALARM = "false_alarm", _("false alarm")
        RESUME = "resume", _("active again")

    rule = models.ForeignKey(StopRule, on_delete=models.CASCADE, related_name="verdicts")
    breach = models.ForeignKey(Breach, on_delete=models.CASCADE, null=True, blank=True, related_name="verdicts")
    day = models.DateField()
    kind = models.CharField(max_length=12, choices=Kind)
    until = models.DateField(null=True, blank=True)
    extra_spend = MicrosField(null=True, blank=True)

    class Meta:
        ordering = ["day", "pk"]

    def __str__(self):
        return f"{self.kind} {self.day}"


class DataIncident(ScopedRow):
    """Figures that stopped coming: for the analyst, one per rule, scope and run of missing days."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        CLOSED = "closed", _("closed")

    rule = models.ForeignKey(StopRule, on_delete=models.CASCADE, related_name="incidents")
    first_day = models.DateField(help_text="the first missing day of the run")
    last_day = models.DateField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = once_per_scope("incident_once", "rule", "first_day")

    def __str__(self):
        return f"{self.rule_id} {self.first_day}"


class Evaluation(CompanyOwned):
    """The work order of a company's evaluation: what is due and who holds the lease. One row per company.

    `dirty_from`: the earliest day that loads have touched since the last evaluation; null when nothing waits.
    `request` grows with every load; an evaluation clears `dirty_from` only if it has not grown meanwhile.
    """

    company = models.OneToOneField(Company, on_delete=models.CASCADE, primary_key=True, related_name="evaluation")
    dirty_from = models.DateField(null=True)
    request = models.PositiveBigIntegerField(default=0)
    daily_done_on = models.DateField(null=True, help_text="local date of the last daily evaluation")
    evaluated_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    lease_token = models.CharField(max_length=32, blank=True)

    def __str__(self):
        return f"evaluation of {self.company_id}"
