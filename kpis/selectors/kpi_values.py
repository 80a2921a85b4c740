"""Figures of KPIs: by period for the API, this month's against plan for the pages."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from kpis import periods, wording
from kpis.formulas import Formula, parse
from kpis.metrics import MetricInfo
from kpis.models import KpiVersion
from kpis.selectors.cube import KpiValue, load_cube
from kpis.selectors.measures import KpiInfo, is_money, kpi_info, kpis_of, metrics_of
from kpis.selectors.targets import TargetBook, load_targets
from roles import selectors as who
from roles.models import Channel, Company, Membership
from roles.permissions import Permission

GRAINS = ("day", "week", "month", "total")
SPARK_WEEKS = 13


@dataclass(frozen=True)
class PeriodValue:
    """A KPI over one period of the grain, cut to the days that were asked for."""

    period: str
    start: date
    end: date
    value: KpiValue


@dataclass(frozen=True)
class KpiRow:
    """A KPI this month: `value` and `plan` to date, the last full weeks oldest first. `hidden`: money not for this reader."""

    info: KpiInfo
    words: str
    parent: KpiInfo | None
    value: KpiValue | None
    plan: Decimal | None
    weeks: list[Decimal | None]
    hidden: bool


@dataclass(frozen=True)
class ChannelRow:
    """A KPI this month on one channel."""

    channel: Channel
    value: KpiValue
    plan: Decimal | None
    weeks: list[Decimal | None]


def kpi_versions(*, company: Company, code: str) -> list[KpiVersion]:
    """Every version of a KPI, newest first, with KPI and parent loaded; empty where there is no such KPI."""
    found = KpiVersion.objects.filter(company=company, kpi__code=code).select_related("kpi", "parent").order_by()
    return sorted(found, key=lambda version: -version.number)


def current_versions(*, company: Company):
    """The version in force of every KPI, as a queryset to page through."""
    return KpiVersion.objects.filter(company=company, superseded_at=None).select_related("kpi", "parent")


def formula_on(versions: list[KpiVersion], day: date) -> Formula:
    """The formula that counts on a day, of versions newest first: the past keeps what it was judged by."""
    return parse(next((version for version in versions if version.valid_from <= day), versions[-1]).formula)


def kpi_values(
    *,
    company: Company,
    versions: list[KpiVersion],
    metrics: dict[str, MetricInfo],
    start: date,
    end: date,
    grain: str,
    channel: Channel | None = None,
) -> list[PeriodValue]:
    """A KPI (its versions, newest first) per day, week, month or in total over [start, end], by one query.

    A ratio of sums each, by the formula that counted on the period's last day.
    """
    spans = [(period, first, last, formula_on(versions, last)) for period, first, last in cut(start, end, grain)]
    wanted = frozenset().union(*(formula.metrics for _period, _first, _last, formula in spans))
    only = None if channel is None else [channel.pk]
    cube = load_cube(company=company, start=start, end=end, channel_ids=only, metrics=_named(metrics, wanted))
    return [
        PeriodValue(period, first, last, cube.kpi(formula, only, first, last)) for period, first, last, formula in spans
    ]


def cut(start: date, end: date, grain: str) -> list[tuple[str, date, date]]:
    """[start, end] in periods (label, first day, last day); the first and the last may be cut short."""
    if grain == "total":
        return [(f"{start.isoformat()}/{end.isoformat()}", start, end)]
    found, first = [], start
    while first <= end:
        if grain == "day":
            label, last = first.isoformat(), first
        elif grain == "week":
            label, last = periods.week_label(first), periods.week_end(first)
        else:
            label, last = periods.month_label(first), periods.month_end(first)
        last = min(last, end)
        found.append((label, first, last))
        first = last + timedelta(days=1)
    return found


def kpi_rows(*, company: Company, person: Membership, today: date, metrics: dict[str, MetricInfo]) -> list[KpiRow]:
    """Every KPI of the company this month, in three queries."""
    kpis = kpis_of(company=company)
    month, weeks = periods.month_start(today), periods.last_weeks(today, SPARK_WEEKS)
    cube = load_cube(
        company=company, start=min(month, weeks[0]), end=today, metrics=_needed(metrics, list(kpis.values()))
    )
    book = load_targets(company=company, start=month, end=today)
    sees_money = person.can(Permission.VIEW_MONEY)
    rows = []
    for info in kpis.values():
        hidden = not sees_money and is_money(info, metrics)
        rows.append(
            KpiRow(
                info,
                wording.in_words(info.formula, metrics),
                kpis.get(info.parent),
                None if hidden else cube.kpi(info.formula, start=month),
                None if hidden else book.value(info.code),
                [] if hidden else [week.value for week in cube.weekly(info.formula, weeks)],
                hidden,
            )
        )
    return rows


@dataclass(frozen=True)
class KpiPage:
    """One KPI: this month as a whole and by channel (those the reader may see), and its versions, newest first."""

    row: KpiRow
    channels: list[ChannelRow]
    versions: list[tuple[KpiVersion, KpiInfo, str]]
    month: date
    today: date


def kpi_page(*, company: Company, person: Membership, versions: list[KpiVersion], today: date) -> KpiPage:
    """Everything the page of a KPI shows; the number of queries does not grow with channels or versions."""
    metrics, current = metrics_of(company=company), versions[0]
    who.load_people(company=company, rows=versions, links=["created_by"])
    info = kpi_info(current)
    month, weeks = periods.month_start(today), periods.last_weeks(today, SPARK_WEEKS)
    cube = load_cube(company=company, start=min(month, weeks[0]), end=today, metrics=_needed(metrics, [info]))
    book = load_targets(company=company, start=month, end=today)
    money = is_money(info, metrics)
    hidden = money and not person.can(Permission.VIEW_MONEY)
    row = KpiRow(
        info, wording.in_words(info.formula, metrics), _parent(company, current), None if hidden else cube.kpi(info.formula, start=month),
        None if hidden else book.value(info.code),
        [] if hidden else [week.value for week in cube.weekly(info.formula, weeks)], hidden,
    )  # fmt: skip
    channels = [
        _channel_row(channel, info, cube, book, month, weeks)
        for channel in who.channels(company=company)
        if not money or person.can(Permission.VIEW_MONEY, channel)
    ]
    shown = [(version, kpi_info(version), wording.in_words(parse(version.formula), metrics)) for version in versions]
    return KpiPage(
        row, [line for line in channels if line.value.known_pairs or line.plan is not None], shown, month, today
    )


def _channel_row(channel: Channel, info: KpiInfo, cube, book: TargetBook, month: date, weeks: list[date]) -> ChannelRow:
    only = [channel.pk]
    return ChannelRow(
        channel,
        cube.kpi(info.formula, only, start=month),
        book.value(info.code, channel.pk),
        [week.value for week in cube.weekly(info.formula, weeks, only)],
    )


def _parent(company: Company, version: KpiVersion) -> KpiInfo | None:
    """The KPI above, for its name and address."""
    if version.parent is None:
        return None
    return kpi_info(current_versions(company=company).get(kpi=version.parent))


def _needed(metrics: dict[str, MetricInfo], kpis: list[KpiInfo]) -> dict[str, MetricInfo]:
    """The metrics that these formulas name."""
    return _named(metrics, frozenset().union(*(info.formula.metrics for info in kpis)))


def _named(metrics: dict[str, MetricInfo], wanted: frozenset[str]) -> dict[str, MetricInfo]:
    return {code: info for code, info in metrics.items() if code in wanted}
