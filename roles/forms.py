"""Forms of `roles/`: they read what a person typed and run one service; what the service refuses stands at the field."""

from collections.abc import Callable
from decimal import Decimal

from django import forms
from django.utils.translation import gettext_lazy as _

from roles import selectors
from roles.models import ApiToken, Channel, Company
from roles.permissions import RoleKind
from roles.refusals import Refused
from roles.slugs import slug_of

NOBODY = "—"
CURRENCIES = [(code, code) for code in ("RUB", "USD", "EUR", "KZT", "BYN")]
STARTING_ZONES = (
    "Europe/Kaliningrad", "Europe/Moscow", "Europe/Samara", "Asia/Yekaterinburg", "Asia/Omsk", "Asia/Novosibirsk",
    "Asia/Krasnoyarsk", "Asia/Irkutsk", "Asia/Yakutsk", "Asia/Vladivostok", "Asia/Magadan", "Asia/Kamchatka",
    "Europe/Minsk", "Asia/Almaty", "Asia/Tbilisi", "Asia/Yerevan", "Europe/Berlin", "Europe/London", "UTC",
)  # fmt: skip


class AmountField(forms.DecimalField):
    """An amount as people type it, or copy it from a page: `930 000,50`, `3 500 ₽`."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    signs = "₽$€₸"

    def to_python(self, value):
        if isinstance(value, str):
            value = "".join(value.split()).rstrip(self.signs).replace(",", ".")
        return super().to_python(value)


class PercentField(AmountField):
    """A share that is typed in per cent: 15 → 0.15."""

    signs = "%"

    def to_python(self, value):
        percent = super().to_python(value)
        return None if percent is None else percent / 100

    def prepare_value(self, value):
        return f"{(value * 100).normalize():f}" if isinstance(value, Decimal) else value


class DayField(forms.DateField):
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class RefusableForm(forms.Form):
    """A form that runs one service. `status`: of the page that shows it again."""

    def __init__(self, request, **kwargs):
        posted = request.POST if request.method == "POST" else None
        self.company, self.person = request.company, request.person
        self.refusal: Refused | None = None
        self.result = None
        super().__init__(posted, **kwargs)

    def attempt(self, service: Callable, **context) -> bool:
        """True when the fields are right and the service did it; its answer is in `result`."""
        if not self.is_valid():
            return False
        try:
            self.result = service(**context, **self.cleaned_data)
        except Refused as refusal:
            self.show(refusal)
            return False
        return True

    def show(self, refusal: Refused) -> None:
        self.refusal = refusal
        known = [error for error in refusal.errors if error.field in self.fields]
        for error in known:
            self.add_error(error.field, error.message)
        if not known:
            self.add_error(None, refusal.message)

    @property
    def status(self) -> int:
        if self.refusal is not None:
            return self.refusal.status
        return 400 if self.is_bound and self.errors else 200


class PeopleField(forms.ModelChoiceField):
    """One of the company's people; the queryset is set by the form."""

    def __init__(self, **kwargs):
        super().__init__(None, empty_label=NOBODY, **kwargs)


def choose_people(form: RefusableForm, *names: str) -> None:
    for name in names:
        if name in form.fields:
            form.fields[name].queryset = selectors.people(company=form.company)


class PersonForm(RefusableForm):
    email = forms.EmailField(
        label=_("E-mail"), help_text=_("The invitation goes here; it is also the name for signing in.")
    )
    name = forms.CharField(label=_("Name and surname"), max_length=150)


class AbsenceForm(RefusableForm):
    person = PeopleField(label=_("Who is away"))
    starts_on = DayField(label=_("First day"))
    ends_on = DayField(label=_("Last day"))
    reason = forms.CharField(label=_("Reason"), required=False, max_length=200)

    def __init__(self, request, *, others: bool, **kwargs):
        super().__init__(request, **kwargs)
        choose_people(self, "person")
        self.fields["person"].empty_label = None
        if not others:
            self.fields["person"].queryset = self.fields["person"].queryset.filter(pk=self.person.pk)


