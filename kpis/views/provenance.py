"""The page every figure opens to: the facts, sources, loads and people behind it."""

from datetime import date

from django.http import Http404
from django.shortcuts import render
from django.utils import timezone

from kpis import periods
from kpis.forms.measures import FigureForm
from kpis.selectors.as_known import reported_by
from kpis.selectors.measures import EARNED, composed, is_money, kpis_of, measures_from, metrics_of
from kpis.selectors.provenance import provenance
from roles import selectors as who
from roles.models import Campaign, Channel
from roles.permissions import Permission, requires
from roles.views import today


@requires(Permission.READ)
def fact_list(request):
    """?kpi= (a formula, too) or metric=, channel= (a code, some with commas, or `kind:paid`), from=, to=, known=; without days the current month, without a moment the one at
    which its last week was due."""
    metrics = metrics_of(company=request.company)
    measures = {EARNED.code: EARNED} | measures_from(metrics, kpis_of(company=request.company))
    channels = list(who.bare_channels(company=request.company))
    told = _asked(request)
    if told["kpi"] not in measures and (other := composed(told["kpi"], metrics)):
        measures[other.code] = other
    form = FigureForm(told, zone=request.company.zone, measures=measures.values(), channels=channels)
    if not form.is_valid():
        if {"kpi", "channel", "campaign"} & form.errors.keys():
            raise Http404
        return render(request, "kpis/fact_list.html", {"form": form}, status=400)
    asked = form.cleaned_data
    measure, inside = measures[asked["kpi"]], form.inside
    channel = inside[0] if inside and len(inside) == 1 and not form.kind else None
    campaign = _campaign(request, channel, asked["campaign"])
    found = provenance(
        company=request.company, measure=measure, metrics=metrics, start=asked["start"], end=asked["end"],
        channels=inside, campaign=campaign, page=request.GET.get("page", 1), known_at=asked["known"],
    )  # fmt: skip
    shown = all(request.person.can(Permission.VIEW_MONEY, one) for one in inside or [None])
    context = {
        **asked,
        "form": form,
        "found": found,
        "measure": measure,
        "channel": channel,
        "kind": form.kind,
        "inside": inside,
        "campaign": campaign,
        "hidden": is_money(measure, metrics) and not shown,
    }
    return render(request, "kpis/fact_list.html", context)


def _asked(request) -> dict:
    """The query with the current month where it names no days, and the first figure where it names none."""
    day = today(request)
    asked = request.GET
    end = asked.get("to") or day.isoformat()
    return {
        "kpi": asked.get("kpi") or asked.get("metric") or "leads",
        "channel": asked.get("channel", ""),
        "campaign": asked.get("campaign", ""),
        "from": asked.get("from") or periods.month_start(day).isoformat(),
        "to": end,
        "known": asked.get("known") or _reported(request, end, day),
    }


def _campaign(request, channel: Channel | None, pk: int | None) -> Campaign | None:
    """The campaign asked for; 404 unless it is the channel's. Another channel chosen in the form leaves it behind."""
    if pk is None:
        return None
    campaign = who.get_campaign(company=request.company, pk=pk)
    if campaign is None:
        raise Http404
    return campaign if channel is not None and campaign.channel_id == channel.pk else None


def _reported(request, end: str, day: date) -> str:
    """When the fact of the figure's last week was due, as the field shows it: by the company's clock."""
    try:
        last = min(date.fromisoformat(end), day)
    except ValueError:
        last = day
    moment = reported_by(company=request.company, day=last, at=timezone.now())
    return f"{moment.astimezone(request.company.zone):%Y-%m-%dT%H:%M}"
