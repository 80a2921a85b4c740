"""What the owner's page shows, as a JSON document: the API's answer and the record that a snapshot keeps."""

from collections.abc import Iterable

from kpis.api.figures import as_json
from processes.selectors import WaitingDecision
from reports.selectors.channel_rows import Row
from reports.selectors.dashboard import Dashboard, KeptWeek

MONEY = frozenset({"spend", "revenue", "gross_profit"})


def dashboard_document(page: Dashboard, waiting: Iterable[WaitingDecision]) -> dict:
    """Money and rates as decimal strings, counts as numbers, unknown as null; days are ISO text."""
    money = page.earnings
    return {
        "period": page.span.label,
        "from": page.span.start.isoformat(),
        "to": page.span.last.isoformat() if page.span.last else None,
        "earned": as_json(money.earned, "money"),
        "romi": as_json(money.romi, "share"),
        "plan": as_json(money.plan, "money"),
        "goal": as_json(money.goal, "money"),
        "forecast": as_json(money.forecast, "money"),
        "year_before": as_json(money.before, "money"),
        "left_out": money.left_out,
        "figures": [
            {
                "kpi": row.code, "value": as_json(row.value, row.unit), "plan": as_json(row.plan, row.unit),
                "goal": as_json(row.goal, row.unit), "forecast": as_json(row.forecast, row.unit),
                "year_before": as_json(row.before, row.unit),
            }
            for row in page.figures
        ],
        "decisions": [_decision(row) for row in waiting],
        "channels": [_channel(row) for group in page.groups for row in group.rows],
        "funnel": [
            {
                "metric": stage.metric, "value": as_json(stage.value, "count"),
                "conversion": as_json(stage.conversion, "share"), "norm": as_json(stage.norm, "share"),
            }
            for stage in (page.funnel.stages if page.funnel else ())
        ],
        "discipline": _discipline(page.week) if page.week else None,
        "freshness": [
            {
                "source": row.source.code, "state": row.state,
                "last_day": row.last_day.isoformat() if row.last_day else None,
            }
            for row in page.sources
        ],
    }  # fmt: skip


def _decision(row: WaitingDecision) -> dict:
    decision = row.decision
    return {
        "id": decision.pk, "question": decision.question, "state": decision.state,
        "channel": decision.channel.code if decision.channel else None,
        "burned_since": as_json(row.burned, "money"), "money_at_stake": as_json(row.per_day, "money"),
        "opened_at": decision.opened_at.isoformat(), "deadline": decision.deadline_at.isoformat(), "overdue": row.overdue,
    }  # fmt: skip


def _channel(row: Row) -> dict:
    return {
        "code": row.channel.code, "kind": row.channel.kind, "status": row.channel.status, "state": row.state.code,
        "metrics": {code: as_json(value, "money" if code in MONEY else "count") for code, value in row.metrics.items()},
        "earned": as_json(row.earned, "money"), "romi": as_json(row.romi, "share"), "plan": as_json(row.plan, "money"),
    }  # fmt: skip


def _discipline(week: KeptWeek) -> dict:
    kept = week.discipline
    return {
        "week": kept.label, "plan_on_time": kept.plan_on_time, "plan_due": kept.plan_due,
        "fact_on_time": kept.fact_on_time, "fact_due": kept.fact_due,
        "missing": [report.channel.code for report in kept.missing],
    }  # fmt: skip
