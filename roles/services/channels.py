"""Channels: one owner, one coordinator, one result KPI, a priority with a reason."""

from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from roles import audit, catalogue, selectors
from roles.models import Appointment, Channel, Company, Membership, Role
from roles.permissions import Permission, RoleKind
from roles.refusals import Conflict, FieldError, Forbidden
from roles.services import hats
from roles.services.conflicts import CheckTerms
from roles.signals import bounds_will_change
from roles.validation import changes, check_fields, refuse

FIELDS = (
    "name", "kind", "status", "priority", "priority_reason", "coordinator", "result_kpi", "monthly_budget", "test_budget",
    "tolerance", "stop_loss", "position",
)  # fmt: skip
AMOUNTS = ("monthly_budget", "test_budget", "tolerance", "stop_loss")


class ChannelExists(Conflict):
    code = "channel_exists"


class PriorityIsTheDirectors(Forbidden):
    code = "priority_is_the_directors"


class NotYours(Forbidden):
    code = "not_yours"


@transaction.atomic
def create_channel(
    *, company: Company, by: Membership | None, at: datetime, today: date, code: str, name: str, kind: str,
    owner: Membership | None = None, role: Role | None = None, deputy: Membership | None = None,
    check: CheckTerms | None = None, **fields,
) -> Channel:  # fmt: skip
    """A channel; `owner` gets the hat that owns channels of this kind (`role` names another one) from `today`.

    `check`: who checks where the hat clashes with another duty. Without a coordinator the project manager coordinates.
    Raises Refused with the fields (a running channel needs an owner), ChannelExists, PriorityIsTheDirectors, or what
    `hats.appoint` raises.
    """
    _check_known(fields)
    channel = Channel(company=company, code=code, name=name, kind=kind, owner=owner, **fields)
    if channel.priority != Channel.Priority.HOLD:
        _check_priority(by, channel.priority_reason)
    if channel.coordinator_id is None:
        channel.coordinator = next(iter(selectors.holders(company=company, kind=RoleKind.PM, on=today)), None)
    _check(channel, owner, {*FIELDS, "owner"})
    try:
        with transaction.atomic():
            channel.save()
    except IntegrityError as error:
        message = _("The company already has a channel with the code %(code)s.") % {"code": code}
        raise ChannelExists(message, [FieldError("code", "exists", message)]) from error
    after = {"name": name, "code": code, "kind": kind, "status": channel.status, "owner": str(owner) if owner else None}
    audit.record(company=company, by=by, verb="create_channel", obj=channel, at=at, after=after)
    if owner is not None:
        hats.appoint(
            company=company, by=by, at=at, today=today, channel=channel, person=owner, deputy=deputy, check=check,
            role=role or hat_for(company=company, kind=kind),
        )  # fmt: skip
    return channel


@transaction.atomic
def update_channel(
    *, company: Company, by: Membership | None, at: datetime, today: date, channel: Channel, reason: str = "", **fields
) -> Channel:
    """Change a channel; fields not given stay. `owner` makes an appointment (None ends it: only planned or stopped).

    `priority` and `priority_reason` need SET_PRIORITY and a reason. Raises Refused with the fields,
    PriorityIsTheDirectors, what `hats.appoint` raises and what receivers of bounds_will_change refuse.
    """
    new_owner = fields.pop("owner", ...)
    _check_known(fields)
    locked = selectors.lock_channel(company=company, pk=channel.pk)
    before, after = changes({name: getattr(locked, name) for name in fields}, fields)
    for name, value in fields.items():
        setattr(locked, name, value)
    if {"priority", "priority_reason"} & set(after):
        _check_priority(by, locked.priority_reason)
    changed = set(after) if new_owner is ... else {*after, "owner"}
    _check(locked, locked.owner if new_owner is ... else new_owner, changed)
    if new_owner is not ...:
        _give(company, by, at, today, locked, new_owner)
    if set(AMOUNTS) & set(after):
        bounds_will_change.send(sender=Channel, scope=locked, by=by, at=at, reason=reason)
    if after:
        locked.save(update_fields=list(after))
        audit.record(
            company=company, by=by, verb="update_channel", obj=locked, at=at, reason=reason,
            before={"name": locked.name, **before}, after={"name": locked.name, **after},
        )  # fmt: skip
    return locked


def set_channel_status(
    *, company: Company, by: Membership | None, at: datetime, today: date, channel: Channel, status: str, reason: str
) -> Channel:
    """What a signed decision does to a channel: the signature is the right, so none is asked here."""
    return update_channel(company=company, by=by, at=at, today=today, channel=channel, status=status, reason=reason)


def hat_for(*, company: Company, kind: str) -> Role:
    """The hat that owns channels of a kind: the built-in one, else the first that owns channels. Refused when there is none."""
    roles = Role.objects.filter(company=company, kind=RoleKind.CHANNEL_OWNER, is_archived=False).order_by("pk")
    found = {role.code: role for role in roles}
    chosen = found.get(catalogue.ROLE_OF_CHANNEL_KIND.get(kind, "")) or next(iter(found.values()), None)
    if chosen is None:
        raise refuse("owner", "no_role", _("No role owns channels: add one first."))
    return chosen


def _give(company, by, at, today, channel, owner: Membership | None) -> None:
    """Make `owner` the channel's owner by an appointment, or end the one in force."""
    current = (
        Appointment.objects.filter(
            company=company, channel=channel, role__kind=RoleKind.CHANNEL_OWNER, starts_on__lte=today
        )
        .exclude(ends_on__lt=today)
        .select_related("role", "person__user", "deputy__user", "channel")
        .last()
    )
    if owner is None:
        if current is not None:
            channel.save(update_fields=["status"])
            hats.end_appointment(company=company, by=by, at=at, today=today, appointment=current)
            channel.owner = None
        return
    if current is not None and current.person_id == owner.pk and not current.interim:
        return
    role = current.role if current is not None else hat_for(company=company, kind=channel.kind)
    hats.appoint(company=company, by=by, at=at, today=today, role=role, person=owner, channel=channel)


def _check_known(fields: dict) -> None:
    unknown = set(fields) - set(FIELDS)
    if unknown:
        raise TypeError(f"not a field of a channel: {sorted(unknown)}")


def _check_priority(by: Membership | None, reason: str) -> None:
    if by is not None and not by.can(Permission.SET_PRIORITY):
        raise PriorityIsTheDirectors(_("The marketing director sets the priority of channels."))
    if not reason.strip():
        raise refuse("priority_reason", "required", _("Say why: everybody sees the priority with its reason."))


def _check(channel: Channel, owner: Membership | None, changed: set[str]) -> None:
    """People are looked at where they are named: one who has left must not keep a signed stop from taking effect."""
    check_fields(channel)
    for name in AMOUNTS:
        if getattr(channel, name) is not None and channel._meta.get_field(name).to_python(getattr(channel, name)) < 0:
            raise refuse(name, "negative", _("This cannot be below zero."))
    if "coordinator" in changed and channel.coordinator is not None and not channel.coordinator.is_active:
        raise refuse("coordinator", "not_a_member", _("The coordinator has left the company: choose another person."))
    if "owner" in changed and owner is not None and not owner.is_active:
        raise refuse("owner", "not_a_member", _("The owner has left the company: choose another person."))
    if owner is None and channel.status not in hats.MAY_BE_OWNERLESS:
        message = _("A channel in work needs an owner: name one, or keep the channel planned or stopped.")
        raise refuse("owner", "required", message)
