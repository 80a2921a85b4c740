"""Weekly reports over REST: read, draft, file, review."""

from datetime import date

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from kpis.api.figures import FigureField, as_json
from kpis.periods import parse_week, week_label
from reports import filing
from reports.filing import ActionDraft, FactDraft, ItemDraft, PlanDraft
from reports.models import WeeklyReport
from reports.selectors import weekly as selectors
from reports.services import disputes, drafts, fact, plan, review
from roles.permissions import Permission
from roles.refusals import FieldError, Refused
from roles.rest.viewsets import CompanyViewSet


class WeekNotUnderstood(Refused):
    code = "invalid_week"


def week_of(text: str) -> date:
    """The Monday of `2026-W47`; 400 for anything else."""
    try:
        return parse_week(text)
    except ValueError as error:
        message = _("Give the week as 2026-W47.")
        raise WeekNotUnderstood(message, [FieldError("week", "invalid", message)]) from error


class PlanLineOut(serializers.Serializer):
    kpi = serializers.CharField(help_text="KPI or metric code")
    value = FigureField(allow_null=True)
    amended = FigureField(allow_null=True, help_text="the later value, null while the plan stands")
    amend_reason = serializers.CharField()
    to_date = FigureField(allow_null=True, help_text="of the settled days")
    basis = serializers.CharField(allow_null=True, help_text="target, last_weeks or typed")


class ItemOut(serializers.Serializer):
    text = serializers.CharField()
    expected = FigureField(allow_null=True)
    clause = serializers.CharField()
    actual = FigureField(allow_null=True)


class FactLineOut(serializers.Serializer):
    kpi = serializers.CharField()
    value = FigureField(allow_null=True, help_text="now; the final figure once the week is locked")
    snapshot = FigureField(allow_null=True, help_text="as it was when the fact was filed")
    final = FigureField(allow_null=True, help_text="as it was at the lock")
    deviation = serializers.CharField(allow_null=True, help_text="fact / plan − 1, a share")
    off = serializers.BooleanField()
    red = serializers.BooleanField()
    typed_by = serializers.CharField(allow_null=True)


class FactOut(serializers.Serializer):
    days = serializers.ListField(child=serializers.DateField(allow_null=True), help_text="first and last settled day")
    lines = FactLineOut(many=True)


class ConclusionOut(serializers.Serializer):
    cause = serializers.CharField()
    text = serializers.CharField()


class ActionOut(serializers.Serializer):
    id = serializers.IntegerField(allow_null=True, help_text="null while it is drafted")
    text = serializers.CharField()
    owner = serializers.IntegerField(allow_null=True)
    due = serializers.DateField(allow_null=True)
    state = serializers.CharField()


class WeeklyReportOut(serializers.Serializer):
    id = serializers.IntegerField()
    channel = serializers.CharField()
    week = serializers.CharField()
    version = serializers.IntegerField()
    plan_due_at = serializers.DateTimeField()
    fact_opens_at = serializers.DateTimeField()
    fact_due_at = serializers.DateTimeField()
    locks_at = serializers.DateTimeField()
    plan_submitted_at = serializers.DateTimeField(allow_null=True)
    plan_timeliness = serializers.CharField(allow_null=True)
    plan_on_behalf = serializers.BooleanField()
    state = serializers.CharField()
    timeliness = serializers.CharField(allow_null=True, help_text="on_time, late, missed or excused")
    filled_after = serializers.BooleanField(help_text="missed at the lock and filled afterwards")
    excused_for = serializers.CharField(help_text="why nothing was owed")
    late_reason = serializers.CharField(allow_null=True)
    submitted_at = serializers.DateTimeField(allow_null=True)
    submitted_by = serializers.IntegerField(allow_null=True)
    on_behalf = serializers.BooleanField()
    plan = PlanLineOut(many=True)
    items = ItemOut(many=True)
    fact = FactOut()
    conclusion = ConclusionOut()
    actions = ActionOut(many=True)
    no_action_reason = serializers.CharField()
    return_note = serializers.CharField()
    reopened_until = serializers.DateTimeField(allow_null=True)


