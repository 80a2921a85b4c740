"""The period a report without days covers, as its lines above the table or its name tell it: offered, never taken unasked."""

import re
from collections.abc import Iterable
from datetime import date
from itertools import pairwise

from kpis.importers import values

SPELLINGS = re.compile(
    r"(?<!\d)(?:\d{4}-\d{1,2}-\d{1,2}|\d{8}|\d{1,2}\.\d{1,2}\.\d{2,4}|\d{1,2}/\d{1,2}/\d{2,4}|\d{1,2} [^\W\d_]{3,9}\.? \d{4}"
    r"|[^\W\d_]{3,9} \d{1,2}, \d{4})(?!\d)"
)
MONTH_FIRST = re.compile(r"([^\W\d_]{3,9}) (\d{1,2}), (\d{4})")


def span_in(texts: Iterable[str], order: str = "") -> tuple[date, date] | None:
    """The first two days that follow each other in these texts, the earlier first; None where they tell no period."""
    found = []
    for text in texts:
        for match in SPELLINGS.finditer(text.translate(values.SPACES).replace("_", " ")):
            try:
                found.append(values.day(MONTH_FIRST.sub(r"\2 \1 \3", match[0]), order))
            except values.CellError:
                continue
    return next(((first, last) for first, last in pairwise(found) if first < last), None)
