"""The registry of accesses: listed, added, changed, checked today, closed."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from roles import journal, registry, registry_forms
from roles.permissions import Permission, requires
from roles.refusals import Refused
from roles.services import accesses as service
from roles.views import acting, rights, today


@requires(Permission.KEEP_ACCESSES, somewhere=True)
def access_list(request):
    """All accesses, or those of own channels; `?flag=` those with one thing wrong, `?closed=1` those that are history."""
    closed = request.GET.get("closed") == "1"
    page = registry.registry(
        company=request.company,
        person=request.person,
        today=today(request),
        flag=request.GET.get("flag", ""),
        closed=closed,
    )
    context = {"page": page, "closed": closed, "flag": request.GET.get("flag", ""), **rights(request)}
    return render(request, "roles/access_list.html", context)


@requires(Permission.KEEP_ACCESSES, somewhere=True)
def access_detail(request, pk):
    line = _line(request, pk)
    events = journal.journal(company=request.company, obj=line.access)
    return render(request, "roles/access_detail.html", {"line": line, "events": events.lines, **rights(request)})


@requires(Permission.MANAGE_COMPANY)
def access_create(request):
    form = registry_forms.AccessForm(request, today=today(request), initial={"owned_by": "company"})
    if form.attempt(service.create_access, **acting(request), today=today(request)):
        messages.success(request, _("The access is registered."))
        return redirect("roles:access-detail", request.company.slug, form.result.pk)
    return render(request, "roles/access_create.html", {"form": form}, status=form.status)


@requires(Permission.MANAGE_COMPANY)
def access_update(request, pk):
    access = _line(request, pk).access
    form = registry_forms.AccessUpdateForm(
        request, today=today(request), initial=registry_forms.AccessForm.initial_of(access)
    )
    if form.attempt(service.update_access, **acting(request), access=access):
        messages.success(request, _("The access is changed."))
        return redirect("roles:access-detail", request.company.slug, access.pk)
    return render(request, "roles/access_update.html", {"form": form, "access": access}, status=form.status)


@requires(Permission.KEEP_ACCESSES, somewhere=True)
@require_POST
def access_check(request, pk):
    """One act: looked at today, by whom."""
    access = _line(request, pk).access
    try:
        service.check_access(**acting(request), today=today(request), access=access)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("Checked today: %(name)s.") % {"name": access})
    if request.POST.get("next") == "list":
        return redirect("roles:access-list", request.company.slug)
    return redirect("roles:access-detail", request.company.slug, access.pk)


@requires(Permission.MANAGE_COMPANY)
def access_close(request, pk):
    access = _line(request, pk).access
    form = registry_forms.ReasonForm(request)
    if form.attempt(service.close_access, **acting(request), today=today(request), access=access):
        messages.success(request, _("The access is closed."))
        return redirect("roles:access-list", request.company.slug)
    return render(request, "roles/access_close.html", {"form": form, "access": access}, status=form.status)


def _line(request, pk: int) -> registry.AccessLine:
    line = registry.get_access(company=request.company, person=request.person, pk=pk)
    if line is None:
        raise Http404
    if not line.may_check:
        raise PermissionDenied(Permission.KEEP_ACCESSES.label)
    return line
