"""Who is told, beyond the deciders that `processes.deciders` knows: holders of channels, deputies, everybody once."""

from collections.abc import Iterable

from processes import deciders
from processes.deciders import Around
from processes.models import Decision
from roles.models import Channel, Membership
from roles.permissions import RoleKind


def unique(people: Iterable[Membership | None]) -> list[Membership]:
    """Each active person once, in the order given."""
    found = {person.pk: person for person in people if person is not None and person.is_active}
    return list(found.values())


def holder(around: Around, channel: Channel) -> list[Membership]:
    """Who files for a channel: its owner, or the deputy while the owner is away."""
    if channel.owner_id in around.away:
        mine = [a for a in around.appointments if a.channel_id == channel.pk and a.person_id == channel.owner_id]
        if deputies := unique(a.deputy for a in mine):
            return deputies
    return unique([channel.owner])


def late_deciders(around: Around, decision: Decision) -> list[Membership]:
    """After 48 hours: the director's deputy and the owner beside whoever decides."""
    directors = [a for a in around.appointments if a.role.kind == RoleKind.CMO]
    return unique([
        *deciders.deciders(decision=decision, people=around),
        *(appointment.deputy for appointment in directors),
        *around.wearers(RoleKind.OWNER),
    ])  # fmt: skip
