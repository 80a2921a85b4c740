"""`/stop-rules/`: rules as versions with reasons, what the machine says of each day, evaluating now."""

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from kpis.api.facts import paged
from kpis.api.figures import as_json, decimal_text
from kpis.api.rule_log import LogDayOut, log_json
from kpis.fleet.traces import LOG_DAYS
from kpis.models import StopRuleVersion
from kpis.rule_terms import WrongTerms
from kpis.selectors import stop_rules as reads
from kpis.selectors.measures import metrics_of, money_metrics
from kpis.selectors.rule_days import scope_days, units_of
from kpis.services.evaluations import evaluate_now
from kpis.services.stop_rules import create_stop_rule, revise_stop_rule
from roles import selectors as who
from roles.models import Channel, Company
from roles.permissions import Permission
from roles.refusals import FieldError
from roles.rest.viewsets import CompanyViewSet

PK = OpenApiParameter("id", int, OpenApiParameter.PATH)
DAYS = 30
Version = StopRuleVersion


class WindowSerializer(serializers.Serializer):
    """`n` days; `m` of them for m_of_n; `k` lines of spend for since_conversion; `max_span` calendar days, 2n + 1 unless given.

    Of a budget: its `period`, and the `tolerance`, a share of it (0.1 unless given; the rule's `line` is 1 + tolerance).
    """

    kind = serializers.ChoiceField(Version.Window.choices, source="window", required=False)
    n = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=1000)
    m = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=1000)
    k = serializers.DecimalField(19, 6, required=False, allow_null=True)
    max_span = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=1000)
    period = serializers.ChoiceField(Version.Period.choices, required=False, allow_null=True)
    tolerance = serializers.DecimalField(19, 6, required=False, allow_null=True, min_value=0, max_value=1000)


class RuleScopeSerializer(serializers.Serializer):
    """One channel by its code, or all of a kind, or all; judged per channel or per campaign."""

    channel = serializers.CharField(required=False, allow_null=True, allow_blank=True, max_length=40)
    kind = serializers.ChoiceField(Channel.Kind.choices, source="channel_kind", required=False, allow_null=True, allow_blank=True)  # fmt: skip
    per = serializers.ChoiceField(Version.Per.choices, required=False)


class StopRuleSerializer(serializers.Serializer):
    """Lines of shares are shares (0.008). What is left out follows the KPI: see the defaults in each field."""

    id = serializers.IntegerField(read_only=True)
    number = serializers.CharField(read_only=True)
    name = serializers.CharField(max_length=160)
    kpi = serializers.CharField(
        max_length=40, required=False, help_text="needed except for a budget, which watches spend"
    )
    comparison = serializers.ChoiceField(Version.Comparison.choices, required=False)
    line = serializers.DecimalField(
        19, 6, required=False,
        help_text="null where the caller may not see money; needed except for a budget, where it is a share of it",
    )  # fmt: skip
    window = WindowSerializer(required=False)
    scope = RuleScopeSerializer(required=False)
    minimum_sample = serializers.DecimalField(19, 6, required=False, allow_null=True, coerce_to_string=False)
    zero_line = serializers.DecimalField(19, 6, required=False, allow_null=True, help_text="default 3 · line for money per count")  # fmt: skip
    no_data = serializers.ChoiceField(Version.NoData.choices, required=False)
    settling_days = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=60)
    confirm_pooled_7d = serializers.BooleanField(required=False)
    clear_ratio = serializers.DecimalField(19, 6, required=False)
    clear_days = serializers.IntegerField(required=False, min_value=1, max_value=30)
    action = serializers.ChoiceField(Version.Action.choices, required=False)
    active = serializers.BooleanField(required=False)
    shadow_until = serializers.DateField(
        required=False, allow_null=True, help_text="up to this day it opens no decision"
    )
    reason = serializers.CharField(required=False, allow_blank=True, max_length=500, write_only=True)
    owner = serializers.IntegerField(read_only=True, help_text="person id")
    version = serializers.IntegerField(read_only=True)
    state = serializers.CharField(read_only=True, allow_null=True, help_text="the worst of its scopes")
    in_force = serializers.BooleanField(read_only=True)
    waits_for_approval = serializers.BooleanField(read_only=True)


class StopRulePatchSerializer(StopRuleSerializer):
    """Every field is optional; a change needs `reason` and makes a version."""


