"""The form that releases a data incident."""

from django import forms
from django.utils.translation import gettext_lazy as _

from roles.forms import RefusableForm


class ReleaseForm(RefusableForm):
    """What was checked, in the words of who checked it."""

    reason = forms.CharField(
        label=_("What was checked"), max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