class FigureIn(serializers.DecimalField):
    def __init__(self, **kwargs):
        super().__init__(max_digits=19, decimal_places=6, **kwargs)


class PlanLineIn(serializers.Serializer):
    kpi = serializers.CharField(max_length=40)
    value = FigureIn(required=False, allow_null=True)
    amended = FigureIn(required=False, allow_null=True)


class ItemIn(serializers.Serializer):
    text = serializers.CharField(max_length=200)
    expected = FigureIn(required=False, allow_null=True)
    clause = serializers.CharField(max_length=120, required=False, allow_blank=True)


class TypedIn(serializers.Serializer):
    kpi = serializers.CharField(max_length=40)
    value = FigureIn(allow_null=True)


class ConclusionIn(serializers.Serializer):
    cause = serializers.ChoiceField(choices=WeeklyReport.Cause.choices, required=False, allow_blank=True)
    text = serializers.CharField(max_length=filing.LONGEST_CONCLUSION, required=False, allow_blank=True)


class ActionIn(serializers.Serializer):
    text = serializers.CharField(max_length=400)
    owner = serializers.IntegerField(required=False, allow_null=True)
    due = serializers.DateField(required=False, allow_null=True)


class WeeklyReportIn(serializers.Serializer):
    """What may be written; a part that is left out stays as it is."""

    plan = PlanLineIn(many=True, required=False)
    items = ItemIn(many=True, required=False)
    reason = serializers.CharField(required=False, max_length=300, help_text="of an amendment, or of a late plan")
    typed = TypedIn(many=True, required=False, help_text="figures that no source gives")
    conclusion = ConclusionIn(required=False)
    actions = ActionIn(many=True, required=False)
    no_action_reason = serializers.CharField(required=False, allow_blank=True, max_length=300)
    late_reason = serializers.ChoiceField(choices=WeeklyReport.LateReason.choices, required=False)


class NoteIn(serializers.Serializer):
    note = serializers.CharField(max_length=400)


class ReasonIn(serializers.Serializer):
    reason = serializers.CharField(max_length=400)


class DisputeIn(serializers.Serializer):
    kpi = serializers.CharField(max_length=40, help_text="KPI or metric code")
    note = serializers.CharField(max_length=300)
    expected = FigureIn(required=False, allow_null=True)


class DisputeOut(serializers.Serializer):
    kpi = serializers.CharField(source="measure")
    action = serializers.IntegerField(source="action_id", help_text="the analyst's task")
    owner = serializers.IntegerField(source="action.owner_id")
    due = serializers.DateField(source="action.due_on")


class NothingIn(serializers.Serializer):
    """No body."""


def plan_draft(data: dict) -> PlanDraft | None:
    if "plan" not in data and "items" not in data:
        return None
    items = data.get("items")
    return PlanDraft(
        values={line["kpi"]: line["value"] for line in data.get("plan", []) if "value" in line},
        items=None
        if items is None
        else [ItemDraft(item["text"], item.get("expected"), item.get("clause", "")) for item in items],
    )  # fmt: skip


def fact_draft(data: dict) -> FactDraft | None:
    if not set(data) & {"typed", "conclusion", "actions", "no_action_reason", "late_reason"}:
        return None
    words, actions = data.get("conclusion", {}), data.get("actions")
    return FactDraft(
        cause=words.get("cause"), conclusion=words.get("text"), no_action_reason=data.get("no_action_reason"),
        late_reason=data.get("late_reason"), typed={line["kpi"]: line["value"] for line in data.get("typed", [])},
        actions=None if actions is None else [ActionDraft(a["text"], a.get("owner"), a.get("due")) for a in actions],
    )  # fmt: skip


