"""The door, the health check, and the page of notifications."""

from csp.decorators import csp_update
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import connection
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from mops.companies import start_company
from mops.erasing import delete_company
from mops.notifications import inbox
from roles import selectors
from roles.forms import CompanyCreateForm
from roles.middleware import LANGUAGE_COOKIE
from roles.models import Membership
from roles.permissions import Permission, RoleKind, requires
from roles.services.preferences import set_preferences


def healthz(request):
    """200 while the database answers; for load balancers and docker."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok", content_type="text/plain")


@csp_update({"img-src": "data:"})
def api_docs(request):
    """The browsable API; the page holds no data, what it asks is answered by the rights of its user's token.

    Swagger UI draws its arrows from data: images of its stylesheet; scripts and styles stay as strict as everywhere.
    """
    return render(request, "mops/api_docs.html", {"schema": reverse("api-schema")})


@login_required
def home(request):
    """The first page of each kind of person: the owner's dashboard, today's page for everybody else."""
    memberships = selectors.companies_of(user=request.user)
    if not memberships:
        return render(request, "no_company.html")
    last = request.session.get("company")
    return _first_page(next((m for m in memberships if m.company.slug == last), memberships[0]))


@requires(Permission.DO_TASKS)
def company_home(request):
    """The bare address of a company, as people shorten a link to it."""
    return _first_page(request.person)


def _first_page(person: Membership):
    page = "reports:dashboard" if person.wears(RoleKind.OWNER) else "reports:today"
    return redirect(page, company_slug=person.company.slug)


@login_required
def company_create(request):
    """A company of one's own: whoever starts it is its owner."""
    form = CompanyCreateForm(request)
    if form.attempt(start_company, owner=request.user, at=timezone.now(), language=request.LANGUAGE_CODE):
        messages.success(request, _("The company is started. Invite people and add channels."))
        return redirect("roles:role-list", form.result.slug)
    return render(request, "company_create.html", {"form": form}, status=form.status)


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


@requires(Permission.DO_TASKS)
def notification_list(request):
    """What this person has been told, newest first."""
    shown = list(inbox.notifications_of(company=request.company, person=request.person))
    unread = sum(notification.read_at is None for notification in shown)
    return render(request, "mops/notification_list.html", {"notifications": shown, "unread": unread})


@require_POST
@requires(Permission.DO_TASKS)
def notification_read(request):
    """Mark everything as read."""
    inbox.mark_read(company=request.company, person=request.person, at=timezone.now())
    return redirect("mops:notification-list", request.company.slug)


@require_POST
@requires(Permission.DO_TASKS)
def notification_open(request, pk):
    """Mark one as read and go where it leads."""
    notification = inbox.get_notification(company=request.company, person=request.person, pk=pk)
    if notification is None:
        raise Http404
    inbox.mark_read(company=request.company, person=request.person, at=timezone.now(), pk=pk)
    return redirect(notification.url or reverse("mops:notification-list", args=[request.company.slug]))


@requires(Permission.MANAGE_COMPANY)
def sample_delete(request):
    """The sample company goes in one act; a real one has no such page."""
    if not request.company.is_sample:
        raise Http404
    if request.method != "POST":
        return render(request, "mops/sample_delete.html")
    delete_company(company=request.company)
    messages.success(request, _("The sample company is removed."))
    return redirect("home")
