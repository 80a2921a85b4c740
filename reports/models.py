"""What people submit and see: the weekly report of a channel, the CMO's summary, and the record of dashboards shown."""

from datetime import date, timedelta

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from processes.models import Action
from roles.fields import MicrosField
from roles.models import Channel, CompanyOwned, Membership


class Timeliness(models.TextChoices):
    """How a part of the report kept its deadline; empty while it is not due."""

    ON_TIME = "on_time", _("on time")
    LATE = "late", _("late")
    MISSED = "missed", _("missed")
    EXCUSED = "excused", _("excused")


class WeeklyReport(CompanyOwned):
    """One channel, one ISO week (`week` is its Monday): plan, fact, conclusion, action. Whoever holds the role fills it.

    The plan and the fact are submitted apart. `snapshot` holds the figures as they were when the fact was submitted,
    `final` as they were at the lock; both {"measures": {code: "decimal string" or null}, "days": [..], "at": ISO}.
    """

    class State(models.TextChoices):
        EMPTY = "empty", _("not started")
        DRAFT = "draft", _("draft")
        SUBMITTED = "submitted", _("submitted")
        RETURNED = "returned", _("returned")
        ACCEPTED = "accepted", _("accepted")
        LOCKED = "locked", _("locked")

    class Cause(models.TextChoices):
        DATA = "data", _("data")
        MARKET = "market", _("market")
        EXECUTION = "execution", _("execution")
        HYPOTHESIS = "hypothesis", _("the hypothesis was wrong")

    class LateReason(models.TextChoices):
        NO_DATA = "no_data", _("There were no figures")
        AWAY = "away", _("Ill or away")
        NO_TIME = "no_time", _("Not enough time")
        WAITING = "waiting", _("Waited for a decision")

    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="weekly_reports")
    week = models.DateField(help_text="Monday of the ISO week")
    version = models.PositiveIntegerField(default=1, help_text="grows with every write: the ETag")

    plan_due_at = models.DateTimeField()
    fact_opens_at = models.DateTimeField()
    fact_due_at = models.DateTimeField()
    locks_at = models.DateTimeField()

    plan_submitted_at = models.DateTimeField(null=True, blank=True)
    plan_submitted_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    plan_timeliness = models.CharField(max_length=10, choices=Timeliness, blank=True)
    plan_on_behalf = models.BooleanField(default=False)

    state = models.CharField(max_length=10, choices=State, default=State.EMPTY)
    timeliness = models.CharField(max_length=10, choices=Timeliness, blank=True)
    fact_submitted_at = models.DateTimeField(null=True, blank=True)
    fact_submitted_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    on_behalf = models.BooleanField(default=False)
    snapshot = models.JSONField(null=True, blank=True)
    final = models.JSONField(null=True, blank=True)
    cause = models.CharField(max_length=12, choices=Cause, blank=True)
    conclusion = models.TextField(blank=True)
    no_action_reason = models.CharField(max_length=300, blank=True)
    late_reason = models.CharField(max_length=10, choices=LateReason, blank=True)
    reviewed_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True, blank=True)
    return_note = models.CharField(max_length=400, blank=True)
    reopened_until = models.DateTimeField(null=True, blank=True)
    excused_for = models.CharField(
        max_length=200, blank=True, help_text="why nothing was owed: whose absence, or the calendar"
    )
    draft = models.JSONField(
        default=dict, blank=True, help_text="actions and marks on promises that are not given yet: see reports.filing"
    )
    saved_at = models.DateTimeField(null=True, blank=True)
    saved_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-week", "channel__position", "channel__name"]
        constraints = [
            models.UniqueConstraint(fields=["company", "channel", "week"], name="weekly_report_once"),
            models.CheckConstraint(condition=Q(week__iso_week_day=1), name="week_is_its_monday"),
            models.CheckConstraint(
                condition=Q(plan_submitted_at=None, plan_submitted_by=None)
                | Q(plan_submitted_at__isnull=False, plan_submitted_by__isnull=False),
                name="plan_submission_has_person",
            ),
        ]

    def __str__(self):
        return f"{self.channel_id} {self.week:%G-W%V}"


