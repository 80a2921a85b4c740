"""A fire drill: what would have stopped had a person been away for a week. It reads, and keeps what it found."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from processes import deciders
from processes.leaving.house import House, open_house
from processes.leaving.risk import Risk, risk_of
from processes.models import Drill
from roles import audit
from roles.models import Appointment, CheckRound, Company, Membership

DAYS = 7
OFTEN = {"day", "week"}
"""Cadences of duties that fall into any week."""

WHAT = {
    "report": _("weekly report"),
    "decision": _("decision"),
    "check": _("external check"),
    "action": _("action"),
    "duty": _("duty"),
    "rule": _("stop-rule"),
    "source": _("source of data"),
    "access": _("access"),
    "contractor": _("contractor"),
}


@transaction.atomic
def run_drill(*, company: Company, by: Membership, at: datetime, person: Membership) -> Drill:
    """Rehearse the absence of a person for seven days from today. Writes the drill and nothing else."""
    today = company.local_date(at)
    house = open_house(company=company, on=today, at=at, money=False)
    last = today + timedelta(days=DAYS - 1)
    stopped = [
        {"what": what, "name": name, "stand_in": str(stand_in) if stand_in is not None else ""}
        for what, name, stand_in in _stopped(house, person, risk_of(house, person), last)
    ]
    drill = Drill.objects.create(
        company=company, person=person, first_day=today, last_day=last, stopped=stopped, run_by=by, run_at=at
    )
    audit.record(
        company=company, by=by, verb="run_drill", obj=drill, at=at, after={"person": str(person), "items": len(stopped)}
    )
    return drill


Stop = tuple[str, str, Membership | None]


def _stopped(house: House, person: Membership, risk: Risk, last: date) -> Iterator[Stop]:
    away = house.away | {person.pk}
    hats = [row for row in house.held_by(person) if row.channel_id]
    stands_in = {row.channel_id: _stand_in(row, away) for row in hats}
    for held in risk.channels:
        yield "report", held.channel.name, stands_in.get(held.channel.pk)
    around = deciders.Around(tuple(house.appointments), frozenset(away), house.company, house.on)
    for row in risk.decisions:
        others = [one for one in deciders.deciders(decision=row, people=around) if one.pk not in away]
        yield "decision", f"{row} {row.question}", next(iter(others), None)
    rounds = CheckRound.objects.filter(
        company=house.company, external_check__checker=person, signed_at=None, due_on__gte=house.on, due_on__lte=last
    )
    for one in rounds.select_related("external_check__person__user"):
        yield "check", f"{one.external_check.person}: {one.external_check.what}", None
    for action in risk.actions:
        if action.due_on <= last:
            yield "action", action.text, stands_in.get(action.channel_id)
    for row in house.held_by(person):
        yield from _duties(house, row, _stand_in(row, away))
    for rule in risk.rules:
        yield "rule", f"{rule.rule} {rule.name}", stands_in.get(rule.channel_id)
    for source in risk.sources:
        yield "source", source.name, None
    for access in risk.locked_in:
        yield "access", str(access), None
    for contractor in risk.unknown_to_others:
        yield "contractor", contractor.name, None


def _duties(house: House, row: Appointment, stand_in: Membership | None) -> Iterator[Stop]:
    version = house.versions.get(row.role_id)
    if version is None:
        return
    place = f" · {row.channel.name}" if row.channel_id else ""
    for duty, text in zip(version.duties, version.duty_texts, strict=True):
        if duty.get("cadence") in OFTEN:
            yield "duty", f"{text}{place}", stand_in


def _stand_in(row: Appointment, away: frozenset[int]) -> Membership | None:
    """The deputy, unless they are away too."""
    return row.deputy if row.deputy_id and row.deputy.is_active and row.deputy_id not in away else None
