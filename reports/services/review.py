"""What the marketing director does with a filed report: accept it, return it with a note, re-open a locked one."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from reports import filing
from reports.models import WeeklyReport
from reports.services.claims import claim, keep
from roles import audit
from roles.models import Company, Membership
from roles.refusals import FieldError, Refused

State = WeeklyReport.State


class NoteMissing(Refused):
    code = "missing"


def _words(text: str, field: str, message: str) -> str:
    if not text.strip():
        raise NoteMissing(message, [FieldError(field, "missing", message)])
    return text.strip()


def _which(row: WeeklyReport) -> dict:
    """Whose report of which week, for the journal: who checks from outside sees what was accepted."""
    return {"channel": row.channel_id, "week": f"{row.week:%G-W%V}"}


def accept_report(
    *, company: Company, by: Membership, at: datetime, report: WeeklyReport, version: int | None = None
) -> WeeklyReport:
    """Accept a filed fact. 409 unless it is filed and the week is open, 403 for others and for its author."""
    filing.check_may_review(by)
    with transaction.atomic():
        row = claim(company, report, version)
        filing.check_open(row, at)
        if row.state != State.SUBMITTED:
            raise filing.WrongState(_("Only a filed fact can be accepted."))
        if row.fact_submitted_by_id == by.pk:
            raise filing.MayNotReview(_("The author of a report does not accept it: another person has to."))
        row.state, row.reviewed_by, row.reviewed_at, row.return_note = State.ACCEPTED, by, at, ""
        audit.record(company=company, by=by, verb="accept_weekly_report", obj=row, at=at, after=_which(row))
        return keep(row, by, at)


def return_report(
    *, company: Company, by: Membership, at: datetime, report: WeeklyReport, note: str, version: int | None = None
) -> WeeklyReport:
    """Give a filed (or accepted) fact back with a note of what to change. 400 without a note, 409 in another state."""
    filing.check_may_review(by)
    with transaction.atomic():
        row = claim(company, report, version)
        filing.check_open(row, at)
        if row.state not in {State.SUBMITTED, State.ACCEPTED}:
            raise filing.WrongState(_("Only a filed fact can be returned."))
        note = _words(note, "note", _("Write what has to be changed."))
        row.state, row.reviewed_by, row.reviewed_at, row.return_note = State.RETURNED, by, at, note
        audit.record(
            company=company, by=by, verb="return_weekly_report", obj=row, at=at, reason=note, after=_which(row)
        )
        return keep(row, by, at)


def reopen_report(
    *, company: Company, by: Membership, at: datetime, report: WeeklyReport, reason: str, version: int | None = None
) -> WeeklyReport:
    """Open one locked report for 24 hours. Its timeliness stays: a missed week is only filled afterwards."""
    filing.check_may_review(by)
    with transaction.atomic():
        row = claim(company, report, version)
        if not filing.is_closed(row, at):
            raise filing.WrongState(_("The week is not locked: return the report instead."))
        reason = _words(reason, "reason", _("Say why the locked week is opened again."))
        row.state, row.reviewed_by, row.reviewed_at, row.return_note = State.RETURNED, by, at, reason
        row.reopened_until = at + filing.REOPENED_FOR
        audit.record(
            company=company, by=by, verb="reopen_weekly_report", obj=row, at=at, reason=reason,
            after={**_which(row), "until": row.reopened_until.isoformat()},
        )  # fmt: skip
        return keep(row, by, at)
