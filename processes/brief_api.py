"""Briefs of contractors for both sides: the company writes, sends and judges; the contractor's people take, return, deliver."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from processes import briefing, briefs
from processes.models import Brief
from roles import contracts, selectors
from roles.permissions import Permission
from roles.rest.versions import row_version
from roles.rest.viewsets import CompanyViewSet
from roles.validation import refuse

ID = OpenApiParameter("id", int, OpenApiParameter.PATH)


class CriterionSerializer(serializers.Serializer):
    text = serializers.CharField()
    met = serializers.BooleanField()


class BriefSerializer(serializers.Serializer):
    """`channel`: a code. `state`: draft, sent, returned, accepted (in work), delivered, rework, done, cancelled."""

    id = serializers.IntegerField(source="pk")
    contractor = serializers.IntegerField(source="contractor_id")
    channel = serializers.CharField(source="channel.code", default=None, allow_null=True)
    title = serializers.CharField()
    text = serializers.CharField()
    criteria = CriterionSerializer(many=True)
    due_on = serializers.DateField()
    state = serializers.ChoiceField(Brief.State.choices)
    reason = serializers.CharField()
    author = serializers.IntegerField(source="author_id")
    sent_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)
    delivery_url = serializers.CharField()
    delivery_text = serializers.CharField()
    judged_by = serializers.IntegerField(source="judged_by_id", allow_null=True)
    judged_at = serializers.DateTimeField(allow_null=True)
    returns = serializers.IntegerField()


class BriefWriteSerializer(serializers.Serializer):
    """`criteria`: sentences; the contract's channels and days bound the brief."""

    contractor = serializers.IntegerField()
    channel = serializers.CharField(required=False, allow_null=True)
    title = serializers.CharField(max_length=200)
    text = serializers.CharField()
    criteria = serializers.ListField(child=serializers.CharField(max_length=300), max_length=briefing.MOST_CRITERIA)
    due_on = serializers.DateField()


class BriefPatchSerializer(BriefWriteSerializer):
    contractor = None


class BriefReasonSerializer(serializers.Serializer):
    reason = serializers.CharField(allow_blank=True, max_length=2000)


class BriefMetSerializer(serializers.Serializer):
    """Places of the criteria that are met, from 0: all of them, or the work is not accepted."""

    met = serializers.ListField(child=serializers.IntegerField(min_value=0), max_length=briefing.MOST_CRITERIA)


class BriefDeliverySerializer(serializers.Serializer):
    """A link to the result, words about it, or both."""

    delivery_url = serializers.CharField(required=False, allow_blank=True, max_length=500)
    delivery_text = serializers.CharField(required=False, allow_blank=True)


