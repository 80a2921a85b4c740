"""A departure from its plan to its end: nothing is closed while anything is left, nothing is ever without an owner."""

from collections.abc import Iterator
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from processes import doubts
from processes.leaving import passing, plans
from processes.leaving.house import House, open_house
from processes.models import Handover, HandoverItem
from roles import audit, selectors
from roles.models import Channel, Company, Membership
from roles.permissions import Permission, RoleKind
from roles.refusals import Conflict, Forbidden, Refused
from roles.services import hats, people
from roles.validation import refuse

State, Item = Handover.State, HandoverItem.State
MAY_LAPSE = (HandoverItem.Kind.HAT, HandoverItem.Kind.DEPUTY, HandoverItem.Kind.CHECK)
"""Kinds that a company may do without; channels, rules, sources and actions always have an owner."""


class AlreadyLeaving(Conflict):
    code = "already_leaving"


class HandoverUnfinished(Conflict):
    code = "handover_unfinished"


class HandoverOver(Conflict):
    code = "handover_over"


class NotTheSuccessor(Forbidden):
    code = "not_the_successor"


class NotYours(Forbidden):
    code = "not_yours"


@transaction.atomic
def start_handover(
    *, company: Company, by: Membership, at: datetime, person: Membership, last_day: date, reason: str,
    at_once: bool = False,
) -> Handover:  # fmt: skip
    """Begin a departure: everything the person holds becomes an item with a proposed successor.

    `at_once`: the membership ends now and what nobody has agreed to falls to deputies, the director or the owner until
    somebody agrees. Raises NotYours for oneself, AlreadyLeft, AlreadyLeaving, hats.LastOwner, hats.OnlyOwnerAppoints,
    or Refused with the field.
    """
    today = company.local_date(at)
    house = open_house(company=company, on=today, at=at, money=False)
    _check_start(company, by, person, today if at_once else last_day, today, reason)
    for row in house.held_by(person):
        hats.check_may_give(by, row.role)
    _check_owner_stays(house, person)
    handover = Handover.objects.create(
        company=company, person=person, last_day=today if at_once else last_day, reason=reason.strip(), created_by=by,
        created_at=at,
    )  # fmt: skip
    _sync(house, handover, at)
    after = {"person": str(person), "ends_on": handover.last_day.isoformat(), "items": handover.items.count()}
    audit.record(company=company, by=by, verb="start_handover", obj=handover, at=at, after=after, reason=reason)
    if at_once:
        _leave(company, by, at, today, handover)
    return handover


def _check_start(
    company: Company, by: Membership, person: Membership, last_day: date, today: date, reason: str
) -> None:
    if by.pk == person.pk:
        raise NotYours(_("Nobody removes themselves: ask another manager or the owner."))
    if not person.is_active:
        raise people.AlreadyLeft(_("%(person)s has already left.") % {"person": person})
    if plans.unfinished(company=company).filter(person=person).exists():
        raise AlreadyLeaving(_("%(person)s already has a handover plan: change that one.") % {"person": person})
    if last_day < today:
        raise refuse("last_day", "past", _("The last day is past: give today or a later day."))
    if not reason.strip():
        raise refuse("reason", "required", _("Write why: the journal keeps it."))


def _check_owner_stays(house: House, person: Membership) -> None:
    owners = {row.person_id for row in house.appointments if row.role.kind == RoleKind.OWNER and not row.ends_on}
    if owners == {person.pk}:
        raise hats.LastOwner(_("The only owner cannot leave: appoint the next owner first."))


