"""Tags that every screen needs: links inside the company, form fields as the design draws them."""

from django import template
from django.urls import reverse

register = template.Library()


@register.simple_tag(takes_context=True)
def company_url(context, name, *args, **kwargs):
    """A link inside the request's company: `{% company_url 'roles:channel-list' %}`; positional or named arguments."""
    slug = context["request"].company.slug
    return reverse(name, args=[slug, *args]) if args else reverse(name, kwargs={"company_slug": slug, **kwargs})


@register.inclusion_tag("_field.html")
def field(bound, css="", help=None, optional=False):
    """One form field: label above, help under it, error under the field with the remedy, wired for screen readers."""
    described = [f"{bound.auto_id}-help"] if (help or bound.help_text) else []
    attrs = {"class": f"{_widget_class(bound)} {css}".strip()}
    if bound.errors:
        attrs["aria-invalid"] = "true"
        described.append(f"{bound.auto_id}-error")
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
