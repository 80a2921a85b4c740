"""Contractors: the contract, the people let in by it, and the end of both."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from roles import audit, contracts, formats, selectors
from roles.models import (
    Access,
    Appointment,
    Channel,
    Company,
    Contractor,
    ContractorChannel,
    ContractorPerson,
    Membership,
    Role,
    User,
)
from roles.permissions import RoleKind
from roles.refusals import Conflict, FieldError
from roles.services import hats, people
from roles.services.accesses import refuse_secrets, relink
from roles.validation import changes, check_fields, refuse

FIELDS = ("name", "scope", "starts_on", "ends_on", "contact_name", "contact", "responsible", "deputy")
WORDS = ("name", "scope", "contact_name", "contact")


class ContractorExists(Conflict):
    code = "contractor_exists"


class ContractClosed(Conflict):
    code = "contract_closed"


class StillHolds(Conflict):
    code = "still_holds"


class AlreadyLetIn(Conflict):
    code = "already_let_in"


@transaction.atomic
def create_contractor(
    *, company: Company, by: Membership | None, at: datetime, channels: Iterable[Channel] = (), **fields
) -> Contractor:
    """Register a firm with its contract. Raises Refused with the fields, ContractorExists."""
    contractor = Contractor(company=company, changed_at=at, **fields)
    _check(contractor)
    _save(contractor)
    relink(ContractorChannel, "contractor", contractor, "channel", channels)
    audit.record(company=company, by=by, verb="create_contractor", obj=contractor, at=at, after=_told(contractor))
    return contractor


@transaction.atomic
def update_contractor(
    *, company: Company, by: Membership | None, at: datetime, today: date, contractor: Contractor, reason: str = "",
    channels: Iterable[Channel] | None = None, **fields,
) -> Contractor:  # fmt: skip
    """Change a contract; another last day moves the access of its people, a day from today on lets them in again.

    Raises Refused with the fields, ContractorExists, ContractClosed.
    """
    locked = _lock(company, contractor)
    before, after = changes({name: getattr(locked, name) for name in fields}, fields)
    names = _channel_names(locked)
    for name, value in fields.items():
        setattr(locked, name, value)
    _check(locked)
    if channels is not None:
        relink(ContractorChannel, "contractor", locked, "channel", channels)
    if (named := _channel_names(locked)) != names:
        before["channels"], after["channels"] = names, named
    if not after:
        return locked
    if locked.ends_on >= today:
        locked.ended_on = None
    locked.changed_at = at
    _save(locked)
    audit.record(
        company=company, by=by, verb="update_contractor", obj=locked, at=at, reason=reason,
        before={"name": locked.name, **before}, after={"name": locked.name, **after},
    )  # fmt: skip
    if {"starts_on", "ends_on"} & set(after) and locked.ends_on >= today:
        for row in locked.person_rows.select_related("person__user"):
            _fit_hat(company, by, at, today, _let_in(company, by, at, today, row.person.user))
    return locked


@transaction.atomic
def add_contractor_person(
    *, company: Company, by: Membership | None, at: datetime, today: date, contractor: Contractor, email: str,
    name: str = "", invite: bool = True,
) -> Membership:  # fmt: skip
    """Let a person of the contractor's in, until the last day of the contract: they see their tasks and briefs alone.

    Raises Refused for a wrong address or somebody of the company's own people, ContractClosed, AlreadyLetIn.
    """
    locked = _lock(company, contractor)
    if locked.ended_on is not None or locked.is_past(today):
        raise ContractClosed(_("The contract has ended: give it a new last day first."))
    user = User.objects.filter(email=email.strip().lower()).first()
    person = _let_in(company, by, at, today, user) if user else None
    if person is None:
        person = people.add_person(company=company, by=by, at=at, today=today, email=email, name=name, invite=invite)
    if any(hat.kind != RoleKind.CONTRACTOR for hat in selectors.hats_of(person=person, on=today)):
        message = _("%(person)s wears a hat of the company: a contractor's person has none.") % {"person": person}
        raise refuse("email", "own_person", message)
    _row, added = ContractorPerson.objects.get_or_create(company=company, contractor=locked, person=person)
    if not added:
        message = _("%(person)s works for this contractor already.") % {"person": person}
        raise AlreadyLetIn(message, [FieldError("email", "already_let_in", message)])
    _fit_hat(company, by, at, today, person)
    after = {"name": locked.name, "person": str(person)}
    audit.record(company=company, by=by, verb="add_contractor_person", obj=locked, at=at, after=after)
    return person


@transaction.atomic
def remove_contractor_person(
    *, company: Company, by: Membership | None, at: datetime, today: date, contractor: Contractor, person: Membership
) -> None:
    """A person of the contractor's works here no longer: the login here ends with their last contract."""
    locked = _lock(company, contractor)
    ContractorPerson.objects.filter(company=company, contractor=locked, person=person).delete()
    before = {"name": locked.name, "person": str(person)}
    audit.record(company=company, by=by, verb="remove_contractor_person", obj=locked, at=at, before=before)
    _fit_hat(company, by, at, today, person)


