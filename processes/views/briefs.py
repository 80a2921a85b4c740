"""Briefs of contractors, for both sides: the list, one brief with what may be done now, every step by itself."""

from datetime import timedelta

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from processes import brief_forms as forms
from processes import briefing, briefs
from roles import contracts, journal
from roles.permissions import Permission, requires
from roles.refusals import Refused
from roles.views import acting, today


@requires(Permission.DO_TASKS)
def brief_list(request):
    """What this person may see, what waits for them first; `?contractor=<id>`: of one contract."""
    asked = request.GET.get("contractor", "")
    contractor = int(asked) if asked.isdecimal() else None
    lines, closed = briefs.brief_lines(
        company=request.company, person=request.person, today=today(request), contractor=contractor
    )
    reads = request.person.can(Permission.READ)
    context = {
        "lines": lines, "closed": closed, "reads": reads, "asked": contractor,
        "contracts": [] if reads else contracts.contracts_of(person=request.person),
    }  # fmt: skip
    return render(request, "processes/brief_list.html", context)


@requires(Permission.READ)
def brief_create(request):
    """A draft; `?contractor=<id>` says for whom. Where several contracts are open and none is named, they are offered."""
    day = today(request)
    offered = list(contracts.open_contractors(company=request.company, on=day))
    asked = request.GET.get("contractor", "")
    named = [row for row in offered if str(row.pk) == asked] or (offered if len(offered) == 1 else [])
    if not named:
        return render(request, "processes/brief_create.html", {"offered": offered})
    form = forms.BriefForm(request, contractor=named[0], initial={"due_on": day + timedelta(days=7)})
    if form.attempt(briefing.create_brief, **acting(request), contractor=named[0]):
        messages.success(request, _("The draft is kept: look at it and send it."))
        return redirect("processes:brief-detail", request.company.slug, form.result.pk)
    context = {"form": form, "contractor": named[0], "offered": offered}
    return render(request, "processes/brief_create.html", context, status=form.status)


@requires(Permission.DO_TASKS, somewhere=True)
def brief_detail(request, pk):
    return _detail(request, _brief(request, pk))


@requires(Permission.READ, somewhere=True)
def brief_update(request, pk):
    brief = _brief(request, pk)
    initial = {name: getattr(brief, name) for name in ("title", "text", "due_on")}
    criteria = "\n".join(row["text"] for row in brief.criteria)
    initial |= {"channel": brief.channel_id, "criteria": criteria}
    form = forms.BriefForm(request, contractor=brief.contractor, initial=initial)
    if form.attempt(briefing.update_brief, **acting(request), brief=brief):
        messages.success(request, _("Saved."))
        return redirect("processes:brief-detail", request.company.slug, brief.pk)
    return render(request, "processes/brief_update.html", {"form": form, "brief": brief}, status=form.status)


@requires(Permission.READ, somewhere=True)
@require_POST
def brief_send(request, pk):
    return _act(request, pk, briefing.send_brief, _("Sent: the contractor's people are told."))


@requires(Permission.DO_TASKS, somewhere=True)
@require_POST
def brief_take(request, pk):
    return _act(request, pk, briefing.take_brief, _("In work. Deliver it here by its day."))


@requires(Permission.DO_TASKS, somewhere=True)
@require_POST
def brief_return(request, pk):
    return _act(request, pk, briefing.return_brief, _("Returned with your question."), "returning", forms.ReturnForm)


@requires(Permission.DO_TASKS, somewhere=True)
@require_POST
def brief_deliver(request, pk):
    return _act(
        request, pk, briefing.deliver_brief, _("Delivered: who judges it is told."), "delivering", forms.DeliverForm
    )


@requires(Permission.READ, somewhere=True)
@require_POST
def brief_accept(request, pk):
    return _act(request, pk, briefing.accept_work, _("Accepted by all its criteria."), "accepting", forms.AcceptForm)


@requires(Permission.READ, somewhere=True)
@require_POST
def brief_rework(request, pk):
    return _act(request, pk, briefing.return_work, _("Sent back with your reason."), "reworking", forms.ReturnForm)


@requires(Permission.READ, somewhere=True)
@require_POST
def brief_cancel(request, pk):
    return _act(request, pk, briefing.cancel_brief, _("The brief is cancelled."), "cancelling", forms.ReturnForm)


def _act(request, pk, service, said: str, name: str = "", form_class=None):
    """One step of a brief: its form, if it has one, is shown again where it was with what is wrong."""
    brief = _brief(request, pk)
    if form_class is None:
        try:
            service(**acting(request), brief=brief)
        except Refused as refusal:
            if refusal.status == 403:
                raise PermissionDenied(refusal.message) from refusal
            messages.error(request, refusal.message)
        else:
            messages.success(request, said)
        return redirect("processes:brief-detail", request.company.slug, brief.pk)
    extra = {"brief": brief} if form_class is forms.AcceptForm else {}
    form = form_class(request, **extra)
    if form.attempt(service, **acting(request), brief=brief):
        messages.success(request, said)
        return redirect("processes:brief-detail", request.company.slug, brief.pk)
    if form.status == 403:
        raise PermissionDenied(form.refusal.message)
    return _detail(request, brief, **{name: form})


def _detail(request, brief, **shown):
    """The brief with the forms of what may be done now; one that was refused stands there with its errors."""
    rights = briefs.rights_of(person=request.person, brief=brief)
    may = {step: rights.may(brief, step) for step in briefs.STEPS}
    refused = next(iter(shown.values()), None)
    blank = _Unsent(request)
    context = {
        "brief": brief, "may": may, "reads": request.person.can(Permission.READ), "today": today(request), "form": refused,
        "late": not brief.is_closed and brief.due_on < today(request),
        "is_returned": brief.state in (brief.State.RETURNED, brief.State.REWORK),
        "events": journal.journal(company=request.company, obj=brief, details=False).lines,
        "returning": forms.ReturnForm(blank), "reworking": forms.ReturnForm(blank), "cancelling": forms.ReturnForm(blank),
        "delivering": forms.DeliverForm(blank, initial={"delivery_url": brief.delivery_url}),
        "accepting": forms.AcceptForm(blank, brief=brief), **shown,
    }  # fmt: skip
    return render(request, "processes/brief_detail.html", context, status=refused.status if refused else 200)


class _Unsent:
    """A request as a form that was not sent sees it."""

    method, POST = "GET", None

    def __init__(self, request):
        self.company, self.person = request.company, request.person


def _brief(request, pk: int):
    brief = briefs.get_brief(company=request.company, pk=pk)
    if brief is None:
        raise Http404
    if not briefs.may_see(person=request.person, brief=brief):
        raise PermissionDenied
    return brief
