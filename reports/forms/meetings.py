"""Forms of the stand-up: its three topics, and who was there when it ends."""

from django import forms
from django.utils.translation import gettext_lazy as _

from reports.services.meetings import LONGEST_TOPIC
from roles.forms import RefusableForm
from roles.selectors import people


class TopicsForm(RefusableForm):
    first = forms.CharField(label=_("First topic"), required=False, max_length=LONGEST_TOPIC)
    second = forms.CharField(label=_("Second topic"), required=False, max_length=LONGEST_TOPIC)
    third = forms.CharField(label=_("Third topic"), required=False, max_length=LONGEST_TOPIC)

    def __init__(self, request, *, topics: list[str]):
        names = ("first", "second", "third")
        super().__init__(request, initial=dict(zip(names, topics, strict=False)), auto_id="topic-%s")

    @property
    def topics(self) -> list[str]:
        return [self.cleaned_data[name] for name in self.fields]


class EndForm(RefusableForm):
    """Who was there: those who followed on the screen are marked, the others may have been in the room."""

    present = forms.ModelMultipleChoiceField(
        None, label=_("Who was there"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, request, *, present: list[int]):
        super().__init__(request, initial={"present": present}, auto_id="end-%s")
        self.fields["present"].queryset = people(company=self.company)
