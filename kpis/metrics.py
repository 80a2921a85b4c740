"""The built-in metrics: additive numbers of a scope and day. No Django model: values only."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

SPARE_SLOTS = 12


@dataclass(frozen=True)
class MetricInfo:
    """A metric as every layer sees it. `column` is its column of the fact table; `signed` ones may be below zero."""

    code: str
    name: str
    unit: str  # money | count
    column: str
    signed: bool = False
    settling_days: int = 1
    own: bool = False


BUILT_IN: dict[str, MetricInfo] = {
    info.code: info
    for info in (
        MetricInfo("spend", _("Spend"), "money", "spend"),
        MetricInfo("impressions", _("Impressions"), "count", "impressions"),
        MetricInfo("clicks", _("Clicks"), "count", "clicks"),
        MetricInfo("visits", _("Visits"), "count", "visits"),
        MetricInfo("leads", _("Leads"), "count", "leads"),
        MetricInfo("qualified_leads", _("Qualified leads"), "count", "qualified_leads"),
        MetricInfo("deals", _("Deals"), "count", "deals"),
        MetricInfo("new_customers", _("New customers"), "count", "new_customers"),
        MetricInfo("revenue", _("Revenue"), "money", "revenue", signed=True),
        MetricInfo("gross_profit", _("Gross profit"), "money", "gross_profit", signed=True),
        MetricInfo("sends", _("Sends"), "count", "sends"),
        MetricInfo("delivered", _("Delivered"), "count", "delivered"),
        MetricInfo("unsubscribes", _("Unsubscribes"), "count", "unsubscribes"),
    )
}

SPARE_COLUMNS = tuple(f"extra_{slot}" for slot in range(1, SPARE_SLOTS + 1))
COLUMNS = (*(info.column for info in BUILT_IN.values()), *SPARE_COLUMNS)

DEFAULT_FUNNEL = ("visits", "leads", "qualified_leads", "deals")
