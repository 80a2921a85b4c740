"""The terms of a stop-rule: what is filled in where nothing is given, and what is refused, see domain.md 3.1."""

from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from kpis.day_classes import BY_DAY, Window
from kpis.formulas import Formula, parse
from kpis.metrics import MetricInfo
from kpis.models import Kpi, KpiVersion, StopRuleVersion
from kpis.selectors.measures import metrics_of
from kpis.windows import SPENDING
from roles.fields import from_micros, to_micros
from roles.models import Channel, Company
from roles.refusals import FieldError, Refused
from roles.validation import check_fields

TERMS = (
    "name", "kpi", "comparison", "line", "window", "n", "m", "k", "max_span", "channel", "channel_kind", "per",
    "minimum_sample", "zero_line", "no_data", "settling_days", "confirm_pooled_7d", "clear_ratio", "clear_days", "action",
    "owner", "active", "period", "shadow_until",
)  # fmt: skip
DERIVED = ("m", "k", "max_span", "minimum_sample", "zero_line", "settling_days", "comparison", "period")
"""Terms that follow from the others while nobody has set them otherwise."""
MAILING_SAMPLE, MAILING_SETTLES = Decimal(500), 2
"""A mailing is judged 48 hours after it went out, from so many delivered letters on."""
TOLERANCE = Decimal("0.1")
"""How far over the budget is still borne, where nothing is said."""
SHADOW_DAYS = 28
SPENDING_WINDOWS = (Window.SINCE_CONVERSION, Window.BUDGET)
"""They add up spend, and more than the line of it is never better."""
DAYS = {Window.IN_A_ROW: 60, Window.M_OF_N: 60, Window.POOLED: 90}


class WrongTerms(Refused):
    """The rule cannot be kept as it is; `errors` name the fields."""

    code = "wrong_terms"


def find_kpi(company: Company, kpi: Kpi | str | None) -> KpiVersion:
    """The current version of a KPI given as row or code; WrongTerms where there is none."""
    code = kpi.code if isinstance(kpi, Kpi) else kpi
    found = KpiVersion.objects.filter(company=company, kpi__code=code or "", superseded_at=None).select_related("kpi")
    version = found.first()
    if version is None:
        message = _("There is no such KPI: choose one of the list.")
        raise WrongTerms(message, [FieldError("kpi", "unknown_kpi", message)])
    return version


def defaults(company: Company, kpi: KpiVersion, given: dict) -> dict:
    """Values of the derived terms, from the KPI and the terms that were given."""
    metrics, formula = metrics_of(company=company), parse(kpi.formula)
    window, n = given.get("window") or Window.IN_A_ROW, given.get("n")
    comparison = given.get("comparison") or (
        "above" if kpi.better == KpiVersion.Better.LOWER or window in SPENDING_WINDOWS else "below"
    )
    line = given.get("line")
    costs = has_money_account(formula, metrics, comparison, window)
    settling = max((metrics[code].settling_days for code in formula.metrics if code in metrics), default=1)
    return {
        "comparison": comparison,
        "m": n if window == Window.M_OF_N else None,
        "k": Decimal(3) if window == Window.SINCE_CONVERSION else None,
        "max_span": 2 * n + 1 if isinstance(n, int) else None,
        "minimum_sample": _sample(window, formula),
        "zero_line": usual_zero_line(line) if costs and isinstance(line, Decimal) else None,
        "settling_days": max(settling, MAILING_SETTLES) if window == Window.EVENT else settling,
        "period": StopRuleVersion.Period.MONTH if window == Window.BUDGET else "",
    }


def _sample(window: str, formula: Formula) -> Decimal:
    if window == Window.BUDGET or not formula.is_ratio:
        return Decimal(0)
    return {Window.EVENT: MAILING_SAMPLE, Window.POOLED: Decimal(10)}.get(window, Decimal(3))


def fitted(version: StopRuleVersion) -> StopRuleVersion:
    """The version without the terms that its window does not know: they would mean nothing."""
    version.m = version.m if version.window == Window.M_OF_N else None
    version.k = version.k if version.window == Window.SINCE_CONVERSION else None
    if version.window not in BY_DAY:
        version.n = version.max_span = None
    if version.window in (Window.EVENT, Window.BUDGET):
        version.confirm_pooled_7d, version.zero_line = False, None
    if version.window == Window.EVENT:
        version.per = StopRuleVersion.Per.CAMPAIGN
    if version.window != Window.BUDGET:
        version.period = ""
    return version


def as_given(company: Company, version: StopRuleVersion) -> dict:
    """The terms of a version with None for what is as usual, so that it is worked out afresh when others change."""
    terms = {name: getattr(version, name) for name in TERMS}
    kpi = KpiVersion.objects.filter(company=company, kpi=version.kpi_id, superseded_at=None).first()
    usual = defaults(company, kpi, terms) if kpi else {}
    return {name: None if name in usual and usual[name] == value else value for name, value in terms.items()}


def is_money_per_count(formula: Formula, metrics: dict[str, MetricInfo]) -> bool:
    """Is it money over something counted, as CPL, CPA and CAC are? Only those have a zero line and a money account."""

    def units(side) -> set[str]:
        return {metrics[code].unit for code, _factor in side if code in metrics}

    return formula.is_ratio and "money" in units(formula.numerator) and units(formula.denominator) == {"count"}


def has_money_account(formula: Formula, metrics: dict[str, MetricInfo], comparison: str, window: str) -> bool:
    """Can firings be counted in money? Only those of a cost over its line, judged by days."""
    by_days = window not in (Window.EVENT, Window.BUDGET)
    return comparison == "above" and by_days and is_money_per_count(formula, metrics)


