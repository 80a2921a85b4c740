"""The owner's page of money, and its channels as a file."""

from datetime import timedelta

from django.http import Http404
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from processes import escalation, lists
from processes.account_page import quarter_start, quarter_total
from processes.independence import history
from reports.exports import as_csv, as_workbook, channel_table
from reports.kept import kept
from reports.selectors import dashboard as selectors
from reports.selectors.first_steps import first_steps
from reports.spans import Span, read_span
from reports.templatetags.money import weeks_label
from roles.permissions import Permission, requires


def span_asked(request, now) -> Span:
    """The span of the query; 404 for what is none or has not begun."""
    try:
        return read_span(request.GET, request.company.local_date(now))
    except ValueError as error:
        raise Http404 from error


@requires(Permission.VIEW_MONEY)
def dashboard(request):
    """What the marketing earned and what it costs to wait: month by default, `?period=` or `?month=2026-10` others."""
    now = timezone.now()
    span = span_asked(request, now)
    page = selectors.dashboard(company=request.company, span=span, at=now)
    waiting = lists.waiting_lines(company=request.company, person=request.person, at=now)
    today = request.company.local_date(now)
    context = {
        "independence": history.before(company=request.company, day=today),
        "independence_before": history.before(company=request.company, day=today - timedelta(days=91)),
        "page": page,
        "waiting": waiting,
        "burned": lists.burned_together(waiting),
        "span": span,
        "now": now,
        "kinds": [("week", _("Week")), ("month", _("Month")), ("quarter", _("Quarter")), ("year", _("Year"))],
        "spark_label": weeks_label(_("Earned"), page.mondays),
        "deadlines": escalation.deadlines(company=request.company, person=request.person, at=now),
        "decided": _decided(request.company, page, now),
        "steps": [] if page.has_facts else first_steps(company=request.company, person=request.person),
    }
    return render(request, "reports/dashboard.html", context)


def _decided(company, page, now):
    """The account of the quarter's decisions; it changes with a load, a signature (both ask for an evaluation) or a day."""
    day = page.span.until
    key = ("decided", company.pk, company.created_at, page.books.request, company.local_date(now), quarter_start(day))
    return kept(key, lambda: quarter_total(company=company, day=day, at=now))


@requires(Permission.VIEW_MONEY)
def dashboard_channels(request, kind: str):
    """The channel table of the same span as a file, CSV or XLSX."""
    span = span_asked(request, timezone.now())
    table = channel_table(*selectors.channel_table(company=request.company, span=span))
    name = f"mops-{request.company.slug}-{span.label}"
    return as_csv(table, name) if kind == "csv" else as_workbook([table], name)
