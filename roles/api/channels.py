"""Channels and campaigns. Budgets and stop-losses are money: null for who may not see it on that channel."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from roles import selectors
from roles.models import Channel
from roles.permissions import Permission
from roles.rest.fields import AmountField
from roles.rest.versions import row_version
from roles.rest.viewsets import CompanyViewSet
from roles.services import campaigns as campaign_service
from roles.services import channels as channel_service
from roles.validation import refuse

CODE = OpenApiParameter("code", str, OpenApiParameter.PATH)
ID = OpenApiParameter("id", int, OpenApiParameter.PATH)
STATUSES = Channel.Status.choices


class MoneyHidden(serializers.Serializer):
    """A serializer whose `money` fields are null for a person who may not see money on the channel."""

    money: tuple[str, ...] = ()

    def to_representation(self, instance):
        shown = super().to_representation(instance)
        channel = getattr(instance, "channel_id", instance.pk)
        if not self.context["person"].can(Permission.VIEW_MONEY, channel):
            shown.update(dict.fromkeys(self.money))
        return shown


class ChannelSerializer(MoneyHidden):
    """`owner` and `coordinator` are ids of people; giving another owner makes an appointment. `tolerance` is a share."""

    money = ("monthly_budget", "test_budget", "tolerance", "stop_loss")

    code = serializers.SlugField(max_length=40)
    name = serializers.CharField(max_length=120)
    kind = serializers.ChoiceField(Channel.Kind.choices)
    status = serializers.ChoiceField(STATUSES, required=False)
    priority = serializers.ChoiceField(Channel.Priority.choices, required=False)
    priority_reason = serializers.CharField(max_length=300, required=False, allow_blank=True)
    owner = serializers.IntegerField(source="owner_id", required=False, allow_null=True)
    coordinator = serializers.IntegerField(source="coordinator_id", required=False, allow_null=True)
    result_kpi = serializers.SlugField(max_length=40, required=False)
    monthly_budget = AmountField(required=False, allow_null=True, min_value=0)
    test_budget = AmountField(required=False, allow_null=True, min_value=0)
    tolerance = AmountField(required=False, allow_null=True, min_value=0)
    stop_loss = AmountField(required=False, allow_null=True, min_value=0)


class ChannelPatchSerializer(ChannelSerializer):
    """Every field is optional; the code never changes. `reason` goes to the journal; a budget, tolerance or
    stop-loss that a budget rule reads changes with one only."""

    code = None
    reason = serializers.CharField(max_length=300, required=False, write_only=True)


class CampaignSerializer(MoneyHidden):
    """`channel` is a code; `external_id` is the campaign's id in the source."""

    money = ("budget", "tolerance", "stop_loss")

    id = serializers.IntegerField(source="pk", read_only=True)
    channel = serializers.SlugField(source="channel.code")
    external_id = serializers.CharField(max_length=120)
    name = serializers.CharField(max_length=200)
    status = serializers.ChoiceField(STATUSES, required=False)
    series = serializers.CharField(max_length=80, required=False, allow_blank=True)
    budget = AmountField(required=False, allow_null=True, min_value=0)
    tolerance = AmountField(required=False, allow_null=True, min_value=0)
    stop_loss = AmountField(required=False, allow_null=True, min_value=0)


class CampaignPatchSerializer(CampaignSerializer):
    """Every field is optional; the channel never changes. `reason` goes to the journal; a budget, tolerance or
    stop-loss that a budget rule reads changes with one only."""

    channel = serializers.SlugField(source="channel.code", read_only=True)
    reason = serializers.CharField(max_length=300, required=False, write_only=True)


