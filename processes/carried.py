"""Actions that pass from one person to another: by a hand-over, or raised to whoever stands above."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from processes import selectors
from processes.deciders import around
from processes.models import Action
from processes.services import ActionClosed, MayNotClose
from roles import audit
from roles.models import Company, Membership
from roles.permissions import RoleKind
from roles.validation import refuse


@transaction.atomic
def hand_over_action(
    *,
    company: Company,
    by: Membership | None,
    at: datetime,
    action: Action,
    owner: Membership,
    due_on: date,
    reason: str,
) -> Action:
    """Give an open action to another person with a new date; its count of moves begins anew. `by` None: its owner left.

    Raises MayNotClose (403), ActionClosed (409), Refused for the same person, one who has left, or a past date.
    """
    if by is not None and not selectors.may_close(person=by, action=action):
        raise MayNotClose(_("Whoever has to do it closes it, or who gave it, or who answers for the channel."))
    if not owner.is_active:
        raise refuse("owner", "not_a_member", _("This person has left the company: choose another one."))
    if owner.pk == action.owner_id:
        raise refuse("owner", "same", _("This person has it already: choose another one."))
    if due_on < company.local_date(at):
        raise refuse("due_on", "past", _("This date is past: give today or a later day."))
    row = Action.objects.select_for_update().get(company=company, pk=action.pk)
    if row.state != Action.State.OPEN:
        raise ActionClosed(_("This action is closed already."))
    before = {"owner": str(action.owner), "due_on": row.due_on.isoformat(), "carried": row.carried}
    row.owner, row.due_on, row.carried = owner, due_on, 0
    row.save(update_fields=["owner", "due_on", "carried"])
    audit.record(
        company=company, by=by, verb="hand_over_action", obj=row, at=at, reason=reason, before=before,
        after={"text": row.text, "owner": str(owner), "due_on": due_on.isoformat(), "carried": 0},
    )  # fmt: skip
    return row


def above(*, company: Company, person_id: int, at: datetime) -> Membership | None:
    """Who an action is raised to: the marketing director, from the director the owner; None where nobody stands above."""
    people = around(company=company, on=company.local_date(at))
    for kind in (RoleKind.CMO, RoleKind.OWNER):
        found = [person for person in people.wearers(kind) if person.pk != person_id]
        if found and not any(person.pk == person_id for person in people.wearers(RoleKind.OWNER)):
            return found[0]
    return None
