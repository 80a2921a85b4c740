"""Taking a report for writing, and putting it back: the lock and the version that every act shares."""

from datetime import datetime

from django.utils.translation import gettext as _

from reports import filing
from reports.models import WeeklyReport
from roles.models import Company, Membership


def claim(company: Company, report: WeeklyReport, version: int | None, tab: str = "") -> WeeklyReport:
    """The row, locked for this transaction; 412 when somebody wrote it after `version` was read.

    `tab` names the open page: a draft that the same page saved by itself a moment ago is no foreign change.
    """
    row = (
        WeeklyReport.objects.select_for_update(of=("self",))
        .select_related("channel__owner__user", "company")
        .get(company=company, pk=report.pk)
    )
    same_tab = tab and row.draft.get("tab") == tab
    if version is not None and row.version != version and not same_tab:
        raise filing.ReportChanged(
            _("This report was changed in another window or by another person. Read it again: your text is still here.")
        )
    return row


def keep(row: WeeklyReport, by: Membership, at: datetime, tab: str = "") -> WeeklyReport:
    """Store the row as its next version, with who wrote it and in which open page."""
    row.version += 1
    row.saved_at, row.saved_by = at, by
    row.draft = {key: value for key, value in row.draft.items() if key != "tab"} | ({"tab": tab} if tab else {})
    row.save()
    return row
