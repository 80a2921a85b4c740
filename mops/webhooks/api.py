"""Webhooks over the API: endpoints, their deliveries, a test, and sending again."""

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from mops.models import WebhookDelivery, WebhookEndpoint
from mops.webhooks import endpoints
from mops.webhooks.catalogue import TYPES
from roles.permissions import Permission
from roles.rest.viewsets import CompanyViewSet

DELIVERY = OpenApiParameter("delivery", int, OpenApiParameter.PATH)


class WebhookSerializer(serializers.Serializer):
    """`url` begins with https:// and leads into no private network; `with_money`: amounts may be sent there."""

    id = serializers.IntegerField(source="pk", read_only=True)
    name = serializers.CharField(max_length=120)
    url = serializers.CharField(max_length=500)
    events = serializers.ListField(child=serializers.ChoiceField([kind.name for kind in TYPES]), allow_empty=False)
    with_money = serializers.BooleanField(required=False)
    active = serializers.BooleanField(required=False, write_only=True)
    state = serializers.ChoiceField(WebhookEndpoint.State.choices, read_only=True)


class NewWebhookSerializer(WebhookSerializer):
    """`secret` is shown in this answer only (null where an Idempotency-Key repeats it): `whsec_` and base64."""

    secret = serializers.CharField(read_only=True, allow_null=True)


class WebhookDeliverySerializer(serializers.Serializer):
    """`webhook_id` is the same in every attempt; `log`: the last attempts, `body`: what is sent, as text."""

    id = serializers.IntegerField(source="pk")
    webhook_id = serializers.UUIDField(source="uid")
    type = serializers.CharField(source="kind")
    state = serializers.ChoiceField(WebhookDelivery.State.choices)
    attempts = serializers.IntegerField()
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    sent_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    log = serializers.ListField(child=serializers.DictField())
    body = serializers.CharField()


class WebhookViewSet(CompanyViewSet):
    """Endpoints that are told about events, signed as Standard Webhooks ask."""

    serializer_class = WebhookSerializer
    read_permission = Permission.MANAGE_COMPANY
    write_permissions = dict.fromkeys(
        ("create", "partial_update", "destroy", "test", "replay"), Permission.MANAGE_COMPANY
    )
    lookup_value_regex = r"\d{1,18}"

    @extend_schema(responses=WebhookSerializer(many=True))
    def list(self, request, company_slug=None):
        page = self.paginate_queryset(endpoints.endpoints_of(company=self.company))
        return self.get_paginated_response(WebhookSerializer(page, many=True).data)

    @extend_schema(responses=WebhookSerializer)
    def retrieve(self, request, company_slug=None, pk=None):
        return Response(WebhookSerializer(self._endpoint(pk)).data)

    @extend_schema(request=WebhookSerializer, responses={201: NewWebhookSerializer})
    def create(self, request, company_slug=None):
        fields = self._fields(WebhookSerializer(data=request.data))
        fields.pop("active", None)
        endpoint, secret = endpoints.create_endpoint(**self._acting(), **fields)
        shown = WebhookSerializer(endpoint).data
        response = Response({**shown, "secret": secret}, status=201)
        response.kept_data = {**shown, "secret": None}
        return response

    @extend_schema(request=WebhookSerializer(partial=True), responses=WebhookSerializer)
    def partial_update(self, request, company_slug=None, pk=None):
        endpoint = self._endpoint(pk)
        fields = self._fields(WebhookSerializer(data=request.data, partial=True))
        active = fields.pop("active", None)
        if fields:
            endpoints.update_endpoint(**self._acting(), endpoint=endpoint, **fields)
        if active is not None:
            endpoints.switch_endpoint(**self._acting(), endpoint=endpoint, on=active)
        return Response(WebhookSerializer(self._endpoint(pk)).data)

    @extend_schema(request=None, responses={204: None})
    def destroy(self, request, company_slug=None, pk=None):
        endpoints.delete_endpoint(**self._acting(), endpoint=self._endpoint(pk))
        return Response(status=204)

    @extend_schema(responses=WebhookDeliverySerializer(many=True))
    @action(detail=True)
    def deliveries(self, request, company_slug=None, pk=None):
        """What the endpoint was sent, newest first."""
        rows = endpoints.deliveries_of(company=self.company, endpoint=self._endpoint(pk))
        return self.get_paginated_response(WebhookDeliverySerializer(self.paginate_queryset(rows), many=True).data)

    @extend_schema(request=None, responses={202: WebhookDeliverySerializer})
    @action(detail=True, methods=["post"])
    def test(self, request, company_slug=None, pk=None):
        """Queue an event `webhook.test`; it goes out within some seconds, its delivery says what came of it."""
        made = endpoints.test_delivery(company=self.company, endpoint=self._endpoint(pk), at=timezone.now())
        return Response(WebhookDeliverySerializer(made).data, status=202)

    @extend_schema(parameters=[DELIVERY], request=None, responses={202: WebhookDeliverySerializer})
    @action(detail=True, methods=["post"], url_path=r"deliveries/(?P<delivery>\d{1,18})/replay")
    def replay(self, request, company_slug=None, pk=None, delivery=None):
        """Send a delivery again with the same id and body."""
        row = self.found(endpoints.get_delivery(company=self.company, pk=delivery, endpoint=self._endpoint(pk)))
        endpoints.replay(**self._acting(), delivery=row)
        row.refresh_from_db()
        return Response(WebhookDeliverySerializer(row).data, status=202)

    def _endpoint(self, pk) -> WebhookEndpoint:
        return self.found(endpoints.get_endpoint(company=self.company, pk=pk))

    def _fields(self, serializer) -> dict:
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)
