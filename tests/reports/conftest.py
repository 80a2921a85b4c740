"""Helpers of the weekly report's tests: facts, targets and moments of week 47 of 2026 (Monday 16.11) in Moscow."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from kpis import facts
from kpis.evaluation import evaluate_company
from kpis.facts import FactRow
from kpis.models import DailyFact, Import, Kpi, KpiVersion, Source, Target
from kpis.periods import days_between
from kpis.services.kpis import install_builtin_kpis
from kpis.services.sources import ensure_source
from kpis.services.stop_rules import create_stop_rule
from kpis.services.targets import set_target
from processes.services import open_decisions
from reports.models import WeeklyReport
from reports.services.weekly import run_week

MONDAY = date(2026, 11, 16)
MOSCOW = ZoneInfo("Europe/Moscow")
STARTED = {"valid_from": date(2026, 1, 1), "reason": "start", "created_at": datetime(2026, 1, 1, tzinfo=UTC)}


class Desk:
    """What a test needs of one company: `desk.local("fri", 12)`, `desk.facts(channel, spend=100)`, `desk.run("thu", 12)`."""

    monday = MONDAY
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "next_mon", "next_tue")

    def __init__(self, made):
        self.made, self.company = made, made.company

    def local(self, day: str, hour: int, minute: int = 0) -> datetime:
        """A moment of week 47 by the company's clock; `before_thu` is the Thursday before it."""
        offset = -4 if day == "before_thu" else self.days.index(day)
        local = datetime.combine(MONDAY + timedelta(days=offset), datetime.min.time(), tzinfo=self.company.zone)
        return local.replace(hour=hour, minute=minute).astimezone(UTC)

    def run(self, day: str, hour: int, minute: int = 0):
        return run_week(company=self.company, at=self.local(day, hour, minute))

    def kpi(self, code: str, formula: str, better: str = "lower", unit: str = "money") -> None:
        kpi = Kpi.objects.create(company=self.company, code=code)
        KpiVersion.objects.create(
            company=self.company, kpi=kpi, name_ru=code.upper(), formula=formula, better=better, unit=unit, **STARTED
        )

    def target(self, channel, measure: str, value, month: date = date(2026, 11, 1)) -> None:
        Target.objects.create(
            company=self.company, channel=channel, measure=measure, month=month, value=Decimal(value), **STARTED
        )

    def facts(self, channel, days: int = 7, first: date = MONDAY, **values) -> None:
        """The same values on each of the first days of the week."""
        source, _made = Source.objects.get_or_create(
            company=self.company, code="crm", defaults={"name": "CRM", "kind": "file"}
        )
        for offset in range(days):
            DailyFact.objects.create(
                company=self.company,
                channel=channel,
                day=first + timedelta(days=offset),
                source=source,
                load_id=1,
                **values,
            )

    def report(self, channel=None, week: date = MONDAY) -> WeeklyReport:
        return WeeklyReport.objects.get(company=self.company, channel=channel or self.made.vk, week=week)


@pytest.fixture
def desk(acme):
    """Acme with the usual KPIs, targets for VK (a week's plan: 7 000 ₽, 70 leads, 35 qualified) and nothing else."""
    made = Desk(acme)
    made.kpi("cpa", "spend / qualified_leads")
    made.kpi("romi", "(gross_profit - spend) / spend", "higher", "share")
    made.target(acme.vk, "spend", 30_000)
    made.target(acme.vk, "leads", 300)
    made.target(acme.vk, "qualified_leads", 150)
    return made


class Lab:
    """Figures of a company for the pages of money: built-in KPIs, facts by day, targets by month."""

    now = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
    """Friday 20.11.2026, 15:20 in Moscow."""

    def __init__(self, made):
        self.made, self.company = made, made.company
        install_builtin_kpis(company=made.company, at=datetime(2025, 1, 1, tzinfo=UTC))
        self.source = ensure_source(
            company=made.company, code="crm", name="CRM", kind="api", by=made.analyst, at=self.now - timedelta(days=400)
        )

    def facts(self, channel, first: date, last: date, campaign: int = 0, **values) -> None:
        """The same values on every day of [first, last], in one load that ended an hour ago."""
        load = Import.objects.create(
            company=self.company, source=self.source, state="done", sha256="0" * 64, created_at=self.now,
            finished_at=self.now - timedelta(hours=1), first_day=first, last_day=last,
        )  # fmt: skip
        rows = [FactRow(channel.pk, campaign, day, dict(values)) for day in days_between(first, last)]
        facts.record(company=self.company, load=load, rows=rows, metrics=tuple(values))

    def target(self, measure: str, value, channel=None, month: date = date(2026, 11, 1)) -> None:
        set_target(
            company=self.company, by=self.made.cmo, at=datetime(2025, 10, 1, tzinfo=UTC), measure=measure, month=month,
            value=Decimal(value), reason="plan", channel=channel,
        )  # fmt: skip


@pytest.fixture
def lab(acme):
    return Lab(acme)


@pytest.fixture
def rival_lab(rival):
    """Rival with absurd figures on every day of two years: a leak shows as a wrong total."""
    made = Lab(rival)
    for channel in (rival.vk, rival.blog):
        made.facts(
            channel, date(2025, 9, 1), date(2026, 11, 19), spend=999_999, leads=999_999, qualified_leads=999_999,
            deals=999_999, new_customers=999_999, revenue=999_999_999, gross_profit=99_999_999, visits=999_999,
        )  # fmt: skip
        made.target("spend", 999_999, channel)
        made.target("gross_profit", 999_999, channel)
    return made


FIRED = {16: (39_200, 8), 17: (37_100, 7), 18: (40_250, 7), 19: (38_640, 7)}
"""Days of November 2026: spend and qualified leads of VK, all over 3 500 ₽ each; together 53 690 ₽ over that line."""


@pytest.fixture
def fired(lab, acme, rival_lab):
    """VK was fine until 15.11 (CPA 3 000), then beyond 3 500 for four days: the rule fired and its decision waits."""
    first = {"spend": 27_000, "qualified_leads": 9, "leads": 15, "deals": 1, "revenue": 90_000, "gross_profit": 30_000}
    lab.facts(acme.vk, date(2026, 10, 1), date(2026, 11, 15), **first, visits=300, new_customers=1)
    for day, (spend, qualified) in FIRED.items():
        values = first | {"spend": spend, "qualified_leads": qualified}
        lab.facts(acme.vk, date(2026, 11, day), date(2026, 11, day), **values, visits=300, new_customers=1)
    lab.facts(acme.blog, date(2026, 11, 1), date(2026, 11, 19), spend=500, qualified_leads=1, leads=2, gross_profit=400)
    lab.target("cpa", 2900, acme.vk)
    lab.target("qualified_leads", 300, acme.vk)
    opened = datetime(2026, 11, 19, 3, 10, tzinfo=UTC)
    create_stop_rule(
        company=lab.company, by=acme.cmo, at=opened - timedelta(days=60), kpi="cpa", comparison="above", line=3500,
        window="in_a_row", n=3, channel=acme.vk, action="stop", name="CPA не выше порога",
    )  # fmt: skip
    evaluate_company(company=lab.company, at=opened, today=date(2026, 11, 19))
    open_decisions(company=lab.company, at=opened)
    evaluate_company(company=lab.company, at=lab.now, today=date(2026, 11, 20))
    return lab
