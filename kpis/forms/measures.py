"""Forms for KPIs, own metrics, the funnel and plans, and the choice of a figure to open."""

from datetime import UTC

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kpis import periods
from kpis.links import KIND
from kpis.models import KpiVersion
from roles.formats import CURRENCIES
from roles.forms import AmountField, DayField, PercentField, RefusableForm
from roles.models import Channel

FORMULA = forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"})
REASON = forms.Textarea(attrs={"rows": 2})
CODE = forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"})


class KpiForm(RefusableForm):
    """What a KPI says; `kpis` fills the choice of the parent."""

    name_ru = forms.CharField(label=_("Name in Russian"), max_length=80)
    name_en = forms.CharField(label=_("Name in English"), max_length=80, required=False)
    formula = forms.CharField(
        label=_("Formula"), max_length=300, widget=FORMULA,
        help_text=_("Codes of metrics, numbers, + − * / and brackets. Over several days sums are divided, never averaged."),
    )  # fmt: skip
    better = forms.ChoiceField(label=_("Direction"), choices=KpiVersion.Better.choices)
    unit = forms.ChoiceField(label=_("Unit"), choices=KpiVersion.Unit.choices)
    parent = forms.ChoiceField(
        label=_("Leads to"), required=False, help_text=_("The KPI above it in the tree whose top is money.")
    )
    reason = forms.CharField(label=_("Reason"), max_length=500, widget=REASON)

    def __init__(self, request, *, kpis, but=None, **kwargs):
        super().__init__(request, **kwargs)
        self.fields["parent"].choices = [("", _("nothing: it is the top"))] + [
            (info.code, info.name) for info in kpis.values() if info.code != but
        ]


class KpiCreateForm(KpiForm):
    code = forms.CharField(
        label=_("Code"), max_length=40, widget=CODE, help_text=_("Small Latin letters, digits and _: stays for ever.")
    )
    field_order = ("code",)


class KpiUpdateForm(KpiForm):
    expected = forms.IntegerField(widget=forms.HiddenInput)


class MetricForm(RefusableForm):
    """A metric of the company's own."""

    code = forms.CharField(
        label=_("Code"), max_length=40, widget=CODE, help_text=_("Small Latin letters, digits and _: stays for ever.")
    )
    name_ru = forms.CharField(label=_("Name in Russian"), max_length=80)
    name_en = forms.CharField(label=_("Name in English"), max_length=80, required=False)
    unit = forms.ChoiceField(label=_("Unit"), choices=[("count", _("count")), ("money", _("money"))])
    settling_days = forms.IntegerField(
        label=_("Settles in days"), min_value=0, max_value=60, initial=1,
        help_text=_("How long the figure still changes after its day: stop-rules wait for it."),
    )  # fmt: skip


class FunnelForm(RefusableForm):
    """The stages from the top down, a metric each; empty ones are left out."""

    PLACES = 8

    def __init__(self, request, *, metrics, stages=(), **kwargs):
        super().__init__(request, **kwargs)
        choices = [("", "—")] + [(info.code, info.name) for info in metrics.values() if info.unit == "count"]
        for place in range(1, self.PLACES + 1):
            self.fields[f"stage_{place}"] = forms.ChoiceField(
                label=_("Stage %(n)s") % {"n": place}, choices=choices, required=place <= 2,
                initial=stages[place - 1] if place <= len(stages) else "",
            )  # fmt: skip
        self.fields["reason"] = forms.CharField(label=_("Reason"), max_length=500, widget=REASON)

    def clean(self):
        given = super().clean()
        stages = [given[f"stage_{place}"] for place in range(1, self.PLACES + 1) if given.get(f"stage_{place}")]
        return {"stages": stages, "reason": given.get("reason", "")}


class MonthField(forms.CharField):
    """A month as `2026-11`, which is what the browser's own month picker sends."""

    widget = forms.TextInput(attrs={"type": "month", "placeholder": "2026-11"})

    def clean(self, value):
        text = super().clean(value)
        try:
            return periods.parse_month(text) if text else None
        except ValueError as error:
            raise forms.ValidationError(_("Write the month as 2026-11.")) from error


