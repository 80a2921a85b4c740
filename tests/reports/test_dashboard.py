"""The owner's page, its file, its API and its daily record; figures by hand, rival absurd."""

import csv
import io
import json
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from reports import csvfile
from reports.documents import dashboard_document
from reports.models import DashboardSnapshot, WeeklyReport
from reports.selectors.dashboard import dashboard, kept_week
from reports.services.snapshots import build_snapshot
from reports.spans import read_span
from roles.models import AuditEvent, Channel

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
TODAY = date(2026, 11, 20)
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 19)
ABSURD = re.compile(r"999\D{0,7}999")


@pytest.fixture(autouse=True)
def _friday():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def november(lab, acme, rival_lab):
    """VK earns 2 000 a day, the blog loses 100; plans only for VK: 2 500 a day."""
    lab.facts(
        acme.vk, FIRST, LAST, spend=1000, gross_profit=3000, revenue=9000, leads=10, qualified_leads=6, deals=3,
        new_customers=2, visits=400,
    )  # fmt: skip
    lab.facts(
        acme.blog, FIRST, LAST, spend=500, gross_profit=400, revenue=800, leads=2, qualified_leads=1, deals=1,
        new_customers=0, visits=100,
    )  # fmt: skip
    lab.target("gross_profit", 105_000, acme.vk)
    lab.target("spend", 30_000, acme.vk)
    return lab


def page_of(lab, **asked):
    return dashboard(company=lab.company, span=read_span(asked, TODAY), at=NOW)


def text_of(response) -> str:
    """The text of a page with plain spaces."""
    words = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", words.replace("\u00a0", " "))


def add_channels(lab, made, first: int, count: int) -> None:
    channels = Channel.objects.bulk_create(
        Channel(
            company=lab.company, code=f"c{n}", name=f"Канал {n}", kind=list(Channel.Kind)[n % 7], status="active",
            owner=made.performance, coordinator=made.pm,
        )
        for n in range(first, first + count)
    )  # fmt: skip
    for channel in channels:
        lab.facts(channel, LAST - timedelta(days=3), LAST, spend=10, gross_profit=30, leads=1)


def test_channels_stand_by_kind_with_figures_and_totals(november, acme):
    extra = Channel.objects.create(
        company=acme.company,
        code="avito",
        name="Авито",
        kind="paid",
        status="active",
        owner=acme.performance,
        position=1,
    )
    november.facts(extra, FIRST, LAST, spend=100, gross_profit=200, leads=1)

    page = page_of(november)

    assert [(group.kind, [row.channel.code for row in group.rows]) for group in page.groups] == [
        ("paid", ["avito", "vk"]), ("organic", ["blog"]),
    ]  # fmt: skip
    paid, organic = page.groups
    vk = next(row for row in paid.rows if row.channel.code == "vk")
    assert (vk.earned, vk.romi, vk.plan) == (38_000, 2, 47_500)  # (105 000 − 30 000) × 19 / 30
    assert (vk.kpis["cpl"], vk.kpis["cac"]) == (100, 500)
    assert (paid.total.earned, paid.total.metrics["leads"]) == (39_900, 209)
    assert paid.total.plan is None  # Авито has no plan: a sum of a part would lie
    assert organic.total is None
    assert organic.rows[0].kpis["cac"] is None  # no new customer: not zero
    assert organic.rows[0].is_loss
    assert page.total.earned == 38_000
    assert page.total.plan == 47_500


def test_a_channel_that_neither_runs_nor_has_figures_is_left_out(november, acme):
    Channel.objects.create(company=acme.company, code="later", name="Потом", kind="pr", status="planned")

    codes = [row.channel.code for group in page_of(november).groups for row in group.rows]

    assert codes == ["vk", "blog"]


def test_a_silent_channel_is_never_in_order(november, acme):
    november.facts(acme.blog, date(2026, 11, 14), LAST, **dict.fromkeys(
        ("spend", "gross_profit", "revenue", "leads", "qualified_leads", "deals", "new_customers", "visits")
    ))  # fmt: skip

    rows = {row.channel.code: row for group in page_of(november).groups for row in group.rows}

    assert (rows["blog"].state.code, rows["blog"].state.mark) == ("no_data", "none")
    assert rows["vk"].state.code == "unruled"


def test_a_stopped_channel_says_so(november, acme):
    Channel.objects.filter(pk=acme.vk.pk).update(status="stopped")

    rows = {row.channel.code: row for group in page_of(november).groups for row in group.rows}

    assert (rows["vk"].state.code, rows["vk"].state.mark) == ("stopped", "pause")


