"""The independence index with what is behind it, departures with what they hand over, and the successors' own word."""

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from processes.independence import history
from processes.independence.index import index_of, without_each
from processes.leaving import plans, services
from processes.leaving.house import open_house
from processes.models import Handover, HandoverItem
from roles import selectors
from roles.models import Membership
from roles.permissions import Permission
from roles.rest.viewsets import CompanyViewSet
from roles.validation import refuse

SHOWN_DAYS = 365


class ThingSerializer(serializers.Serializer):
    """An object of a part; `lack` null: it counts. `step`: what to do about it, in words."""

    name = serializers.CharField()
    lack = serializers.CharField(allow_null=True)
    step = serializers.CharField(source="lack.step", default=None, allow_null=True)
    role = serializers.IntegerField(source="role_id", allow_null=True)
    channel = serializers.CharField(source="channel.code", default=None, allow_null=True)
    access = serializers.IntegerField(source="access_id", allow_null=True)


class PartSerializer(serializers.Serializer):
    """`share` of the objects that count; `weight`, `points`: of 100; `gain`: points that the next `step` brings."""

    code = serializers.CharField(source="part")
    name = serializers.CharField(source="part.label")
    share = serializers.DecimalField(max_digits=8, decimal_places=4)
    weight = serializers.DecimalField(max_digits=8, decimal_places=2)
    points = serializers.DecimalField(max_digits=8, decimal_places=2)
    gain = serializers.DecimalField(max_digits=8, decimal_places=2)
    step = ThingSerializer(allow_null=True)
    evidence = ThingSerializer(source="things", many=True)


class AloneSerializer(serializers.Serializer):
    """The index as it would be if this person (an id) were not there any more."""

    person = serializers.IntegerField()
    value = serializers.IntegerField(allow_null=True)


class IndexDaySerializer(serializers.Serializer):
    day = serializers.DateField()
    value = serializers.IntegerField(allow_null=True)


class IndependenceSerializer(serializers.Serializer):
    """`value` null: there is nothing to measure yet. `history`: kept days of a year, oldest first."""

    value = serializers.IntegerField(allow_null=True)
    parts = PartSerializer(many=True)
    without = AloneSerializer(many=True)
    history = IndexDaySerializer(many=True)


class HandoverItemSerializer(serializers.Serializer):
    """`successor`: a person's id. `channel`: a code. `person`: who leaves, an id; `last_day`: theirs."""

    id = serializers.IntegerField(source="pk")
    handover = serializers.IntegerField(source="handover_id")
    person = serializers.IntegerField(source="handover.person_id")
    last_day = serializers.DateField(source="handover.last_day")
    kind = serializers.ChoiceField(HandoverItem.Kind.choices)
    name = serializers.CharField(source="label")
    channel = serializers.CharField(source="channel.code", default=None, allow_null=True)
    successor = serializers.IntegerField(source="successor_id", allow_null=True)
    state = serializers.ChoiceField(HandoverItem.State.choices)
    note = serializers.CharField()
    asked_at = serializers.DateTimeField(allow_null=True)
    answered_at = serializers.DateTimeField(allow_null=True)
    passed_at = serializers.DateTimeField(allow_null=True)


class HandoverSerializer(serializers.Serializer):
    """A departure. `person`: an id; `trouble`: why the membership could not be ended on its day."""

    id = serializers.IntegerField(source="pk")
    person = serializers.IntegerField(source="person_id")
    last_day = serializers.DateField()
    reason = serializers.CharField()
    state = serializers.ChoiceField(Handover.State.choices)
    trouble = serializers.CharField()
    left_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    items = HandoverItemSerializer(many=True)


class HandoverStartSerializer(serializers.Serializer):
    """`person`: an id. `last_day` is today with `at_once`, which ends the membership now."""

    person = serializers.IntegerField()
    last_day = serializers.DateField(required=False)
    reason = serializers.CharField(allow_blank=True, max_length=300)
    at_once = serializers.BooleanField(required=False, default=False)

    def validate(self, fields: dict) -> dict:
        if "last_day" not in fields and not fields["at_once"]:
            raise serializers.ValidationError(
                {"last_day": self.fields["last_day"].error_messages["required"]}, "required"
            )
        return fields


class HandoverCancelSerializer(serializers.Serializer):
    """`reason`: why the person stays."""

    reason = serializers.CharField(allow_blank=True, max_length=300)


class HandoverAnswerSerializer(serializers.Serializer):
    """`note`: why not; needed for a no."""

    agrees = serializers.BooleanField()
    note = serializers.CharField(required=False, allow_blank=True, max_length=300)


class HandoverSuccessorSerializer(serializers.Serializer):
    """`successor`: a person's id; null: nobody is needed, `note` says why."""

    successor = serializers.IntegerField(allow_null=True)
    note = serializers.CharField(required=False, allow_blank=True, max_length=300, default="")


