"""The forms that open a data incident and release one."""

from django import forms
from django.utils.translation import gettext_lazy as _

from roles import selectors
from roles.forms import DayField, RefusableForm


class ReleaseForm(RefusableForm):
    """What was checked, in the words of who checked it."""

    reason = forms.CharField(
        label=_("What was checked"), max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class DoubtForm(RefusableForm):
    """Which figures are in doubt, and what is wrong with them."""

    channel = forms.ModelChoiceField(None, label=_("Channel"), required=False, empty_label=_("all channels"))
    first_day = DayField(label=_("First day in doubt"))
    last_day = DayField(label=_("Last day in doubt"))
    why = forms.CharField(
        label=_("What is wrong"), max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, request, **kwargs):
        super().__init__(request, **kwargs)
        self.fields["channel"].queryset = selectors.channels(company=self.company)
