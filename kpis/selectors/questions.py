"""What a file leaves open until somebody answers: the order of its dates, what its rows cover, whether some rows are totals."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

from kpis import reading
from kpis.answers import ASKED, NEW, ORDER, PERIOD, SPREAD, TOTALS, Answers, answers_of
from kpis.importers.base import Reader
from kpis.importers.deals import Deals
from kpis.importers.spans import span_in
from kpis.models import Import
from kpis.naming import LEAVE_OUT
from kpis.selectors.measures import metrics_of
from kpis.totals import Scope, mixed, scopes_of
from roles.fields import from_micros
from roles.models import Channel, Company

READ = 20_000


@dataclass(frozen=True)
class TotalsDoubt:
    """Rows without a campaign beside campaigns: on how many days of channels, and whether the file's own add up to the same.

    `plain`, `parts`: sums of the first metric in the file, None where only one of them is in it.
    """

    scopes: frozenset[Scope]
    cleared: frozenset[Scope]
    metric: str = ""
    plain: float | None = None
    parts: float | None = None

    @property
    def is_equal(self) -> bool:
        """Do the rows without a campaign make the sum of the campaigns?"""
        return bool(self.plain) and self.parts is not None and abs(self.plain - self.parts) <= abs(self.plain) / 100


@dataclass
class Questions:
    """`open`: of `answers.ORDER`, SPREAD, PERIOD, TOTALS what nobody has answered. `hint`: the period that the file's first
    lines or its name tell; `example`: a date that can be read two ways."""

    open: set[str] = field(default_factory=set)
    hint: tuple[date, date] | None = None
    example: str = ""
    totals: TotalsDoubt | None = None


def questions(*, company: Company, load: Import, mapping: dict[str, str] | None = None) -> Questions:
    """Read the first rows of the file and say what is open; FileProblem when it cannot be read any more."""
    found, answers = Questions(), answers_of(load.answers)
    mapping = mapping or load.mapping
    with reading.opened(load) as stream:
        context, reader, table = reading.open_load(company, load, stream)
        found.hint = span_in([*(" ".join(cells) for cells in table.preamble), load.filename], reader_order(reader))
        is_deals = isinstance(reader, Deals)
        codes = [] if is_deals else reader.metrics(table.header, context)
        sums: dict[tuple[date, str], list[int | None]] = defaultdict(lambda: [None, None])
        for row in islice(reader.read(table, context), READ):
            _see_problems(found, row)
            is_known = not is_deals and not row.problems and any(value is not None for value in row.values.values())
            if is_known and mapping.get(row.channel) not in {None, LEAVE_OUT}:
                place = bool(row.campaign)
                code = mapping[row.channel]
                pair = sums[row.day, row.channel if code == NEW else code]
                pair[place] = (pair[place] or 0) + (row.values.get(codes[0]) or 0)
    if sums:
        found.totals = _totals(company, load, sums, codes)
        if found.totals and not answers.totals:
            found.open.add(TOTALS)
    return found


def reader_order(reader: Reader) -> str:
    """How a reader's platform writes 03/04/2026; empty where nothing tells."""
    return getattr(reader, "order", "")


def _see_problems(found: Questions, row) -> None:
    for problem in row.problems:
        if problem.code in ASKED:
            found.open.add(ASKED[problem.code])
            if ASKED[problem.code] == ORDER:
                found.example = found.example or problem.value


def _totals(company: Company, load: Import, sums: dict, codes: list[str]) -> TotalsDoubt | None:
    ids = dict(Channel.objects.filter(company=company).values_list("code", "pk"))
    known = {(day, ids.get(code, code)): pair for (day, code), pair in sums.items()}
    inside = tuple({scope for scope, pair in known.items() if pair[place] is not None} for place in (0, 1))
    infos = metrics_of(company=company)
    days = sorted(day for day, _channel in known)
    stored = scopes_of(
        company=company, source_id=load.source_id, columns=[infos[code].column for code in codes],
        days=(days[0], days[-1]), channels=[channel for _day, channel in known if isinstance(channel, int)],
    )  # fmt: skip
    scopes = mixed(inside, stored)
    if not scopes:
        return None
    both = [known[scope] for scope in scopes & inside[0] & inside[1]]
    told = [float(from_micros(sum(pair[place] for pair in both))) if both else None for place in (0, 1)]
    return TotalsDoubt(frozenset(scopes), frozenset(scopes & stored[0]), str(infos[codes[0]].name), *told)


def unanswered(answers: Answers, found: Questions) -> list[str]:
    """Open questions in the order they are asked."""
    return [name for name in (PERIOD, SPREAD, ORDER, TOTALS) if name in found.open]
