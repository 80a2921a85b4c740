"""How: decisions with their evidence and signatures, and the actions they give people."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from kpis.models import Breach
from roles.models import Campaign, Channel, CompanyOwned, Membership
from roles.permissions import RoleKind


class Choice(models.TextChoices):
    """What a decision about a breach may choose; "do nothing" is `continue` with a date."""

    STOP = "stop", _("stop")
    CONTINUE = "continue", _("continue until a date")
    REWRITE = "rewrite", _("rewrite")
    CUT = "cut", _("cut the budget")
    FALSE_ALARM = "false_alarm", _("false alarm")


class SealedDecision(ValidationError):
    """A signed decision never changes: a correction is a new decision that supersedes it."""


class Decision(CompanyOwned):
    """A question with frozen evidence, options, a choice, a reason and a signature. Sealed when signed.

    `evidence` and `options` are JSON frozen when the decision opens and once more when it is signed (see
    `processes.evidence`); `number` counts within the company and year of opening: № 2026-118. `attempt` grows when a
    second signature is refused and the question is open again. `round` counts the answers: a question that was withdrawn
    gives its round to the next one.
    """

    class Kind(models.TextChoices):
        STOP_RULE = "stop_rule", _("stop-rule")

    class State(models.TextChoices):
        OPEN = "open", _("waits for a decision")
        WAITING_COSIGN = "waiting_cosign", _("waits for the second signature")
        SIGNED = "signed", _("signed")
        WITHDRAWN = "withdrawn", _("withdrawn")
        SUPERSEDED = "superseded", _("superseded")

    class Cosigner(models.TextChoices):
        OWNER = "owner", _("owner")
        CHECKER = "checker", _("checker")

    UNDECIDED = (State.OPEN, State.WAITING_COSIGN)

    year = models.PositiveSmallIntegerField()
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.STOP_RULE)
    question = models.CharField(max_length=300)
    state = models.CharField(max_length=15, choices=State, default=State.OPEN)
    breach = models.ForeignKey(Breach, on_delete=models.PROTECT, null=True, blank=True, related_name="decisions")
    round = models.PositiveSmallIntegerField(default=1)
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, null=True, blank=True, related_name="decisions")
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, null=True, blank=True, related_name="decisions")
    evidence = models.JSONField(default=dict)
    options = models.JSONField(default=list)
    recommendation = models.CharField(max_length=12, choices=Choice, blank=True)
    opened_at = models.DateTimeField()
    deadline_at = models.DateTimeField()
    choice = models.CharField(max_length=12, choices=Choice, blank=True)
    reason = models.TextField(blank=True)
    terms = models.JSONField(
        default=dict, help_text="until, extra_spend, budget, resume_on, keep, assignee, due, expected"
    )
    signed_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    signed_as = models.CharField(max_length=20, blank=True, help_text="role kind of the signer at that moment")
    signed_at = models.DateTimeField(null=True, blank=True)
    cosigner = models.CharField(
        max_length=7, choices=Cosigner, blank=True, help_text="whose second signature the choice needs; empty: nobody's"
    )
    attempt = models.PositiveSmallIntegerField(default=1)
    effective_at = models.DateTimeField(null=True, blank=True)
    seal = models.CharField(max_length=64, blank=True, help_text="SHA-256 of evidence, choice, reason, terms, signers")
    review_on = models.DateField(null=True, blank=True)
    supersedes = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="superseded_by"
    )
    closed_note = models.CharField(max_length=300, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True, help_text="when it ended without a signature of its own")
    awaited = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        help_text="whose word was awaited when the deadline passed and nothing was in force",
    )  # fmt: skip

    class Meta:
        ordering = ["-opened_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["company", "year", "number"], name="decision_number_once"),
            models.UniqueConstraint(
                fields=["company", "breach", "round"],
                name="decision_once_per_answered_round",
                condition=Q(breach__isnull=False, state__in=["open", "waiting_cosign", "signed"]),
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "withdrawn", "superseded"])
                | (Q(signed_by__isnull=False, signed_at__isnull=False) & ~Q(choice="")),
                name="signed_decision_has_signer",
            ),
        ]

    def __str__(self):
        return f"№ {self.year}-{self.number}"

    @classmethod
    def from_db(cls, db, field_names, values):
        row = super().from_db(db, field_names, values)
        row.was_sealed = "seal" in field_names and bool(row.seal)
        return row

    def save(self, **kwargs):
        """Raises SealedDecision for a decision that was read with its seal."""
        if getattr(self, "was_sealed", False):
            raise SealedDecision(_("A signed decision never changes."))
        super().save(**kwargs)

    def delete(self, **kwargs):
        """Raises SealedDecision as `save` does."""
        if getattr(self, "was_sealed", False):
            raise SealedDecision(_("A signed decision never changes."))
        return super().delete(**kwargs)

    @property
    def is_open(self) -> bool:
        return self.state in self.UNDECIDED

    @property
    def subject(self):
        return self.campaign or self.channel

    @property
    def kept_evidence(self) -> dict:
        """What it saw: at its signature, else when it opened."""
        return self.evidence.get("at_signature") or self.evidence


class Signature(CompanyOwned):
    """One signature under a decision; append-only, the database refuses UPDATE and DELETE.

    `attempt` is the decision's at that moment: a refused proposal keeps its signatures, the next one gets its own.
    """

    class Part(models.TextChoices):
        SIGN = "sign", _("decided")
        COSIGN = "cosign", _("second signature")
        REFUSE = "refuse", _("refused")

    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="signatures")
    person = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    signed_as = models.CharField(max_length=20)
    part = models.CharField(max_length=6, choices=Part)
    choice = models.CharField(max_length=12, choices=Choice)
    reason = models.TextField(blank=True)
    attempt = models.PositiveSmallIntegerField(default=1)
    at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["company", "decision", "part", "attempt"], name="signature_once_per_part")
        ]

    def __str__(self):
        return f"{self.part} {self.decision_id}"

    @property
    def signed_label(self) -> str:
        """The hat it was given under, in words."""
        return RoleKind(self.signed_as).label if self.signed_as in list(RoleKind) else ""


class Review(CompanyOwned):
    """What came of a signed decision: the forecast beside the fact, and the word of whoever looked.

    The decision itself is sealed and never changes. `forecast` and `fact` are JSON (see `processes.forecasts`), frozen when
    the review is done; of `data_changed` also when it opens: the figures that were signed, and those that stand there now.
    """

    class Kind(models.TextChoices):
        DUE = "due", _("its day has come")
        DATA_CHANGED = "data_changed", _("the figures have changed since")

    class State(models.TextChoices):
        OPEN = "open", _("to be reviewed")
        DONE = "done", _("reviewed")

    class Outcome(models.TextChoices):
        CAME_TRUE = "came_true", _("came true")
        PARTLY = "partly", _("came true in part")
        NO = "no", _("did not come true")
        CANNOT_TELL = "cannot_tell", _("cannot tell")

    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="reviews")
    kind = models.CharField(max_length=12, choices=Kind)
    state = models.CharField(max_length=4, choices=State, default=State.OPEN)
    due_on = models.DateField()
    opened_at = models.DateTimeField()
    forecast = models.JSONField(default=dict)
    fact = models.JSONField(default=dict)
    verdict = models.CharField(max_length=11, choices=Outcome, blank=True)
    note = models.TextField(blank=True)
    reviewed_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["due_on", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["company", "decision"], condition=Q(kind="due"), name="decision_reviewed_once_on_its_day"
            ),
            models.UniqueConstraint(
                fields=["company", "decision", "kind"], condition=Q(state="open"), name="review_open_once"
            ),
            models.CheckConstraint(
                condition=Q(state="open", reviewed_by=None, reviewed_at=None, verdict="")
                | (Q(state="done", reviewed_by__isnull=False, reviewed_at__isnull=False) & ~Q(verdict="")),
                name="done_review_has_a_reviewer",
            ),
        ]

    def __str__(self):
        return f"{self.kind} {self.decision_id}"

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN


class Action(CompanyOwned):
    """A to-do with owner and date; undone ones are carried over with a counter. A rewrite also has to be accepted by another person,
    a doubt about a figure is answered by another one than who had it."""

    class State(models.TextChoices):
        OPEN = "open", _("to do")
        DONE = "done", _("done")
        DROPPED = "dropped", _("dropped")

    class Kind(models.TextChoices):
        TODO = "todo", _("to-do")
        STOP = "stop", _("stop in the cabinet")
        REWRITE = "rewrite", _("rewrite")
        CUT = "cut", _("cut in the cabinet")
        FLAG = "flag", _("put right")
        DOUBT = "doubt", _("look at a doubted figure")

    text = models.CharField(max_length=400)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.TODO)
    owner = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="actions")
    due_on = models.DateField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, null=True, blank=True, related_name="actions")
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, null=True, blank=True, related_name="actions")
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, null=True, blank=True, related_name="actions")
    carried = models.PositiveSmallIntegerField(default=0)
    created_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    closed_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_note = models.CharField(max_length=300, blank=True)
    accepted_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    accepted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["due_on", "pk"]

    def __str__(self):
        return self.text


class RoleReview(CompanyOwned):
    """Time to look at roles and KPIs again (R11). `triggers`: [{"code", "key", …}] as `processes.triggers` tells them; more may
    come while it is open. Done with a conclusion: what was changed, or why nothing."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        DONE = "done", _("done")

    opened_at = models.DateTimeField()
    due_on = models.DateField()
    triggers = models.JSONField(default=list)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    conclusion = models.TextField(blank=True)
    done_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["company"], condition=Q(state="open"), name="one_open_role_review"),
        ]

    def __str__(self):
        return f"{self.due_on:%d.%m.%Y}"
