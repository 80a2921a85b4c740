"""Reorganisations: written down, tried on the map, then applied by the services that appoint, all of it or nothing."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from roles import audit, boards, drafts
from roles.boards import RoleMap
from roles.models import Appointment, Company, Membership, Move, Reorganisation
from roles.refusals import Conflict, FieldError, Refused
from roles.services import hats
from roles.services.conflicts import CheckTerms
from roles.validation import refuse

MOST_MOVES = 40
ORDER = {Move.Kind.END: 0, Move.Kind.APPOINT: 1, Move.Kind.DEPUTY: 2}
"""Hats are taken off first, so that a swap of two people does not clash half-way."""


class DraftClosed(Conflict):
    code = "draft_closed"


class MovesRefused(Conflict):
    code = "moves_refused"


@dataclass(frozen=True)
class Preview:
    """The map as it is and as it would be on the draft's day; `refusals`: move id → why that move cannot be made."""

    moves: list[Move]
    before: RoleMap
    after: RoleMap
    refusals: dict[int, str]


@transaction.atomic
def start_reorganisation(
    *, company: Company, by: Membership, at: datetime, today: date, title: str, starts_on: date
) -> Reorganisation:
    """An empty draft whose moves would begin on a day, today or later."""
    if starts_on < today:
        raise refuse("starts_on", "in_the_past", _("Choose today or a later day: the past keeps its holders."))
    draft = Reorganisation.objects.create(
        company=company, title=title, starts_on=starts_on, created_by=by, created_at=at
    )
    after = {"name": title, "starts_on": starts_on.isoformat()}
    audit.record(company=company, by=by, verb="start_reorganisation", obj=draft, at=at, after=after)
    return draft


def add_move(
    *, company: Company, by: Membership, draft: Reorganisation, kind: str, check: CheckTerms | None = None, **fields
) -> Move:
    """Write one step down: role, person, channel, deputy, hours_per_week to give a hat; appointment (and deputy) else.

    Nothing is checked here: the preview says what the services would answer. Raises DraftClosed or Refused.
    """
    draft.refresh_from_db(fields=["state"])
    _check_open(draft)
    if draft.moves.count() >= MOST_MOVES:
        raise refuse("kind", "too_many", _("Forty moves at most: apply these first, then draw the next map."))
    terms = {} if check is None else vars(check)
    return Move.objects.create(company=company, reorganisation=draft, kind=kind, **fields, **terms)


def remove_move(*, company: Company, by: Membership, move: Move) -> None:
    _check_open(move.reorganisation)
    Move.objects.filter(company=company, pk=move.pk).delete()


def preview(*, company: Company, by: Membership, at: datetime, today: date, draft: Reorganisation) -> Preview:
    """Make the moves in a transaction that is always rolled back: what the page promises is exactly what applying does."""
    day = max(draft.starts_on, today)
    before = boards.role_map(company=company, on=day, today=today)
    moves = drafts.moves(company=company, draft=draft)
    with transaction.atomic():
        refusals = {
            move.pk: refusal.message for move, refusal in _carry_out(moves, company, by, at, today, day, draft.title)
        }
        after = boards.role_map(company=company, on=day, today=today, like=before)
        transaction.set_rollback(True)
    by.__dict__.pop("hats", None)  # what was read inside the transaction never came to be
    return Preview(moves, before, after, refusals)


@transaction.atomic
def apply_reorganisation(
    *, company: Company, by: Membership, at: datetime, today: date, draft: Reorganisation, reason: str
) -> Reorganisation:
    """Make every move, or none: MovesRefused names each that cannot be made. Needs a reason; DraftClosed the second time."""
    locked = Reorganisation.objects.select_for_update().get(company=company, pk=draft.pk)
    _check_open(locked)
    if not reason.strip():
        raise refuse("reason", "required", _("Give the reason: it stands under every appointment of this map."))
    moves = drafts.moves(company=company, draft=locked)
    if not moves:
        raise refuse("reason", "empty", _("There is nothing to apply: write down the first move."))
    refused = list(_carry_out(moves, company, by, at, today, max(locked.starts_on, today), reason))
    if refused:
        errors = [FieldError("moves", "move_refused", refusal.message, move.pk) for move, refusal in refused]
        message = _("Nothing was changed: some moves cannot be made. Put them right on the map.")
        raise MovesRefused(message, errors)
    return _close(locked, Reorganisation.State.APPLIED, "apply_reorganisation", by, at, reason)


@transaction.atomic
def discard_reorganisation(
    *, company: Company, by: Membership, at: datetime, draft: Reorganisation, reason: str = ""
) -> Reorganisation:
    """Lay the draft aside; it stays readable."""
    locked = Reorganisation.objects.select_for_update().get(company=company, pk=draft.pk)
    _check_open(locked)
    return _close(locked, Reorganisation.State.DISCARDED, "discard_reorganisation", by, at, reason)


def _carry_out(moves, company, by, at, today: date, day: date, reason: str):
    """Make the moves one by one, each in its own savepoint; yields those that were refused, with the refusal."""
    for move in sorted(moves, key=lambda row: ORDER[row.kind]):
        try:
            with transaction.atomic():
                _make(move, company, by, at, today, day, reason)
        except Refused as refusal:
            yield move, refusal


def _make(move: Move, company, by, at, today: date, day: date, reason: str) -> None:
    act = {"company": company, "by": by, "at": at, "today": today}
    check = CheckTerms(move.checker, move.what, move.cadence, move.until) if move.checker_id else None
    if move.kind == Move.Kind.APPOINT:
        hats.appoint(
            **act, role=move.role, person=move.person, channel=move.channel, deputy=move.deputy, starts_on=day,
            hours_per_week=move.hours_per_week, reason=reason, check=check,
        )  # fmt: skip
        return
    appointment = Appointment.objects.select_related("role", "person__user", "deputy__user", "channel").get(
        company=company, pk=move.appointment_id
    )
    if move.kind == Move.Kind.END:
        hats.end_appointment(**act, appointment=appointment, last_day=day - timedelta(days=1), reason=reason)
    else:
        hours = appointment.hours_per_week if move.hours_per_week is None else move.hours_per_week
        hats.update_appointment(**act, appointment=appointment, deputy=move.deputy, hours_per_week=hours, check=check)


def _close(draft: Reorganisation, state: str, verb: str, by: Membership, at: datetime, reason: str) -> Reorganisation:
    draft.state, draft.reason, draft.closed_by, draft.closed_at = state, reason.strip(), by, at
    draft.save(update_fields=["state", "reason", "closed_by", "closed_at"])
    after = {"name": draft.title, "moves": draft.moves.count()}
    audit.record(company=draft.company, by=by, verb=verb, obj=draft, at=at, after=after, reason=draft.reason)
    return draft


def _check_open(draft: Reorganisation) -> None:
    if not draft.is_draft:
        raise DraftClosed(_("This map is closed already: draw a new one."))
