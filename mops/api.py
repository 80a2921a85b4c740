"""Registers every app's viewsets under `/api/v1/`."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import SimpleRouter

from kpis.api.backtest import BacktestViewSet
from kpis.api.facts import FactViewSet
from kpis.api.imports import ImportViewSet
from kpis.api.kpis import KpiViewSet, MetricViewSet
from kpis.api.stop_rules import StopRuleViewSet
from kpis.api.targets import TargetViewSet
from kpis.api.utm_rules import UtmRuleViewSet
from mops import views
from mops.webhooks.api import WebhookViewSet
from processes.api import DecisionViewSet
from processes.brief_api import BriefViewSet
from processes.drill_api import DrillViewSet
from processes.leaving_api import HandoverItemViewSet, HandoverViewSet, IndependenceViewSet
from processes.risk_api import RiskViewSet
from reports.api.dashboard import DashboardViewSet
from reports.api.discipline import DisciplineViewSet, StuckActionViewSet
from reports.api.meetings import MeetingViewSet
from reports.api.schedule import CompanyDayViewSet, WeekScheduleViewSet
from reports.api.summary import SummaryViewSet
from reports.api.weekly import WeeklyReportViewSet
from roles.api.channels import CampaignViewSet, ChannelViewSet
from roles.api.duties import OwnDutyViewSet, RoleDutyViewSet
from roles.api.people import MeView, PersonViewSet, RoleViewSet
from roles.api.registry import AccessViewSet, ContractorViewSet, DocumentViewSet

router = SimpleRouter()
router.register("people", PersonViewSet, basename="person")
router.register("people", RiskViewSet, basename="person-risk")
router.register("roles", RoleViewSet, basename="role")
router.register("roles", RoleDutyViewSet, basename="role-duty")
router.register("duties", OwnDutyViewSet, basename="own-duty")
router.register("channels", ChannelViewSet, basename="channel")
router.register("campaigns", CampaignViewSet, basename="campaign")
router.register("facts", FactViewSet, basename="fact")
router.register("imports", ImportViewSet, basename="import")
router.register("utm-rules", UtmRuleViewSet, basename="utm-rule")
router.register("metrics", MetricViewSet, basename="metric")
router.register("kpis", KpiViewSet, basename="kpi")
router.register("stop-rules/backtest", BacktestViewSet, basename="backtest")
router.register("stop-rules", StopRuleViewSet, basename="stop-rule")
router.register("targets", TargetViewSet, basename="target")
router.register("decisions", DecisionViewSet, basename="decision")
router.register("dashboard", DashboardViewSet, basename="dashboard")
router.register("meetings", MeetingViewSet, basename="meeting")
router.register("weekly-reports", WeeklyReportViewSet, basename="weekly-report")
router.register("summary", SummaryViewSet, basename="summary")
router.register("webhooks", WebhookViewSet, basename="webhook")
router.register("discipline", DisciplineViewSet, basename="discipline")
router.register("stuck-actions", StuckActionViewSet, basename="stuck-action")
router.register("week-schedule", WeekScheduleViewSet, basename="week-schedule")
router.register("company-days", CompanyDayViewSet, basename="company-day")
router.register("accesses", AccessViewSet, basename="access")
router.register("documents", DocumentViewSet, basename="document")
router.register("contractors", ContractorViewSet, basename="contractor")
router.register("briefs", BriefViewSet, basename="brief")
router.register("handovers", HandoverViewSet, basename="handover")
router.register("handover-items", HandoverItemViewSet, basename="handover-item")
router.register("drills", DrillViewSet, basename="drill")
router.register("independence", IndependenceViewSet, basename="independence")

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(permission_classes=[], throttle_classes=[]), name="api-schema"),
    path("docs/", views.api_docs, name="api-docs"),
    path("me/", MeView.as_view(), name="me"),
    path("c/<slug:company_slug>/", include(router.urls)),
]
