"""Exports of ad platforms, counters and mailers, in the layouts of `import-formats.md`. Pure: no database.

The small files are ours, in the form of each export; the public files beside the project give their published totals.
"""

import io
import zipfile
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings
from openpyxl import Workbook

from kpis.importers import platforms, registry
from kpis.importers.base import Context, FileProblem
from kpis.importers.tables import open_table

CONTEXT = Context({}, date(2026, 11, 20))
SHARED = Path(settings.BASE_DIR).parent / "shared" / "data"


def read(content: str | bytes, encoding: str = "utf-8"):
    stream = io.BytesIO(content if isinstance(content, bytes) else content.encode(encoding))
    table = open_table(stream, lambda header: registry.recognise(header, CONTEXT) is not None)
    reader = registry.recognise(table.header, CONTEXT)
    money = reader.money_of(table)
    return reader, money, list(reader.read(table, CONTEXT))


def totals(rows) -> dict[str, float]:
    found: dict[str, float] = {}
    for row in rows:
        for code, value in row.values.items():
            if value is not None:
                found[code] = found.get(code, 0) + value
    return {code: round(value / 1_000_000, 2) for code, value in found.items()}


def workbook(*sheets) -> bytes:
    book = Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


NB = "\u00a0"
FILES = {
    # name: (content, encoding, reader, currency, first day, campaign of the first row, totals)
    "direct, Report Master": (
        "Отчет по кампаниям за период 17.11.2026 - 18.11.2026\r\nКлиент: demo\r\n\r\n"
        "Дата;Кампания;№ Кампании;Показы;Взвешенные показы;Клики;CTR (%);Расход (руб.);Ср. цена клика (руб.);Конверсии;Конверсия (%)\r\n"
        f'17.11.2026;"Поиск; Москва";123;6{NB}319;5 000,5;51;0,81;1{NB}020,84;0,41;2;3,9\r\n'
        "18.11.2026;РСЯ;124;100;90;3;3,00;30,16;10,05;-;0,0\r\nИтого;—;—;6 419;;54;0,84;1 051,00;;2;\r\n",
        "cp1251", "yandex_direct", "RUB", date(2026, 11, 17), "123",
        {"impressions": 6419, "clicks": 54, "spend": 1051.00, "leads": 2},
    ),
    "direct, API, micros": (
        '"report (2026-11-17 - 2026-11-18)"\nDate\tCampaignId\tCampaignName\tImpressions\tClicks\tCost\tConversions\n'
        "2026-11-17\t99\tПоиск\t71\t2\t3250000\t--\n2026-11-18\t99\tПоиск\t47\t3\t2520000\t1\nTotal rows: 2\n",
        "utf-8", "yandex_direct_api", "RUB", date(2026, 11, 17), "99",
        {"impressions": 118, "clicks": 5, "spend": 5.77, "leads": 1},
    ),
    "direct, API, roubles": (
        "Date\tCampaignId\tImpressions\tClicks\tCost\n2026-11-17\t99\t71\t2\t3.25\n2026-11-18\t99\t47\t3\t120\n",
        "utf-8", "yandex_direct_api", "RUB", date(2026, 11, 17), "99",
        {"impressions": 118, "clicks": 5, "spend": 123.25},
    ),
    "metrica": (
        "Дата визита,Визиты,Посетители,Просмотры,Отказы,Глубина просмотра,Время на сайте,Достижения цели (Заявка)\n"
        "Итого и средние,300,250,900,0.18,3.0,00:01:10,7\n2026-11-17,100,90,300,0.2,3,00:01:00,3\n2026-11-18,200,180,600,0.1,3,00:01:20,4\n",
        "utf-8-sig", "yandex_metrica", "", date(2026, 11, 17), "", {"visits": 300, "leads": 7},
    ),
    "google, Russian": (
        f"Отчет по кампаниям\n1 ноября 2026 г. - 18 ноября 2026 г.\nДень\tКампания\tКод валюты\tСтоимость\tПоказы\tКлики\tКонверсии\n"
        f"2026-11-17\tSearch\tRUB\t1{NB}321,74\t41{NB}814\t35\t1,50\n2026-11-18\tSearch\tRUB\t --\t59\t10\t0,00\n"
        f"Итого: кампании\t --\tRUB\t1{NB}321,74\t41{NB}873\t45\t1,50\nИтого: аккаунт\t --\tRUB\t1{NB}321,74\t41{NB}873\t45\t1,50\n",
        "utf-16", "google_ads_ru", "RUB", date(2026, 11, 17), "Search",
        {"spend": 1321.74, "impressions": 41873, "clicks": 45, "leads": 1.5},
    ),
    "google, English": (
        'Campaign report\n"November 1, 2026 - November 18, 2026"\nDay,Campaign,Campaign ID,Currency code,Cost,Impr.,Clicks,Conversions,Conv. value\n'
        '2026-11-17,Brand,777,USD,"1,234.50","1,234",35,1.50,200.00\n2026-11-18,Brand,777,USD,10.00,59,10, --,\nTotal: Account,,,USD,"1,244.50","1,293",45,1.50,200.00\n',
        "utf-8", "google_ads", "USD", date(2026, 11, 17), "777",
        {"spend": 1244.50, "impressions": 1293, "clicks": 45, "leads": 1.5, "revenue": 200},
    ),
    "analytics 4": (
        "# ----------------------------------------\n# Start date: 20261117\n# End date: 20261118\n# ----------------------------------------\n\n"
        "Date,Sessions,Total users,Key events,Engagement rate\n20261117,120,100,3,0.62\n20261118,80,70,2,0.5\n",
        "utf-8", "ga4", "", date(2026, 11, 17), "", {"visits": 200, "leads": 5},
    ),
    "meta, English": (
        "Reporting starts,Reporting ends,Campaign name,Campaign ID,Amount spent (USD),Impressions,Reach,Link clicks,Clicks (all),Results\n"
        "2026-11-17,2026-11-17,Spring,55,10.50,1000,900,20,40,3\n2026-11-18,2026-11-18,Spring,55,11.00,1100,950,22,41,\n",
        "utf-8-sig", "meta_ads", "USD", date(2026, 11, 17), "55",
        {"spend": 21.5, "impressions": 2100, "clicks": 42, "leads": 3},
    ),
    "meta, Russian, through Excel": (
        "Начало отчётного периода;Конец отчётного периода;Название кампании;Потраченная сумма (RUB);Показы;Охват;Клики на ссылку;Клики (все);Результаты\n"
        "17.11.2026;17.11.2026;Весна;1000,50;1000;900;20;40;3\n",
        "utf-8-sig", "meta_ads_ru", "RUB", date(2026, 11, 17), "Весна",
        {"spend": 1000.5, "impressions": 1000, "clicks": 20, "leads": 3},
    ),
    "tiktok": (
        'Campaign name,By Day,Cost,Impressions,Clicks (destination),2-second video views,Conversions\n'
        'Clips,2026-11-17,"$1,234.56","23,000",120,900,4\nTotal of 1 results,-,"$1,234.56","23,000",120,900,4\n',
        "utf-8", "tiktok_ads", "", date(2026, 11, 17), "Clips",
        {"spend": 1234.56, "impressions": 23000, "clicks": 120, "leads": 4},
    ),
    "linkedin": (
        "Campaign Performance Report (in UTC)\n\"Report Start: 11/01/2026, 12:00 AM\"\n\n"
        "Start Date (in UTC),Campaign Name,Campaign ID,Total Spent,Impressions,Clicks,Clicks to Landing Page,Conversions,Currency\n"
        "11/03/2026,B2B,901,10.25,500,7,5,1,EUR\nTotal,,,10.25,500,7,5,1,\n",
        "utf-16", "linkedin_ads", "EUR", date(2026, 11, 3), "901",
        {"spend": 10.25, "impressions": 500, "clicks": 7, "leads": 1},
    ),
    "microsoft": (
        '"Report Name: daily"\n"Report Time: 11/17/2026"\n"Report Aggregation: Daily"\n"Rows: 1"\n\n'
        '"TimePeriod","CampaignId","CampaignName","Spend","Impressions","Clicks","Conversions","CurrencyCode"\n'
        '"11/2/2026","42","Brand","3.50","90","4","1","USD"\n"©2026 Microsoft Corporation. All rights reserved. "\n',
        "utf-8-sig", "microsoft_ads", "USD", date(2026, 11, 2), "42",
        {"spend": 3.5, "impressions": 90, "clicks": 4, "leads": 1},
    ),
    "telegram, days": (
        "date\tViews\tOpened video\tClicks\tActions\n2 Nov 2026\t10701\t0\t27\t6\n3 Nov 2026\t3476\t0\t14\t3\n",
        "utf-8", "telegram_ads", "", date(2026, 11, 2), "", {"impressions": 14177, "clicks": 41, "leads": 9},
    ),
    "telegram, spend": (
        "date\tSpent budget, TON\n2 Nov 2026\t144,00000\n3 Nov 2026\t0,04020\n",
        "utf-8", "telegram_ads_spend", "TON", date(2026, 11, 2), "", {"spend": 144.04},
    ),
    "ozon": (
        ";Кампания по продвижению № 123, период 17.11.2026-18.11.2026\nДень;sku;Показы;Клики;CTR, %;Расход, ₽, с НДС;Заказы;Продажи, ₽;ДРР, %\n"
        "17.11.2026;1;1000;20;2,00;150,50;2;3 000,00;5,0\n17.11.2026;2;500;5;1,00;49,50;0;0,00;-\nВсего;;1500;25;1,67;200,00;2;3 000,00;6,7\n",
        "utf-8-sig", "ozon_ads", "RUB", date(2026, 11, 17), "",
        {"impressions": 1500, "clicks": 25, "spend": 200, "deals": 2, "revenue": 3000},
    ),
    "avito, API, kopecks": (
        "date,impressions,views,contacts,favorites,allSpending\n2026-11-17,1000,100,5,7,150050\n",
        "utf-8", "avito_api", "RUB", date(2026, 11, 17), "",
        {"impressions": 1000, "clicks": 100, "leads": 5, "spend": 1500.5},
    ),
    "sendsay": (
        "Дата отправки;Название выпуска;Получатели;Отправлено;Доставлено;Ошибок;Открытий;Кликов;Отписок;UTOR, %;ID\n"
        "17.11.2026 10:00;Ноябрь;3000;3000;2900;100;700;90;29;4,1;881\n",
        "utf-8", "sendsay", "", date(2026, 11, 17), "881", {"sends": 3000, "delivered": 2900, "unsubscribes": 29},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_export_is_recognised_and_gives_its_figures(name):
    content, encoding, code, currency, day, campaign, expected = FILES[name]

    reader, money, rows = read(content, encoding)

    assert (reader.CODE, money) == (code, currency)
    assert [problem for row in rows for problem in row.problems] == []
    assert (rows[0].day, rows[0].campaign, rows[0].channel) == (day, campaign, reader.NAME)
    assert totals(rows) == expected


def test_every_platform_without_a_spend_file_here_is_told_apart_by_its_own_headings():
    """No two readers know one heading in a way that the order of asking would decide by luck."""
    for one in platforms.ALL:
        heading = [*one.needs, *sorted(one.any_of)[:1], next(iter(one.day)), next(iter(one.columns))]
        assert registry.recognise(heading, CONTEXT) is one, one.CODE
    for one in platforms.CRMS:
        assert registry.recognise([*one.needs, *sorted(one.any_of)[:1]], CONTEXT) is one, one.CODE


VK = ["Дата", "ID объявления", "Название объявления", "Показы", "Охват", "Клики", "Потрачено всего, ₽", "Результат"]


def test_a_workbook_is_read_from_the_sheet_with_the_daily_figures():
    content = workbook(
        ("Сводка", [["Показы", 3000]]),
        ("Объявления", [VK, [date(2026, 11, 17), 12345678, "Кухни", 1000, 900, 20, 150.5, 2],
                        [date(2026, 11, 18), 12345678.0, "Кухни", 2000, 1900, 30, "—", None],
                        ["Итого", None, None, 3000, None, 50, 150.5, 2]]),
    )  # fmt: skip

    reader, money, rows = read(content)

    assert (reader.CODE, money) == ("vk_ads", "RUB")
    assert [row.campaign for row in rows] == ["12345678", "12345678"]
    assert totals(rows) == {"impressions": 3000, "clicks": 50, "spend": 150.5, "leads": 2}
    assert rows[1].values["spend"] is None
    assert not any(row.problems for row in rows)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("Reporting starts,Campaign name,Amount spent (USD),Impressions\n", ""),
        ("Day,Campaign,Currency code,Cost,Impr.\n2026-11-17,a,USD,1.00,5\n2026-11-17,b,EUR,1.00,5\n", "two_currencies"),
    ],
)
def test_what_is_no_daily_report_says_so(content, code):
    if not code:
        read(content)
        return
    with pytest.raises(FileProblem) as caught:
        read(content)
    assert caught.value.code == code


