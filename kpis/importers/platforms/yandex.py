"""Yandex: the Reports API's table and the Report Master's file of Direct, and the visits of Metrica."""

from kpis.importers.platforms.platform import CLICKS, IMPRESSIONS, LEADS, REVENUE, SPEND, VISITS, Platform

DIRECT_API = Platform(
    "yandex_direct_api", "Яндекс Директ",
    needs=frozenset({"date", "campaignid", "cost"}),
    day=frozenset({"date"}),
    campaign=frozenset({"campaignid"}), campaign_name=frozenset({"campaignname"}),
    columns={"impressions": IMPRESSIONS, "clicks": CLICKS, "cost": SPEND, "conversions": LEADS, "revenue": REVENUE},
    whole_money=1_000_000, currency="RUB",
)  # fmt: skip

_CAMPAIGN_IDS = frozenset({"№ кампании", "id кампании", "номер кампании"})
_CAMPAIGNS = frozenset({"кампания", "название кампании"})
_COST = ("расход", "расход всего")

DIRECT = Platform(
    "yandex_direct", "Яндекс Директ",
    needs=frozenset({"показы", "клики"}), any_of=frozenset(_COST),
    day=frozenset({"дата"}),
    campaign=_CAMPAIGN_IDS, campaign_name=_CAMPAIGNS,
    columns={"показы": IMPRESSIONS, "клики": CLICKS, "конверсии": LEADS, "доход": REVENUE, **dict.fromkeys(_COST, SPEND)},
    not_added=frozenset({"взвешенные показы", "ctr", "wctr", "ср. цена клика", "цена цели", "cpa", "конверсия", "дрр", "рентабельность"}),
    order="dmy", currency="RUB",
)  # fmt: skip

METRICA = Platform(
    "yandex_metrica", "Яндекс Метрика",
    needs=frozenset({"визиты", "посетители"}),
    day=frozenset({"дата визита", "дата", "период"}),
    columns={"визиты": VISITS, "достижения цели": LEADS},
    not_added=frozenset({"посетители", "просмотры", "отказы", "глубина просмотра", "время на сайте", "конверсия", "целевые визиты"}),
    order="dmy",
)  # fmt: skip

ALL = (DIRECT_API, DIRECT, METRICA)
