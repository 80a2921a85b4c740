"""Forms of the registry: accesses, documents and contractors."""

from django import forms
from django.utils.translation import gettext_lazy as _

from roles import contracts, selectors
from roles.forms import DayField, PeopleField, RefusableForm
from roles.models import Access

LINES = forms.Textarea(attrs={"rows": 4})
TWO_FACTOR = [("", _("nobody has said")), ("on", _("on")), ("off", _("off"))]
YES = {"on": True, "off": False}


class AccessForm(RefusableForm):
    """An account. It has no field for a secret, and what looks like one is refused."""

    system = forms.CharField(
        label=_("System"), max_length=120, help_text=_("Yandex Direct, VK Ads, the site's hosting.")
    )
    identifier = forms.CharField(
        label=_("Login or number of the account"), max_length=160, help_text=_("What tells this account from others.")
    )
    owned_by = forms.ChoiceField(
        label=_("Legal owner"), choices=Access.OwnedBy, help_text=_("Whose it is by the agreement with the system.")
    )
    owner_person = PeopleField(label=_("Which person"), required=False)
    owner_name = forms.CharField(
        label=_("Owner's name"), max_length=160, required=False,
        help_text=_("The legal entity, or somebody who is not in the list."),
    )  # fmt: skip
    administrators = forms.ModelMultipleChoiceField(
        None, label=_("Administrators"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("Two at least: so that one of them may be away."),
    )  # fmt: skip
    channels = forms.ModelMultipleChoiceField(
        None, label=_("Channels"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("Their owners see the access and check it."),
    )  # fmt: skip
    contractor = forms.ModelChoiceField(None, label=_("Contractor that works in it"), required=False, empty_label="—")
    contractor_until = DayField(
        label=_("Until which day"), required=False, help_text=_("The end of the contract when it is empty.")
    )
    recovery = forms.CharField(label=_("Recovery address or phone"), max_length=160, required=False)
    paid_by = forms.CharField(label=_("Who pays"), max_length=160, required=False)
    secret_place = forms.CharField(
        label=_("Where the password is kept"), max_length=200, required=False,
        help_text=_("The place and not the password: “1Password, the Marketing vault”."),
    )  # fmt: skip
    two_factor = forms.ChoiceField(label=_("Two-factor"), choices=TWO_FACTOR, required=False)
    note = forms.CharField(label=_("Note"), max_length=300, required=False)

    def __init__(self, request, *, today, **kwargs):
        super().__init__(request, **kwargs)
        people = selectors.people(company=self.company)
        self.fields["owner_person"].queryset = self.fields["administrators"].queryset = people
        self.fields["channels"].queryset = selectors.bare_channels(company=self.company)
        standing = self.initial.get("contractor")
        offered = contracts.contractors(company=self.company).filter(closed_on=None)
        self.fields["contractor"].queryset = (
            offered | contracts.contractors(company=self.company).filter(pk=standing) if standing else offered
        )

    def clean_two_factor(self) -> bool | None:
        return YES.get(self.cleaned_data["two_factor"])

    @staticmethod
    def initial_of(access: Access) -> dict:
        """The fields as they stand, for changing."""
        plain = (
            "system",
            "identifier",
            "owned_by",
            "owner_name",
            "contractor_until",
            "recovery",
            "paid_by",
            "secret_place",
            "note",
        )
        return {
            **{name: getattr(access, name) for name in plain},
            "owner_person": access.owner_person_id, "contractor": access.contractor_id,
            "two_factor": {True: "on", False: "off"}.get(access.two_factor, ""),
            "channels": list(access.channels.all()), "administrators": list(access.administrators.all()),
        }  # fmt: skip


class AccessUpdateForm(AccessForm):
    reason = forms.CharField(label=_("Reason for the change"), max_length=300, required=False)


class ReasonForm(RefusableForm):
    reason = forms.CharField(label=_("Reason"), max_length=300)


class DocumentForm(RefusableForm):
    title = forms.CharField(
        label=_("Document"), max_length=200, help_text=_("Price list, contract template, brand book.")
    )
    url = forms.CharField(label=_("Address"), max_length=500, help_text=_("The whole address: https://…"))
    owner = PeopleField(label=_("Who keeps it"))
    channel = forms.ModelChoiceField(None, label=_("Channel"), required=False, empty_label=_("the whole company"))
    role = forms.ChoiceField(label=_("Role that needs it"), required=False)
    place_is_ours = forms.BooleanField(
        label=_("The drive belongs to the company"), required=False,
        help_text=_("For Google Drive, Yandex Disk and Dropbox: their address does not say whose drive it is."),
    )  # fmt: skip

    def __init__(self, request, **kwargs):
        super().__init__(request, **kwargs)
        self.fields["owner"].queryset = selectors.people(company=self.company)
        self.fields["channel"].queryset = selectors.bare_channels(company=self.company)
        self.versions = {str(version.role_id): version for version in selectors.roles(company=self.company)}
        self.fields["role"].choices = [("", "—"), *((pk, version.name) for pk, version in self.versions.items())]

    def clean_role(self):
        chosen = self.cleaned_data["role"]
        return self.versions[chosen].role if chosen else None


class ContractorForm(RefusableForm):
    name = forms.CharField(label=_("Firm or person"), max_length=160)
    scope = forms.CharField(
        label=_("What the contract covers"), widget=LINES, help_text=_("Only this may be asked of the contractor.")
    )
    channels = forms.ModelMultipleChoiceField(
        None, label=_("Channels"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("Briefs are given for these channels; for any when none is ticked."),
    )  # fmt: skip
    starts_on = DayField(label=_("First day"))
    ends_on = DayField(
        label=_("Last day"), help_text=_("After it the access of the contractor's people ends by itself.")
    )
    contact_name = forms.CharField(label=_("Contact person"), max_length=160, required=False)
    contact = forms.CharField(label=_("E-mail or phone"), max_length=160, required=False)
    responsible = PeopleField(label=_("Who answers for it with us"))
    deputy = PeopleField(
        label=_("Second contact with us"), required=False, help_text=_("So that the contractor is not one person's.")
    )

    def __init__(self, request, **kwargs):
        super().__init__(request, **kwargs)
        self.fields["channels"].queryset = selectors.bare_channels(company=self.company)
        self.fields["responsible"].queryset = self.fields["deputy"].queryset = selectors.people(company=self.company)


class ContractorUpdateForm(ContractorForm):
    reason = forms.CharField(label=_("Reason for the change"), max_length=300, required=False)


class ContractorPersonForm(RefusableForm):
    email = forms.EmailField(label=_("E-mail"), help_text=_("The invitation goes here."))
    name = forms.CharField(label=_("Name and surname"), max_length=150)
