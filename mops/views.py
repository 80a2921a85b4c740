"""Pages that belong to no company: the door, and the health check."""

from django.contrib.auth.decorators import login_required
from django.db import connection
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from roles import selectors
from roles.middleware import LANGUAGE_COOKIE
from roles.permissions import RoleKind
from roles.services.preferences import set_preferences


def healthz(request):
    """200 while the database answers; for load balancers and docker."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok", content_type="text/plain")


@login_required
def home(request):
    """The first page of each kind of person: the owner's dashboard, today's page for everybody else."""
    memberships = selectors.companies_of(user=request.user)
    if not memberships:
        return render(request, "no_company.html")
    last = request.session.get("company")
    person = next((m for m in memberships if m.company.slug == last), memberships[0])
    page = "reports:dashboard" if person.wears(RoleKind.OWNER) else "reports:today"
    return redirect(page, company_slug=person.company.slug)


@require_POST
def preferences(request):
    """Theme and language: kept with the login, and the language in a cookie for the pages before sign-in."""
    language, theme = request.POST.get("language"), request.POST.get("theme")
    if request.user.is_authenticated:
        set_preferences(user=request.user, language=language, theme=theme)
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()})
    response = redirect(target if safe else "home")
    if language in {"ru", "en"}:
        response.set_cookie(LANGUAGE_COOKIE, language, max_age=365 * 24 * 3600, samesite="Lax", httponly=True)
    return response
