"""The draft of a report: kept as often as its author likes, incomplete as it may be."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from reports import filing
from reports.filing import FactDraft, PlanDraft
from reports.models import WeeklyReport
from reports.services.claims import claim, keep
from reports.services.fact import check_fact_is_writable, write_fact
from reports.services.plan import write_plan
from roles.models import Company, Membership


def save_draft(
    *, company: Company, by: Membership, at: datetime, report: WeeklyReport, version: int | None = None,
    plan: PlanDraft | None = None, fact: FactDraft | None = None,
) -> WeeklyReport:  # fmt: skip
    """Keep what is written so far, incomplete as it may be. 403 for others, 409 for a frozen plan, a filed fact or a
    locked week, 412 for a stale `version`, 400 for figures that may not be typed."""
    with transaction.atomic():
        tab = next((draft.tab for draft in (plan, fact) if draft is not None), "")
        row = claim(company, report, version, tab)
        filing.check_may_file(by, row)
        filing.check_open(row, at)
        if plan is not None:
            if filing.plan_is_frozen(row, at):
                raise filing.PlanFrozen(
                    _("The plan is frozen since its deadline. Change it by an amendment with a reason.")
                )
            write_plan(row, plan)
        if fact is not None:
            check_fact_is_writable(row, at)
            write_fact(row, fact, by, at)
            if row.state == WeeklyReport.State.EMPTY:
                row.state = WeeklyReport.State.DRAFT
        return keep(row, by, at, tab)