class ChannelViewSet(CompanyViewSet):
    """Channels; the project manager and the owner change them, the marketing director sets the priority."""

    serializer_class = ChannelSerializer
    lookup_field = "code"
    write_permissions = {
        "create": Permission.MANAGE_COMPANY,
        "partial_update": (Permission.MANAGE_COMPANY, Permission.SET_PRIORITY),
    }

    @extend_schema(responses=ChannelSerializer(many=True))
    def list(self, request, company_slug=None):
        page = self.paginate_queryset(selectors.bare_channels(company=self.company))
        return self.get_paginated_response(self._shown(page, many=True))

    @extend_schema(parameters=[CODE], responses=ChannelSerializer)
    def retrieve(self, request, company_slug=None, code=None):
        return self._answer(self.found(selectors.get_channel(company=self.company, code=code)))

    @extend_schema(request=ChannelSerializer, responses={201: ChannelSerializer})
    def create(self, request, company_slug=None):
        fields = self._fields(ChannelSerializer(data=request.data))
        channel = channel_service.create_channel(**self._acting(), **fields)
        return self._answer(channel, status=201)

    @extend_schema(parameters=[CODE], request=ChannelPatchSerializer, responses=ChannelSerializer)
    @transaction.atomic
    def partial_update(self, request, company_slug=None, code=None):
        found = self.found(selectors.get_channel(company=self.company, code=code))
        channel = selectors.lock_channel(company=self.company, pk=found.pk)
        self.check_etag(row_version(channel))
        fields = self._fields(ChannelPatchSerializer(data=request.data, partial=True))
        if not self.person.can(Permission.MANAGE_COMPANY) and set(fields) - {"priority", "priority_reason", "reason"}:
            raise channel_service.NotYours(
                _("You set the priority; the project manager or the owner changes the rest.")
            )
        return self._answer(channel_service.update_channel(**self._acting(), channel=channel, **fields))

    def _acting(self) -> dict:
        now = timezone.now()
        return {"company": self.company, "by": self.person, "at": now, "today": self.company.local_date(now)}

    def _fields(self, serializer) -> dict:
        """The given fields as the services take them, people looked up in this company."""
        serializer.is_valid(raise_exception=True)
        fields = dict(serializer.validated_data)
        for name in ("owner", "coordinator"):
            if f"{name}_id" in fields:
                pk = fields.pop(f"{name}_id")
                fields[name] = None if pk is None else self._person(name, pk)
        return fields

    def _person(self, field: str, pk: int):
        person = selectors.get_person_by_id(company=self.company, pk=pk)
        if person is None:
            raise refuse(field, "unknown_person", _("There is no such person in the company."))
        return person

    def _shown(self, channels, many=False):
        return ChannelSerializer(channels, many=many, context={"person": self.person}).data

    def _answer(self, channel, status=200):
        return Response(self._shown(channel), status=status, headers={"ETag": self.etag(row_version(channel))})


class CampaignViewSet(CompanyViewSet):
    """Campaigns; `?channel=<code>` lists those of one channel."""

    serializer_class = CampaignSerializer
    lookup_field = "id"
    lookup_value_regex = "[0-9]+"
    write_permissions = {"create": Permission.MANAGE_COMPANY, "partial_update": Permission.MANAGE_COMPANY}

    @extend_schema(parameters=[OpenApiParameter("channel", str)], responses=CampaignSerializer(many=True))
    def list(self, request, company_slug=None):
        campaigns = selectors.campaigns(company=self.company)
        if code := request.query_params.get("channel"):
            campaigns = campaigns.filter(channel__code=code)
        return self.get_paginated_response(self._shown(self.paginate_queryset(campaigns), many=True))

    @extend_schema(parameters=[ID], responses=CampaignSerializer)
    def retrieve(self, request, company_slug=None, id=None):
        return self._answer(self.found(selectors.get_campaign(company=self.company, pk=int(id))))

    @extend_schema(request=CampaignSerializer, responses={201: CampaignSerializer})
    def create(self, request, company_slug=None):
        fields = self._fields(CampaignSerializer(data=request.data))
        code = fields.pop("channel")["code"]
        channel = selectors.get_channel(company=self.company, code=code)
        if channel is None:
            raise refuse(
                "channel", "unknown_channel", _("There is no channel with the code %(code)s.") % {"code": code}
            )
        campaign = campaign_service.create_campaign(**self._acting(), channel=channel, **fields)
        return self._answer(campaign, status=201)

    @extend_schema(parameters=[ID], request=CampaignPatchSerializer, responses=CampaignSerializer)
    @transaction.atomic
    def partial_update(self, request, company_slug=None, id=None):
        found = self.found(selectors.get_campaign(company=self.company, pk=int(id)))
        campaign = selectors.lock_campaign(company=self.company, pk=found.pk)
        self.check_etag(row_version(campaign))
        fields = self._fields(CampaignPatchSerializer(data=request.data, partial=True))
        return self._answer(campaign_service.update_campaign(**self._acting(), campaign=campaign, **fields))

    @staticmethod
    def _fields(serializer) -> dict:
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def _shown(self, campaigns, many=False):
        return CampaignSerializer(campaigns, many=many, context={"person": self.person}).data

    def _answer(self, campaign, status=200):
        return Response(self._shown(campaign), status=status, headers={"ETag": self.etag(row_version(campaign))})
