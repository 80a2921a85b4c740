"""The map of hats, what each hat says, and who may what."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from roles import boards, checklists, forms, role_history, selectors
from roles.permissions import ROLE_PERMISSIONS, Permission, Reach, RoleKind, requires
from roles.refusals import Forbidden, Refused
from roles.services import duties
from roles.services import roles as service
from roles.views import acting, rights, today


@requires(Permission.READ)
def role_list(request):
    board = boards.role_map(company=request.company, on=today(request))
    return render(request, "roles/role_list.html", {"board": board, **rights(request)})


@requires(Permission.READ)
def role_detail(request, pk):
    version = _role(request, pk)
    on = today(request)
    reaches = ROLE_PERMISSIONS[RoleKind(version.role.kind)]
    context = {
        **rights(request),
        "version": version,
        "duties": boards.duties_by_cadence(version),
        "checklists": checklists.checklists(company=request.company, version=version, today=on),
        "rights": [(permission, reach is Reach.CHANNELS) for permission, reach in reaches.items()],
        "holders": selectors.appointments_in_force(company=request.company, on=on).filter(role=version.role),
        "away": boards.away_on(company=request.company, on=on),
        "past": selectors.past_appointments(company=request.company, role=version.role, on=on)[:10],
        "versions": selectors.role_versions(company=request.company, role=version.role),
        "history": role_history.role_history(company=request.company, role=version.role),
    }
    return render(request, "roles/role_detail.html", context)


@requires(Permission.MANAGE_COMPANY)
def role_create(request):
    form = forms.RoleCreateForm(request)
    duties = _duty_rows(request, [])
    if duties.is_valid() and form.attempt(
        service.create_role, **acting(request), today=today(request), duties=forms.duties_of(duties)
    ):
        messages.success(request, _("The role is added. Now appoint somebody to it."))
        return redirect("roles:role-detail", request.company.slug, form.result.pk)
    return render(request, "roles/role_create.html", {"form": form, "duties": duties}, status=form.status)


@requires(Permission.MANAGE_COMPANY)
def role_update(request, pk):
    version = _role(request, pk)
    texts = {name: getattr(version, name) for name in service.TEXTS}
    form = forms.RoleForm(request, initial={**texts, "kpis": ", ".join(version.kpis)})
    duties = _duty_rows(request, version.duties)
    if duties.is_valid() and form.attempt(
        service.revise_role, **acting(request), today=today(request), role=version.role, duties=forms.duties_of(duties)
    ):
        messages.success(request, _("A new version of the role is in force from today."))
        return redirect("roles:role-detail", request.company.slug, version.role_id)
    context = {"form": form, "duties": duties, "version": version}
    return render(request, "roles/role_update.html", context, status=form.status)


@requires(Permission.DO_TASKS)
@require_POST
def role_duty_tick(request, pk, key):
    """Tick a duty of this period (`undo`: take the tick back); `channel`: its code, for the hats of channels."""
    version = _role(request, pk)
    channel = selectors.get_channel(company=request.company, code=request.POST.get("channel", ""))
    write = duties.untick_duty if "undo" in request.POST else duties.tick_duty
    try:
        write(**acting(request), today=today(request), role=version.role, key=key, channel=channel)
    except Forbidden as refusal:
        raise PermissionDenied(refusal.message) from refusal
    except Refused as refusal:
        messages.error(request, refusal.message)
    if "from_today" in request.POST:
        return redirect(f"{reverse('home')}#h-duties")
    return redirect(f"{reverse('roles:role-detail', args=[request.company.slug, pk])}#h-duties")


@requires(Permission.READ)
def permission_table(request):
    kinds = list(RoleKind)
    rows = [(permission, [ROLE_PERMISSIONS[kind].get(permission) for kind in kinds]) for permission in Permission]
    return render(request, "roles/permission_table.html", {"kinds": kinds, "rows": rows})


def _role(request, pk: int):
    version = selectors.get_role(company=request.company, pk=pk)
    if version is None:
        raise Http404
    return version


def _duty_rows(request, duties: list[dict]):
    posted = request.POST if request.method == "POST" else None
    return forms.DutyFormSet(posted, initial=duties, prefix="duties")
