"""Forms of briefs and of the table of accesses."""

import io

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from kpis.importers.base import FileProblem
from kpis.services.uploads import BadFile
from roles import selectors
from roles.forms import DayField, RefusableForm
from roles.validation import refuse

MOST_TABLE = 2 * 1024 * 1024
LINES = forms.Textarea(attrs={"rows": 6})
FEW_LINES = forms.Textarea(attrs={"rows": 3})


class BriefForm(RefusableForm):
    """A draft for a contractor, about a channel of the contract. The criteria are lines: one line, one thing to be ticked at
    acceptance."""

    title = forms.CharField(
        label=_("Brief"), max_length=200, help_text=_("One result: “Speed the mobile form up to 2 s”.")
    )
    channel = forms.ModelChoiceField(None, label=_("Channel"), required=False, empty_label="—")
    text = forms.CharField(label=_("What is to be done"), widget=LINES)
    criteria = forms.CharField(
        label=_("By what it will be accepted"),
        widget=FEW_LINES,
        help_text=_("One criterion per line; fixed once it is sent."),
    )
    due_on = DayField(label=_("By which day"))

    def __init__(self, request, *, contractor, **kwargs):
        super().__init__(request, **kwargs)
        covered = [channel.pk for channel in contractor.channels.all()]
        offered = selectors.bare_channels(company=self.company)
        self.fields["channel"].queryset = offered.filter(pk__in=covered) if covered else offered
        self.fields["channel"].required = bool(covered)
        if len(covered) == 1:
            self.initial.setdefault("channel", covered[0])

    def clean_criteria(self) -> list[str]:
        return [line.strip() for line in self.cleaned_data["criteria"].splitlines() if line.strip()]


class ReturnForm(RefusableForm):
    reason = forms.CharField(label=_("What is missing"), widget=FEW_LINES, required=False)


class DeliverForm(RefusableForm):
    delivery_url = forms.CharField(label=_("Link to the result"), max_length=500, required=False)
    delivery_text = forms.CharField(label=_("What was done"), widget=FEW_LINES, required=False)


class AcceptForm(RefusableForm):
    """The criteria as boxes to tick."""

    met = forms.TypedMultipleChoiceField(
        label=_("Met"), coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, request, *, brief, **kwargs):
        super().__init__(request, **kwargs)
        self.fields["met"].choices = [(place, row["text"]) for place, row in enumerate(brief.criteria)]


class AccessTableForm(RefusableForm):
    """A file, or the cells pasted; the text wins where both are given, for it is what the page showed last."""

    file = forms.FileField(label=_("File"), required=False, help_text=_("CSV or Excel .xlsx, up to 2 MB."))
    text = forms.CharField(
        label=_("Or paste the cells"), required=False, strip=False, max_length=MOST_TABLE,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text=_("Copied from a spreadsheet together with the line of headings."),
    )  # fmt: skip

    def __init__(self, request, **kwargs):
        super().__init__(request, files=request.FILES if request.method == "POST" else None, **kwargs)

    def stream(self):
        """The table as bytes, whichever way it came. Raises Refused when there is none or it is too large."""
        text, upload = self.cleaned_data["text"], self.cleaned_data["file"]
        if text.strip():
            return io.BytesIO(text.encode())
        if upload is None:
            raise refuse("file", "required", gettext("Choose a file or paste the cells."))
        if upload.size > MOST_TABLE:
            raise BadFile(FileProblem("file_too_large", most=MOST_TABLE // 1024**2))
        return upload
