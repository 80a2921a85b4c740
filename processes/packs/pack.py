"""The onboarding pack of a hat: everything a newcomer needs on the first day, put together from what is there."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction

from kpis import periods
from kpis.selectors.cube import Cube, load_cube
from kpis.selectors.measures import Measure, kpis_of, measures_from, metrics_of
from processes import selectors
from processes.models import Action, Decision, PackReading
from processes.packs.belongings import Belongings, Handed, belongings, by_appointment, by_right, handed
from roles import audit
from roles import selectors as people_selectors
from roles.models import Appointment, Channel, Company, Membership, RoleVersion
from roles.permissions import Permission, RoleKind

WEEKS = 8
MOST_PAST = 10


@dataclass(frozen=True)
class KpiRow:
    """A KPI of the hat, week by week, oldest first: Monday, Sunday and the figure, None where nothing is known. `unit` says how
    to write it."""

    measure: Measure
    name: str
    unit: str
    values: list[Decimal | None]
    weeks: list[tuple[date, date, Decimal | None]]


@dataclass(frozen=True)
class Pack:
    """What a hat is handed over with."""

    role: RoleVersion
    duties: list[tuple[str, str]]
    holders: list[Appointment]
    channels: list[Channel]
    mondays: list[date]
    kpis: list[KpiRow]
    actions: list[Action]
    decisions: list[Decision]
    past: list[Decision]
    ask: list[tuple[str, Membership]]
    handed: Handed

    @property
    def codes(self) -> str | None:
        """Of whose channels the KPIs are, as addresses name them; None: of the company."""
        return ",".join(channel.code for channel in self.channels) or None


def pack_of(*, company: Company, role: RoleVersion, reader: Membership, on: date) -> Pack:
    """The pack as `reader` may see it: KPIs of money only where they may see the money. About twenty queries."""
    appointments = list(people_selectors.appointments_in_force(company=company, on=on))
    holders = [row for row in appointments if row.role_id == role.role_id]
    channels = [row.channel for row in holders if row.channel_id]
    mondays = periods.last_weeks(on, WEEKS)
    signed = selectors.decision_log(company=company).filter(state=Decision.State.SIGNED)
    about = signed.filter(channel__in=channels) if channels else signed
    waiting = selectors.decisions(company=company).filter(state__in=Decision.UNDECIDED)
    mine = {row.person_id for row in holders}
    return Pack(
        role=role,
        duties=[(str(duty.get("cadence", "")), text) for duty, text in zip(role.duties, role.duty_texts, strict=True)],
        holders=holders,
        channels=channels,
        mondays=mondays,
        kpis=_kpis(company, role, channels, mondays, reader),
        actions=[row for row in selectors.actions_of(company=company) if row.owner_id in mine],
        decisions=list(waiting.filter(channel__in=channels) if channels else waiting)[:MOST_PAST],
        past=list(about[:MOST_PAST]),
        ask=_whom_to_ask(appointments, holders),
        handed=handed(belongings(company=company, on=on), role, holders, reader, by_right(reader)),
    )


def content_of(role: RoleVersion, appointments: list[Appointment], reader: Membership, found: Belongings) -> str:
    """The hash of what a reader agrees to: the charter, the channels, and what the pack hands this reader over.

    Figures and open items are not in it: they change daily. Nothing handed over leaves the hash as it was without.
    """
    worn = [row for row in appointments if row.role_id == role.role_id]
    text = [
        role.name_ru, role.name_en, role.mission_ru, role.mission_en, role.duties, role.kpis,
        sorted(row.channel.name for row in worn if row.channel_id),
        *handed(found, role, worn, reader, by_appointment(appointments, reader)).text(),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(text, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _kpis(
    company: Company, role: RoleVersion, channels: list[Channel], mondays: list[date], reader: Membership
) -> list[KpiRow]:
    metrics = metrics_of(company=company)
    measures = measures_from(metrics, kpis_of(company=company))
    wanted = [(code, measures[code]) for code in role.kpis if code in measures]
    sees_money = reader.can(Permission.VIEW_MONEY) or (
        bool(channels) and all(reader.can(Permission.VIEW_MONEY, channel) for channel in channels)
    )
    wanted = [(code, one) for code, one in wanted if sees_money or one.unit != "money"]
    if not wanted:
        return []
    cube = load_cube(
        company=company, start=mondays[0], end=mondays[-1] + timedelta(days=6), metrics=metrics,
        channel_ids=[channel.pk for channel in channels] or None,
    )  # fmt: skip
    return [_row(one, cube, mondays) for _code, one in wanted]


def _row(measure: Measure, cube: Cube, mondays: list[date]) -> KpiRow:
    values = [week.value for week in cube.weekly(measure.formula, mondays)]
    weeks = [(day, day + timedelta(days=6), value) for day, value in zip(mondays, values, strict=True)]
    return KpiRow(measure, measure.name, measure.unit, values, weeks)


def _whom_to_ask(appointments: list[Appointment], holders: list[Appointment]) -> list[tuple[str, Membership]]:
    """Who wears the hat now and their deputies, then the director, the project manager and the analyst."""
    found: dict[int, tuple[str, Membership]] = {}
    for row in holders:
        found.setdefault(row.person_id, ("holder", row.person))
        if row.deputy_id:
            found.setdefault(row.deputy_id, ("deputy", row.deputy))
    for kind in (RoleKind.CMO, RoleKind.PM, RoleKind.ANALYST):
        for row in appointments:
            if row.role.kind == kind:
                found.setdefault(row.person_id, (str(kind), row.person))
    return list(found.values())


@dataclass(frozen=True)
class Reader:
    """Who has to know a pack: the holder or a deputy. `read_at`: when they read its present text; `before`: an older one."""

    person: Membership
    read_at: datetime | None
    before: datetime | None


def readers(*, company: Company, on: date) -> dict[int, list[Reader]]:
    """Role id → everybody who wears or deputises it, with what they have read; ten queries."""
    appointments = list(people_selectors.appointments_in_force(company=company, on=on))
    versions = {version.role_id: version for version in people_selectors.roles(company=company)}
    read: dict[tuple[int, int], list[PackReading]] = {}
    for row in PackReading.objects.filter(company=company).order_by("at"):
        read.setdefault((row.role_id, row.person_id), []).append(row)
    things = belongings(company=company, on=on)
    found: dict[int, list[Reader]] = {}
    for role_id, version in versions.items():
        mine = [row for row in appointments if row.role_id == role_id]
        people = {one.pk: one for row in mine for one in (row.person, row.deputy) if one is not None}
        found[role_id] = [
            _reader(person, read.get((role_id, pk), []), content_of(version, appointments, person, things))
            for pk, person in people.items()
        ]
    return found


def _reader(person: Membership, rows: list[PackReading], content: str) -> Reader:
    now = next((row.at for row in rows if row.content == content), None)
    return Reader(person, now, rows[-1].at if rows and now is None else None)


@transaction.atomic
def read_pack(*, company: Company, by: Membership, at: datetime, role: RoleVersion) -> PackReading:
    """The reader's own word that the present text is read; a second one changes nothing."""
    on = company.local_date(at)
    appointments = list(people_selectors.appointments_in_force(company=company, on=on))
    content = content_of(role, appointments, by, belongings(company=company, on=on))
    row, made = PackReading.objects.get_or_create(
        company=company, role_id=role.role_id, person=by, content=content, defaults={"at": at}
    )
    if made:
        audit.record(company=company, by=by, verb="read_pack", obj=row, at=at, after={"role": role.name})
    return row
