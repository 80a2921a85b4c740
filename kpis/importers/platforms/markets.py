"""Marketplaces and other search engines: Avito, Ozon, Microsoft Ads."""

from kpis.importers.platforms.platform import CLICKS, DEALS, IMPRESSIONS, LEADS, REVENUE, SPEND, Platform

MICROSOFT = Platform(
    "microsoft_ads", "Microsoft Ads",
    needs=frozenset({"spend", "impressions", "campaignid"}),
    day=frozenset({"timeperiod", "gregoriandate"}),
    campaign=frozenset({"campaignid"}), campaign_name=frozenset({"campaignname"}),
    columns={"spend": SPEND, "impressions": IMPRESSIONS, "clicks": CLICKS, "conversions": LEADS, "revenue": REVENUE},
    order="mdy",
)  # fmt: skip

OZON = Platform(
    "ozon_ads", "Ozon",
    needs=frozenset({"день", "sku", "показы", "клики"}),
    day=frozenset({"день", "дата"}),
    columns={"показы": IMPRESSIONS, "клики": CLICKS, "расход, ₽, с ндс": SPEND, "расход": SPEND, "заказы": DEALS, "продажи": REVENUE},
    not_added=frozenset({"ctr", "дрр"}), order="dmy", currency="RUB",
)  # fmt: skip

AVITO_API = Platform(
    "avito_api", "Авито",
    needs=frozenset({"date", "views", "contacts"}),
    day=frozenset({"date"}),
    columns={"impressions": IMPRESSIONS, "views": CLICKS, "contacts": LEADS, "spending": SPEND, "allspending": SPEND},
    not_added=frozenset({"favorites", "averageviewcost", "spendingbonus", "presencespending", "promospending", "commission"}),
    divide=100, whole_money=100, currency="RUB",
)  # fmt: skip

AVITO = Platform(
    "avito", "Авито",
    needs=frozenset({"номер объявления", "просмотры", "контакты"}),
    day=frozenset({"дата", "день"}),
    campaign=frozenset({"номер объявления"}), campaign_name=frozenset({"название объявления"}),
    columns={"просмотры": CLICKS, "контакты": LEADS, "расходы": SPEND},
    not_added=frozenset({"добавили в избранное"}), order="dmy", currency="RUB",
)  # fmt: skip

ALL = (MICROSOFT, OZON, AVITO_API, AVITO)
