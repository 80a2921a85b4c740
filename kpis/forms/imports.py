"""Forms of loads and sources."""

from django import forms
from django.utils.translation import gettext_lazy as _

from kpis.importers.base import FileProblem
from kpis.importers.tables import HEADER_WITHIN
from kpis.selectors import sources as source_reads
from kpis.services import imports as writes
from kpis.services import sources as source_writes
from kpis.services.uploads import BadFile
from roles import selectors
from roles.forms import RefusableForm


class UploadForm(RefusableForm):
    """A file and where it comes from: a source from the list, or the name of a new one."""

    file = forms.FileField(label=_("File"), allow_empty_file=True)
    source = forms.ChoiceField(label=_("Source"), required=False)
    source_name = forms.CharField(label=_("Or a new source"), max_length=120, required=False)

    header_row = forms.IntegerField(
        label=_("Row with the headings"), min_value=1, max_value=HEADER_WITHIN, required=False
    )

    def __init__(self, request, **kwargs):
        super().__init__(request, files=request.FILES if request.method == "POST" else None, **kwargs)
        known = [
            (source.code, source.name)
            for source in source_reads.sources(company=self.company)
            if source.kind != source.Kind.MANUAL
        ]
        self.fields["source"].choices = [("", _("— choose —")), *known]
        self.fields["file"].widget.attrs["accept"] = ".csv,.tsv,.txt,.xlsx,.xls,text/csv"
        if not known:
            del self.fields["source"]

    def receive(self, *, company, by, at, file, source="", source_name="", header_row=None):
        """Name the source, keep the file; what is refused stands at its field."""
        if not file.size:
            raise BadFile(FileProblem("empty"))
        named = source_writes.named_source(company=company, by=by, at=at, code=source, name=source_name)
        return writes.receive_file(company=company, by=by, at=at, source=named, upload=file, header_row=header_row)


RHYTHMS = ((1, _("every day")), (7, _("every week")), (31, _("every month")), (0, _("once: nothing more is expected")))
"""Days between two loads that a source is expected to keep to; 0: none."""


class SourceForm(RefusableForm):
    """How a source is called, who keeps it, how often it comes and which one counts."""

    name = forms.CharField(label=_("Name"), max_length=120)
    owner = forms.ModelChoiceField(
        None, label=_("Who keeps it"), required=False, empty_label="—", help_text=_("Is told when it falls silent.")
    )
    expected_every_days = forms.TypedChoiceField(
        label=_("Comes"), coerce=int, help_text=_("A source that misses its rhythm is shown as late.")
    )
    priority = forms.IntegerField(
        label=_("Priority"), min_value=1, max_value=999,
        help_text=_("Where two sources give one figure of one channel and day, the smaller number counts; figures are never added."),
    )  # fmt: skip
    reason = forms.CharField(
        label=_("Why the priority changes"), max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Another priority changes figures that people have seen: the journal keeps the reason."),
    )  # fmt: skip

    def __init__(self, request, **kwargs):
        super().__init__(request, **kwargs)
        self.fields["owner"].queryset = selectors.people(company=self.company)
        every, known = self.initial.get("expected_every_days"), dict(RHYTHMS)
        own = [] if every is None or every in known else [(every, _("every %(n)s days") % {"n": every})]
        self.fields["expected_every_days"].choices = [*RHYTHMS, *own]
