"""Data incidents that people open and end: days held in doubt, and decisions let out from behind the guard."""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from kpis.models import DataIncident
from kpis.selectors.authors import authors_of
from kpis.services.evaluations import kick, request_evaluation
from roles import audit, conflicts, selectors
from roles.models import Channel, Company, Membership
from roles.permissions import RoleKind
from roles.refusals import Conflict, Forbidden
from roles.validation import refuse

RELEASERS = (RoleKind.ANALYST, RoleKind.CMO)


class MayNotRelease(Forbidden):
    code = "may_not_release"


class OwnFigures(Forbidden):
    """Whoever loaded or typed the figures is not the one who says that they are right."""

    code = "own_figures"


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

    A gap ends only by figures. Whoever loaded or typed them releases them only under an external check, whose checker is
    then named in the note, or where nobody else could look at them.

    Raises MayNotRelease or OwnFigures (403), NotHeld (409), Refused without a reason.
    """
    if not may_release(by):
        raise MayNotRelease(_("The analyst or the marketing director releases decisions held by doubtful figures."))
    if not reason.strip():
        raise refuse("reason", "required", _("Write what was checked: people will decide by these figures."))
    checker, note = _judged_by_another(company, by, company.local_date(at), incident), reason.strip()[:300]
    if checker:
        words = _("Own figures, checked from outside by %(checker)s.") % {"checker": checker}
        note = f"{reason.strip()[: 299 - len(words)]} {words}"
    rows = DataIncident.objects.filter(company=company, pk=incident.pk, state=DataIncident.State.OPEN)
    done = rows.exclude(kind=DataIncident.Kind.GAP).update(
        state=DataIncident.State.RELEASED, closed_at=at, closed_by=by, note=note
    )
    if not done:
        raise NotHeld(_("Nothing is held here any more: somebody released it, or the figures came."))
    incident.refresh_from_db()
    after = {"kind": incident.kind, "held": incident.held.count()} | ({"checker": str(checker)} if checker else {})
    audit.record(company=company, by=by, verb="release_data_incident", obj=incident, at=at, reason=note, after=after)
    if incident.kind == DataIncident.Kind.DOUBT:
        request_evaluation(company=company, dirty_from=incident.first_day)
    else:
        transaction.on_commit(lambda: kick(company.pk))
    return incident


def why_not_release(*, company: Company, by: Membership, at: datetime, incident: DataIncident) -> str:
    """Why somebody who may release incidents may not release this one, in a sentence; empty: they may."""
    try:
        _judged_by_another(company, by, company.local_date(at), incident)
    except OwnFigures as refusal:
        return refusal.message
    return ""


def _judged_by_another(company: Company, by: Membership, today: date, incident: DataIncident) -> Membership | None:
    """The checker under whom somebody releases their own figures; None where they are another's, or nobody else could look."""
    authors = authors_of(
        company=company, first_day=incident.first_day, last_day=incident.last_day, channel=incident.channel
    )
    if by.pk not in authors:
        return None
    for check in conflicts.checks_of_kind(company=company, on=today, kinds=RELEASERS, person=by):
        if conflicts.check_in_force(company=company, person=by, pair=check.pair, on=today):
            return check.checker
    others = {
        person.pk: person
        for kind in RELEASERS
        for person in selectors.holders(company=company, kind=kind, on=today, with_deputies=True)
        if person.pk not in authors
    }
    if others:
        message = _("You loaded or typed some of these figures, so somebody else says that they are right: %(names)s.")
        raise OwnFigures(message % {"names": ", ".join(str(person) for person in others.values())})
    return None
