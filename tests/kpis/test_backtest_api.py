"""`POST /stop-rules/backtest/`: every figure worked out by hand; who may see it; nothing is written."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from kpis.models import DailyFact, KpiVersion, Source, StopRule, StopRuleVersion
from kpis.services.kpis import install_builtin_kpis
from roles import tokens
from roles.models import AuditEvent, Campaign, Channel

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


def test_stopping_would_have_paid(world, ask):
    # Fires on day 3. Days 5 and 6: 8000 − 5000 = +3000 each; day 7 unknown leads; day 8: 4900 − 5000 = −100 (grey: it
    # neither ends nor goes on); days 9 and 10 good: 4000 − 5000 = −1000 each. Net 6000 − 100 − 2000 = 3900.
    dear = (8000, 5)
    facts(world, [BAD, BAD, BAD, BAD, dear, dear, (9000, U), (4900, 5), (4000, 5), (4000, 5), GOOD])

    body = ask(world.cmo).json()

    firing = body["firings"][0]
    assert (firing["closed_on"], firing["avoidable_days"], firing["false_alarm"]) == (day(10), 5, False)
    assert (firing["avoidable_spend"], firing["conversions_forgone"]) == ("28900", 25)
    assert (firing["net_saved"], firing["saved"], firing["lost"]) == ("3900", "6000", "2100")


def test_net_of_nothing_is_a_false_alarm_and_no_avoidable_day_is_none(world, ask):
    # vk: days 5 and 6 of 5000 : 5 are worth exactly the line: net 0. blog: ends on day 4, before anybody could act…
    # with two good days (4, 5) day 5 is the only avoidable one; unknown there, so nothing is known of it.
    even = (5000, 5)
    facts(world, [BAD, BAD, BAD, BAD, even, even])
    facts(world, [BAD, BAD, BAD, GOOD, (U, 5), GOOD], channel=world.blog)

    body = ask(world.cmo, scope={}, to=day(6)).json()

    by_channel = {firing["channel"]: firing for firing in body["firings"]}
    assert (by_channel["vk"]["avoidable_days"], by_channel["vk"]["net_saved"], by_channel["vk"]["false_alarm"]) == (
        2, "0", True,
    )  # fmt: skip
    assert by_channel["blog"]["closed_on"] == day(6)
    assert (by_channel["blog"]["avoidable_days"], by_channel["blog"]["net_saved"]) == (1, "-2000")


def test_a_firing_whose_days_are_all_unknown_is_no_false_alarm(world, ask):
    facts(world, [BAD, BAD, BAD, GOOD, (U, 5), (U, 5)])

    firing = ask(world.cmo, to=day(6)).json()["firings"][0]

    assert (firing["avoidable_days"], firing["net_saved"], firing["false_alarm"]) == (0, "0", False)


def test_it_pauses_after_seven_days_without_anything(world, ask):
    facts(world, [BAD, BAD, BAD, BAD, BAD, *[(0, 0)] * 7, BAD])

    firing = ask(world.cmo).json()["firings"][0]

    assert (firing["closed_on"], firing["closed_as"]) == (day(12), "paused")
    assert (firing["avoidable_days"], firing["net_saved"]) == (8, "1000")


def test_days_before_the_first_warm_the_machine_up_and_are_not_counted(world, ask):
    facts(world, [BAD, BAD, BAD, BAD, GOOD, GOOD, BAD, BAD, BAD, BAD])

    later = ask(world.cmo, **{"from": day(9)}).json()
    assert [(firing["first_day"], firing["opened_on"]) for firing in later["firings"]] == [(day(7), day(9))]
    assert later["series"][0]["from"] == day(9)
    assert len(ask(world.cmo).json()["firings"]) == 2


def test_the_last_day_counts_as_far_as_it_is_settled_by_now(world, ask):
    last = NOW.date() - timedelta(days=1)
    facts(world, [BAD, BAD, BAD], first=last - timedelta(days=2))

    until = NOW.date().isoformat()
    assert ask(world.cmo, to=until).json()["firings"][0]["opened_on"] == last.isoformat()
    assert ask(world.cmo, to=until, settling_days=2).json()["firings"] == []


def test_without_days_the_last_twelve_months(world, ask):
    facts(world, [GOOD])

    body = ask(world.cmo, **{"from": "2026-10-01", "to": "2027-10-01"}).json()
    assert body["to"] == "2026-11-20"
    rule = {name: value for name, value in RULE.items() if name != "name"}
    body = ask(world.cmo, **rule).json()
    assert body["series"][0]["from"] == day(1)


def test_spend_since_the_last_conversion(world, ask):
    # 900 a day: 3600 ≥ 3 · 1000 on day 4, avoidable from day 6. Days 6 and 7: 900 each; day 8 brings a lead and ends it.
    facts(world, [(900, 0)] * 7 + [(900, 1), GOOD])

    firing = ask(world.cmo, window={"kind": "since_conversion", "k": "3"}).json()["firings"][0]

    assert (firing["opened_on"], firing["closed_on"], firing["avoidable_days"]) == (day(4), day(8), 3)
    assert (firing["avoidable_spend"], firing["conversions_forgone"], firing["net_saved"]) == ("2700", 1, "1700")
    assert (firing["saved"], firing["lost"]) == ("1800", "100")


def test_rules_that_are_no_costs_have_no_account(world, ask):
    for offset in range(6):
        DailyFact.objects.create(
            company=world.company, day=FIRST + timedelta(days=offset), channel=world.vk, source=world.ads, campaign_id=0,
            spend=500, revenue=1000, leads=40, qualified_leads=5, deals=4, load_id=1,
        )  # fmt: skip

    share = ask(world.cmo, kpi="drr", line="0.2").json()
    below = ask(world.cmo, kpi="aov", line="900").json()

    assert len(share["firings"]) == len(below["firings"]) == 1
    for body in (share, below):
        assert body["firings"][0]["false_alarm"] is None
        for name in ("avoidable_spend", "conversions_forgone", "net_saved", "saved", "lost"):
            assert body["firings"][0][name] is None
            assert body["totals"][name] is None
        assert body["totals"]["firings"] == 1
    assert share["series"][0]["values"][0] == "0.5"


def test_each_campaign_by_itself(world, ask):
    dear, cheap = (
        Campaign.objects.create(company=world.company, channel=world.vk, external_id=code, name=code, status="active")
        for code in ("dear", "cheap")
    )
    facts(world, [BAD] * 5, campaign=dear.pk)
    facts(world, [GOOD] * 5, campaign=cheap.pk)

    body = ask(world.cmo, scope={"channel": "vk", "per": "campaign"}, to=day(5)).json()

    assert [(firing["channel"], firing["campaign"]) for firing in body["firings"]] == [("vk", dear.pk)]
    assert {(row["campaign"], row["values"][0]) for row in body["series"]} == {(dear.pk, "1200"), (cheap.pk, "600")}


def test_mailings_are_tried_one_by_one(world, ask):
    crm = Channel.objects.create(
        company=world.company, code="mail", name="Письма", kind="crm", status="active", owner=world.content,
        coordinator=world.pm, result_kpi="unsubscribe_rate",
    )  # fmt: skip
    for number, unsubscribes in enumerate((4, 20)):
        letter = Campaign.objects.create(
            company=world.company,
            channel=crm,
            external_id=str(number),
            name=f"Письмо {number}",
            series="d",
            status="active",
        )
        DailyFact.objects.create(
            company=world.company, day=FIRST + timedelta(days=7 * number), channel=crm, source=world.ads,
            campaign_id=letter.pk, sends=1000, delivered=1000, unsubscribes=unsubscribes, load_id=1,
        )  # fmt: skip

    body = ask(
        world.cmo, kpi="unsubscribe_rate", line="0.008", window={"kind": "event"}, scope={"channel": "mail"},
        lines=["0.003"],
    ).json()  # fmt: skip

    assert [(firing["campaign"], firing["opened_on"]) for firing in body["firings"]] == [(letter.pk, day(8))]
    assert body["lines"][0]["firings"] == 2


def test_a_budget_is_tried_before_its_kpi_exists(world, ask):
    Channel.objects.filter(pk=world.vk.pk).update(monthly_budget=30_000)
    facts(world, [BAD] * 8)  # 6000 a day: 36 000 on day 6 is more than 1.1 · 30 000
    rule = {"kpi": None, "line": None, "window": {"kind": "budget"}, "lines": ["1", "1.3"]}

    body = ask(world.cmo, **{name: value for name, value in rule.items() if value}, line="1.1").json()

    assert [firing["opened_on"] for firing in body["firings"]] == [day(6)]
    assert [row["firings"] for row in body["lines"]] == [1, 1]
    assert body["series"][0]["values"][:2] == ["0.2", "0.4"]
    assert not KpiVersion.objects.filter(company=world.company, formula="spend").exists()


def test_a_scopes_own_tolerance_stands_at_every_line(world, ask):
    Channel.objects.filter(pk=world.vk.pk).update(monthly_budget=30_000, tolerance="0.5")
    facts(world, [BAD] * 9)  # 45 000 is 1.5 of it, so that 48 000 on day 8 is the first beyond

    body = ask(world.cmo, line="1.1", window={"kind": "budget"}, lines=["1", "3"]).json()

    assert [firing["opened_on"] for firing in body["firings"]] == [day(8)]
    assert [row["firings"] for row in body["lines"]] == [1, 1]


WINDOWS = [
    {"kind": "in_a_row", "n": 2},
    {"kind": "m_of_n", "n": 4, "m": 2},
    {"kind": "pooled", "n": 3},
    {"kind": "since_conversion", "k": "2"},
]


@pytest.mark.parametrize("window", WINDOWS, ids=lambda window: window["kind"])
def test_a_sweep_is_so_many_single_trials(world, ask, window):
    pairs = [((number * 7919) % 9 * 1000, (number * 104_729) % 7) for number in range(60)]
    facts(world, [(spend, None if number % 11 == 5 else leads) for number, (spend, leads) in enumerate(pairs)])
    lines = ["400", "900", "1000", "1300.5", "2500"]
    given = {"window": window, "to": day(45), "confirm_pooled_7d": window["kind"] == "m_of_n"}

    body = ask(world.cmo, lines=lines, **given).json()
    alone = [ask(world.cmo, line=line, **given).json()["totals"] for line in lines]

    assert [row.pop("line") for row in body["lines"]] == lines
    assert body["lines"] == alone
    assert body["lines"][2] == body["totals"]
    assert len({row["firings"] for row in alone}) > 1


def test_a_given_zero_line_stays_at_every_line(world, ask):
    facts(world, [(2500, 0)] * 4)  # below three times 1000, so it is thin; beyond a zero line of 2000

    swept = ask(world.cmo, lines=["700", "1000"]).json()["lines"]
    assert [row["firings"] for row in swept] == [1, 0]
    swept = ask(world.cmo, zero_line="2000", lines=["700", "1000"]).json()["lines"]
    assert [row["firings"] for row in swept] == [1, 1]


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"line": None}, "line", None),
        ({"kpi": "nonsense"}, "kpi", "unknown_kpi"),
        ({"scope": {"channel": "nonsense"}}, "scope.channel", "unknown_channel"),
        ({"window": {"kind": "in_a_row", "n": 0}}, "n", "out_of_range"),
        ({"window": {"kind": "since_conversion"}, "lines": ["5", "0"]}, "lines", "out_of_range"),
        ({"lines": ["5", "-1"]}, "lines", "out_of_range"),
        ({"lines": ["many"]}, "lines", "invalid"),
        ({"lines": ["1"] * 26}, "lines", "max_length"),
        ({"from": "2026-11-01", "to": "2026-10-01"}, "from", "out_of_range"),
        ({"from": "2020-01-01"}, "from", "out_of_range"),
        ({"from": "yesterday"}, "from", "invalid"),
    ],
)
def test_refused_as_creating_refuses(world, ask, changes, field, code):
    answer = ask(world.cmo, **changes)

    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    errors = answer.json()["errors"]
    assert field in [error["field"].split(".0")[0] for error in errors]
    if code:
        assert errors[0]["code"] == code


def test_no_line_at_all_is_refused(world, client, ask):
    answer = ask(world.cmo, line=None, kpi="cpa")
    assert [error["field"] for error in answer.json()["errors"]] == ["line"]


def test_nothing_is_written(world, ask):
    facts(world, [BAD] * 5)
    tables = (StopRule, StopRuleVersion, KpiVersion, AuditEvent)
    ask(world.cmo)
    before = [model.objects.count() for model in tables]

    for changes in ({}, {"window": {"kind": "budget"}, "line": "1.1"}, {"kpi": "nonsense"}):
        ask(world.cmo, **changes)

    tokens_made = 3
    assert [model.objects.count() for model in tables] == [*before[:3], before[3] + tokens_made]


def test_money_is_for_those_who_may_see_it_there(world, ask):
    facts(world, [BAD] * 5)

    assert ask(world.pm).status_code == 200
    assert ask(world.performance).status_code == 200
    refused = ask(world.content)
    assert (refused.status_code, refused.json()["code"]) == (403, "money_not_shown")
    assert "1200" not in refused.content.decode()
    assert ask(world.performance, scope={}).status_code == 403
    assert ask(world.content, kpi="lead_rate", line="0.01").status_code == 200
    assert ask(world.contractor).status_code == 403


def test_nothing_crosses(world, rival, ask):
    install_builtin_kpis(company=rival.company, at=NOW)
    rival.ads = Source.objects.create(company=rival.company, code="ads", name="Ads", kind="file")
    facts(rival, [(999_999, 1)] * 9)
    facts(world, [GOOD] * 3)
    foreign = Channel.objects.create(
        company=rival.company, code="only-rival", name="x", kind="paid", status="active", owner=rival.pm,
        coordinator=rival.pm, result_kpi="cpa",
    )  # fmt: skip

    assert ask(world.owner, slug="rival").status_code == 404
    assert ask(world.owner, scope={"channel": foreign.code}).json()["errors"][0]["code"] == "unknown_channel"
    body = ask(world.owner, scope={}, to=day(3)).json()
    assert body["firings"] == []
    assert [row["values"] for row in body["series"]] == [["600"] * 3]


def test_the_number_of_queries_does_not_grow(world, ask, django_assert_max_num_queries):
    for number in range(12):
        campaign = Campaign.objects.create(
            company=world.company, channel=world.vk, external_id=str(number), name=str(number), status="active"
        )
        facts(world, [BAD] * 6, campaign=campaign.pk)

    with django_assert_max_num_queries(20):
        body = ask(world.cmo, scope={"per": "campaign"}, lines=["900", "1100", "1200"]).json()
    assert body["totals"]["firings"] == 12
