"""If they leave tomorrow: the company's list, and a person's page."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from processes.independence.index import index_of
from processes.leaving import drill, plans
from processes.leaving.house import open_house
from processes.leaving.risk import risk_of, risks
from roles import selectors
from roles.permissions import Permission, requires
from roles.views import acting, today


@requires(Permission.VIEW_MONEY)
def risk_list(request):
    """Everybody, worst first, with the money nobody would stand in for; `?person=` leads to that person's page."""
    if (asked := request.GET.get("person", "")).isdecimal():
        return redirect("processes:person-risk", request.company.slug, int(asked))
    house = open_house(company=request.company, on=today(request), at=timezone.now())
    rows = risks(house)
    most = max((risk.money or 0 for risk in rows), default=0)
    context = {
        "rows": [(risk, risk.money / most if most and risk.money is not None else None) for risk in rows],
        "leaving": plans.unfinished(company=request.company),
        "manages": request.person.can(Permission.MANAGE_COMPANY),
    }
    return render(request, "processes/risk_list.html", context)


@requires(Permission.VIEW_MONEY)
def person_risk(request, pk):
    """What stands on one person, and the index without them."""
    house = open_house(company=request.company, on=today(request), at=timezone.now())
    person = next((one for one in house.people if one.pk == pk), None)
    if person is None:
        raise Http404
    found = index_of(house)
    context = {
        "risk": risk_of(house, person),
        "index": found,
        "without": index_of(house, without=person),
        "people": house.people,
        "handover": plans.unfinished(company=request.company).filter(person=person).first(),
        "drills": plans.drills(company=request.company, person=person)[:5],
        "manages": request.person.can(Permission.MANAGE_COMPANY),
        "own": person.pk == request.person.pk,
        "keeps": request.person.can(Permission.KEEP_ACCESSES),
    }
    return render(request, "processes/person_risk.html", context)


@requires(Permission.MANAGE_COMPANY)
@require_POST
def person_drill(request, pk):
    """Rehearse the absence of a person for a week."""
    person = selectors.get_person_by_id(company=request.company, pk=pk)
    if person is None:
        raise Http404
    found = drill.run_drill(**acting(request), person=person)
    messages.success(request, _("The drill is kept. Nothing has changed by it."))
    return redirect("processes:drill-detail", request.company.slug, found.pk)


@requires(Permission.VIEW_MONEY)
def drill_detail(request, pk):
    found = plans.drills(company=request.company).filter(pk=pk).first()
    if found is None:
        raise Http404
    rows = [(drill.WHAT.get(row["what"], row["what"]), row["name"], row["stand_in"]) for row in found.stopped]
    without = sum(not stand_in for _what, _name, stand_in in rows)
    context = {"drill": found, "rows": rows, "without": without, "share": without / len(rows) if rows else 0}
    return render(request, "processes/drill_detail.html", context)