class PlanLine(CompanyOwned):
    """The planned figure of one measure (KPI or metric code) for the week; `amended` is a later value with its reason."""

    class Basis(models.TextChoices):
        """Where a figure that nobody has touched comes from."""

        TARGET = "target", _("from the targets")
        LAST_WEEKS = "last_weeks", _("as in the last weeks")
        TYPED = "typed", _("typed")

    report = models.ForeignKey(WeeklyReport, on_delete=models.CASCADE, related_name="plan_lines")
    position = models.PositiveSmallIntegerField(default=0)
    measure = models.SlugField(max_length=40)
    value = MicrosField(null=True, blank=True)
    basis = models.CharField(max_length=10, choices=Basis, blank=True)
    amended = MicrosField(null=True, blank=True)
    amend_reason = models.CharField(max_length=300, blank=True)
    typed_fact = MicrosField(null=True, blank=True, help_text="only where no source gives the metric")
    typed_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["position", "pk"]
        constraints = [models.UniqueConstraint(fields=["company", "report", "measure"], name="plan_line_once")]

    def __str__(self):
        return self.measure

    @property
    def planned(self):
        return self.value if self.amended is None else self.amended


class PlanItem(CompanyOwned):
    """One of at most five things promised for the week, with the number expected and (once filed) what came of it."""

    report = models.ForeignKey(WeeklyReport, on_delete=models.CASCADE, related_name="plan_items")
    position = models.PositiveSmallIntegerField(default=0)
    text = models.CharField(max_length=200)
    expected = MicrosField(null=True, blank=True)
    actual = MicrosField(null=True, blank=True)
    clause = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self):
        return self.text


class ReportAction(CompanyOwned):
    """An action that a report's fact promised; the action itself lives in `processes`."""

    report = models.ForeignKey(WeeklyReport, on_delete=models.CASCADE, related_name="action_links")
    action = models.ForeignKey(Action, on_delete=models.CASCADE, related_name="report_links")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["company", "report", "action"], name="report_action_once")]

    def __str__(self):
        return f"{self.report_id} → {self.action_id}"


class FigureDispute(CompanyOwned):
    """Somebody's doubt about a figure that a source gave: a task for the analyst; open while the task is."""

    report = models.ForeignKey(WeeklyReport, on_delete=models.CASCADE, related_name="disputes")
    measure = models.SlugField(max_length=40)
    shown = MicrosField(null=True, blank=True, help_text="the figure that was disputed")
    expected = MicrosField(null=True, blank=True, help_text="what it should be, in the author's view")
    note = models.CharField(max_length=300)
    action = models.OneToOneField(Action, on_delete=models.CASCADE, related_name="dispute")
    opened_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]

    def __str__(self):
        return f"{self.report_id} {self.measure}"


class CarryChoice(CompanyOwned):
    """What was decided about an action that had been moved three times: it cannot simply be moved once more."""

    class Choice(models.TextChoices):
        DROP = "drop", _("drop")
        SPLIT = "split", _("split into smaller ones")
        HAND_OVER = "hand_over", _("hand over to somebody else")
        RAISE = "raise", _("raise to the director or the owner")

    action = models.ForeignKey(Action, on_delete=models.CASCADE, related_name="carry_choices")
    choice = models.CharField(max_length=10, choices=Choice)
    reason = models.CharField(max_length=300)
    carried = models.PositiveSmallIntegerField(help_text="how often the action had been moved")
    made_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]

    def __str__(self):
        return f"{self.action_id}: {self.choice}"


