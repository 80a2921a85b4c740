"""Forms of draft maps: the same fields as the real appointments, without their days."""

from django import forms
from django.utils.translation import gettext_lazy as _

from roles import selectors
from roles.forms import DayField, PeopleField, RefusableForm, choose_people
from roles.hat_forms import HatFields, NamesChecker
from roles.models import Move


class ReorganisationForm(RefusableForm):
    title = forms.CharField(
        label=_("What for"), max_length=120, help_text=_("“Second performance specialist from January”.")
    )
    starts_on = DayField(label=_("From"), help_text=_("The day on which all moves of this map begin."))


class MoveAppointForm(HatFields, NamesChecker, RefusableForm):
    """A hat to give; the day and the reason are the map's."""

    kind = Move.Kind.APPOINT

    def __init__(self, request, **kwargs):
        super().__init__(request, **kwargs)
        self.fill_choices()


class MoveOfAppointmentForm(RefusableForm):
    appointment = forms.ModelChoiceField(None, label=_("Appointment"), empty_label=None)

    def __init__(self, request, *, on, **kwargs):
        super().__init__(request, **kwargs)
        names = selectors.role_names(company=self.company)
        field = self.fields["appointment"]
        field.queryset = selectors.appointments_in_force(company=self.company, on=on)
        field.label_from_instance = lambda row: ": ".join(
            [", ".join(filter(None, [names.get(row.role_id), row.channel and row.channel.name])), str(row.person)]
        )


class MoveEndForm(MoveOfAppointmentForm):
    kind = Move.Kind.END


class MoveDeputyForm(NamesChecker, MoveOfAppointmentForm):
    kind = Move.Kind.DEPUTY
    deputy = PeopleField(label=_("Deputy"), required=False)
    hours_per_week = forms.IntegerField(label=_("Hours a week"), required=False, min_value=1, max_value=60)
    field_order = ("appointment", "deputy", "hours_per_week")

    def __init__(self, request, **kwargs):
        super().__init__(request, **kwargs)
        choose_people(self, "deputy", "checker")


class ReorganisationCloseForm(RefusableForm):
    reason = forms.CharField(label=_("Reason"), max_length=300, required=False)
