"""What would stop if a person left tomorrow, as their risk page tells it: for who sees the money of the company."""

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from processes.independence.index import index_of
from processes.leaving.house import open_house
from processes.leaving.risk import Risk, risk_of
from roles.permissions import Permission
from roles.rest.viewsets import CompanyViewSet

WEEKLY = {"max_digits": 20, "decimal_places": 2, "allow_null": True}


class _OnChannelSerializer(serializers.Serializer):
    channel = serializers.CharField(source="channel.code", default=None, allow_null=True)


class RiskHatSerializer(_OnChannelSerializer):
    """A hat nobody else wears; `deputy` null: nobody would stand in."""

    name = serializers.CharField()
    deputy = serializers.IntegerField(source="deputy.pk", default=None, allow_null=True)


class RiskChannelSerializer(_OnChannelSerializer):
    """A running channel on this person; money per week, the mean of four weeks, null where nothing is known."""

    spend = serializers.DecimalField(source="earning.spend", **WEEKLY)
    revenue = serializers.DecimalField(source="earning.revenue", **WEEKLY)
    deputy = serializers.IntegerField(source="deputy.pk", default=None, allow_null=True)


class RiskWorkSerializer(serializers.Serializer):
    """Work that in 90 days only this person did; `channel`: a name, empty for none."""

    name = serializers.CharField()
    channel = serializers.CharField()
    times = serializers.IntegerField()


class RiskThingSerializer(serializers.Serializer):
    """`id` of the thing in its own list; `alone`: nobody else administers the access, or knows the contractor."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    alone = serializers.BooleanField(required=False)


class RiskDeputySerializer(_OnChannelSerializer):
    """Whom the person would stand in for."""

    person = serializers.IntegerField(source="person_id")


class RiskIndexSerializer(serializers.Serializer):
    """The independence index today and without the person; null: there is nothing to measure yet."""

    value = serializers.IntegerField(allow_null=True)
    without = serializers.IntegerField(allow_null=True)


class RiskSerializer(serializers.Serializer):
    """`money`: revenue per week of the channels nobody would stand in for, null where none of it is known;
    `without_figures`: codes of the channels that are not in it; `approvals`: rights nobody else has."""

    person = serializers.IntegerField(source="risk.person.pk")
    money = serializers.DecimalField(source="risk.money", **WEEKLY)
    without_figures = serializers.ListField(child=serializers.CharField())
    index = RiskIndexSerializer()
    channels = RiskChannelSerializer(source="risk.channels", many=True)
    hats = RiskHatSerializer(source="risk.hats", many=True)
    approvals = serializers.ListField(source="risk.approvals", child=serializers.CharField())
    work = RiskWorkSerializer(source="risk.work", many=True)
    decisions = RiskThingSerializer(many=True)
    actions = RiskThingSerializer(many=True)
    stop_rules = RiskThingSerializer(many=True)
    sources = RiskThingSerializer(many=True)
    checks = RiskThingSerializer(many=True)
    accesses = RiskThingSerializer(many=True)
    documents = RiskThingSerializer(many=True)
    contractors = RiskThingSerializer(many=True)
    coordinates = serializers.ListField(child=serializers.CharField(), help_text="codes of channels")
    deputises = RiskDeputySerializer(source="risk.deputises", many=True)
    tokens = serializers.IntegerField(source="risk.tokens")


class RiskViewSet(CompanyViewSet):
    """What stands on one person."""

    serializer_class = RiskSerializer
    read_permission = Permission.VIEW_MONEY
    pagination_class = None
    lookup_value_regex = r"\d{1,18}"

    @extend_schema(
        operation_id="person_risk",
        parameters=[OpenApiParameter("id", int, OpenApiParameter.PATH)],
        responses=RiskSerializer,
    )
    @action(detail=True, url_name="risk")
    def risk(self, request, pk):
        """404 for who is not in the company any more."""
        self.require(Permission.VIEW_MONEY)
        now = timezone.now()
        house = open_house(company=self.company, on=self.company.local_date(now), at=now)
        person = self.found(next((one for one in house.people if one.pk == int(pk)), None))
        index = {"value": index_of(house).value, "without": index_of(house, without=person).value}
        return Response(RiskSerializer(_body(risk_of(house, person)) | {"index": index}).data)


def _body(risk: Risk) -> dict:
    locked_in, unknown = risk.locked_in, risk.unknown_to_others
    return {
        "risk": risk,
        "without_figures": [row.code for row in risk.without_figures],
        "decisions": [_thing(row.pk, row.question) for row in risk.decisions],
        "actions": [_thing(row.pk, row.text) for row in risk.actions],
        "stop_rules": [_thing(row.rule_id, row.name) for row in risk.rules],
        "sources": [_thing(row.pk, row.name) for row in risk.sources],
        "checks": [_thing(row.pk, f"{row.person}: {row.what}") for row in risk.checks],
        "accesses": [_thing(row.pk, row, alone=row in locked_in) for row in risk.accesses],
        "documents": [_thing(row.pk, row.title) for row in risk.documents],
        "contractors": [_thing(row.pk, row.name, alone=row in unknown) for row in risk.contractors],
        "coordinates": [row.code for row in risk.coordinates],
    }


def _thing(pk: int, name, **more) -> dict:
    return {"id": pk, "name": str(name), **more}
