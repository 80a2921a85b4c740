"""A company whose days go by through the real pipeline: figures come, the clock moves, people sign."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from kpis.models import DailyFact, Source, StopRuleVersion
from kpis.services.evaluations import request_evaluation
from mops.pipeline import run_company
from processes import services
from processes.models import Decision
from processes.terms import Terms

from .conftest import add_rule

FIRST = date(2026, 11, 2)
GOOD, BAD = 2900, 4900
LEADS = 8


class Road:
    """Day 0 is Monday 02.11.2026. The rule: CPA over 3 500 ₽ on three days in a row."""

    def __init__(self, made):
        self.made, self.company = made, made.company
        self.version = add_rule(made)
        StopRuleVersion.objects.filter(pk=self.version.pk).update(approved_at=datetime(2026, 1, 1, tzinfo=UTC))
        self.source = Source.objects.create(company=self.company, code="crm", name="CRM", kind="file")

    def day(self, offset: int) -> date:
        return FIRST + timedelta(days=offset)

    def at(self, offset: int, hour: float = 6.5) -> datetime:
        """A moment of a day in the company's zone."""
        midnight = datetime.combine(self.day(offset), datetime.min.time(), tzinfo=self.company.zone)
        return (midnight + timedelta(hours=hour)).astimezone(UTC)

    def load(self, offset: int, cpa: int, leads: int = LEADS, channel=None) -> None:
        """Figures of one day, or other figures of a day that was loaded before; the load asks for an evaluation."""
        DailyFact.objects.update_or_create(
            company=self.company, day=self.day(offset), channel=channel or self.made.vk, campaign_id=0, source=self.source,
            defaults={"load_id": 0, "spend": Decimal(cpa * LEADS), "qualified_leads": Decimal(leads)},
        )  # fmt: skip
        request_evaluation(company=self.company, dirty_from=self.day(offset))

    def run(self, offset: int, hour: float = 6.5) -> datetime:
        """A pass of the pipeline; twice, because twice must change nothing."""
        at = self.at(offset, hour)
        for _time in range(2):
            run_company(self.company.pk, at)
        return at

    def live(self, first: int, last: int, cpa: int) -> None:
        """Every day from `first` to `last`: in the morning of each the figures of the day before are loaded and judged."""
        for offset in range(first, last + 1):
            self.load(offset - 1, cpa)
            self.run(offset)

    def decision(self, round_: int = 1) -> Decision:
        return Decision.objects.filter(company=self.company, round=round_).latest("pk")

    def rounds(self) -> list[tuple[int, str]]:
        return list(Decision.objects.filter(company=self.company).order_by("pk").values_list("round", "state"))

    def sign(
        self, offset: int, choice: str, *, hour: float = 12, by=None, decision=None, seen=False, **terms
    ) -> Decision:
        return services.sign_decision(
            company=self.company, decision=decision or Decision.objects.get(company=self.company, state="open"),
            by=by or self.made.cmo, at=self.at(offset, hour), choice=choice, reason="Так решили", terms=Terms(**terms),
            evidence_seen=seen,
        )  # fmt: skip

    def burn(self) -> Decision:
        """Fourteen good days, three bad ones; on the morning of day 17 the question opens."""
        for offset in range(14):
            self.load(offset, GOOD)
        for offset in (14, 15, 16):
            self.load(offset, BAD)
        self.run(17)
        return self.decision()
