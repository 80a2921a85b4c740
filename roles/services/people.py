"""Inviting people, letting them go, and the days on which they are away."""

from datetime import date, datetime

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from roles import audit, selectors, tasks
from roles.models import Absence, ApiToken, Appointment, Channel, Company, Membership, User
from roles.permissions import Permission, RoleKind
from roles.refusals import Conflict, FieldError, Forbidden
from roles.services import conflicts, hats
from roles.validation import refuse


class AlreadyMember(Conflict):
    code = "already_member"


class AlreadyLeft(Conflict):
    code = "already_left"


class AlreadyAway(Conflict):
    code = "already_away"


class NotYours(Forbidden):
    code = "not_yours"


@transaction.atomic
def add_person(
    *,
    company: Company,
    by: Membership | None,
    at: datetime,
    today: date,
    email: str,
    name: str = "",
    invite: bool = True,
) -> Membership:
    """Make a person of an e-mail: a login without a password where there is none, and the membership.

    The invitation with the link that sets the password goes out after the commit. Who had left comes back. Hats are
    given apart. Raises Refused for a wrong address, AlreadyMember.
    """
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise refuse("email", "invalid", " ".join(error.messages)) from error
    user, created = User.objects.get_or_create(email=email, defaults={"name": name, "language": company.language})
    if created:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    else:
        _secure_login(user, name)
    person, joined = Membership.objects.get_or_create(company=company, user=user, defaults={"joined_on": today})
    if not joined and person.is_active:
        message = _("%(email)s is already in the company.") % {"email": email}
        raise AlreadyMember(message, [FieldError("email", "already_member", message)])
    if not joined:
        person.is_active, person.left_on = True, None
        person.save(update_fields=["is_active", "left_on"])
    audit.record(
        company=company, by=by, verb="add_person", obj=person, at=at, after={"name": str(user), "email": email}
    )
    if invite:
        _send_invitation(company, person)
    return person


def invite_again(*, company: Company, by: Membership, at: datetime, person: Membership) -> None:
    """Send the invitation once more: the link of the first one lives three days."""
    with transaction.atomic():
        audit.record(company=company, by=by, verb="invite_again", obj=person, at=at, after={"name": str(person)})
        _send_invitation(company, person)


@transaction.atomic
def remove_person(
    *, company: Company, by: Membership | None, at: datetime, today: date, person: Membership, reason: str = ""
) -> None:
    """End a membership: hats pass on, this company's tokens die, the login dies with its last company.

    The last step of a departure: `processes.leaving` hands over everything else that stands on the person.

    Raises AlreadyLeft, hats.LastOwner, hats.OnlyOwnerAppoints, or hats.ChannelOrphaned naming the running channels
    that nobody could take.
    """
    if by is not None and by.pk == person.pk:
        raise NotYours(_("Nobody removes themselves: ask another manager or the owner."))
    if not Membership.objects.select_for_update().get(company=company, pk=person.pk).is_active:
        raise AlreadyLeft(_("%(person)s has already left.") % {"person": person})
    current = list(selectors.appointments_of(company=company, person=person, on=today))
    _check_nothing_orphaned(company, current, today)
    for appointment in current:
        hats.end_appointment(company=company, by=by, at=at, today=today, appointment=appointment, reason=reason)
    Appointment.objects.filter(company=company, deputy=person).exclude(ends_on__lt=today).update(deputy=None)
    conflicts.end_checks_by(company=company, by=by, at=at, today=today, checker=person)
    heirs = [*selectors.holders(company=company, kind=RoleKind.PM, on=today), *hats.heirs(company=company, today=today)]
    coordinator = next((heir for heir in heirs if heir != person), None)
    Channel.objects.filter(company=company, coordinator=person).update(coordinator=coordinator)
    tokens = ApiToken.objects.filter(company=company, person=person, revoked_at=None).update(revoked_at=at)
    person.is_active, person.left_on = False, today
    person.save(update_fields=["is_active", "left_on"])
    if not selectors.companies_of(user=person.user):
        User.objects.filter(pk=person.user_id).update(is_active=False)
    after = {"name": str(person), "tokens_revoked": tokens, "hats_ended": len(current)}
    audit.record(company=company, by=by, verb="remove_person", obj=person, at=at, after=after, reason=reason)


@transaction.atomic
def add_absence(
    *, company: Company, by: Membership | None, at: datetime, person: Membership, starts_on: date, ends_on: date,
    reason: str = "",
) -> Absence:  # fmt: skip
    """A person is away on these days (both included): their deputies act meanwhile. Own days, or by who manages people."""
    _check_own_or_manager(by, person)
    if ends_on < starts_on:
        raise refuse("ends_on", "before_start", _("The last day lies before the first one."))
    overlapping = Absence.objects.filter(company=company, person=person, starts_on__lte=ends_on, ends_on__gte=starts_on)
    if overlapping.exists():
        raise AlreadyAway(_("%(person)s is already marked away on some of these days.") % {"person": person})
    absence = Absence.objects.create(
        company=company, person=person, starts_on=starts_on, ends_on=ends_on, reason=reason
    )
    audit.record(company=company, by=by, verb="add_absence", obj=absence, at=at, after=_away(absence), reason=reason)
    return absence


@transaction.atomic
def remove_absence(*, company: Company, by: Membership | None, at: datetime, absence: Absence) -> None:
    """The person is not away after all, or came back early: from now on the deputies do not act."""
    _check_own_or_manager(by, absence.person)
    audit.record(company=company, by=by, verb="remove_absence", obj=absence, at=at, before=_away(absence))
    Absence.objects.filter(company=company, pk=absence.pk).delete()


def _away(absence: Absence) -> dict:
    days = {"starts_on": absence.starts_on.isoformat(), "ends_on": absence.ends_on.isoformat()}
    return {"person": str(absence.person), **days}


def _check_own_or_manager(by: Membership | None, person: Membership) -> None:
    if by is not None and by.pk != person.pk and not by.can(Permission.MANAGE_COMPANY):
        raise NotYours(_("Only the project manager or the owner marks other people away."))


def _check_nothing_orphaned(company: Company, current: list[Appointment], today: date) -> None:
    heirs = hats.heirs(company=company, today=today)
    orphans = [
        appointment.channel.name
        for appointment in current
        if appointment.role.kind == RoleKind.CHANNEL_OWNER
        and appointment.starts_on <= today
        and appointment.channel.status not in hats.MAY_BE_OWNERLESS
        and hats.successor_of(appointment=appointment, heirs=heirs) is None
    ]
    if orphans:
        message = _("These channels would have no owner: %(names)s. Appoint somebody to them first.")
        raise hats.ChannelOrphaned(message % {"names": ", ".join(orphans)})


def _secure_login(user: User, name: str) -> None:
    """Prepare a login that exists for one more company.

    Whoever signed up with this address without ever confirming it may be somebody else: their password and sessions
    end, and only the link in the mail sets a new one.
    """
    addresses = EmailAddress.objects.filter(user=user)
    if addresses.exists() and not addresses.filter(verified=True).exists():
        user.set_unusable_password()
    user.is_active = True
    user.name = user.name or name
    user.save(update_fields=["password", "is_active", "name"])


def _send_invitation(company: Company, person: Membership) -> None:
    """A worker sends the mail after the commit; a broker that is down does not undo the membership."""
    ids = {"company_id": company.pk, "person_id": person.pk}
    transaction.on_commit(lambda: tasks.send_invitation.delay(**ids), robust=True)