def never_negative(formula: Formula, metrics: dict[str, MetricInfo]) -> bool:
    """Can the KPI not be below zero, as a cost or a rate cannot? One with profit or revenue in it, or with a minus, can."""
    sides = formula.numerator + formula.denominator
    return all(factor > 0 and code in metrics and not metrics[code].signed for code, factor in sides)


def usual_zero_line(line: Decimal) -> Decimal | None:
    """Of a cost: three lines."""
    return 3 * line if line > 0 else None


def check(company: Company, version: StopRuleVersion, kpi: KpiVersion) -> None:
    """WrongTerms with every field that is not right, in words that say what to write."""
    _check_size(version)
    check_fields(version, exclude=("reason", "valid_from", "created_at", "number"))
    errors = [FieldError(*error) for error in (*_window_errors(version), *_other_errors(version, kpi))]
    if errors:
        raise WrongTerms(errors[0].message, errors)


def _check_size(version: StopRuleVersion) -> None:
    """Figures that the database can keep."""
    errors = []
    for name in ("line", "k", "minimum_sample", "zero_line", "clear_ratio"):
        value = getattr(version, name)
        try:
            setattr(version, name, value if value is None else from_micros(to_micros(value)))
        except (ValueError, TypeError):
            errors.append(FieldError(name, "out_of_range", _("This number cannot be kept: write a smaller one.")))
    if errors:
        raise WrongTerms(errors[0].message, errors)


def _window_errors(version: StopRuleVersion):
    window = version.window
    most = DAYS.get(window)
    if most and not (version.n and 1 <= version.n <= most):
        yield "n", "out_of_range", _("Give a number of days from 1 to %(most)s.") % {"most": most}
    elif window == Window.M_OF_N and not (version.m and 1 <= version.m <= version.n):
        yield "m", "out_of_range", _("Of the last %(n)s days at most so many can be bad.") % {"n": version.n}
    elif window == Window.IN_A_ROW and version.max_span is not None and version.max_span < version.n:
        yield "max_span", "out_of_range", _("So many bad days do not fit into the span: make it longer.")
    if window == Window.SINCE_CONVERSION:
        if version.k is None or version.k <= 0:
            yield "k", "out_of_range", _("Give how many lines may be spent: a number above 0.")
        if version.comparison != StopRuleVersion.Comparison.ABOVE or version.line <= 0:
            yield "comparison", "not_a_cost", _("Spend without a conversion is watched for costs with a line above 0.")


def _kpi_errors(version: StopRuleVersion, kpi: KpiVersion):
    formula = parse(kpi.formula)
    if version.window == Window.SINCE_CONVERSION:
        if not is_money_per_count(formula, metrics_of(company=version.company)):
            yield "kpi", "not_a_cost", _("This window needs a KPI that is money per something counted, such as CPA.")
    elif version.window == Window.BUDGET:
        if kpi.formula != SPENDING:
            yield "kpi", "not_spending", _("A budget is compared with spend: leave the KPI out, it is filled in.")
        if version.comparison != StopRuleVersion.Comparison.ABOVE or version.line <= 0:
            yield "line", "not_a_share", _("Give what share of the budget may be spent: 1.1 is ten per cent over it.")
    elif version.window == Window.EVENT:
        kind = version.channel.kind if version.channel else version.channel_kind
        if kind and kind != Channel.Kind.CRM:
            yield "scope", "not_mailings", _("Mailings are campaigns of CRM channels: choose such a channel.")


def _line_errors(version: StopRuleVersion, kpi: KpiVersion):
    """A line that a cost or a rate is always beyond, or never."""
    if version.window in SPENDING_WINDOWS or not never_negative(
        parse(kpi.formula), metrics_of(company=version.company)
    ):
        return
    if version.line < 0:
        yield "line", "never_negative", _("This KPI is never below 0: give a line above it.")
    elif version.line == 0 and version.comparison == StopRuleVersion.Comparison.BELOW:
        yield "line", "never_negative", _("Nothing is below 0 here, so the rule would never fire: give a line above 0.")


def _other_errors(version: StopRuleVersion, kpi: KpiVersion):
    if not version.name.strip():
        yield "name", "required", _("Give the rule a name.")
    yield from _kpi_errors(version, kpi)
    yield from _line_errors(version, kpi)
    if version.minimum_sample < 0:
        yield "minimum_sample", "negative", _("The smallest sample cannot be below 0.")
    if version.zero_line is not None and version.zero_line < 0:
        yield "zero_line", "negative", _("The zero line cannot be below 0.")
    if not 0 <= version.clear_ratio <= 1:
        yield "clear_ratio", "out_of_range", _("The clear line is a share of the line from 0 to 1.")
    if not 1 <= version.clear_days <= 30:
        yield "clear_days", "out_of_range", _("Give from 1 to 30 days.")
    if not 0 <= version.settling_days <= 60:
        yield "settling_days", "out_of_range", _("Give from 0 to 60 days.")
    if version.shadow_until and version.valid_from and (version.shadow_until - version.valid_from).days > SHADOW_DAYS:
        yield (
            "shadow_until",
            "out_of_range",
            _("A rule may stay in the shadow for %(most)s days at most.") % {"most": SHADOW_DAYS},
        )
    if not version.owner.is_active:
        yield "owner", "not_a_member", _("This person has left the company: choose another one.")


def shadow_if_signed(version: StopRuleVersion, today: date) -> date | None:
    """The last day in the shadow of a version that is put in force today: the days that waiting took are given back."""
    waited = today - version.valid_from
    return version.shadow_until and version.shadow_until + waited


def scope_channel(channel: Channel | None, channel_kind: str) -> tuple[Channel | None, str]:
    """A rule is about one channel, or a kind, or all: a named channel leaves no kind."""
    return (channel, "") if channel is not None else (None, channel_kind or "")
