"""The company's own data, and the journal of who did what."""

from zoneinfo import available_timezones

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from roles import forms, journal
from roles.permissions import Permission, requires
from roles.services import companies as service
from roles.views import acting


@requires(Permission.MANAGE_COMPANY)
def company_update(request):
    form = forms.CompanyForm(request, initial={name: getattr(request.company, name) for name in service.FIELDS})
    if form.attempt(service.update_company, **acting(request)):
        messages.success(request, _("Saved."))
        return redirect("roles:company-update", request.company.slug)
    zones = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/"))
    return render(request, "roles/company_update.html", {"form": form, "zones": zones}, status=form.status)


@requires(Permission.READ)
def audit_list(request):
    form = forms.JournalFilterForm(request, about=journal.objects_of(company=request.company))
    wanted = form.cleaned_data if form.is_valid() else {}
    before = request.GET.get("before", "")
    page = journal.journal(
        company=request.company, **wanted, before=int(before) if before.isdecimal() else None,
        details=request.person.can(Permission.VIEW_MONEY),
    )  # fmt: skip
    query = request.GET.copy()
    query["before"] = page.older or ""
    return render(request, "roles/audit_list.html", {"form": form, "page": page, "older": query.urlencode()})
