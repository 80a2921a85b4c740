"""Who is excused from a deadline: the company rests the whole week, or whoever holds the channel is away and said so before.

An absence excuses only where nobody acts: a deputy who is present holds the channel meanwhile and owes its report.
"""

from collections.abc import Iterable
from datetime import datetime

from django.utils import translation
from django.utils.translation import gettext as _

from reports.models import WeeklyReport
from roles import selectors
from roles.models import Absence, AuditEvent, Company, Membership


def rest_words(company: Company) -> str:
    """Why nothing is owed in a week without a working day, in the company's language."""
    with translation.override(company.language):
        return _("The week has no working day")


def excused(*, company: Company, reports: Iterable[WeeklyReport], due: str) -> dict[int, str]:
    """Report id → why it is excused at its deadline; `due` names the deadline's field. Four queries at most.

    The absence must have been entered before the deadline: the journal says when.
    """
    reports = list(reports)
    days = {report.pk: company.local_date(getattr(report, due)) for report in reports}
    owners = {report.channel.owner_id for report in reports}
    absences = list(
        Absence.objects.filter(
            company=company, starts_on__lte=max(days.values()), ends_on__gte=min(days.values())
        ).select_related("person__user")
    )
    if not any(absence.person_id in owners for absence in absences):
        return {}
    entered = _entered(company, absences)
    deputies = _deputies(company, min(days.values()))
    found = {}
    for report in reports:
        day, due_at = days[report.pk], getattr(report, due)
        away = {
            row.person_id: row
            for row in absences
            if row.starts_on <= day <= row.ends_on and entered.get(row.pk, due_at) <= due_at
        }
        mine = away.get(report.channel.owner_id)
        if mine and not any(deputy.pk not in away for deputy in deputies.get(report.channel_id, ())):
            found[report.pk] = _away_words(company, mine)
    return found


def _entered(company: Company, absences: list[Absence]) -> dict[int, datetime]:
    """When each absence was written down; one that the journal does not know (made in bulk) counts as entered in time."""
    events = AuditEvent.objects.filter(
        company=company, verb="add_absence", object_type=Absence._meta.label_lower,
        object_id__in=[str(row.pk) for row in absences],
    )  # fmt: skip
    return {int(object_id): at for object_id, at in events.values_list("object_id", "at")}


def _deputies(company: Company, on) -> dict[int, list[Membership]]:
    """Channel id → who stands in for its holder."""
    found: dict[int, list[Membership]] = {}
    for row in selectors.appointments_in_force(company=company, on=on):
        if row.channel_id and row.deputy_id and row.deputy.is_active:
            found.setdefault(row.channel_id, []).append(row.deputy)
    return found


def _away_words(company: Company, absence: Absence) -> str:
    with translation.override(company.language):
        return _("%(person)s is away until %(day)s and nobody stands in") % {
            "person": absence.person, "day": f"{absence.ends_on:%d.%m.%Y}",
        }  # fmt: skip
