"""Helpers of the weekly report's tests: facts, targets and moments of week 47 of 2026 (Monday 16.11) in Moscow."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from kpis.models import DailyFact, Kpi, KpiVersion, Source, Target
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
