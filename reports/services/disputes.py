"""Doubt about a prefilled figure: it stays as the source gives it, and the analyst gets a task to look at it."""

from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from kpis.selectors.authors import authors_of
from processes.deciders import around
from processes.models import Action
from processes.services import create_action
from reports import filing
from reports.models import FigureDispute, WeeklyReport
from reports.selectors.calendar import week_book
from reports.selectors.figures import figures_of
from roles import audit, formats
from roles.models import Company, Membership
from roles.permissions import RoleKind
from roles.refusals import Conflict, FieldError, Refused


class DisputeRefused(Refused):
    code = "incomplete"


class AlreadyDisputed(Conflict):
    code = "already_disputed"


@transaction.atomic
def dispute_figure(
    *, company: Company, by: Membership, at: datetime, report: WeeklyReport, measure: str, note: str,
    expected: Decimal | None = None,
) -> FigureDispute:  # fmt: skip
    """Ask the analyst to look at a figure; due on the next working day. `expected`: what it should be, if that is known.

    403 for whoever may not file the report, 409 while the same figure is disputed already, 400 for a measure that no source
    gives here, without a word why, or where nobody could look at it.
    """
    filing.check_may_file(by, report)
    row = WeeklyReport.objects.select_for_update(of=("self",)).select_related("channel", "company").get(
        company=company, pk=report.pk
    )  # fmt: skip
    line = next(
        (x for x in figures_of(company=company, reports=[row], at=at)[row.pk].lines if x.measure == measure), None
    )
    if line is None or not line.from_data:
        message = _("Only a figure that a source gives can be disputed: a typed one is corrected by its author.")
        raise DisputeRefused(message, [FieldError("measure", "not_from_data", message)])
    if not note.strip():
        message = _("Say what is wrong with the figure: where you see another one.")
        raise DisputeRefused(message, [FieldError("note", "missing", message)])
    open_now = FigureDispute.objects.filter(
        report=row, measure=measure, company=company, action__state=Action.State.OPEN
    )
    if open_now.exists():
        raise AlreadyDisputed(_("This figure is disputed already: the analyst looks at it."))
    analyst = _analyst(company, row, by, at)
    action = create_action(
        company=company, by=by, at=at, text=_task(company, row, line, note.strip(), expected), owner=analyst,
        due_on=week_book(company=company).next_working(company.local_date(at) + timedelta(days=1)), channel=row.channel,
        kind=Action.Kind.DOUBT,
    )  # fmt: skip
    made = FigureDispute.objects.create(
        company=company, report=row, measure=measure, shown=line.fact, expected=expected, note=note.strip()[:300],
        action=action, opened_by=by, opened_at=at,
    )  # fmt: skip
    audit.record(
        company=company, by=by, verb="dispute_figure", obj=made, at=at, reason=made.note,
        after={
            "measure": measure, "week": f"{row.week:%G-W%V}", "shown": None if line.fact is None else str(line.fact),
            "expected": None if expected is None else str(expected), "action": action.pk,
        },
    )  # fmt: skip
    return made


def _analyst(company: Company, report: WeeklyReport, by: Membership, at: datetime) -> Membership:
    """The analyst; where there is none, or the analyst typed these figures or doubts them, the director or the owner."""
    people = around(company=company, on=company.local_date(at))
    kinds = (RoleKind.ANALYST, RoleKind.CMO, RoleKind.OWNER)
    found = [person for kind in kinds for person in people.wearers(kind)]
    if not found:
        message = _("Nobody could look at it: appoint an analyst first.")
        raise DisputeRefused(message, [FieldError("measure", "no_analyst", message)])
    typed_by = authors_of(
        company=company, first_day=report.week, last_day=report.week + timedelta(days=6), channel=report.channel,
        typed=True,
    )  # fmt: skip
    return min(found, key=lambda person: (person.pk == by.pk, person.pk in typed_by))


def _task(company: Company, report: WeeklyReport, line, note: str, expected: Decimal | None) -> str:
    with translation.override(company.language):
        words = {
            "name": line.name, "channel": report.channel.name, "week": f"{report.week:%V}",
            "shown": formats.figure(line.fact, line.unit, company.currency), "note": note,
        }  # fmt: skip
        text = _("Check %(name)s, %(channel)s, week %(week)s: shown %(shown)s. %(note)s") % words
        if expected is not None:
            text += " " + _("Expected: %s") % formats.figure(expected, line.unit, company.currency)
    return text[:400]
