"""What a company chooses about its report week: days and times from the next week on, and its own days off or worked."""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from reports.calendars import PLAIN, RUSSIA
from reports.deadlines import MOMENTS, Rule, Schedule, local_monday
from reports.models import CompanyDay, WeekSchedule
from reports.selectors.calendar import WEEK, schedule_as_json, week_book
from reports.services import moments as opened
from roles import audit
from roles.models import Company, Membership
from roles.permissions import Permission
from roles.refusals import FieldError, Forbidden, Refused

DAYS = {
    "plan_opens": (-4, -3, -2, -1), "plan_due": (0, 1), "fact_opens": (3, 4), "fact_due": (3, 4, 5, 6),
    "digest": (3, 4, 5, 6), "summary": (7, 8), "standup": (7, 8), "locks": (7, 8, 9),
}  # fmt: skip
"""Days from the week's Monday that each moment may be set to."""
MOST_DAYS = 31


class ScheduleRefused(Refused):
    code = "schedule"


class MayNotSchedule(Forbidden):
    code = "may_not_schedule"


def check_may_change(by: Membership) -> None:
    if not by.can(Permission.MANAGE_COMPANY):
        raise MayNotSchedule(_("The times of the week are set by the owner or the project manager."))


@transaction.atomic
def change_schedule(
    *, company: Company, by: Membership, at: datetime, schedule: Schedule, country: str = RUSSIA
) -> WeekSchedule:
    """Keep the times that hold from the next week on, and move the reports that are open for it.

    400 with the wrong fields when a moment is on a day it may not be on, or not after the one before it; 403 for others
    than the owner and the project manager.
    """
    check_may_change(by)
    _check(schedule, country)
    Company.objects.select_for_update(no_key=True).get(pk=company.pk)
    first = local_monday(at, company.zone) + WEEK
    before, before_country = week_book(company=company).version(first)
    row, _made = WeekSchedule.objects.update_or_create(
        company=company, from_week=first,
        defaults={"moments": schedule_as_json(schedule), "country": country, "created_by": by, "created_at": at},
    )  # fmt: skip
    opened.move(company, at, week_book(company=company), first)
    audit.record(
        company=company, by=by, verb="change_week_schedule", obj=row, at=at,
        before={**schedule_as_json(before), "country": before_country},
        after={**row.moments, "country": country, "from_week": f"{first:%G-W%V}"},
    )  # fmt: skip
    return row


def _check(schedule: Schedule, country: str) -> None:
    errors = []
    if country not in {RUSSIA, PLAIN}:
        errors.append(FieldError("country", "unknown", _("Choose a calendar from the list.")))
    earlier: Rule | None = None
    for name in MOMENTS:
        rule = getattr(schedule, name)
        if rule[0] not in DAYS[name]:
            errors.append(FieldError(name, "wrong_day", _("This day of the week cannot be chosen here.")))
        if earlier is not None and rule <= earlier:
            errors.append(FieldError(name, "not_after", _("This has to come after the moment above it.")))
        earlier = rule
    if errors:
        raise ScheduleRefused(_("The times are not saved: see what has to be put right."), errors)


@transaction.atomic
def set_company_days(
    *, company: Company, by: Membership, at: datetime, first: date, last: date | None = None, is_working: bool = False,
    name: str = "",
) -> list[CompanyDay]:  # fmt: skip
    """Mark days from `first` to `last` (both included) as off or worked, today at the earliest; a day marked before is
    marked anew. 400 for days that are past, a range turned round or longer than a month; 403 for others."""
    check_may_change(by)
    last = last or first
    _check_range(first, last, company.local_date(at))
    Company.objects.select_for_update(no_key=True).get(pk=company.pk)
    rows = []
    for number in range((last - first).days + 1):
        row, _made = CompanyDay.objects.update_or_create(
            company=company, day=first + timedelta(days=number),
            defaults={"is_working": is_working, "name": name.strip()[:120], "created_by": by, "created_at": at},
        )  # fmt: skip
        rows.append(row)
    after = {"first": first.isoformat(), "last": last.isoformat(), "is_working": is_working, "name": name.strip()}
    audit.record(company=company, by=by, verb="set_company_days", obj=rows[0], at=at, after=after)
    _move(company, at)
    return rows


def _check_range(first: date, last: date, today: date) -> None:
    wrong = None
    if first < today:
        wrong = FieldError("first", "past", _("A day can be marked until it has passed: give today or a later day."))
    elif last < first:
        wrong = FieldError("last", "before_first", _("The last day comes before the first one."))
    elif (last - first).days >= MOST_DAYS:
        wrong = FieldError("last", "too_long", _("At most %s days at once.") % MOST_DAYS)
    if wrong:
        raise ScheduleRefused(wrong.message, [wrong])


@transaction.atomic
def remove_company_day(*, company: Company, by: Membership, at: datetime, day: CompanyDay) -> None:
    """The day follows the calendar again. 400 for one that is past, 403 for others."""
    check_may_change(by)
    if day.day < company.local_date(at):
        message = _("This day is past: the weeks of then were judged by it.")
        raise ScheduleRefused(message, [FieldError("day", "past", message)])
    audit.record(
        company=company, by=by, verb="remove_company_day", obj=day, at=at,
        before={"day": day.day.isoformat(), "is_working": day.is_working, "name": day.name},
    )  # fmt: skip
    CompanyDay.objects.filter(company=company, pk=day.pk).delete()
    _move(company, at)


def _move(company: Company, at: datetime) -> None:
    book = week_book(company=company)
    opened.move(company, at, book, local_monday(at, company.zone) - 3 * WEEK)
