from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpis import formulas
from kpis.formulas import DEEPEST, FormulaError, parse

SUMS = {"spend": Decimal(600), "leads": Decimal(5), "gross_profit": Decimal(2100), "visits": Decimal(0)}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("spend / leads", "120"),
        ("(gross_profit - spend) / spend", "2.5"),
        ("gross_profit / spend - 1", "2.5"),
        ("1 - spend / gross_profit", Decimal(1500) / Decimal(2100)),
        ("1000 * spend / leads", "120000"),
        ("spend", "600"),
        ("spend / 4", "150"),
        ("-leads + 2 * leads", "5"),
        ("spend / (2 * leads) + spend / leads", "180"),
        ("spend − leads × 2", "590"),
        ("gross_profit / 0.5 / (spend)", "7"),
    ],
)
def test_value_of_formula(text, value):
    assert parse(text).value(SUMS) == Decimal(value)


def test_parts_are_numerator_and_denominator():
    formula = parse("(gross_profit - spend) / spend")

    assert formula.parts(SUMS) == (Decimal(1500), Decimal(600))
    assert formula.metrics == {"gross_profit", "spend"}
    assert formula.is_ratio


def test_plain_formula_has_denominator_one():
    formula = parse("spend / 4 + leads")

    assert formula.parts(SUMS) == (Decimal(155), Decimal(1))
    assert formula.denominator == ()
    assert formula.scales == (4, 1)
    assert dict(formula.whole_numerator) == {"leads": 4, "spend": 1}


def test_unknown_metric_makes_its_part_unknown():
    formula = parse("spend / leads")

    assert formula.parts({"spend": Decimal(1), "leads": None}) == (Decimal(1), None)
    assert formula.parts({"leads": Decimal(1)}) == (None, Decimal(1))
    assert formula.value({"spend": Decimal(1), "leads": None}) is None


def test_zero_denominator_gives_no_value():
    assert parse("spend / visits").value(SUMS) is None


@pytest.mark.parametrize(
    ("text", "code", "position"),
    [
        ("", "empty", 0),
        ("   ", "empty", 0),
        ("spend /", "unfinished", 7),
        ("spend leads", "unexpected", 6),
        ("(spend / leads", "unclosed", 0),
        ("spend / leads)", "unexpected", 13),
        ("spend % leads", "unknown_sign", 6),
        ("Spend", "unknown_sign", 0),
        ("__import__('os')", "unknown_sign", 0),
        ("spend ** leads", "unexpected", 7),
        ("spend * leads", "not_linear", 6),
        ("spend / leads / visits", "not_linear", 14),
        ("spend / leads + leads / visits", "different_denominators", 14),
        ("spend / 0", "division_by_zero", 6),
        ("spend / (leads - leads)", "division_by_zero", 6),
        ("spend - spend", "no_metric", 0),
        ("5", "no_metric", 0),
        ("5 / leads", "no_metric", 0),
        ("leads + 5", "constant", 0),
        ("spend / (leads + 1)", "constant", 0),
        ("9999999999999 * spend", "out_of_range", 0),
        ("1000000 * 1000000 * 10 * spend", "out_of_range", 0),
        ("1,5 * spend", "unknown_sign", 1),
        ("(" * (DEEPEST + 1) + "spend" + ")" * (DEEPEST + 1), "too_deep", DEEPEST),
        ("(" * 299, "too_deep", DEEPEST),
        ("spend" + " " * 300, "too_long", 300),
    ],
)
def test_bad_formula_says_what_and_where(text, code, position):
    with pytest.raises(FormulaError) as caught:
        parse(text)

    assert (caught.value.code, caught.value.position) == (code, position)
    assert str(position + 1) in str(caught.value)


def test_long_row_of_signs_is_no_recursion():
    assert parse("-" * 290 + "spend").value(SUMS) == 600


@given(st.text(alphabet="abz_09.+-*/() \tЖ", max_size=60))
def test_any_text_parses_or_is_refused(text):
    position = None
    try:
        formula = parse(text)
    except FormulaError as error:
        position = error.position

    assert formula.metrics if position is None else 0 <= position <= len(text)


CODES = st.sampled_from(["spend", "leads", "revenue"])
AMOUNTS = st.integers(-(10**9), 10**9)


@st.composite
def linear(draw) -> tuple[str, dict[str, int]]:
    terms = draw(st.lists(st.tuples(st.integers(1, 99), CODES, st.booleans()), min_size=1, max_size=5))
    total: dict[str, int] = {}
    for factor, code, negative in terms:
        total[code] = total.get(code, 0) + (-factor if negative else factor)
    text = "".join(f" {'-' if negative else '+'} {factor} * {code}" for factor, code, negative in terms)
    return f"({text})", {code: factor for code, factor in total.items() if factor}


@given(linear(), linear(), st.fixed_dictionaries({"spend": AMOUNTS, "leads": AMOUNTS, "revenue": AMOUNTS}))
def test_fraction_of_two_linear_forms_is_exact(above, below, sums):
    (top_text, top), (bottom_text, bottom) = above, below
    if not top or not bottom:
        return
    num = sum(factor * sums[code] for code, factor in top.items())
    den = sum(factor * sums[code] for code, factor in bottom.items())

    formula = parse(f"{top_text} / {bottom_text}")

    values = {code: Decimal(amount) for code, amount in sums.items()}
    assert formula.parts(values) == (Decimal(num), Decimal(den))
    assert formula.value(values) == (Decimal(num) / Decimal(den) if den else None)
    assert sum(factor * Fraction(sums[code]) for code, factor in formula.numerator) == num


@pytest.mark.parametrize(
    ("formula", "line", "below", "text"),
    [
        ("spend / leads", "3900", False, "spend - 3900 * leads"),
        ("spend / leads", "3900.5", True, "3900.5 * leads - spend"),
        ("(gross_profit - spend) / spend", "1.5", True, "2.5 * spend - gross_profit"),
        ("spend / (leads + 2 * deals)", "10", False, "spend - 20 * deals - 10 * leads"),
        ("spend", "10", False, ""),
    ],
)
def test_what_is_over_a_line_is_a_formula_again(formula, line, below, text):
    assert formulas.over(parse(formula), Decimal(line), below=below) == text


def test_a_side_of_a_formula_is_read_back():
    for text in ("gross_profit - spend", "spend", "leads / 3 + 0.5 * deals", "-spend"):
        form = parse(text).numerator
        assert parse(formulas.written(form)).numerator == form
