"""The map of channels, and the page of one."""

from django.http import Http404
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from processes import overrides
from reports.selectors import channel as selectors
from roles import formats
from roles.permissions import Permission, requires


@requires(Permission.READ)
def channel_list(request):
    """Channels by kind: what they bring, who answers for them, and why they matter."""
    found = selectors.channel_map(company=request.company, person=request.person, at=timezone.now())
    return render(request, "reports/channel_list.html", {"map": found, "may": _may(request.person, None)})


def _may(person, channel) -> dict[str, bool]:
    """What this person may do from the page: it decides which buttons stand on it."""
    return {
        "manage": person.can(Permission.MANAGE_COMPANY), "plan": person.can(Permission.MANAGE_KPIS),
        "prioritise": person.can(Permission.SET_PRIORITY), "enter": person.can(Permission.ENTER_FACTS),
        "rule": person.can(Permission.MANAGE_STOP_RULES, channel),
    }  # fmt: skip


def _overrides(request, page, now) -> list:
    """Breaches that go on here under a signed override."""
    if not any(breach.muted and breach.closed_on is None for breach in page.breaches):
        return []
    return overrides.running(company=request.company, person=request.person, at=now, channel_id=page.channel.pk)


@requires(Permission.READ)
def channel_detail(request, code):
    """One channel: its figures, what fires, campaigns, weeks, decisions, rules. `?days=` 14, 42 (default) or 365."""
    now = timezone.now()
    asked = request.GET.get("days", "42")
    if asked not in {str(days) for days in selectors.WINDOWS}:
        raise Http404
    page = selectors.channel_page(company=request.company, person=request.person, code=code, window=int(asked), at=now)
    if page is None:
        raise Http404
    context = {
        "page": page,
        "now": now,
        "may": _may(request.person, page.channel),
        "overrides": _overrides(request, page, now),
        "windows": [(14, formats.in_days(14)), (42, _("6 weeks")), (365, _("Year"))],
    }
    return render(request, "reports/channel_detail.html", context)
