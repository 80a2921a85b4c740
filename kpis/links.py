"""The page with the facts behind a figure: its address, and a figure that opens to it."""

from datetime import date, datetime
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from roles.models import Campaign, Channel, Company

KIND = "kind:"
"""What stands before a kind of channels where a channel's code may stand too: no code has a colon."""


def facts_url(
    company: Company, measure: str, start: date, end: date, *, kpi: bool = False, channel: Channel | str | None = None,
    campaign: Campaign | None = None, kind: str | None = None, known: datetime | None = None,
) -> str:  # fmt: skip
    """Of a metric, or with `kpi` of a KPI or of a formula in text: of a channel (or its code, or one campaign of it), of a kind of channels, or of the company.

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


def opened(figure: str, url: str, css: str = "") -> SafeString:
    """A figure as the link to its facts: `url` as `facts_url` gives it."""
    return format_html('<a class="{}" href="{}">{}</a>', f"src {css}".strip(), url, figure)
