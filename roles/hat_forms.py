"""Forms about hats: appointing, what must not meet in one person, and who checks meanwhile."""

from datetime import date

from django import forms
from django.utils.translation import gettext_lazy as _

from roles import selectors
from roles.forms import NOBODY, DayField, PeopleField, RefusableForm, choose_people
from roles.models import CheckRound, ExternalCheck
from roles.permissions import RoleKind
from roles.services.conflicts import LONGEST_CHECK, CheckTerms

CHECK = ("checker", "what", "cadence", "until")


class NamesChecker(forms.Form):
    """Four fields that name an outside check; all of them or none. `cleaned_data["check"]`: the terms, or None."""

    checker = PeopleField(label=_("Who checks from outside"), required=False)
    what = forms.CharField(label=_("What is checked"), required=False, max_length=300)
    cadence = forms.ChoiceField(label=_("How often"), required=False, choices=ExternalCheck.Cadence.choices)
    until = DayField(label=_("Checked until"), required=False, help_text=_("A quarter at most."))

    @property
    def check_fields(self):
        return [self[name] for name in CHECK]

    @property
    def is_check_asked(self) -> bool:
        """Has a refusal just asked for a check, or was one begun? Then all of its fields are needed."""
        return any(name in self.errors for name in CHECK)

    @property
    def other_fields(self):
        return [field for field in self if field.name not in CHECK]

    def clean(self):
        cleaned = super().clean()
        terms = {name: cleaned.pop(name, None) for name in CHECK}
        named = terms["checker"] is not None or (terms["what"] or "").strip()
        cleaned["check"] = CheckTerms(**terms) if named and self._is_whole(terms) else None
        return cleaned

    def _is_whole(self, terms: dict) -> bool:
        for name in CHECK:
            if not terms[name] and name not in self.errors:
                self.add_error(name, _("Needed to name the check: who, what, how often, until when."))
        return not self.errors


class HatFields(forms.Form):
    """Which hat, on whom, for which channel, who deputises: what an appointment and a move of a draft map share."""

    role = forms.ChoiceField(label=_("Role"))
    person = PeopleField(label=_("Who wears it"))
    channel = forms.ModelChoiceField(
        None, label=_("Channel"), required=False, empty_label=_("the whole company"),
        help_text=_("For the hats that own a channel. The former owner hands over on the day before."),
    )  # fmt: skip
    deputy = PeopleField(
        label=_("Deputy"), required=False, help_text=_("Acts while the holder is away and takes over if they leave.")
    )
    hours_per_week = forms.IntegerField(label=_("Hours a week"), required=False, min_value=1, max_value=60)

    def fill_choices(self) -> None:
        self.versions = {str(version.role_id): version for version in selectors.roles(company=self.company)}
        self.fields["role"].choices = [("", NOBODY), *((pk, version.name) for pk, version in self.versions.items())]
        self.fields["channel"].queryset = selectors.channels(company=self.company)
        choose_people(self, "person", "deputy", "checker")

    def clean_role(self):
        return self.versions[self.cleaned_data["role"]].role


class AppointmentForm(HatFields, NamesChecker, RefusableForm):
    starts_on = DayField(label=_("From"))
    ends_on = DayField(label=_("Last day"), required=False)
    reason = forms.CharField(label=_("Reason"), required=False, max_length=300)
    field_order = ("role", "person", "channel", "deputy", "starts_on", "ends_on", "hours_per_week", "reason")

    def __init__(self, request, **kwargs):
        super().__init__(request, **kwargs)
        self.fill_choices()


class AppointmentUpdateForm(NamesChecker, RefusableForm):
    deputy = PeopleField(label=_("Deputy"), required=False)
    hours_per_week = forms.IntegerField(label=_("Hours a week"), required=False, min_value=1, max_value=60)

    def __init__(self, request, **kwargs):
        super().__init__(request, **kwargs)
        choose_people(self, "deputy", "checker")


class AppointmentEndForm(RefusableForm):
    last_day = DayField(
        label=_("Last day"),
        required=False,
        help_text=_("Leave it empty to end at once: the rights go with the next click."),
    )
    reason = forms.CharField(label=_("Reason"), max_length=300)


class ExternalCheckForm(NamesChecker, RefusableForm):
    def __init__(self, request, **kwargs):
        super().__init__(request, **kwargs)
        choose_people(self, "checker")

    def clean(self):
        cleaned = super().clean()
        if cleaned["check"] is None and not self.errors:
            self.add_error("checker", _("Name who checks."))
        cleaned["terms"] = cleaned.pop("check")
        return cleaned


class CheckRoundForm(RefusableForm):
    outcome = forms.ChoiceField(label=_("What you found"), choices=CheckRound.Outcome.choices)
    finding = forms.CharField(
        label=_("What you looked at and what you saw"), widget=forms.Textarea(attrs={"rows": 4}), required=False,
        help_text=_("It stays in the history under your name."),
    )  # fmt: skip


class IncompatibilityForm(RefusableForm):
    why_ru = forms.CharField(
        label=_("Why they must not meet, in Russian"), max_length=300, required=False,
        help_text=_("People read it when an appointment is refused."),
    )  # fmt: skip
    why_en = forms.CharField(label=_("The same in English"), max_length=300, required=False)
    reason = forms.CharField(label=_("Reason of the change"), max_length=500, required=False)


class IncompatibilityUpdateForm(IncompatibilityForm):
    is_active = forms.BooleanField(label=_("These duties must not meet"), required=False)
    field_order = ("why_ru", "why_en", "is_active", "reason")


class IncompatibilityCreateForm(IncompatibilityForm):
    left = forms.ChoiceField(label=_("One duty"))
    right = forms.ChoiceField(label=_("The other duty"))
    field_order = ("left", "right")

    def __init__(self, request, **kwargs):
        super().__init__(request, **kwargs)
        versions = list(selectors.roles(company=self.company))
        self.sides = {f"role-{version.role_id}": version.role for version in versions}
        self.sides |= {f"kind-{kind}": kind for kind in RoleKind}
        roles = [(f"role-{version.role_id}", version.name) for version in versions]
        kinds = [(f"kind-{kind}", kind.label) for kind in RoleKind]
        choices = [(_("Roles"), roles), (_("Every role of a kind"), kinds)]
        self.fields["left"].choices = self.fields["right"].choices = choices

    def clean(self):
        cleaned = super().clean()
        return cleaned | {name: self.sides.get(cleaned.get(name)) for name in ("left", "right")}


def proposed(today: date) -> dict:
    """What the fields of a check begin with: a quarter, week by week."""
    return {"until": today + LONGEST_CHECK, "cadence": ExternalCheck.Cadence.WEEK}
