"""Reads of data incidents: what is doubtful now, and what was."""

from datetime import date

from django.db.models import Count, F, Q, QuerySet

from kpis.models import Breach, DataIncident
from roles.models import Channel, Company

KEPT = 50
"""How many of those that are over the list shows."""


def incidents(*, company: Company) -> QuerySet[DataIncident]:
    """With everything their lines need; `held_now`: breaches whose decisions they keep back."""
    held = Count("held", filter=Q(held__closed_on=None, state=DataIncident.State.OPEN))
    rows = DataIncident.objects.filter(company=company).annotate(held_now=held)
    return rows.select_related("rule", "channel", "campaign", "closed_by__user", "opened_by__user").order_by(
        "-last_day", "-pk"
    )


def open_incidents(*, company: Company) -> list[DataIncident]:
    """Those that hold decisions first, then the newest."""
    rows = incidents(company=company).filter(state=DataIncident.State.OPEN)
    return list(rows.order_by(F("rule").asc(nulls_first=True), "-last_day", "-pk"))


def doubts_about(*, company: Company, channel: Channel, start: date, end: date) -> list[DataIncident]:
    """Open incidents that speak of figures of a channel on some of these days; those of the company name their channels."""
    rows = incidents(company=company).filter(state=DataIncident.State.OPEN, first_day__lte=end, last_day__gte=start)
    return [
        row
        for row in rows
        if row.channel_id == channel.pk or (row.channel_id is None and channel.name in row.figures.get("channels", ()))
    ]


def past_incidents(*, company: Company) -> list[DataIncident]:
    return list(incidents(company=company).exclude(state=DataIncident.State.OPEN)[:KEPT])


def get_incident(*, company: Company, pk: int) -> DataIncident | None:
    return incidents(company=company).filter(pk=pk).first()


def held_breaches(*, incident: DataIncident) -> list[Breach]:
    """What the incident keeps or kept back, by channel."""
    rows = Breach.objects.filter(company=incident.company_id, held_by=incident)
    return list(rows.select_related("rule", "channel", "campaign", "version").order_by("channel__position", "pk"))
