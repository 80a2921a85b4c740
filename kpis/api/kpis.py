"""`/metrics/` and `/kpis/`: what is measured, how it is counted, and its values by period."""

from datetime import date, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.response import Response

from kpis.api.facts import BadQuery, clean, paged
from kpis.api.figures import FigureField, as_json, decimal_text
from kpis.models import KpiVersion
from kpis.problems import field_error
from kpis.selectors.kpi_values import GRAINS, current_versions, kpi_values, kpi_versions
from kpis.selectors.measures import KpiInfo, is_money, kpi_info, metrics_of
from kpis.services.kpis import create_kpi, revise_kpi
from roles import selectors as who
from roles.permissions import Permission
from roles.refusals import FieldError
from roles.rest.viewsets import CompanyViewSet

CODE = OpenApiParameter("code", str, OpenApiParameter.PATH)
LONGEST = timedelta(days=1100)
EARLIEST = date(2000, 1, 1)


class MetricSerializer(serializers.Serializer):
    """`unit`: money or count; `kind`: built_in or own."""

    code = serializers.CharField()
    name = serializers.CharField()
    unit = serializers.CharField(help_text="money or count")
    kind = serializers.CharField(help_text="built_in or own")


class KpiSerializer(serializers.Serializer):
    """`formula` over metric codes; rates are shares; `parent` is the KPI above in the tree; `version` counts changes."""

    code = serializers.CharField(max_length=40)
    name = serializers.CharField(max_length=80)
    formula = serializers.CharField(source="formula_text", max_length=300)
    better = serializers.ChoiceField(KpiVersion.Better.choices)
    unit = serializers.ChoiceField(KpiVersion.Unit.choices)
    parent = serializers.CharField(required=False, allow_null=True, allow_blank=True, max_length=40)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=500, write_only=True)
    built_in = serializers.BooleanField(source="is_builtin", read_only=True)
    version = serializers.IntegerField(source="number", read_only=True)
    valid_from = serializers.DateField(read_only=True)


class KpiPatchSerializer(KpiSerializer):
    """Every field is optional, a change needs `reason`; the code never changes."""

    code = serializers.CharField(read_only=True)


KpiValueRow = inline_serializer(
    "KpiValueRow",
    {
        "period": serializers.CharField(),
        "scope": serializers.CharField(help_text="code of the channel, or company"),
        "value": serializers.CharField(allow_null=True),
        "numerator": FigureField(allow_null=True),
        "denominator": FigureField(allow_null=True),
        "left_out": serializers.IntegerField(help_text="days of channels with a part of the metrics unknown"),
    },
    many=True,
)


class MetricViewSet(CompanyViewSet):
    """Built-in metrics and the company's own."""

    @extend_schema(responses=MetricSerializer(many=True))
    def list(self, request, company_slug=None):
        rows = [
            {"code": info.code, "name": str(info.name), "unit": info.unit, "kind": "own" if info.own else "built_in"}
            for info in metrics_of(company=self.company).values()
        ]
        return Response(paged(request, rows))


