"""Recounts of deals: rules or stages changed, so a worker puts all deals of a source anew and its facts follow.

A recount is a load without a file: it waits, is leased and resumed as loads are, and says who changed the figures.
"""

import secrets
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from kpis.importers.registry import CRMS, RECOUNT
from kpis.models import Deal, Import, Source
from kpis.services.evaluations import kick
from roles.models import Company, Membership


def request_recount(
    *, company: Company, by: Membership | None, at: datetime, sources: Iterable[Source] | None = None
) -> int:
    """Ask for a recount of these sources, or of all that have deals, in the caller's transaction; how many were asked for.

    One that waits and was not begun counts for several changes: it begins after this transaction, and reads what is then.
    """
    queued = Import.objects.filter(company=company, state=Import.State.QUEUED)
    if sources is None:
        # A first load that is running has no deals yet, and may have read the rules as they were.
        holds = set(Deal.objects.filter(company=company).order_by().values_list("source_id", flat=True).distinct())
        holds |= set(queued.filter(profile__in=CRMS).values_list("source_id", flat=True))
    else:
        holds = {source.pk for source in sources}
    for pk in sorted(holds):
        waiting = queued.filter(source=pk, profile=RECOUNT, lease_token="").values_list("pk", flat=True)[:1]
        # The update locks the row, so that a worker claims it when what was changed is there to be read.
        if not queued.filter(pk__in=list(waiting), lease_token="").update(attempts=0):
            Import.objects.create(
                company=company, source_id=pk, state=Import.State.QUEUED, profile=RECOUNT, sha256=secrets.token_hex(32),
                created_by=by, created_at=at,
            )  # fmt: skip
    if holds:
        transaction.on_commit(lambda: kick(company.pk))
    return len(holds)


def undo_refusal() -> str:
    """Why a recount is not undone."""
    return _("This load follows from the UTM rules and stages: change the rule back, and the figures follow.")
