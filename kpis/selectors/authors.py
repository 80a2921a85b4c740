"""Whose figures stand in the days: who loaded or typed them. The author is never the one who says that they are right."""

from datetime import date

from kpis.models import DailyFact, Import, Source
from roles.models import Channel, Company


def authors_of(
    *, company: Company, first_day: date, last_day: date, channel: Channel | None = None, typed: bool = False
) -> set[int]:
    """Ids of the people whose loads gave the figures of these days, both included; one query.

    `channel` None: of every channel. `typed`: only of figures that were typed by hand.
    """
    rows = DailyFact.objects.filter(company=company, day__gte=first_day, day__lte=last_day)
    if channel is not None:
        rows = rows.filter(channel=channel)
    loads = Import.objects.filter(company=company, pk__in=rows.values("load_id")).exclude(created_by=None)
    if typed:
        loads = loads.filter(source__kind=Source.Kind.MANUAL)
    return set(loads.order_by().values_list("created_by_id", flat=True).distinct())
