"""The seal of a signed decision: a fingerprint of everything that was signed. Pure."""

import hashlib
import json
from collections.abc import Iterable

from processes.models import Decision, Signature

SEALED = ("question", "evidence", "options", "recommendation", "choice", "reason", "terms")


def signature_parts(signature: Signature) -> dict:
    """A signature as the seal counts it."""
    return {
        "part": signature.part, "person": signature.person_id, "as": signature.signed_as, "choice": signature.choice,
        "reason": signature.reason, "at": signature.at.isoformat(), "attempt": signature.attempt,
    }  # fmt: skip


def seal_of(decision: Decision, signatures: Iterable[Signature]) -> str:
    """SHA-256 over the decision's content and all its signatures, as canonical JSON."""
    content = {name: getattr(decision, name) for name in SEALED}
    content |= {
        "company": decision.company_id, "number": [decision.year, decision.number], "breach": decision.breach_id,
        "round": decision.round, "signatures": [signature_parts(signature) for signature in signatures],
    }  # fmt: skip
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def is_intact(decision: Decision) -> bool:
    """Does the seal still fit what the decision and its signatures say?"""
    return bool(decision.seal) and decision.seal == seal_of(decision, decision.signatures.all())
