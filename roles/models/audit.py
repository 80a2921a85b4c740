"""The record of who did what."""

from django.db import models

from roles.models.company import CompanyOwned
from roles.models.people import Membership


class AuditEvent(CompanyOwned):
    """Who did what, when and why; append-only, refused UPDATE and DELETE by the database. Ordered by id."""

    at = models.DateTimeField()
    by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    verb = models.CharField(max_length=60, help_text="service name: sign_decision, record_facts …")
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=60)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["company", "object_type", "object_id"], name="audit_by_object")]

    def __str__(self):
        return f"{self.verb} {self.object_type} {self.object_id}"
