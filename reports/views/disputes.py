"""A disputed figure, and the choice about an action that was moved three times."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from processes.models import Action
from processes.services import MOST_CARRIES
from reports.forms.disputes import CarryForm, DisputeForm
from reports.selectors.carried import get_action
from reports.selectors.page import report_page
from reports.services.carried import may_settle, settle_carried
from reports.services.disputes import dispute_figure
from roles.permissions import Permission, requires
from roles.refusals import Refused
from roles.selectors import people


@requires(Permission.SUBMIT_REPORT, somewhere=True)
def weekly_report_dispute(request, pk):
    """Say that a prefilled figure is wrong: the analyst gets a task."""
    page = report_page(company=request.company, person=request.person, pk=pk, at=timezone.now())
    if page is None:
        raise Http404
    if not page.may_file:
        raise PermissionDenied
    posted = request.POST if request.method == "POST" else None
    form = DisputeForm(posted, lines=page.lines, initial={"measure": request.GET.get("measure", "")})
    status = 200
    if posted is not None:
        status = 400
        if form.is_valid():
            try:
                made = dispute_figure(
                    company=request.company, by=request.person, at=page.at, report=page.report, **form.cleaned_data
                )
            except Refused as refusal:
                form.refuse(refusal)
                status = refusal.status
            else:
                words = {"person": made.action.owner, "day": f"{made.action.due_on:%d.%m}"}
                messages.success(request, _("The figure is disputed: %(person)s looks at it by %(day)s.") % words)
                return redirect("reports:weekly-report-detail", request.company.slug, pk)
    context = {"page": page, "report": page.report, "form": form}
    return render(request, "reports/weekly_report_dispute.html", context, status=status)


@requires(Permission.READ)
def action_settle(request, pk):
    """Choose what becomes of an action that was moved three times; others read what was chosen."""
    action = get_action(company=request.company, pk=pk)
    if action is None:
        raise Http404
    waits = action.state == Action.State.OPEN and action.carried >= MOST_CARRIES
    posted = request.POST if request.method == "POST" else None
    form = CarryForm(posted, people=people(company=request.company))
    status = 200
    if posted is not None:
        status = 400
        if form.is_valid():
            try:
                settle_carried(
                    company=request.company, by=request.person, at=timezone.now(), action=action, **form.given()
                )
            except Refused as refusal:
                form.refuse(refusal)
                status = refusal.status
            else:
                messages.success(request, _("Decided: the reason stays with the action."))
                if request.htmx:  # on a slide of the stand-up, which stays where it is
                    return redirect("reports:action-settle", request.company.slug, pk)
                return redirect("reports:week-summary", request.company.slug)
    context = {
        "action": action, "form": form, "waits": waits, "may_settle": may_settle(request.person),
        "choices": action.carry_choices.select_related("made_by__user"),
    }  # fmt: skip
    return render(request, "reports/action_settle.html", context, status=status)
