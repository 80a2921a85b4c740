"""Data incidents that people open and end: days held in doubt, and decisions let out from behind the guard."""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from kpis.models import DataIncident
from kpis.services.evaluations import kick, request_evaluation
from roles import audit
from roles.models import Channel, Company, Membership
from roles.permissions import RoleKind
from roles.refusals import Conflict, Forbidden
from roles.validation import refuse

RELEASERS = (RoleKind.ANALYST, RoleKind.CMO)


class MayNotRelease(Forbidden):
    code = "may_not_release"


class NotHeld(Conflict):
    """It is closed or released already; `by` and `at` of whoever did it stand in the row."""

    code = "not_held"


LONGEST_DOUBT = timedelta(days=92)


class AlreadyDoubted(Conflict):
    code = "already_doubted"


def may_release(person: Membership) -> bool:
    """The analyst, whose figures they are, or the CMO, who has to decide by them."""
    return person.wears(*RELEASERS)


@transaction.atomic
def open_doubt(
    *,
    company: Company,
    by: Membership,
    at: datetime,
    channel: Channel | None,
    first_day: date,
    last_day: date,
    why: str,
) -> DataIncident:
    """Hold the figures of a channel (None: of all) on these days in doubt: rules have no data for them until it is released.

    Raises MayNotRelease (403), AlreadyDoubted (409), Refused for days to come, in a wrong order or more than 92 of them.
    """
    if not may_release(by):
        raise MayNotRelease(_("The analyst or the marketing director says which figures are in doubt."))
    if not why.strip():
        raise refuse("why", "required", _("Write what is wrong with the figures: people will read it beside them."))
    if last_day < first_day:
        raise refuse("last_day", "wrong_order", _("The last day comes before the first one: swap them."))
    if last_day > company.local_date(at):
        raise refuse("last_day", "future", _("This day has not come yet: give today or an earlier day."))
    if last_day - first_day >= LONGEST_DOUBT:
        raise refuse(
            "first_day", "too_long", _("Three months at most: for a longer time change the source's priority.")
        )
    request_evaluation(company=company, dirty_from=first_day)  # from here on one at a time: it holds the company's row
    open_ones = DataIncident.objects.filter(
        company=company, kind=DataIncident.Kind.DOUBT, state=DataIncident.State.OPEN, channel=channel,
        first_day__lte=first_day, last_day__gte=last_day,
    )  # fmt: skip
    if open_ones.exists():
        raise AlreadyDoubted(_("These days are in doubt already: see the list of data incidents."))
    incident = DataIncident.objects.create(
        company=company, kind=DataIncident.Kind.DOUBT, channel=channel, first_day=first_day, last_day=last_day,
        opened_at=at, opened_by=by, why=why.strip()[:300],
    )  # fmt: skip
    audit.record(
        company=company, by=by, verb="open_data_incident", obj=incident, at=at, reason=incident.why,
        after={"kind": incident.kind, "subject": incident.words, "first_day": first_day.isoformat(),
               "last_day": last_day.isoformat()},
    )  # fmt: skip
    return incident


@transaction.atomic
def release_incident(
    *, company: Company, by: Membership, at: datetime, incident: DataIncident, reason: str
) -> DataIncident:
    """The figures were looked at and are right: the decisions behind the incident are opened, the days in doubt count again.

    A gap ends only by figures.

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
    if incident.kind == DataIncident.Kind.DOUBT:
        request_evaluation(company=company, dirty_from=incident.first_day)
    else:
        transaction.on_commit(lambda: kick(company.pk))
    return incident
