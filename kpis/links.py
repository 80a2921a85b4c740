"""The address of the page with the facts behind a figure."""

from datetime import date, datetime
from urllib.parse import urlencode

from django.urls import reverse

from kpis.forms.measures import KIND
from roles.models import Campaign, Channel, Company


def facts_url(
    company: Company, measure: str, start: date, end: date, *, kpi: bool = False, channel: Channel | str | None = None,
    campaign: Campaign | None = None, kind: str | None = None, known: datetime | None = None,
) -> str:  # fmt: skip
    """Of a metric, or with `kpi` of a KPI: of a channel (or its code, or one campaign of it), of a kind of channels, or of the company.

    `known`: the moment (UTC) whose knowledge the figure is held against.
    """
    asked = {"kpi" if kpi else "metric": measure}
    if channel is not None:
        asked["channel"] = channel if isinstance(channel, str) else channel.code
    elif kind is not None:
        asked["channel"] = f"{KIND}{kind}"
    if campaign is not None:
        asked["campaign"] = campaign.pk
    asked |= {"from": start.isoformat(), "to": end.isoformat()}
    if known is not None:
        asked["known"] = f"{known.astimezone(company.zone):%Y-%m-%dT%H:%M}"
    return f"{reverse('kpis:fact-list', args=[company.slug])}?{urlencode(asked)}"