class WeekSchedule(CompanyOwned):
    """The times of the report week from a Monday on, until the next row. `moments`: {name: [days from Monday, "HH:MM"]}."""

    from_week = models.DateField(help_text="Monday of the first ISO week that it holds for")
    country = models.CharField(max_length=2, blank=True, help_text="whose holidays count; empty: none")
    moments = models.JSONField()
    created_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["from_week"]
        constraints = [
            models.UniqueConstraint(fields=["company", "from_week"], name="week_schedule_once"),
            models.CheckConstraint(condition=Q(from_week__iso_week_day=1), name="schedule_starts_on_monday"),
        ]

    def __str__(self):
        return f"{self.from_week:%G-W%V}"


class CompanyDay(CompanyOwned):
    """A day that the company works or rests otherwise than the calendar says."""

    day = models.DateField()
    is_working = models.BooleanField(default=False)
    name = models.CharField(max_length=120, blank=True)
    created_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["day"]
        constraints = [models.UniqueConstraint(fields=["company", "day"], name="company_day_once")]

    def __str__(self):
        return str(self.day)


class WeekSummary(CompanyOwned):
    """The CMO's words on a week, above the figures that the page computes."""

    week = models.DateField(help_text="Monday of the ISO week")
    text = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1)
    written_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    written_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "week"], name="week_summary_once"),
            models.CheckConstraint(condition=Q(week__iso_week_day=1), name="summary_week_is_its_monday"),
        ]

    def __str__(self):
        return f"{self.week:%G-W%V}"


class Meeting(CompanyOwned):
    """The stand-up on a week (its Monday), planned until somebody starts it. The minutes seal the row: it never changes again.

    `slide` is the code of the channel shown, `summary` for the last one. Seconds are those run before the last suspension;
    `running_since` and `slide_since` count on from there, both empty unless it runs.
    """

    class State(models.TextChoices):
        PLANNED = "planned", _("planned")
        RUNNING = "running", _("under way")
        SUSPENDED = "suspended", _("suspended")
        ENDED = "ended", _("ended")

    week = models.DateField(help_text="Monday of the ISO week that it looks at")
    state = models.CharField(max_length=10, choices=State, default=State.PLANNED)
    version = models.PositiveIntegerField(
        default=1, help_text="grows with every write: who follows asks for news by it"
    )
    presenter = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    slide = models.CharField(max_length=40, blank=True)
    seconds = models.PositiveIntegerField(default=0)
    slide_seconds = models.PositiveIntegerField(default=0)
    running_since = models.DateTimeField(null=True, blank=True)
    slide_since = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    topics = models.JSONField(default=list, blank=True, help_text="three at most, the most important first")
    present = models.JSONField(default=list, blank=True, help_text="ids of the people who followed it")
    minutes = models.JSONField(null=True, blank=True, help_text="see reports.minutes")
    seal = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the minutes")

    class Meta:
        ordering = ["-week"]
        constraints = [
            models.UniqueConstraint(fields=["company", "week"], name="meeting_once_a_week"),
            models.CheckConstraint(condition=Q(week__iso_week_day=1), name="meeting_week_is_its_monday"),
        ]

    def __str__(self):
        return f"{self.week:%G-W%V}"

    @property
    def sunday(self) -> date:
        return self.week + timedelta(days=6)

    @property
    def is_live(self) -> bool:
        return self.state in {self.State.RUNNING, self.State.SUSPENDED}

    def run_for(self, at) -> int:
        """Whole seconds that the meeting has run, suspensions left out."""
        return self.seconds + _whole_seconds(self.running_since, at)

    @property
    def lasted(self) -> timedelta:
        """How long it ran, suspensions left out; of one that has ended."""
        return timedelta(seconds=self.seconds)

    def slide_for(self, at) -> int:
        """Whole seconds that the slide has been shown."""
        return self.slide_seconds + _whole_seconds(self.slide_since, at)


def _whole_seconds(since, at) -> int:
    return max(0, int((at - since).total_seconds())) if since else 0


class DashboardSnapshot(CompanyOwned):
    """What the owner's page showed on a day: a record, not a cache; pages read figures live."""

    day = models.DateField()
    data = models.JSONField()
    built_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["company", "day"], name="dashboard_snapshot_once")]

    def __str__(self):
        return str(self.day)
