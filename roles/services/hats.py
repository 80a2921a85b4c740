"""Who wears which hat: appointing, ending, and the rule that no running channel is ever without an owner."""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from roles import audit, formats, selectors
from roles.conflicts import Worn
from roles.models import Appointment, Channel, Company, Membership, Role
from roles.permissions import RoleKind
from roles.refusals import Conflict, FieldError, Forbidden
from roles.services.conflicts import CheckTerms, guard
from roles.validation import refuse

GIVEN_BY_OWNER = (RoleKind.OWNER, RoleKind.CMO)
"""Hats that decide over money: only an owner gives or ends them, so that nobody promotes themselves."""

MAY_BE_OWNERLESS = (Channel.Status.PLANNED, Channel.Status.STOPPED)


class OnlyOwnerAppoints(Forbidden):
    code = "only_owner_appoints"


class LastOwner(Conflict):
    code = "last_owner"


class AlreadyAppointed(Conflict):
    code = "already_appointed"


class ChannelOrphaned(Conflict):
    code = "channel_orphaned"


class AlreadyEnded(Conflict):
    code = "already_ended"


@transaction.atomic
def appoint(
    *, company: Company, by: Membership | None, at: datetime, today: date, role: Role, person: Membership,
    channel: Channel | None = None, starts_on: date | None = None, ends_on: date | None = None,
    deputy: Membership | None = None, hours_per_week: int | None = None, reason: str = "",
    check: CheckTerms | None = None,
) -> Appointment:  # fmt: skip
    """Give a person a hat from a day (today when not given) to a day (open when not given), both included.

    A channel's hat makes the person its owner; who owned it until then ends the day before. `by` None: the system.
    `check`: who checks from outside where the hat, or deputising it, clashes with another duty. Raises Refused with the
    field, OnlyOwnerAppoints, AlreadyAppointed, or DutiesClash before anything is written.
    """
    starts_on = starts_on or today
    check_may_give(by, role)
    _check_appointment(role, person, channel, deputy, starts_on, ends_on, today)
    if channel is not None:
        selectors.lock_channel(company=company, pk=channel.pk)
    _check_not_twice(company, role, person, channel, starts_on, ends_on)
    span = (role, channel, starts_on, ends_on)
    hats = [Worn(person, *span), Worn(deputy, *span, deputy=True)]
    guard(company=company, by=by, at=at, today=today, candidates=hats, check=check)
    if role.kind == RoleKind.CHANNEL_OWNER:
        _make_room(company, by, at, channel, starts_on, ends_on)
    appointment = Appointment.objects.create(
        company=company, role=role, person=person, channel=channel, starts_on=starts_on, ends_on=ends_on,
        deputy=deputy, hours_per_week=hours_per_week, appointed_by=by, reason=reason,
    )  # fmt: skip
    audit.record(
        company=company, by=by, verb="appoint", obj=appointment, at=at, after=_told(appointment), reason=reason
    )
    if role.kind == RoleKind.CHANNEL_OWNER and starts_on <= today:
        _set_owner(company, by, at, channel, person)
    _forget_hats(person, deputy)
    return appointment


@transaction.atomic
def end_appointment(
    *, company: Company, by: Membership | None, at: datetime, today: date, appointment: Appointment,
    last_day: date | None = None, reason: str = "",
) -> None:  # fmt: skip
    """End an appointment after its last day; without one it stops counting at once.

    A channel's hat that ends passes to the deputy, else the CMO, else the owner, as an interim appointment that shows
    the role vacant. Raises AlreadyEnded, LastOwner, OnlyOwnerAppoints or ChannelOrphaned.
    """
    last_day = last_day or today - timedelta(days=1)
    check_may_give(by, appointment.role)
    _check_last_day(appointment, today, last_day)
    _check_owner_stays(company, appointment, today, last_day)
    _close(company, by, at, appointment, last_day, reason)
    if appointment.role.kind == RoleKind.CHANNEL_OWNER and last_day < today:
        _hand_over(company=company, by=by, at=at, today=today, ended=appointment)
    _forget_hats(appointment.person, appointment.deputy)


@transaction.atomic
def update_appointment(
    *, company: Company, by: Membership | None, at: datetime, today: date, appointment: Appointment,
    deputy: Membership | None, hours_per_week: int | None, check: CheckTerms | None = None,
) -> Appointment:  # fmt: skip
    """Name another deputy (None: nobody) or other hours a week; the holder, the channel and the days stay.

    `check`: who checks from outside where deputising clashes with another duty of the deputy. Raises Refused,
    OnlyOwnerAppoints or DutiesClash.
    """
    check_may_give(by, appointment.role)
    _check_deputy(appointment.person, deputy)
    if deputy is not None and deputy.pk != appointment.deputy_id:
        span = (appointment.role, appointment.channel, max(appointment.starts_on, today), appointment.ends_on)
        guard(company=company, by=by, at=at, today=today, candidates=[Worn(deputy, *span, deputy=True)], check=check)
    before, former = _told(appointment) | {"hours_per_week": appointment.hours_per_week}, appointment.deputy
    appointment.deputy, appointment.hours_per_week = deputy, hours_per_week
    after = _told(appointment) | {"hours_per_week": hours_per_week}
    if after == before:
        return appointment
    appointment.save(update_fields=["deputy", "hours_per_week"])
    audit.record(company=company, by=by, verb="update_appointment", obj=appointment, at=at, before=before, after=after)
    _forget_hats(former, deputy)
    return appointment


