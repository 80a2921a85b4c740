"""The funnel of a span: stages from the top down, how many went on from one to the next, and how many usually do."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from kpis import formulas, periods
from kpis.selectors.cube import Cube, load_cube
from reports.kept import kept
from reports.selectors.money import AOV, Books

NARROW_TOP = Decimal("0.1")
NORM_MONTHS = 12
FIRST_FACTS_WITHIN = timedelta(days=31)


@dataclass(frozen=True)
class Stage:
    """`conversion` from the stage above over the pairs where both are known, `step` its formula, `norm` the same over the 12
    full months before; None where unknown. `share` is the bar: of the widest stage, None where it has no bar."""

    metric: str
    name: str
    value: Decimal | None
    conversion: Decimal | None
    step: str
    norm: Decimal | None
    share: Decimal | None


@dataclass(frozen=True)
class Funnel:
    """Stages and the money at their end: `revenue`, `deals` × `aov`. `base`: the name of the stage the bars are shares of;
    `norm_days`: the first and the last day of the norm."""

    stages: list[Stage]
    base: str
    revenue: Decimal | None
    deals: Decimal | None
    aov: Decimal | None
    norm_days: tuple[date, date]

    @property
    def has_norm(self) -> bool:
        return any(stage.norm is not None for stage in self.stages)


def funnel(books: Books) -> Funnel | None:
    """None where fewer than two stages are known."""
    sums = books.cube.sums([*books.funnel, "revenue"], start=books.span.start, end=books.until)
    if sum(sums[code] is not None for code in books.funnel) < 2:
        return None
    steps = {below: _step(above, below) for above, below in zip(books.funnel, books.funnel[1:], strict=False)}
    norm_days = _norm_days(books)
    norms = _norms(books, steps, norm_days)
    conversions = {code: books.value(formula).value for code, formula in steps.items()}
    base = _base(books.funnel, sums)
    stages = [
        Stage(
            code, str(books.metrics[code].name), sums[code], conversions.get(code), steps[code].text if code in steps else "",
            norms.get(code), _share(books.funnel, code, base, sums),
        )
        for code in books.funnel
    ]  # fmt: skip
    aov = books.value(AOV)
    return Funnel(stages, str(books.metrics[base].name), sums["revenue"], aov.denominator, aov.value, norm_days)


def _step(above: str, below: str) -> formulas.Formula:
    return formulas.parse(f"{below} / {above}")


def _base(codes: list[str], sums: dict) -> str:
    """The stage the bars are shares of: the first known one, but the next where that dwarfs all others (visits)."""
    known = [code for code in codes if sums[code]]
    if not known:
        return codes[0]
    first, second = known[0], known[1] if len(known) > 1 else known[0]
    return second if sums[second] < sums[first] * NARROW_TOP else first


def _share(codes: list[str], code: str, base: str, sums: dict) -> Decimal | None:
    if sums[code] is None or not sums[base] or codes.index(code) < codes.index(base):
        return None
    return sums[code] / sums[base]


def _norm_days(books: Books) -> tuple[date, date]:
    """The 12 full months before the span."""
    end = periods.month_start(books.span.start) - timedelta(days=1)
    return periods.add_months(end, 1 - NORM_MONTHS), end


def _norms(books: Books, steps: dict[str, formulas.Formula], days: tuple[date, date]) -> dict[str, Decimal | None]:
    """Conversions over these months; nothing where the facts do not reach back so far.

    One query, kept until the next load of the company: those months change only with one.
    """
    start, end = days
    key = ("norm", books.company.pk, books.company.created_at, books.request, start, tuple(steps.items()))

    def read() -> dict[str, Decimal | None]:
        cube = load_cube(
            company=books.company, start=start, end=end, metrics={code: books.metrics[code] for code in books.funnel}
        )
        if not _reaches_back(cube, books.funnel, start):
            return {}
        return {code: cube.kpi(formula).value for code, formula in steps.items()}

    return kept(key, read)


def _reaches_back(cube: Cube, codes: list[str], start: date) -> bool:
    known = cube.sums(codes, start=start, end=start + FIRST_FACTS_WITHIN)
    return any(value is not None for value in known.values())
