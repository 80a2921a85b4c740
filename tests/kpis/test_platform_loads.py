"""An export of a cabinet through the services and the page: one channel named once, money of another currency refused."""

from decimal import Decimal

import pytest
from django.db.models import Sum
from django.urls import reverse

from kpis.models import Import
from kpis.selectors import imports as reads
from kpis.services import import_runs, imports

from .test_imports import NOW, facts, load_all, receive, upload
from .test_platforms import FILES, VK, workbook

NAME = "Яндекс Директ"


def export(name: str) -> bytes:
    content, encoding, *_rest = FILES[name]
    return content.encode(encoding)


def test_the_channel_is_named_once_and_remembered(acme):
    first = receive(acme, export("direct, Report Master"))
    assert first.mapping == {NAME: ""}

    load = load_all(acme, export("direct, Report Master"), {NAME: "vk"})
    again = load_all(acme, export("direct, Report Master"))

    assert (load.state, load.created, again.state, again.unchanged) == ("done", 2, "done", 2)
    assert again.mapping == {NAME: "vk"}
    assert facts(acme).aggregate(Sum("spend"), Sum("leads")) == {"spend__sum": 1051, "leads__sum": 2}


def test_two_files_of_one_platform_meet_on_the_same_days(acme):
    """The spend of Telegram comes in a file of its own; each file writes only the metrics it has."""
    acme.company.currency = "TON"
    load_all(acme, export("telegram, days"), {"Telegram Ads": "vk"})
    load_all(acme, export("telegram, spend"), {"Telegram Ads": "vk"})

    first = facts(acme).order_by("day").values_list("impressions", "clicks", "leads", "spend").first()
    assert first == (10701, 27, 6, 144)


def test_money_of_another_currency_asks_for_its_rate(acme):
    load = receive(acme, export("google, English"))
    confirm = {"company": acme.company, "by": acme.analyst, "at": NOW, "load": load, "mapping": {"Google Ads": "vk"}}

    for rate in (None, Decimal(0), Decimal(-3), Decimal("NaN"), Decimal(10) ** 9):
        with pytest.raises(imports.RateNeeded) as refused:
            imports.confirm_import(**confirm, rate=rate)
    seen = reads.preview(company=acme.company, load=load, mapping=confirm["mapping"], rate=Decimal("90.5"))
    imports.confirm_import(**confirm, rate=Decimal("90.5"))
    import_runs.run_due_imports(company=acme.company, at=NOW)

    assert (load.currency, refused.value.errors[0].field) == ("USD", "rate")
    assert seen.rows[0].values[0] == Decimal("111722.25")
    load.refresh_from_db()
    assert (load.state, load.rate) == ("done", Decimal("90.5"))
    # 1 244.50 × 90.5 and 200 × 90.5; counts stay as they are
    found = facts(acme).aggregate(Sum("spend"), Sum("revenue"), Sum("clicks"), Sum("leads"))
    assert list(found.values()) == [Decimal("112627.25"), 18_100, 45, Decimal("1.5")]
    assert imports.last_rate(load=load) == Decimal("90.5")


def test_the_page_asks_for_the_rate_and_keeps_what_was_typed(acme, sign_in):
    load = receive(acme, export("google, English"))
    browser, address = sign_in(acme.analyst), reverse("kpis:import-confirm", args=[acme.company.slug, load.pk])

    silent = browser.post(address, {"act": "load", "channel-0": "vk", "rate": "дорого"})
    done = browser.post(address, {"act": "load", "channel-0": "vk", "rate": "90,5"})

    assert (silent.status_code, done.status_code) == (400, 302)
    assert 'value="дорого"' in silent.content.decode()
    load.refresh_from_db()
    assert (load.state, load.rate) == ("queued", Decimal("90.5"))


def test_the_preview_says_what_is_left_out(acme):
    load = receive(acme, export("metrica"))

    seen = reads.preview(company=acme.company, load=load)

    assert seen.not_additive == ["Посетители", "Отказы", "Глубина просмотра", "Время на сайте"]
    assert seen.without_metric == ["Просмотры"]


def test_a_workbook_goes_through_the_page(acme, sign_in):
    content = workbook(
        ("Объявления", [VK, ["17.11.2026", 7, "Кухни", 1000, 900, 20, 150.5, 2], ["Итого", *[None] * 7]])
    )
    browser, slug = sign_in(acme.analyst), acme.company.slug

    posted = browser.post(
        reverse("kpis:import-create", args=[slug]), {"file": upload(content, "vk.xlsx"), "source_name": "Кабинет VK"}
    )
    load = Import.objects.get()
    page = browser.get(posted.url).content.decode()
    browser.post(reverse("kpis:import-confirm", args=[slug, load.pk]), {"act": "load", "channel-0": "vk"})
    import_runs.run_due_imports(company=acme.company, at=NOW)

    assert "VK Реклама" in page
    assert "Охват" in page
    load.refresh_from_db()
    assert (load.state, load.created, load.profile) == ("done", 1, "vk_ads")