def _sync(house: House, handover: Handover, at: datetime) -> None:
    """Bring the items in line with what the person holds today: new things join, things that ended are gone."""
    held = plans.holdings(house, handover.person)
    known = {(item.kind, item.object_id): item for item in handover.items.all()}
    new = [one for one in held if (one.kind, one.object_id) not in known]
    whom = plans.proposed(house, handover.person, new) if new else {}
    HandoverItem.objects.bulk_create([
        HandoverItem(
            company=handover.company, handover=handover, kind=one.kind, object_id=one.object_id, label=one.label,
            channel=one.channel, role=one.role, successor=whom[one.kind, one.object_id],
            asked_at=at if whom[one.kind, one.object_id] else None,
        )
        for one in new
    ])  # fmt: skip
    there = {(one.kind, one.object_id) for one in held}
    over = [item.pk for key, item in known.items() if key not in there and item.state not in HandoverItem.SETTLED]
    HandoverItem.objects.filter(company=handover.company, pk__in=over).update(state=Item.GONE)


@transaction.atomic
def name_successor(
    *, company: Company, by: Membership, at: datetime, item: HandoverItem, successor: Membership
) -> HandoverItem:
    """Ask another person to take a thing; they have to agree. Raises HandoverOver, hats.OnlyOwnerAppoints, Refused."""
    item = _open_item(company, item)
    leaves = Handover.objects.filter(company=company, person=successor, state=State.OPEN).exists()
    if not successor.is_active or leaves or successor.pk == item.handover.person_id:
        raise refuse("successor", "not_a_member", _("Choose somebody who stays in the company."))
    if item.role_id and item.kind == HandoverItem.Kind.HAT:
        hats.check_may_give(by, item.role)
    item.successor, item.named_by, item.state, item.note, item.answered_at = successor, by, Item.PROPOSED, "", None
    item.asked_at = at
    item.save(update_fields=["successor", "named_by", "state", "note", "answered_at", "asked_at"])
    _told(company, by, at, "name_successor", item)
    return item


@transaction.atomic
def let_lapse(*, company: Company, by: Membership, at: datetime, item: HandoverItem, note: str) -> HandoverItem:
    """Nobody takes it, because the company does without: a role that stays vacant, a deputy, a check. With the reason.

    Raises HandoverOver, hats.OnlyOwnerAppoints, or Refused for what must have an owner.
    """
    item = _open_item(company, item)
    if item.kind not in MAY_LAPSE or (item.kind == HandoverItem.Kind.HAT and item.channel_id):
        raise refuse("successor", "needs_owner", _("This cannot be without an owner: choose somebody."))
    if item.role_id:
        hats.check_may_give(by, item.role)
    if not note.strip():
        raise refuse("note", "required", _("Write why nobody is needed."))
    item.state, item.note, item.named_by, item.answered_at = Item.GONE, note.strip(), by, at
    item.save(update_fields=["state", "note", "named_by", "answered_at"])
    _told(company, by, at, "let_item_lapse", item, note)
    _close_if_done(company, by, at, item.handover)
    return item


@transaction.atomic
def answer(
    *, company: Company, by: Membership, at: datetime, item: HandoverItem, agrees: bool, note: str = ""
) -> HandoverItem:
    """The successor's own word. Once the person has left, a thing agreed to passes at once.

    Raises NotTheSuccessor, HandoverOver, Refused without a reason for a no, or what the thing's service refuses.
    """
    item = _open_item(company, item)
    if item.successor_id != by.pk:
        raise NotTheSuccessor(_("Only the person who was asked answers."))
    if not agrees and not note.strip():
        raise refuse("note", "required", _("Say why not: somebody else has to be found."))
    item.state, item.note, item.answered_at = (Item.CONFIRMED if agrees else Item.DECLINED), note.strip(), at
    item.save(update_fields=["state", "note", "answered_at"])
    _told(company, by, at, "confirm_handover_item" if agrees else "decline_handover_item", item, note)
    if agrees and item.handover.state == State.LEFT:
        passing.give(item=item, to=item.successor, at=at, today=company.local_date(at))
        _passed(item, at)
        _close_if_done(company, by, at, item.handover)
    return item


