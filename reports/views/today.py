"""Today: the first page of everybody but the owner, and the one page of a contractor."""

from django.shortcuts import render
from django.utils import timezone

from reports.selectors.today import today_page
from roles.permissions import Permission, requires


@requires(Permission.DO_TASKS)
def today(request):
    """What is due, own actions and figures, and what the hats of this person should look at."""
    page = today_page(company=request.company, person=request.person, at=timezone.now())
    return render(request, "reports/today.html", {"page": page})
