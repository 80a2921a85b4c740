"""What the editor of a stop-rule says beside its fields: where the line may come from, and what would have happened."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from kpis.day_classes import Window
from kpis.formulas import parse
from kpis.models import KpiVersion, StopRuleVersion
from kpis.replay import covers
from kpis.rule_terms import usual_zero_line
from kpis.selectors.backtest import Draft
from kpis.selectors.backtest_hints import Hints, hints
from kpis.selectors.backtest_page import TrialPage, round_between, trial_page
from kpis.selectors.measures import metrics_of, money_metrics
from kpis.selectors.stop_rules import RuleDetail, may_see
from kpis.sentences import current_kpi
from roles import formats
from roles import selectors as who
from roles.models import Channel, Company, Membership

RESULTLESS = (Window.BUDGET,)


@dataclass(frozen=True)
class Proposed:
    """A round line of about 1.4 × the plan, as it is read and as it is typed."""

    line: Decimal
    typed: str


@dataclass(frozen=True)
class EditorPage:
    """`counted`: what the KPI divides by, in words. `problems`: why nothing was tried. `shown`: may this person see the money?"""

    trial: TrialPage | None
    hints: Hints | None
    counted: str
    unit: str
    warns: bool
    problems: list[str] = field(default_factory=list)
    shown: bool = True
    proposed: Proposed | None = None


@dataclass(frozen=True)
class Asked:
    """What the fields say so far, whether or not it makes a rule: KPI code, scope, side, window."""

    kpi: str | None
    channel: Channel | None
    channel_kind: str
    above: bool
    window: str

    @property
    def version(self) -> StopRuleVersion:
        """The channels that are asked about, as a version of a rule that says nothing else."""
        return StopRuleVersion(channel=self.channel, channel_kind=self.channel_kind)


def editor_page(
    *,
    company: Company,
    person: Membership,
    today: date,
    asked: Asked,
    draft: Draft | None,
    beside: RuleDetail | None = None,
    problems: list[str] = (),
) -> EditorPage:
    """The draft tried on history beside the rule's version in force; without a draft the hints alone."""  # fmt: skip
    metrics = draft.metrics if draft else metrics_of(company=company)
    kpi = draft.kpi if draft else _kpi(company, asked.kpi)
    if kpi is None or kpi.pk is None:
        kpi_words, unit = "", "money"
    else:
        kpi_words, unit = _counted(kpi, metrics), kpi.unit
    if draft and not may_see(person, draft.version, money_metrics(metrics)):
        return EditorPage(None, None, kpi_words, unit, False, list(problems), shown=False)
    found = _hints(company, asked, kpi, metrics, today)
    trial = None
    if draft is not None:
        trial = trial_page(company=company, draft=draft, today=today, beside=_beside(draft, beside, metrics))
    warns = bool(found and found.planned and draft and found.planned.is_too_near(draft.version.line))
    proposed = _proposed(found, unit, draft) if found and found.planned else None
    return EditorPage(trial, found, kpi_words, unit, warns, list(problems), proposed=proposed)


def _proposed(found: Hints, unit: str, draft: Draft | None) -> Proposed | None:
    """The roundest line between the two that the plan gives, where the draft's own does not lie there."""
    low, high = found.planned.low, found.planned.high
    if draft is not None and low <= draft.version.line <= high:
        return None
    line = round_between(low, high)
    return Proposed(line, formats.typed(line * 100 if unit == "share" else line))


def draft_of(*, company: Company, version: StopRuleVersion) -> Draft | None:
    """A version as it stands, to be tried; None where its KPI is gone."""
    kpi = current_kpi(version)
    follows = version.zero_line == usual_zero_line(version.line)
    return Draft(version, kpi, metrics_of(company=company), follows) if kpi else None


def _beside(draft: Draft, detail: RuleDetail | None, metrics) -> Draft | None:
    """The version in force (or the one that waits), where the draft is another one."""
    if detail is None:
        return None
    kpi = current_kpi(detail.version)
    same = all(getattr(draft.version, name) == getattr(detail.version, name) for name in JUDGED)
    return None if kpi is None or same else Draft(detail.version, kpi, metrics)


JUDGED = (
    "kpi_id", "comparison", "line", "window", "n", "m", "k", "max_span", "period", "channel_id", "channel_kind", "per",
    "minimum_sample", "zero_line", "no_data", "settling_days", "confirm_pooled_7d", "clear_ratio", "clear_days",
)  # fmt: skip
"""Terms that change what fires."""


def _kpi(company: Company, code: str | None) -> KpiVersion | None:
    found = KpiVersion.objects.filter(company=company, kpi__code=code or "", superseded_at=None)
    return found.select_related("kpi").first()


def _counted(kpi: KpiVersion, metrics) -> str:
    parsed = parse(kpi.formula)
    names = [str(metrics[code].name).lower() for code, _factor in parsed.denominator if code in metrics]
    return ", ".join(names)


def _hints(company: Company, asked: Asked, kpi: KpiVersion | None, metrics, today: date) -> Hints | None:
    if kpi is None or kpi.pk is None or asked.window in RESULTLESS:
        return None
    running = [
        one for one in who.channels(company=company) if one.status in Channel.RUNNING and covers(asked.version, one)
    ]  # fmt: skip
    return hints(
        company=company,
        kpi=kpi,
        metrics=metrics,
        channels=running,
        channel=asked.channel,
        above=asked.above,
        today=today,
    )
