"""The choice about an action that was moved three times: drop, split, hand over or raise it, with a reason."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from processes.carried import above, hand_over_action
from processes.models import Action
from processes.services import MOST_CARRIES, close_action, create_action
from reports.filing import ActionDraft
from reports.models import CarryChoice, ReportAction
from roles import audit
from roles.models import Company, Membership
from roles.permissions import Permission
from roles.refusals import Conflict, FieldError, Forbidden, Refused
from roles.selectors import people

Choice = CarryChoice.Choice


class MayNotSettle(Forbidden):
    code = "may_not_settle"


class NotStuck(Conflict):
    code = "not_stuck"


class ChoiceIncomplete(Refused):
    code = "incomplete"


def may_settle(person: Membership) -> bool:
    """The marketing director and the project manager: who hold the stand-up."""
    return person.can(Permission.REVIEW_REPORT) or person.can(Permission.SUBMIT_REPORT)


@transaction.atomic
def settle_carried(
    *, company: Company, by: Membership, at: datetime, action: Action, choice: str, reason: str,
    pieces: list[ActionDraft] | None = None, owner_id: int | None = None, due_on: date | None = None,
) -> CarryChoice:  # fmt: skip
    """Decide about an action that was moved three times. `pieces`: two at least, for a split; `owner_id` and `due_on`:
    for a hand-over; `due_on` alone for a raise.

    400 lists what is missing, 403 for others than the director and the project manager, 409 when it is closed or was not
    moved three times.
    """
    if not may_settle(by):
        raise MayNotSettle(_("The marketing director or the project manager decides at the stand-up."))
    row = Action.objects.select_for_update(of=("self",)).select_related("owner__user", "channel").get(
        company=company, pk=action.pk
    )  # fmt: skip
    if row.state != Action.State.OPEN or row.carried < MOST_CARRIES:
        raise NotStuck(_("This action does not wait for a choice: it is closed, or was moved less than three times."))
    today = company.local_date(at)
    owner = _owner(company, row, choice, owner_id, at)
    errors = _missing(company, choice, reason, pieces or [], owner, due_on, today)
    if errors:
        raise ChoiceIncomplete(_("Nothing is decided yet: see what is missing."), errors)
    kept = CarryChoice.objects.create(
        company=company,
        action=row,
        choice=choice,
        reason=reason.strip()[:300],
        carried=row.carried,
        made_by=by,
        made_at=at,
    )
    given = {"company": company, "by": by, "at": at, "action": row}
    if choice in {Choice.HAND_OVER, Choice.RAISE}:
        hand_over_action(**given, owner=owner, due_on=due_on, reason=kept.reason)
    else:
        if choice == Choice.SPLIT:
            _split(company, by, at, row, pieces)
        close_action(**given, done=False, note=f"{kept.get_choice_display()}: {kept.reason}")
    after = {"choice": choice, "carried": kept.carried, "owner": str(owner) if owner else None}
    audit.record(
        company=company, by=by, verb="settle_carried_action", obj=row, at=at, reason=kept.reason,
        before={"text": row.text}, after=after,
    )  # fmt: skip
    return kept


def _owner(company: Company, action: Action, choice: str, owner_id: int | None, at: datetime) -> Membership | None:
    if choice == Choice.RAISE:
        return above(company=company, person_id=action.owner_id, at=at)
    if choice == Choice.HAND_OVER and owner_id:
        return people(company=company).filter(pk=owner_id).first()
    return None


def _missing(company, choice, reason, pieces, owner, due_on, today) -> list[FieldError]:
    errors = []
    if choice not in Choice.values:
        errors.append(FieldError("choice", "missing", _("Choose one: drop, split, hand over or raise.")))
    if not reason.strip():
        errors.append(FieldError("reason", "missing", _("Say why: the reason stays with the action.")))
    if choice == Choice.RAISE and owner is None:
        errors.append(FieldError("choice", "nobody_above", _("Nobody stands above: hand it over or drop it.")))
    if choice == Choice.HAND_OVER and owner is None:
        errors.append(FieldError("owner", "missing", _("Choose who does it.")))
    if choice in {Choice.HAND_OVER, Choice.RAISE} and (due_on is None or due_on < today):
        errors.append(FieldError("due_on", "missing", _("Give the new date: today or a later day.")))
    if choice == Choice.SPLIT:
        errors += _wrong_pieces(company, pieces, today)
    return errors


def _wrong_pieces(company: Company, pieces: list[ActionDraft], today: date) -> list[FieldError]:
    active = set(people(company=company).values_list("pk", flat=True))
    errors = []
    if len(pieces) < 2:
        errors.append(FieldError("pieces", "too_few", _("A split gives two actions at least.")))
    for index, piece in enumerate(pieces):
        if not piece.text.strip():
            errors.append(FieldError("pieces.text", "missing", _("Say what is to be done."), index))
        if piece.owner_id not in active:
            errors.append(FieldError("pieces.owner", "missing", _("Choose who does it."), index))
        if piece.due_on is None or piece.due_on < today:
            errors.append(FieldError("pieces.due", "missing", _("Give the new date: today or a later day."), index))
    return errors


def _split(company: Company, by: Membership, at: datetime, action: Action, pieces: list[ActionDraft]) -> None:
    """The pieces belong to the report that moved the action last, so that they are asked about like any promise."""
    owners = people(company=company).in_bulk([piece.owner_id for piece in pieces])
    link = ReportAction.objects.filter(company=company, action=action).order_by("-report__week").first()
    for piece in pieces:
        made = create_action(
            company=company, by=by, at=at, text=piece.text, owner=owners[piece.owner_id], due_on=piece.due_on,
            channel=action.channel,
        )  # fmt: skip
        if link is not None:
            ReportAction.objects.create(company=company, report_id=link.report_id, action=made)
