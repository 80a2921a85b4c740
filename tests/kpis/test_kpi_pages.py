"""Screens of KPIs, plans and provenance: what stands on them, for whom, and what is refused."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kpis import facts
from kpis.facts import FactRow
from kpis.models import Import, Kpi, KpiVersion, Metric, Source, Target
from kpis.selectors.measures import funnel_of
from kpis.services.kpis import create_kpi, install_builtin_kpis
from kpis.services.targets import set_target
from roles.models import Campaign, Channel
from tests.conftest import shown

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
MON = date(2026, 11, 16)
NBSP = "\u00a0"


@pytest.fixture(autouse=True)
def _friday():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def acme(acme):
    install_builtin_kpis(company=acme.company, at=NOW - timedelta(days=40))
    return acme


def load(made, code, rows, by=None, filename=""):
    source, _new = Source.objects.get_or_create(
        company=made.company,
        code=code,
        defaults={"name": code.upper(), "kind": "file", "priority": 50 if code == "crm" else 100},
    )
    one = Import.objects.create(
        company=made.company,
        source=source,
        state="done",
        sha256="0" * 64,
        created_at=NOW,
        created_by=by,
        filename=filename,
    )
    codes = tuple(sorted({code for row in rows for code in row.values}))
    facts.record(company=made.company, load=one, rows=rows, metrics=codes)
    return one


def row(channel, day=MON, campaign=0, **values):
    return FactRow(channel.pk, campaign, day, values)


def plan(made, measure, value, channel=None):
    set_target(
        company=made.company,
        by=made.cmo,
        at=NOW,
        measure=measure,
        channel=channel,
        month=MON,
        value=value,
        reason="План года",
    )


def page(browser, path, **query):
    response = browser.get(f"/c/acme/{path}", query)
    return response, response.content.decode().replace(NBSP, " ")


def test_kpi_list_shows_fact_plan_and_formula(acme, rival, sign_in):
    load(
        acme,
        "crm",
        [row(acme.vk, spend=7000, qualified_leads=2, leads=4), row(acme.blog, spend=500, qualified_leads=1)],
    )
    load(rival, "crm", [row(rival.vk, spend=999_999, qualified_leads=1)])
    plan(acme, "cpa", 2000)

    response, text = page(sign_in(acme.cmo), "kpis/")

    assert response.status_code == 200
    assert "Расход / заявки" in text
    assert "2 500 ₽" in text
    assert "2 000 ₽" in text
    assert "(Валовая прибыль − расход) / расход" in text
    assert "999" not in shown(text)
    assert "Визиты → Лиды → Заявки" in text


def test_money_is_hidden_from_who_may_not_see_it(acme, sign_in):
    load(
        acme,
        "crm",
        [row(acme.vk, spend=7000, qualified_leads=2, leads=4), row(acme.blog, spend=500, qualified_leads=1)],
    )

    _response, text = page(sign_in(acme.performance), "kpis/")
    _response, one = page(sign_in(acme.performance), "kpis/cpa/")

    assert "2 500 ₽" not in text
    assert "50 %" in text  # leads become qualified: no money in it
    assert "3 500 ₽" in one  # own channel
    assert "500 ₽</a>" not in one.replace("3 500 ₽", "")


def test_kpi_detail_shows_versions_with_reasons(acme, sign_in):
    browser = sign_in(acme.analyst)
    form = {
        "name_ru": "CAC", "name_en": "CAC", "formula": "(spend + 0.5 * spend) / new_customers", "better": "lower", "unit": "money",
        "parent": "romi", "reason": "Считаем зарплату команды", "expected": "1",
    }  # fmt: skip

    response = browser.post("/c/acme/kpis/cac/edit/", form)
    _response, text = page(browser, "kpis/cac/")

    assert response.status_code == 302
    assert "Считаем зарплату команды" in text
    assert "Расход / новые клиенты" in text
    assert KpiVersion.objects.filter(company=acme.company, kpi__code="cac").count() == 2


def test_stale_and_wrong_kpi_forms_are_shown_again(acme, sign_in):
    browser = sign_in(acme.analyst)
    form = {
        "name_ru": "CAC", "formula": "spend / новые", "better": "lower", "unit": "money", "parent": "", "reason": "x", "expected": "1",
    }  # fmt: skip

    wrong = browser.post("/c/acme/kpis/cac/edit/", form)
    stale = browser.post("/c/acme/kpis/cac/edit/", form | {"formula": "spend / deals", "expected": "9"})
    no_reason = browser.post("/c/acme/kpis/cac/edit/", form | {"formula": "spend / deals", "reason": ""})

    assert (wrong.status_code, stale.status_code, no_reason.status_code) == (400, 412, 400)
    assert "spend / новые" in wrong.content.decode()
    assert "Знак 9" in wrong.content.decode()
    assert KpiVersion.objects.filter(company=acme.company, kpi__code="cac").count() == 1


def test_kpi_is_created(acme, sign_in):
    form = {
        "code": "cpc", "name_ru": "Цена клика", "name_en": "", "formula": "spend / clicks", "better": "lower", "unit": "money",
        "parent": "cpl", "reason": "Покупаем клики",
    }  # fmt: skip

    response = sign_in(acme.cmo).post("/c/acme/kpis/new/", form)

    assert response.url == "/c/acme/kpis/cpc/"
    assert Kpi.objects.filter(company=acme.company, code="cpc").exists()
    again = sign_in(acme.cmo).post("/c/acme/kpis/new/", form)
    assert again.status_code == 400
    assert sign_in(acme.pm).post("/c/acme/kpis/new/", form).status_code == 403


def test_own_metric_and_funnel(acme, sign_in):
    browser = sign_in(acme.analyst)

    made = browser.post(
        "/c/acme/metrics/new/",
        {"code": "calls", "name_ru": "Звонки", "name_en": "", "unit": "count", "settling_days": "2"},
    )
    stages = {"stage_1": "visits", "stage_2": "calls", "stage_3": "deals", "reason": "Звонки важнее"}
    changed = browser.post("/c/acme/funnel/edit/", stages)
    twice = browser.post("/c/acme/funnel/edit/", stages | {"stage_3": "calls"})

    assert (made.status_code, changed.status_code, twice.status_code) == (302, 302, 400)
    assert Metric.objects.get(company=acme.company).settling_days == 2
    assert funnel_of(company=acme.company) == ["visits", "calls", "deals"]


def test_target_table_and_form(acme, sign_in):
    plan(acme, "leads", 200, acme.vk)
    plan(acme, "leads", 100, acme.blog)
    browser = sign_in(acme.cmo)

    _response, text = page(browser, "targets/", year="2026")
    shown = browser.get("/c/acme/targets/set/", {"kpi": "romi", "channel": "vk", "month": "2026-11"})
    saved = browser.post("/c/acme/targets/set/?kpi=romi&channel=vk&month=2026-11", {"value": "12,5", "reason": "План"})

    assert 'class="num nowrap quiet"' in text  # the company's own: added up
    assert ">300<" in text
    assert shown.status_code == 200
    assert saved.url == "/c/acme/targets/?year=2026"
    target = Target.objects.get(company=acme.company, measure="romi")
    assert (str(target.value), target.channel, target.created_by) == ("0.125", acme.vk, acme.cmo)


def test_plan_for_some_months_in_a_row(acme, sign_in):
    where = "/c/acme/targets/set/?kpi=spend&channel=vk&month=2026-11"

    sign_in(acme.cmo).post(where, {"value": "930 000,50", "months": "3", "reason": "План"})

    found = Target.objects.filter(company=acme.company).values_list("month", "value")
    assert [(f"{month:%Y-%m}", str(value)) for month, value in found] == [
        (month, "930000.5") for month in ("2026-11", "2026-12", "2027-01")
    ]


def test_target_form_refuses(acme, rival, sign_in):
    browser = sign_in(acme.cmo)
    where = "/c/acme/targets/set/?kpi=leads&channel=&month=2026-11"

    assert browser.post(where, {"value": "много", "reason": "План"}).status_code == 400
    assert browser.post(where, {"value": "-1", "reason": "План"}).status_code == 400
    assert browser.post(where, {"value": "10", "reason": ""}).status_code == 400
    assert browser.get("/c/acme/targets/set/?kpi=nope&channel=&month=2026-11").status_code == 404
    assert browser.get("/c/acme/targets/set/?kpi=leads&channel=nope&month=2026-11").status_code == 404
    assert browser.get("/c/acme/targets/set/?kpi=leads&channel=&month=11").status_code == 400
    assert browser.get("/c/acme/targets/set/").status_code == 200
    assert sign_in(acme.pm).post(where, {"value": "10", "reason": "План"}).status_code == 403
    assert not Target.objects.exists()


def test_plans_of_money_are_shown_for_own_channels(acme, sign_in):
    plan(acme, "spend", 111_000, acme.vk)
    plan(acme, "spend", 222_000, acme.blog)

    _response, text = page(sign_in(acme.performance), "targets/")

    assert "111 000" in text
    assert "222 000" not in text
    assert "333 000" not in text


def test_figure_opens_to_its_facts(acme, rival, sign_in):
    part = Campaign.objects.create(company=acme.company, channel=acme.vk, external_id="a", name="Лид-форма")
    load(
        acme,
        "ads",
        [row(acme.vk, spend=7000), row(acme.vk, campaign=part.pk, leads=90)],
        by=acme.analyst,
        filename="ads.csv",
    )
    load(acme, "crm", [row(acme.vk, leads=4), row(acme.vk, MON + timedelta(days=1), leads=6)])
    load(acme, "crm", [row(acme.vk, leads=5)], by=acme.analyst)
    load(rival, "crm", [row(rival.vk, spend=999_999, leads=1)])

    response, text = page(sign_in(acme.cmo), "facts/", kpi="cpl", channel="vk")

    assert response.status_code == 200
    assert "<h1>CPL, VK Реклама</h1>" in text
    assert "Расход / лиды = 7 000 ₽ / 5 = <b>1 400 ₽</b>" in text
    assert "ads.csv" in text
    assert str(acme.analyst.user) in text
    assert "Лид-форма" in text
    assert '<s class="quiet">90</s>' in text
    assert "уточнено: 4 → 5" in text
    assert "999" not in shown(text)
    found = response.context["found"]
    assert (found.value.known_pairs, found.value.left_out) == (1, 1)
    assert [line.counted for line in found.lines] == [False, True, True, True]


def test_figure_of_a_kind_opens_to_the_facts_of_its_channels(acme, rival, sign_in):
    ads = Channel.objects.create(company=acme.company, code="ads", name="Директ", kind="paid")
    theirs = Channel.objects.create(company=rival.company, code="ads", name="Чужой", kind="paid")
    load(acme, "crm", [row(one, spend=7000, leads=4) for one in (acme.vk, ads)])
    load(acme, "crm", [row(acme.blog, spend=500, leads=40)])
    load(rival, "crm", [row(theirs, spend=999_999, leads=1)])

    response, text = page(sign_in(acme.cmo), "facts/", kpi="cpl", channel="kind:paid")

    assert "<h1>CPL, все каналы вида «Платные»</h1>" in text
    assert "14 000 ₽ / 8 = <b>1 750 ₽</b>" in text
    assert {line.channel for line in response.context["found"].lines} == {"VK Реклама", "Директ"}
    assert '<option value="kind:paid" selected>Платные</option>' in text
    assert "kind:offline" not in text
    assert "999" not in shown(text)


def test_money_of_a_kind_is_shown_to_who_sees_that_of_all_its_channels(acme, sign_in):
    load(acme, "crm", [row(acme.vk, spend=7321, leads=4)])
    browser = sign_in(acme.performance)

    _response, mine = page(browser, "facts/", metric="spend", channel="kind:paid")
    Channel.objects.create(company=acme.company, code="ads", name="Директ", kind="paid")
    _response, ours = page(browser, "facts/", metric="spend", channel="kind:paid")

    assert ("7 321" in mine, "7 321" in ours) == (True, False)


def test_what_was_earned_opens_with_its_sums(acme, sign_in):
    load(acme, "crm", [row(acme.vk, spend=7000, gross_profit=9500), row(acme.blog, spend=100)])

    response, text = page(sign_in(acme.cmo), "facts/", kpi="earned")

    assert "Валовая прибыль − расход = 9 500 ₽ − 7 000 ₽ = <b>2 500 ₽</b>" in text
    assert response.context["found"].value.left_out == 1


def test_provenance_hides_money(acme, sign_in):
    load(acme, "crm", [row(acme.blog, spend=7321, leads=5)])

    _response, other = page(sign_in(acme.performance), "facts/", kpi="cpl", channel="blog")
    _response, own = page(sign_in(acme.content), "facts/", kpi="cpl", channel="blog")
    _response, whole = page(sign_in(acme.content), "facts/", metric="spend")

    assert ("7 321" in other, "7 321" in own, "7 321" in whole) == (False, True, False)
    assert "1 464" not in other


def test_provenance_refuses_what_is_not_there(acme, rival, sign_in):
    browser = sign_in(acme.cmo)
    Channel.objects.create(company=rival.company, code="theirs", name="X", kind="paid")

    assert browser.get("/c/acme/facts/", {"kpi": "nope"}).status_code == 404
    assert browser.get("/c/acme/facts/", {"kpi": "cpa", "channel": "theirs"}).status_code == 404
    assert browser.get("/c/acme/facts/", {"kpi": "cpa", "channel": "kind:nope"}).status_code == 404
    assert browser.get("/c/acme/facts/", {"kpi": "cpa", "channel": "kind:offline"}).status_code == 404
    assert browser.get("/c/acme/facts/", {"kpi": "cpa", "from": "вчера"}).status_code == 400
    assert browser.get("/c/acme/facts/", {"kpi": "cpa", "from": "2026-11-20", "to": "2026-11-01"}).status_code == 400
    assert browser.get("/c/acme/facts/", {"kpi": "cpa", "page": "999"}).status_code == 200
    assert browser.get("/c/acme/kpis/nope/").status_code == 404


def test_long_provenance_is_cut_in_pages(acme, sign_in):
    days = [date(2026, 7, 1) + timedelta(days=offset) for offset in range(130)]
    load(acme, "crm", [row(acme.vk, day, leads=1) for day in days])
    query = {"metric": "leads", "from": "2026-07-01", "to": "2026-11-20"}

    first, text = page(sign_in(acme.cmo), "facts/", **query)
    second, _text = page(sign_in(acme.cmo), "facts/", **query, page="2")

    assert (len(first.context["found"].lines), len(second.context["found"].lines)) == (100, 30)
    assert "page=2" in text
    assert first.context["found"].value.value == 130


def test_pages_cost_the_same_for_many_rows(acme, sign_in):
    browser = sign_in(acme.cmo)

    def queries() -> list[int]:
        found = []
        for path in (
            "kpis/",
            "kpis/cpl/",
            "targets/",
            "facts/?kpi=cpl",
            "targets/set/?kpi=leads&channel=&month=2026-11",
        ):
            with CaptureQueriesContext(connection) as captured:
                assert browser.get(f"/c/acme/{path}").status_code == 200
            found.append(len(captured))
        return found

    def fill(first, last):
        for number in range(first, last):
            channel = Channel.objects.create(company=acme.company, code=f"c{number}", name=f"C{number}", kind="paid")
            load(acme, "crm", [row(channel, spend=10, leads=1)])
            plan(acme, "leads", 5, channel)
            create_kpi(
                company=acme.company, by=acme.cmo, at=NOW, code=f"k{number}", name_ru=f"K{number}", formula="spend / deals",
                better="lower", unit="money", parent="cpl",
            )  # fmt: skip

    fill(0, 3)
    queries()
    few = queries()
    fill(3, 30)

    assert queries() == few
