"""Sources: how fresh each is, who keeps it, which one counts."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from kpis.forms.imports import SourceForm
from kpis.models import Source
from kpis.selectors import sources as reads
from kpis.services import sources as writes
from roles.permissions import Permission, requires
from roles.refusals import Refused
from roles.views import acting


@requires(Permission.READ)
def source_list(request):
    rows = reads.freshness(company=request.company, at=timezone.now())
    context = {"rows": rows, "may_enter": request.person.can(Permission.ENTER_FACTS)}
    return render(request, "kpis/source_list.html", context)


@requires(Permission.ENTER_FACTS)
def source_update(request, code):
    source = _source(request, code)
    names = ("name", "owner", "expected_every_days", "priority")
    form = SourceForm(request, initial={name: getattr(source, name) for name in names})
    if form.attempt(writes.update_source, **acting(request), source=source):
        messages.success(request, _("The source is changed."))
        return redirect("kpis:source-list", request.company.slug)
    context = {"form": form, "source": source, "why_kept": reads.why_kept(source=source)}
    return render(request, "kpis/source_update.html", context, status=form.status)


@requires(Permission.ENTER_FACTS)
def source_delete(request, code):
    """Confirm that a source goes which was made by mistake; one with figures is refused with the reason."""
    source = _source(request, code)
    refused, status = reads.why_kept(source=source), 200
    if request.method == "POST":
        try:
            writes.delete_source(**acting(request), source=source)
        except Refused as refusal:
            refused, status = refusal.message, refusal.status
        else:
            messages.success(request, _("The source is deleted."))
            return redirect("kpis:source-list", request.company.slug)
    return render(request, "kpis/source_delete.html", {"source": source, "refused": refused}, status=status)


def _source(request, code: str) -> Source:
    source = reads.get_source(company=request.company, code=code)
    if source is None:
        raise Http404
    return source
