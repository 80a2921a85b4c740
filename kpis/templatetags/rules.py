"""Words for what a stop-rule saw on a day."""

from django import template
from django.utils.translation import gettext_lazy as _

register = template.Library()

DAY_CLASSES = {
    "not_ready": _("not settled yet"),
    "missing": _("figures are missing"),
    "inactive": _("no spend and no results"),
    "thin": _("too few results to judge"),
    "breach": _("beyond the line"),
    "grey": _("close to the line"),
    "ok": _("fine"),
}
EVENTS = {
    "opened": _("the rule fired"),
    "recovered": _("recovered"),
    "paused": _("paused: a week without activity"),
    "data_incident": _("figures stopped coming"),
}


@register.filter
def day_class_word(code):
    return DAY_CLASSES.get(code, "")


@register.filter
def rule_event_word(code):
    return EVENTS.get(code, "")
