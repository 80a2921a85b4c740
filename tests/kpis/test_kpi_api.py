"""`/metrics/`, `/kpis/` and `/targets/`: paths, fields and codes that integrations rely on."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from kpis.api.figures import as_json, decimal_text
from kpis.catalogue import BUILT_IN_KPIS
from kpis.models import DailyFact, KpiVersion, Source, Target
from kpis.services.kpis import install_builtin_kpis, revise_kpi
from kpis.services.measures import define_metric
from kpis.services.targets import set_target
from roles.models import Channel

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
MON = date(2026, 11, 16)


@pytest.fixture(autouse=True)
def _friday():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def acme(acme):
    install_builtin_kpis(company=acme.company, at=NOW - timedelta(days=40))
    return acme


def api(person) -> APIClient:
    client = APIClient()
    client.force_authenticate(person.user)
    return client


def url(made, path: str) -> str:
    return f"/api/v1/c/{made.company.slug}/{path}"


def fact(made, channel, day, code="crm", **values):
    source, _new = Source.objects.get_or_create(
        company=made.company, code=code, defaults={"name": code, "kind": "file"}
    )
    DailyFact.objects.create(company=made.company, channel=channel, day=day, source=source, load_id=1, **values)


def errors(response) -> list[tuple[str, str]]:
    return [(error["field"], error["code"]) for error in response.json()["errors"]]


def test_figures_in_json():
    assert decimal_text(Decimal("1234.560000")) == "1234.56"
    assert decimal_text(Decimal(1) / 3) == "0.333333"
    assert decimal_text(Decimal("-0.0000001")) == "0"
    assert decimal_text(Decimal("1E+3")) == "1000"
    assert decimal_text(None) is None
    assert [as_json(Decimal(text), "count") for text in ("5", "2.5")] == [5, 2.5]


def test_metrics(acme):
    define_metric(company=acme.company, by=acme.analyst, at=NOW, code="calls", name_ru="Звонки")

    rows = api(acme.content).get(url(acme, "metrics/")).json()["results"]

    assert rows[0] == {"code": "spend", "name": "Расход", "unit": "money", "kind": "built_in"}
    assert rows[-1] == {"code": "calls", "name": "Звонки", "unit": "count", "kind": "own"}
    assert len(rows) == 14


def test_kpi_list_and_one(acme):
    rows = api(acme.content).get(url(acme, "kpis/")).json()["results"]

    assert [row["code"] for row in rows] == list(BUILT_IN_KPIS)
    assert {row["formula"] for row in rows} == {kpi.formula for kpi in BUILT_IN_KPIS.values()}
    one = api(acme.content).get(url(acme, "kpis/romi/"))
    assert one.json() == {
        "code": "romi", "name": "ROMI", "formula": "(gross_profit - spend) / spend", "better": "higher",
        "unit": "share", "parent": None, "built_in": True, "version": 1, "valid_from": "2026-10-11",
    }  # fmt: skip
    assert one.headers["ETag"] == '"1"'
    assert api(acme.content).get(url(acme, "kpis/nothing/")).status_code == 404


def test_create_and_revise_kpi(acme):
    body = {
        "code": "cpc",
        "name": "CPC",
        "formula": "spend / clicks",
        "better": "lower",
        "unit": "money",
        "parent": "cpl",
    }

    made = api(acme.analyst).post(url(acme, "kpis/"), body, format="json")
    changed = api(acme.cmo).patch(
        url(acme, "kpis/cpc/"), {"name": "Цена клика", "reason": "По-русски"}, format="json", HTTP_IF_MATCH='"1"'
    )

    assert (made.status_code, made.json()["parent"], made.json()["version"]) == (201, "cpl", 1)
    assert (changed.status_code, changed.json()["name"], changed.headers["ETag"]) == (200, "Цена клика", '"2"')
    version = KpiVersion.objects.get(company=acme.company, kpi__code="cpc", number=2)
    assert (version.reason, version.created_by, version.formula) == ("По-русски", acme.cmo, "spend / clicks")


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"formula": "spend / cpa"}, ("formula", "unknown_metric")),
        ({"formula": "spend / (clicks"}, ("formula", "unclosed")),
        ({"code": "cpa"}, ("code", "taken")),
        ({"better": "up"}, ("better", "invalid_choice")),
        ({"name": None}, ("name", "null")),
        ({"parent": "nope"}, ("parent", "unknown")),
    ],
)
def test_create_kpi_refuses(acme, body, wrong):
    good = {"code": "cpc", "name": "CPC", "formula": "spend / clicks", "better": "lower", "unit": "money"}

    response = api(acme.analyst).post(url(acme, "kpis/"), good | body, format="json")

    assert (response.status_code, errors(response)) == (400, [wrong])
    assert response["Content-Type"] == "application/problem+json"


def test_revise_kpi_refuses(acme):
    patch = api(acme.cmo).patch

    no_reason = patch(url(acme, "kpis/cpa/"), {"better": "higher"}, format="json")
    stale = patch(url(acme, "kpis/cpa/"), {"better": "higher", "reason": "x"}, format="json", HTTP_IF_MATCH='"7"')

    assert (no_reason.status_code, errors(no_reason)) == (400, [("reason", "required")])
    assert stale.status_code == 412
    for person in (acme.pm, acme.performance):
        assert api(person).patch(url(acme, "kpis/cpa/"), {"better": "higher"}, format="json").status_code == 403
    assert api(acme.contractor).get(url(acme, "kpis/")).status_code == 403


def test_strangers_see_nothing(acme, rival):
    for path in ("metrics/", "kpis/", "kpis/cpa/", "kpis/cpa/values/", "targets/"):
        assert api(rival.owner).get(url(acme, path)).status_code == 404


def test_values_are_ratios_of_sums(acme, rival):
    fact(acme, acme.vk, MON, spend="1000.50", qualified_leads=1)
    fact(acme, acme.vk, MON + timedelta(days=1), spend="1000", qualified_leads=9)
    fact(acme, acme.vk, MON + timedelta(days=2), spend=5000)
    fact(acme, acme.blog, MON, qualified_leads=10, spend=0)
    fact(rival, rival.vk, MON, spend=999_999, qualified_leads=1)

    def values(**query):
        return (
            api(acme.analyst)
            .get(url(acme, "kpis/cpa/values/"), {"from": "2026-11-16", "to": "2026-11-18"} | query)
            .json()
        )

    assert values(grain="day", channel="vk") == [
        {"period": "2026-11-16", "scope": "vk", "value": "1000.5", "numerator": "1000.5", "denominator": 1, "left_out": 0},
        {"period": "2026-11-17", "scope": "vk", "value": "111.111111", "numerator": "1000", "denominator": 9, "left_out": 0},
        {"period": "2026-11-18", "scope": "vk", "value": None, "numerator": None, "denominator": None, "left_out": 1},
    ]  # fmt: skip
    whole = {"scope": "company", "value": "100.025", "numerator": "2000.5", "denominator": 20, "left_out": 1}
    assert values(grain="week") == [{"period": "2026-W47", **whole}]
    assert values(grain="month") == [{"period": "2026-11", **whole}]
    assert values(grain="total") == [{"period": "2026-11-16/2026-11-18", **whole}]


def test_past_keeps_the_formula_it_was_judged_by(acme):
    for day in (MON - timedelta(days=7), MON):
        fact(acme, acme.vk, day, spend=100, revenue=500)
    kpi = KpiVersion.objects.get(company=acme.company, kpi__code="roas").kpi
    revise_kpi(
        company=acme.company, by=acme.cmo, at=datetime(2026, 11, 16, 9, 0, tzinfo=UTC), kpi=kpi, reason="Минус расход",
        formula="(revenue - spend) / spend",
    )  # fmt: skip

    rows = api(acme.cmo).get(
        url(acme, "kpis/roas/values/"), {"from": "2026-11-09", "to": "2026-11-20", "grain": "week"}
    )

    assert [row["value"] for row in rows.json()] == ["5", "4"]


def test_money_is_for_those_who_may_see_it(acme):
    get = api(acme.performance).get

    assert get(url(acme, "kpis/cpa/values/"), {"channel": "vk"}).status_code == 200
    assert get(url(acme, "kpis/cpa/values/"), {"channel": "blog"}).status_code == 403
    assert get(url(acme, "kpis/romi/values/")).status_code == 403
    assert get(url(acme, "kpis/lead_rate/values/")).status_code == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"grain": "hour"}, "grain"),
        ({"channel": "nope"}, "channel"),
        ({"from": "20.11.2026"}, "from"),
        ({"from": "2026-11-20", "to": "2026-11-01"}, "from"),
        ({"from": "1999-01-01", "to": "2026-11-01"}, "from"),
    ],
)
def test_wrong_question_is_answered_with_a_sentence(acme, query, field):
    response = api(acme.cmo).get(url(acme, "kpis/cpa/values/"), query)

    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_targets_are_set_and_listed(acme):
    body = {"kpi": "cpa", "scope": "vk", "period": "2026-11", "value": "3500.00", "reason": "План года"}
    post = api(acme.analyst).post

    made = post(url(acme, "targets/"), body, format="json")
    with time_machine.travel(NOW + timedelta(minutes=1)):
        same = post(url(acme, "targets/"), body, format="json")
    post(url(acme, "targets/"), {"kpi": "leads", "period": "2026-11-15", "value": 300, "reason": "План"}, format="json")

    assert made.status_code == 201
    assert made.json() == {
        "id": made.json()["id"], "kpi": "cpa", "scope": "vk", "period": "2026-11", "value": "3500",
        "valid_from": "2026-11-20", "reason": "План года", "version": 1,
    }  # fmt: skip
    assert (same.status_code, same.json()) == (200, made.json())
    rows = api(acme.pm).get(url(acme, "targets/")).json()["results"]
    assert [(row["kpi"], row["scope"], row["value"]) for row in rows] == [
        ("cpa", "vk", "3500"),
        ("leads", "company", 300),
    ]
    for query, found in (
        ({"kpi": "leads"}, 1),
        ({"scope": "vk"}, 1),
        ({"scope": "company"}, 1),
        ({"period": "2026-10"}, 0),
    ):
        assert len(api(acme.pm).get(url(acme, "targets/"), query).json()["results"]) == found


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"kpi": "nope"}, ("kpi", "unknown")),
        ({"scope": "nope"}, ("scope", "unknown_channel")),
        ({"period": "ноябрь"}, ("period", "invalid")),
        ({"value": "NaN"}, ("value", "invalid")),
        ({"value": None}, ("value", "null")),
        ({"value": True}, ("value", "invalid")),
        ({"value": "-5"}, ("value", "negative")),
        ({"reason": ""}, ("reason", "required")),
    ],
)
def test_bad_target_is_refused(acme, body, wrong):
    good = {"kpi": "leads", "scope": "vk", "period": "2026-11", "value": 300, "reason": "План"}

    response = api(acme.analyst).post(url(acme, "targets/"), good | body, format="json")

    assert (response.status_code, errors(response)) == (400, [wrong])
    assert not Target.objects.exists()


def test_targets_of_money_are_listed_for_own_channels_only(acme):
    for measure, channel in (
        ("spend", acme.vk),
        ("spend", acme.blog),
        ("spend", None),
        ("leads", acme.blog),
        ("romi", None),
    ):
        set_target(
            company=acme.company,
            by=acme.cmo,
            at=NOW,
            measure=measure,
            channel=channel,
            month=MON,
            value=5,
            reason="План",
        )

    def seen(person):
        return [(row["kpi"], row["scope"]) for row in api(person).get(url(acme, "targets/")).json()["results"]]

    assert seen(acme.performance) == [("spend", "vk"), ("leads", "blog")]
    assert len(seen(acme.pm)) == 5
    forbidden = api(acme.performance).post(
        url(acme, "targets/"), {"kpi": "leads", "period": "2026-11", "value": 1, "reason": "x"}, format="json"
    )
    assert forbidden.status_code == 403


def test_reads_cost_the_same_for_many_rows(acme):
    def queries() -> list[int]:
        found = []
        for path in ("targets/", "kpis/", "kpis/cpl/values/?grain=week"):
            with CaptureQueriesContext(connection) as captured:
                assert api(acme.cmo).get(url(acme, path)).status_code == 200
            found.append(len(captured))
        return found

    def fill(first, last):
        for number in range(first, last):
            channel = Channel.objects.create(company=acme.company, code=f"c{number}", name=f"C{number}", kind="paid")
            fact(acme, channel, MON, spend=10, leads=1)
            set_target(
                company=acme.company,
                by=acme.cmo,
                at=NOW,
                measure="leads",
                channel=channel,
                month=MON,
                value=5,
                reason="П",
            )

    fill(0, 3)
    few = queries()
    fill(3, 30)

    assert queries() == few
