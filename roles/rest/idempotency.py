"""`Idempotency-Key`: the same key and body give the same answer and one effect, kept 24 hours per token.

The key is claimed in a short transaction of its own with a lease, and completed in the transaction of the effect: a
killed process leaves either both or neither, and an expired lease is taken over by the next try.
"""

import hashlib
import json
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.renderers import JSONRenderer

from roles.models import IdempotencyKey
from roles.refusals import Conflict, FieldError, Refused
from roles.rest.problems import Replay

LEASE = timedelta(seconds=60)
KEPT = timedelta(hours=24)
LONGEST = 120
STILL_RUNNING = gettext_lazy("The first request with this key is still running. Try again in a moment.")


class KeyReused(Refused):
    status = 422
    code = "idempotency_key_reused"


class StillRunning(Conflict):
    code = "idempotency_key_in_use"
    retry_after = 2


def fingerprint(request) -> str:
    """SHA-256 over method, path and body; of a multipart body over its fields and files, which are not kept in memory."""
    made = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if (request.content_type or "").startswith("multipart/"):
        for name, value in sorted((n, str(v)) for n, v in request.data.items() if n not in request.FILES):
            made.update(f"{name}={value}\n".encode())
        for name, upload in sorted(request.FILES.items()):
            made.update(f"{name}:\n".encode())
            for chunk in upload.chunks():
                made.update(chunk)
            upload.seek(0)
    else:
        made.update(request._request.body)
    return made.hexdigest()


def claim(*, company, person, token, key: str, body_hash: str) -> IdempotencyKey:
    """The key's row, leased to this request; raises Replay with the earlier answer, KeyReused or StillRunning."""
    if len(key) > LONGEST:
        message = _("Idempotency-Key may have at most %(n)s characters.") % {"n": LONGEST}
        raise Refused(message, [FieldError("Idempotency-Key", "too_long", message)])
    now = timezone.now()
    mine = {"company": company, "token": token, "key": key} | ({} if token else {"person": person})
    IdempotencyKey.objects.filter(**mine, created_at__lt=now - KEPT).delete()
    try:
        with transaction.atomic():
            return IdempotencyKey.objects.create(
                company=company, token=token, person=person, key=key, fingerprint=body_hash, lease_until=now + LEASE,
                created_at=now,
            )  # fmt: skip
    except IntegrityError:
        row = IdempotencyKey.objects.filter(**mine).first()
    if row is None:  # refused and forgotten between our two looks
        raise StillRunning(STILL_RUNNING)
    if row.fingerprint != body_hash:
        raise KeyReused(_("This Idempotency-Key was used with another body. Take a new key."))
    if row.status is not None:
        raise Replay(row.status, json.loads(row.body) if row.body else None)
    taken = IdempotencyKey.objects.filter(pk=row.pk, company=company, status=None, lease_until__lt=now)
    if not taken.update(lease_until=now + LEASE):
        raise StillRunning(STILL_RUNNING)
    row.lease_until = now + LEASE
    return row


def run_once(view, request, handler):
    """Run a write under its Idempotency-Key where it has one; `handler` returns the Response."""
    key = request.headers.get("Idempotency-Key")
    if not key:
        return handler()
    row = claim(company=view.company, person=view.person, token=request.auth, key=key, body_hash=fingerprint(request))
    mine = IdempotencyKey.objects.filter(
        pk=row.pk, company=view.company, status=None, lease_until=row.lease_until
    )  # fmt: skip
    try:
        with transaction.atomic():
            response = handler()
            kept = getattr(response, "kept_data", response.data)  # an answer with a secret says what may be kept of it
            body = "" if kept is None else JSONRenderer().render(kept).decode()
            if not mine.update(status=response.status_code, body=body):
                # The lease ran out and another try took the key: its effect counts, ours is rolled back.
                raise StillRunning(STILL_RUNNING)
            return response
    except Exception:
        mine.delete()
        raise