def test_owner_reads_the_story_of_the_month(november, acme, sign_in):
    response = sign_in(acme.owner).get("/c/acme/reports/dashboard/")

    text = text_of(response)
    assert response.status_code == 200
    assert "В ноябре заработали 36 100 ₽ с ROMI 127 %" in text
    assert "Валовая прибыль 64 600 ₽ минус расходы на маркетинг 28 500 ₽" in text
    assert "дни 1–19 из 30" in text
    assert not ABSURD.search(text)
    page = response.content.decode()
    assert (
        f"{reverse('kpis:fact-list', args=['acme'])}?metric=gross_profit&amp;from=2026-11-01&amp;to=2026-11-19" in page
    )
    assert "kpi=romi&amp;channel=vk&amp;from=2026-11-01&amp;to=2026-11-19" in page
    assert " style=" not in page


def test_the_page_speaks_english(november, acme, sign_in):
    acme.owner.user.language = "en"
    acme.owner.user.save()

    text = text_of(sign_in(acme.owner).get("/c/acme/reports/dashboard/"))

    assert "In November we earned 36,100 ₽ with a ROMI of 127%" in text


def test_a_loss_is_called_a_loss(lab, acme, sign_in):
    lab.facts(acme.vk, FIRST, LAST, spend=1000, gross_profit=600)

    assert "В ноябре потеряли 7 600 ₽" in text_of(sign_in(acme.owner).get("/c/acme/reports/dashboard/"))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("period=week", "За неделю 47 заработали 7 600 ₽"), ("period=quarter", "В 4-м квартале заработали 36 100 ₽"),
        ("period=year", "В 2026 году заработали 36 100 ₽"), ("month=2026-11", "В ноябре заработали"),
        ("month=2026-10", "В октябре 2026: сколько заработали, пока неизвестно"),
    ],
)  # fmt: skip
def test_other_spans(november, acme, sign_in, asked, words):
    assert words in text_of(sign_in(acme.owner).get(f"/c/acme/reports/dashboard/?{asked}"))


@pytest.mark.parametrize("asked", ["month=2027-01", "month=x", "period=decade", "week=2026-W60"])
def test_what_is_no_span_is_not_found(november, acme, sign_in, asked):
    assert sign_in(acme.owner).get(f"/c/acme/reports/dashboard/?{asked}").status_code == 404


def test_an_empty_company_gets_the_first_steps(acme, rival_lab, sign_in):
    response = sign_in(acme.owner).get("/c/acme/reports/dashboard/")

    text = text_of(response)
    assert "Цифр пока нет" in text
    assert "Загрузите цифры" in text
    assert "заработали" not in text


@pytest.mark.parametrize(
    ("who", "status"),
    [("owner", 200), ("cmo", 200), ("pm", 200), ("analyst", 200), ("performance", 403), ("contractor", 403)],
)
def test_who_sees_the_money_of_the_company(november, acme, sign_in, who, status):
    browser = sign_in(getattr(acme, who))

    assert browser.get("/c/acme/reports/dashboard/").status_code == status
    assert browser.get("/c/acme/reports/dashboard/channels.csv").status_code == status
    assert browser.get("/api/v1/c/acme/dashboard/").status_code == status


def test_strangers_get_404(november, rival, sign_in):
    for path in ("/c/acme/reports/dashboard/", "/c/acme/reports/dashboard/channels.csv", "/api/v1/c/acme/dashboard/"):
        assert sign_in(rival.owner).get(path).status_code == 404


def test_the_same_queries_for_three_and_thirty_channels(november, acme, sign_in):
    browser = sign_in(acme.owner)
    counts = []
    for first, count in ((0, 1), (1, 27)):
        add_channels(november, acme, first, count)
        browser.get("/c/acme/reports/dashboard/")
        with CaptureQueriesContext(connection) as queries:
            assert browser.get("/c/acme/reports/dashboard/").status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1]
    assert counts[0] <= 25


