"""What a company measures: metrics, KPIs in force, both together, and the order of the funnel."""

from dataclasses import dataclass
from datetime import date

from django.utils.translation import pgettext_lazy

from kpis import metrics, wording
from kpis.formulas import Formula, FormulaError, parse
from kpis.metrics import MetricInfo
from kpis.models import FunnelStage, KpiVersion, Metric
from roles.models import Company, in_language

BETTER = {"spend": None, "unsubscribes": "lower"}
"""Direction of the built-in metrics; more of any other is better, more spend is neither."""


@dataclass(frozen=True)
class KpiInfo:
    """One version of a KPI: name in the reader's language, `parent` a KPI code or None, `number` of the version."""

    code: str
    name: str
    formula: Formula
    formula_text: str
    better: str  # higher | lower
    unit: str  # money | share | number
    parent: str | None
    number: int
    valid_from: date
    is_builtin: bool


@dataclass(frozen=True)
class Measure:
    """A KPI or a metric: what may have a target, a plan and a place on a screen. `better` None: neither way."""

    code: str
    name: str
    unit: str  # money | count | share | number
    better: str | None
    formula: Formula
    is_kpi: bool


EARNED = Measure(
    "earned", pgettext_lazy("figure", "Earned"), "money", "higher", parse("gross_profit - spend"), is_kpi=True
)
"""What the pages of money begin with: no KPI of the catalogue, but it opens to its facts as one."""


def metrics_of(*, company: Company) -> dict[str, MetricInfo]:
    """Metrics by code: the built-in ones, then the company's own in the order of their slots."""
    own = Metric.objects.filter(company=company).order_by("slot")
    return metrics.BUILT_IN | {
        metric.code: MetricInfo(
            metric.code, str(metric), metric.unit, f"extra_{metric.slot}", settling_days=metric.settling_days, own=True
        )
        for metric in own
    }


def kpi_info(version: KpiVersion) -> KpiInfo:
    """A stored version as every layer sees it; `kpi` and `parent` must be loaded."""
    above = version.parent.code if version.parent else None
    fields = [getattr(version, name) for name in OWN_FIELDS]
    return _kpi_info(version.kpi.code, version.kpi.is_builtin, above, *fields)


OWN_FIELDS = ("name_ru", "name_en", "formula", "better", "unit", "number", "valid_from")


def _kpi_info(code, is_builtin, parent, name_ru, name_en, formula, better, unit, number, valid_from) -> KpiInfo:
    return KpiInfo(
        code=code, name=in_language(name_ru, name_en), formula=parse(formula), formula_text=formula, better=better,
        unit=unit, parent=parent, number=number, valid_from=valid_from, is_builtin=is_builtin,
    )  # fmt: skip


def kpis_of(*, company: Company) -> dict[str, KpiInfo]:
    """The current version of every KPI by code: built-in ones in the order of installation, then the company's own."""
    current = (
        KpiVersion.objects.filter(company=company, superseded_at=None)
        .order_by("-kpi__is_builtin", "kpi_id")
        .values_list("kpi__code", "kpi__is_builtin", "parent__code", *OWN_FIELDS)
    )
    return {row[0]: _kpi_info(*row) for row in current}


def measures_of(*, company: Company) -> dict[str, Measure]:
    """KPIs and metrics by code, metrics first; two queries. Their codes never coincide."""
    return measures_from(metrics_of(company=company), kpis_of(company=company))


def measures_from(known_metrics: dict[str, MetricInfo], kpis: dict[str, KpiInfo]) -> dict[str, Measure]:
    """The same from what was already read."""
    found = {
        info.code: Measure(
            info.code, str(info.name), info.unit, None if info.own else BETTER.get(info.code, "higher"),
            parse(info.code), is_kpi=False,
        )
        for info in known_metrics.values()
    }  # fmt: skip
    return found | {
        kpi.code: Measure(kpi.code, kpi.name, kpi.unit, kpi.better, kpi.formula, is_kpi=True) for kpi in kpis.values()
    }


def composed(text: str, known_metrics: dict[str, MetricInfo]) -> Measure | None:
    """The measure of a formula that is no KPI of the company, as pages open a part of a figure or what is over a line; None
    where the text is none of known metrics."""
    try:
        formula = parse(text)
    except FormulaError:
        return None
    if not formula.metrics or not formula.metrics <= known_metrics.keys():
        return None
    return Measure(
        text, wording.in_words(formula, known_metrics), _unit_of(formula, known_metrics), None, formula, is_kpi=True
    )


def formula_words(sender, *, company: Company, text: str, **kwargs) -> str:
    """A formula as the journal tells it: with the names of metrics instead of their codes; empty where it is none any more."""
    try:
        formula = parse(text)
    except FormulaError:
        return ""
    known = metrics.BUILT_IN if formula.metrics <= metrics.BUILT_IN.keys() else metrics_of(company=company)
    return wording.in_words(formula, known)


def _unit_of(formula: Formula, known_metrics: dict[str, MetricInfo]) -> str:
    """Money over counts is money, one kind over the same a share."""
    above, below = (
        "money" if any(known_metrics[code].unit == "money" for code, _factor in form) else "count"
        for form in (formula.numerator, formula.denominator)
    )
    if not formula.denominator:
        return above
    return "share" if above == below else "money" if above == "money" else "number"


def funnel_of(*, company: Company) -> list[str]:
    """Metric codes of the funnel from the top down; the default where the company has set none."""
    own = FunnelStage.objects.filter(company=company).order_by("position").values_list("metric", flat=True)
    return list(own) or list(metrics.DEFAULT_FUNNEL)


def money_metrics(known_metrics: dict[str, MetricInfo]) -> frozenset[str]:
    """Codes of the metrics that are money."""
    return frozenset(info.code for info in known_metrics.values() if info.unit == "money")


def is_money(measure: Measure | KpiInfo, known_metrics: dict[str, MetricInfo]) -> bool:
    """Does the figure tell anything about money? Then it is shown only to those who may see money."""
    return bool(measure.formula.metrics & money_metrics(known_metrics))
