"""Pages of plans: the table of a year and the form that sets one with a reason."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from kpis import periods
from kpis.forms.measures import TargetChoiceForm, TargetForm
from kpis.selectors.measures import is_money, kpis_of, measures_from, metrics_of
from kpis.selectors.target_table import plan_table
from kpis.selectors.targets import target_versions
from kpis.services.targets import set_targets
from roles import selectors as who
from roles.formats import CURRENCIES
from roles.permissions import Permission, requires
from roles.views import acting, today

FIRST_YEAR, LAST_YEAR = 2000, 2100


@requires(Permission.READ)
def target_list(request):
    day = today(request)
    asked = request.GET.get("year", "")
    year = min(max(int(asked), FIRST_YEAR), LAST_YEAR) if asked.isdecimal() and len(asked) == 4 else day.year
    metrics, kpis = metrics_of(company=request.company), kpis_of(company=request.company)
    context = {
        "table": plan_table(company=request.company, person=request.person, year=year, metrics=metrics, kpis=kpis),
        "year": year,
        "month": periods.month_start(day),
        "manages": request.person.can(Permission.MANAGE_KPIS),
        "currency": CURRENCIES.get(request.company.currency, request.company.currency),
    }
    if context["manages"]:
        measures, channels = measures_from(metrics, kpis).values(), who.channels(company=request.company)
        initial = {"kpi": "cpa", "month": periods.month_label(day)}
        context["choice"] = TargetChoiceForm(measures=measures, channels=channels, initial=initial)
    return render(request, "kpis/target_list.html", context)


@requires(Permission.MANAGE_KPIS)
def target_update(request):
    """Sets one plan; which one stands in the address: ?kpi=&channel=&month=."""
    metrics = metrics_of(company=request.company)
    measures = measures_from(metrics, kpis_of(company=request.company))
    channels = {channel.code: channel for channel in who.channels(company=request.company)}
    choice = TargetChoiceForm(request.GET or None, measures=measures.values(), channels=channels.values())
    if not choice.is_valid():
        if request.GET and ("kpi" in choice.errors or "channel" in choice.errors):
            raise Http404
        status = 400 if choice.is_bound else 200
        return render(request, "kpis/target_choose.html", {"form": choice}, status=status)
    measure, month = measures[choice.cleaned_data["kpi"]], choice.cleaned_data["month"]
    channel = channels.get(choice.cleaned_data["channel"])
    if is_money(measure, metrics) and not request.person.can(Permission.VIEW_MONEY, channel):
        raise PermissionDenied
    versions = target_versions(
        company=request.company, measure=measure.code, channel_id=channel.pk if channel else None, month=month
    )
    form = TargetForm(request, measure=measure, initial={"value": versions[0].value if versions else None})
    if form.attempt(set_targets, **acting(request), measure=measure.code, channel=channel, month=month):
        messages.success(request, _("The plan is set."))
        return redirect(f"{reverse('kpis:target-list', args=[request.company.slug])}?year={month.year}")
    context = {"form": form, "measure": measure, "channel": channel, "month": month, "versions": versions}
    return render(request, "kpis/target_update.html", context, status=form.status)
