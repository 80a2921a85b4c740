"""The public files beside the project, loaded as a person loads them: exactly the published totals, and twice is once."""

from decimal import Decimal

import pytest
from django.db.models import Sum
from django.urls import reverse

from kpis.models import Import
from kpis.services import import_runs, imports
from kpis.services.uploads import BadFile
from roles.models import Campaign, Channel

from .test_imports import NOW, facts, receive, upload
from .test_platforms import SHARED

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the public files lie beside the project, not in it")

# name → the file's currency, days with facts, sums of daily facts
LOADED = {
    "ads/google_ads_campaign_stats_data.csv": ("USD", 16, {"impressions": 1854, "clicks": 280, "spend": "231.33"}),
    "ads/google_ads_account_stats_data.csv": (
        "USD", 15, {"impressions": 1050214, "clicks": 9742, "spend": "1632.333323", "leads": 176},
    ),
    "ads/google_ads_ad_group_stats_data.csv": (
        "USD", 15, {"impressions": 4483, "clicks": 620, "spend": "3156.84", "leads": "14.483334"},
    ),
    "ads/facebook_ads_basic_ad_data.csv": ("USD", 9, {"impressions": 37275, "clicks": 149, "spend": "643.63"}),
    "ads/linkedin_ad_analytics_by_campaign_data.csv": ("USD", None, {"impressions": 1359, "clicks": 919, "spend": "530.62"}),
    "ads/multi_platform_ad_report.csv": (
        "USD", 3, {"impressions": 163500, "clicks": 3041, "spend": "2247.15", "leads": 201, "revenue": 4585},
    ),
    "web/upworthy_ga_daily_users_2013-2015.csv": ("USD", 546, {"visits": 1375776393}),
    "derived_ru/yandex_direct_master_cp1251.csv": (
        "RUB", 15, {"impressions": 1050214, "clicks": 9742, "spend": "1632.33", "leads": 176},
    ),
    "derived_ru/yandex_direct_api_micros.tsv": ("RUB", 16, {"impressions": 1854, "clicks": 280, "spend": "231.33"}),
    "derived_ru/metrica_poseschaemost_utf8sig.csv": ("RUB", 60, {"visits": 271490476}),
    "derived_ru/google_ads_ru_utf16le.csv": (
        "RUB", 15, {"impressions": 4483, "clicks": 620, "spend": "3156.84", "leads": "14.48"},
    ),
    "derived_ru/vk_reklama.xlsx": ("RUB", 9, {"impressions": 37275, "clicks": 149, "spend": "643.63", "leads": 12}),
    "derived_ru/telegram_ads_days.csv": ("TON", 9, {"impressions": 37275, "clicks": 149, "leads": 33}),
    "derived_ru/telegram_ads_budget_days.csv": ("TON", 9, {"spend": "643.63"}),
}  # fmt: skip

NO_FIGURES = [
    "ads/google_ads_campaign_history_data.csv", "ads/google_ads_account_history_data.csv",
    "ads/google_ads_ad_group_history_data.csv", "ads/facebook_ads_ad_history_data.csv",
    "ads/facebook_ads_campaign_history_data.csv", "ads/linkedin_campaign_history_data.csv",
    "ads/linkedin_campaign_group_history_data.csv", "ads/facebook_ads_basic_ad_actions_data.csv",
    "email/mailchimp_campaign.csv", "email/mailchimp_campaign_recipient.csv",
    "email/mailchimp_campaign_recipient_activity_no_ip.csv", "email/mailchimp_unsubscribe.csv",
]  # fmt: skip


def totals(made, codes) -> dict[str, Decimal]:
    sums = facts(made).aggregate(**{code: Sum(code) for code in codes})
    return {code: sums[code] or Decimal(0) for code in codes}


@pytest.mark.parametrize("name", LOADED)
def test_a_public_file_is_loaded_on_the_screen_with_its_published_totals(acme, sign_in, name):
    currency, days, expected = LOADED[name]
    type(acme.company).objects.filter(pk=acme.company.pk).update(currency=currency)
    browser, slug = sign_in(acme.analyst), acme.company.slug
    content = (SHARED / name).read_bytes()

    def load() -> Import:
        sent = browser.post(
            reverse("kpis:import-create", args=[slug]),
            {"file": upload(content, name.split("/")[1]), "source_name": "Кабинет"},
        )
        assert sent.status_code == 302, sent.content.decode()
        load = Import.objects.latest("pk")
        chosen = {f"channel-{number}": acme.vk.code for number in range(len(load.mapping))}
        assert browser.get(sent.url).status_code == 200
        done = browser.post(reverse("kpis:import-confirm", args=[slug, load.pk]), {"act": "load"} | chosen)
        assert done.status_code == 302, done.content.decode()
        import_runs.run_due_imports(company=acme.company, at=NOW)
        load.refresh_from_db()
        assert (load.state, load.errors) == ("done", [])
        return load

    first, again = load(), load()

    assert totals(acme, expected) == {code: Decimal(value) for code, value in expected.items()}
    if days is not None:
        assert facts(acme).values("day").distinct().count() == days
    # A row that knows nothing makes no fact, and is the same again.
    assert (first.changed, again.created, again.changed, again.unchanged) == (0, 0, 0, first.created + first.unchanged)


def confirm(made, content: bytes) -> None:
    load = receive(made, content)
    imports.confirm_import(company=made.company, by=made.analyst, at=NOW, load=load, mapping={})


@pytest.mark.parametrize("name", NO_FIGURES)
def test_a_table_of_names_or_events_writes_nothing_by_itself(acme, name):
    with pytest.raises((BadFile, imports.ColumnsNotChosen)):
        confirm(acme, (SHARED / name).read_bytes())
    assert not facts(acme).exists()
    assert Channel.objects.filter(company=acme.company).count() == 2
    assert not Campaign.objects.filter(company=acme.company).exists()
