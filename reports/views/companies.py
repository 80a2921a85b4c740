"""All companies of one login: the first page of a director who leads several."""

from django.contrib.auth.decorators import login_required
from django.shortcuts import render
from django.utils import timezone

from reports.selectors.companies import companies_page
from roles import selectors


@login_required
def company_list(request):
    """What waits, burns and is late in each company of this person; stands outside any of them."""
    at = timezone.now()
    memberships = selectors.companies_of(user=request.user)
    if not memberships:
        return render(request, "no_company.html")
    return render(
        request, "reports/company_list.html", {"lines": companies_page(memberships=memberships, at=at), "at": at}
    )
