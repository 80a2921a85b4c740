"""Reads of draft maps: what a reorganisation would change, place by place and person by person."""

from dataclasses import dataclass

from roles.boards import MapRow, RoleMap
from roles.models import Company, Membership, Move, Reorganisation


@dataclass(frozen=True)
class PlaceChange:
    """A place whose holder, deputy or hours differ; texts are names, empty for nobody."""

    row: MapRow
    before: str
    after: str
    deputies_before: str
    deputies_after: str


@dataclass(frozen=True)
class HoursChange:
    """A person's hours a week of all hats, before and after; `share` of the longest week on either map."""

    person: Membership
    before: int
    after: int
    share: float


def reorganisations(*, company: Company):
    """Every draft, newest first, with who drew it."""
    return Reorganisation.objects.filter(company=company).select_related("created_by__user", "closed_by__user")


def get_reorganisation(*, company: Company, pk: int) -> Reorganisation | None:
    return reorganisations(company=company).filter(pk=pk).first()


def get_move(*, company: Company, pk: int) -> Move | None:
    return Move.objects.filter(company=company, pk=pk).select_related("reorganisation").first()


def moves(*, company: Company, draft: Reorganisation) -> list[Move]:
    found = Move.objects.filter(company=company, reorganisation=draft)
    return list(
        found.select_related(
            "role", "person__user", "channel", "deputy__user", "checker__user", "appointment__person__user",
            "appointment__channel",
        )
    )  # fmt: skip


def changed_places(before: RoleMap, after: RoleMap) -> list[PlaceChange]:
    """Places that are worn differently, in the order of the map."""
    former = {_place(row): row for row in before.rows}
    found = []
    for row in after.rows:
        old = former.get(_place(row))
        told = [(_holders(one), _deputies(one)) if one else ("", "") for one in (old, row)]
        if told[0] != told[1]:
            found.append(PlaceChange(row, told[0][0], told[1][0], told[0][1], told[1][1]))
    return found


def changed_hours(before: RoleMap, after: RoleMap) -> list[HoursChange]:
    """Everybody with hours on either map, the fullest week of the new one first."""
    most = max(before.most_hours, after.most_hours, 1)
    rows = [
        HoursChange(
            person, before.hours.get(person.pk, 0), after.hours.get(person.pk, 0), after.hours.get(person.pk, 0) / most
        )
        for person in after.people
        if person.pk in before.hours or person.pk in after.hours
    ]
    return sorted(rows, key=lambda row: -row.after)


def _place(row: MapRow) -> tuple[int, int | None]:
    return (0, row.channel.pk) if row.channel else (row.role.role_id, None)


def _holders(row: MapRow) -> str:
    return ", ".join(sorted(str(appointment.person) for appointment in row.appointments))


def _deputies(row: MapRow) -> str:
    return ", ".join(sorted(str(person) for person in row.deputies))
