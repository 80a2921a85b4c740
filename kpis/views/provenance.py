"""The page every figure opens to: the facts, sources, loads and people behind it."""

from datetime import date

from django.http import Http404
from django.shortcuts import render
from django.utils import timezone

from kpis import periods
from kpis.forms.measures import FigureForm
from kpis.selectors.as_known import friday_of
from kpis.selectors.measures import is_money, kpis_of, measures_from, metrics_of
from kpis.selectors.provenance import provenance
from roles import selectors as who
from roles.permissions import Permission, requires
from roles.views import today


@requires(Permission.READ)
def fact_list(request):
    """?kpi= or metric=, channel=, from=, to=, known=; without days the current month, without a moment its last Friday."""
    metrics = metrics_of(company=request.company)
    measures = measures_from(metrics, kpis_of(company=request.company))
    channels = {channel.code: channel for channel in who.channels(company=request.company)}
    form = FigureForm(
        _asked(request), zone=request.company.zone, measures=measures.values(), channels=channels.values()
    )
    if not form.is_valid():
        if "kpi" in form.errors or "channel" in form.errors:
            raise Http404
        return render(request, "kpis/fact_list.html", {"form": form}, status=400)
    asked = form.cleaned_data
    measure, channel = measures[asked["kpi"]], channels.get(asked["channel"])
    found = provenance(
        company=request.company, measure=measure, metrics=metrics, start=asked["start"], end=asked["end"],
        channel=channel, page=request.GET.get("page", 1), known_at=asked["known"],
    )  # fmt: skip
    hidden = is_money(measure, metrics) and not request.person.can(Permission.VIEW_MONEY, channel)
    context = {**asked, "form": form, "found": found, "measure": measure, "channel": channel, "hidden": hidden}
    return render(request, "kpis/fact_list.html", context)


def _asked(request) -> dict:
    """The query with the current month where it names no days, and the first figure where it names none."""
    day = today(request)
    asked = request.GET
    end = asked.get("to") or day.isoformat()
    return {
        "kpi": asked.get("kpi") or asked.get("metric") or "leads",
        "channel": asked.get("channel", ""),
        "from": asked.get("from") or periods.month_start(day).isoformat(),
        "to": end,
        "known": asked.get("known") or _friday(request, end, day),
    }


def _friday(request, end: str, day: date) -> str:
    """The Friday evening of the figure's last week as the field shows it: by the company's clock."""
    try:
        last = min(date.fromisoformat(end), day)
    except ValueError:
        last = day
    moment = friday_of(company=request.company, day=last, at=timezone.now())
    return f"{moment.astimezone(request.company.zone):%Y-%m-%dT%H:%M}"
