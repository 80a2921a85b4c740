"""The editor of a stop-rule in Chromium: the trial follows the fields within a second, and works without scripts."""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from kpis.models import DailyFact, Source, StopRule, StopRuleVersion
from kpis.services.kpis import install_builtin_kpis
from kpis.services.stop_rules import create_stop_rule
from roles.models import Channel
from tests.conftest import PASSWORD, make_company
from tests.e2e.conftest import DESKTOP, PHONE

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
WINDOWS = ("m_of_n", "pooled", "since_conversion", "event", "budget", "in_a_row")


@pytest.fixture
def made(transactional_db):
    with time_machine.travel(NOW, tick=True):
        made = make_company("acme")
        install_builtin_kpis(company=made.company, at=NOW)
        ads = Source.objects.create(company=made.company, code="ads", name="Ads", kind="file")
        DailyFact.objects.bulk_create(
            DailyFact(
                company=made.company, day=NOW.date() - timedelta(days=back), channel=made.vk, source=ads, campaign_id=0,
                spend=8000 if back % 50 < 6 else 3000, qualified_leads=2 if back % 90 > 80 else 5, load_id=1,
            )
            for back in range(1, 380)
        )  # fmt: skip
        made.rule = create_stop_rule(
            company=made.company,
            by=made.cmo,
            at=NOW,
            name="Дорогая заявка",
            kpi="cpa",
            line=Decimal(1000),
            channel=made.vk,
        )
        yield made


@pytest.mark.parametrize(("size", "dark"), [(DESKTOP, False), (PHONE, True)])
def test_the_trial_follows_the_fields(window, made, size, dark):
    walker = window(size, dark=dark)
    walker.sign_in("cmo@acme.example", PASSWORD)
    page = walker.open(f"/c/acme/stop-rules/{made.rule.pk}/edit/")
    assert "Рядом с версией" not in page.inner_text("#trial")
    walker.check(f"rule-editor-{size['width']}")

    begun = time.monotonic()
    page.fill("#id_line", "1700")
    page.wait_for_selector("text=Рядом с версией")
    assert time.monotonic() - begun < 5  # a second for a person; a machine of tests may be slow
    assert "Сработало бы" in page.inner_text("#trial")
    assert page.inner_text("#trial-status").startswith("Срабатываний: ")
    page.click("button[name=take] >> nth=0")
    page.wait_for_selector("#trial tr.now")
    page.wait_for_timeout(700)
    assert page.input_value("#id_line") != "1700"
    walker.check(f"rule-editor-tried-{size['width']}")
    for name in WINDOWS:
        page.click(f"label:has(input[value={name}])")
        page.wait_for_timeout(500)
        walker.check(f"rule-editor-{name}-{size['width']}")
    page.fill("#id_reason", "Заявка подорожала")
    page.click("text=Изменить правило")
    page.wait_for_load_state()
    assert page.url.endswith(f"/stop-rules/{made.rule.pk}/")
    assert StopRuleVersion.objects.filter(rule=made.rule).count() == 2


def test_a_window_brings_what_suits_it_where_nothing_was_chosen(window, made):
    Channel.objects.filter(pk=made.blog.pk).update(kind="crm")
    walker = window(DESKTOP)
    walker.sign_in("cmo@acme.example", PASSWORD)
    page = walker.open("/c/acme/stop-rules/new/")

    def chosen() -> tuple:
        return tuple(page.input_value(f"#id_{name}") for name in ("kpi", "scope", "action"))

    first = chosen()
    page.click("label:has(input[value=event])")
    assert chosen() == ("unsubscribe_rate", f"channel:{made.blog.pk}", "rewrite")
    page.click("label:has(input[value=in_a_row])")
    assert chosen() == first
    page.select_option("#id_action", "review")
    page.click("label:has(input[value=budget])")
    assert chosen()[2] == "review"


def test_it_works_without_scripts(window, made):
    walker = window(PHONE, javascript=False)
    walker.sign_in("cmo@acme.example", PASSWORD)
    page = walker.open("/c/acme/stop-rules/new/")
    assert page.is_visible("#id_count")
    page.check("input[value=since_conversion]")
    assert page.is_visible("#id_k")
    assert not page.is_visible("#id_count")
    page.check("input[value=in_a_row]")
    page.fill("#id_line", "1000")
    page.select_option("#id_scope", f"channel:{made.vk.pk}")
    page.click("text=Проверить на истории")
    page.wait_for_load_state()
    assert "Итог за год" in page.inner_text("main")
    assert StopRule.objects.count() == 1
    page.click("button[name=take] >> nth=0")
    page.wait_for_load_state()
    assert page.input_value("#id_line") != "1000"
    page.fill("#id_name", "Новое")
    page.click("text=Записать правило >> nth=-1")
    page.wait_for_load_state()
    assert StopRule.objects.count() == 3  # with its companion
