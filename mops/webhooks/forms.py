"""The form of an endpoint."""

from django import forms
from django.utils.translation import gettext_lazy as _

from mops.webhooks.catalogue import TYPES
from roles.forms import RefusableForm


class EndpointForm(RefusableForm):
    name = forms.CharField(label=_("What for"), max_length=120)
    url = forms.CharField(
        label=_("Address"), max_length=500, widget=forms.URLInput(attrs={"placeholder": "https://", "autocomplete": "off"}),
        help_text=_("It begins with https:// and is reached from the internet; redirects are not followed."),
    )  # fmt: skip
    events = forms.MultipleChoiceField(
        label=_("What to tell"),
        choices=[(kind.name, kind.label) for kind in TYPES],
        widget=forms.CheckboxSelectMultiple,
    )
    with_money = forms.BooleanField(
        label=_("Money may be sent there"), required=False,
        help_text=_("Without it no amount leaves the company. Names, texts and addresses of people are never sent."),
    )  # fmt: skip
