"""Numbers: sources, loads, daily facts and their history, KPIs, targets, stop-rules and what their evaluation left behind."""

from kpis.models.deals import Deal, DealRevision, DealStage, UtmRule
from kpis.models.drafts import GridDraft
from kpis.models.facts import (
    CampaignMatch,
    ColumnMap,
    DailyFact,
    FactRevision,
    Import,
    Metric,
    MetricColumns,
    Source,
    UndoneFact,
    upload_folder,
    upload_path,
)
from kpis.models.findings import (
    Breach,
    DataIncident,
    Evaluation,
    EvaluationLog,
    EvaluationLogRevision,
    RuleState,
    ScopedRow,
    Verdict,
    once_per_scope,
)
from kpis.models.kpis import FunnelStage, Kpi, KpiVersion, Target
from kpis.models.rules import StopRule, StopRuleVersion

__all__ = [
    "Breach",
    "CampaignMatch",
    "ColumnMap",
    "DailyFact",
    "DataIncident",
    "Deal",
    "DealRevision",
    "DealStage",
    "Evaluation",
    "EvaluationLog",
    "EvaluationLogRevision",
    "FactRevision",
    "FunnelStage",
    "GridDraft",
    "Import",
    "Kpi",
    "KpiVersion",
    "Metric",
    "MetricColumns",
    "RuleState",
    "ScopedRow",
    "Source",
    "StopRule",
    "StopRuleVersion",
    "Target",
    "UndoneFact",
    "UtmRule",
    "Verdict",
    "once_per_scope",
    "upload_folder",
    "upload_path",
]
