"""The independence index of the sample company «Вереск» against plain arithmetic over its rows.

Nothing of `processes/independence` or of what it reads through computes here: rows come as dicts, the rules are those of
design/domain.md §2, the shares are fractions.
"""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest

from mops.demo import seed
from processes.independence.history import keep_index
from processes.independence.index import index_of, without_each
from processes.leaving.house import open_house
from roles.models import (
    Access,
    AccessAdministrator,
    Appointment,
    AuditEvent,
    Channel,
    CheckRound,
    ExternalCheck,
    IncompatibilityVersion,
    Membership,
    Role,
    RoleVersion,
)

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
DAY = date(2026, 11, 20)
POINTS = {"roles": 25, "processes": 25, "accesses": 20, "packs": 15, "conflicts": 15}
WORK = {
    "submit_weekly_plan", "submit_weekly_fact", "accept_weekly_report", "write_week_summary", "sign_decision",
    "cosign_decision", "close_review", "record_facts", "confirm_import", "tick_duty", "sign_check", "approve_stop_rule",
    "revise_stop_rule", "set_target", "create_campaign",
}  # fmt: skip
CHEAPEST_FIRST = [
    "no_deputy", "no_charter", "no_check", "one_administrator", "one_person", "nobody", "vacant", "not_ours",
]  # fmt: skip


class Rows:
    """The rows of a company on a day, each table once."""

    def __init__(self, company):
        def of(model, *fields, **narrowed):
            return list(model.objects.filter(company=company, **narrowed).order_by("pk").values(*fields))

        self.people = {row["id"] for row in of(Membership, "id", is_active=True)}
        self.kind = {row["id"]: row["kind"] for row in of(Role, "id", "kind")}
        self.charters = of(
            RoleVersion, "role_id", "mission_ru", "mission_en", "duties", "kpis", superseded_at=None, role__is_archived=False
        )  # fmt: skip
        self.channels = of(Channel, "id", "name", "status")
        self.worn = [
            row for row in of(Appointment, "id", "role_id", "channel_id", "person_id", "deputy_id", "interim", "starts_on", "ends_on")
            if row["starts_on"] <= DAY and (row["ends_on"] is None or row["ends_on"] >= DAY)
        ]  # fmt: skip
        self.journal = [
            row | {"channel": (row["after"] or {}).get("channel", "")} for row in of(AuditEvent, "verb", "by_id", "at", "after")
            if row["verb"] in WORK and row["by_id"] and NOW - timedelta(days=90) <= row["at"] <= NOW
        ]  # fmt: skip
        self.accesses = of(Access, "id", "owned_by", closed_on=None)
        self.administrators = of(AccessAdministrator, "access_id", "person_id")
        self.pairs = of(
            IncompatibilityVersion, "pair_id", "pair__left_role", "pair__left_kind", "pair__right_role",
            "pair__right_kind", superseded_at=None, is_active=True,
        )  # fmt: skip
        self.checks = of(ExternalCheck, "id", "person_id", "pair_id", "checker_id", "starts_on", "until", "ended_on")
        self.rounds = of(CheckRound, "external_check_id", "last_day", "due_on", "signed_at")


def lacks(rows: Rows, gone: int | None = None) -> dict[str, dict]:
    """Part → its objects, each with what it lacks; None: it counts."""
    found = {
        "roles": of_roles(rows, gone), "processes": of_work(rows, gone), "accesses": of_accesses(rows, gone),
        "packs": of_charters(rows), "conflicts": of_conflicts(rows, gone),
    }  # fmt: skip
    return {part: things for part, things in found.items() if things}


def of_roles(rows: Rows, gone) -> dict:
    """Every hat of the company, and every channel that is not stopped or only planned: held by right, a second person behind."""
    found = {}
    hats = [row["role_id"] for row in rows.charters if rows.kind[row["role_id"]] not in ("contractor", "channel_owner")]
    places = {("role", role): [row for row in rows.worn if row["role_id"] == role] for role in hats}
    for channel in rows.channels:
        here = [
            row for row in rows.worn
            if row["channel_id"] == channel["id"] and rows.kind[row["role_id"]] == "channel_owner"
        ]  # fmt: skip
        if channel["status"] != "stopped" and (here or channel["status"] != "planned"):
            places["channel", channel["id"]] = here
    for place, worn in places.items():
        holders = {row["person_id"] for row in worn if not row["interim"]} - {gone}
        behind = {row["deputy_id"] for row in worn if row["deputy_id"] in rows.people} - {gone}
        found[place] = "vacant" if not holders else "no_deputy" if len(holders | behind) < 2 else None
    return found


def of_work(rows: Rows, gone) -> dict:
    """Running channels and the kinds of the company's own work: done by two people in 90 days."""
    found = {}
    for channel in rows.channels:
        if channel["status"] in ("testing", "active"):
            hands = {row["by_id"] for row in rows.journal if row["channel"] == channel["name"]}
            found["channel", channel["id"]] = by_how_many(hands - {gone})
    for verb in {row["verb"] for row in rows.journal if not row["channel"]}:
        hands = {row["by_id"] for row in rows.journal if row["verb"] == verb and not row["channel"]}
        found["work", verb] = by_how_many(hands - {gone})
    return found


def by_how_many(hands: set) -> str | None:
    return {0: "nobody", 1: "one_person"}.get(len(hands))


