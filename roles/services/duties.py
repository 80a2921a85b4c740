"""Ticking the checklist of a hat: by whoever wears it today, or deputises the absent holder."""

from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from roles import audit, checklists
from roles.models import Channel, Company, DutyTick, Membership, Role, RoleVersion
from roles.refusals import Conflict, Forbidden
from roles.validation import refuse


class NotTheHolder(Forbidden):
    code = "not_the_holder"


class AlreadyTicked(Conflict):
    code = "already_ticked"


class PeriodOver(Conflict):
    code = "period_over"


@transaction.atomic
def tick_duty(
    *, company: Company, by: Membership, at: datetime, today: date, role: Role, key: str, channel: Channel | None = None,
    period: date | None = None,
) -> DutyTick:  # fmt: skip
    """The duty is done in the period that holds `today`; a period that is over stays as it was.

    `period`: the first day of the one that is meant, where a caller may come late. Raises NotTheHolder, Refused for a
    duty the role does not have, PeriodOver, or AlreadyTicked.
    """
    instead_of = _check_wears(company, by, role, channel, today)
    duty = _duty(company, role, key)
    start = _start(duty, today, period)
    try:
        with transaction.atomic():
            tick = DutyTick.objects.create(
                company=company, role=role, channel=channel, key=key, period_start=start, person=by,
                instead_of=instead_of, at=at,
            )  # fmt: skip
    except IntegrityError as error:
        raise AlreadyTicked(_("This duty is already ticked for this period.")) from error
    audit.record(company=company, by=by, verb="tick_duty", obj=tick, at=at, after=_told(tick, duty, role, instead_of))
    return tick


@transaction.atomic
def untick_duty(
    *, company: Company, by: Membership, at: datetime, today: date, role: Role, key: str, channel: Channel | None = None,
    period: date | None = None,
) -> None:  # fmt: skip
    """Take this period's tick back: it was set by mistake. Nothing happens where there is none. Raises as `tick_duty`."""
    instead_of = _check_wears(company, by, role, channel, today)
    duty = _duty(company, role, key)
    start = _start(duty, today, period)
    for tick in DutyTick.objects.filter(company=company, role=role, channel=channel, key=key, period_start=start):
        audit.record(
            company=company, by=by, verb="untick_duty", obj=tick, at=at, before=_told(tick, duty, role, instead_of)
        )
        DutyTick.objects.filter(company=company, pk=tick.pk).delete()


def _check_wears(
    company: Company, by: Membership, role: Role, channel: Channel | None, today: date
) -> Membership | None:
    """For whom `by` ticks: None for themselves, the absent holder for a deputy."""
    people, instead = checklists.who_ticks(company=company, role=role, channel=channel, today=today)
    if by not in people:
        raise NotTheHolder(_("Whoever wears the hat ticks its duties, or the deputy while the holder is away."))
    return instead.get(by.pk)


def _duty(company: Company, role: Role, key: str) -> dict:
    version = RoleVersion.objects.get(company=company, role=role, superseded_at=None)
    found = next((duty for duty in version.duties if duty["key"] == key), None)
    if found is None:
        raise refuse("key", "unknown", _("The role has no such duty any more: reload the page."))
    return found


def _start(duty: dict, today: date, meant: date | None) -> date:
    """First day of the period that holds `today`, which has to be the one that was meant."""
    start, end = checklists.period_of(duty["cadence"], today)
    if meant is not None and not start <= meant <= end:
        raise PeriodOver(_("Only the period of today is ticked: read the checklist again."))
    return start


def _told(tick: DutyTick, duty: dict, role: Role, instead_of: Membership | None) -> dict:
    text = {"text": duty.get("ru") or duty.get("en", ""), "role": role.code, "day": tick.period_start.isoformat()}
    channel = {"channel": tick.channel.name} if tick.channel_id else {}
    return text | channel | ({"instead_of": str(instead_of)} if instead_of else {})