def as_document(row: selectors.ReportRow, actions, sees_money: bool) -> dict:
    """The report as the API gives it; lines about money only to those who may see it."""
    report = row.report
    lines = [line for line in row.figures.lines if sees_money or not line.about_money]
    return {
        "id": report.pk, "channel": report.channel.code, "week": week_label(report.week), "version": report.version,
        "plan_due_at": report.plan_due_at, "fact_opens_at": report.fact_opens_at, "fact_due_at": report.fact_due_at,
        "locks_at": report.locks_at, "plan_submitted_at": report.plan_submitted_at,
        "plan_timeliness": report.plan_timeliness or None, "plan_on_behalf": report.plan_on_behalf,
        "state": report.state, "timeliness": report.timeliness or None, "filled_after": row.fact.after,
        "excused_for": report.excused_for, "late_reason": report.late_reason or None, "submitted_at": report.fact_submitted_at,
        "submitted_by": report.fact_submitted_by_id, "on_behalf": report.on_behalf,
        "plan": [_plan_line(line) for line in lines],
        "items": [
            {"text": item.text, "expected": as_json(item.expected, "count"), "clause": item.clause,
             "actual": as_json(item.actual, "count")}
            for item in row.figures.items
        ],
        "fact": {"days": [row.figures.first, row.figures.last], "lines": [_fact_line(line) for line in lines]},
        "conclusion": {"cause": report.cause, "text": report.conclusion},
        "actions": [_given(found) for found in actions] + [_drafted(draft) for draft in filing.drafted_actions(report)],
        "no_action_reason": report.no_action_reason, "return_note": report.return_note,
        "reopened_until": report.reopened_until,
    }  # fmt: skip


def _plan_line(line) -> dict:
    return {
        "kpi": line.measure, "value": as_json(line.first_plan, line.unit),
        "amended": as_json(line.planned, line.unit) if line.amended else None, "amend_reason": line.amend_reason,
        "to_date": as_json(line.plan, line.unit), "basis": line.basis or None,
    }  # fmt: skip


def _fact_line(line) -> dict:
    deviation = None if line.deviation is None else f"{line.deviation:.4f}"
    return {
        "kpi": line.measure, "value": as_json(line.fact, line.unit), "snapshot": as_json(line.snapshot, line.unit),
        "final": as_json(line.final, line.unit), "deviation": deviation, "off": line.off, "red": line.red,
        "typed_by": line.typed_by or None,
    }  # fmt: skip


def _given(found) -> dict:
    return {"id": found.pk, "text": found.text, "owner": found.owner_id, "due": found.due_on, "state": found.state}


def _drafted(draft: ActionDraft) -> dict:
    return {"id": None, "text": draft.text, "owner": draft.owner_id, "due": draft.due_on, "state": "draft"}


