"""MicrosField: exact decimals kept as whole millionths, equal on SQLite and PostgreSQL."""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

MICRO = 1_000_000
LIMIT = 9_200_000_000_000 * MICRO


def to_micros(value: Decimal | int | str) -> int:
    """Whole millionths of a value, more than six decimals rounded half-even; ValueError for NaN, infinity and beyond ±9.2·10¹²."""
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise ValueError(f"not a number: {value!r}") from error
    if not number.is_finite():
        raise ValueError(f"not a finite number: {value!r}")
    micros = int((number * MICRO).to_integral_value(rounding=ROUND_HALF_EVEN)) if abs(number) < LIMIT else LIMIT + 1
    if abs(micros) > LIMIT:
        raise ValueError(f"too large: {value!r}")
    return micros


def from_micros(micros: int) -> Decimal:
    """The decimal behind whole millionths, without trailing zeros in the fraction beyond what is needed."""
    number = Decimal(micros).scaleb(-6)
    return number.quantize(Decimal(1)) if micros % MICRO == 0 else number.normalize()


class MicrosField(models.BigIntegerField):
    """A decimal of at most six places stored as BIGINT × 10⁶, because SQLite keeps Decimal as REAL and PostgreSQL numeric lets NaN through."""

    description = _("Exact decimal")

    def from_db_value(self, value, expression, connection):
        return None if value is None else from_micros(value)

    def to_python(self, value):
        if value is None or isinstance(value, Decimal):
            return value
        try:
            return from_micros(to_micros(value))
        except (ValueError, TypeError) as error:
            raise ValidationError(_("Enter a number."), code="invalid") from error

    def get_prep_value(self, value):
        return None if value is None else to_micros(value)

    def formfield(self, **kwargs):
        from django import forms

        return models.Field.formfield(self, **{"form_class": forms.DecimalField, "decimal_places": 6, **kwargs})
