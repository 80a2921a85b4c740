"""`/targets/`: plans of KPIs and metrics by month; a change is a new version with a reason."""

from datetime import date

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.response import Response

from kpis import periods
from kpis.api.facts import BadQuery, clean
from kpis.api.figures import FigureField, as_json
from kpis.selectors.measures import kpis_of, measures_from, metrics_of
from kpis.selectors.targets import visible_targets
from kpis.services.targets import set_target
from roles import selectors as who
from roles.permissions import Permission
from roles.refusals import FieldError
from roles.rest.viewsets import CompanyViewSet
from roles.validation import refuse

COMPANY = "company"


@extend_schema_field({"type": "string", "pattern": r"^\d{4}-\d{2}$", "example": "2026-11"})
class MonthField(serializers.Field):
    """A month as `2026-11`; a day of it is taken, too."""

    default_error_messages = {"invalid": gettext_lazy("Write the month as 2026-11.")}

    def to_representation(self, value) -> str:
        return periods.month_label(value)

    def to_internal_value(self, data):
        text = str(data)
        try:
            if len(text) == 10:
                return periods.month_start(date.fromisoformat(text))
            return periods.parse_month(text)
        except ValueError:
            self.fail("invalid")


class TargetSerializer(serializers.Serializer):
    """`kpi`: KPI or metric code. `scope`: a channel's code or `company`, which counts where none is given.

    A metric's plan is for the whole month (prorated by calendar days), a KPI's holds for each of its days; rates are
    shares. `valid_from`: the first day judged by this version, today without it.
    """

    id = serializers.IntegerField(source="pk", read_only=True)
    kpi = serializers.CharField(source="measure", max_length=40)
    scope = serializers.CharField(max_length=40, required=False, default=COMPANY)
    period = MonthField(source="month")
    value = FigureField()
    valid_from = serializers.DateField(required=False)
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    version = serializers.IntegerField(source="number", read_only=True)


class TargetViewSet(CompanyViewSet):
    """Plans, the newest version of each. Plans of money are listed only for who may see that money."""

    serializer_class = TargetSerializer
    write_permissions = {"create": Permission.MANAGE_KPIS}

    @extend_schema(
        parameters=[
            OpenApiParameter("kpi", str, description="KPI or metric code"),
            OpenApiParameter("scope", str, description="code of a channel, or company"),
            OpenApiParameter("period", str, description="a month, 2026-11"),
        ],
        responses=TargetSerializer(many=True),
    )
    def list(self, request, company_slug=None):
        measures, metrics = self._known()
        found = visible_targets(company=self.company, person=self.person, measures=measures, metrics=metrics)
        asked = request.query_params
        if asked.get("kpi"):
            found = found.filter(measure=clean(asked["kpi"]))
        if scope := asked.get("scope"):
            found = found.filter(channel=None) if scope == COMPANY else found.filter(channel__code=clean(scope))
        if text := asked.get("period"):
            found = found.filter(month=self._month(text))
        page = self.paginate_queryset(found)
        return self.get_paginated_response([self._shown(target, measures) for target in page])

    @extend_schema(request=TargetSerializer, responses={200: TargetSerializer, 201: TargetSerializer})
    def create(self, request, company_slug=None):
        """201 with the new version; 200 where the plan already is this one."""
        serializer = TargetSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        fields = dict(serializer.validated_data)
        channel, at = self._channel(fields.pop("scope")), timezone.now()
        target = set_target(company=self.company, by=self.person, at=at, channel=channel, **fields)
        return Response(self._shown(target, self._known()[0]), status=201 if target.created_at == at else 200)

    def _known(self) -> tuple[dict, dict]:
        metrics = metrics_of(company=self.company)
        return measures_from(metrics, kpis_of(company=self.company)), metrics

    def _channel(self, scope: str):
        if scope == COMPANY:
            return None
        channel = who.get_channel(company=self.company, code=clean(scope))
        if channel is None:
            raise refuse("scope", "unknown_channel", _("There is no such channel."))
        return channel

    @staticmethod
    def _month(text: str) -> date:
        try:
            return periods.parse_month(text)
        except ValueError as error:
            message = _("Write the month as 2026-11.")
            raise BadQuery(message, [FieldError("period", "invalid", message)]) from error

    @staticmethod
    def _shown(target, measures: dict) -> dict:
        measure = measures.get(target.measure)
        return {
            "id": target.pk,
            "kpi": target.measure,
            "scope": target.channel.code if target.channel else COMPANY,
            "period": periods.month_label(target.month),
            "value": as_json(target.value, measure.unit if measure else "number"),
            "valid_from": target.valid_from.isoformat(),
            "reason": target.reason,
            "version": target.number,
        }
