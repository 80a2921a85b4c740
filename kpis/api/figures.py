"""How figures stand in JSON: money, rates and shares as decimal strings, counts as numbers, unknown as null."""

from decimal import ROUND_HALF_EVEN, Decimal

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

MICRO = Decimal("0.000001")


def decimal_text(value: Decimal | None) -> str | None:
    """At most six decimals, no needless zeros: "1234.56", "0.008"."""
    if value is None:
        return None
    rounded = value.quantize(MICRO, rounding=ROUND_HALF_EVEN) if value.adjusted() < 20 else value
    if not rounded:
        return "0"
    text = f"{rounded:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def as_json(value: Decimal | None, unit: str) -> str | int | float | None:
    """A figure in its unit: money | share | number as text, count as a number."""
    if value is None or unit != "count":
        return decimal_text(value)
    return int(value) if value == value.to_integral_value() else float(value)


@extend_schema_field(
    {"type": ["string", "number", "null"], "description": "decimal string; a number for counts; null: unknown"}
)
class FigureField(serializers.Field):
    """A figure that is already as JSON has it; taken in as text or number."""

    def to_representation(self, value):
        return value

    def to_internal_value(self, data):
        if isinstance(data, bool) or not isinstance(data, str | int | float):
            self.fail("invalid")
        return str(data)

    default_error_messages = {"invalid": _("Write the plan as a number: 1234.56.")}
