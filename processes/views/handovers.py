"""Departures: the list, a plan, naming successors, and the successor's own word."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from processes.leaving import plans, services
from processes.leaving.forms import AnswerForm, HandoverCancelForm, HandoverCreateForm, SuccessorForm
from processes.models import HandoverItem
from roles.permissions import Permission, requires
from roles.refusals import Refused
from roles.views import acting, today


@requires(Permission.DO_TASKS)
def handover_list(request):
    """What I am asked to take, and for managers every departure; the one who leaves sees their own."""
    manages = request.person.can(Permission.MANAGE_COMPANY)
    rows = plans.handovers(company=request.company)
    context = {
        "waiting": plans.waiting_for(company=request.company, person=request.person),
        "rows": rows if manages else rows.filter(person=request.person),
        "manages": manages,
    }
    return render(request, "processes/handover_list.html", context)


@requires(Permission.MANAGE_COMPANY)
def handover_create(request):
    """Begin a departure; `?person=` chooses whose."""
    initial = {"person": request.GET.get("person"), "last_day": today(request)}
    form = HandoverCreateForm(request, initial=initial)
    if form.attempt(services.start_handover, **acting(request)):
        messages.success(request, _("The plan is made: successors are asked for their word."))
        return redirect("processes:handover-detail", request.company.slug, form.result.pk)
    return render(request, "processes/handover_create.html", {"form": form}, status=form.status)


@requires(Permission.DO_TASKS, somewhere=True)
def handover_detail(request, pk):
    handover = plans.get_handover(company=request.company, pk=pk)
    if handover is None:
        raise Http404
    if not services.may_see_plan(request.person, handover):
        raise PermissionDenied(Permission.MANAGE_COMPANY.label)
    items = list(handover.items.all())
    open_items = [item for item in items if item.state not in HandoverItem.SETTLED]
    agreed = sum(item.state in (HandoverItem.State.CONFIRMED, *HandoverItem.SETTLED) for item in items)
    context = {
        "handover": handover,
        "open_items": open_items,
        "settled": [item for item in items if item.state in HandoverItem.SETTLED],
        "agreed": agreed,
        "share": agreed / len(items) if items else 1,
        "manages": request.person.can(Permission.MANAGE_COMPANY),
        "total": len(items),
    }
    return render(request, "processes/handover_detail.html", context)


@requires(Permission.MANAGE_COMPANY)
def handover_cancel(request, pk):
    handover = plans.get_handover(company=request.company, pk=pk)
    if handover is None:
        raise Http404
    form = HandoverCancelForm(request)
    if form.attempt(services.cancel_handover, **acting(request), handover=handover):
        messages.success(request, _("The plan is called off: the person stays."))
        return redirect("processes:handover-detail", request.company.slug, pk)
    return render(request, "processes/handover_cancel.html", {"form": form, "handover": handover}, status=form.status)


@requires(Permission.MANAGE_COMPANY)
@require_POST
def handover_close(request, pk):
    handover = plans.get_handover(company=request.company, pk=pk)
    if handover is None:
        raise Http404
    try:
        services.close_handover(**acting(request), handover=handover)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("Everything is handed over."))
    return redirect("processes:handover-detail", request.company.slug, pk)


@requires(Permission.MANAGE_COMPANY)
def handover_item_successor(request, pk):
    """Ask somebody else, or say that nobody is needed."""
    item = _item(request, pk)
    form = SuccessorForm(request, item, may_lapse=_may_lapse(item), initial={"successor": item.successor_id})
    if form.attempt(_naming(request, item)):
        messages.success(request, _("Noted."))
        return redirect("processes:handover-detail", request.company.slug, item.handover_id)
    context = {"form": form, "item": item, "may_lapse": _may_lapse(item)}
    return render(request, "processes/handover_item_successor.html", context, status=form.status)


def _naming(request, item: HandoverItem):
    def name(*, successor, note=""):
        if successor is None:
            return services.let_lapse(**acting(request), item=item, note=note)
        return services.name_successor(**acting(request), item=item, successor=successor)

    return name


def _may_lapse(item: HandoverItem) -> bool:
    return item.kind in services.MAY_LAPSE and not (item.kind == HandoverItem.Kind.HAT and item.channel_id)


@requires(Permission.DO_TASKS)
@require_POST
def handover_item_answer(request, pk):
    """My word about a thing I am asked to take."""
    item = _item(request, pk)
    form = AnswerForm(request)
    if form.attempt(services.answer, **acting(request), item=item):
        agreed = form.cleaned_data["agrees"]
        messages.success(request, _("Thank you: it is yours.") if agreed else _("Noted: somebody else is asked."))
    elif form.refusal is not None and form.refusal.status == 403:
        raise PermissionDenied(form.refusal.message)
    else:
        messages.error(request, form.refusal.message if form.refusal else _("Choose an answer."))
    return redirect("processes:handover-list", request.company.slug)


def _item(request, pk: int) -> HandoverItem:
    item = plans.get_item(company=request.company, pk=pk)
    if item is None:
        raise Http404
    return item
