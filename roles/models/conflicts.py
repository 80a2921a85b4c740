"""Duties that must not meet in one person, and the outside checks that let them meet for a while."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from roles.models.company import CompanyOwned, in_language
from roles.models.hats import Role, Versioned
from roles.models.people import Membership
from roles.permissions import RoleKind


class Incompatibility(CompanyOwned):
    """A pair of duties: each side is one role, or every role of a kind. What it says stands in its versions."""

    left_role = models.ForeignKey(Role, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    left_kind = models.CharField(max_length=20, choices=RoleKind.choices(), blank=True)
    right_role = models.ForeignKey(Role, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    right_kind = models.CharField(max_length=20, choices=RoleKind.choices(), blank=True)
    is_builtin = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(Q(left_role=None) ^ Q(left_kind="")) & (Q(right_role=None) ^ Q(right_kind="")),
                name="incompatibility_names_both_sides",
            ),
        ]

    def __str__(self):
        return f"{self.left_role_id or self.left_kind} × {self.right_role_id or self.right_kind}"


class IncompatibilityVersion(Versioned):
    """Why the two duties must not meet, from a day on; `is_active` False: the owner lets them meet. `reason`: of the change."""

    pair = models.ForeignKey(Incompatibility, on_delete=models.CASCADE, related_name="versions")
    why_ru = models.CharField(max_length=300)
    why_en = models.CharField(max_length=300, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "pair", "number"], name="incompatibility_version_once"),
            models.UniqueConstraint(
                fields=["company", "pair"], condition=Q(superseded_at=None), name="incompatibility_has_one_current"
            ),
        ]

    def __str__(self):
        return self.why

    @property
    def why(self) -> str:
        return in_language(self.why_ru, self.why_en)


class ExternalCheck(CompanyOwned):
    """Who looks at the work of a person whose duties clash: what, how often, until when. Both days are included."""

    class Cadence(models.TextChoices):
        WEEK = "week", _("every week")
        FORTNIGHT = "fortnight", _("every two weeks")
        MONTH = "month", _("every month")

    person = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="checked_by")
    pair = models.ForeignKey(Incompatibility, on_delete=models.PROTECT, related_name="checks")
    checker = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="checks")
    what = models.CharField(_("what is checked"), max_length=300)
    cadence = models.CharField(_("how often"), max_length=10, choices=Cadence)
    starts_on = models.DateField()
    until = models.DateField()
    ended_on = models.DateField(null=True, blank=True, help_text="the last day it counted when it ended early")
    named_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["starts_on", "pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(checker=F("person")), name="nobody_checks_themselves"),
            models.CheckConstraint(condition=Q(until__gte=F("starts_on")), name="check_ends_after_start"),
        ]

    def __str__(self):
        return f"{self.person_id} ← {self.checker_id}"

    @property
    def last_day(self):
        return min(self.until, self.ended_on) if self.ended_on else self.until


class CheckRound(CompanyOwned):
    """One look at the days `first_day`–`last_day`; signed by the checker until `due_on`, else the check is skipped."""

    class Outcome(models.TextChoices):
        CLEAN = "clean", _("in order")
        FINDINGS = "findings", _("with remarks")

    external_check = models.ForeignKey(ExternalCheck, on_delete=models.CASCADE, related_name="rounds")
    first_day = models.DateField()
    last_day = models.DateField()
    due_on = models.DateField()
    skipped_at = models.DateTimeField(null=True, blank=True, help_text="when the day passed without a signature")
    signed_at = models.DateTimeField(null=True, blank=True)
    signed_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    finding = models.TextField(blank=True)
    sample = models.JSONField(default=list, help_text="ids of the audit events that were looked at")

    class Meta:
        ordering = ["last_day", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["company", "external_check", "last_day"], name="check_round_once"),
            models.CheckConstraint(
                condition=Q(signed_at=None) | (Q(signed_by__isnull=False) & ~Q(outcome="") & ~Q(finding="")),
                name="signed_round_says_what_was_found",
            ),
        ]

    def __str__(self):
        return f"{self.first_day}–{self.last_day}"
