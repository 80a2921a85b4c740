"""What the screens write is read back as the value it was."""

from datetime import date
from decimal import Decimal

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from roles import formats
from roles.written import read_back

LANGUAGES = ("ru", "en")


@pytest.mark.parametrize("language", LANGUAGES)
@given(value=st.decimals(-(10**9), 10**9, places=2), currency=st.sampled_from(sorted(formats.CURRENCIES)))
def test_money_comes_back(language, value, currency):
    with translation.override(language):
        assert read_back(formats.money(value, currency, 2)) == ("money", value)


@pytest.mark.parametrize("language", LANGUAGES)
@given(value=st.integers(-(10**12), 10**12))
def test_counts_come_back(language, value):
    with translation.override(language):
        assert read_back(formats.number(value)) == ("count", value)


@pytest.mark.parametrize("language", LANGUAGES)
@given(share=st.integers(-100_000, 100_000).map(lambda n: Decimal(n) / 1000))
def test_shares_come_back_as_shares(language, share):
    with translation.override(language):
        assert read_back(formats.percent(share, 1)) == ("share", share)


@pytest.mark.parametrize("language", LANGUAGES)
@given(day=st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_days_come_back(language, day):
    with translation.override(language):
        assert read_back(formats.day(day)) == ("date", day)


@pytest.mark.parametrize(
    ("text", "value"), [("25,88 млн ₽", 25_880_000), ("540 тыс. ₽", 540_000), ("1 234,5", Decimal("1234.5"))]
)
def test_short_figures_are_as_large_as_they_say(text, value):
    with translation.override("ru"):
        assert read_back(text.replace(" ", "\u00a0"))[1] == value


@pytest.mark.parametrize(
    "text",
    ["8 из 9", "40 дн.", "+7 900 123-45-67", "12,5,6", "31.02.2026", "20.11", "1 2", "Р-14", "п. 2.1", "=1+1", "%"],
)
def test_what_is_no_single_figure_stays_text(text):
    with translation.override("ru"):
        assert read_back(text) == ("text", text)


@pytest.mark.parametrize("text", ["", "—", "  "])
def test_nothing_is_unknown(text):
    assert read_back(text) == ("text", None)
