"""Discipline and stuck actions over REST: how the work of the week flows, and the choice about what was moved three times."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from kpis.api.figures import as_json
from kpis.periods import week_label
from processes.models import Action
from reports.api.weekly import ActionIn
from reports.filing import ActionDraft
from reports.models import CarryChoice
from reports.selectors import discipline as reads
from reports.selectors.carried import get_action, stuck_actions
from reports.services.carried import settle_carried
from roles.permissions import Permission
from roles.rest.viewsets import CompanyViewSet


class KeptOut(serializers.Serializer):
    """Plans or facts that were due. `rate`: share in time, null where nothing was due; excused ones count neither way."""

    on_time = serializers.IntegerField()
    late = serializers.IntegerField()
    missed = serializers.IntegerField()
    filled_after = serializers.IntegerField(help_text="of the missed ones, filed afterwards")
    excused = serializers.IntegerField()
    rate = serializers.CharField(allow_null=True)


class CycleOut(serializers.Serializer):
    """Median hours from the breach to the decision in force, and from there to the action done."""

    decide = serializers.CharField(allow_null=True)
    act = serializers.CharField(allow_null=True)
    count = serializers.IntegerField()
    done = serializers.IntegerField()


class DoneOut(serializers.Serializer):
    """Actions whose date fell into the weeks."""

    due = serializers.IntegerField()
    done = serializers.IntegerField()
    in_time = serializers.IntegerField()
    dropped = serializers.IntegerField()
    moved = serializers.IntegerField()
    rate = serializers.CharField(allow_null=True)


class DisciplineWeekOut(serializers.Serializer):
    week = serializers.CharField()
    plan = KeptOut()
    fact = KeptOut()


class DisciplineRoleOut(serializers.Serializer):
    """`trend`: share in time of the last six weeks less that of the six before."""

    name = serializers.CharField()
    plan = KeptOut()
    fact = KeptOut()
    trend = serializers.CharField(allow_null=True)
    cycle = CycleOut()
    actions = DoneOut()


class DisciplineOut(serializers.Serializer):
    plan = KeptOut()
    fact = KeptOut()
    cycle = CycleOut()
    actions = DoneOut()
    weeks = DisciplineWeekOut(many=True)
    roles = DisciplineRoleOut(many=True)


def _share(value) -> str | None:
    return as_json(value, "share")


def _kept(kept: reads.Kept) -> dict:
    return {**vars(kept), "rate": _share(kept.rate)}


def _cycle(cycle: reads.Cycle) -> dict:
    hours = {
        name: None if value is None else str(value) for name, value in (("decide", cycle.decide), ("act", cycle.act))
    }
    return {**vars(cycle), **hours}


def _done(done: reads.Done) -> dict:
    return {**vars(done), "rate": _share(done.rate)}


def _flow(row) -> dict:
    return {"plan": _kept(row.plan), "fact": _kept(row.fact), "cycle": _cycle(row.cycle), "actions": _done(row.actions)}


class DisciplineViewSet(CompanyViewSet):
    """Twelve weeks, the present one last; by week and by role, never by person."""

    serializer_class = DisciplineOut
    read_permission = Permission.VIEW_MONEY
    pagination_class = None

    @extend_schema(responses=DisciplineOut)
    def list(self, request):
        """On-time rates, cycle times and the share of actions done."""
        self.require(Permission.VIEW_MONEY)
        page = reads.discipline_page(company=self.company, at=timezone.now())
        return Response({
            **_flow(page),
            "weeks": [
                {"week": week_label(row.monday), "plan": _kept(row.plan), "fact": _kept(row.fact)} for row in page.weeks
            ],
            "roles": [{"name": row.name, "trend": _share(row.trend), **_flow(row)} for row in page.roles],
        })  # fmt: skip


class StuckActionOut(serializers.Serializer):
    id = serializers.IntegerField(source="pk")
    text = serializers.CharField()
    owner = serializers.IntegerField(source="owner_id")
    channel = serializers.CharField(source="channel.code", allow_null=True, default=None)
    due = serializers.DateField(source="due_on")
    carried = serializers.IntegerField(help_text="how many times it was moved")


class CarryChoiceIn(serializers.Serializer):
    """`pieces`: two at least, for a split; `owner` and `due`: for a hand-over; `due` alone for a raise."""

    choice = serializers.ChoiceField(CarryChoice.Choice.choices)
    reason = serializers.CharField(max_length=300)
    owner = serializers.IntegerField(required=False, allow_null=True)
    due = serializers.DateField(required=False, allow_null=True)
    pieces = ActionIn(many=True, required=False)


class CarryChoiceOut(serializers.Serializer):
    action = serializers.IntegerField(source="action_id")
    choice = serializers.CharField()
    reason = serializers.CharField()
    carried = serializers.IntegerField()
    made_by = serializers.IntegerField(source="made_by_id")
    made_at = serializers.DateTimeField()


class StuckActionViewSet(CompanyViewSet):
    """Actions that were moved three times: the stand-up drops, splits, hands over or raises them."""

    serializer_class = StuckActionOut
    lookup_value_regex = r"\d{1,18}"
    write_permissions = {"settle": (Permission.REVIEW_REPORT, Permission.SUBMIT_REPORT)}
    write_scope = "reports:write"

    @extend_schema(responses=StuckActionOut(many=True))
    def list(self, request):
        page = self.paginate_queryset(stuck_actions(company=self.company))
        return self.get_paginated_response(StuckActionOut(page, many=True).data)

    @extend_schema(request=CarryChoiceIn, responses={201: CarryChoiceOut})
    @action(detail=True, methods=["post"])
    def settle(self, request, pk=None):
        """The choice with its reason. 409 for an action that is closed or was moved less than three times."""
        found: Action = self.found(get_action(company=self.company, pk=int(pk)))
        given = CarryChoiceIn(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        kept = settle_carried(
            **self._acting(), action=found, choice=data["choice"],
            reason=data["reason"], owner_id=data.get("owner"), due_on=data.get("due"),
            pieces=[ActionDraft(one["text"], one.get("owner"), one.get("due")) for one in data.get("pieces", [])],
        )  # fmt: skip
        return Response(CarryChoiceOut(kept).data, status=201)
