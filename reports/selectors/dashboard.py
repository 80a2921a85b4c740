"""The owner's page: what the marketing earned over a span, channels, funnel, discipline, freshness of data.

What waits for a decision stands in `processes.lists`: the page asks for it beside this.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from kpis import periods
from kpis.models import DailyFact
from kpis.selectors.sources import Freshness, freshness
from reports.models import Timeliness, WeeklyReport
from reports.selectors.channel_rows import Group, Row, channel_groups, total_row
from reports.selectors.funnel import Funnel, funnel
from reports.selectors.money import Books, Earnings, Figure, earnings, figures, open_books, year_before
from reports.selectors.weekly import Discipline, Part, discipline
from reports.spans import Span
from roles import formats
from roles.models import Company

RATE_WEEKS = 12
THOUSANDS_FROM = 300_000


@dataclass(frozen=True)
class DisciplineRow:
    """One channel's report of the week. `rate`: parts on time over the 12 weeks before, None where none was due."""

    report: WeeklyReport
    plan: Part
    fact: Part
    rate: Decimal | None


@dataclass(frozen=True)
class KeptWeek:
    """How the current week is kept, and the rate of all channels over the 12 weeks before."""

    discipline: Discipline
    rows: list[DisciplineRow]
    rate: Decimal | None


@dataclass(frozen=True)
class Dashboard:
    """Everything on the owner's page; a part that is None or empty is left out."""

    span: Span
    earnings: Earnings
    figures: list[Figure]
    groups: list[Group]
    total: Row
    funnel: Funnel | None
    week: KeptWeek | None
    sources: list[Freshness]
    mondays: list[date]
    books: Books
    has_facts: bool
    """Has the company any figures at all, in this span or another?"""

    @property
    def in_thousands(self) -> bool:
        """Are the amounts large enough that the channel table is read in thousands?"""
        rows = [row for group in self.groups for row in group.rows]
        amounts = [abs(value) for row in rows for value in (row.metrics["spend"], row.earned) if value is not None]
        return bool(amounts) and max(amounts) >= THOUSANDS_FROM

    @property
    def has_plans(self) -> bool:
        return self.total.plan is not None or any(row.plan is not None for group in self.groups for row in group.rows)

    @property
    def year_before(self) -> int:
        return self.span.a_year_before()[0].year

    @property
    def currency_sign(self) -> str:
        currency = self.books.company.currency
        return formats.CURRENCIES.get(currency, currency)


def channel_table(*, company: Company, span: Span) -> tuple[list[Group], Row]:
    """The channels of the page alone."""
    books = open_books(company=company, span=span)
    return channel_groups(books), total_row(books)


def dashboard(*, company: Company, span: Span, at: datetime) -> Dashboard:
    """The whole page as of a moment; the number of queries does not depend on the number of channels."""
    books = open_books(company=company, span=span)
    before = year_before(books)
    return Dashboard(
        span=span,
        earnings=earnings(books, before),
        figures=figures(books, before),
        groups=channel_groups(books),
        total=total_row(books),
        funnel=funnel(books),
        week=kept_week(company=company, at=at),
        sources=freshness(company=company, at=at),
        mondays=books.mondays,
        books=books,
        has_facts=bool(books.cube.channel_ids) or DailyFact.objects.filter(company=company).exists(),
    )


def kept_week(*, company: Company, at: datetime) -> KeptWeek | None:
    """The current week's plans and facts by channel, two queries; None where nothing is to be reported yet."""
    monday = periods.week_start(company.local_date(at))
    kept = discipline(company=company, week=monday, at=at)
    if not kept.reports:
        return None
    counts: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    past = WeeklyReport.objects.filter(
        company=company, week__gte=monday - timedelta(weeks=RATE_WEEKS), week__lt=monday
    ).values_list("channel_id", "plan_timeliness", "timeliness")
    for channel_id, *parts in past:
        due = [part for part in parts if part and part != Timeliness.EXCUSED]
        counts[channel_id][0] += due.count(Timeliness.ON_TIME)
        counts[channel_id][1] += len(due)
    rows = [DisciplineRow(report, plan, fact, _rate([counts[report.channel_id]])) for report, plan, fact in kept.rows]
    return KeptWeek(kept, rows, _rate([counts[report.channel_id] for report in kept.reports]))


def _rate(counts: list[list[int]]) -> Decimal | None:
    done, due = sum(count[0] for count in counts), sum(count[1] for count in counts)
    return Decimal(done) / due if due else None
