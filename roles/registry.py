"""Reads of accesses and documents: whose rows a person sees, what is wrong with each, and what they may do about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet
from django.utils import timezone

from roles.flags import Flag, access_flags, document_flags
from roles.models import Access, Channel, Company, DocumentLink, Membership
from roles.permissions import Permission


@dataclass(frozen=True)
class AccessLine:
    """An access with its people and channels, and what is wrong with it on the day."""

    access: Access
    administrators: list[Membership]
    channels: list[Channel]
    flags: list[Flag]
    may_check: bool


@dataclass(frozen=True)
class Registry:
    """The accesses a person sees. `lines`: those asked for; the figures are of all of them."""

    lines: list[AccessLine]
    total: int
    flagged: int
    counts: dict[Flag, int]
    companys: int
    closed: int

    @property
    def sound(self) -> int:
        return self.total - self.flagged


@dataclass(frozen=True)
class DocumentLine:
    document: DocumentLink
    flags: list[Flag]
    may_keep: bool


def accesses(*, company: Company) -> QuerySet[Access]:
    found = Access.objects.filter(company=company).select_related(
        "owner_person__user", "contractor", "checked_by__user"
    )
    return found.prefetch_related("channels", "administrators__user")


def visible_accesses(*, company: Company, person: Membership) -> QuerySet[Access]:
    """All of them, or those of the channels whose accesses this person keeps; closed ones too."""
    found = accesses(company=company)
    if person.can(Permission.KEEP_ACCESSES):
        return found
    kept = {hat.channel_id for hat in person.hats if person.can(Permission.KEEP_ACCESSES, hat.channel_id)}
    return found.filter(channels__in=kept - {None}).distinct()


def access_lines(rows: Iterable[Access], *, person: Membership, today: date) -> list[AccessLine]:
    """Rows with what is wrong with each on a day, and whether this person may check it."""
    return [_line(access, person, today) for access in rows]


def get_access(*, company: Company, person: Membership, pk: int) -> AccessLine | None:
    """One access; `may_check` of its line says whether this person may see it at all."""
    access = accesses(company=company).filter(pk=pk).first()
    return None if access is None else _line(access, person, company.local_date(timezone.now()))


def registry(*, company: Company, person: Membership, today: date, flag: str = "", closed: bool = False) -> Registry:
    """What a person sees of the registry: everything, or what serves the own channels; the flagged ones first."""
    seen = access_lines(visible_accesses(company=company, person=person), person=person, today=today)
    open_lines = [line for line in seen if line.access.closed_on is None]
    counts = {each: sum(each in line.flags for line in open_lines) for each in Flag}
    shown = [line for line in seen if line.access.closed_on is not None] if closed else open_lines
    shown = [line for line in shown if not flag or flag in line.flags]
    return Registry(
        lines=sorted(shown, key=lambda line: (-any(each.is_grave for each in line.flags), -len(line.flags))),
        total=len(open_lines), flagged=sum(bool(line.flags) for line in open_lines),
        counts={each: n for each, n in counts.items() if n},
        companys=sum(line.access.owned_by == Access.OwnedBy.COMPANY for line in open_lines),
        closed=len(seen) - len(open_lines),
    )  # fmt: skip


def flagged_accesses(*, company: Company, today: date) -> list[AccessLine]:
    """Every open access of the company with its flags: what the daily sweep goes by."""
    return [
        AccessLine(row, people := list(row.administrators.all()), list(row.channels.all()), access_flags(row, people, today), False)
        for row in accesses(company=company).filter(closed_on=None)
    ]  # fmt: skip


def documents(*, company: Company) -> QuerySet[DocumentLink]:
    return DocumentLink.objects.filter(company=company).select_related("owner__user", "channel", "role")


def get_document(*, company: Company, pk: int) -> DocumentLink | None:
    return documents(company=company).filter(pk=pk).first()


def document_lines(*, company: Company, person: Membership, channel: str = "", role: str = "") -> list[DocumentLine]:
    """The links of the company, of a channel (by code) or of a role (by id), personal places first."""
    found = documents(company=company)
    found = found.filter(channel__code=channel) if channel else found
    found = found.filter(role_id=int(role)) if role.isdecimal() else found
    lines = [DocumentLine(row, document_flags(row), may_keep(person, row.channel_id)) for row in found]
    return sorted(lines, key=lambda line: not line.flags)


def may_check(person: Membership, channels: Iterable[Channel]) -> bool:
    """Whoever keeps all accesses, and the owner of one of the channels that it serves."""
    return person.can(Permission.KEEP_ACCESSES) or any(
        person.can(Permission.KEEP_ACCESSES, channel) for channel in channels
    )


def may_keep(person: Membership, channel: Channel | int | None) -> bool:
    """The manager, the director and the owner keep all links, a channel's owner those of the channel."""
    return person.can(Permission.KEEP_ACCESSES, channel)


def _line(access: Access, person: Membership, today: date) -> AccessLine:
    administrators, channels = list(access.administrators.all()), list(access.channels.all())
    flags = access_flags(access, administrators, today)
    return AccessLine(access, administrators, channels, flags, may_check(person, channels))
