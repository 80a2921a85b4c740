"""Moments of the sample week and a report, decision and load to tell about. Friday 20.11.2026 is the day of the mock-ups."""

from datetime import UTC, date, datetime, timedelta

import pytest

from kpis.models import Breach, Import, Kpi, KpiVersion, Source, StopRule, StopRuleVersion
from processes.models import Decision
from reports.deadlines import deadlines
from reports.models import WeeklyReport
from roles import audit

from .receivers import Receiver

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
MONDAY = date(2026, 11, 16)


@pytest.fixture
def now():
    return NOW


def make_report(made, channel=None, **fields) -> WeeklyReport:
    week = fields.pop("week", MONDAY)
    moments = deadlines(week, made.company.zone)
    return WeeklyReport.objects.create(
        company=made.company, channel=channel or made.vk, week=week, plan_due_at=moments.plan_due_at,
        fact_opens_at=moments.fact_opens_at, fact_due_at=moments.fact_due_at, locks_at=moments.locks_at, **fields,
    )  # fmt: skip


def make_breach(made) -> Breach:
    kpi = Kpi.objects.create(company=made.company, code=f"cpa-{Kpi.objects.count()}")
    KpiVersion.objects.create(
        company=made.company, kpi=kpi, valid_from=MONDAY, reason="start", created_at=NOW, name_ru="CPA",
        formula="spend / qualified_leads", better="lower", unit="money",
    )  # fmt: skip
    rule = StopRule.objects.create(company=made.company, number=StopRule.objects.count() + 1)
    version = StopRuleVersion.objects.create(
        company=made.company, rule=rule, valid_from=MONDAY, reason="start", created_at=NOW, name="CPA", kpi=kpi,
        comparison="above", line=3500, window="in_a_row", n=3, channel=made.vk, owner=made.cmo,
    )  # fmt: skip
    return Breach.objects.create(
        company=made.company, channel=made.vk, rule=rule, version=version, first_day=MONDAY, opened_on=MONDAY,
        days=[MONDAY.isoformat()], detected_at=NOW,
    )  # fmt: skip


def make_decision(made, opened_at=NOW, **fields) -> Decision:
    """An open decision about VK with its audit event."""
    decision = Decision.objects.create(
        company=made.company, year=2026, number=Decision.objects.count() + 1, question="Остановить VK?",
        breach=make_breach(made), channel=made.vk, opened_at=opened_at, deadline_at=opened_at + timedelta(hours=24), **fields,
    )  # fmt: skip
    audit.record(company=made.company, by=None, verb="open_decision", obj=decision, at=opened_at)
    return decision


def make_load(made, **fields) -> Import:
    source, _made = Source.objects.get_or_create(
        company=made.company, code="crm", defaults={"name": "CRM", "kind": "file"}
    )
    return Import.objects.create(
        company=made.company, source=source, filename="leads.csv", sha256="0" * 64, created_at=NOW, created_by=made.analyst,
        **fields,
    )  # fmt: skip


@pytest.fixture
def receive(settings):
    """Start HTTP receivers on this machine, allowed as test hosts unless told otherwise."""
    started = []

    def start(*plan, allowed=True) -> Receiver:
        made = Receiver(plan)
        started.append(made)
        if allowed:
            settings.OUTGOING_TEST_HOSTS = settings.OUTGOING_TEST_HOSTS | {made.host}
        return made

    yield start
    for receiver in started:
        receiver.close()
