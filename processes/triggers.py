"""Why roles and KPIs are to be reviewed (R11): the quarter is over, goals are new, CAC or ROMI has moved, a channel has come,
a KPI goes its own way. Values in, triggers out; each has a key by which it is told once."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from statistics import StatisticsError, correlation

from django.utils.translation import gettext as _

from roles import formats

Trigger = dict[str, str]
Series = Sequence[Decimal | None]

STRONG = Decimal("0.3")
"""A change of CAC or ROMI by this share calls for a review."""
FOLLOWED, LOST, FEWEST = 0.5, 0.2, 10
"""A KPI followed revenue from this correlation up, and no longer does below that one; weeks that both must know."""


def quarter_over(today: date) -> Trigger:
    """The last full quarter."""
    quarter = (today.month - 1) // 3
    year, number = (today.year, quarter) if quarter else (today.year - 1, 4)
    return {"code": "quarter", "key": f"quarter:{year}-Q{number}", "quarter": str(number), "year": str(year)}


def new_channel(pk: int, name: str) -> Trigger:
    return {"code": "channel", "key": f"channel:{pk}", "name": name}


def new_goals(month: date) -> Trigger:
    """The company's targets of a month are new."""
    return {"code": "goals", "key": f"goals:{month:%Y-%m}", "month": month.isoformat()}


def shift(kpi: str, name: str, before: Decimal | None, now: Decimal | None, today: date) -> Trigger | None:
    """CAC or ROMI of four weeks against the twelve before: told once a month at most."""
    if before is None or now is None or not before or abs(now / before - 1) < STRONG:
        return None
    return {
        "code": "shift", "key": f"shift:{kpi}:{today:%Y-%m}", "name": name,
        "change": str((now - before) / abs(before)),
    }  # fmt: skip


def decoupled(kpi: str, name: str, figures: Series, revenue: Series, today: date) -> Trigger | None:
    """A KPI that moved with revenue in the earlier half of the weeks and does not in the later one."""
    half = len(figures) // 2
    earlier, later = _together(figures[:half], revenue[:half]), _together(figures[half:], revenue[half:])
    if earlier is None or later is None or abs(earlier) < FOLLOWED or abs(later) >= LOST:
        return None
    quarter = (today.month - 1) // 3 + 1
    return {
        "code": "decoupled", "key": f"decoupled:{kpi}:{today.year}-Q{quarter}", "name": name,
        "earlier": f"{earlier:.2f}", "later": f"{later:.2f}",
    }  # fmt: skip


def _together(figures: Series, revenue: Series) -> float | None:
    pairs = [
        (float(one), float(money)) for one, money in zip(figures, revenue, strict=True) if None not in (one, money)
    ]
    if len(pairs) < FEWEST:
        return None
    try:
        return correlation(*zip(*pairs, strict=True))
    except StatisticsError:
        return None


def words(trigger: Trigger) -> str:
    """A trigger as the page says it."""
    if trigger["code"] == "quarter":
        return _("quarter %(quarter)s of %(year)s is over") % trigger
    if trigger["code"] == "channel":
        return _("a new channel: %(name)s") % trigger
    if trigger["code"] == "goals":
        return _("new goals for %(month)s") % {"month": formats.month(date.fromisoformat(trigger["month"]))}
    if trigger["code"] == "shift":
        change = formats.percent(Decimal(trigger["change"]), sign=True)
        return _("%(name)s has moved by %(change)s in four weeks") % {"name": trigger["name"], "change": change}
    return _("%(name)s no longer moves with revenue: correlation %(earlier)s, now %(later)s") % {
        "name": trigger["name"],
        "earlier": formats.number(Decimal(trigger["earlier"]), 2),
        "later": formats.number(Decimal(trigger["later"]), 2),
    }
