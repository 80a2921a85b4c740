"""Geometry of plan against fact: the bullet of a table cell and the runway of a month. Pure, like `kpis.charts`."""

from dataclasses import dataclass

from kpis.charts import Value, percent

PLAN_AT = 80.0  # where the mark of the plan stands in every bullet, so that a column of them has one line
NEAR_PLAN, FAR_FROM_PLAN = 0.9, 0.8


@dataclass(frozen=True)
class Bullet:
    """Fact against plan. `state`: "" fine, watch, low. `share` is fact / plan; `forecast` where it ends, in per cent."""

    fill: str
    tick: str
    state: str
    share: float
    negative: bool
    forecast: str | None = None


def bullet(fact: Value, plan: Value, better: str = "higher", forecast: Value = None) -> Bullet | None:
    """None where fact or plan is unknown or the plan is not above zero: there is no share to draw then."""
    if fact is None or plan is None or plan <= 0:
        return None
    share = float(fact) / float(plan)
    place = PLAN_AT / 100
    beyond = None if forecast is None else percent(min(1.0, max(0.0, float(forecast) / float(plan) * place)))
    return Bullet(
        percent(min(1.0, max(0.0, share * place))), percent(place), plan_state(share, better), share, share < 0, beyond
    )


def plan_state(share: float, better: str = "higher") -> str:
    """How a share of the plan looks: within 10 % on the bad side "", within 20 % watch, else low."""
    good = share if better == "higher" else 2 - share
    if round(good, 9) >= NEAR_PLAN:
        return ""
    return "watch" if round(good, 9) >= FAR_FROM_PLAN else "low"


def tone(state: str) -> str:
    """The colour of a figure beside a bar of this state: "" | care | bad."""
    return {"": "", "watch": "care", "low": "bad"}[state]


@dataclass(frozen=True)
class Runway:
    """A long bar from nothing to the goal of the span: what is there, what should be by now, where it is heading.

    The two flags say when two labels would run into each other and are written as one, at `label_x`.
    """

    fill: str
    tick: str
    forecast: str | None
    tick_anchor: str
    fill_anchor: str
    plan_near_goal: bool
    forecast_near_fact: bool
    label_x: str
    label_anchor: str


LABEL_WIDTH = 0.3


def runway(fact: Value, goal: Value, plan_to_date: Value, forecast: Value = None) -> Runway | None:
    """None where a part of it is unknown or the goal is not above zero."""
    if fact is None or plan_to_date is None or goal is None or goal <= 0:
        return None
    whole = float(goal)
    fill, tick = (min(1.0, max(0.0, float(value) / whole)) for value in (fact, plan_to_date))
    ahead = None if forecast is None else min(1.0, max(0.0, float(forecast) / whole))
    end = max(fill, ahead or 0)
    return Runway(
        percent(fill), percent(tick), None if ahead is None else percent(ahead),
        tick_anchor=_anchor(tick), fill_anchor=_anchor(fill), plan_near_goal=tick > 1 - LABEL_WIDTH,
        forecast_near_fact=ahead is not None and ahead - (fill if fill > LABEL_WIDTH else 2 * LABEL_WIDTH) < LABEL_WIDTH,
        label_x=percent(end if end > 2 * LABEL_WIDTH else 0), label_anchor="end" if end > 2 * LABEL_WIDTH else "start",
    )  # fmt: skip


def _anchor(position: float) -> str:
    """A label ends at its mark where there is room to the left of it, else it begins there."""
    return "end" if position > LABEL_WIDTH else "start"
