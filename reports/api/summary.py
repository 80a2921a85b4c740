"""The week's summary over REST: what the CMO's slide shows."""

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from kpis.api.figures import FigureField, as_json
from kpis.periods import week_label
from kpis.selectors.sources import freshness
from reports.api.weekly import week_of
from reports.selectors import summary as selectors
from roles.permissions import Permission
from roles.rest.viewsets import CompanyViewSet


class SummaryFigureField(serializers.Serializer):
    kpi = serializers.CharField()
    value = FigureField(allow_null=True)
    plan = FigureField(allow_null=True)


class SummaryDecisionOut(serializers.Serializer):
    id = serializers.IntegerField()
    question = serializers.CharField()
    state = serializers.CharField()
    choice = serializers.CharField(allow_null=True)
    channel = serializers.CharField(allow_null=True)


class SummaryChannelOut(serializers.Serializer):
    code = serializers.CharField()
    kind = serializers.CharField()
    status = serializers.CharField()
    metrics = serializers.DictField(child=FigureField(allow_null=True))
    earned = serializers.CharField(allow_null=True)
    romi = serializers.CharField(allow_null=True)
    plan = serializers.CharField(allow_null=True, help_text="earned as planned for the same days")
    report = serializers.CharField(allow_null=True, help_text="state of the fact: filed, accepted, overdue, missed …")
    conclusion = serializers.CharField()


class SummaryStageOut(serializers.Serializer):
    metric = serializers.CharField()
    value = FigureField(allow_null=True)


class SummaryDisciplineOut(serializers.Serializer):
    plan_on_time = serializers.IntegerField()
    plan_due = serializers.IntegerField()
    fact_on_time = serializers.IntegerField()
    fact_due = serializers.IntegerField()
    missing = serializers.ListField(child=serializers.CharField(), help_text="channels whose fact is overdue")


class SummaryFreshnessOut(serializers.Serializer):
    source = serializers.CharField()
    state = serializers.CharField()
    last_day = serializers.DateField(allow_null=True)


class SummaryActionOut(serializers.Serializer):
    id = serializers.IntegerField()
    text = serializers.CharField()
    owner = serializers.IntegerField()
    due = serializers.DateField()
    state = serializers.CharField()


class SummaryOut(serializers.Serializer):
    week = serializers.CharField()
    settled_days = serializers.IntegerField()
    earned = serializers.CharField(allow_null=True)
    romi = serializers.CharField(allow_null=True)
    plan = serializers.CharField(allow_null=True)
    figures = SummaryFigureField(many=True)
    channels = SummaryChannelOut(many=True)
    decisions = SummaryDecisionOut(many=True)
    actions = SummaryActionOut(many=True)
    funnel = SummaryStageOut(many=True)
    discipline = SummaryDisciplineOut()
    freshness = SummaryFreshnessOut(many=True)
    text = serializers.CharField()


def _channel(row: selectors.ChannelMoney) -> dict:
    metrics = {
        code: as_json(value, "money" if code in {"spend", "revenue", "gross_profit"} else "count")
        for code, value in row.metrics.items()
    }
    return {
        "code": row.channel.code, "kind": row.channel.kind, "status": row.channel.status, "metrics": metrics,
        "earned": as_json(row.earned, "money"), "romi": as_json(row.romi, "share"), "plan": as_json(row.plan, "money"),
        "report": row.fact.kind if row.fact else None, "conclusion": row.conclusion,
    }  # fmt: skip


def _decision(decision) -> dict:
    channel = decision.channel or (decision.campaign.channel if decision.campaign else None)
    return {
        "id": decision.pk, "question": decision.question, "state": decision.state, "choice": decision.choice or None,
        "channel": channel.code if channel else None,
    }  # fmt: skip


def _discipline(kept) -> dict:
    return {
        "plan_on_time": kept.plan_on_time, "plan_due": kept.plan_due, "fact_on_time": kept.fact_on_time,
        "fact_due": kept.fact_due, "missing": [report.channel.code for report in kept.missing],
    }  # fmt: skip


class SummaryViewSet(CompanyViewSet):
    """The week in money: earned, ROMI, channels against plan, decisions, discipline, freshness of the data."""

    serializer_class = SummaryOut
    read_permission = Permission.VIEW_MONEY
    pagination_class = None

    @extend_schema(parameters=[OpenApiParameter("week", str, description="2026-W47")], responses=SummaryOut)
    def list(self, request):
        """The summary of a week; without one, of the last week until its lock."""
        self.require(Permission.VIEW_MONEY)
        now = timezone.now()
        text = request.query_params.get("week")
        week = week_of(text) if text else selectors.summary_week(company=self.company, at=now)
        found = selectors.week_summary(company=self.company, week=week, at=now)
        return Response({
            "week": week_label(week), "settled_days": found.days, "earned": as_json(found.earned, "money"),
            "romi": as_json(found.romi, "share"), "plan": as_json(found.plan, "money"),
            "figures": [
                {"kpi": row.code, "value": as_json(row.value, row.unit), "plan": as_json(row.plan, row.unit)}
                for row in found.figures
            ],
            "channels": [_channel(row) for row in found.channels],
            "decisions": [_decision(row) for row in found.decisions],
            "actions": [
                {"id": row.pk, "text": row.text, "owner": row.owner_id, "due": row.due_on, "state": row.state}
                for row in found.actions
            ],
            "funnel": [{"metric": code, "value": as_json(value, "count")} for code, value in found.funnel],
            "discipline": _discipline(found.discipline),
            "freshness": [
                {"source": row.source.code, "state": row.state, "last_day": row.last_day}
                for row in freshness(company=self.company, at=now)
            ],
            "text": found.words.text if found.words else "",
        })  # fmt: skip
