"""Pages of KPIs: the list, one with its versions, making and revising; own metrics and the funnel."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from kpis.forms.measures import FunnelForm, KpiCreateForm, KpiUpdateForm, MetricForm
from kpis.metrics import SPARE_SLOTS
from kpis.selectors.kpi_values import kpi_page, kpi_rows, kpi_versions
from kpis.selectors.measures import funnel_of, kpis_of, metrics_of
from kpis.services.kpis import create_kpi, revise_kpi
from kpis.services.measures import define_metric, set_funnel
from roles.permissions import Permission, requires
from roles.views import acting, today


@requires(Permission.READ)
def kpi_list(request):
    day = today(request)
    metrics = metrics_of(company=request.company)
    context = {
        "rows": kpi_rows(company=request.company, person=request.person, today=day, metrics=metrics),
        "metrics": metrics,
        "own_left": SPARE_SLOTS - sum(info.own for info in metrics.values()),
        "funnel": [metrics[code].name for code in funnel_of(company=request.company) if code in metrics],
        "today": day,
        "month": day.replace(day=1),
        "manages": request.person.can(Permission.MANAGE_KPIS),
    }
    return render(request, "kpis/kpi_list.html", context)


@requires(Permission.READ)
def kpi_detail(request, code):
    versions = _versions(request, code)
    page = kpi_page(company=request.company, person=request.person, versions=versions, today=today(request))
    context = {
        "kpi": versions[0].kpi,
        "page": page,
        "row": page.row,
        "manages": request.person.can(Permission.MANAGE_KPIS),
    }
    return render(request, "kpis/kpi_detail.html", context)


@requires(Permission.MANAGE_KPIS)
def kpi_create(request):
    form = KpiCreateForm(request, kpis=kpis_of(company=request.company))
    if form.attempt(create_kpi, **acting(request)):
        messages.success(request, _("The KPI is added."))
        return redirect("kpis:kpi-detail", request.company.slug, form.result.kpi.code)
    context = {"form": form, "metrics": metrics_of(company=request.company)}
    return render(request, "kpis/kpi_create.html", context, status=form.status)


@requires(Permission.MANAGE_KPIS)
def kpi_update(request, code):
    version = _versions(request, code)[0]
    kpi, kpis = version.kpi, kpis_of(company=request.company)
    current = kpis[kpi.code]
    initial = {name: getattr(version, name) for name in ("name_ru", "name_en", "formula", "better", "unit")}
    initial |= {"parent": current.parent or "", "expected": current.number}
    form = KpiUpdateForm(request, kpis=kpis, but=kpi.code, initial=initial)
    if form.attempt(revise_kpi, **acting(request), kpi=kpi):
        messages.success(request, _("The KPI is changed: from today on it counts this way."))
        return redirect("kpis:kpi-detail", request.company.slug, kpi.code)
    context = {"form": form, "kpi": kpi, "info": current, "metrics": metrics_of(company=request.company)}
    return render(request, "kpis/kpi_update.html", context, status=form.status)


@requires(Permission.MANAGE_KPIS)
def metric_create(request):
    form = MetricForm(request)
    if form.attempt(define_metric, **acting(request)):
        messages.success(request, _("The metric is added: facts may bring it from now on."))
        return redirect("kpis:kpi-list", request.company.slug)
    return render(request, "kpis/metric_create.html", {"form": form}, status=form.status)


@requires(Permission.MANAGE_KPIS)
def funnel_update(request):
    metrics = metrics_of(company=request.company)
    form = FunnelForm(request, metrics=metrics, stages=funnel_of(company=request.company))
    if form.attempt(set_funnel, **acting(request)):
        messages.success(request, _("The funnel is changed."))
        return redirect("kpis:kpi-list", request.company.slug)
    return render(request, "kpis/funnel_update.html", {"form": form}, status=form.status)


def _versions(request, code: str) -> list:
    """The versions of a KPI, newest first; 404 where there is no such KPI."""
    versions = kpi_versions(company=request.company, code=code)
    if not versions:
        raise Http404
    return versions
