"""The plain way to judge stop-rules: one ORM query and a Python loop over the days per rule and scope. What the engine is measured against.

Written from the words of domain.md 3.1 and 3.2 and sharing no code with the engine; no signatures, because the
companies of a benchmark have none. It knows one source per channel and day.
"""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from django.db.models import Sum

from kpis.models import DailyFact, KpiVersion, StopRuleVersion
from roles.models import Campaign, Channel

Scalar = Callable[..., object]
"""The model of tests/kpis/scalar_model.py: `Scalar(rule, days, marks, start).run()`."""


def scopes_of(version: StopRuleVersion) -> list[tuple[Channel, Campaign | None]]:
    """The running scopes of a rule, as the plain way finds them."""
    channels = Channel.objects.filter(company_id=version.company_id, status__in=("testing", "active"))
    if version.per != "campaign":
        return [(channel, None) for channel in channels]
    parts = Campaign.objects.filter(channel__in=channels, status__in=("testing", "active")).select_related("channel")
    if version.window == "event":
        parts = parts.filter(channel__kind="crm").exclude(series="")
    return [(part.channel, part) for part in parts]


def formula_of(version: StopRuleVersion) -> str:
    """The text of the rule's KPI."""
    return KpiVersion.objects.get(kpi_id=version.kpi_id, superseded_at=None).formula


def judge(version: StopRuleVersion, formula: str, scope: tuple, today: date, scalar: Scalar):
    """The scalar model after all days of one rule on one scope; None where there is nothing to judge."""
    channel, campaign = scope
    rows = _days(version.company_id, channel, campaign, _metrics(formula, version.window))
    if not rows:
        return None
    start, begin = min(rows), 0
    if version.window == "event":
        sent = [day for day, row in sorted(rows.items()) if row.get("sends")]
        if not sent:
            return None
        rows, begin = {sent[0]: _mailing(rows, sent[0])}, (sent[0] - start).days
    size = (today - start).days + 1
    days = [_pair(formula, version.window, rows.get(start + timedelta(days=offset), {})) for offset in range(size)]
    return scalar(_terms(version, channel, start, size), days, {}, begin).run()


def _metrics(formula: str, window: str) -> list[str]:
    extra = {"event": ["sends"], "budget": ["gross_profit"]}.get(window, [])
    return [
        *{"spend", *(word for word in formula.replace("(", " ").replace(")", " ").split() if word[0].isalpha()), *extra}
    ]


def _days(company_id: int, channel: Channel, campaign: Campaign | None, metrics: list[str]) -> dict[date, dict]:
    """One query: the metrics of the scope by day, as the strongest source has them."""
    facts = DailyFact.objects.filter(company_id=company_id, channel=channel, source__code="ads")
    if campaign is not None:
        return {row["day"]: row for row in facts.filter(campaign_id=campaign.pk).values("day", *metrics)}
    sums = {f"sum_{code}": Sum(code) for code in metrics}
    found = facts.order_by().values("day").annotate(**sums)
    return {row["day"]: {code: row[f"sum_{code}"] for code in metrics} for row in found}


def _mailing(rows: dict[date, dict], first: date) -> dict:
    days = [rows[day] for offset in range(3) if (day := first + timedelta(days=offset)) in rows]
    codes = days[0].keys() - {"day"}
    known = {code: [row[code] for row in days if row[code] is not None] for code in codes}
    return {code: sum(values) if values else None for code, values in known.items()}


def _plain(value: Decimal | None) -> int | Fraction | None:
    """As the model reckons: whole numbers where that is enough."""
    return value if value is None else int(value) if value == int(value) else Fraction(value)


def _pair(formula: str, window: str, row: dict) -> tuple:
    def get(code):
        return _plain(row.get(code))

    if window == "budget":
        return get("spend"), get("gross_profit")
    if formula == "(gross_profit - spend) / spend":
        spend, profit = get("spend"), get("gross_profit")
        return (None, None) if spend is None or profit is None else (profit - spend, spend)
    above, below = (part.strip() for part in formula.split("/"))
    return get(above), get(below)


def _terms(version: StopRuleVersion, channel: Channel, start: date, size: int) -> dict:
    names = (
        "line", "window", "m", "k", "max_span", "minimum_sample", "zero_line", "no_data", "settling_days",
        "confirm_pooled_7d", "clear_ratio", "clear_days",
    )  # fmt: skip
    months = [offset for offset in range(size) if offset == 0 or (start + timedelta(days=offset)).day == 1]
    terms = {name: getattr(version, name) for name in names}
    terms |= {name: _plain(terms[name]) for name in ("line", "k", "minimum_sample", "zero_line", "clear_ratio")}
    return terms | {
        "n": version.n or 1, "above": version.comparison == "above", "budget": _plain(channel.monthly_budget),
        "stop_loss": _plain(channel.stop_loss), "periods": months,
    }  # fmt: skip
