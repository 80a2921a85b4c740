"""Google: the campaign report of Ads (English, Russian, German, French) and the daily table of Analytics 4."""

from kpis.importers.platforms.platform import CLICKS, IMPRESSIONS, LEADS, REVENUE, SPEND, VISITS, Platform

ADS_EN = Platform(
    "google_ads", "Google Ads",
    needs=frozenset({"campaign", "cost", "impr."}),
    day=frozenset({"day", "date"}),
    campaign=frozenset({"campaign id"}), campaign_name=frozenset({"campaign"}),
    columns={"cost": SPEND, "impr.": IMPRESSIONS, "clicks": CLICKS, "conversions": LEADS, "conv. value": REVENUE},
    not_added=frozenset({"ctr", "avg. cpc", "avg. cost", "cost / conv.", "conv. rate", "interactions"}), order="mdy",
)  # fmt: skip

ADS_RU = Platform(
    "google_ads_ru", "Google Ads",
    needs=frozenset({"день", "кампания", "показы", "клики"}),
    day=frozenset({"день"}),
    campaign=frozenset({"идентификатор кампании", "id кампании"}), campaign_name=frozenset({"кампания"}),
    columns={
        "стоимость": SPEND, "цена": SPEND, "показы": IMPRESSIONS, "клики": CLICKS, "конверсии": LEADS,
        "ценность конв.": REVENUE, "ценность конверсии": REVENUE,
    },
    not_added=frozenset({"ctr", "сред. цена за клик", "стоимость/конв.", "коэфф. конв."}), order="dmy",
)  # fmt: skip

ADS_API = Platform(
    "google_ads_api", "Google Ads",
    needs=frozenset({"cost micros", "date"}),
    day=frozenset({"date"}),
    campaign=frozenset({"campaign id", "id"}), campaign_name=frozenset({"campaign name"}),
    columns={"cost micros": SPEND, "impressions": IMPRESSIONS, "clicks": CLICKS, "conversions": LEADS,
             "conversions value": REVENUE},
    divide=1_000_000, whole_money=1_000_000,
)  # fmt: skip

ANALYTICS = Platform(
    "ga4", "Google Analytics",
    needs=frozenset({"sessions"}),
    day=frozenset({"date", "day"}),
    columns={"sessions": VISITS, "key events": LEADS, "total revenue": REVENUE},
    not_added=frozenset({"users", "total users", "new users", "active users", "engagement rate", "bounce rate", "pageviews", "avg. session duration"}),
    order="mdy",
)  # fmt: skip

UNIVERSAL = Platform(
    "universal_analytics", "Google Analytics",
    needs=frozenset({"day index", "sessions"}),
    day=frozenset({"day index"}),
    columns={"sessions": VISITS},
    not_added=frozenset({"users", "new users", "bounce rate", "pageviews", "avg. session duration", "pages / session", "% new sessions"}),
    order="mdy",
)  # fmt: skip

ALL = (ADS_API, ADS_EN, ADS_RU, UNIVERSAL, ANALYTICS)
