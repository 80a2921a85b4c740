"""Reading plans: a book of targets over some months that answers for any period, channel and measure."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet

from kpis import periods
from kpis.metrics import MetricInfo
from kpis.models import Kpi, Target
from kpis.selectors.measures import Measure, is_money
from roles.models import Company, Membership
from roles.permissions import Permission


class Version(NamedTuple):
    """One version of a target: counts from `valid_from` on, the highest number first."""

    valid_from: date
    number: int
    value: Decimal


class TargetBook:
    """Targets of the months that [start, end] touches."""

    def __init__(self, start: date, end: date, versions: dict, kpis: frozenset[str]):
        self.start, self.end = start, end
        self._kpis = kpis
        self._versions: dict[str, dict[int | None, dict[date, list[Version]]]] = versions

    def value(
        self,
        measure: str,
        channel_id: int | None = None,
        start: date | None = None,
        end: date | None = None,
    ) -> Decimal | None:
        """The plan for [start, end] (the book's own days without them); None where a month of it has none.

        A metric's plan is prorated by calendar days; where the company has none of its own, its channels' plans are
        added. A KPI's is that of the month of `end`. The version that counted on `end` is taken, so that a later
        change never recolours the past.
        """
        start, end = start or self.start, end or self.end
        if measure in self._kpis:
            return self._of_month(measure, channel_id, periods.month_start(end), end)
        total = Decimal(0)
        for month in periods.months_between(start, end):
            plan = self._of_month(measure, channel_id, month, end)
            if plan is None and channel_id is None:
                plan = self._of_channels(measure, month, end)
            if plan is None:
                return None
            total += periods.prorate(plan, month, start, end)
        return total if start <= end else None

    def has(self, measure: str) -> bool:
        """Is anything planned for it in these months, for the company or a channel?"""
        return measure in self._versions

    def written(self, measure: str, channel_id: int | None, month: date) -> bool:
        """Does this very scope have a plan of its own for the month?"""
        return month in self._versions.get(measure, {}).get(channel_id, {})

    @property
    def measures(self) -> list[str]:
        return list(self._versions)

    def _of_month(self, measure: str, channel_id: int | None, month: date, on: date) -> Decimal | None:
        versions = self._versions.get(measure, {}).get(channel_id, {}).get(month)
        return version_on(versions, on).value if versions else None

    def _of_channels(self, measure: str, month: date, on: date) -> Decimal | None:
        plans = [
            version_on(months[month], on).value
            for channel_id, months in self._versions.get(measure, {}).items()
            if channel_id is not None and month in months
        ]
        return sum(plans) if plans else None


def version_on(versions: Iterable[Version], on: date) -> Version:
    """The version that counts on a day: the newest that had begun; the first one counts for every day before, too."""
    ordered = sorted(versions, key=lambda version: version.number)
    begun = [version for version in ordered if version.valid_from <= on]
    return begun[-1] if begun else ordered[0]


def load_targets(*, company: Company, start: date, end: date) -> TargetBook:
    """Every target of the months of [start, end], all versions, by one query."""
    rows = (
        Target.objects.filter(
            company=company, month__gte=periods.month_start(start), month__lte=periods.month_start(end)
        )
        .annotate(is_kpi=Exists(Kpi.objects.filter(company=company, code=OuterRef("measure"))))
        .order_by()
        .values_list("measure", "channel_id", "month", "valid_from", "number", "value", "is_kpi")
    )
    versions: dict = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    kpis = set()
    for measure, channel_id, month, valid_from, number, value, is_kpi in rows:
        versions[measure][channel_id][month].append(Version(valid_from, number, value))
        if is_kpi:
            kpis.add(measure)
    return TargetBook(start, end, versions, frozenset(kpis))


def current_targets(*, company: Company) -> QuerySet[Target]:
    """The newest version of every target, with channel and author."""
    return Target.objects.filter(company=company, superseded_at=None).select_related("channel", "created_by__user")


def visible_targets(
    *, company: Company, person: Membership, measures: dict[str, Measure], metrics: dict[str, MetricInfo]
) -> QuerySet[Target]:
    """The same as this reader may see them: plans of money only where that money is theirs to see."""
    found = current_targets(company=company)
    if person.can(Permission.VIEW_MONEY):
        return found
    money = [measure.code for measure in measures.values() if is_money(measure, metrics)]
    own = {
        hat.channel_id for hat in person.hats if hat.channel_id and person.can(Permission.VIEW_MONEY, hat.channel_id)
    }
    return found.filter(~Q(measure__in=money) | Q(channel_id__in=own))


def target_versions(*, company: Company, measure: str, channel_id: int | None, month: date) -> list[Target]:
    """Every version of one target, newest first, with its author."""
    return list(
        Target.objects.filter(company=company, measure=measure, channel_id=channel_id, month=month)
        .select_related("created_by__user")
        .order_by("-number")
    )
