"""What must not meet in one person: the matrix, the conflicts of today, and the outside checks."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from roles import conflicts, journal, matrix, selectors
from roles import hat_forms as forms
from roles.permissions import Permission, requires
from roles.services import conflicts as service
from roles.views import acting, rights, today


@requires(Permission.READ)
def conflict_list(request):
    on = today(request)
    context = {
        **rights(request),
        "sets": request.person.can(Permission.SET_CONFLICTS),
        "matrix": matrix.matrix(company=request.company),
        "standings": conflicts.standings(company=request.company, on=on),
        "checks": conflicts.checks(company=request.company),
        "names": selectors.role_names(company=request.company),
        "on": on,
    }
    return render(request, "roles/conflict_list.html", context)


@requires(Permission.SET_CONFLICTS)
def incompatibility_create(request):
    form = forms.IncompatibilityCreateForm(request)
    if form.attempt(service.add_pair, **acting(request), today=today(request)):
        messages.success(request, _("These duties must not meet from today on."))
        return redirect("roles:conflict-list", request.company.slug)
    return render(request, "roles/incompatibility_create.html", {"form": form}, status=form.status)


@requires(Permission.SET_CONFLICTS)
def incompatibility_update(request, pk):
    version = conflicts.get_pair(company=request.company, pk=pk)
    if version is None:
        raise Http404
    initial = {"why_ru": version.why_ru, "why_en": version.why_en, "is_active": version.is_active}
    form = forms.IncompatibilityUpdateForm(request, initial=initial)
    if form.attempt(service.revise_pair, **acting(request), today=today(request), pair=version.pair):
        messages.success(request, _("Saved: the change stands in the history with its reason."))
        return redirect("roles:conflict-list", request.company.slug)
    sides = conflicts.pair_sides(version.pair, selectors.role_names(company=request.company))
    history = conflicts.pair_history(company=request.company, pair=version.pair)
    context = {"form": form, "sides": sides, "history": history}
    return render(request, "roles/incompatibility_update.html", context, status=form.status)


@requires(Permission.MANAGE_COMPANY)
def external_check_create(request):
    """Name (or replace) the checker of a conflict that stands: `?person=` and `?pair=` say which."""
    on = today(request)
    asked = (request.GET.get("person", ""), request.GET.get("pair", ""))
    found = conflicts.standings(company=request.company, on=on)
    standing = next((one for one in found if (str(one.clash.person.pk), str(one.clash.version.pair_id)) == asked), None)
    if standing is None:
        return redirect("roles:conflict-list", request.company.slug)
    form = forms.ExternalCheckForm(request, initial=forms.proposed(on))
    clash = standing.clash
    if form.attempt(service.name_check, **acting(request), today=on, person=clash.person, pair=clash.version.pair):
        messages.success(request, _("%(person)s checks from today on.") % {"person": form.result.checker})
        return redirect("roles:conflict-list", request.company.slug)
    context = {"form": form, "standing": standing, "names": selectors.role_names(company=request.company)}
    return render(request, "roles/external_check_create.html", context, status=form.status)


@requires(Permission.DO_TASKS)
def check_round_detail(request, pk):
    """What to look at, and the signature; the checker's, and for reading whoever may read."""
    one = conflicts.get_round(company=request.company, pk=pk)
    if one is None:
        raise Http404
    mine = one.external_check.checker_id == request.person.pk
    if not mine and not request.person.can(Permission.READ):
        raise PermissionDenied(Permission.READ.label)
    form = forms.CheckRoundForm(request)
    if form.attempt(service.sign_round, **acting(request), today=today(request), one=one):
        messages.success(request, _("Signed. The check stands in the history under your name."))
        return redirect("roles:check-round-detail", request.company.slug, one.pk)
    events = service.sample_of(company=request.company, one=one)
    context = {
        "form": form,
        "round": one,
        "sides": conflicts.round_sides(company=request.company, rounds=[one])[one.pk],
        "may_sign": mine and one.signed_at is None and one.last_day < today(request),
        "skipped": conflicts.is_skipped(one, today(request)),
        "lines": journal.lines(
            company=request.company, events=events, details=request.person.can(Permission.VIEW_MONEY)
        ),
    }
    return render(request, "roles/check_round_detail.html", context, status=form.status)