@transaction.atomic
def settle_owners(*, company: Company, at: datetime, today: date) -> int:
    """Bring every channel's owner in line with the appointments of the day; the daily pipeline calls it. Idempotent.

    A scheduled appointment that began makes its person the owner; one that ran out passes as `end_appointment` says.
    Returns how many channels changed hands.
    """
    hats = Appointment.objects.filter(company=company, role__kind=RoleKind.CHANNEL_OWNER).exclude(channel=None)
    started = hats.filter(starts_on__lte=today).select_related("role", "person__user", "deputy__user", "channel")
    latest: dict[int, Appointment] = {}
    for appointment in started.order_by("starts_on", "pk"):
        latest[appointment.channel_id] = appointment
    changed = 0
    for appointment in latest.values():
        in_force = appointment.ends_on is None or appointment.ends_on >= today
        if in_force and appointment.channel.owner_id != appointment.person_id:
            _set_owner(company, None, at, appointment.channel, appointment.person)
            changed += 1
        elif not in_force and appointment.channel.owner_id is not None:
            _hand_over(company=company, by=None, at=at, today=today, ended=appointment)
            changed += 1
    return changed


def heirs(*, company: Company, today: date) -> list[Membership]:
    """Who takes a channel that has no deputy, in this order: the CMOs, then the owners of the company."""
    return [
        person
        for kind in (RoleKind.CMO, RoleKind.OWNER)
        for person in selectors.holders(company=company, kind=kind, on=today)
    ]


def successor_of(*, appointment: Appointment, heirs: list[Membership]) -> Membership | None:
    """Who takes the channel when this appointment ends: the deputy, else the first of the heirs; None for nobody."""
    candidates = [appointment.deputy, *heirs] if appointment.deputy_id else heirs
    return next((heir for heir in candidates if heir.pk != appointment.person_id and heir.is_active), None)


def check_may_give(by: Membership | None, role: Role) -> None:
    """Raises OnlyOwnerAppoints where this person may neither give nor end such a hat."""
    if by is not None and role.kind in GIVEN_BY_OWNER and not by.wears(RoleKind.OWNER):
        raise OnlyOwnerAppoints(
            _("Only the owner gives and takes back the hats of the owner and the marketing director.")
        )


def _check_appointment(role, person, channel, deputy, starts_on, ends_on, today) -> None:
    if role.is_archived:
        raise refuse("role", "archived", _("This role is archived: choose another one."))
    if not person.is_active:
        raise refuse("person", "not_a_member", _("This person has left the company: add them again first."))
    _check_deputy(person, deputy)
    if role.kind == RoleKind.CHANNEL_OWNER and channel is None:
        raise refuse("channel", "required", _("Choose the channel: this hat is worn for one channel."))
    if role.kind not in (RoleKind.CHANNEL_OWNER, RoleKind.CONTRACTOR) and channel is not None:
        raise refuse("channel", "company_wide", _("This hat covers the whole company: leave the channel empty."))
    if ends_on is not None and ends_on < max(starts_on, today):
        raise refuse("ends_on", "before_start", _("The last day must not lie before the first day or in the past."))


def _check_deputy(person: Membership, deputy: Membership | None) -> None:
    if deputy is not None and deputy.pk == person.pk:
        raise refuse(
            "deputy", "same_person", _("Nobody deputises themselves: choose another person or leave it empty.")
        )
    if deputy is not None and not deputy.is_active:
        raise refuse("deputy", "not_a_member", _("The deputy has left the company: choose another person."))


def _check_last_day(appointment: Appointment, today: date, last_day: date) -> None:
    ends = appointment.ends_on
    if ends is not None and ends < today:
        raise AlreadyEnded(_("This appointment has already ended on %(day)s.") % {"day": formats.day(ends)})
    if last_day < today - timedelta(days=1):
        message = _("The last day cannot lie in the past: what was done on those days keeps its holder.")
        raise refuse("last_day", "in_the_past", message)
    if ends is not None and last_day > ends:
        message = _("This appointment ends on %(day)s: choose an earlier last day.")
        raise refuse("last_day", "after_end", message % {"day": formats.day(ends)})


