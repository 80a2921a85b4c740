"""The Monday meeting: the slides of a week as one page, for a call and for reading without one."""

from django.shortcuts import render
from django.utils import timezone

from reports.selectors.calendar import week_book
from reports.selectors.summary import summary_week
from reports.slides.content import deck_of
from reports.views.weekly import week_asked
from roles.permissions import Permission, requires

MINUTES_EACH = 3
"""How long a channel has the word; the timer only shows it."""


@requires(Permission.VIEW_MONEY)
def stand_up(request):
    """All slides at once: missing reports first, then the most money under plan. Scripts show one at a time."""
    now = timezone.now()
    week = week_asked(request, summary_week(company=request.company, at=now))
    deck = deck_of(company=request.company, person=request.person, week=week, at=now)
    moments = week_book(company=request.company).deadlines(week)
    context = {"deck": deck, "summary": deck.summary, "week": week, "moments": moments, "seconds": MINUTES_EACH * 60}
    return render(request, "reports/stand_up.html", context)
