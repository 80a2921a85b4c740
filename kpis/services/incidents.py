"""Letting the decisions out from behind a data incident."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from kpis.models import DataIncident
from kpis.services.evaluations import kick
from roles import audit
from roles.models import Company, Membership
from roles.permissions import RoleKind
from roles.refusals import Conflict, Forbidden
from roles.validation import refuse

RELEASERS = (RoleKind.ANALYST, RoleKind.CMO)


class MayNotRelease(Forbidden):
    code = "may_not_release"


class NotHeld(Conflict):
    """It is closed or released already; `by` and `at` of whoever did it stand in the row."""

    code = "not_held"


def may_release(person: Membership) -> bool:
    """The analyst, whose figures they are, or the CMO, who has to decide by them."""
    return person.wears(*RELEASERS)


@transaction.atomic
def release_incident(
    *, company: Company, by: Membership, at: datetime, incident: DataIncident, reason: str
) -> DataIncident:
    """The figures were looked at and are right: the decisions behind the incident are opened. A gap ends only by figures.

    Raises MayNotRelease (403), NotHeld (409), Refused without a reason.
    """
    if not may_release(by):
        raise MayNotRelease(_("The analyst or the marketing director releases decisions held by doubtful figures."))
    if not reason.strip():
        raise refuse("reason", "required", _("Write what was checked: people will decide by these figures."))
    rows = DataIncident.objects.filter(company=company, pk=incident.pk, state=DataIncident.State.OPEN)
    done = rows.exclude(kind=DataIncident.Kind.GAP).update(
        state=DataIncident.State.RELEASED, closed_at=at, closed_by=by, note=reason.strip()[:300]
    )
    if not done:
        raise NotHeld(_("Nothing is held here any more: somebody released it, or the figures came."))
    incident.refresh_from_db()
    audit.record(
        company=company, by=by, verb="release_data_incident", obj=incident, at=at, reason=reason.strip()[:300],
        after={"kind": incident.kind, "held": incident.held.count()},
    )  # fmt: skip
    transaction.on_commit(lambda: kick(company.pk))
    return incident
