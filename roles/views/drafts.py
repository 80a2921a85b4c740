"""Draft maps: try a reorganisation, see what it would cause, apply it whole or lay it aside."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from roles import draft_forms as forms
from roles import drafts, selectors
from roles.hat_forms import proposed
from roles.permissions import Permission, requires
from roles.refusals import Conflict
from roles.services import drafts as service
from roles.views import acting, today

MOVES = {"appoint": forms.MoveAppointForm, "end": forms.MoveEndForm, "deputy": forms.MoveDeputyForm}


@requires(Permission.MANAGE_COMPANY)
def reorganisation_list(request):
    form = forms.ReorganisationForm(request, initial={"starts_on": today(request)})
    if form.attempt(service.start_reorganisation, **acting(request), today=today(request)):
        return redirect("roles:reorganisation-detail", request.company.slug, form.result.pk)
    context = {"form": form, "rows": drafts.reorganisations(company=request.company)[:50]}
    return render(request, "roles/reorganisation_list.html", context, status=form.status)


@requires(Permission.MANAGE_COMPANY)
def reorganisation_detail(request, pk):
    return _page(request, _draft(request, pk), forms.ReorganisationCloseForm(request))


@requires(Permission.MANAGE_COMPANY)
def reorganisation_move(request, pk, kind):
    draft = _draft(request, pk)
    if kind not in MOVES:
        raise Http404
    on = {} if kind == "appoint" else {"on": today(request)}
    wanted = {name: request.GET[name] for name in ("role", "person", "channel", "appointment") if name in request.GET}
    form = MOVES[kind](request, initial={**proposed(today(request)), **wanted}, **on)
    if form.attempt(service.add_move, company=request.company, by=request.person, draft=draft, kind=form.kind):
        messages.success(request, _("Written down: the map below shows what it would change."))
        return redirect("roles:reorganisation-detail", request.company.slug, draft.pk)
    context = {"form": form, "draft": draft, "kind": kind}
    return render(request, "roles/reorganisation_move.html", context, status=form.status)


@requires(Permission.MANAGE_COMPANY)
@require_POST
def move_remove(request, pk):
    move = drafts.get_move(company=request.company, pk=pk)
    if move is None:
        raise Http404
    try:
        service.remove_move(company=request.company, by=request.person, move=move)
    except Conflict as refusal:
        messages.error(request, refusal.message)
    return redirect("roles:reorganisation-detail", request.company.slug, move.reorganisation_id)


@requires(Permission.MANAGE_COMPANY)
@require_POST
def reorganisation_apply(request, pk):
    draft = _draft(request, pk)
    form = forms.ReorganisationCloseForm(request)
    if form.attempt(service.apply_reorganisation, **acting(request), today=today(request), draft=draft):
        messages.success(request, _("The reorganisation is made, every move of it."))
        return redirect("roles:role-list", request.company.slug)
    return _page(request, draft, form)


@requires(Permission.MANAGE_COMPANY)
@require_POST
def reorganisation_discard(request, pk):
    draft = _draft(request, pk)
    form = forms.ReorganisationCloseForm(request)
    if form.attempt(service.discard_reorganisation, **acting(request), draft=draft):
        messages.success(request, _("The map is laid aside; nothing was changed."))
        return redirect("roles:reorganisation-list", request.company.slug)
    return _page(request, draft, form)


def _page(request, draft, form):
    context = {"draft": draft, "form": form}
    if draft.is_draft:
        shown = service.preview(**acting(request), today=today(request), draft=draft)
        context |= {
            "moves": shown.moves,
            "names": shown.before.names,
            "before": shown.before,
            "board": shown.after,
            "refusals": shown.refusals,
            "places": drafts.changed_places(shown.before, shown.after),
            "hours": drafts.changed_hours(shown.before, shown.after),
        }
    else:
        context["moves"] = drafts.moves(company=request.company, draft=draft)
        context["names"] = selectors.role_names(company=request.company)
    return render(request, "roles/reorganisation_detail.html", context, status=form.status)


def _draft(request, pk: int):
    draft = drafts.get_reorganisation(company=request.company, pk=pk)
    if draft is None:
        raise Http404
    return draft
