"""The decisions of the API: what waits, what was decided, signing, the second signature, withdrawing."""

from dataclasses import asdict

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from processes import documents, selectors, services
from processes.models import Choice, Decision
from processes.terms import Terms
from roles.permissions import Permission
from roles.rest.viewsets import CompanyViewSet

MONEY = {"max_digits": 20, "decimal_places": 6, "required": False, "allow_null": True}


class SubjectSerializer(serializers.Serializer):
    channel = serializers.CharField(help_text="code")
    campaign = serializers.IntegerField(allow_null=True)
    name = serializers.CharField()


class OptionSerializer(serializers.Serializer):
    """A choice with its consequences per day; null where they are unknown or may not be seen."""

    choice = serializers.ChoiceField(choices=Choice)
    recommended = serializers.BooleanField()
    saves_per_day = serializers.CharField(allow_null=True, required=False)
    forgoes_per_day = serializers.CharField(allow_null=True, required=False)
    costs_per_day = serializers.CharField(allow_null=True, required=False)
    spend_per_day = serializers.CharField(allow_null=True, required=False)


class SignatureSerializer(serializers.Serializer):
    person = serializers.IntegerField(help_text="id")
    name = serializers.CharField()
    signed_as = serializers.CharField(help_text="role kind")
    part = serializers.CharField(help_text="sign, cosign or refuse")
    choice = serializers.CharField()
    reason = serializers.CharField()
    at = serializers.DateTimeField()


class DecisionSerializer(serializers.Serializer):
    """`burned_since`: money over the line since the first breaching day; `money_at_stake`: that per day."""

    id = serializers.IntegerField()
    number = serializers.CharField(help_text="2026-118")
    question = serializers.CharField()
    kind = serializers.CharField()
    subject = SubjectSerializer()
    evidence = serializers.DictField()
    options = OptionSerializer(many=True)
    recommendation = serializers.CharField(allow_null=True)
    burned_since = serializers.CharField(allow_null=True)
    money_at_stake = serializers.CharField(allow_null=True)
    opened_at = serializers.DateTimeField()
    deadline = serializers.DateTimeField()
    round = serializers.IntegerField()
    state = serializers.ChoiceField(choices=Decision.State)
    evidence_changed = serializers.BooleanField()
    may_sign = serializers.BooleanField()
    must_cosign = serializers.ListField(
        child=serializers.ChoiceField(choices=Choice), help_text="choices that need a second signature from this caller"
    )
    choice = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    terms = serializers.DictField()
    signed_by = serializers.CharField(allow_null=True)
    signed_by_id = serializers.IntegerField(allow_null=True)
    signed_at = serializers.DateTimeField(allow_null=True)
    effective_at = serializers.DateTimeField(allow_null=True)
    review_on = serializers.DateField(allow_null=True)
    signatures = SignatureSerializer(many=True)
    seal = serializers.CharField(allow_null=True)


class SignSerializer(serializers.Serializer):
    """The choice with its terms; terms of other choices are not looked at."""

    choice = serializers.CharField(help_text=", ".join(Choice.values))
    reason = serializers.CharField(allow_blank=True, max_length=4000)
    until = serializers.DateField(required=False, allow_null=True)
    extra_spend = serializers.DecimalField(**MONEY)
    budget = serializers.DecimalField(**MONEY)
    resume_on = serializers.DateField(required=False, allow_null=True)
    keep = serializers.ListField(child=serializers.IntegerField(), required=False, max_length=1000)
    assignee = serializers.IntegerField(required=False, allow_null=True, help_text="person id")
    checker = serializers.IntegerField(
        required=False, allow_null=True, help_text="person id; named by an owner who runs the channel"
    )
    due = serializers.DateField(required=False, allow_null=True)
    expected = serializers.CharField(required=False, allow_blank=True, max_length=300)
    expected_value = serializers.DecimalField(**MONEY, help_text="of the rule's KPI, in its own unit")
    expected_on = serializers.DateField(required=False, allow_null=True, help_text="the review opens on this day")
    evidence_seen = serializers.BooleanField(
        required=False, help_text="the signer has read that the rule no longer fires; needed when it does not"
    )

    def to_service(self) -> dict:
        """The body as `sign_decision` takes it."""
        given = dict(self.validated_data)
        first = {name: given.pop(name) for name in ("choice", "reason")}
        seen = given.pop("evidence_seen", False)
        return {**first, "evidence_seen": seen, "terms": Terms(**given)}


class CosignSerializer(serializers.Serializer):
    approve = serializers.BooleanField(default=True, help_text="false refuses: the question is open again")
    reason = serializers.CharField(required=False, allow_blank=True, max_length=4000, default="")


class WithdrawSerializer(serializers.Serializer):
    reason = serializers.CharField(allow_blank=True, max_length=300)


class DecisionViewSet(CompanyViewSet):
    """Decisions about stop-rules. Amounts are null for callers who may not see the channel's money."""

    read_permission = Permission.READ
    write_permissions = {"sign": Permission.READ, "cosign": Permission.READ, "withdraw": Permission.READ}
    write_scope = "decisions:write"
    serializer_class = DecisionSerializer
    lookup_value_regex = r"\d{1,18}"

    @extend_schema(
        parameters=[OpenApiParameter("state", str, enum=list(Decision.State.values))],
        responses=DecisionSerializer(many=True),
    )
    def list(self, request):
        """In the order they opened; `?state=` narrows."""
        found = selectors.decisions_in_state(company=self.company, state=request.query_params.get("state", ""))
        rows = self.paginate_queryset(found)
        return self.get_paginated_response(DecisionSerializer(self._views(rows), many=True).data)

    @extend_schema(responses=DecisionSerializer)
    def retrieve(self, request, pk):
        return self._answer(pk)

    @extend_schema(request=SignSerializer, responses=DecisionSerializer)
    @action(detail=True, methods=["post"])
    def sign(self, request, pk):
        """409 with `signed_by`, `signed_at` when somebody was faster; 403 with `who_may`."""
        body = self._body(SignSerializer)
        services.sign_decision(decision=self._decision(pk), **self._acting(), **body.to_service())
        return self._answer(pk)

    @extend_schema(request=CosignSerializer, responses=DecisionSerializer)
    @action(detail=True, methods=["post"])
    def cosign(self, request, pk):
        """The second signature, or its refusal with a reason."""
        body = self._body(CosignSerializer)
        services.cosign_decision(decision=self._decision(pk), **self._acting(), **body.validated_data)
        return self._answer(pk)

    @extend_schema(request=WithdrawSerializer, responses=DecisionSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request, pk):
        """After restated data, while the rule no longer fires; 409 while it does."""
        body = self._body(WithdrawSerializer)
        services.withdraw_decision(decision=self._decision(pk), **self._acting(), **body.validated_data)
        return self._answer(pk)

    def _body(self, serializer):
        body = serializer(data=self.request.data)
        body.is_valid(raise_exception=True)
        return body

    def _decision(self, pk) -> Decision:
        return self.found(selectors.get_decision(company=self.company, pk=int(pk)))

    def _answer(self, pk) -> Response:
        return Response(DecisionSerializer(self._views([self._decision(pk)])[0]).data)

    def _views(self, rows):
        views = documents.decision_views(company=self.company, person=self.person, decisions=rows, at=timezone.now())
        return [asdict(view) for view in views]
