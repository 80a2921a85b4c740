"""Weekly reports: the list of a week, the form of plan and fact, and what the CMO does with a filed one."""

from datetime import date

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from kpis.periods import parse_week
from reports import filing
from reports.deadlines import local_monday
from reports.forms.weekly import FactForm, NoteForm, PlanForm
from reports.selectors import weekly as selectors
from reports.selectors.calendar import week_book
from reports.selectors.page import ReportPage, report_page
from reports.selectors.walk import walk
from reports.services import drafts, fact, plan, review
from reports.views.walk import next_step
from roles.permissions import Permission, requires
from roles.refusals import Refused
from roles.selectors import people


def week_asked(request, default: date) -> date:
    """The Monday of `?week=2026-W47`, the default without it; 404 for what is no week."""
    if not (text := request.GET.get("week")):
        return default
    try:
        return parse_week(text)
    except ValueError as error:
        raise Http404 from error


@requires(Permission.READ)
def weekly_report_list(request):
    """The week: every channel's plan and fact, whether in time, and by whom."""
    now = timezone.now()
    week = week_asked(request, local_monday(now, request.company.zone))
    rows = selectors.reports_of_week(company=request.company, week=week, at=now)
    before, after = selectors.neighbour_weeks(company=request.company, week=week)
    kept = selectors.discipline(company=request.company, week=week, at=now)
    context = {
        "week": week, "rows": rows, "before": before, "after": after, "discipline": kept,
        "hidden": _hidden(request.person, rows), "may_file": bool(selectors.channels_held(request.person)), "moments": week_book(company=request.company).deadlines(week),
    }  # fmt: skip
    return render(request, "reports/weekly_report_list.html", context)


def _hidden(person, rows) -> set[int]:
    """Ids of reports whose result KPI is money that this person may not see."""
    return {
        row.report.pk
        for row in rows
        if row.main and row.main.about_money and not person.can(Permission.VIEW_MONEY, row.report.channel_id)
    }


def _page(request, pk: int) -> ReportPage:
    page = report_page(company=request.company, person=request.person, pk=pk, at=timezone.now())
    if page is None:
        raise Http404
    return page


def _mine(request, pk: int) -> ReportPage:
    """The page of a report that this person may file; 403 for the other channels."""
    page = _page(request, pk)
    if not page.may_file:
        raise PermissionDenied
    return page


def _plan_form(page: ReportPage, data=None) -> PlanForm:
    return PlanForm(data, report=page.report, lines=page.lines, items=page.figures.items)


def _fact_form(page: ReportPage, data=None, rows: int = 2) -> FactForm:
    return FactForm(
        data, report=page.report, figures=page.figures, promises=page.open_promises, late=page.is_late, rows=rows,
        people=people(company=page.report.company), default_owner=page.default_owner,
    )  # fmt: skip


def _rows(request) -> int:
    """How many rows of actions are asked for."""
    text = request.POST.get("rows") or request.GET.get("rows") or "2"
    return min(int(text), filing.MOST_ACTIONS) if text.isdecimal() else 2


def _show(request, page: ReportPage, part: str, form=None, note_form=None, status: int = 200):
    if form is None and page.may_file:
        form = _plan_form(page) if part == "plan" else _fact_form(page, rows=_rows(request))
    context = {"page": page, "report": page.report, "part": part, "form": form, "note_form": note_form, "now": page.at}
    if request.GET.get("walk") or request.POST.get("walk"):
        found = walk(company=request.company, person=request.person, at=page.at)
        context |= {"walk": found, "walk_place": found.place(page.report, part)}
    return render(request, "reports/weekly_report_detail.html", context, status=status)


@requires(Permission.READ)
def weekly_report_detail(request, pk):
    """The report: its plan until Friday noon, its fact afterwards; `?part=` chooses."""
    page = _page(request, pk)
    part = request.GET.get("part")
    return _show(request, page, part if part in {"plan", "fact"} else page.part_due)


def _back(page: ReportPage, part: str, extra: str = ""):
    response = redirect("reports:weekly-report-detail", page.report.company.slug, page.report.pk)
    response["Location"] += f"?part={part}{extra}"
    return response


