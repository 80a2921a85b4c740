"""The built-in KPIs: formula, direction, unit and place in the tree that leads up to money. Values only, no Django model."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BuiltInKpi:
    """A KPI every company begins with; `parent` is a code of this catalogue, None at the top. Rates are shares."""

    code: str
    name_ru: str
    name_en: str
    formula: str
    better: str  # higher | lower
    unit: str  # money | share | number
    parent: str | None = None


BUILT_IN_KPIS: dict[str, BuiltInKpi] = {
    kpi.code: kpi
    for kpi in (
        BuiltInKpi("cpl", "CPL", "CPL", "spend / leads", "lower", "money", "cpa"),
        BuiltInKpi("cpa", "CPA", "CPA", "spend / qualified_leads", "lower", "money", "cac"),
        BuiltInKpi("cac", "CAC", "CAC", "spend / new_customers", "lower", "money", "romi"),
        BuiltInKpi("roas", "ROAS", "ROAS", "revenue / spend", "higher", "number", "romi"),
        BuiltInKpi("romi", "ROMI", "ROMI", "(gross_profit - spend) / spend", "higher", "share"),
        BuiltInKpi("drr", "ДРР", "Cost share", "spend / revenue", "lower", "share", "romi"),
        BuiltInKpi("ctr", "CTR", "CTR", "clicks / impressions", "higher", "share", "cpl"),
        BuiltInKpi("aov", "Средний чек", "AOV", "revenue / deals", "higher", "money", "roas"),
        BuiltInKpi(
            "unsubscribe_rate", "Доля отписок", "Unsubscribe rate", "unsubscribes / delivered", "lower", "share",
            "repeat_share",
        ),
        BuiltInKpi("lead_rate", "Из визита в лид", "Visit to lead", "leads / visits", "higher", "share", "cpl"),
        BuiltInKpi(
            "qualified_rate", "Из лида в заявку", "Lead to qualified lead", "qualified_leads / leads", "higher", "share",
            "cpa",
        ),
        BuiltInKpi(
            "deal_rate", "Из заявки в договор", "Qualified lead to deal", "deals / qualified_leads", "higher", "share",
            "cac",
        ),
        BuiltInKpi(
            "repeat_share", "Доля повторных", "Repeat share", "(deals - new_customers) / deals", "higher", "share",
            "roas",
        ),
    )
}  # fmt: skip
