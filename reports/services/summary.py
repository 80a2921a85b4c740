"""The CMO's words on a week."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from reports.filing import MayNotReview, ReportChanged
from reports.models import WeekSummary
from reports.selectors.carried import stuck_actions
from roles import audit
from roles.models import Company, Membership
from roles.permissions import Permission
from roles.refusals import Conflict, FieldError, Refused

LONGEST = 3000


class CarriedActions(Conflict):
    code = "carried_actions"


class SummaryTooLong(Refused):
    code = "too_long"


def write_summary(
    *, company: Company, by: Membership, at: datetime, week: date, text: str, version: int | None = None
) -> WeekSummary:
    """Keep the text of the week (its Monday). 403 for others than the CMO, 412 when somebody wrote it meanwhile (0 is
    the version of a summary that nobody has written yet), 409 while actions that were moved three times wait for a choice."""
    if not by.can(Permission.REVIEW_REPORT):
        raise MayNotReview(_("The summary is written by the marketing director."))
    if stuck := list(stuck_actions(company=company)[:3]):
        names = "; ".join(action.text for action in stuck)
        raise CarriedActions(_("First decide about what was moved three times: %s.") % names)
    if len(text) > LONGEST:
        message = _("At most %s characters.") % LONGEST
        raise SummaryTooLong(message, [FieldError("text", "too_long", message)])
    with transaction.atomic():
        # The row of the company's week is made first, so that two first writers meet at one row.
        words, made = WeekSummary.objects.get_or_create(company=company, week=week, defaults={"version": 0})
        words = WeekSummary.objects.select_for_update().get(company=company, pk=words.pk)
        if version is not None and words.version != version:
            raise ReportChanged(_("The summary was changed in another window. Read it again: your text is still here."))
        before = None if made else {"text": words.text}
        words.text, words.written_by, words.written_at = text.strip(), by, at
        words.version += 1
        words.save()
        audit.record(
            company=company, by=by, verb="write_week_summary", obj=words, at=at, before=before,
            after={"text": words.text, "week": f"{week:%G-W%V}"},
        )  # fmt: skip
        return words
