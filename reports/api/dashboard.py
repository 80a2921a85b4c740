"""The owner's page over REST."""

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from kpis.api.figures import FigureField
from processes.selectors import waiting_decisions
from reports.documents import dashboard_document
from reports.selectors import dashboard as selectors
from reports.spans import KINDS, Span, read_span
from roles.permissions import Permission
from roles.refusals import FieldError, Refused
from roles.rest.viewsets import CompanyViewSet


class SpanNotUnderstood(Refused):
    code = "invalid_period"


class DashboardFigure(serializers.Serializer):
    kpi = serializers.CharField(help_text="KPI or metric code")
    value = FigureField(allow_null=True)
    plan = FigureField(allow_null=True, help_text="of the days that are over")
    goal = FigureField(allow_null=True, help_text="of the whole period")
    forecast = FigureField(allow_null=True, help_text="value × days of the period / days over; null for ratios")
    year_before = FigureField(allow_null=True)


class DashboardDecision(serializers.Serializer):
    id = serializers.IntegerField()
    question = serializers.CharField()
    state = serializers.CharField()
    channel = serializers.CharField(allow_null=True)
    burned_since = serializers.CharField(allow_null=True)
    money_at_stake = serializers.CharField(allow_null=True, help_text="money over the line per day")
    opened_at = serializers.DateTimeField()
    deadline = serializers.DateTimeField()
    overdue = serializers.BooleanField()


class DashboardChannel(serializers.Serializer):
    code = serializers.CharField()
    kind = serializers.CharField()
    status = serializers.CharField()
    state = serializers.CharField(help_text="worst state of its stop-rules, or what it does where it does not run")
    metrics = serializers.DictField(child=FigureField(allow_null=True))
    earned = serializers.CharField(allow_null=True)
    romi = serializers.CharField(allow_null=True)
    plan = serializers.CharField(allow_null=True, help_text="earned as planned for the days that are over")


class DashboardStage(serializers.Serializer):
    metric = serializers.CharField()
    value = FigureField(allow_null=True)
    conversion = serializers.CharField(allow_null=True, help_text="from the stage above")
    norm = serializers.CharField(allow_null=True, help_text="the same over the 12 months before")


class DashboardDiscipline(serializers.Serializer):
    week = serializers.CharField()
    plan_on_time = serializers.IntegerField()
    plan_due = serializers.IntegerField()
    fact_on_time = serializers.IntegerField()
    fact_due = serializers.IntegerField()
    missing = serializers.ListField(child=serializers.CharField(), help_text="channels whose fact is overdue")


class DashboardFreshness(serializers.Serializer):
    source = serializers.CharField()
    state = serializers.CharField(help_text="fresh, late, silent, never, once")
    last_day = serializers.DateField(allow_null=True)


class DashboardDocument(serializers.Serializer):
    """`earned` = gross profit − spend over the (channel, day) pairs where both are known; `left_out` pairs know only one."""

    period = serializers.CharField(help_text="2026-11")
    to = serializers.DateField(allow_null=True, help_text="the last day that is over")
    earned = serializers.CharField(allow_null=True)
    romi = serializers.CharField(allow_null=True)
    plan = serializers.CharField(allow_null=True)
    goal = serializers.CharField(allow_null=True)
    forecast = serializers.CharField(allow_null=True)
    year_before = serializers.CharField(allow_null=True)
    left_out = serializers.IntegerField()
    figures = DashboardFigure(many=True)
    decisions = DashboardDecision(many=True)
    channels = DashboardChannel(many=True)
    funnel = DashboardStage(many=True)
    discipline = DashboardDiscipline(allow_null=True)
    freshness = DashboardFreshness(many=True)

    def get_fields(self):
        """`from` is no name Python allows for a field."""
        return {**super().get_fields(), "from": serializers.DateField()}


class DashboardViewSet(CompanyViewSet):
    """What the owner's page shows: money, figures, decisions that wait, channels, funnel, discipline, freshness."""

    serializer_class = DashboardDocument
    read_permission = Permission.VIEW_MONEY
    pagination_class = None

    @extend_schema(
        parameters=[
            OpenApiParameter("month", str, description="2026-11; the month of yesterday without any of these"),
            OpenApiParameter("week", str, description="2026-W47"),
            OpenApiParameter("quarter", str, description="2026-Q4"),
            OpenApiParameter("year", str, description="2026"),
        ],
        responses=DashboardDocument,
    )
    def list(self, request):
        """The dashboard of a month, or of a week, quarter or year."""
        self.require(Permission.VIEW_MONEY)
        now = timezone.now()
        span = self._span(request.query_params, now)
        page = selectors.dashboard(company=self.company, span=span, at=now)
        return Response(dashboard_document(page, waiting_decisions(company=self.company, at=now)))

    def _span(self, asked, now) -> Span:
        try:
            return read_span(asked, self.company.local_date(now))
        except ValueError as error:
            field = next((kind for kind in KINDS if asked.get(kind)), "period")
            message = _(
                "Give the period as month=2026-11, week=2026-W47, quarter=2026-Q4 or year=2026; not a future one."
            )
            raise SpanNotUnderstood(message, [FieldError(field, "invalid", message)]) from error