@transaction.atomic
def close_contractor(
    *, company: Company, by: Membership, at: datetime, today: date, contractor: Contractor, reason: str = ""
) -> Contractor:
    """Results and accesses are back: the contract is history. Its people's access ends if it has not.

    Raises ContractClosed, and StillHolds naming the accesses where the contractor still stands.
    """
    locked = _lock(company, contractor)
    held = [str(access) for access in Access.objects.filter(company=company, contractor=locked, closed_on=None)]
    if held:
        message = _("The contractor still has accesses: %(names)s. Take them back first.")
        raise StillHolds(message % {"names": "; ".join(held)})
    _end(company, by, at, today, locked)
    locked.closed_on, locked.changed_at = today, at
    locked.save(update_fields=["closed_on", "changed_at"])
    audit.record(
        company=company, by=by, verb="close_contractor", obj=locked, at=at, after={"name": locked.name}, reason=reason
    )
    return locked


@transaction.atomic
def end_past_contracts(*, company: Company, at: datetime, today: date) -> int:
    """End the access of the people whose contract's last day has passed; the daily pipeline calls it. Idempotent.

    Returns how many contracts were ended.
    """
    past = Contractor.objects.select_for_update().filter(company=company, ends_on__lt=today, ended_on=None)
    for contractor in (rows := list(past)):
        _end(company, None, at, today, contractor)
    return len(rows)


def _end(company: Company, by: Membership | None, at: datetime, today: date, contractor: Contractor) -> None:
    if contractor.ended_on is not None:
        return
    contractor.ended_on, contractor.changed_at = today, at
    contractor.save(update_fields=["ended_on", "changed_at"])
    people_of = [row.person for row in contractor.person_rows.select_related("person__user")]
    for person in people_of:
        _fit_hat(company, by, at, today, person)
    after = {"name": contractor.name, "people": [str(person) for person in people_of]}
    audit.record(company=company, by=by, verb="end_contractor", obj=contractor, at=at, after=after)


def _let_in(company, by, at, today, user: User) -> Membership | None:
    """The membership of a login that is known here, active again; None when this company has never had it."""
    person = Membership.objects.filter(company=company, user=user).select_related("user").first()
    if person is not None and not person.is_active:
        return people.add_person(company=company, by=by, at=at, today=today, email=user.email)
    return person


def _fit_hat(company, by, at, today: date, person: Membership) -> None:
    """The contractor's hat lasts from the first to the last day of the person's contracts; without one the membership ends."""
    contracts_left = contracts.contracts_of(person=person, on=today, coming=True)
    worn = Appointment.objects.filter(company=company, person=person).exclude(ends_on__lt=today)
    worn = list(worn.select_related("role", "person__user", "deputy__user", "channel"))
    mine = [appointment for appointment in worn if appointment.role.kind == RoleKind.CONTRACTOR]
    starts = max(today, min((row.starts_on for row in contracts_left), default=today))
    ends = max((row.ends_on for row in contracts_left), default=None)
    if ends is not None and any(row.starts_on <= starts and row.ends_on == ends for row in mine):
        return
    yesterday = today - timedelta(days=1)
    for appointment in mine:
        hats.end_appointment(
            company=company, by=by, at=at, today=today, appointment=appointment, last_day=yesterday
        )  # fmt: skip
    if ends is not None:
        hats.appoint(
            company=company,
            by=by,
            at=at,
            today=today,
            role=_role(company),
            person=person,
            starts_on=starts,
            ends_on=ends,
        )
    elif len(mine) == len(worn) and person.is_active:
        people.remove_person(
            company=company, by=by, at=at, today=today, person=person, reason=_("The contract has ended.")
        )


def _role(company: Company) -> Role:
    role = Role.objects.filter(company=company, kind=RoleKind.CONTRACTOR, is_archived=False).order_by("pk").first()
    if role is None:
        raise refuse("email", "no_role", _("No role is a contractor's: add one first."))
    return role


def _check(contractor: Contractor) -> None:
    for name in WORDS:
        setattr(contractor, name, (getattr(contractor, name) or "").strip())
    check_fields(contractor)
    refuse_secrets(contractor, ("contact_name",), ("name", "scope", "contact"))
    if contractor.ends_on < contractor.starts_on:
        raise refuse("ends_on", "before_start", _("The last day lies before the first one."))
    if contractor.deputy_id is not None and contractor.deputy_id == contractor.responsible_id:
        raise refuse("deputy", "same_person", _("Name another person: the responsible one stands there already."))
    for name in ("responsible", "deputy"):
        person = getattr(contractor, name)
        if person is not None and (not person.is_active or ContractorPerson.objects.filter(
            company=contractor.company_id, contractor=contractor.pk, person=person
        ).exists()):  # fmt: skip
            raise refuse(name, "not_ours", _("Choose somebody of the company's own people."))


def _lock(company: Company, contractor: Contractor) -> Contractor:
    locked = Contractor.objects.select_for_update().get(company=company, pk=contractor.pk)
    if locked.closed_on is not None:
        day = formats.day(locked.closed_on)
        raise ContractClosed(_("This contract was closed on %(day)s: register a new one.") % {"day": day})
    return locked


def _save(contractor: Contractor) -> None:
    try:
        with transaction.atomic():
            contractor.save()
    except IntegrityError as error:
        message = _("A contract with %(name)s from this day is in the list already.") % {"name": contractor.name}
        raise ContractorExists(message, [FieldError("name", "exists", message)]) from error


def _channel_names(contractor: Contractor) -> str:
    return ", ".join(channel.name for channel in contractor.channels.all())


def _told(contractor: Contractor) -> dict:
    return {
        "name": contractor.name, "starts_on": contractor.starts_on.isoformat(), "ends_on": contractor.ends_on.isoformat(),
        "responsible": str(contractor.responsible), "channels": _channel_names(contractor),
    }  # fmt: skip
