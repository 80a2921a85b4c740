"""Data incidents: the list, one of them, and the word that lets its decisions out."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from kpis.forms.incidents import ReleaseForm
from kpis.selectors import incidents as reads
from kpis.services.incidents import may_release, release_incident
from roles.permissions import Permission, requires


@requires(Permission.READ)
def data_incident_list(request):
    context = {
        "rows": reads.open_incidents(company=request.company),
        "past": reads.past_incidents(company=request.company),
    }
    return render(request, "kpis/data_incident_list.html", context)


@requires(Permission.READ)
def data_incident_detail(request, pk):
    """GET shows it; POST releases it with a reason."""
    incident = reads.get_incident(company=request.company, pk=pk)
    if incident is None:
        raise Http404
    form = ReleaseForm(request)
    acting = {"company": request.company, "by": request.person, "at": timezone.now()}
    if form.attempt(release_incident, **acting, incident=incident):
        messages.success(request, _("Released: the decisions are opened within a minute."))
        return redirect("kpis:data-incident-detail", request.company.slug, pk)
    context = {
        "incident": incident, "held": reads.held_breaches(incident=incident), "form": form,
        "may_release": incident.is_held_open and may_release(request.person),
    }  # fmt: skip
    return render(request, "kpis/data_incident_detail.html", context, status=form.status)
