"""Who may sign what: every hat × round × age × side of the channel."""

from datetime import timedelta

import pytest

from processes.signing import KEEPS_SPENDING, Case, cosign_refusal, standing
from roles.permissions import Hat, RoleKind

ME, OTHER = 1, 2
HOUR = timedelta(hours=1)


def hats(*kinds, acting=False):
    return tuple(Hat(RoleKind(kind), 1, 9 if kind == "channel_owner" else None, acting=acting) for kind in kinds)


def case(round=1, hours=1, side=()):
    return Case(round, hours * HOUR, frozenset(side))


def judge(kinds, acting=False, **about):
    return standing(person_id=ME, hats=hats(*kinds, acting=acting), case=case(**about))


@pytest.mark.parametrize(
    ("kinds", "round", "hours", "signs_as"),
    [
        (["cmo"], 1, 0, "cmo"),
        (["cmo"], 1, 100, "cmo"),
        (["cmo"], 3, 1, "cmo"),
        (["owner"], 1, 1, None),
        (["owner"], 1, 47, None),
        (["owner"], 1, 48, "owner"),
        (["owner"], 2, 1, None),
        (["owner"], 3, 0, "owner"),
        (["owner", "cmo"], 1, 0, "cmo"),
        (["pm"], 3, 100, None),
        (["analyst"], 3, 100, None),
        (["channel_owner"], 3, 100, None),
        (["contractor"], 3, 100, None),
        ([], 3, 100, None),
    ],
)
def test_who_may_sign(kinds, round, hours, signs_as):
    found = judge(kinds, round=round, hours=hours)

    assert found.signs_as == signs_as
    assert found.may_sign is (signs_as is not None)
    assert str(found.why)


def test_deputy_signs_only_while_the_director_is_away():
    assert judge(["cmo"], acting=True).signs_as == RoleKind.CMO
    assert judge(["pm"]).signs_as is None


@pytest.mark.parametrize(
    ("kinds", "round", "hours", "side", "cosigner"),
    [
        (["cmo"], 1, 1, (), ""),
        (["cmo"], 1, 1, (OTHER,), ""),
        (["cmo"], 1, 1, (ME,), "owner"),
        (["cmo"], 2, 1, (), ""),
        (["cmo"], 3, 1, (), "owner"),
        (["owner"], 3, 1, (), ""),
        (["owner"], 1, 48, (ME,), "checker"),
        (["owner", "cmo"], 1, 1, (ME,), "checker"),
        (["owner", "cmo"], 3, 1, (), ""),
        (["pm"], 1, 1, (ME,), ""),
    ],
)
def test_whose_second_signature(kinds, round, hours, side, cosigner):
    found = judge(kinds, round=round, hours=hours, side=side)

    assert found.cosigner == cosigner
    assert found.must_cosign == (KEEPS_SPENDING if cosigner else frozenset())
    assert not {"stop", "cut"} & found.must_cosign


@pytest.mark.parametrize(
    ("kinds", "person", "cosigner", "side", "may"),
    [
        (["owner"], OTHER, "owner", (), True),
        (["owner"], OTHER, "owner", (OTHER,), True),
        (["owner"], ME, "owner", (), False),
        (["cmo"], OTHER, "owner", (), False),
        (["pm"], OTHER, "owner", (), False),
        (["cmo"], OTHER, "checker", (ME,), True),
        (["pm"], OTHER, "checker", (ME,), True),
        (["pm"], OTHER, "checker", (ME, OTHER), False),
        (["cmo", "owner"], ME, "checker", (ME,), False),
        (["analyst"], OTHER, "checker", (ME,), False),
        (["channel_owner"], OTHER, "checker", (ME,), False),
    ],
)
def test_who_gives_the_second_signature(kinds, person, cosigner, side, may):
    problem = cosign_refusal(person_id=person, hats=hats(*kinds), signer_id=ME, cosigner=cosigner, side=frozenset(side))

    assert (problem is None) is may