def fields_of(view: CompanyViewSet, serializer_class) -> dict:
    """What the body of a request says, or 400 with every wrong field."""
    body = serializer_class(data=view.request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


def person_of(view: CompanyViewSet, field: str, pk: int) -> Membership:
    """Somebody of the company by the id in a body; a stranger is unknown."""
    found = selectors.get_person_by_id(company=view.company, pk=pk)
    if found is None:
        raise refuse(field, "unknown", _("There is no such thing in this company."))
    return found


class IndependenceViewSet(CompanyViewSet):
    """How far marketing stands on the system and not on single people, today."""

    serializer_class = IndependenceSerializer
    read_permission = Permission.VIEW_MONEY
    pagination_class = None

    @extend_schema(operation_id="independence", responses=IndependenceSerializer)
    def list(self, request, company_slug=None):
        self.require(Permission.VIEW_MONEY)
        now = timezone.now()
        today = self.company.local_date(now)
        house = open_house(company=self.company, on=today, at=now, money=False)
        found = index_of(house)
        body = {
            "value": found.value, "parts": found.parts,
            "without": [{"person": person, "value": value} for person, value in without_each(house).items()],
            "history": history.history(company=self.company, since=today - timedelta(days=SHOWN_DAYS)),
        }  # fmt: skip
        return Response(IndependenceSerializer(body).data)


class HandoverViewSet(CompanyViewSet):
    """Departures, each with what it hands over; the lines are answered at `handover-items/`."""

    serializer_class = HandoverSerializer
    read_permission = Permission.MANAGE_COMPANY
    write_permissions = dict.fromkeys(("create", "cancel", "close"), Permission.MANAGE_COMPANY)
    lookup_value_regex = r"\d{1,18}"

    @extend_schema(responses=HandoverSerializer(many=True))
    def list(self, request):
        page = self.paginate_queryset(plans.handovers(company=self.company))
        return self.get_paginated_response(HandoverSerializer(page, many=True).data)

    @extend_schema(responses=HandoverSerializer)
    def retrieve(self, request, pk):
        return Response(HandoverSerializer(self._handover(pk)).data)

    @extend_schema(request=HandoverStartSerializer, responses={201: HandoverSerializer})
    def create(self, request):
        """Begin a departure: everything the person holds becomes a line with a proposed successor."""
        fields = fields_of(self, HandoverStartSerializer)
        fields["person"] = person_of(self, "person", fields["person"])
        fields.setdefault("last_day", self.company.local_date(timezone.now()))
        made = services.start_handover(**self._acting(), **fields)
        return Response(HandoverSerializer(self._handover(made.pk)).data, status=201)

    @extend_schema(request=HandoverCancelSerializer, responses=HandoverSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request, pk):
        """The person stays after all; 409 once they have left."""
        handover = self._handover(pk)
        services.cancel_handover(**self._acting(), handover=handover, **fields_of(self, HandoverCancelSerializer))
        return Response(HandoverSerializer(self._handover(pk)).data)

    @extend_schema(request=None, responses=HandoverSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request, pk):
        """409 naming what is left, or while the person is still here."""
        services.close_handover(**self._acting(), handover=self._handover(pk))
        return Response(HandoverSerializer(self._handover(pk)).data)

    def _handover(self, pk) -> Handover:
        return self.found(plans.get_handover(company=self.company, pk=int(pk)))


class HandoverItemViewSet(CompanyViewSet):
    """What somebody who leaves would hand to the caller; managers ask another person."""

    serializer_class = HandoverItemSerializer
    read_permission = Permission.DO_TASKS
    write_permissions = {"answer": Permission.DO_TASKS, "successor": Permission.MANAGE_COMPANY}
    lookup_value_regex = r"\d{1,18}"

    @property
    def write_scope(self) -> str:
        return "tasks:write" if self.action == "answer" else "admin"

    @extend_schema(responses=HandoverItemSerializer(many=True))
    def list(self, request):
        """Lines that wait for the caller's word."""
        page = self.paginate_queryset(plans.waiting_for(company=self.company, person=self.person))
        return self.get_paginated_response(HandoverItemSerializer(page, many=True).data)

    @extend_schema(request=HandoverAnswerSerializer, responses=HandoverItemSerializer)
    @action(detail=True, methods=["post"])
    def answer(self, request, pk):
        """The word of the one who was asked, and of nobody else; 409 when the departure is over."""
        item, fields = self._item(pk), fields_of(self, HandoverAnswerSerializer)
        services.answer(**self._acting(), item=item, **fields)
        return self._answer(pk)

    @extend_schema(request=HandoverSuccessorSerializer, responses=HandoverItemSerializer)
    @action(detail=True, methods=["post"])
    def successor(self, request, pk):
        """Ask another person, who then has to agree, or let it lapse where the company may do without."""
        item, fields = self._item(pk), fields_of(self, HandoverSuccessorSerializer)
        if fields["successor"] is None:
            services.let_lapse(**self._acting(), item=item, note=fields["note"])
            return self._answer(pk)
        successor = person_of(self, "successor", fields["successor"])
        services.name_successor(**self._acting(), item=item, successor=successor)
        return self._answer(pk)

    def _item(self, pk) -> HandoverItem:
        return self.found(plans.get_item(company=self.company, pk=int(pk)))

    def _answer(self, pk) -> Response:
        return Response(HandoverItemSerializer(self._item(pk)).data)
