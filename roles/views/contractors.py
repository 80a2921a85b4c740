"""Contractors: contracts, the people let in by them, and their end."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from roles import contracts, journal, registry_forms, selectors
from roles.permissions import Permission, requires
from roles.refusals import Refused
from roles.services import contractors as service
from roles.views import acting, rights, today


@requires(Permission.READ)
def contractor_list(request):
    rows = contracts.contractors(company=request.company)
    return render(request, "roles/contractor_list.html", {"rows": rows, "today": today(request), **rights(request)})


@requires(Permission.READ)
def contractor_detail(request, pk):
    contractor = _contractor(request, pk)
    context = {
        "contractor": contractor, "today": today(request), **rights(request),
        "in_force": contractor.is_in_force(today(request)),
        "events": journal.journal(company=request.company, obj=contractor).lines,
    }  # fmt: skip
    return render(request, "roles/contractor_detail.html", context)


@requires(Permission.MANAGE_COMPANY)
def contractor_create(request):
    form = registry_forms.ContractorForm(
        request, initial={"starts_on": today(request), "responsible": request.person.pk}
    )
    if form.attempt(service.create_contractor, **acting(request)):
        messages.success(request, _("The contractor is registered. Let its people in."))
        return redirect("roles:contractor-detail", request.company.slug, form.result.pk)
    return render(request, "roles/contractor_create.html", {"form": form}, status=form.status)


@requires(Permission.MANAGE_COMPANY)
def contractor_update(request, pk):
    contractor = _contractor(request, pk)
    initial = {name: getattr(contractor, name) for name in service.FIELDS}
    initial |= {
        "responsible": contractor.responsible_id, "deputy": contractor.deputy_id, "channels": list(contractor.channels.all()),
    }  # fmt: skip
    form = registry_forms.ContractorUpdateForm(request, initial=initial)
    if form.attempt(service.update_contractor, **acting(request), today=today(request), contractor=contractor):
        messages.success(request, _("The contract is changed."))
        return redirect("roles:contractor-detail", request.company.slug, contractor.pk)
    context = {"form": form, "contractor": contractor}
    return render(request, "roles/contractor_update.html", context, status=form.status)


@requires(Permission.MANAGE_COMPANY)
def contractor_close(request, pk):
    """Results and accesses are back: the contract becomes history."""
    contractor = _contractor(request, pk)
    form = registry_forms.ReasonForm(request)
    if form.attempt(service.close_contractor, **acting(request), today=today(request), contractor=contractor):
        messages.success(request, _("The contract is closed."))
        return redirect("roles:contractor-list", request.company.slug)
    context = {"form": form, "contractor": contractor}
    return render(request, "roles/contractor_close.html", context, status=form.status)


@requires(Permission.MANAGE_COMPANY)
def contractor_person_create(request, pk):
    contractor = _contractor(request, pk)
    form = registry_forms.ContractorPersonForm(request)
    if form.attempt(service.add_contractor_person, **acting(request), today=today(request), contractor=contractor):
        messages.success(request, _("The invitation is on its way to %(email)s.") % {"email": form.result.user.email})
        return redirect("roles:contractor-detail", request.company.slug, contractor.pk)
    context = {"form": form, "contractor": contractor}
    return render(request, "roles/contractor_person_create.html", context, status=form.status)


@requires(Permission.MANAGE_COMPANY)
@require_POST
def contractor_person_remove(request, pk):
    """The person is named by `person` in the form: the address names the contract."""
    contractor = _contractor(request, pk)
    person = selectors.get_person_by_id(company=request.company, pk=_number(request.POST.get("person")))
    if person is None:
        raise Http404
    try:
        service.remove_contractor_person(
            **acting(request), today=today(request), contractor=contractor, person=person
        )  # fmt: skip
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("%(person)s works by this contract no longer.") % {"person": person})
    return redirect("roles:contractor-detail", request.company.slug, contractor.pk)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0


def _contractor(request, pk: int):
    contractor = contracts.get_contractor(company=request.company, pk=pk)
    if contractor is None:
        raise Http404
    return contractor
