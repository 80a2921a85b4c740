"""What the evaluation of stop-rules leaves behind: states, the log, breaches, data incidents; and the signatures it applies."""

from django.db import models
from django.db.models import Q, Value
from django.utils.translation import gettext_lazy as _

from kpis.models.facts import UNCHECKED
from kpis.models.rules import StopRule, StopRuleVersion
from roles.fields import MicrosField
from roles.models import Campaign, Channel, Company, CompanyOwned, Membership


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


class LogLine(ScopedRow):
    """What was judged of one day of one rule version on one scope.

    No foreign key constraint and no guard stands on such tables: they are four fifths of the time of writing them. Only
    the evaluation writes here, from what it has read by company; `check_tenancy` watches.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, **UNCHECKED)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, **UNCHECKED)
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, null=True, blank=True, **UNCHECKED)
    version = models.ForeignKey(StopRuleVersion, on_delete=models.CASCADE, **UNCHECKED)
    day = models.DateField()
    day_class = models.CharField(max_length=10)
    state = models.CharField(max_length=12)
    numerator = MicrosField(null=True)
    denominator = MicrosField(null=True)
    streak = models.PositiveSmallIntegerField(default=0)
    seen_load_id = models.BigIntegerField(
        null=True, help_text="the newest Import whose figures this line knew when it was written last"
    )

    class Meta:
        abstract = True

    def __str__(self):
        return f"{self.version_id} {self.day} {self.day_class}"


class EvaluationLog(LogLine):
    """Why a rule did or did not fire on a day: one line per version, scope and day."""

    version = models.ForeignKey(StopRuleVersion, on_delete=models.CASCADE, **UNCHECKED | {"related_name": "log"})

    class Meta:
        constraints = once_per_scope("evaluation_log_once", "version", "day")
        indexes = [models.Index(fields=["company", "day"], name="evaluation_log_by_day")]


class EvaluationLogRevision(LogLine):
    """A line of the log as it was before late data, other bounds or an undone load changed it: what it said then.

    `changed_by_load_id`: the newest Import when it changed; None where none has come since the line was written, as when
    the load behind it was undone.
    """

    changed_by_load_id = models.BigIntegerField(null=True)
    changed_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["company", "version", "day"], name="log_revision_by_day")]


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
    held_by = models.ForeignKey(
        "DataIncident", on_delete=models.SET_NULL, null=True, blank=True, related_name="held",
        help_text="the incident that keeps its decision back until people have looked at the figures",
    )  # fmt: skip
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

    @property
    def is_held(self) -> bool:
        """Does an open data incident keep its decision back?"""
        return self.held_by_id is not None and self.held_by.state == DataIncident.State.OPEN


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
    kept = models.JSONField(
        default=list,
        blank=True,
        db_default=Value([], models.JSONField()),
        help_text="of a channel's stop: ids of the campaigns that go on",
    )

    class Meta:
        ordering = ["day", "pk"]

    def __str__(self):
        return f"{self.kind} {self.day}"


class DataIncident(ScopedRow):
    """Figures that cannot be trusted, for the analyst.

    A gap is one rule, scope and run of missing days; it closes by itself when figures come. A mass fire and a day of
    zeros are about the whole company (no rule, no channel): they hold the decisions of their breaches until the analyst
    or the CMO releases them with a reason. A doubt is what a person opened for a channel, or all of them, and days: while
    it is open rules have no data for these days, whatever stands there.
    """

    class Kind(models.TextChoices):
        GAP = "gap", _("figures stopped coming")
        MASS_FIRE = "mass_fire", _("many rules fired at once")
        ZEROS = "zeros", _("zero conversions on several channels")
        DOUBT = "doubt", _("figures in doubt")

    HOLDING = (Kind.MASS_FIRE, Kind.ZEROS)
    """Kinds that the guard opens and that keep decisions back."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        CLOSED = "closed", _("closed")
        RELEASED = "released", _("released")

    kind = models.CharField(max_length=10, choices=Kind, default=Kind.GAP)
    rule = models.ForeignKey(StopRule, on_delete=models.CASCADE, null=True, blank=True, related_name="incidents")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    first_day = models.DateField(help_text="the first day of the run")
    last_day = models.DateField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    why = models.CharField(
        max_length=300, blank=True, help_text="of a doubt: what is wrong, in the words of who saw it"
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    note = models.CharField(max_length=300, blank=True, help_text="why it was released, in the words of who did it")
    figures = models.JSONField(default=dict, help_text="what made it: channels, counts, spend")

    class Meta:
        ordering = ["-pk"]
        constraints = [
            *once_per_scope("incident_once", "rule", "first_day"),
            models.UniqueConstraint(
                fields=["company", "kind", "first_day"],
                condition=Q(rule=None) & ~Q(kind="doubt"),
                name="company_incident_once",
            ),
            models.CheckConstraint(
                condition=Q(kind="gap", rule__isnull=False, channel__isnull=False)
                | Q(kind="doubt", rule=None, campaign=None)
                | (~Q(kind__in=["gap", "doubt"]) & Q(rule=None, channel=None, campaign=None)),
                name="incident_knows_its_scope",
            ),
        ]

    def __str__(self):
        return f"{self.kind} {self.first_day}"

    @property
    def is_held_open(self) -> bool:
        """Does it keep decisions back, or days out of them, until somebody releases them?"""
        return self.kind != self.Kind.GAP and self.state == self.State.OPEN

    @property
    def words(self) -> str:
        """What it is about: the channel or campaign of a gap or a doubt, the channels of the others."""
        if self.kind in self.HOLDING:
            return ", ".join(self.figures.get("channels", ()))
        return str(self.subject or _("all channels"))


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
    fingerprint = models.CharField(
        max_length=32,
        blank=True,
        db_default="",
        help_text="of the rules, scopes and budgets that the last evaluation judged by",
    )

    def __str__(self):
        return f"evaluation of {self.company_id}"
