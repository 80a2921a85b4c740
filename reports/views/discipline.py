"""The page of discipline, for those who keep the work going."""

from django.shortcuts import render
from django.utils import timezone

from reports.selectors.discipline import discipline_page
from roles.permissions import Permission, requires


@requires(Permission.VIEW_MONEY)
def discipline(request):
    """On-time rates, cycle times and actions by role and by week."""
    now = timezone.now()
    return render(request, "reports/discipline.html", {"page": discipline_page(company=request.company, at=now)})
