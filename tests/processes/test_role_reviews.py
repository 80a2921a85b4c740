"""The review of roles and KPIs opens by itself, names its trigger, tells each once, and is closed with a conclusion."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from kpis.services import kpis as kpi_services
from kpis.services.facts import record_facts
from kpis.services.targets import set_target
from processes import role_reviews, triggers
from processes.models import RoleReview
from roles.models import Company, RoleVersion
from roles.refusals import Refused
from roles.services import channels

NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)  # a Wednesday
MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
def house(acme):
    kpi_services.install_builtin_kpis(company=acme.company, at=NOW - timedelta(days=300))
    began(acme, days=300)
    return acme


def began(house, days: int) -> None:
    Company.objects.filter(pk=house.company.pk).update(created_at=NOW - timedelta(days=days))
    house.company.refresh_from_db()


def follow(house, at=NOW) -> RoleReview | None:
    return role_reviews.follow_triggers(company=house.company, at=at, today=at.date())


def keys(house) -> set[str]:
    return {one["key"] for row in RoleReview.objects.all() for one in row.triggers}


def test_the_end_of_a_quarter_opens_a_review_once(house):
    review = follow(house)

    assert [one["key"] for one in review.triggers] == ["quarter:2026-Q3"]
    assert review.due_on == NOW.date() + timedelta(days=14)
    assert follow(house, NOW + timedelta(days=1)) is None
    assert RoleReview.objects.count() == 1


@pytest.mark.parametrize(
    ("day", "key"),
    [
        (date(2026, 1, 1), "quarter:2025-Q4"),
        (date(2026, 4, 1), "quarter:2026-Q1"),
        (date(2026, 12, 31), "quarter:2026-Q3"),
    ],
)
def test_the_quarter_that_is_over_is_the_last_full_one(day, key):
    assert triggers.quarter_over(day)["key"] == key


def test_a_company_that_has_just_begun_reviews_nothing(house):
    began(house, days=20)
    assert follow(house) is None

    began(house, days=60)
    assert follow(house) is None  # it was not there in the quarter that is over


def test_a_new_channel_joins_the_open_review(house):
    follow(house)
    channel = channels.create_channel(
        company=house.company, by=house.owner, at=NOW, today=NOW.date(), code="maps", name="Карты", kind="paid"
    )

    review = follow(house, NOW + timedelta(days=1))

    assert review.triggers[-1] == {"code": "channel", "key": f"channel:{channel.pk}", "name": "Карты"}
    assert RoleReview.objects.count() == 1
    assert "Карты" in role_reviews.open_review(company=house.company).why[-1]


def test_changed_goals_are_a_trigger_and_first_ones_are_not(house):
    told = {"company": house.company, "by": house.owner, "measure": "revenue", "month": date(2026, 12, 1)}
    set_target(**told, at=NOW, value=Decimal(100), reason="План")
    follow(house)
    assert "goals:2026-12" not in keys(house)

    set_target(**told, at=NOW, value=Decimal(200), reason="Цель выросла")
    follow(house)
    assert "goals:2026-12" in keys(house)


def test_a_strong_change_of_romi_is_seen_on_monday(house):
    rows = []
    for back in range(1, 120):
        day = MONDAY.date() - timedelta(days=back)
        profit = 300 if back > 28 else 150
        rows.append({"channel": "vk", "date": day.isoformat(), "spend": Decimal(100), "gross_profit": Decimal(profit)})
    record_facts(company=house.company, by=house.analyst, at=MONDAY, source_code="crm", rows=rows)

    follow(house)
    assert "shift:romi:2026-11" not in keys(house)
    follow(house, MONDAY)
    assert "shift:romi:2026-11" in keys(house)
    assert any("−75" in line for line in role_reviews.open_review(company=house.company).why)


def test_a_role_kpi_that_left_revenue_is_named(house):
    RoleVersion.objects.filter(role=house.roles["performance"]).update(kpis=["cpl"])
    rows = []
    for back in range(1, 190):
        day = MONDAY.date() - timedelta(days=back)
        week = back // 7
        leads = 10 + week % 5
        revenue = leads * 100 if week > 12 else 1000 + (week // 2 % 3) * 300
        figures = {"spend": Decimal(1000), "leads": leads, "revenue": Decimal(revenue)}
        rows.append({"channel": "vk", "date": day.isoformat(), **figures})
    record_facts(company=house.company, by=house.analyst, at=MONDAY, source_code="crm", rows=rows)

    follow(house, MONDAY)

    assert "decoupled:cpl:2026-Q4" in keys(house)


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ("100", "129", False),
        ("100", "131", True),
        ("100", "69", True),
        ("0", "5", False),
        (None, "5", False),
        ("5", None, False),
    ],
)
def test_a_change_is_strong_from_thirty_per_cent_and_unknown_is_no_change(before, now, told):
    figures = [None if one is None else Decimal(one) for one in (before, now)]

    assert (triggers.shift("cac", "CAC", *figures, NOW.date()) is not None) is told


def test_a_kpi_with_too_few_known_weeks_says_nothing():
    gap = [None] * 20 + [Decimal(n) for n in range(6)]

    assert triggers.decoupled("cpl", "CPL", gap, [Decimal(n) for n in range(26)], NOW.date()) is None


def test_only_the_owner_or_the_director_closes_it_and_says_what_changed(house):
    review = follow(house)
    act = {"company": house.company, "at": NOW, "review": review}
    for person in (house.pm, house.analyst, house.performance):
        with pytest.raises(role_reviews.MayNotReview):
            role_reviews.close_role_review(**act, by=person, conclusion="Всё хорошо")
    with pytest.raises(Refused):
        role_reviews.close_role_review(**act, by=house.cmo, conclusion=" ")

    role_reviews.close_role_review(**act, by=house.cmo, conclusion="Заменили CPL на CPA")

    assert role_reviews.open_review(company=house.company) is None
    with pytest.raises(role_reviews.ReviewClosed):
        role_reviews.close_role_review(**act, by=house.owner, conclusion="Ещё")
    assert follow(house, NOW + timedelta(days=1)) is None


def test_the_map_names_the_trigger_and_the_page_closes_it(house, sign_in):
    review = follow(house)
    assert "3-й квартал" in sign_in(house.pm).get("/c/acme/roles/").content.decode()
    page = f"/c/acme/processes/role-reviews/{review.pk}/close/"
    assert sign_in(house.pm).post(page, {"conclusion": "x"}).status_code == 403

    sign_in(house.owner).post(page, {"conclusion": "Всё остаётся: цели те же"})

    assert "Всё остаётся" in sign_in(house.pm).get("/c/acme/processes/role-reviews/").content.decode()
