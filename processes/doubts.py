"""A doubt about a figure is an action: whoever had it may take it back, but never answers it. The author is never the approver."""

from datetime import date

from django.utils.translation import gettext as _

from processes.models import Action
from roles import selectors
from roles.models import Membership
from roles.permissions import RoleKind
from roles.refusals import Forbidden


class MayNotAnswer(Forbidden):
    code = "may_not_answer"


def who_answers(*, person: Membership, action: Action, on: date) -> list[Membership]:
    """Who answers a doubt instead of this person, who had it: whoever has it to do, the director, the owner.

    Empty where the doubt is not theirs, and where nobody else is there, as in a company of one person.
    """
    if action.kind != Action.Kind.DOUBT or action.created_by_id != person.pk:
        return []
    found = [action.owner] if action.owner.is_active else []
    for kind in (RoleKind.CMO, RoleKind.OWNER):
        found += selectors.holders(company=action.company, kind=kind, on=on)
    return [one for one in dict.fromkeys(found) if one.pk != person.pk]


def check_may_answer(*, by: Membership, action: Action, on: date) -> None:
    """Raises MayNotAnswer naming who may."""
    others = who_answers(person=by, action=action, on=on)
    if others:
        raise MayNotAnswer(own_doubt(others))


def own_doubt(others: list[Membership]) -> str:
    names = ", ".join(str(one) for one in others)
    return _(
        "You doubted this figure yourself, so somebody else says that it is looked at: %(names)s. If the figure is right "
        "after all, drop the task and write why."
    ) % {"names": names}


def author_of(*, item) -> int | None:
    """Id of whoever had the doubt that a line of a handover is about; None for anything else."""
    if item.kind != item.Kind.ACTION:
        return None
    found = Action.objects.filter(company=item.company, pk=item.object_id, kind=Action.Kind.DOUBT)
    return found.values_list("created_by_id", flat=True).first()
