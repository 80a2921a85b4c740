"""Loading accesses from a table: pasted or from a file, looked at first, then written as a whole."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from processes import access_table
from processes.brief_forms import AccessTableForm
from roles.permissions import Permission, requires
from roles.refusals import Refused
from roles.views import acting


@requires(Permission.MANAGE_COMPANY)
def access_import(request):
    """The first post shows what would be written and what is wrong; `keep` writes it, if nothing is."""
    form, trial = AccessTableForm(request), None
    if form.is_valid():
        try:
            trial = access_table.load_accesses(**acting(request), stream=form.stream(), keep="keep" in request.POST)
        except Refused as refusal:
            form.show(refusal)
    if trial is not None and trial.written:
        counts = {"new": trial.count("new"), "changed": trial.count("changed")}
        messages.success(request, _("Loaded: %(new)s new, %(changed)s changed.") % counts)
        return redirect("roles:access-list", request.company.slug)
    columns = [(str(label), headings[0]) for label, headings in access_table.COLUMNS.values()]
    context = {"form": form, "trial": trial, "columns": columns}
    return render(request, "processes/access_import.html", context, status=form.status)
