"""Accounts of the business in outside systems, and where its documents lie. Secrets are never kept here."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from roles.models.channels import Channel
from roles.models.company import CompanyOwned
from roles.models.contractors import Contractor
from roles.models.hats import Role
from roles.models.people import Membership


class Access(CompanyOwned):
    """An account of the business in an outside system: whose it is in law, who runs it, where its secret is kept.

    `two_factor` null: nobody has said. `contractor`: whose people work in it, until `contractor_until` at most.
    """

    class OwnedBy(models.TextChoices):
        COMPANY = "company", _("the company")
        PERSON = "person", _("a person")
        CONTRACTOR = "contractor", _("a contractor")

    system = models.CharField(_("system"), max_length=120)
    identifier = models.CharField(_("login or number of the account"), max_length=160)
    owned_by = models.CharField(_("legal owner"), max_length=10, choices=OwnedBy)
    owner_name = models.CharField(_("owner's name"), max_length=160, blank=True)
    owner_person = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="owned_accesses"
    )
    contractor = models.ForeignKey(Contractor, on_delete=models.PROTECT, null=True, blank=True, related_name="accesses")
    contractor_until = models.DateField(_("the contractor works in it until"), null=True, blank=True)
    recovery = models.CharField(_("recovery address or phone"), max_length=160, blank=True)
    paid_by = models.CharField(_("who pays"), max_length=160, blank=True)
    secret_place = models.CharField(_("where the password is kept"), max_length=200, blank=True)
    two_factor = models.BooleanField(_("two-factor"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=300, blank=True)
    registered_on = models.DateField()
    checked_on = models.DateField(null=True, blank=True)
    checked_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    closed_on = models.DateField(null=True, blank=True)
    changed_at = models.DateTimeField()
    channels = models.ManyToManyField(Channel, through="AccessChannel", related_name="accesses")
    administrators = models.ManyToManyField(
        Membership, through="AccessAdministrator", related_name="administered_accesses"
    )

    class Meta:
        ordering = ["system", "identifier", "pk"]
        verbose_name_plural = "accesses"
        constraints = [
            models.UniqueConstraint(fields=["company", "system", "identifier"], name="access_once_per_system"),
            models.CheckConstraint(
                condition=~Q(owned_by="contractor") | Q(contractor__isnull=False), name="contractors_access_names_it"
            ),
            models.CheckConstraint(
                condition=Q(owned_by="person") | Q(owner_person=None), name="only_a_persons_access_names_one"
            ),
        ]

    def __str__(self):
        return f"{self.system}: {self.identifier}"

    @property
    def owner(self) -> str:
        """The legal owner in words."""
        if self.owned_by == self.OwnedBy.CONTRACTOR:
            return str(self.contractor)
        return str(self.owner_person or self.owner_name or self.get_owned_by_display())


class AccessChannel(CompanyOwned):
    """A channel that an access serves."""

    access = models.ForeignKey(Access, on_delete=models.CASCADE, related_name="channel_rows")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["company", "access", "channel"], name="access_channel_once")]

    def __str__(self):
        return f"{self.access_id} × {self.channel_id}"


class AccessAdministrator(CompanyOwned):
    """A person who administers an access."""

    access = models.ForeignKey(Access, on_delete=models.CASCADE, related_name="administrator_rows")
    person = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="access_rows")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "access", "person"], name="access_administrator_once")
        ]

    def __str__(self):
        return f"{self.access_id} × {self.person_id}"


class DocumentLink(CompanyOwned):
    """Where a document of the business lies: of a channel, of a role, or of the whole company (neither named).

    `place_is_ours`: somebody has said that a drive which may be personal belongs to the business.
    """

    title = models.CharField(_("document"), max_length=200)
    url = models.URLField(_("address"), max_length=500)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, null=True, blank=True, related_name="documents")
    role = models.ForeignKey(Role, on_delete=models.CASCADE, null=True, blank=True, related_name="documents")
    owner = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="documents")
    place_is_ours = models.BooleanField(_("the drive belongs to the company"), default=False)
    added_on = models.DateField()

    class Meta:
        ordering = ["title", "pk"]
        constraints = [models.UniqueConstraint(fields=["company", "url"], name="document_once_per_address")]

    def __str__(self):
        return self.title
