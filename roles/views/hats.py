"""Appointing people to hats, naming deputies, ending."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from roles import hat_forms as forms
from roles import selectors
from roles.permissions import Permission, RoleKind, requires
from roles.services import hats as service
from roles.views import acting, today


@requires(Permission.MANAGE_COMPANY)
def appointment_create(request):
    wanted = {name: request.GET[name] for name in ("role", "person", "channel", "deputy") if name in request.GET}
    form = forms.AppointmentForm(
        request, initial={**forms.proposed(today(request)), "starts_on": today(request), **wanted}
    )
    if form.attempt(service.appoint, **acting(request), today=today(request)):
        messages.success(request, _("%(person)s is appointed.") % {"person": form.result.person})
        return redirect("roles:role-detail", request.company.slug, form.result.role_id)
    return render(request, "roles/appointment_create.html", {"form": form}, status=form.status)


@requires(Permission.MANAGE_COMPANY)
def appointment_update(request, pk):
    appointment = _appointment(request, pk)
    initial = {
        **forms.proposed(today(request)),
        "deputy": appointment.deputy_id,
        "hours_per_week": appointment.hours_per_week,
    }
    form = forms.AppointmentUpdateForm(request, initial=initial)
    if form.attempt(service.update_appointment, **acting(request), today=today(request), appointment=appointment):
        messages.success(request, _("Saved."))
        return redirect("roles:role-detail", request.company.slug, appointment.role_id)
    context = {"form": form, **_shown(request, appointment)}
    return render(request, "roles/appointment_update.html", context, status=form.status)


@requires(Permission.MANAGE_COMPANY)
def appointment_end(request, pk):
    appointment = _appointment(request, pk)
    form = forms.AppointmentEndForm(request)
    if form.attempt(service.end_appointment, **acting(request), today=today(request), appointment=appointment):
        messages.success(request, _("The appointment is ended."))
        return redirect("roles:role-detail", request.company.slug, appointment.role_id)
    context = {"form": form, **_shown(request, appointment)}
    return render(request, "roles/appointment_end.html", context, status=form.status)


def _appointment(request, pk: int):
    appointment = selectors.get_appointment(company=request.company, pk=pk)
    if appointment is None:
        raise Http404
    return appointment


def _shown(request, appointment) -> dict:
    """The appointment with its role's text; for a channel's hat, who takes the channel when it ends."""
    owns = appointment.role.kind == RoleKind.CHANNEL_OWNER
    heirs = service.heirs(company=request.company, today=today(request)) if owns else []
    heir = service.successor_of(appointment=appointment, heirs=heirs) if owns else None
    version = selectors.get_role(company=request.company, pk=appointment.role_id)
    return {"appointment": appointment, "role": version, "owns": owns, "heir": heir}
