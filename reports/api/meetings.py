"""Stand-ups over REST: read only; the minutes once it has ended, money for who may see it."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from kpis.api.figures import FigureField, as_json
from kpis.periods import week_label
from reports.models import Meeting
from reports.selectors import meetings as selectors
from roles.rest.viewsets import CompanyViewSet


class MoneyOut(FigureField):
    def to_representation(self, value):
        return as_json(value, "money")


class DecisionMinutesOut(serializers.Serializer):
    number = serializers.CharField()
    text = serializers.CharField()
    now = serializers.BooleanField(help_text="signed during the meeting")


class ChannelMinutesOut(serializers.Serializer):
    channel = serializers.CharField(source="told.code")
    missing = serializers.BooleanField(source="told.missing", help_text="its report was not there")
    conclusion = serializers.CharField(source="told.conclusion")
    actions = serializers.ListField(source="told.actions", child=serializers.CharField())
    decisions = DecisionMinutesOut(source="told.decisions", many=True)
    earned = MoneyOut(allow_null=True)
    plan = MoneyOut(allow_null=True)


class MeetingOut(serializers.Serializer):
    id = serializers.IntegerField(source="pk")
    week = serializers.SerializerMethodField()
    state = serializers.ChoiceField(Meeting.State.choices)
    presenter = serializers.IntegerField(source="presenter_id", allow_null=True, help_text="person id")
    topics = serializers.ListField(child=serializers.CharField())
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)

    def get_week(self, meeting) -> str:
        return week_label(meeting.week)


class MeetingDetailOut(MeetingOut):
    seconds = serializers.IntegerField(help_text="how long it ran, suspensions left out")
    present = serializers.ListField(child=serializers.IntegerField(), help_text="person ids")
    channels = ChannelMinutesOut(many=True, help_text="empty before the end")
    seal = serializers.CharField(help_text="SHA-256 of the minutes, empty before the end")


class MeetingViewSet(CompanyViewSet):
    """Stand-ups, the latest week first. They are held on the page; here they are read."""

    serializer_class = MeetingOut
    lookup_value_regex = r"\d{1,18}"

    @extend_schema(responses=MeetingOut(many=True))
    def list(self, request):
        page = self.paginate_queryset(selectors.meetings(company=self.company))
        return self.get_paginated_response(MeetingOut(page, many=True).data)

    @extend_schema(responses=MeetingDetailOut)
    def retrieve(self, request, pk=None):
        """With its minutes; `earned` and `plan` are null for who may not see the channel's money."""
        meeting: Meeting = self.found(selectors.get_meeting(company=self.company, pk=int(pk)))
        told = selectors.minutes(meeting=meeting, person=self.person)
        meeting.channels = told.channels if told else []
        return Response(MeetingDetailOut(meeting).data)
