"""Rights × hats × channels, generated: who may what is exactly what design/domain.md §2 says, own hat, deputy or nobody."""

import itertools
from datetime import timedelta

import pytest

from roles import selectors
from roles.models import Absence, Appointment, Membership, User
from roles.permissions import Permission, RoleKind

P, K = Permission, RoleKind
EVERYWHERE, OWN, NOWHERE = "everywhere", "own channels", "nowhere"
CHIEFS = {K.OWNER, K.CMO, K.PM, K.ANALYST}
WHOLE_COMPANY = {
    P.READ: CHIEFS | {K.CHANNEL_OWNER},
    P.VIEW_MONEY: CHIEFS,
    P.DECIDE: {K.CMO},
    P.APPROVE_STRATEGY: {K.OWNER},
    P.SET_PRIORITY: {K.CMO},
    P.MANAGE_COMPANY: {K.OWNER, K.PM},
    P.SET_CONFLICTS: {K.OWNER},
    P.MANAGE_KPIS: {K.OWNER, K.CMO, K.ANALYST},
    P.MANAGE_STOP_RULES: {K.OWNER, K.CMO, K.ANALYST},
    P.SIGN_STOP_RULES: {K.CMO},
    P.ENTER_FACTS: {K.OWNER, K.ANALYST},
    P.SUBMIT_REPORT: {K.PM},
    P.REVIEW_REPORT: {K.CMO},
    P.KEEP_ACCESSES: {K.OWNER, K.CMO, K.PM},
    P.DO_TASKS: set(K),
}
ON_OWN_CHANNELS = {P.VIEW_MONEY, P.MANAGE_STOP_RULES, P.SUBMIT_REPORT, P.KEEP_ACCESSES}
"""Of the channel owner; everything else of theirs is in the table above. A new right must be named here too."""
CODES = {K.CHANNEL_OWNER: "performance"}


def reach(kind: RoleKind, permission: Permission) -> str:
    if kind in WHOLE_COMPANY[permission]:
        return EVERYWHERE
    return OWN if kind is K.CHANNEL_OWNER and permission in ON_OWN_CHANNELS else NOWHERE


@pytest.fixture
def someone(acme):
    """A person without a hat, and how to put a hat on them for a day: own, as a deputy, or as the deputy of who is away."""
    user = User.objects.create_user("new@acme.example", name="New")
    person = Membership.objects.create(company=acme.company, user=user, joined_on="2025-01-01")
    today = acme.company.local_date(acme.company.created_at)
    holder = Membership.objects.create(
        company=acme.company, user=User.objects.create_user("holder@acme.example"), joined_on="2025-01-01"
    )

    def wear(kind: RoleKind, way: str) -> Membership:
        role = acme.roles[CODES.get(kind, str(kind))]
        channel = acme.vk if kind is K.CHANNEL_OWNER else None
        own = way in ("own", "over", "to come")
        days = {"over": (-9, -1), "to come": (1, 9)}.get(way, (-9, 9))
        Appointment.objects.create(
            company=acme.company, role=role, channel=channel, person=person if own else holder,
            deputy=None if own else person, starts_on=today + timedelta(days=days[0]), ends_on=today + timedelta(days=days[1]),
        )  # fmt: skip
        if way == "acts":
            Absence.objects.create(company=acme.company, person=holder, starts_on=today, ends_on=today)
        fresh = Membership.objects.select_related("company").get(pk=person.pk)
        fresh.__dict__["hats"] = selectors.hats_of(person=fresh, on=today)
        return fresh

    return wear


def test_every_permission_is_in_the_table():
    assert set(WHOLE_COMPANY) == set(Permission)


@pytest.mark.parametrize(("kind", "way"), list(itertools.product(K, ("own", "acts", "deputy", "over", "to come"))))
def test_rights_of_a_hat_on_each_channel(kind, way, someone, acme):
    """A deputy has the rights while the holder is away and only then; a hat that is over or to come gives none."""
    person = someone(kind, way)

    worn = way in ("own", "acts")
    for permission in Permission:
        wanted = reach(kind, permission) if worn else NOWHERE
        told = {
            "company": wanted == EVERYWHERE,
            "own": wanted in (EVERYWHERE, OWN),
            "other": wanted == EVERYWHERE,
        }
        asked = {
            "company": person.can(permission),
            "own": person.can(permission, acme.vk),
            "other": person.can(permission, acme.blog),
        }
        assert asked == told, (kind, way, permission)


@pytest.mark.parametrize("kinds", list(itertools.combinations(K, 2)), ids=lambda kinds: " and ".join(kinds))
def test_two_hats_give_the_rights_of_both_and_no_more(kinds, someone, acme):
    for kind in kinds:
        person = someone(kind, "own")

    for permission in Permission:
        reaches = {reach(kind, permission) for kind in kinds}
        assert person.can(permission) is (EVERYWHERE in reaches), (kinds, permission)
        assert person.can(permission, acme.vk) is bool(reaches - {NOWHERE}), (kinds, permission)
        assert person.can(permission, acme.blog) is (EVERYWHERE in reaches), (kinds, permission)
