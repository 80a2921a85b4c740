"""What a decision promised and what came of it, as JSON that a review keeps; and the verdict that the figures propose.

forecast {"kpi": code, "name": {"ru", "en"}, "unit", "better": "lower" | "higher", "value": the figure that was promised or the
stop line, "promised": was it promised, "on": ISO day of the promise, "words", "before": the KPI over the breach, "is_money"}
fact     {"value": the KPI of the time after, "days", "first", "last", "net", "kept", "given_up", "paid", "lost", "proposed",
"because"}; amounts are decimal text, null where unknown.

Of a review of changed data: forecast is what was signed, fact is what stands there now, both {"value", "days": [{"date",
"numerator", "denominator"}]} beside the same names.
"""

from collections.abc import Mapping
from decimal import Decimal

from processes.models import Review

Outcome = Review.Outcome
FEWEST_DAYS = 3
HALF = Decimal("0.5")


def proposed(forecast: Mapping, fact: Mapping) -> tuple[str, str]:
    """(verdict, why as a code) by arithmetic; the person decides.

    reached: the KPI is where it was promised (without a promise: on the right side of the line). half: it went at least
    half of the way there. missed: less than that. few_days: fewer than three known days. By the account where there are
    no days after and nothing was promised: kept_money, kept_nothing; no_figures where that is unknown too.
    """
    value, target = _number(fact["value"]), _number(forecast["value"])
    if value is None or target is None:
        return _by_money(forecast, fact)
    if fact["days"] < FEWEST_DAYS:
        return Outcome.CANNOT_TELL, "few_days"
    sign = 1 if forecast["better"] == "lower" else -1
    if sign * (value - target) <= 0:
        return Outcome.CAME_TRUE, "reached"
    before = _number(forecast["before"])
    way = None if before is None else sign * (before - target)
    if way is not None and way > 0 and sign * (before - value) >= HALF * way:
        return Outcome.PARTLY, "half"
    return Outcome.NO, "missed"


def _by_money(forecast: Mapping, fact: Mapping) -> tuple[str, str]:
    net = _number(fact.get("net"))
    if net is None or forecast["promised"]:
        return Outcome.CANNOT_TELL, "no_figures"
    return (Outcome.CAME_TRUE, "kept_money") if net > 0 else (Outcome.NO, "kept_nothing")


def still_right(forecast: Mapping, fact: Mapping) -> tuple[str, str]:
    """The same for changed data: would the rule still have fired on the days that were signed?"""
    value, line = _number(fact["value"]), _number(forecast["line"])
    beyond = None
    if value is not None and line is not None:
        beyond = value > line if forecast["better"] == "lower" else value < line
    lost = any(now["numerator"] is None and was["numerator"] is not None for was, now in _days(forecast, fact))
    if fact.get("fires") is False and not lost and beyond is not False:
        return Outcome.NO, "fires_no_more"
    if beyond is None:
        return Outcome.CANNOT_TELL, "no_figures"
    if not beyond:
        return Outcome.NO, "not_beyond"
    return (Outcome.CAME_TRUE, "still_beyond") if all(fact["breaching"]) else (Outcome.PARTLY, "some_beyond")


def _days(forecast: Mapping, fact: Mapping) -> zip:
    return zip(forecast["days"], fact["days"], strict=True)


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
