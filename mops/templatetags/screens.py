"""Tags that every screen needs: links inside the company, form fields as the design draws them."""

from django import template
from django.urls import reverse

from kpis import links
from reports.downloads import PARAMETER
from roles import formats
from roles.permissions import Permission

register = template.Library()


@register.simple_tag(takes_context=True)
def company_url(context, name, *args, **kwargs):
    """A link inside the request's company: `{% company_url 'roles:channel-list' %}`; positional or named arguments."""
    slug = context["request"].company.slug
    return reverse(name, args=[slug, *args]) if args else reverse(name, kwargs={"company_slug": slug, **kwargs})


@register.simple_tag(takes_context=True)
def download_url(context, kind):
    """This very page, filters and all, as a file of its tables: `xlsx` or `csv`."""
    query = context["request"].GET.copy()
    query[PARAMETER] = kind
    return f"?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def facts_url(context, measure, channel=None, start=None, end=None, **scope):
    """The page with the facts behind a figure of the request's company: see `kpis.links`."""
    return links.facts_url(context["request"].company, measure, start, end, channel=channel, **scope)


@register.simple_tag(takes_context=True)
def opened(context, text, measure, channel=None, start=None, end=None, css="", **scope):
    """A figure that opens to its facts; an unknown one stays a dash, and one without days stays as it is."""
    if text in ("", formats.NOTHING) or start is None or end is None:
        return text
    return links.opened(text, facts_url(context, measure, channel, start, end, **scope), css)


@register.inclusion_tag("_field.html")
def field(bound, css="", help=None, optional=False, needed=False):
    """One form field: label above, help under it, error under the field with the remedy, wired for screen readers.

    `needed`: the form itself would take it empty, but not as things stand.
    """
    described = [f"{bound.auto_id}-help"] if (help or bound.help_text) else []
    attrs = {"class": f"{_widget_class(bound)} {css}".strip()}
    if bound.errors:
        attrs["aria-invalid"] = "true"
        described.append(f"{bound.auto_id}-error")
    if needed:
        attrs["aria-required"] = "true"
    if described:
        attrs["aria-describedby"] = " ".join(described)
    return {
        "field": bound,
        "widget": bound.as_widget(attrs=attrs),
        "help": help or bound.help_text,
        "optional": optional,
    }


def _widget_class(bound) -> str:
    kind = bound.widget_type
    if kind in {"select", "nullbooleanselect", "selectmultiple"}:
        return "select"
    if kind == "textarea":
        return "area"
    if kind in {"checkbox", "radioselect", "checkboxselectmultiple"}:
        return ""
    return "input"


EVENT_PAGES = {
    "processes.decision": "processes:decision-detail", "processes.brief": "processes:brief-detail",
    "kpis.dataincident": "kpis:data-incident-detail", "kpis.import": "kpis:import-detail",
    "kpis.stoprule": "kpis:stop-rule-detail", "reports.meeting": "reports:meeting-detail",
    "reports.weeklyreport": "reports:weekly-report-detail", "roles.checkround": "roles:check-round-detail",
    "roles.contractor": "roles:contractor-detail", "roles.role": "roles:role-detail",
}  # fmt: skip
"""Kinds of objects with a page that everybody who reads the journal may open, by the label that it keeps."""


@register.simple_tag(takes_context=True)
def event_url(context, event) -> str:
    """Where the thing of an event is looked at; empty where it has no page of its own."""
    name = EVENT_PAGES.get(event.object_type)
    return company_url(context, name, int(event.object_id)) if name and event.object_id.isdecimal() else ""


@register.simple_tag(takes_context=True)
def role_kpis(context, version, holders) -> dict[str, str]:
    """Code → the value of a role's KPI over 28 days, on the channels of its holders, that opens to its facts; nothing for who may not see
    their money."""
    from django.utils import timezone

    from kpis.selectors import role_kpis as selector

    company, person = context["request"].company, context["request"].person
    channels = {row.channel_id: row.channel.code for row in holders if row.channel_id}
    if not all(person.can(Permission.VIEW_MONEY, channel) for channel in channels or [None]):
        return {}
    found = selector.role_kpis(
        company=company, codes=version.kpis, today=company.local_date(timezone.now()), channel_ids=channels or None
    )
    only = ",".join(sorted(channels.values())) or None
    return {
        code: opened(
            context, formats.figure(row.value, row.measure.unit, company.currency), code, only, row.start, row.end,
            kpi=row.measure.is_kpi,
        )
        for code, row in found.items()
    }  # fmt: skip


@register.simple_tag(takes_context=True)
def role_review(context):
    """The review of roles and KPIs that is due, or None: the map of roles cannot ask `processes/` itself."""
    from processes import role_reviews

    return role_reviews.open_review(company=context["request"].company)


@register.simple_tag(takes_context=True)
def tasks_by_words(context) -> dict:
    """The words of every open task → the task: pages of `kpis/` cannot ask `processes/` whether somebody has one already."""
    from processes import selectors

    return {action.text: action for action in selectors.actions_of(company=context["request"].company)}


@register.simple_tag(takes_context=True)
def decisions_of_rule(context, rule) -> dict:
    """Key of a scope (`12`, of a campaign `12-34`) → the decision about what fired there last: for the page of a rule in `kpis/`."""
    from processes import selectors

    return selectors.latest_of_rule(company=context["request"].company, rule=rule)


@register.inclusion_tag("roles/_checked_by.html", takes_context=True)
def checked_by(context, person, at, *kinds):
    """Whose outside check made it possible that `person` did this at a moment (aware) under a hat of these kinds; mostly nothing."""
    from roles import conflicts

    company = context["request"].company
    if not person or not at:
        return {"checks": []}
    on = company.local_date(at)
    return {"checks": conflicts.checks_of_kind(company=company, on=on, kinds=kinds, person=person)}


@register.simple_tag(takes_context=True)
def kpi_names(context) -> dict[str, str]:
    """Code → name of the company's KPIs, then of the measures of discipline: pages of `roles/` cannot ask `kpis/` themselves."""
    from kpis.models import KpiVersion
    from roles import catalogue
    from roles.models import in_language

    current = KpiVersion.objects.filter(company=context["request"].company, superseded_at=None)
    names = {version.kpi.code: str(version) for version in current.select_related("kpi").order_by("kpi_id")}
    return names | {code: in_language(ru, en) for code, (ru, en) in catalogue.PROCESS_KPIS.items()}


@register.filter
def get(mapping, key):
    """The value under a key that is itself a variable."""
    return mapping.get(key)
