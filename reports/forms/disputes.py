"""The forms of doubt and of choice: a disputed figure, and an action that was moved three times."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reports.filing import ActionDraft
from reports.forms.weekly import FigureField, date_field
from reports.models import CarryChoice
from roles.refusals import Refused

PIECES = 3


class Refusable(forms.Form):
    """Shows a service's refusal at its fields, the rest above the form."""

    def place(self, error) -> str | None:
        return error.field if error.field in self.fields else None

    def refuse(self, refusal: Refused) -> None:
        self.is_valid()
        for error in refusal.errors:
            self.add_error(self.place(error), error.message)
        if not refusal.errors:
            self.add_error(None, refusal.message)


class DisputeForm(Refusable):
    """Which figure, what is wrong with it, and what it should be where that is known."""

    measure = forms.ChoiceField(label=gettext_lazy("Which figure"), widget=forms.Select(attrs={"class": "select"}))
    note = forms.CharField(
        label=gettext_lazy("What is wrong"), max_length=300, widget=forms.Textarea(attrs={"rows": 3, "class": "area"}),
        help_text=gettext_lazy("Where you see another figure: the cabinet, the CRM, a call list."),
    )  # fmt: skip

    def __init__(self, *args, lines, **kwargs):
        super().__init__(*args, **kwargs)
        self.lines = {line.measure: line for line in lines if line.from_data}
        self.fields["measure"].choices = [(code, line.name) for code, line in self.lines.items()]
        self.fields["expected"] = FigureField(label=_("What it should be"))

    def clean(self):
        """A share is typed in per cent, like everywhere."""
        data = super().clean()
        line = self.lines.get(data.get("measure"))
        if line and line.unit == "share" and data.get("expected") is not None:
            data["expected"] /= 100
        return data


class CarryForm(Refusable):
    """Drop, split, hand over or raise, with the reason and what each of them needs."""

    choice = forms.ChoiceField(label=gettext_lazy("What becomes of it"), choices=CarryChoice.Choice, required=False)
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2, "class": "area"}),
    )

    def __init__(self, *args, people, **kwargs):
        super().__init__(*args, **kwargs)
        owners = [("", _("Choose")), *((person.pk, str(person)) for person in people)]
        self.fields["owner"] = self._who(owners)
        self.fields["due_on"] = date_field(_("New date"))
        self.fields["raise_due_on"] = date_field(_("New date"))
        for index in range(PIECES):
            self.fields[f"piece-{index}-text"] = forms.CharField(
                label=_("What is to be done"),
                required=False,
                max_length=400,
                widget=forms.TextInput(attrs={"class": "input"}),
            )
            self.fields[f"piece-{index}-owner"] = self._who(owners)
            self.fields[f"piece-{index}-due"] = date_field(_("By which day"))

    def _who(self, owners) -> forms.TypedChoiceField:
        return forms.TypedChoiceField(
            label=_("Who"), required=False, choices=owners, coerce=int, empty_value=None,
            widget=forms.Select(attrs={"class": "select"}),
        )  # fmt: skip

    @property
    def piece_rows(self) -> list[tuple]:
        return [tuple(self[f"piece-{i}-{part}"] for part in ("text", "owner", "due")) for i in range(PIECES)]

    def _written(self) -> list[int]:
        return [i for i in range(PIECES) if self.data.get(f"piece-{i}-text", "").strip()]

    def place(self, error):
        if error.field.startswith("pieces.") and error.index is not None:
            return f"piece-{self._written()[error.index]}-{error.field.removeprefix('pieces.')}"
        if error.field == "due_on" and self.data.get("choice") == CarryChoice.Choice.RAISE:
            return "raise_due_on"
        return "choice" if error.field == "pieces" else super().place(error)

    def given(self) -> dict:
        """What the service takes."""
        data = self.cleaned_data
        raised = data.get("choice") == CarryChoice.Choice.RAISE
        pieces = [
            ActionDraft(data[f"piece-{i}-text"], data.get(f"piece-{i}-owner"), data.get(f"piece-{i}-due"))
            for i in self._written()
        ]
        return {
            "choice": data.get("choice", ""), "reason": data.get("reason", ""), "owner_id": data.get("owner"),
            "due_on": data.get("raise_due_on") if raised else data.get("due_on"), "pieces": pieces,
        }  # fmt: skip
