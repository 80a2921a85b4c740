"""Where figures come from and where they lie: own metrics, sources, loads, daily facts and their history."""

import secrets

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from kpis import metrics
from roles.fields import MicrosField
from roles.models import Campaign, Channel, Company, CompanyOwned, Membership, in_language


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


def new_hash_key() -> str:
    """256 random bits as hex."""
    return secrets.token_hex(32)


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
    counts_every_deal = models.BooleanField(
        default=False, help_text="of a CRM: its exports hold every deal, so that a day without one is a zero"
    )
    hash_key = models.CharField(
        max_length=64,
        default=new_hash_key,
        editable=False,
        help_text="hex; titles and customers of its deals are told by it",
    )

    class Meta:
        ordering = ["priority", "name"]
        constraints = [models.UniqueConstraint(fields=["company", "code"], name="source_code_once_per_company")]

    def __str__(self):
        return self.name


def upload_folder(company_id: int) -> str:
    """Where the files of a company's loads lie in the storage, with the slash at its end."""
    return f"imports/{company_id}/"


def upload_path(load: "Import", filename: str) -> str:
    return f"{upload_folder(load.company_id)}{load.sha256[:16]}-{load.created_at:%Y%m%d%H%M%S}.upload"


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
    header_row = models.PositiveSmallIntegerField(null=True, help_text="of its headings, where somebody had to say it")
    mapping = models.JSONField(default=dict, help_text="names in the file → codes of channels, as the user confirmed")
    answers = models.JSONField(default=dict, help_text="what somebody answered about the file, see kpis.answers")
    currency = models.CharField(max_length=3, blank=True, help_text="of the file, where it is not the company's")
    rate = MicrosField(null=True, blank=True, help_text="what one unit of that currency is in the company's")
    scale = MicrosField(
        null=True, blank=True, help_text="what its money is multiplied by, as somebody said; 0.01: it is in kopecks"
    )
    rows_read = models.PositiveIntegerField(default=0, help_text="while it runs: rows of the file that are read")
    read_share = models.PositiveSmallIntegerField(default=0, help_text="while it runs: of the file, in per cent")
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


class ColumnMap(CompanyOwned):
    """What somebody said about the columns of one heading of one source: the next file with that heading is read so.

    `header`: the headings as `custom.heading_of` leaves them. `columns`: see `custom.Custom`. `version` grows with every
    change, so that a load never runs by another map than the one it was previewed with.
    """

    class Step(models.TextChoices):
        DAY = "day", _("a day")
        WEEK = "week", _("a week from that day on")
        MONTH = "month", _("a calendar month")

    class Order(models.TextChoices):
        UNTOLD = "", _("other spellings only")
        DAY_FIRST = "dmy", _("day, month, year")
        MONTH_FIRST = "mdy", _("month, day, year")

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="column_maps")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the headings")
    header = models.JSONField()
    columns = models.JSONField(help_text='[{"what", "metric"?, "channel"?, "unit"?}], a place for each column')
    step = models.CharField(max_length=5, choices=Step, default=Step.DAY)
    is_sparse = models.BooleanField(
        default=False, help_text="days stand apart, and each row is a day, as somebody said"
    )
    order = models.CharField(max_length=3, choices=Order, blank=True, default=Order.UNTOLD)
    version = models.PositiveSmallIntegerField(default=1)
    created_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["company", "source", "digest"], name="columns_of_a_heading_once"),
        ]

    def __str__(self):
        return f"{self.source_id}: {', '.join(self.header[:4])}"


class CampaignMatch(CompanyOwned):
    """Which campaign a source means by a name or an id that is not the campaign's own: said once, kept for its next files."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="+")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="+")
    external_id = models.CharField(max_length=120, help_text="as the source's files have it")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "source", "channel", "external_id"], name="campaign_match_once_per_source"
            )
        ]

    def __str__(self):
        return f"{self.external_id} → {self.campaign_id}"


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
    line = models.IntegerField(null=True, help_text="the row of that Import's file, as a spreadsheet counts it")

    def __str__(self):
        return f"{self.day} {self.channel_id}/{self.campaign_id}"


class PastFact(MetricColumns, CompanyOwned):
    """What a row of facts was until something changed it."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, **UNCHECKED)
    day = models.DateField()
    channel_id = models.BigIntegerField()
    campaign_id = models.BigIntegerField(default=0)
    source_id = models.BigIntegerField()

    class Meta:
        abstract = True


class FactRevision(PastFact):
    """What a row of facts was before a load changed it: gives undo, history and "as known on Friday".

    `existed` false: the load created the row. Written in the transaction of the load, one row per changed fact.
    """

    load = models.ForeignKey(Import, on_delete=models.CASCADE, db_constraint=False, related_name="revisions")
    existed = models.BooleanField()
    previous_load_id = models.BigIntegerField(null=True)
    previous_line = models.IntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["company", "channel_id", "day"], name="revision_by_scope_and_day")]

    def __str__(self):
        return f"{self.day} {self.channel_id}/{self.campaign_id} before {self.load_id}"


class UndoneFact(PastFact):
    """What a row of facts was before its load was undone: people saw it until then, so "as known on" needs it.

    `load`: the load that was taken back. Written in the transaction of the undoing.
    """

    load = models.ForeignKey(Import, on_delete=models.CASCADE, db_constraint=False, related_name="+")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["company", "channel_id", "day"], name="undone_by_scope_and_day")]

    def __str__(self):
        return f"{self.day} {self.channel_id}/{self.campaign_id} until {self.at}"
