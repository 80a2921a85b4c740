"""Reads of `roles/`: companies, people with hats, channels and campaigns. Whole screens are in `roles/boards.py`."""

from collections.abc import Iterable
from datetime import date
from typing import TypeVar

from django.db import connection
from django.db.models import Model, Q, QuerySet, Sum
from django.utils import timezone
from django_scopes import scopes_disabled

from roles.models import (
    Absence,
    Appointment,
    Campaign,
    Channel,
    Company,
    CompanyOwned,
    Membership,
    Role,
    RoleVersion,
    User,
)
from roles.permissions import Hat, RoleKind

M = TypeVar("M", bound=Model)


def the_one(found: QuerySet[M]) -> M | None:
    """The row of a query by a unique key. `first()` would also sort it, which costs Django more than the rest of the query."""
    return next(iter(found.order_by()), None)


def get_company(*, slug: str) -> Company | None:
    return the_one(Company.objects.filter(slug=slug))


def get_person(*, user: User, slug: str) -> Membership | None:
    """The active membership of a login in the company with this slug, company and user loaded; None for strangers."""
    with scopes_disabled():
        found = Membership.objects.select_related("company", "user")
        return the_one(found.filter(user=user, company__slug=slug, is_active=True))


def companies_of(*, user: User) -> list[Membership]:
    """Active memberships of a login, company and user loaded, by the company's name: what the switcher lists."""
    with scopes_disabled():
        rows = list(
            Membership.objects.select_related("company").filter(user=user, is_active=True).order_by("company__name")
        )
    for row in rows:
        row.user = user
    return rows


def _in_force(on: date) -> Q:
    return Q(starts_on__lte=on) & (Q(ends_on=None) | Q(ends_on__gte=on))


def hats_of(*, person: Membership, on: date | None = None) -> tuple[Hat, ...]:
    """Hats worn on a day (today in the company's zone when not given): own ones, and those deputised for the absent.

    Names the person's company by itself: pages outside a company ask too.
    """
    day = on or person.company.local_date(timezone.now())
    asked = {"company": person.company_id, "person": person.pk, "day": connection.ops.adapt_datefield_value(day)}
    with connection.cursor() as cursor:
        cursor.execute(HATS, asked)
        rows = cursor.fetchall()
    return tuple(
        Hat(RoleKind(kind), role, channel, acting=bool(interim) or holder != person.pk)
        for kind, role, channel, holder, interim in rows
    )


HATS = """
SELECT r.kind, a.role_id, a.channel_id, a.person_id, a.interim
FROM roles_appointment a JOIN roles_role r ON r.id = a.role_id
WHERE a.company_id = %(company)s AND a.starts_on <= %(day)s AND (a.ends_on IS NULL OR a.ends_on >= %(day)s)
  AND (a.person_id = %(person)s OR a.deputy_id = %(person)s AND a.person_id IN (
    SELECT person_id FROM roles_absence WHERE company_id = %(company)s AND starts_on <= %(day)s AND ends_on >= %(day)s))
ORDER BY a.starts_on, a.id
"""
"""Written by hand: every request asks it, and the ORM takes longer to write it than the database to answer."""


def appointments_in_force(*, company: Company, on: date) -> QuerySet[Appointment]:
    """Appointments that count on a day, with role, person, deputy and channel loaded."""
    return (
        Appointment.objects.filter(company=company)
        .filter(_in_force(on))
        .select_related("role", "person__user", "deputy__user", "channel")
    )


def holders(*, company: Company, kind: RoleKind, on: date, with_deputies: bool = False) -> list[Membership]:
    """Who wears a hat of this kind on a day; with deputies when asked, each person once."""
    people: dict[int, Membership] = {}
    for appointment in appointments_in_force(company=company, on=on).filter(role__kind=kind):
        for person in (appointment.person, appointment.deputy if with_deputies else None):
            if person is not None and person.is_active:
                people.setdefault(person.pk, person)
    return list(people.values())


def people(*, company: Company, active: bool = True) -> QuerySet[Membership]:
    found = Membership.objects.filter(company=company).select_related("user").order_by("user__name", "user__email")
    return found.filter(is_active=True) if active else found


def load_people(*, company: Company, rows: Iterable[CompanyOwned], links: list[str]) -> None:
    """Give every row the people its `links` (names of foreign keys) point at, logins loaded, by one query for all.

    A join per link and its login instead would be planned for longer than it is read; rows that name nobody cost none.
    """
    rows = list(rows)
    ids = {getattr(row, f"{link}_id") for row in rows for link in links} - {None}
    if not ids:
        return
    found = Membership.objects.filter(company=company).select_related("user").in_bulk(ids)
    for row in rows:
        for link in links:
            if (pk := getattr(row, f"{link}_id")) is not None:
                setattr(row, link, found[pk])


