"""How figures and days are written where the rule has a corner."""

from datetime import date
from decimal import Decimal

import pytest
from django.utils import translation

from roles import formats


@pytest.mark.parametrize(("value", "text"), [("0", "0 ₽"), ("64", "64,00 ₽"), ("-0.5", "−0,50 ₽"), ("100", "100 ₽")])
def test_no_money_is_written_without_kopecks(value, text):
    with translation.override("ru"):
        assert formats.figure(Decimal(value), "money").replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("language", "start", "end", "text"),
    [
        ("en", date(2026, 11, 2), date(2026, 11, 8), "2–8 Nov 2026"),
        ("en", date(2026, 11, 30), date(2026, 12, 6), "30 Nov–6 Dec 2026"),
        ("en", date(2025, 12, 29), date(2026, 1, 4), "29 Dec 2025–4 Jan 2026"),
        ("ru", date(2026, 11, 2), date(2026, 11, 8), "02–08.11.2026"),
    ],
)
def test_a_range_names_its_month_once(language, start, end, text):
    with translation.override(language):
        assert formats.days(start, end).replace("\u00a0", " ") == text
