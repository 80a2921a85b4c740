"""People: who is in the company, what they wear, when they are away, how they come and go."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from roles import boards, forms, selectors
from roles.permissions import Permission, requires
from roles.refusals import Forbidden
from roles.services import people as service
from roles.views import acting, rights, today


@requires(Permission.READ)
def person_list(request):
    people = boards.people_with_tokens(company=request.company, at=timezone.now())
    rows = boards.people_rows(company=request.company, on=today(request), people=people)
    return render(request, "roles/person_list.html", {"rows": rows, **rights(request)})


@requires(Permission.READ)
def person_detail(request, pk):
    person, on = _person(request, pk), today(request)
    owned = selectors.channels(company=request.company)
    context = {
        **rights(request),
        "someone": person,
        "worn": boards.worn_hats(company=request.company, on=on).get(person.pk, []),
        "role_names": selectors.role_names(company=request.company),
        "coming": selectors.appointments_of(company=request.company, person=person, on=on).filter(starts_on__gt=on),
        "past": selectors.past_appointments(company=request.company, person=person, on=on)[:10],
        "owned": owned.filter(owner=person),
        "coordinated": owned.filter(coordinator=person),
        "absences": selectors.absences(company=request.company, person=person, on=on),
        "tokens": boards.live_tokens(company=request.company, person=person, at=timezone.now()),
        "own": person.pk == request.person.pk,
    }
    return render(request, "roles/person_detail.html", context)


@requires(Permission.MANAGE_COMPANY)
def person_create(request):
    form = forms.PersonForm(request)
    if form.attempt(service.add_person, **acting(request), today=today(request)):
        messages.success(request, _("The invitation is on its way to %(email)s.") % {"email": form.result.user.email})
        return redirect("roles:person-detail", request.company.slug, form.result.pk)
    return render(request, "roles/person_create.html", {"form": form}, status=form.status)


@requires(Permission.MANAGE_COMPANY)
@require_POST
def person_invite(request, pk):
    person = _person(request, pk)
    service.invite_again(**acting(request), person=person)
    messages.success(request, _("The invitation is on its way to %(email)s.") % {"email": person.user.email})
    return redirect("roles:person-detail", request.company.slug, person.pk)


@requires(Permission.DO_TASKS)
def absence_create(request):
    others = request.person.can(Permission.MANAGE_COMPANY)
    initial = {"person": request.GET.get("person", request.person.pk), "starts_on": today(request)}
    form = forms.AbsenceForm(request, others=others, initial=initial)
    if form.attempt(service.add_absence, **acting(request)):
        messages.success(request, _("Marked: deputies act on these days."))
        if request.person.can(Permission.READ):
            return redirect("roles:person-detail", request.company.slug, form.result.person_id)
        return redirect("home")
    return render(request, "roles/absence_create.html", {"form": form, "others": others}, status=form.status)


@requires(Permission.DO_TASKS)
@require_POST
def absence_remove(request, pk):
    absence = selectors.get_absence(company=request.company, pk=pk)
    if absence is None:
        raise Http404
    try:
        service.remove_absence(**acting(request), absence=absence)
    except Forbidden as refusal:
        raise PermissionDenied(refusal.message) from refusal
    messages.success(request, _("Taken back: the person is here again."))
    return redirect("roles:person-detail", request.company.slug, absence.person_id)


def _person(request, pk: int):
    person = selectors.get_person_by_id(company=request.company, pk=pk)
    if person is None:
        raise Http404
    return person