DaySerializer = inline_serializer(
    "StopRuleDay",
    {
        "date": serializers.DateField(),
        "class": serializers.CharField(help_text="not_ready, missing, inactive, thin, breach, grey, ok"),
        "numerator": serializers.CharField(allow_null=True, help_text="a number for counts"),
        "denominator": serializers.CharField(allow_null=True, help_text="a number for counts"),
        "value": serializers.CharField(allow_null=True),
        "event": serializers.ChoiceField(["opened", "recovered", "paused", "data_incident"], allow_null=True),
    },
    many=True,
)
StateRow = inline_serializer(
    "StopRuleState",
    {
        "channel": serializers.CharField(),
        "campaign": serializers.IntegerField(allow_null=True),
        "state": serializers.CharField(),
        "streak": serializers.IntegerField(),
        "since": serializers.DateField(allow_null=True),
        "days": DaySerializer,
    },
    many=True,
)
Happened = {
    "rule": serializers.IntegerField(allow_null=True), "channel": serializers.CharField(allow_null=True), "campaign": serializers.IntegerField(allow_null=True),
    "date": serializers.DateField(),
}  # fmt: skip
EvaluationAnswer = inline_serializer(
    "EvaluationAnswer",
    {
        "states": serializers.IntegerField(help_text="states that changed"),
        "days": serializers.IntegerField(help_text="days of the log that changed"),
        "opened": inline_serializer("OpenedBreach", Happened, many=True),
        "closed": inline_serializer("ClosedBreach", Happened | {"as": serializers.CharField()}, many=True),
        "data_incidents": inline_serializer("OpenedIncident", Happened, many=True),
    },
)


class StopRuleViewSet(CompanyViewSet):
    """Stop-rules: the one in force, or the one that waits where none ever was."""

    serializer_class = StopRuleSerializer
    lookup_value_regex = "[0-9]+"
    write_permissions = {
        "create": Permission.MANAGE_STOP_RULES,
        "partial_update": Permission.MANAGE_STOP_RULES,
        "evaluate": Permission.MANAGE_STOP_RULES,
    }

    @property
    def write_scope(self) -> str:
        return "facts:write" if self.action == "evaluate" else "admin"

    @extend_schema(responses=StopRuleSerializer(many=True))
    def list(self, request, company_slug=None):
        rows = sorted(reads.rule_list(company=self.company), key=lambda row: row.rule.number)
        return Response(paged(request, [self._json(row, row.version) for row in rows]))

    @extend_schema(parameters=[PK], responses=StopRuleSerializer)
    def retrieve(self, request, company_slug=None, pk=None):
        found = self._found(pk)
        return self._answer(found, found.version)

    @extend_schema(request=StopRuleSerializer, responses={201: StopRuleSerializer})
    def create(self, request, company_slug=None):
        terms = terms_of(self.company, StopRuleSerializer(data=request.data))
        rule = create_stop_rule(**self._acting(), **terms)
        found = self._found(rule.pk)
        return self._answer(found, found.version, status=201)

    @extend_schema(parameters=[PK], request=StopRulePatchSerializer, responses=StopRuleSerializer)
    def partial_update(self, request, company_slug=None, pk=None):
        """The answer is the new version: `waits_for_approval` where it is not in force yet."""
        found = self._found(pk)
        self.check_etag(found.latest.number)
        terms = {"reason": ""} | terms_of(self.company, StopRulePatchSerializer(data=request.data, partial=True))
        seen = found.latest.number if request.headers.get("If-Match") else None
        revise_stop_rule(**self._acting(), rule=found.rule, expected=seen, **terms)
        found = self._found(pk)
        return self._answer(found, found.latest)

    @extend_schema(parameters=[PK], responses=StateRow)
    @action(detail=True, pagination_class=None)
    def states(self, request, company_slug=None, pk=None):
        """What the machine gives by replay for each scope: the state, and the last 30 days."""
        found, today = self._found(pk), self.company.local_date(timezone.now())
        known = metrics_of(company=self.company)
        scopes = scope_days(
            company=self.company, detail=found, today=today, since=today - timedelta(days=DAYS - 1), metrics=known
        )
        shown = self._may_see(found.version)
        return Response([_scope_json(scope, hidden=not shown) for scope in scopes])

    @extend_schema(
        parameters=[OpenApiParameter("channel", str, required=True), OpenApiParameter("campaign", int)],
        responses=LogDayOut(many=True),
    )
    @action(detail=True, pagination_class=None)
    def log(self, request, company_slug=None, pk=None):
        """What was judged on each of the last 60 days of one scope, and what was said of it before late data."""
        found, campaign = self._found(pk), request.query_params.get("campaign", "")
        channel = self.found(who.get_channel(company=self.company, code=request.query_params.get("channel", "")))
        scope = {
            "company": self.company, "version": found.version, "channel_id": channel.pk,
            "campaign_id": int(campaign) if campaign.isdecimal() and len(campaign) < 18 else None,
            "since": self.company.local_date(timezone.now()) - timedelta(days=LOG_DAYS),
        }  # fmt: skip
        before, hidden = reads.said_before(**scope), not self._may_see(found.version)
        units = units_of(found.version, metrics_of(company=self.company))
        return Response([log_json(row, before.get(row.day, ()), units, hidden) for row in reads.log_of(**scope)])

    @extend_schema(request=None, responses=EvaluationAnswer)
    @action(detail=False, methods=["post"], pagination_class=None)
    def evaluate(self, request, company_slug=None):
        """Evaluate this company now; 409 while it is being evaluated."""
        done = evaluate_now(company=self.company, at=timezone.now())
        return Response({
            "states": done.states, "days": done.logged,
            "opened": [_happened(row, row.opened_on) for row in done.opened],
            "closed": [_happened(row, row.closed_on) | {"as": row.closed_as} for row in done.closed],
            "data_incidents": [_happened(row, row.first_day) for row in done.incidents_opened],
        })  # fmt: skip

    def _found(self, pk) -> reads.RuleDetail:
        return self.found(reads.get_rule(company=self.company, pk=int(pk)) if len(str(pk)) < 18 else None)

    def _may_see(self, version: StopRuleVersion) -> bool:
        if not hasattr(self, "money"):
            self.money = money_metrics(metrics_of(company=self.company))
        return reads.may_see(self.person, version, self.money)

    def _answer(self, found: reads.RuleDetail, version: StopRuleVersion, status=200):
        body = self._json(found.row, version)
        return Response(body, status=status, headers={"ETag": self.etag(found.latest.number)})

    def _json(self, row: reads.RuleRow, version: StopRuleVersion) -> dict:
        shown = self._may_see(version)
        return {
            "id": row.rule.pk, "number": str(row.rule), "name": version.name, "kpi": version.kpi.code,
            "comparison": version.comparison, "line": decimal_text(version.line) if shown else None,
            "window": {
                "kind": version.window, "n": version.n, "m": version.m, "k": decimal_text(version.k),
                "max_span": version.max_span,
            } | _budget_json(version),
            "scope": {
                "channel": version.channel.code if version.channel else None, "kind": version.channel_kind or None,
                "per": version.per,
            },
            "minimum_sample": as_json(version.minimum_sample, "count"),
            "zero_line": decimal_text(version.zero_line) if shown else None,
            "no_data": version.no_data, "settling_days": version.settling_days,
            "confirm_pooled_7d": version.confirm_pooled_7d, "clear_ratio": decimal_text(version.clear_ratio),
            "clear_days": version.clear_days, "action": version.action, "active": version.active,
            "shadow_until": version.shadow_until,
            "owner": version.owner_id, "version": version.number, "state": row.state,
            "in_force": row.is_in_force, "waits_for_approval": row.waiting is not None,
        }  # fmt: skip


