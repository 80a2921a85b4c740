"""Fire drills: what would have stopped had a person been away for a week. Nothing happens by one."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from processes.leaving import drill, plans
from processes.leaving_api import fields_of, person_of
from processes.models import Drill
from roles.permissions import Permission
from roles.rest.viewsets import CompanyViewSet


class StopSerializer(serializers.Serializer):
    """`stand_in`: the name of who would have picked it up; null: it would have stopped."""

    what = serializers.ChoiceField(tuple(drill.WHAT))
    name = serializers.CharField()
    stand_in = serializers.SerializerMethodField()

    def get_stand_in(self, row: dict) -> str | None:
        return row["stand_in"] or None


class DrillSerializer(serializers.Serializer):
    """`person`, `run_by`: ids. `stopped`: as it was found on that day, and never again changed."""

    id = serializers.IntegerField(source="pk")
    person = serializers.IntegerField(source="person_id")
    first_day = serializers.DateField()
    last_day = serializers.DateField()
    run_by = serializers.IntegerField(source="run_by_id", allow_null=True)
    run_at = serializers.DateTimeField()
    stopped = StopSerializer(many=True)


class DrillStartSerializer(serializers.Serializer):
    """`person`: whose absence is rehearsed, an id."""

    person = serializers.IntegerField()


class DrillViewSet(CompanyViewSet):
    """Rehearsals of an absence; `?person=<id>` narrows the list."""

    serializer_class = DrillSerializer
    read_permission = Permission.VIEW_MONEY
    write_permissions = {"create": Permission.MANAGE_COMPANY}
    lookup_value_regex = r"\d{1,18}"

    @extend_schema(parameters=[OpenApiParameter("person", int)], responses=DrillSerializer(many=True))
    def list(self, request):
        self.require(Permission.VIEW_MONEY)
        found = plans.drills(company=self.company)
        if (asked := request.query_params.get("person", "")).isdecimal():
            found = found.filter(person_id=int(asked))
        return self.get_paginated_response(DrillSerializer(self.paginate_queryset(found), many=True).data)

    @extend_schema(responses=DrillSerializer)
    def retrieve(self, request, pk):
        self.require(Permission.VIEW_MONEY)
        found: Drill = self.found(plans.drills(company=self.company).filter(pk=int(pk)).first())
        return Response(DrillSerializer(found).data)

    @extend_schema(request=DrillStartSerializer, responses={201: DrillSerializer})
    def create(self, request):
        """Rehearse seven days from today without the person. Writes the drill and nothing else."""
        person = person_of(self, "person", fields_of(self, DrillStartSerializer)["person"])
        return Response(DrillSerializer(drill.run_drill(**self._acting(), person=person)).data, status=201)
