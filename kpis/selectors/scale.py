"""Is the money of a file counted in something else than that of the loads before it? Asked, never guessed."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import islice
from statistics import median

from django.db.models import Sum

from kpis import reading
from kpis.importers.deals import Deals
from kpis.models import DailyFact, Import
from kpis.naming import LEAVE_OUT
from kpis.selectors.measures import metrics_of
from roles.models import Company

FACTORS = (100, 1_000, 1_000_000)
NEAR = Decimal("2.5")
"""How far a ratio may be from a factor: 231 against 2.31 is the same money in kopecks, a third more of it included."""
READ = 20_000
STORED = 400
SCALES = tuple(Decimal(text) for text in ("1", "0.01", "0.001", "0.000001", "100", "1000", "1000000"))
"""What the money of a file may be multiplied by."""


@dataclass(frozen=True)
class Doubt:
    """A day's money in the file is about `factor` times that of the loads before it, or that part of it (`is_less`).

    `inside`, `before`: a usual day's money in the file and before it, in full units of the company's currency.
    """

    factor: int
    is_less: bool
    inside: Decimal
    before: Decimal

    @property
    def scale(self) -> Decimal:
        """What would make the file agree with the loads before it."""
        return Decimal(self.factor) if self.is_less else 1 / Decimal(self.factor)


def scale_doubt(*, company: Company, load: Import, rate: Decimal | None = None) -> Doubt | None:
    """What speaks against taking the file's money as it stands; None where nothing does, or nothing was loaded before.

    `rate`: of the file's currency; without it money of another currency is not compared. Raises FileProblem.
    """
    if (load.currency and rate is None) or not load.profile:
        return None
    infos = {code: info for code, info in metrics_of(company=company).items() if info.unit == "money"}
    with reading.opened(load) as stream:
        context, reader, table = reading.open_load(company, load, stream)
        if isinstance(reader, Deals):
            return None
        codes = [code for code in reader.metrics(table.header, context) if code in infos]
        inside = _inside(reader.read(table, context), codes, load.mapping) if codes else {}
    before = _before(company, load, {code: infos[code].column for code in inside})
    for code in codes:
        if inside.get(code) and before.get(code):
            found = _doubt(inside[code] * (rate or 1), before[code])
            if found:
                return found
    return None


def _inside(rows, codes: list[str], mapping: dict[str, str]) -> dict[str, Decimal]:
    """A usual day's money of a channel in the file, by metric."""
    sums: dict[str, dict[tuple[str, date], int]] = {code: defaultdict(int) for code in codes}
    for row in islice(rows, READ):
        if row.problems or row.day is None or mapping.get(row.channel) == LEAVE_OUT:
            continue
        for code in codes:
            if value := row.values.get(code):
                sums[code][row.channel, row.day] += value
    return {code: _usual(days.values()) / 1_000_000 for code, days in sums.items() if days}


def _before(company: Company, load: Import, columns: dict[str, str]) -> dict[str, Decimal]:
    """The same of the source's facts of the latest days."""
    if not columns:
        return {}
    rows = DailyFact.objects.filter(company=company, source=load.source_id).order_by("-day").values("day", "channel")
    rows = rows.annotate(**{f"sum_{code}": Sum(column) for code, column in columns.items()})[:STORED]
    values = {code: [row[f"sum_{code}"] for row in rows if row[f"sum_{code}"]] for code in columns}
    return {code: _usual(found) for code, found in values.items() if found}


def _usual(values) -> Decimal:
    return Decimal(median(Decimal(abs(value)) for value in values))


def _doubt(inside: Decimal, before: Decimal) -> Doubt | None:
    ratio = inside / before
    for factor in FACTORS:
        if factor / NEAR <= ratio <= factor * NEAR:
            return Doubt(factor, False, inside, before)
        if factor / NEAR <= 1 / ratio <= factor * NEAR:
            return Doubt(factor, True, inside, before)
    return None
