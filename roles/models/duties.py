"""What a hat has done of its checklist."""

from django.db import models
from django.db.models import Q

from roles.models.channels import Channel
from roles.models.company import CompanyOwned
from roles.models.hats import Role
from roles.models.people import Membership


class DutyTick(CompanyOwned):
    """A duty done in one of its periods, for one place of the hat. `instead_of`: the holder for whom a deputy ticked."""

    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="ticks")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    key = models.CharField(max_length=40, help_text="of the duty in the role's version")
    period_start = models.DateField(help_text="first day of the day, week, month or quarter")
    person = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="ticks")
    instead_of = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "role", "channel", "key", "period_start"],
                condition=Q(channel__isnull=False), name="duty_ticked_once_per_channel",
            ),
            models.UniqueConstraint(
                fields=["company", "role", "key", "period_start"],
                condition=Q(channel=None), name="duty_ticked_once_company_wide",
            ),
        ]  # fmt: skip

    def __str__(self):
        return f"{self.key} {self.period_start}"
