"""Forms of UTM rules and of the stages of deals."""

from django import forms
from django.utils.translation import gettext_lazy as _

from kpis.models import UtmRule
from kpis.selectors import deals as reads
from roles import selectors
from roles.forms import RefusableForm

ANY = _("* stands for any text; empty: whatever it is; - : must be empty.")


class UtmRuleForm(RefusableForm):
    """Patterns of marks, and the channel and campaign of the deals that fit them."""

    utm_source = forms.CharField(label="utm_source", max_length=200, required=False, help_text=ANY)
    utm_medium = forms.CharField(label="utm_medium", max_length=200, required=False)
    utm_campaign = forms.CharField(label="utm_campaign", max_length=200, required=False)
    utm_content = forms.CharField(label="utm_content", max_length=200, required=False)
    channel = forms.ModelChoiceField(None, label=_("Channel"))
    campaigns = forms.ChoiceField(
        label=_("Campaign"), choices=UtmRule.Campaigns.choices, initial=UtmRule.Campaigns.MARK
    )
    campaign = forms.CharField(
        label=_("Which campaign"), max_length=200, required=False,
        help_text=_("Its id in the source or its name; only where it is always the same."),
    )  # fmt: skip
    priority = forms.IntegerField(
        label=_("Priority"), min_value=1, max_value=999, initial=100,
        help_text=_("Rules are tried from the smaller number on; the first that fits counts."),
    )  # fmt: skip

    def __init__(self, request, **kwargs):
        super().__init__(request, **kwargs)
        self.fields["channel"].queryset = selectors.channels(company=self.company)

    def clean(self):
        cleaned = super().clean()
        text, channel = cleaned.get("campaign") or "", cleaned.get("channel")
        cleaned["campaign"] = None
        if cleaned.get("campaigns") == UtmRule.Campaigns.ONE and text and channel:
            cleaned["campaign"] = reads.campaign_of(company=self.company, channel=channel, text=text.strip())
            if cleaned["campaign"] is None:
                self.add_error(
                    "campaign", _("The channel has no such campaign. Take its id from the list of campaigns.")
                )
        return cleaned


class StagesForm:
    """A kind for every stage of a source; `rows` holds stage, field and the chosen kind."""

    def __init__(self, source, stages, data=None):
        self.rows = []
        for number, stage in enumerate(stages):
            field = f"stage-{number}"
            chosen = stage.kind if data is None else data.get(field, stage.kind)
            self.rows.append({"stage": stage, "field": field, "chosen": chosen})
        self.counts_every_deal = source.counts_every_deal if data is None else "every" in data

    @property
    def kinds(self) -> dict[str, str]:
        return {row["stage"].name: row["chosen"] for row in self.rows}