def of_accesses(rows: Rows, gone) -> dict:
    found = {}
    for access in rows.accesses:
        people = {row["person_id"] for row in rows.administrators if row["access_id"] == access["id"]}
        enough = len((people & rows.people) - {gone}) >= 2
        ours = access["owned_by"] == "company"
        found["access", access["id"]] = "not_ours" if not ours else None if enough else "one_administrator"
    return found


def of_charters(rows: Rows) -> dict:
    return {
        ("role", row["role_id"]): (
            None if (row["mission_ru"] or row["mission_en"]) and row["duties"] and row["kpis"] else "no_charter"
        )
        for row in rows.charters
    }


def of_conflicts(rows: Rows, gone) -> dict:
    """Two hats of one person, as holder or deputy, on both sides of a pair: somebody who is there checks them, nothing skipped."""
    found = {}
    for person in rows.people - {gone}:
        mine = [row for row in rows.worn if person in (row["person_id"], row["deputy_id"])]
        for pair in rows.pairs:
            left = {row["id"] for row in mine if is_side(rows, row, pair, "left")}
            right = {row["id"] for row in mine if is_side(rows, row, pair, "right")}
            if any(one != other for one in left for other in right):
                found["conflict", person, pair["pair_id"]] = (
                    None if is_checked(rows, person, pair["pair_id"], gone) else "no_check"
                )
    return found


def is_side(rows: Rows, hat: dict, pair: dict, side: str) -> bool:
    role = pair[f"pair__{side}_role"]
    return hat["role_id"] == role if role else rows.kind[hat["role_id"]] == pair[f"pair__{side}_kind"]


def is_checked(rows: Rows, person: int, pair: int, gone) -> bool:
    named = [
        row for row in rows.checks
        if (row["person_id"], row["pair_id"]) == (person, pair) and row["starts_on"] <= DAY
    ]  # fmt: skip
    if not named:
        return False
    check = max(named, key=lambda row: (row["starts_on"], row["id"]))
    last = min(check["until"], check["ended_on"] or check["until"])
    skipped = any(
        row["external_check_id"] == check["id"] and row["signed_at"] is None and row["due_on"] < DAY
        and row["last_day"] <= last
        for row in rows.rounds
    )  # fmt: skip
    return last >= DAY and not skipped and check["checker_id"] != gone


def weights(parts: dict[str, dict]) -> dict[str, Fraction]:
    """100 points among the parts that have objects, in proportion."""
    there = sum(POINTS[part] for part in parts)
    return {part: Fraction(100 * POINTS[part], there) for part in parts}


def total(parts: dict[str, dict]) -> int:
    """Whole points, a half upwards."""
    points = sum(
        weight * Fraction(sum(lack is None for lack in parts[part].values()), len(parts[part]))
        for part, weight in weights(parts).items()
    )
    return int(points + Fraction(1, 2))


@pytest.fixture
def veresk(db):
    return seed.seed(now=NOW)


def test_every_part_total_step_and_absence_of_the_sample_company(veresk):
    rows = Rows(veresk)
    by_hand = lacks(rows)
    house = open_house(company=veresk, on=DAY, at=NOW, money=False)
    told = index_of(house)

    assert set(by_hand) == set(POINTS), "the sample has something to measure in every part"
    assert [str(part.part) for part in told.parts] == list(by_hand)
    for part in told.parts:
        mine = by_hand[part.part]
        wrong = [lack for lack in mine.values() if lack]
        assert sorted(str(thing.lack) for thing in part.lacking) == sorted(wrong), part.part
        assert (len(part.good), len(part.things)) == (len(mine) - len(wrong), len(mine)), part.part
        weight = weights(by_hand)[part.part]
        assert_close(part.weight, weight)
        assert_close(part.points, weight * (len(mine) - len(wrong)) / len(mine))
        assert_close(part.gain, weight / len(mine))
        cheapest = min(wrong, key=CHEAPEST_FIRST.index, default=None)
        assert (part.step and str(part.step.lack)) == cheapest, part.part
        assert part.step is None or mine[key_of(part.part, part.step, mine)] == cheapest
    assert told.value == total(by_hand)
    assert 0 < told.value < 100

    gains = {part: weights(by_hand)[part] / len(things) for part, things in by_hand.items() if any(things.values())}
    assert [str(part.part) for part, _thing in told.steps] == sorted(gains, key=lambda part: -gains[part])

    assert without_each(house) == {person: total(lacks(rows, gone=person)) for person in rows.people}
    assert len(set(without_each(house).values())) > 1

    kept = keep_index(company=veresk, day=DAY, at=NOW)
    assert kept.value == total(by_hand)
    assert {row["code"]: row["share"] for row in kept.parts} == {
        part: f"{sum(not lack for lack in things.values()) / len(things):.4f}" for part, things in by_hand.items()
    }


def key_of(part: str, thing, mine: dict):
    """The object of the arithmetic that a step is about; a kind of work and a conflict are known by their lack alone."""
    if thing.access_id:
        return "access", thing.access_id
    if thing.channel is not None:
        return "channel", thing.channel.pk
    if thing.role_id:
        return "role", thing.role_id
    return next(key for key, lack in mine.items() if lack == str(thing.lack))


def assert_close(told, by_hand: Fraction) -> None:
    assert abs(Fraction(told) - by_hand) < Fraction(1, 10**9)
