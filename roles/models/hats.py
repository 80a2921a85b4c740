"""Roles with the versions of what they say, and who is appointed to them."""

from django.db import models
from django.db.models import F, Q

from roles.models.channels import Channel
from roles.models.company import CompanyOwned, in_language
from roles.models.people import Membership
from roles.permissions import RoleKind


class Versioned(CompanyOwned):
    """A text or rule that changes only by a new version with a reason; the current one has no `superseded_at`."""

    number = models.PositiveIntegerField(default=1)
    valid_from = models.DateField()
    reason = models.CharField(max_length=500)
    created_by = models.ForeignKey("roles.Membership", on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class Role(CompanyOwned):
    """A hat: a function that lives without people. What it says stands in its versions."""

    code = models.SlugField(max_length=40)
    kind = models.CharField(max_length=20, choices=RoleKind.choices())
    is_builtin = models.BooleanField(default=False)
    is_archived = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["company", "code"], name="role_code_once_per_company")]

    def __str__(self):
        return self.code


class RoleVersion(Versioned):
    """What a role is for. `duties`: [{"key", "ru", "en", "cadence": day|week|month|quarter}]; `kpis`: KPI codes, first the main one."""

    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="versions")
    name_ru = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120, blank=True)
    mission_ru = models.TextField(blank=True)
    mission_en = models.TextField(blank=True)
    duties = models.JSONField(default=list)
    kpis = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "role", "number"], name="role_version_number_once"),
            models.UniqueConstraint(
                fields=["company", "role"], condition=Q(superseded_at=None), name="role_has_one_current_version"
            ),
        ]

    def __str__(self):
        return self.name

    @property
    def name(self) -> str:
        return in_language(self.name_ru, self.name_en)

    @property
    def mission(self) -> str:
        return in_language(self.mission_ru, self.mission_en)

    @property
    def duty_texts(self) -> list[str]:
        return [in_language(duty.get("ru", ""), duty.get("en", "")) for duty in self.duties]


class Appointment(CompanyOwned):
    """Role × person × (channel) × from–to, with a deputy. Both days are included; an open end is null."""

    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="appointments")
    person = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="appointments")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, null=True, blank=True, related_name="appointments")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    hours_per_week = models.PositiveSmallIntegerField(null=True, blank=True)
    interim = models.BooleanField(
        default=False, help_text="fell to this person when the holder left: the role is shown vacant"
    )
    deputy = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="deputy_for")
    appointed_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["starts_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")), name="appointment_ends_after_start"
            ),
            models.CheckConstraint(condition=~Q(deputy=F("person")), name="nobody_deputises_themselves"),
        ]

    def __str__(self):
        return f"{self.role_id} × {self.person_id}"
