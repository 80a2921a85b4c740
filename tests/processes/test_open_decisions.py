"""Decisions open by themselves: once per breach and round, with frozen evidence."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from kpis.models import DailyFact
from processes import services
from processes.models import Decision
from roles.models import AuditEvent, Channel

from .conftest import BREACHING, NOW, OPENED, add_breach, add_facts, add_rule, open_one


def test_open_decisions_freezes_what_the_rule_saw(house):
    decision = house.decision
    seen = decision.evidence

    assert (decision.year, decision.number, str(decision)) == (2026, 1, "№ 2026-1")
    assert decision.question == "VK Реклама: остановить или продолжать"
    assert (decision.recommendation, decision.round, decision.state) == ("stop", 1, "open")
    assert decision.deadline_at - decision.opened_at == timedelta(hours=24)
    assert seen["line"] == "3500"
    assert (seen["burned"], seen["is_money"], seen["is_cost"]) == ("53690", True, True)
    assert Decimal(seen["per_day"]) == Decimal("13422.5")
    assert seen["breaching_days"] == BREACHING
    assert seen["sums"] == {"numerator": "155190", "denominator": "29", "days": 4}
    assert [row["date"][-2:] for row in seen["days"]] == ["13", "14", "15", "16", "17", "18", "19"]
    assert [row["over"] for row in seen["days"]] == [None, None, None, "11200", "12600", "15750", "14140"]
    assert seen["days"][-1]["cumulated"] == "53690"
    assert seen["owner"]["id"] == house.performance.pk
    assert set(seen["rule"]["sentence"]) == {"ru", "en"}
    assert seen["numerator"]["code"] == "spend"
    assert (
        AuditEvent.objects.filter(company=house.company, verb="open_decision", object_id=str(decision.pk)).count() == 1
    )


def test_options_say_what_they_cost(house):
    options = {row["choice"]: row for row in house.decision.options}

    assert set(options) == {"stop", "continue", "rewrite", "cut", "false_alarm"}
    assert [row["choice"] for row in house.decision.options if row["recommended"]] == ["stop"]
    assert Decimal(options["stop"]["saves_per_day"]) == Decimal("13422.5")
    assert options["stop"]["forgoes_per_day"] == "7.25"
    assert options["cut"]["spend_per_day"] == "38797.5"


def test_open_decisions_twice_opens_nothing_new(house):
    assert services.open_decisions(company=house.company, at=NOW) == []
    assert Decision.objects.filter(company=house.company).count() == 1


def test_evidence_stays_when_the_facts_change(house):
    DailyFact.objects.filter(company=house.company, day=date(2026, 11, 19)).update(qualified_leads=50)

    assert Decision.objects.get(pk=house.decision.pk).evidence["burned"] == "53690"


@pytest.mark.parametrize("fields", [{"muted": True}, {"closed_on": date(2026, 11, 19), "closed_as": "recovered"}])
def test_a_muted_or_closed_breach_opens_nothing(acme, fields):
    add_facts(acme, acme.vk)
    add_breach(acme, add_rule(acme), **fields)

    assert services.open_decisions(company=acme.company, at=OPENED) == []


@pytest.mark.parametrize(("days", "opens"), [(["2026-11-13"], 1), (["2026-11-12"], 0)])
def test_found_late_opens_only_for_fresh_days(acme, days, opens):
    add_facts(acme, acme.vk)
    add_breach(acme, add_rule(acme), found_late=True, days=days)

    assert len(services.open_decisions(company=acme.company, at=OPENED)) == opens


def test_a_channel_that_does_not_run_opens_nothing(acme):
    add_facts(acme, acme.vk)
    add_breach(acme, add_rule(acme))
    Channel.objects.filter(pk=acme.vk.pk).update(status="paused")

    assert services.open_decisions(company=acme.company, at=OPENED) == []


def test_numbers_run_per_company(house, rival_house):
    second = add_rule(house, number=2, channel=house.blog)
    add_facts(house, house.blog)
    add_breach(house, second, channel=house.blog)

    assert open_one(house).number == 2
    assert rival_house.decision.number == 1
    assert Decision.objects.filter(company=house.company).count() == 2


def test_two_breaches_cost_the_queries_of_one(acme, django_assert_max_num_queries, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def reads(rules):
        for number in rules:
            add_breach(acme, add_rule(acme, number=number))
        with CaptureQueriesContext(
            connection,
        ) as caught:
            services.open_decisions(company=acme.company, at=OPENED)
        return sum(1 for query in caught.captured_queries if query["sql"].startswith("SELECT"))

    add_facts(acme, acme.vk)
    assert reads([1]) == reads(range(2, 12))


@pytest.mark.parametrize(
    ("action", "recommendation", "words"),
    [("rewrite", "rewrite", "переписать"), ("cut", "cut", "урезать"), ("review", "", "что делать")],
)
def test_recommendation_comes_from_the_rule(acme, action, recommendation, words):
    acme.company.language = "ru"
    add_facts(acme, acme.vk)
    add_breach(acme, add_rule(acme, action=action))
    decision = open_one(acme)

    assert decision.recommendation == recommendation
    assert words in decision.question


def test_losing_the_race_opens_nothing_twice(house, monkeypatch):
    """Another process opened the decision between this one's read and its write."""
    asked = []

    def stale(*, company, at):
        asked.append(at)
        return [(house.breach, 1)] if len(asked) == 1 else []

    monkeypatch.setattr(services.selectors, "breaches_without_decision", stale)

    assert services.open_decisions(company=house.company, at=NOW) == []
    assert Decision.objects.filter(company=house.company).count() == 1


def test_evidence_knows_nothing_of_later_days(acme):
    """A decision that is opened for a day in the past (as the daily run of that day does) sees no later figures."""
    add_facts(acme, acme.vk)
    add_breach(acme, add_rule(acme), days=BREACHING[:3])
    seen = open_one(acme, at=OPENED - timedelta(days=1)).evidence

    assert seen["last_day"] == "2026-11-18"
    assert seen["burned"] == "39550"
    assert seen["sums"]["days"] == 3


def test_a_breach_without_any_known_day_has_no_price(acme):
    add_breach(acme, add_rule(acme))
    decision = open_one(acme)

    assert decision.evidence["burned"] is None
    assert decision.evidence["per_day"] is None
    assert decision.options[0]["saves_per_day"] is None


def test_a_false_alarm_rests_for_three_days(house):
    from kpis.models import Breach

    from .conftest import sign

    sign(house, choice="false_alarm")
    Breach.objects.update(muted=False)

    assert services.open_decisions(company=house.company, at=NOW + timedelta(days=2)) == []
    assert len(services.open_decisions(company=house.company, at=NOW + timedelta(days=3))) == 1
