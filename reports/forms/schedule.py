"""The forms of the report week: its days and times, and a company's own days."""

from datetime import date, time

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reports.calendars import PLAIN, RUSSIA
from reports.deadlines import MOMENTS, Schedule
from reports.services.schedule import DAYS
from roles import formats
from roles.refusals import Refused

NAMES = {
    "plan_opens": gettext_lazy("The plan opens"), "plan_due": gettext_lazy("The plan is due"),
    "fact_opens": gettext_lazy("The fact opens, figures filled in"), "fact_due": gettext_lazy("The fact is due"),
    "digest": gettext_lazy("The owner's digest goes out"), "summary": gettext_lazy("The director's summary is due"),
    "standup": gettext_lazy("The stand-up begins"), "locks": gettext_lazy("The week locks"),
}  # fmt: skip
A_MONDAY = date(2024, 1, 1)


def day_name(offset: int) -> str:
    """`пт`, `пн следующей недели` for days from the week's Monday."""
    day = formats.weekday_short(date.fromordinal(A_MONDAY.toordinal() + offset))
    if offset < 0:
        return _("%(day)s before the week") % {"day": day}
    return _("%(day)s after the week") % {"day": day} if offset > 6 else day


def rule_words(schedule: Schedule) -> list[tuple[str, str]]:
    """(what, day and time) of each moment, in words."""
    rules = [(NAMES[name], getattr(schedule, name)) for name in MOMENTS]
    return [(what, f"{day_name(day)}, {clock:%H:%M}") for what, (day, clock) in rules]


class ScheduleForm(forms.Form):
    """A day and a time for each of the moments, and whose holidays count."""

    country = forms.ChoiceField(label=gettext_lazy("Holidays"), required=False)

    def __init__(self, *args, schedule: Schedule, country: str, **kwargs):
        initial = {"country": country}
        for name in MOMENTS:
            initial |= dict(zip((f"{name}-day", f"{name}-at"), getattr(schedule, name), strict=True))
        super().__init__(*args, initial=initial, **kwargs)
        self.fields["country"].choices = [
            (RUSSIA, _("Russia, with the transfers of the production calendar")), (PLAIN, _("none: Monday to Friday")),
        ]  # fmt: skip
        self.fields["country"].widget.attrs["class"] = "select"
        for name in MOMENTS:
            days = [(offset, day_name(offset)) for offset in DAYS[name]]
            select = forms.Select(attrs={"class": "select", "aria-label": f"{NAMES[name]}: {_('day')}"})
            self.fields[f"{name}-day"] = forms.TypedChoiceField(
                label=NAMES[name], choices=days, coerce=int, widget=select
            )
            clock = forms.TimeInput(
                format="%H:%M", attrs={"type": "time", "class": "input", "aria-label": f"{NAMES[name]}: {_('time')}"}
            )
            self.fields[f"{name}-at"] = forms.TimeField(
                label=NAMES[name], widget=clock, error_messages={"invalid": _("Write the time as 18:00.")}
            )

    @property
    def rows(self) -> list[tuple]:
        """(what, day, time) of each moment."""
        return [(NAMES[name], self[f"{name}-day"], self[f"{name}-at"]) for name in MOMENTS]

    def schedule(self) -> Schedule:
        """What was chosen; seconds are dropped."""
        data = self.cleaned_data
        kept = {
            name: (data[f"{name}-day"], time(data[f"{name}-at"].hour, data[f"{name}-at"].minute)) for name in MOMENTS
        }
        return Schedule(**kept)

    def refuse(self, refusal: Refused) -> None:
        for error in refusal.errors:
            field = f"{error.field}-at" if error.field in MOMENTS else None
            self.add_error(field or ("country" if error.field == "country" else None), error.message)
        if not refusal.errors:
            self.add_error(None, refusal.message)


def _day_field(label, required: bool = True) -> forms.DateField:
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "input"})
    return forms.DateField(
        label=label, required=required, widget=widget, input_formats=["%Y-%m-%d", "%d.%m.%Y"],
        error_messages={"invalid": _("Give the date as a day, for example 2026-11-27.")},
    )  # fmt: skip


class CompanyDaysForm(forms.Form):
    """Days off or worked of the company itself."""

    is_working = forms.TypedChoiceField(
        label=gettext_lazy("What kind of days"), coerce=lambda value: value == "1", required=False, empty_value=False,
        choices=[("0", gettext_lazy("days off")), ("1", gettext_lazy("working days"))],
        widget=forms.Select(attrs={"class": "select"}),
    )  # fmt: skip
    name = forms.CharField(label=gettext_lazy("What for"), required=False, max_length=120)

    field_order = ("first", "last", "is_working", "name")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["first"] = _day_field(_("First day"))
        self.fields["last"] = _day_field(_("Last day"), required=False)
        self.fields["name"].widget.attrs["class"] = "input"
        self.order_fields(self.field_order)

    def refuse(self, refusal: Refused) -> None:
        for error in refusal.errors:
            self.add_error(error.field if error.field in self.fields else None, error.message)
        if not refusal.errors:
            self.add_error(None, refusal.message)