class RoleForm(RefusableForm):
    name_ru = forms.CharField(label=_("Name in Russian"), max_length=120)
    name_en = forms.CharField(label=_("Name in English"), max_length=120, required=False)
    mission_ru = forms.CharField(
        label=_("Mission in Russian"), widget=forms.Textarea(attrs={"rows": 4}), required=False
    )
    mission_en = forms.CharField(
        label=_("Mission in English"), widget=forms.Textarea(attrs={"rows": 4}), required=False
    )
    kpis = forms.CharField(
        label=_("KPI codes"), required=False, help_text=_("Separated by commas, the main one first: cpa, roas, cpl")
    )
    reason = forms.CharField(label=_("Reason for the change"), max_length=500)

    def clean_kpis(self) -> list[str]:
        return [code for part in self.cleaned_data["kpis"].split(",") if (code := part.strip().lower())]


class RoleCreateForm(RoleForm):
    reason = forms.CharField(
        label=_("Why the role is needed"), max_length=500, help_text=_("It stands in the history of the role.")
    )
    kind = forms.ChoiceField(
        label=_("Rights as"),
        choices=[("", NOBODY), *RoleKind.choices()],
        help_text=_("What this hat may do in the system."),
    )
    code = forms.SlugField(
        label=_("Code"), max_length=40, required=False, help_text=_("Latin letters; made of the name when empty.")
    )
    field_order = ("name_ru", "name_en", "kind", "code")

    def clean(self):
        cleaned = super().clean()
        cleaned["code"] = cleaned.get("code") or slug_of(cleaned.get("name_ru", "")) or "role"
        return cleaned


class DutyForm(forms.Form):
    key = forms.CharField(widget=forms.HiddenInput, required=False)
    cadence = forms.ChoiceField(
        label=_("How often"),
        choices=[("day", _("every day")), ("week", _("every week")), ("month", _("every month")), ("quarter", _("every quarter"))],
        initial="week",
    )  # fmt: skip
    ru = forms.CharField(label=_("Duty in Russian"), max_length=300, required=False)
    en = forms.CharField(label=_("Duty in English"), max_length=300, required=False)


DutyFormSet = forms.formset_factory(DutyForm, extra=3, max_num=40)


def duties_of(formset) -> list[dict]:
    """The duties typed into the rows; an emptied row takes its duty away."""
    rows = [form.cleaned_data for form in formset if form.cleaned_data]
    return [row for row in rows if row["ru"].strip() or row["en"].strip()]


class ChannelForm(RefusableForm):
    name = forms.CharField(label=_("Name"), max_length=120)
    kind = forms.ChoiceField(label=_("Kind"), choices=Channel.Kind.choices)
    status = forms.ChoiceField(label=_("State"), choices=Channel.Status.choices)
    owner = PeopleField(
        label=_("Owner"), required=False, help_text=_("One person answers for the channel. Required in work.")
    )
    coordinator = PeopleField(label=_("Coordinator"), required=False, help_text=_("Usually the project manager."))
    result_kpi = forms.SlugField(label=_("Result KPI"), max_length=40)
    monthly_budget = AmountField(label=_("Budget of the month, ₽"), required=False, max_digits=18, decimal_places=6)
    test_budget = AmountField(
        label=_("Budget of a test, ₽"), required=False, max_digits=18, decimal_places=6,
        help_text=_("Of all its days together; rules about a test hold to it."),
    )  # fmt: skip
    tolerance = PercentField(
        label=_("Tolerance, %"), required=False, help_text=_("How far spend may run over the budget.")
    )
    stop_loss = AmountField(
        label=_("Stop-loss, ₽"), required=False, max_digits=18, decimal_places=6,
        help_text=_("The loss at which the channel is stopped: spend minus gross profit."),
    )  # fmt: skip

    def __init__(self, request, **kwargs):
        super().__init__(request, **kwargs)
        choose_people(self, "owner", "coordinator")


class ChannelCreateForm(ChannelForm):
    code = forms.SlugField(
        label=_("Code"), max_length=40, required=False,
        help_text=_("Latin letters, for files and the API; made of the name when empty."),
    )  # fmt: skip
    field_order = ("name", "code")

    def clean(self):
        cleaned = super().clean()
        cleaned["code"] = cleaned.get("code") or slug_of(cleaned.get("name", "")) or "channel"
        return cleaned


NEEDS_REASON = _("Needed when a budget, tolerance or stop-loss changes that a stop-rule reads.")


class ChannelUpdateForm(ChannelForm):
    reason = forms.CharField(
        label=_("Reason for the change"), max_length=300, required=False, help_text=NEEDS_REASON
    )  # fmt: skip


