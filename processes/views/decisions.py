"""The list and log of decisions, the decision's page, and signing on it."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from processes import lists, overrides, reviews, selectors, services
from processes.account_page import account_page
from processes.forms import DecisionCosignForm, DecisionSignForm, DecisionWithdrawForm, ReviewForm
from processes.models import Decision
from processes.pages import decision_page
from roles.permissions import Permission, requires
from roles.views import acting

PAGE = 30
MOST_IN_A_FILE = 5000


@requires(Permission.READ)
def decision_list(request):
    """What waits first, with the money that burns meanwhile; what runs under an override; how decisions are kept; the log."""
    now = timezone.now()
    waiting = lists.waiting_lines(company=request.company, person=request.person, at=now)
    filters = lists.log_filters(company=request.company, query=request.GET)
    log = selectors.decision_log(company=request.company, **filters.chosen)
    whole = "download" in request.GET
    page = Paginator(log, MOST_IN_A_FILE if whole else PAGE).get_page(request.GET.get("page"))
    context = {
        "waiting": waiting,
        "burned": lists.burned_together(waiting),
        "overrides": overrides.running(company=request.company, person=request.person, at=now),
        "reviews": list(reviews.open_reviews(company=request.company)),
        "today": request.company.local_date(now),
        "may_see_account": request.person.can(Permission.VIEW_MONEY),
        "kept": lists.kept(company=request.company, person=request.person, at=now),
        "log": lists.log_lines(decisions=page.object_list, person=request.person),
        "page": page,
        "filters": filters,
    }
    return render(request, "processes/decision_list.html", context)


@requires(Permission.READ)
def decision_detail(request, pk):
    return _page(request, _decision(request, pk))


@requires(Permission.READ)
@require_POST
def decision_sign(request, pk):
    """Who may sign is asked of the hats by the service: it depends on the round and the age of the decision."""
    decision = _decision(request, pk)
    form = DecisionSignForm(request, decision=decision, at=timezone.now())
    if form.attempt(_signing(form, request, decision)):
        if form.result.state == Decision.State.WAITING_COSIGN:
            messages.success(request, _("Signed. It takes effect with the second signature."))
        else:
            messages.success(request, _("Signed and in force. The owner of the channel has the task."))
        return redirect("processes:decision-detail", request.company.slug, decision.pk)
    return _page(request, _decision(request, pk), sign=form)


def _signing(form, request, decision):
    return lambda **_typed: services.sign_decision(decision=decision, **acting(request), **form.signed())


@requires(Permission.READ)
@require_POST
def decision_cosign(request, pk):
    decision = _decision(request, pk)
    approve = request.POST.get("approve") == "yes"
    form = DecisionCosignForm(request, auto_id="cosign-%s")
    if form.attempt(services.cosign_decision, decision=decision, approve=approve, **acting(request)):
        done = _("Signed and in force.") if approve else _("Refused: the question is open again.")
        messages.success(request, done)
        return redirect("processes:decision-detail", request.company.slug, decision.pk)
    return _page(request, _decision(request, pk), cosign=form)


@requires(Permission.READ)
@require_POST
def decision_withdraw(request, pk):
    decision = _decision(request, pk)
    form = DecisionWithdrawForm(request, auto_id="withdraw-%s")
    if form.attempt(services.withdraw_decision, decision=decision, **acting(request)):
        messages.success(request, _("Withdrawn: the reason stays in the log."))
        return redirect("processes:decision-detail", request.company.slug, decision.pk)
    return _page(request, _decision(request, pk), withdraw=form)


@requires(Permission.READ)
@require_POST
def review_close(request, pk):
    """Who may judge is asked of the hats by the service, as for signing."""
    review = reviews.get_review(company=request.company, pk=pk)
    if review is None:
        raise Http404
    form = ReviewForm(request, auto_id=f"review-{pk}-%s")
    if form.attempt(reviews.close_review, review=review, **acting(request)):
        messages.success(request, _("Kept: the forecast, the fact and your word stand beside the decision."))
        return redirect("processes:decision-detail", request.company.slug, review.decision_id)
    return _page(request, _decision(request, review.decision_id), review=form)


@requires(Permission.VIEW_MONEY)
def decision_account(request):
    """What signed decisions kept and cost, by quarter (`?quarter=2026-Q4`) and by channel."""
    page = account_page(company=request.company, label=request.GET.get("quarter", ""), at=timezone.now())
    return render(request, "processes/decision_account.html", {"page": page})


def _decision(request, pk):
    decision = selectors.get_decision(company=request.company, pk=pk)
    if decision is None:
        raise Http404
    return decision


def _page(request, decision, **posted):
    """The page with the form that was refused, if one was; the other forms are fresh."""
    at = timezone.now()
    page = decision_page(decision=decision, person=request.person, at=at)
    why = {"reason": page.changed.why} if page.changed else {}
    forms = {
        "sign": posted.get("sign") or _fresh(DecisionSignForm(request, decision=decision, at=at)),
        "cosign": posted.get("cosign") or _fresh(DecisionCosignForm(request, auto_id="cosign-%s")),
        "withdraw": posted.get("withdraw") or _fresh(DecisionWithdrawForm(request, auto_id="withdraw-%s", initial=why)),
    }
    refused = next(iter(posted.values()), None)
    context = {
        "page": page, "decision": decision, "forms": forms, "refused": refused,
        "review_forms": _review_forms(request, page, posted.get("review")),
        "may_see_account": request.person.can(Permission.VIEW_MONEY),
    }  # fmt: skip
    return render(request, "processes/decision_detail.html", context, status=refused.status if refused else 200)


def _review_forms(request, page, posted) -> list[tuple]:
    """(panel, its form or None) of every review on the page; the verdict that the figures propose is chosen already."""
    forms = []
    for panel in page.after.reviews:
        auto_id = f"review-{panel.review.pk}-%s"
        is_posted = posted is not None and posted.auto_id == auto_id
        fresh = None
        if panel.may_review and not is_posted:
            fresh = _fresh(ReviewForm(request, auto_id=auto_id, initial={"verdict": panel.proposed}))
        forms.append((panel, posted if is_posted else fresh))
    return forms


def _fresh(form):
    """A form of the page that was not the one posted: it shows what it began with."""
    form.is_bound = False
    return form
