"""What `roles.formats` has written, read back: the value behind a figure, a share, money or a date on a screen.

Both languages; anything else is text and stays as it is.
"""

import re
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from roles.formats import CURRENCIES, MINUS, MONTHS_EN, NBSP, NOTHING, is_russian

SIGNS = "|".join(re.escape(sign) for sign in CURRENCIES.values())
DAY = re.compile(r"(\d{2})\.(\d{2})\.(\d{4})")
DAY_EN = re.compile(rf"(\d{{1,2}})[ {NBSP}]({'|'.join(MONTHS_EN)})[ {NBSP}](\d{{4}})")
THOUSAND, MILLION = 1_000, 1_000_000


def _figure() -> re.Pattern:
    """A whole cell that is one figure: sign, grouped digits, decimals, and at most a unit after them."""
    group, point = (NBSP, ",") if is_russian() else (",", r"\.")
    return re.compile(
        rf"(?P<sign>[{MINUS}+-]?)(?P<whole>\d{{1,3}}(?:{group}\d{{3}})+|\d+)(?:{point}(?P<rest>\d+))?"
        rf"[ {NBSP}]?(?P<scale>{re.escape(_('k'))}|{re.escape(_('mln'))}|)[ {NBSP}]?(?P<unit>%|{SIGNS}|)"
    )


def read_back(text: str) -> tuple[str, str | Decimal | date | None]:
    """(kind, value) of a cell's text: `money`, `share` (12 % is 0.12), `count`, `date` or `text`.

    `—` and nothing are None of kind text. A figure with words beside it is text: it is not one value.
    """
    text = text.strip()
    if text in {"", NOTHING}:
        return "text", None
    if found := (_day(text)):
        return "date", found
    found = _figure().fullmatch(text)
    if found is None:
        return "text", text
    value = Decimal(re.sub(r"\D", "", found["whole"]) + (f".{found['rest']}" if found["rest"] else ""))
    value *= {"": 1, _("k"): THOUSAND, _("mln"): MILLION}[found["scale"]]
    value = -value if found["sign"] in {MINUS, "-"} else value
    if found["unit"] == "%":
        return "share", value / 100
    return ("money", value) if found["unit"] else ("count", value)


def _day(text: str) -> date | None:
    try:
        if is_russian() and (found := DAY.fullmatch(text)):
            return date(int(found[3]), int(found[2]), int(found[1]))
        if found := DAY_EN.fullmatch(text):
            return date(int(found[3]), MONTHS_EN.index(found[2]) + 1, int(found[1]))
    except ValueError:
        pass
    return None