class BriefViewSet(CompanyViewSet):
    """`?contractor=<id>` and `?state=` narrow the list.

    A contractor's person sees what was sent by the own contract, and answers it by `take`, `return`, `deliver`.
    """

    serializer_class = BriefSerializer
    lookup_field = "id"
    lookup_value_regex = "[0-9]+"
    read_permission = (Permission.READ, Permission.DO_TASKS)
    write_scope = "tasks:write"
    write_permissions = dict.fromkeys(
        ("create", "partial_update", "send", "accept_work", "return_work", "cancel"), Permission.READ
    ) | dict.fromkeys(("take", "return_brief", "deliver"), Permission.DO_TASKS)

    @extend_schema(
        parameters=[OpenApiParameter("contractor", int), OpenApiParameter("state", str)],
        responses=BriefSerializer(many=True),
    )
    def list(self, request, company_slug=None):
        found = briefs.visible_briefs(company=self.company, person=self.person)
        if (asked := request.query_params.get("contractor", "")).isdecimal():
            found = found.filter(contractor_id=int(asked))
        if state := request.query_params.get("state"):
            found = found.filter(state=state)
        return self.get_paginated_response(BriefSerializer(self.paginate_queryset(found), many=True).data)

    @extend_schema(parameters=[ID], responses=BriefSerializer)
    def retrieve(self, request, company_slug=None, id=None):
        return self._answer(self._brief(id))

    @extend_schema(request=BriefWriteSerializer, responses={201: BriefSerializer})
    def create(self, request, company_slug=None):
        fields = self._fields(BriefWriteSerializer(data=request.data))
        return self._answer(briefing.create_brief(**self._acting(), **fields), status=201)

    @extend_schema(parameters=[ID], request=BriefPatchSerializer, responses=BriefSerializer)
    def partial_update(self, request, company_slug=None, id=None):
        brief = self._brief(id)
        self.check_etag(row_version(brief))
        fields = self._fields(BriefPatchSerializer(data=request.data, partial=True))
        return self._answer(briefing.update_brief(**self._acting(), brief=brief, **fields))

    @extend_schema(parameters=[ID], request=None, responses=BriefSerializer)
    @action(detail=True, methods=["post"])
    def send(self, request, company_slug=None, id=None):
        return self._answer(briefing.send_brief(**self._acting(), brief=self._brief(id)))

    @extend_schema(parameters=[ID], request=None, responses=BriefSerializer)
    @action(detail=True, methods=["post"])
    def take(self, request, company_slug=None, id=None):
        """The contractor's people take it to work."""
        return self._answer(briefing.take_brief(**self._acting(), brief=self._brief(id)))

    @extend_schema(parameters=[ID], request=BriefReasonSerializer, responses=BriefSerializer)
    @action(detail=True, methods=["post"], url_path="return")
    def return_brief(self, request, company_slug=None, id=None):
        """The contractor's people send it back: what is missing or cannot be done."""
        return self._step(briefing.return_brief, BriefReasonSerializer(data=request.data), id)

    @extend_schema(parameters=[ID], request=BriefDeliverySerializer, responses=BriefSerializer)
    @action(detail=True, methods=["post"])
    def deliver(self, request, company_slug=None, id=None):
        """The contractor's people hand the work in."""
        return self._step(briefing.deliver_brief, BriefDeliverySerializer(data=request.data), id)

    @extend_schema(parameters=[ID], request=BriefMetSerializer, responses=BriefSerializer)
    @action(detail=True, methods=["post"], url_path="accept-work")
    def accept_work(self, request, company_slug=None, id=None):
        return self._step(briefing.accept_work, BriefMetSerializer(data=request.data), id)

    @extend_schema(parameters=[ID], request=BriefReasonSerializer, responses=BriefSerializer)
    @action(detail=True, methods=["post"], url_path="return-work")
    def return_work(self, request, company_slug=None, id=None):
        return self._step(briefing.return_work, BriefReasonSerializer(data=request.data), id)

    @extend_schema(parameters=[ID], request=BriefReasonSerializer, responses=BriefSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request, company_slug=None, id=None):
        return self._step(briefing.cancel_brief, BriefReasonSerializer(data=request.data), id)

    def _step(self, service, serializer, pk):
        brief = self._brief(pk)
        serializer.is_valid(raise_exception=True)
        return self._answer(service(**self._acting(), brief=brief, **serializer.validated_data))

    def _fields(self, serializer) -> dict:
        serializer.is_valid(raise_exception=True)
        fields = dict(serializer.validated_data)
        if "contractor" in fields:
            found = contracts.get_contractor(company=self.company, pk=fields["contractor"])
            fields["contractor"] = self._known("contractor", found)
        if fields.get("channel"):
            found = selectors.get_channel(company=self.company, code=fields["channel"])
            fields["channel"] = self._known("channel", found)
        return fields

    @staticmethod
    def _known(field: str, found):
        if found is None:
            raise refuse(field, "unknown", _("There is no such thing in this company."))
        return found

    def _brief(self, pk) -> Brief:
        brief = self.found(briefs.get_brief(company=self.company, pk=int(pk)))
        return self.found(brief if briefs.may_see(person=self.person, brief=brief) else None)

    def _answer(self, brief: Brief, status=200):
        return Response(BriefSerializer(brief).data, status=status, headers={"ETag": self.etag(row_version(brief))})
