"""Actions: mine or everybody's, giving one, closing one, accepting a rewrite."""

from datetime import timedelta

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from processes import doubts, lists, selectors, services
from processes.forms import ActionCloseForm, ActionCreateForm
from roles.permissions import Permission, requires
from roles.refusals import Refused
from roles.views import acting, today


@requires(Permission.DO_TASKS)
def action_list(request):
    """Mine by default; everybody's (`?whose=all`) for those who may read."""
    may_see_all = request.person.can(Permission.READ)
    everybody = may_see_all and request.GET.get("whose") == "all"
    person = None if everybody else request.person
    open_lines, closed_lines = lists.action_lines(
        company=request.company, person=request.person, whose=person, at=timezone.now()
    )
    context = {
        "open_lines": open_lines, "closed_lines": closed_lines, "everybody": everybody, "may_see_all": may_see_all,
    }  # fmt: skip
    return render(request, "processes/action_list.html", context)


@requires(Permission.READ)
def action_create(request):
    """A task for somebody; ?text=, owner=, channel= fill the fields in, so that any page may propose one."""
    asked = request.GET
    initial = {
        "text": asked.get("text", "")[:400], "owner": asked.get("owner", ""), "channel": asked.get("channel", ""),
        "due_on": today(request) + timedelta(days=1),
    }  # fmt: skip
    form = ActionCreateForm(request, initial=initial)
    if form.attempt(services.create_action, **acting(request)):
        messages.success(request, _("The task is given."))
        return redirect(f"{reverse('processes:action-list', args=[request.company.slug])}?whose=all")
    return render(request, "processes/action_create.html", {"form": form}, status=form.status)


@requires(Permission.DO_TASKS, somewhere=True)
def action_close(request, pk):
    """Done, dropped with a note, or carried over to another day."""
    action = _action(request, pk)
    form = ActionCloseForm(request)
    if form.attempt(_closing(request, action)):
        messages.success(request, _("Noted."))
        return redirect("processes:action-list", request.company.slug)
    others = doubts.who_answers(person=request.person, action=action, on=today(request))
    context = {
        "action": action, "form": form, "may_close": selectors.may_close(person=request.person, action=action),
        "own_doubt": doubts.own_doubt(others) if others else "",
    }  # fmt: skip
    return render(request, "processes/action_close.html", context, status=form.status)


def _closing(request, action):
    def close(*, outcome, due_on, note):
        if outcome == "carry":
            return services.carry_action(action=action, due_on=due_on, reason=note, **acting(request))
        return services.close_action(action=action, done=outcome == "done", note=note, **acting(request))

    return close


@requires(Permission.DO_TASKS, somewhere=True)
@require_POST
def action_accept(request, pk):
    action = _action(request, pk)
    try:
        services.accept_rewrite(action=action, **acting(request))
    except Refused as refusal:
        if refusal.status == 403:
            raise PermissionDenied(refusal.message) from refusal
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("Accepted: the rule looks at it again."))
    return redirect("processes:action-list", request.company.slug)


def _action(request, pk):
    action = selectors.get_action(company=request.company, pk=pk)
    if action is None:
        raise Http404
    if not selectors.may_see(person=request.person, action=action):
        raise PermissionDenied
    return action