def terms_of(company: Company, serializer: serializers.Serializer) -> dict:
    """The given fields as the service takes them: window and scope flat, the channel as a row. Raises WrongTerms."""
    serializer.is_valid(raise_exception=True)
    fields = dict(serializer.validated_data)
    window = fields.pop("window", {})
    tolerance = window.pop("tolerance", None)
    if tolerance is not None:
        window["line"] = 1 + tolerance
    fields |= window
    scope = fields.pop("scope", {})
    if "per" in scope:
        fields["per"] = scope["per"]
    if "channel" in scope or "channel_kind" in scope:
        fields["channel"] = _channel(company, scope.get("channel"))
        fields["channel_kind"] = scope.get("channel_kind") or ""
    return fields


def _channel(company: Company, code: str | None) -> Channel | None:
    if not code:
        return None
    channel = who.get_channel(company=company, code=code)
    if channel is None:
        message = _("There is no such channel.")
        raise WrongTerms(message, [FieldError("scope.channel", "unknown_channel", message)])
    return channel


def _scope_json(scope, hidden: bool) -> dict:
    return {
        "channel": scope.channel.code, "campaign": scope.campaign.pk if scope.campaign else None, "state": scope.state,
        "streak": scope.streak, "since": scope.since, "days": [_day_json(row, hidden) for row in scope.days],
    }  # fmt: skip


def _day_json(row, hidden: bool) -> dict:
    above, below = row.units
    return {
        "date": row.day, "class": row.day_class,
        "numerator": None if hidden and above == "money" else as_json(row.numerator, above),
        "denominator": None if hidden and below == "money" else as_json(row.denominator, below),
        "value": None if hidden else decimal_text(row.value), "event": row.event,
    }  # fmt: skip


def _happened(row, day) -> dict:
    """An incident of the whole company has neither rule nor channel."""
    channel = row.channel.code if row.channel_id else None
    return {"rule": row.rule_id, "channel": channel, "campaign": row.campaign_id, "date": day}


def _budget_json(version: StopRuleVersion) -> dict:
    """What only a budget window has."""
    if version.window != Version.Window.BUDGET:
        return {}
    return {"period": version.period, "tolerance": decimal_text(version.line - 1)}