class ChannelPriorityForm(RefusableForm):
    priority = forms.ChoiceField(label=_("Priority"), choices=Channel.Priority.choices)
    priority_reason = forms.CharField(
        label=_("Why"), max_length=300, help_text=_("Everybody sees the priority with its reason.")
    )


class CampaignForm(RefusableForm):
    name = forms.CharField(label=_("Name"), max_length=200)
    external_id = forms.CharField(
        label=_("Id in the source"),
        max_length=120,
        help_text=_("As the ad account or the mailer calls it: loads find the campaign by it."),
    )
    status = forms.ChoiceField(label=_("State"), choices=Channel.Status.choices, initial=Channel.Status.ACTIVE)
    series = forms.CharField(
        label=_("Series of mailings"),
        max_length=80,
        required=False,
        help_text=_("Only for mailings that repeat: digest, welcome chain."),
    )
    budget = AmountField(label=_("Budget, ₽"), required=False, max_digits=18, decimal_places=6)
    tolerance = PercentField(label=_("Tolerance, %"), required=False)
    stop_loss = AmountField(label=_("Stop-loss, ₽"), required=False, max_digits=18, decimal_places=6)


class CampaignUpdateForm(CampaignForm):
    reason = forms.CharField(
        label=_("Reason for the change"), max_length=300, required=False, help_text=NEEDS_REASON
    )  # fmt: skip


class CampaignCreateForm(CampaignForm):
    channel = forms.ModelChoiceField(None, label=_("Channel"))
    field_order = ("channel",)

    def __init__(self, request, **kwargs):
        super().__init__(request, **kwargs)
        self.fields["channel"].queryset = selectors.channels(company=self.company)


class CompanyForm(RefusableForm):
    name = forms.CharField(label=_("Name"), max_length=120)
    tagline = forms.CharField(label=_("What the company does"), max_length=200, required=False)
    timezone = forms.CharField(
        label=_("Time zone"),
        max_length=60,
        help_text=_("As in Europe/Moscow, Asia/Yekaterinburg: deadlines follow it."),
    )
    language = forms.ChoiceField(
        label=_("Language of letters and the API"), choices=Company._meta.get_field("language").choices
    )
    currency = forms.ChoiceField(label=_("Currency"), choices=CURRENCIES)
    evaluate_at = forms.TimeField(
        label=_("Stop-rules are evaluated at"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=_("Local time; a load that arrives later is evaluated at once."),
    )  # fmt: skip


class CompanyCreateForm(RefusableForm):
    name = forms.CharField(label=_("Name of the company"), max_length=120)
    slug = forms.SlugField(
        label=_("Address"), max_length=50, required=False,
        help_text=_("Latin letters: it stands in every link. Made of the name when empty."),
    )  # fmt: skip
    timezone = forms.ChoiceField(
        label=_("Time zone"), initial="Europe/Moscow", help_text=_("Deadlines follow it; it can be changed later."),
        choices=[(zone, zone) for zone in STARTING_ZONES],
    )  # fmt: skip
    currency = forms.ChoiceField(label=_("Currency"), choices=CURRENCIES)

    def clean(self):
        cleaned = super().clean()
        cleaned["slug"] = cleaned.get("slug") or slug_of(cleaned.get("name", ""), 50) or "company"
        return cleaned


class TokenForm(RefusableForm):
    name = forms.CharField(
        label=_("What for"), max_length=120, help_text=_("So that it can be told from the others: “CRM → facts”.")
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"), choices=[(s, s) for s in ApiToken.SCOPES], widget=forms.CheckboxSelectMultiple
    )
    days = forms.TypedChoiceField(
        label=_("Lives"), coerce=int, initial=365,
        choices=[(30, _("30 days")), (90, _("90 days")), (365, _("a year"))],
    )  # fmt: skip


class JournalFilterForm(forms.Form):
    person = PeopleField(label=_("Who"), required=False)
    about = forms.ChoiceField(label=_("About"), required=False)
    since = DayField(label=_("From"), required=False)
    until = DayField(label=_("To"), required=False)

    def __init__(self, request, about: list[tuple[str, str]]):
        super().__init__(request.GET)
        self.fields["person"].queryset = selectors.people(company=request.company, active=False)
        self.fields["person"].empty_label = _("everybody")
        self.fields["about"].choices = [("", _("everything")), *about]
