"""Firms that work for the company by a contract, with their channels and their people."""

from datetime import date

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from roles.models.channels import Channel
from roles.models.company import CompanyOwned
from roles.models.people import Membership


class Contractor(CompanyOwned):
    """A firm with a contract: scope, channels, from–to (both days included), its contact and who answers for it with us.

    `ended_on`: the day its people's access was ended. `closed_on`: what it held was taken back.
    """

    name = models.CharField(_("name"), max_length=160)
    scope = models.TextField(_("scope of the contract"), help_text="what the contract names, in words")
    starts_on = models.DateField(_("first day"))
    ends_on = models.DateField(_("last day"))
    contact_name = models.CharField(_("contact person"), max_length=160, blank=True)
    contact = models.CharField(_("e-mail or phone"), max_length=160, blank=True)
    responsible = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="contractors")
    deputy = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="deputised_contractors"
    )
    ended_on = models.DateField(null=True, blank=True)
    closed_on = models.DateField(null=True, blank=True)
    changed_at = models.DateTimeField()
    channels = models.ManyToManyField(Channel, through="ContractorChannel", related_name="contractors")
    people = models.ManyToManyField(Membership, through="ContractorPerson", related_name="works_for")

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["company", "name", "starts_on"], name="contractor_once_per_start"),
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="contract_ends_after_start"),
            models.CheckConstraint(condition=~Q(deputy=F("responsible")), name="contractor_deputy_is_another"),
        ]

    def __str__(self):
        return self.name

    def is_past(self, on: date) -> bool:
        return self.ends_on < on

    def is_in_force(self, on: date) -> bool:
        """Do its people work on that day? Not before the contract, not after it, not once their access was ended."""
        return self.ended_on is None and self.closed_on is None and self.starts_on <= on <= self.ends_on


class ContractorChannel(CompanyOwned):
    """A channel that a contract covers."""

    contractor = models.ForeignKey(Contractor, on_delete=models.CASCADE, related_name="channel_rows")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "contractor", "channel"], name="contractor_channel_once")
        ]

    def __str__(self):
        return f"{self.contractor_id} × {self.channel_id}"


class ContractorPerson(CompanyOwned):
    """A person of the contractor's: a login here with the contractor's hat, no longer than the contract."""

    contractor = models.ForeignKey(Contractor, on_delete=models.CASCADE, related_name="person_rows")
    person = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="contract_rows")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "contractor", "person"], name="contractor_person_once")
        ]

    def __str__(self):
        return f"{self.contractor_id} × {self.person_id}"
