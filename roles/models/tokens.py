"""Keys of the REST API and what they asked."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from roles.models.company import CompanyOwned
from roles.models.people import Membership


class ApiToken(CompanyOwned):
    """A key of one person in one company for the REST API. Only its SHA-256 is kept; the first characters tell them apart."""

    SCOPES = ("read", "facts:write", "reports:write", "decisions:write", "tasks:write", "admin")

    person = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(_("what for"), max_length=120)
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=12)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self):
        return self.name

    def is_valid(self, at: datetime) -> bool:
        return self.revoked_at is None and at < self.expires_at

    @staticmethod
    def default_lifetime() -> timedelta:
        return timedelta(days=365)


class IdempotencyKey(CompanyOwned):
    """One `Idempotency-Key` of one token (or of one person's browser session): claimed, then completed with the answer."""

    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    person = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=120)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of method, path and body")
    lease_until = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True, help_text="null while the first request is running")
    body = models.TextField(blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "token", "key"], condition=Q(token__isnull=False), name="idempotency_key_per_token"
            ),
            models.UniqueConstraint(
                fields=["company", "person", "key"], condition=Q(token=None), name="idempotency_key_per_person"
            ),
        ]

    def __str__(self):
        return self.key
