"""The stand-ups that were held, and the minutes of one."""

from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import render

from reports.selectors import meetings as selectors
from roles.permissions import Permission, requires

PAGE = 30


@requires(Permission.READ)
def meeting_list(request):
    """The latest week first."""
    page = Paginator(selectors.meetings(company=request.company), PAGE).get_page(request.GET.get("page"))
    return render(request, "reports/meeting_list.html", {"page": page})


@requires(Permission.READ)
def meeting_detail(request, pk):
    """The minutes; before the end the topics and the way to the slides."""
    meeting = selectors.get_meeting(company=request.company, pk=pk)
    if meeting is None:
        raise Http404
    told = selectors.minutes(meeting=meeting, person=request.person)
    return render(request, "reports/meeting_detail.html", {"meeting": meeting, "minutes": told})