def test_a_row_of_a_whole_period_is_not_put_on_its_first_day():
    rows = read(
        "Reporting starts,Reporting ends,Campaign name,Amount spent (USD),Impressions\n2026-11-01,2026-11-17,Spring,10.50,1000\n"
    )[2]

    assert [(problem.code, problem.value) for problem in rows[0].problems] == [("period_row", "2026-11-01")]


# ---------------------------------------------------------------- hostile workbooks
def packed(**members: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return made.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"PK\x03\x04" + b"\x00" * 500, "broken_workbook"),
        (packed(**{"report.csv": b"date,channel\n"}), "archive"),
        (packed(**{"xl__workbook.xml": b"<workbook/>", "xl__big.xml": b"0" * 30_000_000}), "bomb"),
        (packed(**{"xl__workbook.xml": b"<not-a-workbook"}), "broken_workbook"),
        (packed(**{"xl__workbook.xml": b"<w/>", **{f"xl__{n}.xml": b"" for n in range(1_001)}}), "bomb"),
    ],
)
def test_a_workbook_that_could_do_harm_is_refused_before_it_is_unpacked(content, code):
    with pytest.raises(FileProblem) as caught:
        read(content)
    assert caught.value.code == code


# ---------------------------------------------------------------- public files beside the project
PUBLISHED = {
    "derived_ru/yandex_direct_master_cp1251.csv": (19, 15, {"impressions": 1050214, "clicks": 9742, "spend": 1632.33, "leads": 176}),
    "derived_ru/yandex_direct_api_micros.tsv": (16, 16, {"impressions": 1854, "clicks": 280, "spend": 231.33}),
    "derived_ru/metrica_poseschaemost_utf8sig.csv": (61, 61, {"visits": 271490476}),
    "derived_ru/google_ads_ru_utf16le.csv": (15, 15, {"impressions": 4483, "clicks": 620, "spend": 3156.84, "leads": 14.48}),
    "derived_ru/telegram_ads_days.csv": (9, 9, {"impressions": 37275, "clicks": 149, "leads": 33}),
    "derived_ru/telegram_ads_budget_days.csv": (9, 9, {"spend": 643.63}),
    "derived_ru/vk_reklama.xlsx": (10, 9, {"impressions": 37275, "clicks": 149, "spend": 643.63, "leads": 12}),
    "ads/google_ads_campaign_stats_data.csv": (16, 16, {"impressions": 1854, "clicks": 280, "spend": 231.33, "leads": 0, "revenue": 0}),
    "ads/google_ads_account_stats_data.csv": (19, 15, {"impressions": 1050214, "clicks": 9742, "spend": 1632.33, "leads": 176, "revenue": 0}),
    "ads/google_ads_ad_group_stats_data.csv": (15, 15, {"impressions": 4483, "clicks": 620, "spend": 3156.84, "leads": 14.48, "revenue": 0}),
    "ads/facebook_ads_basic_ad_data.csv": (10, 9, {"impressions": 37275, "clicks": 149, "spend": 643.63}),
    "web/upworthy_ga_daily_users_2013-2015.csv": (850, 850, {"visits": 1375776393}),
}  # fmt: skip


@pytest.mark.skipif(not SHARED.is_dir(), reason="the public files lie beside the project, not in it")
@pytest.mark.parametrize("name", PUBLISHED)
def test_public_file_gives_its_published_totals(name):
    lines, days, expected = PUBLISHED[name]

    _reader, _money, rows = read((SHARED / name).read_bytes())

    assert [problem for row in rows for problem in row.problems] == []
    assert (len(rows), len({row.day for row in rows})) == (lines, days)
    assert totals(rows) == expected


@pytest.mark.skipif(not SHARED.is_dir(), reason="the public files lie beside the project, not in it")
def test_public_linkedin_table_keeps_blanks_unknown():
    rows = read((SHARED / "ads/linkedin_ad_analytics_by_campaign_data.csv").read_bytes())[2]

    found = totals(rows)
    assert (len(rows), found["clicks"], found["impressions"], found["spend"]) == (20, 919, 1359, 530.62)
    assert sum(row.values["impressions"] is None for row in rows) == 9
