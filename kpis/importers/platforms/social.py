"""Social networks: VK, myTarget, Telegram, Meta, TikTok, LinkedIn."""

from kpis.importers.platforms.platform import CLICKS, DEALS, IMPRESSIONS, LEADS, REVENUE, SPEND, Platform

VK = Platform(
    "vk_ads", "VK Реклама",
    needs=frozenset({"показы", "клики", "потрачено всего"}),
    day=frozenset({"дата", "день"}),
    campaign=frozenset({"id кампании", "id группы", "id объявления"}),
    campaign_name=frozenset({"кампания", "название кампании", "группа", "объявление", "название объявления"}),
    columns={"показы": IMPRESSIONS, "клики": CLICKS, "потрачено всего": SPEND, "результат": LEADS},
    not_added=frozenset({"охват", "ctr", "cpc", "цена за результат", "частота"}), order="dmy", currency="RUB",
)  # fmt: skip

MYTARGET = Platform(
    "mytarget", "myTarget",
    needs=frozenset({"показы", "клики", "расход", "ecpm"}),
    day=frozenset({"дата", "день"}),
    campaign=frozenset({"id кампании"}), campaign_name=frozenset({"кампания", "название кампании"}),
    columns={"показы": IMPRESSIONS, "клики": CLICKS, "расход": SPEND, "доход": REVENUE, "конверсии post-click": LEADS},
    not_added=frozenset({"ctr", "cpc", "ecpm", "romi", "дрр", "охват"}), order="dmy", currency="RUB",
)  # fmt: skip

TELEGRAM = Platform(
    "telegram_ads", "Telegram Ads",
    needs=frozenset({"views", "clicks"}),
    day=frozenset({"date", "day"}),
    columns={"views": IMPRESSIONS, "clicks": CLICKS, "actions": LEADS, "joined": LEADS, "started bot": LEADS},
    not_added=frozenset({"opened video"}),
)  # fmt: skip

TELEGRAM_SPEND = Platform(
    "telegram_ads_spend", "Telegram Ads",
    needs=frozenset({"date", "spent budget, ton"}),
    day=frozenset({"date"}),
    columns={"spent budget, ton": SPEND}, currency="TON",
)  # fmt: skip

META_EN = Platform(
    "meta_ads", "Meta Ads",
    needs=frozenset({"amount spent", "impressions", "reporting starts"}),
    day=frozenset({"day"}) | frozenset({"reporting starts"}),
    period_end=frozenset({"reporting ends"}),
    campaign=frozenset({"campaign id"}), campaign_name=frozenset({"campaign name"}),
    columns={
        "amount spent": SPEND, "impressions": IMPRESSIONS, "link clicks": CLICKS, "results": LEADS, "purchases": DEALS,
        "purchases conversion value": REVENUE,
    },
    not_added=frozenset({"reach", "frequency", "ctr", "cpm", "cost per result", "clicks"}), order="mdy",
)  # fmt: skip

META_API = Platform(
    "meta_ads_api", "Meta Ads",
    needs=frozenset({"date", "spend", "inline link clicks"}),
    day=frozenset({"date", "date start"}),
    campaign=frozenset({"campaign id", "ad id"}), campaign_name=frozenset({"campaign name"}),
    columns={"spend": SPEND, "impressions": IMPRESSIONS, "inline link clicks": CLICKS},
    not_added=frozenset({"reach", "cpc", "cpm", "ctr", "frequency"}),
)  # fmt: skip

META_RU = Platform(
    "meta_ads_ru", "Meta Ads",
    needs=frozenset({"потраченная сумма", "показы"}),
    day=frozenset({"день", "начало отчетного периода", "дата начала отчетности"}),
    period_end=frozenset({"конец отчетного периода", "дата окончания отчетности"}),
    campaign=frozenset({"идентификатор кампании"}), campaign_name=frozenset({"название кампании"}),
    columns={
        "потраченная сумма": SPEND, "показы": IMPRESSIONS, "клики на ссылку": CLICKS, "результаты": LEADS,
        "покупки на сайте": DEALS, "ценность конверсии покупки с сайта": REVENUE,
    },
    not_added=frozenset({"охват", "частота", "цена за результат", "ctr", "cpm", "клики"}), order="dmy",
)  # fmt: skip

TIKTOK = Platform(
    "tiktok_ads", "TikTok Ads",
    needs=frozenset({"campaign name", "cost", "impressions", "clicks"}),
    day=frozenset({"date", "by day", "day"}),
    campaign=frozenset({"campaign id"}), campaign_name=frozenset({"campaign name"}),
    columns={"cost": SPEND, "impressions": IMPRESSIONS, "clicks": CLICKS, "conversions": LEADS},
    not_added=frozenset({"2-second video views", "reach", "ctr", "cpm", "cpc"}), order="mdy",
)  # fmt: skip

LINKEDIN = Platform(
    "linkedin_ads", "LinkedIn Ads",
    needs=frozenset({"start date", "campaign name", "total spent"}),
    day=frozenset({"start date"}),
    campaign=frozenset({"campaign id"}), campaign_name=frozenset({"campaign name"}),
    columns={
        "total spent": SPEND, "impressions": IMPRESSIONS, "clicks": CLICKS, "conversions": LEADS,
        "total conversion value": REVENUE,
    },
    not_added=frozenset({"reach", "ctr", "clicks to landing page", "average cpc"}), order="mdy",
)  # fmt: skip

LINKEDIN_API = Platform(
    "linkedin_ads_api", "LinkedIn Ads",
    needs=frozenset({"day", "cost in usd", "campaign id"}),
    day=frozenset({"day"}),
    campaign=frozenset({"campaign id"}),
    columns={"cost in usd": SPEND, "impressions": IMPRESSIONS, "clicks": CLICKS, "external website conversions": LEADS,
             "conversion value in local currency": REVENUE},
    not_added=frozenset({"approximate unique impressions", "cost in local currency"}), currency="USD",
)  # fmt: skip

ALL = (META_EN, META_RU, META_API, LINKEDIN, LINKEDIN_API, VK, MYTARGET, TELEGRAM_SPEND, TIKTOK, TELEGRAM)