@transaction.atomic
def cancel_handover(*, company: Company, by: Membership, at: datetime, handover: Handover, reason: str) -> Handover:
    """The person stays after all; nothing has been handed over yet. Raises HandoverOver once they have left."""
    handover = Handover.objects.select_for_update().get(company=company, pk=handover.pk)
    if handover.state != State.OPEN:
        raise HandoverOver(_("The person has left already, or the plan is over."))
    if not reason.strip():
        raise refuse("reason", "required", _("Write why: the journal keeps it."))
    handover.state, handover.closed_at = State.CANCELLED, at
    handover.save(update_fields=["state", "closed_at"])
    audit.record(
        company=company, by=by, verb="cancel_handover", obj=handover, at=at, reason=reason,
        after={"person": str(handover.person)},
    )  # fmt: skip
    return handover


@transaction.atomic
def close_handover(*, company: Company, by: Membership | None, at: datetime, handover: Handover) -> Handover:
    """The end of a departure. Raises HandoverUnfinished naming what is left, or while the person is still here."""
    handover = Handover.objects.select_for_update().get(company=company, pk=handover.pk)
    if handover.state == State.OPEN:
        raise HandoverUnfinished(_("The person is still here: the plan closes after the last day."))
    if handover.state != State.LEFT:
        raise HandoverOver(_("The person has left already, or the plan is over."))
    left = list(handover.items.exclude(state__in=HandoverItem.SETTLED).values_list("label", flat=True))
    if left:
        raise HandoverUnfinished(_("Not handed over yet: %(names)s.") % {"names": "; ".join(left)})
    handover.state, handover.closed_at = State.CLOSED, at
    handover.save(update_fields=["state", "closed_at"])
    audit.record(
        company=company, by=by, verb="close_handover", obj=handover, at=at, after={"person": str(handover.person)}
    )
    return handover


def leave_due(*, company: Company, at: datetime, today: date) -> int:
    """End the memberships whose last day is over; the daily pipeline calls it. Idempotent. Returns how many ended.

    A departure that cannot be ended keeps its plan open with the trouble in words, and is tried again the next day.
    """
    ended, house = 0, None
    for handover in list(plans.unfinished(company=company).filter(state=State.OPEN)):
        if handover.last_day >= today:
            house = house or open_house(company=company, on=today, at=at, money=False)
            _sync(house, handover, at)
            continue
        house = None  # whoever leaves now changes what the others hold
        try:
            with transaction.atomic():
                _leave(company, None, at, today, handover)
        except Refused as refusal:
            _note_trouble(handover, at, refusal.message[:400])
            continue
        ended += 1
    return ended


def _note_trouble(handover: Handover, at: datetime, trouble: str) -> None:
    """Keep why nothing could be ended; told once, not every day again."""
    if handover.trouble == trouble:
        return
    handover.trouble = trouble
    handover.save(update_fields=["trouble"])
    _tell_rest(handover, at, trouble)


def _tell_rest(handover: Handover, at: datetime, reason: str = "") -> None:
    left = handover.items.exclude(state__in=HandoverItem.SETTLED).count()
    audit.record(
        company=handover.company, by=None, verb="leave_with_rest", obj=handover, at=at, reason=reason,
        after={"person": str(handover.person), "items": left},
    )  # fmt: skip


def _leave(company: Company, by: Membership | None, at: datetime, today: date, handover: Handover) -> None:
    """What was agreed passes; the membership ends; the rest falls to whoever stands behind it until somebody agrees."""
    _sync(open_house(company=company, on=today, at=at, money=False), handover, at)
    rows = list(plans.items(company=company).filter(handover=handover).exclude(state__in=HandoverItem.SETTLED))
    for item in rows:
        if item.state == Item.CONFIRMED:
            _try_to_give(item, at, today)
    people.remove_person(company=company, by=by, at=at, today=today, person=handover.person, reason=handover.reason)
    heirs = hats.heirs(company=company, today=today)
    for item in rows:
        if item.state != Item.PASSED:
            _fall(item, heirs, at, today)
    handover.state, handover.left_at, handover.trouble = State.LEFT, at, ""
    handover.save(update_fields=["state", "left_at", "trouble"])
    if handover.items.exclude(state__in=HandoverItem.SETTLED).exists():
        _tell_rest(handover, at)
    _close_if_done(company, by, at, handover)


