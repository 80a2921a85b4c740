"""Claiming a decision and putting signatures under it: the conditional UPDATEs that let exactly one person win."""

from datetime import datetime

from django.utils.translation import gettext as _

from kpis.failpoints import failpoint
from processes import effects
from processes.models import Decision, Signature
from processes.sealing import seal_of
from roles import formats
from roles.models import Membership
from roles.refusals import Conflict

State = Decision.State


class AlreadySigned(Conflict):
    code = "already_signed"


class NotOpen(Conflict):
    code = "not_open"


def claim(decision: Decision, expected: str, **values) -> None:
    """Change the decision only if it still is as it was read; raises AlreadySigned or NotOpen for whoever comes second.

    The row stays locked until the transaction ends: what follows the claim cannot be overtaken.
    """
    rows = Decision.objects.filter(
        company=decision.company, pk=decision.pk, state=expected, attempt=decision.attempt, seal=""
    )
    if not rows.update(**({"state": expected} | values)):
        fresh = Decision.objects.select_related("company", "signed_by__user")
        raise taken(fresh.get(company=decision.company, pk=decision.pk))
    for name, value in values.items():
        setattr(decision, name, value)


def add_signature(*, decision: Decision, by: Membership, at: datetime, signed_as: str, part: str, reason: str) -> None:
    """One more signature under the claimed decision, for the choice it carries."""
    Signature.objects.create(
        company=decision.company, decision=decision, person=by, signed_as=str(signed_as), part=part, at=at,
        choice=decision.choice, reason=reason, attempt=decision.attempt,
    )  # fmt: skip


def seal(*, decision: Decision, by: Membership, at: datetime) -> None:
    """Put the claimed decision in force and close it for ever, in the signature's own transaction."""
    signatures = Signature.objects.filter(company=decision.company, decision=decision)
    today = decision.company.local_date(at)
    claim(
        decision, State.WAITING_COSIGN, state=State.SIGNED, effective_at=at, seal=seal_of(decision, signatures),
        review_on=effects.review_day(decision.choice, decision.terms, today),
    )  # fmt: skip
    failpoint("signing.before_effect")
    effects.take_effect(decision=decision, by=by, at=at)
    failpoint("signing.after_effect")


def taken(decision: Decision) -> Conflict:
    """Why an open decision was expected and is not there: 409 with who and when."""
    if decision.state not in {State.SIGNED, State.WAITING_COSIGN}:
        return NotOpen(_("This decision is closed: %(state)s.") % {"state": decision.get_state_display()})
    when = formats.moment(decision.signed_at, decision.company.zone)
    message = _("Already signed by %(person)s, %(when)s.") % {"person": decision.signed_by, "when": when}
    return AlreadySigned(
        message, signed_by=str(decision.signed_by), signed_by_id=decision.signed_by_id,
        signed_at=decision.signed_at.isoformat().replace("+00:00", "Z"),
    )  # fmt: skip