def get_person_by_id(*, company: Company, pk: int) -> Membership | None:
    return people(company=company).filter(pk=pk).first()


def channels(*, company: Company) -> QuerySet[Channel]:
    return Channel.objects.filter(company=company).select_related("owner__user", "coordinator__user")


def bare_channels(*, company: Company) -> QuerySet[Channel]:
    """Channels without their people, for figures and for lists that name nobody."""
    return Channel.objects.filter(company=company)


def get_channel(*, company: Company, code: str) -> Channel | None:
    return the_one(channels(company=company).filter(code=code))


def campaigns(*, company: Company) -> QuerySet[Campaign]:
    return Campaign.objects.filter(company=company).select_related("channel")


def hat_names(*, person: Membership) -> list[str]:
    """The names of the hats worn today, in the reader's language, each once."""
    ids = {hat.role_id for hat in person.hats}
    versions = RoleVersion.objects.filter(company_id=person.company_id, role_id__in=ids, superseded_at=None)
    return sorted(version.name for version in versions)


def hours_a_week(*, person: Membership, on: date) -> int | None:
    """Hours a week of the appointments in force on a day; None where none of them names any."""
    found = Appointment.objects.filter(_in_force(on), company=person.company_id, person=person, interim=False)
    return found.aggregate(total=Sum("hours_per_week"))["total"]


def lock_channel(*, company: Company, pk: int) -> Channel:
    """The channel read for writing, inside the caller's transaction; DoesNotExist if it is gone."""
    return Channel.objects.select_for_update().get(company=company, pk=pk)


def lock_campaign(*, company: Company, pk: int) -> Campaign:
    """The campaign read for writing, inside the caller's transaction; DoesNotExist if it is gone."""
    return Campaign.objects.select_for_update().get(company=company, pk=pk)


def get_campaign(*, company: Company, pk: int) -> Campaign | None:
    return campaigns(company=company).filter(pk=pk).first()


def _appointments(company: Company) -> QuerySet[Appointment]:
    return Appointment.objects.filter(company=company).select_related(
        "role", "person__user", "deputy__user", "channel", "appointed_by__user"
    )


def appointments_of(*, company: Company, person: Membership, on: date) -> QuerySet[Appointment]:
    """A person's appointments that count on a day or begin later, oldest first."""
    return _appointments(company).filter(person=person).exclude(ends_on__lt=on)


def past_appointments(*, company: Company, on: date, person: Membership | None = None, role: Role | None = None):
    """Appointments that ended before a day, newest first: of a person, or of a role."""
    found = _appointments(company).filter(ends_on__lt=on).order_by("-ends_on", "-pk")
    return found.filter(**({"person": person} if person else {"role": role}))


def get_appointment(*, company: Company, pk: int) -> Appointment | None:
    return _appointments(company).filter(pk=pk).first()


def get_absence(*, company: Company, pk: int) -> Absence | None:
    return Absence.objects.filter(company=company, pk=pk).select_related("person__user").first()


def absences(*, company: Company, on: date, person: Membership | None = None) -> QuerySet[Absence]:
    """Absences that last on a day or begin later, the nearest first."""
    found = (
        Absence.objects.filter(company=company, ends_on__gte=on).select_related("person__user").order_by("starts_on")
    )
    return found.filter(person=person) if person else found


def roles(*, company: Company) -> QuerySet[RoleVersion]:
    """The current version of every role in use, role loaded, in the order they were made."""
    return (
        RoleVersion.objects.filter(company=company, superseded_at=None, role__is_archived=False)
        .select_related("role")
        .order_by("role_id")
    )


def get_role(*, company: Company, pk: int) -> RoleVersion | None:
    """The current version of a role by the role's id, role loaded."""
    found = RoleVersion.objects.filter(company=company, role_id=pk, superseded_at=None)
    return found.select_related("role").first()


def role_versions(*, company: Company, role: Role) -> QuerySet[RoleVersion]:
    """Every version of a role, newest first, with who made it."""
    found = RoleVersion.objects.filter(company=company, role=role).select_related("created_by__user")
    return found.order_by("-number")


def role_names(*, company: Company) -> dict[int, str]:
    """Role id → its current name in the reader's language."""
    return {version.role_id: version.name for version in roles(company=company)}
