"""Flags of accesses, documents and contracts become tasks: one while the flag stands, closed by itself when it is gone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from processes.models import Action, FlagTask
from processes.services import create_action
from roles import audit, contracts, registry, selectors
from roles.flags import Flag, contractor_flags, document_flags
from roles.models import Access, Channel, Company, Contractor, DocumentLink, Membership
from roles.permissions import RoleKind

GRAVE_DAYS, USUAL_DAYS = 3, 7


@dataclass(frozen=True)
class Standing:
    """A flag as it stands today: on what (`field` of FlagTask), and who could put it right, in the order of asking."""

    field: str
    subject: Access | DocumentLink | Contractor
    flag: Flag
    channel: Channel | None
    people: tuple[Membership | None, ...]

    @property
    def key(self) -> tuple[str, int, str]:
        return self.field, self.subject.pk, str(self.flag)


@transaction.atomic
def settle_flags(*, company: Company, at: datetime) -> tuple[int, int]:
    """Give a task for every flag that has none and close those whose flag is gone; the daily pipeline calls it.

    Idempotent: a flag gives one task while it stands, whatever became of that task. Returns (given, closed).
    """
    today = company.local_date(at)
    standing = {row.key: row for row in _standing(company, today)}
    raised = {_key(task): task for task in _open_tasks(company)}
    gone = [task for key, task in raised.items() if key not in standing]
    with translation.override(company.language):
        for task in gone:
            _clear(company, at, task)
        given = [_raise(company, at, row) for key, row in standing.items() if key not in raised]
    return sum(task is not None for task in given), len(gone)


def _open_tasks(company: Company):
    found = FlagTask.objects.select_for_update(of=("self",)).filter(company=company, cleared_at=None)
    return found.select_related("action", "access", "document", "contractor")


def _key(task: FlagTask) -> tuple[str, int, str]:
    field = next((name for name in ("access", "document", "contractor") if getattr(task, f"{name}_id")), "")
    return field, getattr(task, f"{field}_id") if field else task.pk, task.flag


def _standing(company: Company, today) -> Iterator[Standing]:
    """Every flag of the company with its people: the manager for what is the company's, the channel's owner for the rest."""
    managers = tuple(
        person
        for kind in (RoleKind.PM, RoleKind.OWNER)
        for person in selectors.holders(company=company, kind=kind, on=today)
    )
    owners = {row.pk: row.owner for row in selectors.channels(company=company)}
    for line in registry.flagged_accesses(company=company, today=today):
        channel = line.channels[0] if line.channels else None
        holders = tuple(owners.get(row.pk) for row in line.channels)
        for flag in line.flags:
            people = managers if flag.is_managers else holders + managers
            yield Standing("access", line.access, flag, channel, people)
    for document in registry.documents(company=company):
        for flag in document_flags(document):
            people = (owners.get(document.channel_id), document.owner, *managers)
            yield Standing("document", document, flag, document.channel, people)
    for contractor in contracts.contractors(company=company).filter(closed_on=None):
        for flag in contractor_flags(contractor, today):
            yield Standing("contractor", contractor, flag, None, (contractor.responsible, contractor.deputy, *managers))


def _raise(company: Company, at: datetime, row: Standing) -> FlagTask | None:
    """The task of a flag; None where the company has nobody to do it."""
    owner = next((person for person in row.people if person is not None and person.is_active), None)
    if owner is None:
        return None
    days = GRAVE_DAYS if row.flag.is_grave else USUAL_DAYS
    action = create_action(
        company=company, by=None, at=at, text=str(row.flag.task) % {"what": row.subject}, owner=owner,
        due_on=company.local_date(at) + timedelta(days=days), channel=row.channel, kind=Action.Kind.FLAG,
    )  # fmt: skip
    task = FlagTask.objects.create(
        company=company, flag=row.flag, action=action, raised_at=at, **{row.field: row.subject}
    )
    audit.record(company=company, by=None, verb="raise_flag", obj=task, at=at, after={"name": action.text})
    return task


def _clear(company: Company, at: datetime, task: FlagTask) -> None:
    """The reason is gone: so is the task, if nobody has closed it before."""
    task.cleared_at = at
    task.save(update_fields=["cleared_at"])
    open_action = Action.objects.filter(company=company, pk=task.action_id, state=Action.State.OPEN)
    note = _("Put right: seen by the system.")
    if open_action.update(state=Action.State.DONE, closed_at=at, closed_note=note):
        audit.record(
            company=company, by=None, verb="close_action", obj=task.action, at=at, reason=note,
            before={"text": task.action.text, "state": Action.State.OPEN.value}, after={"state": Action.State.DONE.value},
        )  # fmt: skip
