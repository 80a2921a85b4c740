"""The checklist of a hat: read by the company, ticked by whoever wears it, or deputises the absent holder."""

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from roles import checklists, selectors
from roles.models import RoleVersion
from roles.permissions import Permission
from roles.rest.viewsets import CompanyViewSet
from roles.services import duties
from roles.validation import refuse

STATES = ("done", "missed", "due", "vacant", "before")
CODE = OpenApiParameter("code", str, OpenApiParameter.PATH)


class DutyPeriodSerializer(serializers.Serializer):
    """`state`: done, missed, due (now), vacant (nobody wore the hat), before (not asked for yet). People are ids."""

    first_day = serializers.DateField(source="start")
    last_day = serializers.DateField(source="end")
    state = serializers.ChoiceField(STATES)
    ticked_by = serializers.IntegerField(source="tick.person_id", default=None, allow_null=True)
    instead_of = serializers.IntegerField(source="tick.instead_of_id", default=None, allow_null=True)
    ticked_at = serializers.DateTimeField(source="tick.at", default=None, allow_null=True)


class DutyRowSerializer(serializers.Serializer):
    """`periods`: oldest first, the last one is now."""

    key = serializers.CharField()
    cadence = serializers.ChoiceField(tuple(checklists.SHOWN))
    text = serializers.CharField()
    missed = serializers.IntegerField()
    periods = DutyPeriodSerializer(source="cells", many=True)


class ChecklistSerializer(serializers.Serializer):
    """One place of a hat. `channel`: a code, null for the company; `ticks`: who may tick today, the holder or the deputy."""

    role = serializers.CharField(source="version.role.code")
    channel = serializers.CharField(source="channel.code", default=None, allow_null=True)
    holder = serializers.IntegerField(source="holder.pk")
    ticks = serializers.IntegerField(source="by.pk")
    duties = DutyRowSerializer(source="rows", many=True)


class DutyTickSerializer(serializers.Serializer):
    """`channel`: for the hats of channels. `period`: the first day of the one that is meant, refused once it is over."""

    key = serializers.CharField(max_length=40)
    channel = serializers.CharField(required=False, allow_null=True, default=None)
    period = serializers.DateField(required=False, allow_null=True, default=None)


class OwnDutyViewSet(CompanyViewSet):
    """What the caller may tick today: of the own hats, and of those worn for somebody who is away."""

    serializer_class = ChecklistSerializer
    read_permission = Permission.DO_TASKS
    pagination_class = None

    @extend_schema(operation_id="own_duties", responses=ChecklistSerializer(many=True))
    def list(self, request):
        today = self.company.local_date(timezone.now())
        found = checklists.my_checklists(company=self.company, person=self.person, today=today)
        return Response(ChecklistSerializer(found, many=True).data)


class RoleDutyViewSet(CompanyViewSet):
    """The checklists of a role, one for each place that somebody wears; a vacant role has none."""

    serializer_class = ChecklistSerializer
    pagination_class = None
    lookup_field = "code"
    read_permission = Permission.READ
    write_permissions = dict.fromkeys(("tick", "untick"), Permission.DO_TASKS)
    write_scope = "tasks:write"

    @extend_schema(operation_id="role_duties", parameters=[CODE], responses=ChecklistSerializer(many=True))
    @action(detail=True)
    def duties(self, request, code):
        return Response(ChecklistSerializer(self._checklists(self._role(code)), many=True).data)

    @extend_schema(parameters=[CODE], request=DutyTickSerializer, responses=ChecklistSerializer(many=True))
    @action(detail=True, methods=["post"], url_path="duties/tick")
    def tick(self, request, code):
        """The duty is done in the period of today; 409 when it is ticked already, or when the period meant is over."""
        return self._write(duties.tick_duty, code)

    @extend_schema(parameters=[CODE], request=DutyTickSerializer, responses=ChecklistSerializer(many=True))
    @action(detail=True, methods=["post"], url_path="duties/untick")
    def untick(self, request, code):
        """Take the tick of this period back; nothing happens where there is none."""
        return self._write(duties.untick_duty, code)

    def _write(self, service, code) -> Response:
        """The caller's own list of that place as it stands now, and no other: a contractor reads no more of the role."""
        version = self._role(code)
        body = DutyTickSerializer(data=self.request.data)
        body.is_valid(raise_exception=True)
        fields = dict(body.validated_data)
        channel = self._channel(fields.pop("channel"))
        today = self.company.local_date(timezone.now())
        service(**self._acting(), today=today, role=version.role, channel=channel, **fields)
        mine = [
            one for one in self._checklists(version) if one.channel == channel and self.person in (one.by, one.holder)
        ]
        return Response(ChecklistSerializer(mine, many=True).data)

    def _channel(self, code: str | None):
        if code is None:
            return None
        found = selectors.get_channel(company=self.company, code=code)
        if found is None:
            message = _("There is no channel with the code %(code)s.") % {"code": code}
            raise refuse("channel", "unknown_channel", message)
        return found

    def _role(self, code: str) -> RoleVersion:
        return self.found(selectors.roles(company=self.company).filter(role__code=code).first())

    def _checklists(self, version: RoleVersion) -> list[checklists.Checklist]:
        today = self.company.local_date(timezone.now())
        return checklists.checklists(company=self.company, version=version, today=today)
