"""The grid in which the analyst types a day for all channels."""

from datetime import date, timedelta

from django.contrib import messages
from django.http import QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from kpis.forms.grid import DayGrid, shown_metrics
from kpis.selectors import facts as reads
from kpis.selectors.measures import metrics_of
from kpis.services import facts as writes
from kpis.services.sources import MANUAL
from roles import formats
from roles.permissions import Permission, requires
from roles.refusals import Refused


@requires(Permission.ENTER_FACTS)
def fact_grid(request):
    asked = request.POST if request.method == "POST" else request.GET
    today = request.company.local_date(timezone.now())
    day = _day(asked.get("day", ""), today)
    every = bool(asked.get("all"))
    metrics = metrics_of(company=request.company)
    typed = reads.typed_day(company=request.company, day=day, source_code=MANUAL, metrics=metrics.values())
    channels = reads.grid_channels(company=request.company, typed=typed)
    data = request.POST if request.method == "POST" else None
    grid = DayGrid(day, channels, shown_metrics(metrics, typed, every), typed, data)
    context = {
        "grid": grid,
        "typed": typed,
        "today": today,
        "every": every,
        "version": asked.get("version", typed.version),
    }
    context["currency"] = formats.CURRENCIES.get(request.company.currency, request.company.currency)
    context |= {"before": day - timedelta(days=1), "after": day + timedelta(days=1) if day < today else None}
    if data is None:
        return render(request, "kpis/fact_grid.html", context)
    if grid.errors:
        return render(request, "kpis/fact_grid.html", context, status=400)
    try:
        changed = writes.type_day(
            company=request.company, by=request.person, at=timezone.now(), day=day, values=grid.values,
            version=asked.get("version", ""),
        )  # fmt: skip
    except Refused as refusal:
        context |= {"refusal": refusal, "version": typed.version}
        return render(request, "kpis/fact_grid.html", context, status=refusal.status)
    _say(request, day, changed)
    return redirect(_address(request, day, every))


def _day(text: str, today: date) -> date:
    """The day asked for; yesterday when it is none, today when it has not come yet."""
    try:
        return max(date(2000, 1, 1), min(date.fromisoformat(text), today))
    except ValueError:
        return today - timedelta(days=1)


def _say(request, day: date, changed: int) -> None:
    if changed:
        messages.success(
            request,
            _("Saved: the figures of %(day)s, channels changed: %(n)s.") % {"day": formats.day(day), "n": changed},
        )
    else:
        messages.info(request, _("Nothing has changed: the same figures stand there already."))


def _address(request, day: date, every: bool) -> str:
    query = QueryDict(mutable=True)
    query["day"] = day.isoformat()
    if every:
        query["all"] = "1"
    return f"{reverse('kpis:fact-grid', args=[request.company.slug])}?{query.urlencode()}"
