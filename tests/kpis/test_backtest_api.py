"""`POST /stop-rules/backtest/`: every figure worked out by hand; who may see it; nothing is written."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from kpis.models import DailyFact, Source
from kpis.services.kpis import install_builtin_kpis
from roles import tokens

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
FIRST = date(2026, 10, 1)
RULE = {"name": "Дорогая заявка", "kpi": "cpa", "line": "1000", "scope": {"channel": "vk"}}
SPAN = {"from": "2026-10-01", "to": "2026-10-31"}
U = None


@pytest.fixture(autouse=True)
def _friday():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def world(acme):
    install_builtin_kpis(company=acme.company, at=NOW)
    acme.ads = Source.objects.create(company=acme.company, code="ads", name="Ads", kind="file")
    return acme


@pytest.fixture
def ask(client):
    """`ask(person, line="900")`: the answer to a rule with these changes, by a token that only reads."""

    def asked(person, slug="acme", scopes=("read",), **changes):
        _token, secret = tokens.create_token(
            company=person.company, by=person, person=person, name="t", scopes=list(scopes), at=NOW,
            lifetime=timedelta(days=9),
        )  # fmt: skip
        return client.post(
            f"/api/v1/c/{slug}/stop-rules/backtest/", json.dumps(RULE | SPAN | changes), content_type="application/json",
            HTTP_AUTHORIZATION=f"Bearer {secret}",
        )  # fmt: skip

    return asked


def facts(made, pairs, first=FIRST, channel=None, campaign=0):
    """One (spend, qualified leads) per day from `first` on; U is unknown, None for the pair is a day without a row."""
    for offset, pair in enumerate(pairs):
        if pair is not None:
            DailyFact.objects.create(
                company=made.company, day=first + timedelta(days=offset), channel=channel or made.vk, source=made.ads,
                campaign_id=campaign, spend=pair[0], qualified_leads=pair[1], load_id=1,
            )  # fmt: skip


def day(number: int) -> str:
    return (FIRST + timedelta(days=number - 1)).isoformat()


GOOD, BAD = (3000, 5), (6000, 5)


def test_a_breach_that_was_worth_stopping(world, ask):
    # Days 1 to 3 breach (6000 : 5 = 1200 > 1000), so it fires on day 3; somebody acts on day 5.
    # Day 5: 7000 − 5·1000 = +2000; day 6: 6000 − 5·1000 = +1000; day 7 unknown; day 8 and 9 are good and end it:
    # 3000 − 5000 = −2000 each. Spend 7000 + 6000 + 3000 + 3000, leads 5·4, net 19000 − 20·1000 = −1000.
    facts(world, [BAD, BAD, BAD, BAD, (7000, 5), BAD, (9000, U), GOOD, GOOD, GOOD])

    body = ask(world.cmo).json()

    amounts = {
        "avoidable_spend": "19000", "conversions_forgone": 20, "net_saved": "-1000", "saved": "3000", "lost": "4000",
    }  # fmt: skip
    assert body["firings"] == [
        {
            "channel": "vk", "campaign": None, "first_day": day(1), "opened_on": day(3), "closed_on": day(9),
            "closed_as": "recovered", "avoidable_days": 4, "false_alarm": True, **amounts,
        }
    ]  # fmt: skip
    assert body["totals"] == {"firings": 1, "going_on": 0, "false_alarms": 1, **amounts}
    assert (body["from"], body["to"]) == ("2026-10-01", "2026-10-31")


def test_a_breach_that_goes_on_at_the_end(world, ask):
    # It fires on day 3 (October 3rd); the test ends on day 6: of days 5 and 6, 6000 − 5000 = +1000 each.
    facts(world, [BAD] * 9)

    body = ask(world.cmo, to=day(6)).json()

    firing = body["firings"][0]
    assert (firing["opened_on"], firing["closed_on"], firing["closed_as"]) == (day(3), None, None)
    assert (firing["avoidable_days"], firing["net_saved"], firing["false_alarm"]) == (2, "2000", False)
    assert body["totals"]["going_on"] == 1
    assert body["series"] == [
        {"channel": "vk", "campaign": None, "from": day(1), "values": ["1200"] * 6, "classes": ["breach"] * 6}
    ]
