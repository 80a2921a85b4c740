"""Writing targets: a plan changes only by a new version with a reason, and never recolours the past."""

from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from kpis import periods
from kpis.models import Target
from kpis.selectors.measures import measures_of, metrics_of
from roles import audit
from roles.fields import from_micros, to_micros
from roles.models import Channel, Company, Membership
from roles.refusals import Stale
from roles.validation import refuse


class TargetChanged(Stale):
    """Somebody made another version meanwhile."""


@transaction.atomic
def set_target(
    *,
    company: Company,
    by: Membership | None,
    at: datetime,
    measure: str,
    month: date,
    value: Decimal | int | str,
    reason: str,
    channel: Channel | None = None,
    valid_from: date | None = None,
    expected: int | None = None,
) -> Target:
    """The plan of a KPI or metric for a month of the company or a channel: a new version when the value differs.

    A metric's plan is for the whole month, a KPI's holds for each of its days; rates are shares. `valid_from`: the first
    day judged by this version (today without it; the first version counts for every day). `expected`: the version's number the
    caller saw, 0 for none. Raises Refused, TargetChanged.
    """
    Company.objects.select_for_update(no_key=True).get(pk=company.pk)
    _check_scope(company, measure, channel)
    month, value = periods.month_start(month), _plan(company, measure, value)
    current = Target.objects.filter(
        company=company, measure=measure, channel=channel, month=month, superseded_at=None
    ).first()
    if expected is not None and expected != (current.number if current else 0):
        raise TargetChanged(_("Somebody changed it meanwhile. Read it again and repeat your change."))
    if current and current.value == value:
        return current
    _check_reason(reason)
    target = Target(
        company=company, measure=measure, channel=channel, month=month, value=value, reason=reason.strip(),
        number=current.number + 1 if current else 1, valid_from=_valid_from(company, at, current, valid_from),
        created_by=by, created_at=at,
    )  # fmt: skip
    if current:
        current.superseded_at = at
        current.save(update_fields=["superseded_at"])
    target.save()
    scope = {"measure": measure, "channel": channel.code if channel else None, "month": f"{month:%Y-%m}"}
    audit.record(
        company=company, by=by, verb="set_target", obj=target, at=at,
        before={"value": str(current.value)} if current else None, after={**scope, "value": str(value)},
        reason=target.reason,
    )  # fmt: skip
    return target


@transaction.atomic
def set_targets(*, company: Company, month: date, months: int = 1, **target) -> list[Target]:
    """The same plan for some months in a row, all or none; the rest as in `set_target`."""
    return [set_target(company=company, month=periods.add_months(month, ahead), **target) for ahead in range(months)]


def _check_scope(company: Company, measure: str, channel: Channel | None) -> None:
    if measure not in measures_of(company=company):
        message = _("There is no KPI or metric “%(code)s”.") % {"code": measure}
        raise refuse("kpi", "unknown", message)
    if channel is not None and channel.company_id != company.pk:
        raise refuse("channel", "unknown", _("There is no such channel."))


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise refuse("reason", "required", _("Write why it changes: people will ask."))
    if len(reason.strip()) > 500:
        raise refuse("reason", "too_long", _("The reason is longer than 500 characters. Shorten it."))


def _plan(company: Company, measure: str, value: Decimal | int | str) -> Decimal:
    """The value as it will be stored; refused when it is no number or below zero where the metric never is."""
    try:
        plan = from_micros(to_micros(value))
    except (ValueError, TypeError) as error:
        raise refuse("value", "invalid", _("Write the plan as a number: 1234.56.")) from error
    info = metrics_of(company=company).get(measure)
    if plan < 0 and info is not None and not info.signed:
        raise refuse("value", "negative", _("This metric is never below zero, and so is its plan."))
    return plan


def _valid_from(company: Company, at: datetime, current: Target | None, wanted: date | None) -> date:
    """The first day the version counts; a change of a plan that already stands never reaches into the past."""
    today = company.local_date(at)
    if wanted is None:
        return today
    if current is not None and wanted < today:
        message = _("A changed plan counts from today at the earliest: the past keeps the plan it was judged by.")
        raise refuse("valid_from", "past", message)
    return wanted