class TargetChoiceForm(forms.Form):
    """Which plan: a measure, a scope and a month."""

    kpi = forms.ChoiceField(label=_("What is planned"))
    channel = forms.ChoiceField(label=_("For whom"), required=False)
    month = MonthField(label=pgettext_lazy("calendar", "Month"))

    def __init__(self, *args, measures, channels, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["kpi"].choices = [(one.code, one.name) for one in measures]
        self.fields["channel"].choices = [("", _("the whole company"))] + [(one.code, one.name) for one in channels]


class TargetForm(RefusableForm):
    """The plan itself, typed in the measure's own unit: shares in per cent."""

    def __init__(self, request, *, measure, **kwargs):
        super().__init__(request, **kwargs)
        share = measure.unit == "share"
        kind, label = (PercentField, _("Plan, %")) if share else (AmountField, _("Plan"))
        if measure.unit == "money":
            label = _("Plan, %(currency)s") % {"currency": CURRENCIES.get(self.company.currency, self.company.currency)}
        note = (
            _("For every day of the month.")
            if measure.is_kpi
            else _("For the whole month: a week takes its share of days.")
        )
        self.fields["value"] = kind(label=label, help_text=note)
        self.fields["months"] = forms.IntegerField(
            label=_("For how many months from this one"), min_value=1, max_value=12, initial=1, required=False
        )
        self.fields["reason"] = forms.CharField(label=_("Reason"), max_length=500, widget=REASON)

    def clean_months(self):
        return self.cleaned_data["months"] or 1


class FigureForm(forms.Form):
    """Which figure to open: a KPI or metric, a scope and days; and the moment whose knowledge it is held against."""

    kpi = forms.ChoiceField(label=_("Figure"))
    channel = forms.ChoiceField(label=_("For whom"), required=False)
    campaign = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)
    start = DayField(label=_("From"))
    end = DayField(label=_("To"))
    known = forms.DateTimeField(
        label=_("Beside it: as it was known on"), input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )  # fmt: skip

    def __init__(self, *args, zone, measures, channels, **kwargs):
        super().__init__(*args, **kwargs)
        self.zone, self.channels = zone, channels
        kinds = {one.kind for one in channels}
        self.fields["kpi"].choices = [(one.code, one.name) for one in measures]
        several = self._several()
        self.fields["channel"].choices = [
            ("", _("the whole company")),
            *([(self.data["channel"], ", ".join(one.name for one in several))] if several else []),
            (_("All channels of a kind"), [(f"{KIND}{kind}", kind.label) for kind in Channel.Kind if kind in kinds]),
            (_("One channel"), [(one.code, one.name) for one in channels]),
        ]

    def _several(self) -> list[Channel]:
        """The channels where an address names more than one by their codes; empty unless it knows them all."""
        codes = set(str(self.data.get("channel", "")).split(","))
        found = [one for one in self.channels if one.code in codes]
        return found if len(codes) == len(found) > 1 else []

    @property
    def kind(self) -> Channel.Kind | None:
        """The kind of channels asked for."""
        asked = self.cleaned_data["channel"]
        return Channel.Kind(asked.removeprefix(KIND)) if asked.startswith(KIND) else None

    @property
    def inside(self) -> list[Channel] | None:
        """The channels asked for; None for the whole company."""
        asked = self.cleaned_data["channel"]
        codes = set(asked.split(","))
        return [one for one in self.channels if one.code in codes or asked == f"{KIND}{one.kind}"] if asked else None

    def clean_known(self):
        """The moment in UTC of a time by the company's clock."""
        told = self.cleaned_data["known"]
        if not 2000 <= told.year <= 2100:
            raise forms.ValidationError(_("Give a moment between the years 2000 and 2100."))
        return told.replace(tzinfo=self.zone).astimezone(UTC)

    def add_prefix(self, field_name):
        """Addresses say `from` and `to`, which Python keeps for itself."""
        return {"start": "from", "end": "to"}.get(field_name, field_name)

    def clean(self):
        given = super().clean()
        start, end = given.get("start"), given.get("end")
        if start and end and (start > end or (end - start).days > 400):
            raise forms.ValidationError(_("The first day comes before the last one, 400 days at most."))
        return given