def _try_to_give(item: HandoverItem, at: datetime, today: date) -> None:
    """A refusal (a conflict of duties found on the day) leaves the thing to be handed over, with the reason."""
    try:
        with transaction.atomic():
            passing.give(item=item, to=item.successor, at=at, today=today)
    except Refused as refusal:
        item.state, item.note = Item.DECLINED, refusal.message[:300]
        item.save(update_fields=["state", "note"])
        return
    _passed(item, at)


def _fall(item: HandoverItem, heirs: list[Membership], at: datetime, today: date) -> None:
    """Nobody agreed: it falls to whoever stands behind it, and stays on the plan until somebody agrees."""
    kind, to = HandoverItem.Kind(item.kind), None
    if kind == HandoverItem.Kind.HAT and item.channel_id:
        to = Channel.objects.select_related("owner__user").get(company=item.company, pk=item.channel_id).owner
    elif kind not in MAY_LAPSE:
        to = _stands_behind(item, heirs, today)
        passing.give(item=item, to=to, at=at, today=today)
    item.state, asked = Item.FELL, item.successor_id
    if to is not None:
        item.successor = to
    elif item.successor_id and not item.successor.is_active:
        item.successor = None
    if item.successor_id != asked:
        item.asked_at = at if item.successor_id else None
    item.save(update_fields=["state", "successor", "asked_at"])


def _stands_behind(item: HandoverItem, heirs: list[Membership], today: date) -> Membership:
    """The channel's owner of now, else who wears the nearest hats, else the director or the owner; a doubt about a figure
    falls to another one than who had it, as long as there is anybody."""
    author, last = doubts.author_of(item=item), heirs[0]
    for last in _behind(item, heirs, today):
        if last.pk != author:
            break
    return last


def _behind(item: HandoverItem, heirs: list[Membership], today: date) -> Iterator[Membership]:
    if item.channel_id and item.kind != HandoverItem.Kind.COORDINATION:
        owner = Channel.objects.select_related("owner__user").get(company=item.company, pk=item.channel_id).owner
        if owner is not None and owner.is_active:
            yield owner
    for kind in plans.STANDS_IN[item.kind]:
        yield from selectors.holders(company=item.company, kind=kind, on=today)
    yield from heirs


def _passed(item: HandoverItem, at: datetime) -> None:
    item.state, item.passed_at = Item.PASSED, at
    item.save(update_fields=["state", "passed_at"])


def _close_if_done(company: Company, by: Membership | None, at: datetime, handover: Handover) -> None:
    left = handover.items.exclude(state__in=HandoverItem.SETTLED).exists()
    if handover.state == State.LEFT and not left:
        close_handover(company=company, by=by, at=at, handover=handover)


def _open_item(company: Company, item: HandoverItem) -> HandoverItem:
    """The item read for writing, its departure with it. Raises HandoverOver where nothing can change any more."""
    Handover.objects.select_for_update().get(company=company, pk=item.handover_id)
    row = plans.get_item(company=company, pk=item.pk)
    if not row.handover.is_unfinished or row.state in HandoverItem.SETTLED:
        raise HandoverOver(_("This is handed over already, or the plan is over."))
    return row


def _told(company: Company, by: Membership, at: datetime, verb: str, item: HandoverItem, reason: str = "") -> None:
    after = {"name": item.label, "person": str(item.successor) if item.successor_id else None}
    audit.record(company=company, by=by, verb=verb, obj=item, at=at, after=after, reason=reason)


def may_see_plan(person: Membership, handover: Handover) -> bool:
    """Managers, and the one who leaves; others see only what they are asked to take."""
    return person.can(Permission.MANAGE_COMPANY) or handover.person_id == person.pk
