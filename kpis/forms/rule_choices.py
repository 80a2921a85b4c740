"""The choices of the stop-rule's editor in words."""

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kpis.day_classes import Window

WINDOWS = [
    (Window.IN_A_ROW, pgettext_lazy("window", "days running")),
    (Window.M_OF_N, pgettext_lazy("window", "some of the last days")),
    (Window.POOLED, pgettext_lazy("window", "days together")),
    (Window.SINCE_CONVERSION, pgettext_lazy("window", "without a result")),
    (Window.EVENT, pgettext_lazy("window", "each mailing")),
    (Window.BUDGET, pgettext_lazy("window", "budget")),
]
ACTIONS = [
    ("stop", pgettext_lazy("action", "stop")),
    ("cut", pgettext_lazy("action", "cut the budget")),
    ("rewrite", pgettext_lazy("action", "rewrite")),
    ("review", pgettext_lazy("action", "look into it")),
]
NO_DATA = [
    ("hold", _("wait; after the third day call the analyst")),
    ("no_data", _("call the analyst at once")),
    ("breach", _("count the day as bad")),
    ("ok", _("count the day as good")),
]
COMPARISONS = [("above", pgettext_lazy("comparison", "above")), ("below", pgettext_lazy("comparison", "below"))]
PER = [("channel", pgettext_lazy("per", "as a whole")), ("campaign", pgettext_lazy("per", "each campaign by itself"))]
PERIODS = [("month", pgettext_lazy("period", "a month")), ("test", pgettext_lazy("period", "the whole test"))]


class KpiSelect(forms.Select):
    """Each KPI carries its unit, so that the sentence shows the right one without a script."""

    kpis: dict = {}

    def create_option(self, name, value, label, selected, index, subindex=None, attrs=None):
        option = super().create_option(name, value, label, selected, index, subindex=subindex, attrs=attrs)
        if value in self.kpis:
            option["attrs"]["data-unit"] = self.kpis[value].unit
        return option
