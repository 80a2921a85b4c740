"""What a hat takes over besides its charter: accesses to get, documents to know, contractors to call."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from roles import contracts, registry
from roles.models import Access, Appointment, Company, Contractor, DocumentLink, Membership, RoleVersion
from roles.permissions import ROLE_PERMISSIONS, Hat, Permission, Reach, RoleKind, allowed


@dataclass(frozen=True)
class Belongings:
    """Open accesses, documents and contracts of a company, loaded once for all its packs."""

    accesses: list[Access]
    documents: list[DocumentLink]
    contractors: list[Contractor]


@dataclass(frozen=True)
class AccessToGet:
    """An access and who gives it. `place`: where its secret lies, None for whoever may not know."""

    access: Access
    administrators: list[Membership]
    place: str | None


@dataclass(frozen=True)
class Handed:
    """What one reader sees of it. `keeps`: does the hat work with accesses at all; `hidden`: some are not this reader's."""

    keeps: bool
    hidden: bool
    accesses: list[AccessToGet]
    documents: list[DocumentLink]
    contractors: list[Contractor]

    def text(self) -> list:
        """What it says, for the hash of a pack; empty when it says nothing. Fields of a row that are not shown are not in it."""
        accesses = [
            [one.access.system, one.access.identifier, one.access.two_factor, sorted(p.pk for p in one.administrators), one.place]
            for one in self.accesses
        ]  # fmt: skip
        documents = [[row.title, row.url, row.owner_id] for row in self.documents]
        contractors = [
            [row.name, row.contact_name, row.contact, row.ends_on.isoformat(), row.responsible_id]
            for row in self.contractors
        ]
        return [accesses, documents, contractors] if accesses or documents or contractors else []


def belongings(*, company: Company, on: date) -> Belongings:
    """Six queries, however many hats ask."""
    contractors = contracts.open_contractors(company=company, on=on).prefetch_related(None)
    return Belongings(
        accesses=list(registry.accesses(company=company).filter(closed_on=None)),
        documents=list(registry.documents(company=company)),
        contractors=list(contractors.prefetch_related("channels")),
    )


def handed(
    found: Belongings,
    role: RoleVersion,
    worn: list[Appointment],
    person: Membership,
    keeps: Callable[[int | None], bool],
) -> Handed:
    """What `person` sees of what a hat takes over. `worn`: its appointments; `keeps`: may the person see the registry there.

    Whoever wears or deputises the hat has to know what to ask for; where the secret lies is only for those who keep the access.
    """
    reach = ROLE_PERMISSIONS[RoleKind(role.role.kind)].get(Permission.KEEP_ACCESSES)
    channels = {row.channel_id for row in worn if row.channel_id}
    own = [row for row in worn if person.pk in (row.person_id, row.deputy_id)]
    accesses, hidden = [], False
    for access in found.accesses:
        served = {channel.pk for channel in access.channels.all()}
        if reach is None or (reach is Reach.CHANNELS and not served & channels):
            continue
        may_see = keeps(None) or any(keeps(pk) for pk in served)
        if may_see or any(reach is Reach.COMPANY or row.channel_id in served for row in own):
            administrators = sorted((one for one in access.administrators.all() if one.is_active), key=str)
            accesses.append(AccessToGet(access, administrators, access.secret_place if may_see else None))
        else:
            hidden = True
    return Handed(
        keeps=reach is not None, hidden=hidden, accesses=accesses,
        documents=[row for row in found.documents if row.role_id == role.role_id or row.channel_id in channels],
        contractors=[row for row in found.contractors if any(one.pk in channels for one in row.channels.all())],
    )  # fmt: skip


def by_appointment(appointments: list[Appointment], person: Membership) -> Callable[[int | None], bool]:
    """What of the registry a person keeps by the own appointments: a pack is not asked again for a week of deputising."""
    hats = [
        Hat(RoleKind(row.role.kind), row.role_id, row.channel_id) for row in appointments if row.person_id == person.pk
    ]
    return lambda channel_id: allowed(hats, Permission.KEEP_ACCESSES, channel_id)


def by_right(person: Membership) -> Callable[[int | None], bool]:
    """What of the registry a person may see now."""
    return lambda channel_id: person.can(Permission.KEEP_ACCESSES, channel_id)
