"""The rounds of an outside check: laid out when it is named, taken over by the next checker when the former leaves."""

from datetime import date, timedelta

from roles.conflicts import TIME_TO_LOOK
from roles.models import CheckRound, ExternalCheck

STEP = {
    ExternalCheck.Cadence.WEEK: timedelta(days=7),
    ExternalCheck.Cadence.FORTNIGHT: timedelta(days=14),
    ExternalCheck.Cadence.MONTH: timedelta(days=30),
}


def lay_out(check: ExternalCheck, first: date) -> None:
    """Periods without a gap from a day to the last one of the check; a short rest joins the last period."""
    rows, step = [], STEP[check.cadence]
    while first <= check.until:
        last = first + step - timedelta(days=1)
        if last + step / 2 > check.until:
            last = check.until
        rows.append(
            CheckRound(
                company_id=check.company_id, external_check=check, first_day=first, last_day=last,
                due_on=last + TIME_TO_LOOK,
            )
        )  # fmt: skip
        first = last + timedelta(days=1)
    CheckRound.objects.bulk_create(rows)


def take_over(*, former: ExternalCheck, check: ExternalCheck) -> date:
    """Give the new checker the periods that the former one has left unsigned, with time to look at them; what was skipped
    stays skipped. Returns the day from which the new check has to be laid out: the first of the period that had begun."""
    left = CheckRound.objects.filter(
        company_id=check.company_id, external_check=former, signed_at=None, skipped_at=None
    )
    over = left.filter(last_day__lt=check.starts_on)
    over.filter(due_on__lt=check.starts_on + TIME_TO_LOOK).update(due_on=check.starts_on + TIME_TO_LOOK)
    begun = left.filter(first_day__lt=check.starts_on, last_day__gte=check.starts_on).first()
    over.update(external_check=check)
    return begun.first_day if begun else check.starts_on