class KpiViewSet(CompanyViewSet):
    """KPIs: numerator over denominator, computed as a ratio of sums."""

    serializer_class = KpiSerializer
    lookup_field = "code"
    lookup_value_regex = "[-a-zA-Z0-9_]+"
    write_permissions = {"create": Permission.MANAGE_KPIS, "partial_update": Permission.MANAGE_KPIS}

    @extend_schema(responses=KpiSerializer(many=True))
    def list(self, request, company_slug=None):
        page = self.paginate_queryset(current_versions(company=self.company))
        return self.get_paginated_response(KpiSerializer([kpi_info(version) for version in page], many=True).data)

    @extend_schema(parameters=[CODE], responses=KpiSerializer)
    def retrieve(self, request, company_slug=None, code=None):
        return self._answer(kpi_info(self._versions(code)[0]))

    @extend_schema(request=KpiSerializer, responses={201: KpiSerializer})
    def create(self, request, company_slug=None):
        fields = self._fields(KpiSerializer(data=request.data))
        fields.setdefault("name_ru", fields.get("name_en"))
        version = create_kpi(**self._acting(), **fields)
        return self._answer(kpi_info(version), status=201)

    @extend_schema(parameters=[CODE], request=KpiPatchSerializer, responses=KpiSerializer)
    def partial_update(self, request, company_slug=None, code=None):
        current = self._versions(code)[0]
        self.check_etag(current.number)
        fields = {"reason": ""} | self._fields(KpiPatchSerializer(data=request.data, partial=True))
        seen = current.number if request.headers.get("If-Match") else None
        version = revise_kpi(
            **self._acting(), kpi=current.kpi, expected=seen, **fields
        )  # fmt: skip
        return self._answer(kpi_info(version))

    @extend_schema(
        parameters=[
            CODE,
            OpenApiParameter("from", date, description="first day, default 30 days up to `to`"),
            OpenApiParameter("to", date, description="last day, default today"),
            OpenApiParameter("channel", str, description="code of a channel; the whole company without it"),
            OpenApiParameter("grain", str, enum=GRAINS, description="default day"),
        ],
        responses=KpiValueRow,
    )
    @action(detail=True, pagination_class=None)
    def values(self, request, company_slug=None, code=None):
        """The KPI by period, a ratio of sums each; 403 where its money is not for the caller."""
        versions, asked = self._versions(code), request.query_params
        metrics, info = metrics_of(company=self.company), kpi_info(versions[0])
        channel = self._channel(asked.get("channel"))
        if is_money(info, metrics) and not self.person.can(Permission.VIEW_MONEY, channel):
            raise PermissionDenied(_("Money: not shown to your hats"))
        start, end = period_of(asked, self.company.local_date(timezone.now()))
        grain = asked.get("grain") or "day"
        if grain not in GRAINS:
            message = _("The grain is one of: %(known)s.") % {"known": ", ".join(GRAINS)}
            raise BadQuery(message, [FieldError("grain", "unknown", message)])
        found = kpi_values(
            company=self.company, versions=versions, metrics=metrics, start=start, end=end, grain=grain, channel=channel
        )
        above, below = self._units(info, metrics)
        scope = channel.code if channel else "company"
        return Response([
            {
                "period": row.period, "scope": scope, "value": decimal_text(row.value.value),
                "numerator": as_json(row.value.numerator, above), "denominator": as_json(row.value.denominator, below),
                "left_out": row.value.left_out,
            }
            for row in found
        ])  # fmt: skip

    @staticmethod
    def _units(info: KpiInfo, metrics: dict) -> tuple[str, str]:
        """Units of numerator and denominator: money where a metric of the side is money."""
        sides = (info.formula.numerator, info.formula.denominator)
        return tuple(
            "money" if any(metrics[code].unit == "money" for code, _factor in side) else "count" for side in sides
        )

    def _channel(self, code: str | None):
        if not code:
            return None
        channel = who.get_channel(company=self.company, code=clean(code))
        if channel is None:
            message = _("There is no such channel.")
            raise BadQuery(message, [FieldError("channel", "unknown_channel", message)])
        return channel

    def _versions(self, code: str) -> "list[KpiVersion]":
        return self.found(kpi_versions(company=self.company, code=code) or None)

    def _fields(self, serializer) -> dict:
        """The given fields as the services take them: `name` is the one in the company's language."""
        serializer.is_valid(raise_exception=True)
        fields = dict(serializer.validated_data)
        if "formula_text" in fields:
            fields["formula"] = fields.pop("formula_text")
        if "name" in fields:
            fields["name_en" if self.company.language == "en" else "name_ru"] = fields.pop("name")
        return fields

    def _answer(self, info: KpiInfo, status=200):
        return Response(KpiSerializer(info).data, status=status, headers={"ETag": self.etag(info.number)})


def period_of(asked, today: date) -> tuple[date, date]:
    """`from` and `to` of a query; 30 days up to today without them. Raises BadQuery."""
    days = {}
    for name in ("from", "to"):
        text = asked.get(name)
        try:
            days[name] = date.fromisoformat(text) if text else None
        except ValueError as error:
            raise BadQuery(_("The period is not right."), [field_error(name, "bad_date", text)]) from error
    end = days["to"] or today
    start = days["from"] or max(EARLIEST, end - timedelta(days=29))
    if start > end or end - start > LONGEST or start < EARLIEST:
        message = _("“from” comes before “to”, and a period has at most %(n)s days.") % {"n": LONGEST.days}
        raise BadQuery(message, [FieldError("from", "bad_period", message)])
    return start, end
