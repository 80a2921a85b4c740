"""Onboarding packs: who has read which, a hat's pack on screen and as a file, and the reader's word."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from processes.packs import pack
from roles import selectors
from roles.permissions import Permission, requires
from roles.views import acting, today


@requires(Permission.READ)
def pack_list(request):
    readers = pack.readers(company=request.company, on=today(request))
    rows = [(version, readers.get(version.role_id, [])) for version in selectors.roles(company=request.company)]
    mine = [
        version for version, people in rows
        if any(one.person.pk == request.person.pk and one.read_at is None for one in people)
    ]  # fmt: skip
    return render(request, "processes/pack_list.html", {"rows": rows, "mine": mine})


@requires(Permission.READ)
def role_pack(request, pk):
    found = _pack(request, pk)
    people = pack.readers(company=request.company, on=today(request)).get(pk, [])
    own = next((one for one in people if one.person.pk == request.person.pk), None)
    return render(request, "processes/role_pack.html", {"pack": found, "readers": people, "own": own})


@requires(Permission.READ)
def role_pack_file(request, pk):
    """The same pack as one HTML file: opens anywhere, prints to paper or PDF, needs no library."""
    found = _pack(request, pk)
    html = render_to_string("processes/role_pack_file.html", {"pack": found, "company": request.company}, request)
    response = HttpResponse(html, content_type="text/html; charset=utf-8")
    name = f"mops-{request.company.slug}-{found.role.role.code}.html"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@requires(Permission.READ)
@require_POST
def role_pack_read(request, pk):
    role = _role(request, pk)
    pack.read_pack(**acting(request), role=role)
    messages.success(request, _("Noted: you have read it."))
    return redirect("processes:role-pack", request.company.slug, pk)


def _role(request, pk: int):
    role = selectors.get_role(company=request.company, pk=pk)
    if role is None:
        raise Http404
    return role


def _pack(request, pk: int):
    return pack.pack_of(company=request.company, role=_role(request, pk), reader=request.person, on=today(request))
