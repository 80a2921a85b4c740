"""The report week of the company: its times, its calendar, and the next weeks as they turn out."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from reports.forms.schedule import CompanyDaysForm, ScheduleForm, rule_words
from reports.selectors import schedule as selectors
from reports.services import schedule as service
from roles.permissions import Permission, requires
from roles.refusals import Refused
from roles.views import acting


def _show(request, form=None, days_form=None, status: int = 200):
    page = selectors.schedule_page(company=request.company, at=timezone.now())
    context = {
        "page": page, "form": form or ScheduleForm(schedule=page.coming, country=page.country),
        "days_form": days_form or CompanyDaysForm(), "manages": request.person.can(Permission.MANAGE_COMPANY),
        "rules": rule_words(page.coming), "refused": form or days_form,
    }  # fmt: skip
    return render(request, "reports/week_schedule.html", context, status=status)


@requires(Permission.READ)
def week_schedule(request):
    """The times of the week, and which days are off."""
    return _show(request)


@requires(Permission.MANAGE_COMPANY)
@require_POST
def week_schedule_update(request):
    """New times from the next week on."""
    page = selectors.schedule_page(company=request.company, at=timezone.now())
    form = ScheduleForm(request.POST, schedule=page.coming, country=page.country)
    if not form.is_valid():
        return _show(request, form, status=400)
    try:
        service.change_schedule(**acting(request), schedule=form.schedule(), country=form.cleaned_data["country"])
    except Refused as refusal:
        form.refuse(refusal)
        return _show(request, form, status=refusal.status)
    messages.success(request, _("Saved. The new times hold from the next week on."))
    return redirect("reports:week-schedule", request.company.slug)


@requires(Permission.MANAGE_COMPANY)
@require_POST
def company_day_create(request):
    """Days off or worked of the company itself."""
    form = CompanyDaysForm(request.POST)
    if not form.is_valid():
        return _show(request, days_form=form, status=400)
    try:
        service.set_company_days(**acting(request), **form.cleaned_data)
    except Refused as refusal:
        form.refuse(refusal)
        return _show(request, days_form=form, status=refusal.status)
    messages.success(request, _("Marked. The deadlines have moved with the days."))
    return redirect("reports:week-schedule", request.company.slug)


@requires(Permission.MANAGE_COMPANY)
@require_POST
def company_day_remove(request, pk):
    """The day follows the calendar again."""
    day = selectors.get_company_day(company=request.company, pk=pk)
    if day is None:
        raise Http404
    try:
        service.remove_company_day(**acting(request), day=day)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("Taken back: the day follows the calendar again."))
    return redirect("reports:week-schedule", request.company.slug)
