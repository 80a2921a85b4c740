"""The menu: what this person may open, in the order of the design; and the counts beside it."""

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from mops.counts import counts_for
from roles import selectors
from roles.permissions import Permission, allowed, allowed_somewhere

P = Permission


@dataclass(frozen=True)
class Entry:
    """A line of the menu; `somewhere`: a right on one channel is enough to open it."""

    label: str
    name: str
    permission: Permission
    somewhere: bool = False


MENU = (
    (_("Week"), (
        Entry(_("Today"), "reports:today", P.DO_TASKS),
        Entry(_("Reports"), "reports:weekly-report-list", P.READ),
        Entry(_("Week summary"), "reports:week-summary", P.VIEW_MONEY),
        Entry(_("Stand-up"), "reports:stand-up", P.READ),
        Entry(_("Meetings"), "reports:meeting-list", P.READ),
        Entry(_("Decisions"), "processes:decision-list", P.READ),
        Entry(_("Actions"), "processes:action-list", P.DO_TASKS),
        Entry(_("Briefs"), "processes:brief-list", P.DO_TASKS),
        Entry(_("Notifications"), "mops:notification-list", P.DO_TASKS),
    )),
    (_("Money"), (
        Entry(_("Overview"), "reports:dashboard", P.VIEW_MONEY),
        Entry(_("Channels"), "reports:channel-list", P.READ),
        Entry(_("KPIs"), "kpis:kpi-list", P.READ),
        Entry(_("Targets"), "kpis:target-list", P.READ),
    )),
    (_("System"), (
        Entry(_("Discipline"), "reports:discipline", P.VIEW_MONEY),
        Entry(_("Roles"), "roles:role-list", P.READ),
        Entry(_("People"), "roles:person-list", P.READ),
        Entry(_("If they leave"), "processes:risk-list", P.VIEW_MONEY),
        Entry(_("Handovers"), "processes:handover-list", P.DO_TASKS),
        Entry(_("Onboarding packs"), "processes:pack-list", P.READ),
        Entry(_("Independence"), "processes:independence", P.VIEW_MONEY),
        Entry(_("Accesses"), "roles:access-list", P.KEEP_ACCESSES, somewhere=True),
        Entry(_("Documents"), "roles:document-list", P.READ),
        Entry(_("Contractors"), "roles:contractor-list", P.READ),
        Entry(_("Stop-rules"), "kpis:stop-rule-list", P.READ),
        Entry(_("Week and calendar"), "reports:week-schedule", P.READ),
        Entry(_("Journal"), "roles:audit-list", P.READ),
        Entry(_("Company"), "roles:company-update", P.MANAGE_COMPANY),
    )),
    (_("Data"), (
        Entry(_("Data quality"), "kpis:data-quality", P.READ),
        Entry(_("Sources"), "kpis:source-list", P.READ),
        Entry(_("Loads"), "kpis:import-list", P.READ),
        Entry(_("UTM rules"), "kpis:utm-rule-list", P.READ),
        Entry(_("Data incidents"), "kpis:data-incident-list", P.READ),
        Entry(_("Type figures"), "kpis:fact-grid", P.ENTER_FACTS),
        Entry(_("API"), "roles:token-list", P.DO_TASKS),
        Entry(_("Webhooks"), "mops:webhook-list", P.MANAGE_COMPANY),
        Entry(_("Telegram"), "mops:telegram-update", P.MANAGE_COMPANY),
    )),
)  # fmt: skip


def menu(request) -> list[dict]:
    """Groups with their entries for this person; the entry whose address begins the current path is marked."""
    hats = request.person.hats
    counts = counts_for(company=request.company, person=request.person, at=timezone.now())
    groups = []
    for title, entries in MENU:
        shown = []
        for entry in entries:
            may = allowed_somewhere if entry.somewhere else allowed
            if not may(hats, entry.permission):
                continue
            try:
                url = reverse(entry.name, args=[request.company.slug])
            except NoReverseMatch:
                continue
            figure = counts.get(entry.name)
            shown.append({
                "label": entry.label, "url": url, "name": entry.name, "current": request.path.startswith(url),
                "count": figure.n if figure else 0, "hot": figure.hot if figure else False,
            })  # fmt: skip
        if shown:
            groups.append({"title": title, "entries": shown})
    _keep_longest(groups)
    return groups


def _keep_longest(groups: list[dict]) -> None:
    """Only the most exact of several matching addresses is the current one (`/c/x/` begins them all)."""
    matching = [entry for group in groups for entry in group["entries"] if entry["current"]]
    longest = max((len(entry["url"]) for entry in matching), default=0)
    for entry in matching:
        entry["current"] = len(entry["url"]) == longest


def context(request) -> dict:
    """Context processor: the company, the person, the menu; nothing outside a company."""
    if getattr(request, "person", None) is None or request.path_info.startswith("/api/"):
        return {}
    companies = request.memberships
    if len(companies) > 1 and request.session.get("company") != request.company.slug:
        request.session["company"] = request.company.slug  # where "to the first page" leads from now on
    return {
        "company": request.company,
        "person": request.person,
        "menu": menu(request),
        "companies": companies,
        "hats": selectors.hat_names(person=request.person),
        "may_remove_sample": request.company.is_sample and request.person.can(P.MANAGE_COMPANY),
    }
