"""The CMO's page for the week."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from kpis.periods import week_label
from reports.exports import PPTX, as_attachment, as_csv, as_workbook, summary_tables
from reports.forms.weekly import SummaryForm
from reports.selectors import summary as selectors
from reports.selectors.weekly import neighbour_weeks
from reports.services.summary import write_summary
from reports.slides.content import deck_of
from reports.slides.deck import deck_file
from reports.views.weekly import week_asked
from roles.permissions import Permission, requires
from roles.refusals import Refused


def _show(request, week, now, form=None, status=200):
    found = selectors.week_summary(company=request.company, week=week, at=now)
    if form is None and request.person.can(Permission.REVIEW_REPORT):
        words = found.words
        initial = {"text": words.text if words else "", "version": words.version if words else 0}
        form = SummaryForm(initial=initial)
    before, after = neighbour_weeks(company=request.company, week=week)
    context = {"summary": found, "week": week, "form": form, "before": before, "after": after, "now": now}
    context["moments"] = found.moments
    return render(request, "reports/week_summary.html", context, status=status)


@requires(Permission.VIEW_MONEY)
def week_summary(request):
    """What the week earned, by channels; missing reports first; decisions, actions and the CMO's words."""
    now = timezone.now()
    week = week_asked(request, selectors.summary_week(company=request.company, at=now))
    return _show(request, week, now)


@requires(Permission.VIEW_MONEY)
def week_deck(request):
    """The week as slides in a file: one per channel, the summary last."""
    now = timezone.now()
    week = week_asked(request, selectors.summary_week(company=request.company, at=now))
    deck = deck_of(company=request.company, person=request.person, week=week, at=now)
    return as_attachment(deck_file(deck), PPTX, f"{_file_name(request.company, week)}.pptx")


@requires(Permission.VIEW_MONEY)
def week_tables(request, kind: str):
    """The tables of the page as a workbook; its channels alone as CSV."""
    now = timezone.now()
    week = week_asked(request, selectors.summary_week(company=request.company, at=now))
    summary = selectors.week_summary(company=request.company, week=week, at=now)
    tables = summary_tables(request.company, summary)
    name = _file_name(request.company, week)
    return as_csv(tables[0], name) if kind == "csv" else as_workbook(tables, name)


def _file_name(company, week) -> str:
    return _("%(company)s, week %(week)s") % {"company": company.name, "week": week_label(week)}


@requires(Permission.REVIEW_REPORT)
def week_summary_update(request):
    """Keep the CMO's words on the week."""
    now = timezone.now()
    week = week_asked(request, selectors.summary_week(company=request.company, at=now))
    if request.method == "POST":
        form = SummaryForm(request.POST)
        try:
            if not form.is_valid():
                return _show(request, week, now, form, 400)
            write_summary(
                company=request.company, by=request.person, at=now, week=week, text=form.cleaned_data["text"],
                version=form.cleaned_data["version"],
            )  # fmt: skip
        except Refused as refusal:
            form.add_error(None, refusal.message)
            return _show(request, week, now, form, refusal.status)
        messages.success(request, _("The summary is kept."))
    response = redirect("reports:week-summary", request.company.slug)
    response["Location"] += f"?week={week_label(week)}"
    return response
