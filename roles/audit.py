"""The one way to write an audit event: called by every service, in its own transaction."""

from datetime import datetime

from django.db import models

from roles.models import AuditEvent, Company, Membership


def record(
    *,
    company: Company,
    by: Membership | None,
    verb: str,
    obj: models.Model,
    at: datetime,
    before: dict | None = None,
    after: dict | None = None,
    reason: str = "",
) -> AuditEvent:
    """Write who (`by`, None for the system) did what to which object at which moment (UTC); values must be JSON."""
    return AuditEvent.objects.create(
        company=company, by=by, verb=verb, at=at, object_type=obj._meta.label_lower, object_id=str(obj.pk),
        before=before, after=after, reason=reason,
    )  # fmt: skip
