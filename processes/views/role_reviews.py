"""The reviews of roles and KPIs: why they are due, and closing them."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from processes import role_reviews
from processes.forms import RoleReviewForm
from roles.permissions import Permission, requires
from roles.views import acting


@requires(Permission.READ)
def role_review_list(request):
    return _page(request, RoleReviewForm(request))


@requires(Permission.READ)
@require_POST
def role_review_close(request, pk):
    review = role_reviews.get_role_review(company=request.company, pk=pk)
    if review is None:
        raise Http404
    if not role_reviews.may_close(request.person):
        raise PermissionDenied(_("The owner or the marketing director closes the review of roles."))
    form = RoleReviewForm(request)
    if form.attempt(role_reviews.close_role_review, **acting(request), review=review):
        messages.success(request, _("The review is closed with its conclusion."))
        return redirect("processes:role-review-list", request.company.slug)
    return _page(request, form)


def _page(request, form):
    context = {
        "form": form,
        "rows": role_reviews.role_reviews(company=request.company),
        "may_close": role_reviews.may_close(request.person),
    }
    return render(request, "processes/role_review_list.html", context, status=form.status)