def test_week_is_kept_by_channel_with_the_rate_of_twelve_weeks(november, acme):
    def report(channel, week, **fields):
        at = datetime.combine(week, datetime.min.time(), tzinfo=UTC)
        return WeeklyReport.objects.create(
            company=acme.company, channel=channel, week=week, plan_due_at=at + timedelta(hours=9),
            fact_opens_at=at + timedelta(days=4, hours=9), fact_due_at=at + timedelta(days=4, hours=15),
            locks_at=at + timedelta(days=7, hours=9), **fields,
        )  # fmt: skip

    monday = date(2026, 11, 16)
    report(acme.vk, monday)
    report(acme.vk, monday - timedelta(weeks=1), plan_timeliness="on_time", timeliness="late")
    report(acme.vk, monday - timedelta(weeks=12), plan_timeliness="on_time", timeliness="on_time")
    report(acme.vk, monday - timedelta(weeks=13), plan_timeliness="missed", timeliness="missed")

    week = kept_week(company=acme.company, at=NOW)

    assert [(row.report.channel.code, row.rate) for row in week.rows] == [("vk", Decimal("0.75"))]
    assert week.rate == Decimal("0.75")
    assert kept_week(company=acme.company, at=NOW + timedelta(weeks=3)) is None


def test_csv_in_both_notations_never_runs_a_formula(november, acme, sign_in):
    Channel.objects.filter(pk=acme.vk.pk).update(name='=HYPERLINK("http://evil","VK")')
    Channel.objects.filter(pk=acme.blog.pk).update(name="  @SUM(A1)")

    response = sign_in(acme.owner).get("/c/acme/reports/dashboard/channels.csv?month=2026-11")

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="mops-acme-2026-11.csv"' in response["Content-Disposition"]
    body = response.content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(body), delimiter=";"))
    assert rows[1][0] == '\'=HYPERLINK("http://evil","VK")'
    assert rows[2][0] == "'  @SUM(A1)"
    assert rows[2][9] == "-1900"  # a negative number stays a number
    assert rows[2][10] == "-0,2"
    assert rows[-1][9] == "36100"
    assert rows[2][6] == ""  # unknown CAC is empty, not zero
    assert not ABSURD.search(body)
    with translation.override("en"):
        assert csvfile.number(Decimal("-0.2")) == "-0.2"


@pytest.mark.parametrize("word", ["=1+1", "+7", "-3", "@x", "\t=1", "\r=1", " =1", "|calc", "%0"])
def test_dangerous_text_is_kept_as_text(word):
    assert csvfile.text(word) == f"'{word}"


def test_api_gives_what_the_page_shows(november, acme, sign_in):
    response = sign_in(acme.owner).get("/api/v1/c/acme/dashboard/?month=2026-11")

    body = response.json()
    assert response.status_code == 200
    assert (body["period"], body["from"], body["to"]) == ("2026-11", "2026-11-01", "2026-11-19")
    assert (body["earned"], body["romi"], body["plan"]) == ("36100", "1.266667", "47500")
    assert body["year_before"] is None
    vk = next(row for row in body["channels"] if row["code"] == "vk")
    assert (vk["kind"], vk["status"], vk["earned"], vk["romi"], vk["plan"]) == ("paid", "active", "38000", "2", "47500")
    assert vk["metrics"]["spend"] == "19000"
    assert vk["metrics"]["leads"] == 190
    figures = {row["kpi"]: row for row in body["figures"]}
    assert (figures["revenue"]["value"], figures["revenue"]["plan"]) == ("186200", None)
    assert figures["spend"]["forecast"] == "45000"
    assert [stage["metric"] for stage in body["funnel"]] == ["visits", "leads", "qualified_leads", "deals"]
    assert [(row["source"], row["state"]) for row in body["freshness"]] == [("crm", "fresh")]
    assert not ABSURD.search(json.dumps(body))


def test_api_says_what_a_period_looks_like(november, acme, sign_in):
    response = sign_in(acme.owner).get("/api/v1/c/acme/dashboard/?month=november")

    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "month"


def test_snapshot_is_kept_once_a_day_and_does_not_change(november, acme):
    first = build_snapshot(company=acme.company, day=TODAY, at=NOW)
    november.facts(acme.vk, FIRST, LAST, gross_profit=9000)
    second = build_snapshot(company=acme.company, day=TODAY, at=NOW + timedelta(hours=5))

    assert second.pk == first.pk
    kept = DashboardSnapshot.objects.get(company=acme.company)
    assert kept.data["earned"] == "36100"
    assert kept.data == json.loads(json.dumps(kept.data))
    assert AuditEvent.objects.filter(company=acme.company, verb="build_snapshot").count() == 1
    assert build_snapshot(company=acme.company, day=TODAY + timedelta(days=1), at=NOW).data["earned"] != "36100"


def test_document_of_an_empty_company_has_no_figures_but_all_its_parts(lab):
    page = dashboard(company=lab.company, span=read_span({}, TODAY), at=NOW)

    document = dashboard_document(page, [])

    assert document["earned"] is None
    assert document["funnel"] == []
    assert document["discipline"] is None
    assert [row["earned"] for row in document["channels"]] == [None, None]