def _overlapping(starts_on: date, ends_on: date | None) -> Q:
    until = Q() if ends_on is None else Q(starts_on__lte=ends_on)
    return until & (Q(ends_on=None) | Q(ends_on__gte=starts_on))


def _check_not_twice(company, role, person, channel, starts_on, ends_on) -> None:
    same = Appointment.objects.filter(company=company, role=role, person=person, channel=channel, interim=False)
    if same.filter(_overlapping(starts_on, ends_on)).exists():
        raise AlreadyAppointed(
            _("%(person)s already wears this hat in these days.") % {"person": person},
            [FieldError("person", "already_appointed", _("Already appointed."))],
        )


def _make_room(company, by, at, channel, starts_on, ends_on) -> None:
    """End whoever held the channel until now; a holder who starts later is not pushed out silently."""
    others = Appointment.objects.filter(company=company, channel=channel, role__kind=RoleKind.CHANNEL_OWNER)
    for other in others.filter(_overlapping(starts_on, ends_on)).select_related("role", "person__user", "deputy__user"):
        if other.starts_on > starts_on:
            message = _(
                "From %(day)s the channel is given to %(person)s: name a last day before it, or end that appointment."
            )
            raise AlreadyAppointed(message % {"day": formats.day(other.starts_on), "person": other.person})
        _close(company, by, at, other, starts_on - timedelta(days=1), "")
        _forget_hats(other.person, other.deputy)


def _close(company, by, at, appointment, last_day: date, reason: str) -> None:
    """Write the last day. One that never counted for a whole day is taken out: its trace is the audit event."""
    before = _told(appointment)
    if last_day < appointment.starts_on:
        audit.record(
            company=company, by=by, verb="end_appointment", obj=appointment, at=at, before=before, reason=reason
        )
        Appointment.objects.filter(company=company, pk=appointment.pk).delete()
        return
    appointment.ends_on = last_day
    appointment.save(update_fields=["ends_on"])
    after = {**before, "ends_on": last_day.isoformat()}
    audit.record(
        company=company,
        by=by,
        verb="end_appointment",
        obj=appointment,
        at=at,
        before=before,
        after=after,
        reason=reason,
    )


def _check_owner_stays(company, appointment, today: date, last_day: date) -> None:
    if appointment.role.kind != RoleKind.OWNER:
        return
    owners = Appointment.objects.filter(company=company, role__kind=RoleKind.OWNER, person__is_active=True)
    stay = owners.filter(starts_on__lte=max(today, last_day + timedelta(days=1)), ends_on=None)
    if not stay.exclude(pk=appointment.pk).exists():
        raise LastOwner(_("The company needs an owner: appoint the next one first."))


def _hand_over(*, company, by, at, today, ended) -> None:
    """Pass a channel whose hat has ended; a planned or stopped one may stay without an owner."""
    channel = selectors.lock_channel(company=company, pk=ended.channel_id)
    heir = successor_of(appointment=ended, heirs=heirs(company=company, today=today))
    if channel.status in MAY_BE_OWNERLESS:
        _set_owner(company, by, at, channel, None)
        return
    if heir is None:
        raise ChannelOrphaned(
            _("The channel would have no owner: %(names)s. Appoint somebody first.") % {"names": channel.name}
        )
    interim = Appointment.objects.create(
        company=company, role_id=ended.role_id, person=heir, channel=channel, starts_on=today, interim=True
    )
    audit.record(company=company, by=by, verb="hand_over_channel", obj=interim, at=at, after=_told(interim))
    _set_owner(company, by, at, channel, heir)
    _forget_hats(heir)


def _set_owner(company, by, at, channel, person: Membership | None) -> None:
    if channel.owner_id == (person.pk if person else None):
        return
    before = {"name": channel.name, "owner": str(channel.owner) if channel.owner_id else None}
    Channel.objects.filter(company=company, pk=channel.pk).update(owner=person)
    channel.owner = person
    after = {"name": channel.name, "owner": str(person) if person else None}
    audit.record(company=company, by=by, verb="change_channel_owner", obj=channel, at=at, before=before, after=after)


def _told(appointment: Appointment) -> dict:
    """An appointment as the journal keeps it: names stay readable when people and roles have changed since."""
    return {
        "role": appointment.role.code,
        "person": str(appointment.person),
        "channel": appointment.channel.name if appointment.channel_id else None,
        "starts_on": appointment.starts_on.isoformat(),
        "ends_on": appointment.ends_on.isoformat() if appointment.ends_on else None,
        "deputy": str(appointment.deputy) if appointment.deputy_id else None,
    }


def _forget_hats(*people: Membership | None) -> None:
    """The hats a Membership has already read are stale after a write."""
    for person in people:
        if person is not None:
            person.__dict__.pop("hats", None)
