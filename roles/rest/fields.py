"""Fields of serializers that every app shares."""

from decimal import Decimal

from rest_framework import serializers


class AmountField(serializers.DecimalField):
    """Money, rates and shares as decimal strings without needless zeros: "1234.56". NaN and infinities are refused."""

    def __init__(self, **kwargs):
        super().__init__(max_digits=19, decimal_places=6, **kwargs)

    def to_representation(self, value) -> str:
        number = Decimal(value).normalize()
        return f"{number:f}"
