"""A departure with everything it hands over, and the rehearsals of an absence."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from roles.models import Channel, CompanyOwned, Membership, Role


class Handover(CompanyOwned):
    """A person leaves after `last_day`. Open until everything they held has an owner who agreed to it."""

    class State(models.TextChoices):
        OPEN = "open", _("prepares")
        LEFT = "left", _("has left, not everything is handed over")
        CLOSED = "closed", _("handed over")
        CANCELLED = "cancelled", _("stays after all")

    UNFINISHED = (State.OPEN, State.LEFT)

    person = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="handovers")
    last_day = models.DateField()
    reason = models.CharField(max_length=300)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    created_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True, help_text="when the membership ended")
    closed_at = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=400, blank=True, help_text="why the membership could not be ended on its day")

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["company", "person"],
                condition=Q(state__in=["open", "left"]),
                name="person_leaves_once_at_a_time",
            )
        ]

    def __str__(self):
        return f"{self.person_id} {self.last_day}"

    @property
    def is_unfinished(self) -> bool:
        return self.state in self.UNFINISHED


class HandoverItem(CompanyOwned):
    """One thing that passes to somebody. `object_id`: of the appointment, channel, check, rule, source … it is."""

    class Kind(models.TextChoices):
        HAT = "hat", _("hat")
        COORDINATION = "coordination", _("coordination of a channel")
        DEPUTY = "deputy", _("deputising")
        CHECK = "check", _("external check")
        RULE = "rule", _("stop-rule")
        SOURCE = "source", _("source of data")
        ACTION = "action", _("action")
        ACCESS = "access", _("access")
        DOCUMENT = "document", _("document")
        CONTRACTOR = "contractor", _("contractor")

    class State(models.TextChoices):
        PROPOSED = "proposed", _("waits for the successor")
        CONFIRMED = "confirmed", _("successor agrees")
        DECLINED = "declined", _("successor declined")
        FELL = "fell", _("fell to somebody meanwhile")
        PASSED = "passed", _("handed over")
        GONE = "gone", _("nothing to hand over any more")

    SETTLED = (State.PASSED, State.GONE)
    AWAITED = (State.PROPOSED, State.FELL)
    LEFT_TO_DO = (State.PROPOSED, State.DECLINED, State.FELL)

    handover = models.ForeignKey(Handover, on_delete=models.CASCADE, related_name="items")
    kind = models.CharField(max_length=12, choices=Kind)
    object_id = models.PositiveBigIntegerField()
    label = models.CharField(max_length=300)
    channel = models.ForeignKey(Channel, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    successor = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="to_take_over"
    )
    named_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.PROPOSED)
    note = models.CharField(max_length=300, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True, help_text="when the successor of now was asked")
    answered_at = models.DateTimeField(null=True, blank=True)
    passed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["company", "handover", "kind", "object_id"], name="handed_over_once")
        ]

    def __str__(self):
        return self.label

    @property
    def is_awaited(self) -> bool:
        """Somebody was asked and has not answered."""
        return self.state in self.AWAITED and self.successor_id is not None


class Drill(CompanyOwned):
    """A rehearsal: what would have stopped had a person been away from `first_day` to `last_day`. Nothing happens by it.

    `stopped`: [{"what", "name", "stand_in" (a name, or empty)}], frozen as it was found.
    """

    person = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="drills")
    first_day = models.DateField()
    last_day = models.DateField()
    stopped = models.JSONField(default=list)
    run_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    run_at = models.DateTimeField()

    class Meta:
        ordering = ["-run_at", "-pk"]

    def __str__(self):
        return f"{self.person_id} {self.first_day}"
