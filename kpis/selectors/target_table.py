"""The table of plans: measures × scopes × twelve months, as this reader may see it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from kpis import periods
from kpis.metrics import MetricInfo
from kpis.selectors.measures import Measure, is_money, measures_from
from kpis.selectors.targets import load_targets
from roles import selectors as who
from roles.models import Channel, Company, Membership
from roles.permissions import Permission

MONTHS = 12


@dataclass(frozen=True)
class PlanCell:
    """The plan of one month; `summed`: not written but added up from the channels' plans."""

    month: date
    value: Decimal | None
    summed: bool


@dataclass(frozen=True)
class PlanRow:
    """A measure's plans for the company (`channel` None) or one channel."""

    channel: Channel | None
    cells: list[PlanCell]


@dataclass(frozen=True)
class PlanGroup:
    """A measure with its rows: the company first, then channels that have a plan."""

    measure: Measure
    rows: list[PlanRow]


@dataclass(frozen=True)
class PlanTable:
    months: list[date]
    groups: list[PlanGroup]


def plan_table(
    *, company: Company, person: Membership, year: int, metrics: dict[str, MetricInfo], kpis: dict
) -> PlanTable:
    """The plans of a calendar year; money only where the reader may see it. Two queries whatever stands in it."""
    months = [date(year, month, 1) for month in range(1, MONTHS + 1)]
    book = load_targets(company=company, start=months[0], end=periods.month_end(months[-1]))
    channels = list(who.channels(company=company))
    groups = []
    for measure in measures_from(metrics, kpis).values():
        if not book.has(measure.code):
            continue
        money = is_money(measure, metrics)
        seen = [one for one in (None, *channels) if not money or person.can(Permission.VIEW_MONEY, one)]
        rows = [_row(book, measure, channel, months) for channel in seen]
        rows = [row for row in rows if any(cell.value is not None for cell in row.cells)]
        if rows:
            groups.append(PlanGroup(measure, rows))
    return PlanTable(months, groups)


def _row(book, measure: Measure, channel: Channel | None, months: list[date]) -> PlanRow:
    pk = channel.pk if channel else None
    cells = []
    for month in months:
        end = periods.month_end(month)
        value = book.value(measure.code, pk, month, end)
        cells.append(PlanCell(month, value, value is not None and not book.written(measure.code, pk, month)))
    return PlanRow(channel, cells)
