"""Forms of departures."""

from django import forms
from django.utils.translation import gettext_lazy as _

from processes.models import Handover, HandoverItem
from roles.forms import DayField, PeopleField, RefusableForm, choose_people


class HandoverCreateForm(RefusableForm):
    person = PeopleField(label=_("Who leaves"))
    last_day = DayField(label=_("Last working day"))
    reason = forms.CharField(label=_("Reason"), max_length=300)
    at_once = forms.BooleanField(
        label=_("End the membership at once"), required=False,
        help_text=_("Hats and tasks fall to deputies, the director or the owner until successors agree."),
    )  # fmt: skip

    def __init__(self, request, **kwargs):
        super().__init__(request, **kwargs)
        choose_people(self, "person")


class HandoverCancelForm(RefusableForm):
    reason = forms.CharField(label=_("Why the person stays"), max_length=300)


class SuccessorForm(RefusableForm):
    """Another successor who stays, or nobody with a reason where the company may do without."""

    successor = PeopleField(label=_("Who takes it"), required=False)
    note = forms.CharField(label=_("Why nobody is needed"), max_length=300, required=False)

    def __init__(self, request, item: HandoverItem, may_lapse: bool, **kwargs):
        super().__init__(request, **kwargs)
        choose_people(self, "successor")
        field = self.fields["successor"]
        leaving = Handover.objects.filter(company=self.company, state=Handover.State.OPEN).values("person")
        field.queryset = field.queryset.exclude(pk=item.handover.person_id).exclude(pk__in=leaving)
        if not may_lapse:
            field.required = True
            del self.fields["note"]


class AnswerForm(RefusableForm):
    agrees = forms.TypedChoiceField(
        choices=[("yes", _("I take it")), ("no", _("I cannot take it"))], coerce=lambda value: value == "yes"
    )
    note = forms.CharField(label=_("Why not"), max_length=300, required=False)
