"""The independence index: its parts with evidence, the next steps, the history, and the index without each person."""

from datetime import timedelta

from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from kpis.charts import line_plot
from processes.independence import history
from processes.independence.index import index_of, without_each
from processes.leaving.house import open_house
from roles.permissions import Permission, requires
from roles.views import today

SHOWN_DAYS = 365


@requires(Permission.VIEW_MONEY)
def independence(request):
    on = today(request)
    house = open_house(company=request.company, on=on, at=timezone.now(), money=False)
    found, alone = index_of(house), without_each(house)
    kept = list(history.history(company=request.company, since=on - timedelta(days=SHOWN_DAYS)))
    people = [(person, alone[person.pk], (found.value or 0) - (alone[person.pk] or 0)) for person in house.people]
    context = {
        "index": found,
        "people": sorted(people, key=lambda row: (-row[2], str(row[0]))),
        "kept": kept,
        "plot": _plot(kept),
        "quarter": history.before(company=request.company, day=on - timedelta(days=91)),
        "manages": request.person.can(Permission.MANAGE_COMPANY),
        "keeps": request.person.can(Permission.KEEP_ACCESSES),
    }
    return render(request, "processes/independence.html", context)


def _plot(kept):
    """The history as a line; None while there are fewer than two days of it."""
    if len(kept) < 2:
        return None
    first, last = kept[0].day, kept[-1].day
    by_day = {row.day: row.value for row in kept}
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    values, held = [], None
    for day in days:
        held = by_day.get(day, held)
        values.append(held)
    title = _("Independence index by day; a day without a record holds the one before")
    return line_plot(days, values, "number", title, title)
