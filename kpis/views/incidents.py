"""Data incidents: the list, one of them, and the word that lets its decisions out."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from kpis.forms.incidents import DoubtForm, ReleaseForm
from kpis.models import DataIncident
from kpis.selectors import incidents as reads
from kpis.services.incidents import may_release, open_doubt, release_incident, why_not_release
from roles import selectors as who
from roles.permissions import Permission, requires
from roles.views import acting


@requires(Permission.READ)
def data_incident_list(request):
    context = {
        "rows": reads.open_incidents(company=request.company),
        "past": reads.past_incidents(company=request.company),
        "may_open": may_release(request.person),
    }
    return render(request, "kpis/data_incident_list.html", context)


@requires(Permission.MANAGE_KPIS)
def data_incident_create(request):
    """Holds figures in doubt; ?channel=, from= and to= fill the fields in."""
    form = DoubtForm(request, initial=_asked(request))
    if form.attempt(open_doubt, **acting(request)):
        messages.success(
            request, _("These days are in doubt: rules have no data for them until somebody releases them.")
        )
        return redirect("kpis:data-incident-detail", request.company.slug, form.result.pk)
    return render(request, "kpis/data_incident_create.html", {"form": form}, status=form.status)


def _asked(request) -> dict:
    """What the address says of the fields."""
    channel = who.channels(company=request.company).filter(code=request.GET.get("channel", "")).first()
    return {
        "channel": channel,
        "first_day": request.GET.get("from", ""),
        "last_day": request.GET.get("to", ""),
        "why": request.GET.get("why", "")[:300],
    }


@requires(Permission.READ)
def data_incident_detail(request, pk):
    """GET shows it; POST releases it with a reason."""
    incident = reads.get_incident(company=request.company, pk=pk)
    if incident is None:
        raise Http404
    form = ReleaseForm(request)
    if form.attempt(release_incident, **acting(request), incident=incident):
        if incident.kind == DataIncident.Kind.DOUBT:
            messages.success(request, _("Released: the rules look at these days again within a minute."))
        else:
            messages.success(request, _("Released: the decisions are opened within a minute."))
        return redirect("kpis:data-incident-detail", request.company.slug, pk)
    may = incident.is_held_open and may_release(request.person)
    context = {
        "incident": incident, "held": reads.held_breaches(incident=incident), "form": form, "may_release": may,
        "why_not": why_not_release(**acting(request), incident=incident) if may else "",
        "may_enter": request.person.can(Permission.ENTER_FACTS),
    }  # fmt: skip
    return render(request, "kpis/data_incident_detail.html", context, status=form.status)
