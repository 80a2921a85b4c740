"""What the log of a stop-rule says of each day, and what it said before late data, as JSON."""

from collections.abc import Iterable

from rest_framework import serializers

from kpis.api.figures import as_json
from kpis.models import EvaluationLog, EvaluationLogRevision

UNITS_HELP = "null where it is unknown or not shown to the caller"


class SaidOut(serializers.Serializer):
    """What a day was judged as: class and state as `states/` has them, figures of then, bad days so far."""

    day_class = serializers.CharField()
    state = serializers.CharField()
    streak = serializers.IntegerField()
    numerator = serializers.CharField(allow_null=True, help_text=UNITS_HELP)
    denominator = serializers.CharField(allow_null=True, help_text=UNITS_HELP)


class SaidBeforeOut(SaidOut):
    changed_at = serializers.DateTimeField()
    changed_by_load = serializers.IntegerField(allow_null=True, help_text="the newest load when it changed")


class LogDayOut(SaidOut):
    """`before`: what stood there earlier, the newest first."""

    date = serializers.DateField()
    seen_load = serializers.IntegerField(allow_null=True, help_text="the newest load that was seen")
    before = SaidBeforeOut(many=True)


def log_json(row: EvaluationLog, before: Iterable[EvaluationLogRevision], units: tuple[str, str], hidden: bool) -> dict:
    """One day; `hidden`: the caller sees no money of this rule."""
    earlier = [
        _said(old, units, hidden) | {"changed_at": old.changed_at, "changed_by_load": old.changed_by_load_id}
        for old in before
    ]
    return {"date": row.day, **_said(row, units, hidden), "seen_load": row.seen_load_id, "before": earlier}


def _said(row, units: tuple[str, str], hidden: bool) -> dict:
    above, below = (
        None if hidden and unit == "money" else as_json(value, unit)
        for value, unit in zip((row.numerator, row.denominator), units, strict=True)
    )
    return {
        "day_class": row.day_class, "state": row.state, "streak": row.streak, "numerator": above, "denominator": below,
    }  # fmt: skip
