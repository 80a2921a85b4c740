"""What reaches a person, by which way and when: the matrix of events × ways, and the quiet hours."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from mops.models import Delivery, Group, Preference
from processes.deciders import Around
from reports.deadlines import moment
from roles.models import Company, Membership
from roles.permissions import RoleKind
from roles.validation import refuse

APP, EMAIL, TELEGRAM = "app", Delivery.Way.EMAIL, Delivery.Way.TELEGRAM
WAYS = (APP, EMAIL, TELEGRAM)
ALWAYS = {(Group.DECISIONS, APP), (Group.ESCALATIONS, APP)}
"""What nobody can switch off: a decision that waits for you is at least on your own page."""
G = Group
BY_MAIL: dict[RoleKind, frozenset[Group]] = {
    RoleKind.OWNER: frozenset({G.DECISIONS, G.ESCALATIONS, G.TASKS, G.RULES, G.DIGEST}),
    RoleKind.CMO: frozenset(G) - {G.DEADLINES},
    RoleKind.PM: frozenset(G),
    RoleKind.ANALYST: frozenset(G),
    RoleKind.CHANNEL_OWNER: frozenset(G),
    RoleKind.CONTRACTOR: frozenset({G.TASKS, G.DIGEST}),
}
"""What each hat gets by e-mail until its wearer chooses; several hats add up, and whoever wears none gets everything."""
BY_TELEGRAM = frozenset({G.DECISIONS, G.ESCALATIONS, G.DEADLINES, G.REPORTS, G.TASKS})
"""What cannot wait for somebody to open their mail. A chat that is linked was wanted, so hats make no difference."""


@dataclass(frozen=True)
class Wishes:
    """The matrix of one person as it counts, and when to keep quiet."""

    kinds: frozenset[RoleKind]
    chosen: dict
    quiet_from: time | None = None
    quiet_until: time | None = None
    break_through: bool = False

    def wants(self, group: str, way: str) -> bool:
        if not group or (group, way) in ALWAYS:
            return True
        return self.chosen.get(group, {}).get(way, self.usual(group, way))

    def refuses(self, group: str, way: str) -> bool:
        """Did the person switch it off in so many words? Asked before a message goes that was wanted when it was written."""
        return bool(group) and (group, way) not in ALWAYS and self.chosen.get(group, {}).get(way) is False

    def quiet_until_after(self, at: datetime, zone: ZoneInfo, group: str) -> datetime | None:
        """The end of the quiet hours that a moment lies in; None when the message may go."""
        if not group or (group == G.ESCALATIONS and self.break_through):
            return None
        return quiet_end(at, zone, self.quiet_from, self.quiet_until)

    def usual(self, group: str, way: str) -> bool:
        """What a cell is until the person chooses."""
        if way == TELEGRAM:
            return group in BY_TELEGRAM
        return way == APP or not self.kinds or any(group in BY_MAIL[kind] for kind in self.kinds)


def quiet_end(at: datetime, zone: ZoneInfo, begins: time | None, ends: time | None) -> datetime | None:
    """When the quiet hours around a moment end (UTC); None outside of them. Hours are local, so a night in which the clocks
    change is an hour shorter or longer; an end that comes twice counts the second time."""
    if begins is None or ends is None:
        return None
    local = at.astimezone(zone)
    clock, day = local.time(), local.date()
    if begins < ends:
        inside, last_day = begins <= clock < ends, day
    else:
        inside, last_day = clock >= begins or clock < ends, day + timedelta(days=clock >= begins)
    end = moment(last_day, ends, zone)
    return end if inside and end > at else None


def wishes_of(*, company: Company, people: Iterable[Membership], around: Around | None = None) -> dict[int, Wishes]:
    """By the person's id; one query. Without `around` the hats are not known and count as none."""
    ids = {person.pk: person for person in people}
    rows = {row.person_id: row for row in Preference.objects.filter(company=company, person__in=ids)}
    return {pk: _wishes(rows.get(pk), around.hats(person) if around else ()) for pk, person in ids.items()}


def own_wishes(*, company: Company, person: Membership) -> Wishes:
    return _wishes(Preference.objects.filter(company=company, person=person).first(), person.hats)


def _wishes(row: Preference | None, hats) -> Wishes:
    kinds = frozenset(hat.kind for hat in hats)
    if row is None:
        return Wishes(kinds, {})
    return Wishes(kinds, row.chosen, row.quiet_from, row.quiet_until, row.break_through)


def set_preferences(
    *, company: Company, person: Membership, chosen: dict, quiet_from: time | None, quiet_until: time | None,
    break_through: bool,
) -> Preference:  # fmt: skip
    """Keep a person's own choice; it is nobody else's business, so it leaves no audit event. Refused for half of the quiet hours."""
    if (quiet_from is None) != (quiet_until is None) or (quiet_from is not None and quiet_from == quiet_until):
        raise refuse("quiet_until", "half", _("Give both the beginning and the end of the quiet hours, or neither."))
    row, _made = Preference.objects.update_or_create(
        company=company, person=person,
        defaults={"chosen": chosen, "quiet_from": quiet_from, "quiet_until": quiet_until, "break_through": break_through},
    )  # fmt: skip
    return row


@transaction.atomic
def set_by_mail(*, company: Company, person: Membership, group: str, wanted: bool) -> None:
    """One cell of the matrix: what the link under an e-mail switches off, and on again. Twice changes nothing."""
    row, _made = Preference.objects.get_or_create(company=company, person=person)
    row = Preference.objects.select_for_update().get(company=company, pk=row.pk)
    row.chosen = {**row.chosen, group: {**row.chosen.get(group, {}), EMAIL: wanted}}
    row.save(update_fields=["chosen"])
