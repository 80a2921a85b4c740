"""`/facts/` and `/imports/` over REST: all or nothing, every bad row by its index, sums per group, money only for who may see it."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile

from kpis.models import DailyFact, Evaluation, Import, Metric, Source
from kpis.services import import_runs
from roles import tokens
from roles.models import Campaign

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
MON, TUE = date(2026, 11, 16), date(2026, 11, 17)


@pytest.fixture(autouse=True)
def _friday():
    with time_machine.travel(NOW, tick=False):
        yield


def bearer(person, *scopes) -> dict:
    _token, secret = tokens.create_token(
        company=person.company, by=person, person=person, name="t", scopes=list(scopes or ("read", "facts:write")), at=NOW,
        lifetime=timedelta(days=9),
    )  # fmt: skip
    return {"HTTP_AUTHORIZATION": f"Bearer {secret}"}


def post(client, person, body, path="facts", slug="acme", scopes=("read", "facts:write"), **extra):
    return client.post(
        f"/api/v1/c/{slug}/{path}/",
        json.dumps(body),
        content_type="application/json",
        **bearer(person, *scopes),
        **extra,
    )


def row(day=MON, channel="vk", **values) -> dict:
    return {"channel": channel, "date": day.isoformat(), **values}


def body(*rows, source="crm") -> dict:
    return {"source": source, "facts": list(rows)}


def test_facts_are_written_and_the_same_body_again_changes_nothing(acme, client):
    sent = body(row(spend="1234.56", leads=5), row(TUE, campaign="ext-1", spend="10", leads=0.5))

    first = post(client, acme.analyst, sent)
    again = post(client, acme.analyst, sent)

    assert first.status_code == 200
    load = Import.objects.order_by("pk").first()
    assert first.json() == {"load": load.pk, "created": 2, "changed": 0, "unchanged": 0}
    assert again.json() | {"load": 0} == {"load": 0, "created": 0, "changed": 0, "unchanged": 2}
    assert DailyFact.objects.get(day=MON).spend == Decimal("1234.56")
    campaign = Campaign.objects.get(company=acme.company, external_id="ext-1")
    assert DailyFact.objects.get(day=TUE).campaign_id == campaign.pk
    assert Source.objects.get(company=acme.company, code="crm").kind == "api"
    assert (load.first_day, load.last_day, load.created_by) == (MON, TUE, acme.analyst)
    assert Evaluation.objects.get(company=acme.company).dirty_from == MON


def test_a_metric_left_out_keeps_its_value_and_null_clears_it(acme, client):
    post(client, acme.analyst, body(row(spend="10", leads=5), row(TUE, spend="20", leads=6)))

    answer = post(client, acme.analyst, body(row(leads=7), row(TUE, spend=None)))

    assert (answer.json()["changed"], answer.json()["created"]) == (2, 0)
    monday, tuesday = DailyFact.objects.order_by("day")
    assert (monday.spend, monday.leads) == (10, 7)
    assert (tuesday.spend, tuesday.leads) == (None, 6)


BAD_ROWS = {
    "unknown_channel": row(channel="nope", spend=1),
    "required": {"date": "2026-11-16", "spend": 1},
    "bad_date": {"channel": "vk", "date": "16.11.2026", "spend": 1},
    "too_old": {"channel": "vk", "date": "1999-12-31", "spend": 1},
    "future_date": row(date(2026, 11, 21), spend=1),
    "negative": row(spend="-0.01"),
    "nan": row(spend="NaN"),
    "too_large": row(spend="9200000000001"),
    "not_a_number": row(spend="1 234,5"),
    "unknown_field": row(cost=1),
    "not_an_object": [1],
    "not_text": row(campaign=5, spend=1),
    "name_too_long": row(campaign="x" * 121, spend=1),
}


@pytest.mark.parametrize(("code", "bad"), BAD_ROWS.items(), ids=BAD_ROWS)
def test_every_bad_row_is_named_by_its_index_and_nothing_is_written(acme, client, code, bad):
    answer = post(client, acme.analyst, body(row(TUE, spend=1), bad))

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert [(error["index"], error["code"]) for error in answer.json()["errors"]] == [(1, code)]
    assert answer.json()["errors"][0]["message"]
    assert not DailyFact.objects.exists()
    assert not Source.objects.exists()
    assert not Campaign.objects.exists()


def test_all_bad_rows_are_listed_at_once(acme, client):
    answer = post(client, acme.analyst, body(row(spend="NaN", leads=-1), row(TUE, spend=1), row(TUE, spend=2)))

    assert [(e["index"], e["field"], e["code"]) for e in answer.json()["errors"]] == [
        (0, "spend", "nan"), (0, "leads", "negative"), (2, "date", "repeated"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ['{"source": "crm", "facts": [{"channel": "vk", "date": "2026-11-16", "spend": NaN}]}', "[1]", "5", '"x"', "{}", "null",
     '{"source": 5, "facts": {}}', '{"source": "a b", "facts": []}', '{"source": "crm", "facts": [{"channel": ["vk"], "date": 5}]}',
     '{"source": "crm", "facts": [{"channel": "vk", "date": "2026-11-16", "spend": 1e400}]}',
     '{"source": "crm", "facts": [{"channel": "vk", "date": "2026-11-16", "spend": true}]}',
     '{"source": "crm", "facts": [{"channel": "vk", "date": "2026-11-16", "campaign": "\\u0000", "spend": 1}]}',
     '{"source": "crm", "facts": [{"channel": "vk", "date": "2026-11-16", "campaign": "\\ud800", "\\ud800": 1}]}'],
)  # fmt: skip
def test_hostile_bodies_are_refused_with_a_reason(acme, client, text):
    answer = client.post(
        "/api/v1/c/acme/facts/", text, content_type="application/json", **bearer(acme.analyst, "facts:write")
    )

    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert not DailyFact.objects.exists()


def test_revenue_and_gross_profit_may_be_negative(acme, client):
    assert post(client, acme.analyst, body(row(revenue="-5", gross_profit="-7.5"))).status_code == 200


def test_at_most_5000_rows_and_10_megabytes(acme, client):
    assert post(client, acme.analyst, body(*[row(spend=1)] * 5001)).status_code == 400
    big = client.post(
        "/api/v1/c/acme/facts/", "x" * (10 * 1024 * 1024 + 1), content_type="application/json",
        **bearer(acme.analyst, "facts:write"),
    )  # fmt: skip
    assert big.status_code == 413
    assert big.json()["status"] == 413


def test_only_those_who_enter_facts_with_the_scope(acme, rival, client):
    sent = body(row(spend=1))

    assert post(client, acme.cmo, sent).status_code == 403
    assert post(client, acme.analyst, sent, scopes=("read",)).status_code == 403
    assert post(client, rival.analyst, sent).status_code == 404
    assert client.post("/api/v1/c/acme/facts/", "{}", content_type="application/json").status_code == 401
    assert post(client, acme.owner, sent).status_code == 200


def test_the_same_idempotency_key_gives_one_effect(acme, client):
    first = post(client, acme.analyst, body(row(spend=1)), HTTP_IDEMPOTENCY_KEY="k1")
    headers = {"HTTP_AUTHORIZATION": first.wsgi_request.META["HTTP_AUTHORIZATION"], "HTTP_IDEMPOTENCY_KEY": "k1"}
    again = client.post(
        "/api/v1/c/acme/facts/", json.dumps(body(row(spend=1))), content_type="application/json", **headers
    )

    assert again.json() == first.json()
    assert Import.objects.count() == 1


# ---------------------------------------------------------------- reading
def get(client, person, query="", slug="acme"):
    return client.get(f"/api/v1/c/{slug}/facts/{query}", **bearer(person, "read"))


@pytest.fixture
def loaded(acme, rival, client):
    post(client, acme.analyst, body(row(spend="100", leads=5), row(TUE, spend="50.5"), row(channel="blog", leads=2.5)))
    post(
        client,
        acme.analyst,
        body(row(spend="999", leads=9, clicks=7), row(TUE, campaign="c-1", clicks=1), source="ads"),
    )
    Source.objects.filter(company=acme.company, code="crm").update(priority=1)
    post(client, rival.analyst, body(row(spend="999999", leads=999999)), slug="rival")
    return acme


def test_groups_take_the_source_with_priority_and_never_add_sources(loaded, client):
    answer = get(client, loaded.analyst, "?group_by=channel,day")

    rows = {(r["day"], r["channel"]): r for r in answer.json()["results"]}
    assert rows["2026-11-16", "vk"]["spend"] == "100"
    assert rows["2026-11-16", "vk"]["leads"] == 5
    assert rows["2026-11-16", "vk"]["clicks"] == 7
    assert rows["2026-11-16", "vk"]["revenue"] is None
    assert rows["2026-11-17", "vk"]["spend"] == "50.5"
    assert rows["2026-11-17", "vk"]["leads"] is None
    assert rows["2026-11-16", "blog"]["leads"] == 2.5
    assert len(rows) == 3


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?group_by=week", [{"week": "2026-W47", "spend": "150.5", "leads": 7.5, "clicks": 8}]),
        ("?group_by=month", [{"month": "2026-11", "spend": "150.5", "leads": 7.5, "clicks": 8}]),
        (
            "?group_by=source",
            [{"source": "ads", "spend": "999", "leads": 9, "clicks": 8}, {"source": "crm", "spend": "150.5", "leads": 7.5, "clicks": None}],
        ),
        (
            "?group_by=campaign&channel=vk",
            [{"campaign": None, "spend": "150.5", "leads": 5, "clicks": 7}, {"campaign": "c-1", "spend": None, "leads": None, "clicks": 1}],
        ),
        ("?group_by=campaign&campaign=c-1", [{"campaign": "c-1", "spend": None, "leads": None, "clicks": 1}]),
        ("?group_by=channel&from=2026-11-17&to=2026-11-17", [{"channel": "vk", "spend": "50.5", "leads": None, "clicks": 1}]),
        ("?group_by=channel&to=2020-01-01", []),
        ("?group_by=&channel=blog", [{"spend": None, "leads": 2.5, "clicks": None}]),
        ("?group_by=&kind=paid", [{"spend": "150.5", "leads": 5, "clicks": 8}]),
        ("?group_by=&kind=organic&channel=blog", [{"leads": 2.5}]),
        ("?group_by=&kind=paid&channel=blog", []),
        ("?group_by=&kind=partner", []),
    ],
)  # fmt: skip
def test_sums_per_group(loaded, client, query, expected):
    results = get(client, loaded.analyst, query).json()["results"]

    assert [{key: r.get(key) for key in wanted} for r, wanted in zip(results, expected, strict=True)] == expected


def test_money_is_left_out_for_who_may_not_see_it(loaded, client):
    own = get(client, loaded.performance, "?group_by=channel").json()["results"]
    rows = {r["channel"]: r for r in own}

    assert rows["vk"]["spend"] == "150.5"
    assert "spend" not in rows["blog"]
    assert "revenue" not in rows["blog"]
    assert rows["blog"]["leads"] == 2.5
    assert "spend" not in get(client, loaded.performance, "?group_by=month").json()["results"][0]
    assert get(client, loaded.contractor).status_code == 403


@pytest.mark.parametrize(
    "query", ["?group_by=nonsense", "?kind=nonsense", "?from=x", "?from=2026-11-20&to=2026-11-01", "?from=2001-01-01"]
)
def test_a_wrong_query_says_what_to_do(loaded, client, query):
    answer = get(client, loaded.analyst, query)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"]


def test_an_unknown_channel_is_404_and_strange_text_harms_nothing(loaded, client):
    assert get(client, loaded.analyst, "?channel=nope").status_code == 404
    assert get(client, loaded.analyst, "?channel=%00").status_code == 404
    assert get(client, loaded.analyst, "?campaign=%00%ff").json()["results"] == []


def test_groups_come_in_pages(loaded, client):
    first = get(client, loaded.analyst, "?page_size=2").json()
    second = client.get(first["next"], **bearer(loaded.analyst, "read")).json()

    assert (len(first["results"]), first["previous"]) == (2, None)
    assert (len(second["results"]), second["next"]) == (1, None)


def test_own_metrics_are_read_and_written_by_their_code(acme, client):
    Metric.objects.create(company=acme.company, code="calls", name_ru="Звонки", slot=2)

    post(client, acme.analyst, body(row(calls=3)))

    assert get(client, acme.analyst).json()["results"][0]["calls"] == 3


def test_reading_costs_the_same_for_3_and_30_rows(acme, client, django_assert_max_num_queries):
    post(client, acme.analyst, body(*[row(MON - timedelta(days=n), spend=1, leads=1) for n in range(30)]))
    headers = bearer(acme.analyst, "read")
    for query in ("?to=2026-11-16&from=2026-11-14", "?to=2026-11-16"):
        with django_assert_max_num_queries(9):
            client.get(f"/api/v1/c/acme/facts/{query}", **headers)


# ---------------------------------------------------------------- imports
CSV = "date,channel,spend\n2026-11-16,vk,100\n"


def send_file(client, person, content=CSV, source="ads", slug="acme", **extra):
    upload = SimpleUploadedFile("a.csv", content if isinstance(content, bytes) else content.encode())
    return client.post(
        f"/api/v1/c/{slug}/imports/",
        {"file": upload, "source": source} | extra,
        **bearer(person, "facts:write", "read"),
    )


def one(client, person, pk, slug="acme"):
    return client.get(f"/api/v1/c/{slug}/imports/{pk}/", **bearer(person, "read"))


def test_a_file_is_queued_run_and_undone(acme, client):
    answer = send_file(client, acme.analyst)
    assert answer.status_code == 202
    pk = answer.json()["id"]
    assert one(client, acme.analyst, pk).json()["state"] == "queued"

    import_runs.run_due_imports(company=acme.company, at=NOW)

    shown = one(client, acme.analyst, pk).json()
    assert (shown["state"], shown["created"], shown["source"], shown["first_day"]) == ("done", 1, "ads", "2026-11-16")
    undo = client.post(f"/api/v1/c/acme/imports/{pk}/undo/", **bearer(acme.analyst, "facts:write"))
    assert undo.json() == {"restored": 0, "removed": 1, "left": 0}
    again = client.post(f"/api/v1/c/acme/imports/{pk}/undo/", **bearer(acme.analyst, "facts:write"))
    assert again.status_code == 409
    assert not DailyFact.objects.exists()


def test_a_file_that_leaves_a_question_is_refused_until_the_request_answers_it(acme, client):
    content = CSV.replace("2026-11-16", "03/04/2026")

    refused = send_file(client, acme.analyst, content)
    taken = send_file(client, acme.analyst, content, order="dmy")

    assert (refused.status_code, refused.json()["code"]) == (400, "answers_needed")
    assert [error["field"] for error in refused.json()["errors"]] == ["order"]
    import_runs.run_due_imports(company=acme.company, at=NOW)
    assert one(client, acme.analyst, taken.json()["id"]).json()["first_day"] == "2026-04-03"


def test_errors_of_a_load_are_listed_by_row(acme, client):
    pk = send_file(client, acme.analyst, CSV + "2026-11-17,vk,NaN\n").json()["id"]

    import_runs.run_due_imports(company=acme.company, at=NOW)

    shown = one(client, acme.analyst, pk).json()
    assert shown["state"] == "failed"
    assert [(e["row"], e["field"], e["code"]) for e in shown["errors"]] == [(3, "spend", "nan")]
    assert "NaN" in shown["errors"][0]["message"]


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"\x89PNG", "picture"), (b"", "empty"), (CSV.replace("vk", "nope").encode(), "channel_not_chosen")],
)
def test_a_wrong_file_is_refused(acme, client, content, code):
    answer = send_file(client, acme.analyst, content)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == code
    assert not DailyFact.objects.exists()


def test_a_request_without_a_file_or_source_says_so(acme, client):
    headers = bearer(acme.analyst, "facts:write")

    assert client.post("/api/v1/c/acme/imports/", {"source": "ads"}, **headers).json()["errors"][0]["field"] == "file"
    assert client.post("/api/v1/c/acme/imports/", "[]", content_type="application/json", **headers).status_code == 400
    assert send_file(client, acme.analyst, source="a b").json()["errors"][0]["field"] == "source"
    assert send_file(client, acme.analyst, profile="nonsense").json()["errors"][0]["code"] == "unknown_profile"


def test_another_companys_load_is_as_missing(acme, rival, client):
    pk = send_file(client, rival.analyst, slug="rival").json()["id"]

    assert one(client, acme.analyst, pk).status_code == 404
    assert client.post(f"/api/v1/c/acme/imports/{pk}/undo/", **bearer(acme.analyst, "facts:write")).status_code == 404
    assert client.get("/api/v1/c/acme/imports/", **bearer(acme.analyst, "read")).json()["results"] == []
    assert send_file(client, acme.cmo).status_code == 403