class WeeklyReportViewSet(CompanyViewSet):
    """One report per channel and ISO week: plan, fact, conclusion, actions."""

    serializer_class = WeeklyReportOut
    lookup_value_regex = r"\d+"
    write_scope = "reports:write"
    write_permissions = {
        "partial_update": Permission.SUBMIT_REPORT, "submit_plan": Permission.SUBMIT_REPORT,
        "submit_fact": Permission.SUBMIT_REPORT, "return_report": Permission.REVIEW_REPORT,
        "dispute": Permission.SUBMIT_REPORT, "accept": Permission.REVIEW_REPORT, "reopen": Permission.REVIEW_REPORT,
    }  # fmt: skip

    def get_queryset(self):
        return selectors.reports(company=self.company)

    def _documents(self, reports) -> list[dict]:
        rows = selectors.rows_of(company=self.company, found=reports, at=timezone.now())
        actions = selectors.actions_of(company=self.company, reports=reports)
        return [
            as_document(row, actions[row.report.pk], self.person.can(Permission.VIEW_MONEY, row.report.channel_id))
            for row in rows
        ]

    def _answer(self, report, status: int = 200) -> Response:
        fresh = selectors.get_report(company=self.company, pk=report.pk)
        return Response(self._documents([fresh])[0], status=status, headers={"ETag": self.etag(fresh.version)})

    def _report(self, pk: str):
        report = self.found(selectors.get_report(company=self.company, pk=int(pk)))
        if self.request.method != "GET":
            self.check_etag(report.version)
        return report

    def _body(self, serializer_class) -> dict:
        serializer = serializer_class(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def _version(self, report) -> int | None:
        """With If-Match the service checks the version again, under the row's lock."""
        return report.version if self.request.headers.get("If-Match", "*") != "*" else None

    def _given(self, report) -> dict:
        return {**self._acting(), "report": report, "version": self._version(report)}

    @extend_schema(
        parameters=[OpenApiParameter("week", str, description="2026-W47"), OpenApiParameter("channel", str)],
        responses=WeeklyReportOut(many=True),
    )
    def list(self, request):
        """Reports, those of one week or channel when asked."""
        found = self.get_queryset()
        if week := request.query_params.get("week"):
            found = found.filter(week=week_of(week))
        if channel := request.query_params.get("channel"):
            found = found.filter(channel__code=channel)
        return self.get_paginated_response(self._documents(self.paginate_queryset(found)))

    @extend_schema(responses=WeeklyReportOut)
    def retrieve(self, request, pk):
        """One report with its figures as they are now."""
        return self._answer(self._report(pk))

    @extend_schema(request=WeeklyReportIn, responses=WeeklyReportOut)
    def partial_update(self, request, pk):
        """Keep a draft; after the plan's deadline `plan[].amended` with a `reason` amends it."""
        report, data = self._report(pk), self._body(WeeklyReportIn)
        amended = {line["kpi"]: line["amended"] for line in data.get("plan", []) if "amended" in line}
        drafted = {"plan": plan_draft(data), "fact": fact_draft(data)}
        if amended:
            report = plan.amend_plan(**self._given(report), values=amended, reason=data.get("reason", ""))
            drafted["plan"] = plan_draft(data) if "items" in data or plan_draft(data).values else None
        if any(drafted.values()):
            report = drafts.save_draft(**self._given(report), **drafted)
        return self._answer(report)

    @extend_schema(request=WeeklyReportIn, responses=WeeklyReportOut)
    @action(detail=True, methods=["post"], url_path="submit-plan")
    def submit_plan(self, request, pk):
        """File the plan, with changes of the body where there are any."""
        report, data = self._report(pk), self._body(WeeklyReportIn)
        draft = plan_draft(data)
        return self._answer(plan.submit_plan(**self._given(report), plan=draft, reason=data.get("reason", "")))

    @extend_schema(request=WeeklyReportIn, responses=WeeklyReportOut)
    @action(detail=True, methods=["post"], url_path="submit-fact")
    def submit_fact(self, request, pk):
        """File the fact, with changes of the body where there are any; 400 lists what is missing."""
        report = self._report(pk)
        return self._answer(fact.submit_fact(**self._given(report), fact=fact_draft(self._body(WeeklyReportIn))))

    @extend_schema(request=NoteIn, responses=WeeklyReportOut)
    @action(detail=True, methods=["post"], url_path="return")
    def return_report(self, request, pk):
        """Return a filed fact with a note."""
        report = self._report(pk)
        return self._answer(review.return_report(**self._given(report), note=self._body(NoteIn)["note"]))

    @extend_schema(request=DisputeIn, responses={201: DisputeOut})
    @action(detail=True, methods=["post"])
    def dispute(self, request, pk):
        """Say that a prefilled figure is wrong: the analyst gets a task; the figure stays."""
        report, data = self._report(pk), self._body(DisputeIn)
        made = disputes.dispute_figure(
            **self._acting(), report=report, measure=data["kpi"], note=data["note"],
            expected=data.get("expected"),
        )  # fmt: skip
        return Response(DisputeOut(made).data, status=201)

    @extend_schema(request=NothingIn, responses=WeeklyReportOut)
    @action(detail=True, methods=["post"])
    def accept(self, request, pk):
        """Accept a filed fact."""
        return self._answer(review.accept_report(**self._given(self._report(pk))))

    @extend_schema(request=ReasonIn, responses=WeeklyReportOut)
    @action(detail=True, methods=["post"])
    def reopen(self, request, pk):
        """Open one locked report for 24 hours."""
        report = self._report(pk)
        return self._answer(review.reopen_report(**self._given(report), reason=self._body(ReasonIn)["reason"]))