@requires(Permission.SUBMIT_REPORT, somewhere=True)
def weekly_report_save(request, pk):
    """Keep the draft; `add` gives one more row for an action. HTMX gets the line that says when it was kept."""
    page = _mine(request, pk)
    part = "plan" if request.POST.get("part") == "plan" else "fact"
    if request.method != "POST":
        return _back(page, part)
    form = _plan_form(page, request.POST) if part == "plan" else _fact_form(page, request.POST, _rows(request))
    refusal = _try(form, lambda: _save(request, page, part, form))
    if request.htmx:
        context = {"report": selectors.get_report(company=request.company, pk=pk), "form": form, "page": page}
        return render(request, "reports/_weekly_saved.html", context)
    if refusal is not None:
        return _show(request, page, part, form, status=refusal)
    if "add" in request.POST:
        return _back(page, part, f"&rows={_rows(request) + 1}{_walking(request)}#actions")
    messages.success(request, _("The draft is kept."))
    return _back(page, part, _walking(request))


def _walking(request) -> str:
    return "&walk=1" if request.POST.get("walk") else ""


def _save(request, page: ReportPage, part: str, form) -> None:
    given = {"plan": form.draft()} if part == "plan" else {"fact": form.draft()}
    drafts.save_draft(
        company=request.company, by=request.person, at=page.at, report=page.report,
        version=form.cleaned_data.get("version"), **given,
    )  # fmt: skip


def _try(form, act) -> int | None:
    """Do it when the form is right; the status of the answer when it is not, with the errors at the form."""
    if not form.is_valid():
        return 400
    try:
        act()
    except Refused as refusal:
        form.refuse(refusal)
        return refusal.status
    return None


@requires(Permission.SUBMIT_REPORT, somewhere=True)
def weekly_report_submit_plan(request, pk):
    """File the plan; after its deadline a filed plan is amended instead."""
    page = _mine(request, pk)
    if request.method != "POST":
        return _back(page, "plan")
    form = _plan_form(page, request.POST)
    refusal = _try(form, lambda: _submit_plan(request, page, form))
    if refusal is not None:
        return _show(request, page, "plan", form, status=refusal)
    messages.success(request, _("The plan is amended.") if page.is_amendment else _("The plan is filed."))
    return next_step(request, page.report, "plan") if request.POST.get("walk") else _back(page, "plan")


def _submit_plan(request, page: ReportPage, form: PlanForm) -> None:
    given = {
        "company": request.company, "by": request.person, "at": page.at, "report": page.report,
        "version": form.cleaned_data.get("version"), "reason": form.cleaned_data.get("reason", ""),
    }  # fmt: skip
    if page.is_amendment:
        plan.amend_plan(values=form.changed_values(), **given)
    else:
        plan.submit_plan(plan=form.draft(), **given)


@requires(Permission.SUBMIT_REPORT, somewhere=True)
def weekly_report_submit_fact(request, pk):
    """File the fact."""
    page = _mine(request, pk)
    if request.method != "POST":
        return _back(page, "fact")
    form = _fact_form(page, request.POST, _rows(request))
    refusal = _try(
        form,
        lambda: fact.submit_fact(
            company=request.company, by=request.person, at=page.at, report=page.report,
            version=form.cleaned_data.get("version"), fact=form.draft(),
        ),
    )  # fmt: skip
    if refusal is not None:
        return _show(request, page, "fact", form, status=refusal)
    messages.success(request, _("The fact is filed."))
    return next_step(request, page.report, "fact") if request.POST.get("walk") else _back(page, "fact")


def _review(request, pk: int, act, done: str, word: str | None):
    """One of the reviewer's acts: POST does it, its refusal stays beside the note."""
    page = _page(request, pk)
    if request.method != "POST":
        return _back(page, "fact")
    form = NoteForm(request.POST, report=page.report)
    given = {"company": request.company, "by": request.person, "at": page.at, "report": page.report}
    if word is not None:
        given[word] = request.POST.get("note", "")
    version = request.POST.get("version", "")
    refusal = _try(form, lambda: act(version=int(version) if version.isdecimal() else None, **given))
    if refusal is not None:
        return _show(request, page, "fact", note_form=form, status=refusal)
    messages.success(request, done)
    return _back(page, "fact")


@requires(Permission.REVIEW_REPORT)
def weekly_report_accept(request, pk):
    """Accept a filed fact."""
    return _review(request, pk, review.accept_report, _("The report is accepted."), None)


@requires(Permission.REVIEW_REPORT)
def weekly_report_return(request, pk):
    """Return a filed fact with a note."""
    return _review(request, pk, review.return_report, _("The report is returned."), "note")


@requires(Permission.REVIEW_REPORT)
def weekly_report_reopen(request, pk):
    """Open one locked report for 24 hours."""
    return _review(request, pk, review.reopen_report, _("The report is open for 24 hours."), "reason")
