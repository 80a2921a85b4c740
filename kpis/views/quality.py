"""The page of what is wrong with the figures, with what to do about each."""

from django.shortcuts import render
from django.utils import timezone

from kpis.selectors.quality import data_quality
from kpis.services.incidents import may_release
from roles.permissions import Permission, requires


@requires(Permission.READ)
def data_quality_page(request):
    """Silent sources, gaps, jumps, spend without leads, channels without a source, typed figures."""
    context = {
        "page": data_quality(company=request.company, person=request.person, at=timezone.now()),
        "may_enter": request.person.can(Permission.ENTER_FACTS),
        "may_doubt": may_release(request.person),
    }
    return render(request, "kpis/data_quality.html", context)
