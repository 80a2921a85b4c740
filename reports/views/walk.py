"""One page for everybody's own week: file at once what is as planned, walk through the rest."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from reports.models import WeeklyReport
from reports.selectors.walk import Owed, walk
from reports.services import fact, plan
from roles.permissions import Permission, requires
from roles.refusals import Refused


@requires(Permission.SUBMIT_REPORT, somewhere=True)
def my_week(request):
    """Every plan and fact that this person owes now."""
    now = timezone.now()
    found = walk(company=request.company, person=request.person, at=now)
    return render(request, "reports/my_week.html", {"walk": found, "now": now})


@requires(Permission.SUBMIT_REPORT, somewhere=True)
@require_POST
def my_week_submit(request):
    """File the marked ones that need no word; each by itself, so that one refusal keeps none of the others back."""
    now = timezone.now()
    ready = {item.key: item for item in walk(company=request.company, person=request.person, at=now).ready}
    done = 0
    for key in dict.fromkeys(request.POST.getlist("report")):
        item = ready.get(key)
        if item is None:
            messages.error(request, _("One of the reports has changed meanwhile: look at it once more."))
            continue
        try:
            _submit(request, item, now)
            done += 1
        except Refused as refusal:
            messages.error(request, f"{item.row.report.channel.name}: {refusal.message}")
    if done:
        messages.success(request, ngettext("%(n)s report is filed.", "%(n)s reports are filed.", done) % {"n": done})
    return redirect("reports:my-week", request.company.slug)


def _submit(request, item: Owed, now) -> None:
    given = {
        "company": request.company, "by": request.person, "at": now, "report": item.row.report,
        "version": item.row.report.version,
    }  # fmt: skip
    if item.what == "plan":
        plan.submit_plan(**given)
    else:
        fact.submit_fact(**given)


def next_step(request, report: WeeklyReport, what: str):
    """Where the walk goes after a report is filed: to the next one that needs words, else to the page of the week."""
    found = walk(company=request.company, person=request.person, at=timezone.now())
    following = found.after(report, what)
    if following is None:
        return redirect("reports:my-week", request.company.slug)
    response = redirect("reports:weekly-report-detail", request.company.slug, following.row.report.pk)
    response["Location"] += f"?part={following.what}&walk=1"
    return response
