"""`/utm-rules/`: whose channel the marks of a CRM's deals tell, and the marks that no rule fits."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from kpis.api.facts import clean
from kpis.api.figures import FigureField
from kpis.models import UtmRule
from kpis.selectors import deals as reads
from kpis.services.utm_rules import delete_rule, save_rule
from roles import selectors as who
from roles.permissions import Permission
from roles.rest.viewsets import CompanyViewSet
from roles.validation import refuse


class UtmRuleSerializer(serializers.Serializer):
    """Patterns with `*` and `?`; empty: any; `-`: no mark. `campaigns`: none, mark (as utm_campaign names it), one (`campaign`:
    its id in the source)."""

    id = serializers.IntegerField(source="pk", read_only=True)
    priority = serializers.IntegerField(min_value=1, max_value=999, required=False)
    utm_source = serializers.CharField(max_length=200, required=False, allow_blank=True)
    utm_medium = serializers.CharField(max_length=200, required=False, allow_blank=True)
    utm_campaign = serializers.CharField(max_length=200, required=False, allow_blank=True)
    utm_content = serializers.CharField(max_length=200, required=False, allow_blank=True)
    channel = serializers.CharField(source="channel.code", max_length=40)
    campaigns = serializers.ChoiceField(UtmRule.Campaigns.choices, required=False)
    campaign = serializers.CharField(
        source="campaign.external_id", max_length=120, required=False, allow_null=True, default=None
    )


class UnmatchedSerializer(serializers.Serializer):
    """Deals of one set of marks that no rule fits; `amount`: of the won ones, in the company's currency, null where it is not
    known or money is not shown to the caller."""

    utm_source = serializers.CharField()
    utm_medium = serializers.CharField()
    utm_campaign = serializers.CharField()
    deals = serializers.IntegerField()
    won = serializers.IntegerField()
    amount = FigureField(allow_null=True)
    first = serializers.DateField()
    last = serializers.DateField()


class UtmRuleViewSet(CompanyViewSet):
    """Rules in the order they are tried. Every change places all deals anew and recounts the daily facts."""

    serializer_class = UtmRuleSerializer
    lookup_value_regex = r"\d{1,18}"
    write_permissions = dict.fromkeys(("create", "partial_update", "destroy"), Permission.ENTER_FACTS)
    write_scope = "facts:write"

    @extend_schema(responses=UtmRuleSerializer(many=True))
    def list(self, request, company_slug=None):
        page = self.paginate_queryset(reads.utm_rules(company=self.company))
        return self.get_paginated_response(UtmRuleSerializer(page, many=True).data)

    @extend_schema(responses=UtmRuleSerializer)
    def retrieve(self, request, company_slug=None, pk=None):
        return Response(UtmRuleSerializer(self._rule(pk)).data)

    @extend_schema(request=UtmRuleSerializer, responses={201: UtmRuleSerializer})
    def create(self, request, company_slug=None):
        fields = self._fields(UtmRuleSerializer(data=request.data))
        saved = save_rule(**self._acting(), **fields)
        return Response(UtmRuleSerializer(saved.row).data, status=201)

    @extend_schema(request=UtmRuleSerializer(partial=True), responses=UtmRuleSerializer)
    def partial_update(self, request, company_slug=None, pk=None):
        rule = self._rule(pk)
        names = (
            "priority",
            "utm_source",
            "utm_medium",
            "utm_campaign",
            "utm_content",
            "channel",
            "campaigns",
            "campaign",
        )
        known = {name: getattr(rule, name) for name in names}
        fields = self._fields(UtmRuleSerializer(data=request.data, partial=True), rule.channel)
        saved = save_rule(**self._acting(), rule=rule, **(known | fields))
        return Response(UtmRuleSerializer(saved.row).data)

    @extend_schema(request=None, responses={204: None})
    def destroy(self, request, company_slug=None, pk=None):
        delete_rule(**self._acting(), rule=self._rule(pk))
        return Response(status=204)

    @extend_schema(responses=UnmatchedSerializer(many=True))
    @action(detail=False, pagination_class=None)
    def unmatched(self, request, company_slug=None):
        """The largest groups of deals that no rule fits, at most 200."""
        rows = UnmatchedSerializer(reads.unmatched(company=self.company).rows, many=True).data
        if not self.person.can(Permission.VIEW_MONEY):
            rows = [row | {"amount": None} for row in rows]
        return Response(rows)

    def _rule(self, pk) -> UtmRule:
        return self.found(reads.get_utm_rule(company=self.company, pk=pk))

    def _fields(self, serializer, channel=None) -> dict:
        """The given fields as the service takes them: codes of channel and campaign become their rows."""
        serializer.is_valid(raise_exception=True)
        fields = dict(serializer.validated_data)
        if "channel" in fields:
            channel = fields["channel"] = who.get_channel(company=self.company, code=clean(fields["channel"]["code"]))
            if channel is None:
                raise refuse("channel", "unknown_channel", _("There is no such channel."))
        external = (fields.pop("campaign", None) or {}).get("external_id")
        if external:
            fields["campaign"] = reads.campaign_of(company=self.company, channel=channel, text=clean(external))
            if fields["campaign"] is None:
                raise refuse(
                    "campaign",
                    "unknown",
                    _("The channel has no such campaign. Take its id from the list of campaigns."),
                )
        return fields
