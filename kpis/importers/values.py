"""Cells as values: numbers to whole millionths, dates of every spelling; what can be read two ways is refused."""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache

MICRO = 1_000_000
LIMIT = 9_200_000_000_000 * MICRO
EARLIEST = date(2000, 1, 1)
NOTHING = {"", "-", "--", "—", "–", "n/a", "na", "null", "none", "нет данных"}
STRIPPED = dict.fromkeys(map(ord, " \u00a0\u2009\u202f\u2007\u2006\t'₽$€"), None) | {0x2212: "-"}
GROUPED = re.compile(r"\d{1,3}([.,])\d{3}(?:\1\d{3})*$")
TOTAL = re.compile(r"^(итого|всего|total|totals|grand total|gesamt|summe|среднее|average)\b", re.IGNORECASE)
MONTHS = {
    name: number
    for number, names in enumerate(
        ("янв jan", "фев feb", "мар mar", "апр apr", "май мая may", "июн jun", "июл jul", "авг aug", "сен sep", "окт oct",
         "ноя nov", "дек dec"), 1,
    )
    for name in names.split()
}  # fmt: skip


class CellError(ValueError):
    """A cell that cannot be read; `code` is stable."""

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


def decimal_sign(cells: Iterable[str]) -> str | None:
    """The decimal sign of a file, told by the cells that can be read in one way only; None when none of them can."""
    for cell in cells:
        text = cell.translate(STRIPPED)
        last = max(text.rfind(","), text.rfind("."))
        if last < 0 or GROUPED.fullmatch(text.lstrip("-(").rstrip(")")):
            continue
        if text.count(text[last]) == 1:
            return text[last]
    return None


def micros(cell: str, *, money: bool, sign: str | None = None) -> int | None:
    """A number in whole millionths, None for no value. `sign`: the file's decimal sign where it is known.

    CellError: not_a_number, nan, exponent, ambiguous_number, too_large.
    """
    text = cell.translate(STRIPPED)
    if text.isascii() and text.isdigit() and len(text) < 13:
        return int(text) * MICRO
    text = re.sub(r"руб\.?$", "", text.casefold())
    if text in NOTHING:
        return None
    negative = text.startswith("-") or (text.startswith("(") and text.endswith(")"))
    body = text.strip("()").lstrip("+-") if negative or text.startswith("+") else text
    if not re.fullmatch(r"[\d.,]+", body, re.ASCII):
        raise CellError(_what_it_is(body))
    number = _plain(body, money, sign)
    value = (
        int((Decimal(number) * MICRO).to_integral_value(rounding=ROUND_HALF_EVEN)) if len(number) < 28 else LIMIT + 1
    )
    if value > LIMIT:
        raise CellError("too_large")
    return -value if negative else value


def _what_it_is(body: str) -> str:
    if body in {"nan", "inf", "infinity", "∞", "#div/0!", "#н/д", "#n/a", "#value!", "#знач!"}:
        return "nan"
    if re.fullmatch(r"[\d.,]+e[+-]?\d+", body):
        return "exponent"
    return "not_a_number"


def _plain(body: str, money: bool, sign: str | None) -> str:
    """The number with a point and without grouping."""
    comma, point = body.count(","), body.count(".")
    if comma and point:
        decimal = "," if body.rfind(",") > body.rfind(".") else "."
        whole, _sign, part = body.rpartition(decimal)
        if decimal in whole:
            raise CellError("not_a_number")
        return f"{whole.replace(',', '').replace('.', '')}.{part}"
    if comma + point == 0:
        return body
    mark = "," if comma else "."
    if body.count(mark) > 1:
        if not GROUPED.fullmatch(body):
            raise CellError("not_a_number")
        return body.replace(mark, "")
    if not re.fullmatch(r"\d+[.,]\d*|[.,]\d+", body):
        raise CellError("not_a_number")
    if GROUPED.fullmatch(body) and mark != sign:
        if sign:
            return body.replace(mark, "")
        if mark == ",":
            if money:
                raise CellError("ambiguous_number")
            return body.replace(mark, "")
    return f"0{body.replace(mark, '.')}0"


@lru_cache(maxsize=20_000)
def day(cell: str, order: str = "") -> date:
    """A calendar day of any unambiguous spelling; CellError: no_date, bad_date, ambiguous_date, too_old.

    `order`: how the platform writes 03/04/2026, "dmy" or "mdy"; without it such a day is refused.
    """
    text = re.sub(r"[T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?$", "", cell.translate(SPACES).strip())
    text = re.sub(r"\s*г\.?$", "", text)
    if not text:
        raise CellError("no_date")
    try:
        found = _day(text, order)
    except ValueError as error:
        raise error if isinstance(error, CellError) else CellError("bad_date") from error
    if found < EARLIEST:
        raise CellError("too_old")
    return found


def month(cell: str) -> date:
    """The first day of a month written as 2026-11, 11.2026 or November 2026; CellError: bad_date."""
    text = re.sub(r"\s*г\.?$", "", cell.translate(SPACES).strip())
    if match := re.fullmatch(r"(\d{4})[-./](\d{1,2})", text, re.ASCII):
        year, number = int(match[1]), int(match[2])
    elif match := re.fullmatch(r"(\d{1,2})[-./](\d{4})", text, re.ASCII):
        year, number = int(match[2]), int(match[1])
    elif match := re.fullmatch(r"([^\W\d]{3})[^\W\d]*\.? (\d{4})", text):
        year, number = int(match[2]), MONTHS.get(match[1].casefold(), 0)
    else:
        raise CellError("bad_date")
    if not 1 <= number <= 12 or year < EARLIEST.year or year > 9999:
        raise CellError("bad_date")
    return date(year, number, 1)


SPACES = dict.fromkeys(map(ord, "\u00a0\u2009\u202f\u2007\t"), " ")


def _day(text: str, order: str) -> date:
    if match := re.fullmatch(r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})", text, re.ASCII):
        return date(*map(int, match.groups()))
    if match := re.fullmatch(r"(\d{4})(\d{2})(\d{2})", text, re.ASCII):
        return date(*map(int, match.groups()))
    if match := re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4}|\d{2})", text, re.ASCII):
        number, month, year = map(int, match.groups())
        return date(_century(year), month, number)
    if match := re.fullmatch(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4}|\d{2})", text, re.ASCII):
        first, second, year = map(int, match.groups())
        if not order and first <= 12 and second <= 12 and first != second:
            raise CellError("ambiguous_date")
        is_day_first = order == "dmy" or (not order and first > 12)
        number, month = (first, second) if is_day_first else (second, first)
        return date(_century(year), month, number)
    if match := re.fullmatch(r"(\d{1,2}) ([^\W\d]{3})[^\W\d]*\.? (\d{4})", text):
        if (month := MONTHS.get(match[2].casefold())) is None:
            raise CellError("bad_date")
        return date(int(match[3]), month, int(match[1]))
    if re.fullmatch(r"[34567]\d{4}", text, re.ASCII):
        return date(1899, 12, 30) + timedelta(days=int(text))
    raise CellError("bad_date")


def _century(year: int) -> int:
    return year + 2000 if year < 100 else year
