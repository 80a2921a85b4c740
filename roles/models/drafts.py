"""A reorganisation tried on paper: moves that are only written down until somebody applies them all."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from roles.models.channels import Channel
from roles.models.company import CompanyOwned
from roles.models.conflicts import ExternalCheck
from roles.models.hats import Appointment, Role
from roles.models.people import Membership


class Reorganisation(CompanyOwned):
    """A draft map. `starts_on`: the day its moves begin; `reason`: given when it is applied or discarded."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        APPLIED = "applied", _("applied")
        DISCARDED = "discarded", _("discarded")

    title = models.CharField(_("what for"), max_length=120)
    starts_on = models.DateField(_("from"))
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    reason = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    closed_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self):
        return self.title

    @property
    def is_draft(self) -> bool:
        return self.state == self.State.DRAFT


class Move(CompanyOwned):
    """One step of a draft: a hat given, an appointment ended, a deputy named. The check is what `appoint` asks for a clash."""

    class Kind(models.TextChoices):
        END = "end", _("end an appointment")
        APPOINT = "appoint", _("give a hat")
        DEPUTY = "deputy", _("name a deputy")

    reorganisation = models.ForeignKey(Reorganisation, on_delete=models.CASCADE, related_name="moves")
    kind = models.CharField(max_length=10, choices=Kind)
    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    person = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    deputy = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    hours_per_week = models.PositiveSmallIntegerField(null=True, blank=True)
    checker = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    what = models.CharField(max_length=300, blank=True)
    cadence = models.CharField(max_length=10, choices=ExternalCheck.Cadence, blank=True)
    until = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="appoint", role__isnull=False, person__isnull=False)
                | Q(kind__in=["end", "deputy"], appointment__isnull=False),
                name="move_says_what_moves",
            )
        ]

    def __str__(self):
        return f"{self.kind} {self.role_id or self.appointment_id}"
