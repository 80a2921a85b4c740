"""Deals of CRMs, without anybody's name: what was said of each, what its stage means, and whose channel its marks tell."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from kpis.importers import stages
from kpis.models.facts import Import, Source
from roles.fields import MicrosField
from roles.models import Campaign, Channel, CompanyOwned, Membership


class DealStage(CompanyOwned):
    """What a stage of a source's deals means, as somebody confirmed it with a load or changed it later."""

    class Kind(models.TextChoices):
        NEW = stages.NEW, _("lead")
        QUALIFIED = stages.QUALIFIED, _("qualified lead")
        WON = stages.WON, _("deal is made")
        LOST = stages.LOST, _("deal is lost")
        JUNK = stages.JUNK, _("no lead at all")

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="deal_stages")
    name = models.CharField(max_length=120, help_text="as it stands in the CRM's export")
    kind = models.CharField(max_length=10, choices=Kind)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["company", "source", "name"], name="deal_stage_once_per_source")]

    def __str__(self):
        return self.name


class UtmRule(CompanyOwned):
    """Marks of a deal → the channel and campaign it came by. The first rule that fits counts: smaller `priority`, then older.

    A pattern is compared without regard to case; `*` and `?` stand for any text and any character; empty: whatever it is;
    `-`: the mark must be empty.
    """

    class Campaigns(models.TextChoices):
        NONE = "none", _("channel as a whole")
        MARK = "mark", _("campaign named in utm_campaign")
        ONE = "one", _("always this campaign")

    priority = models.PositiveSmallIntegerField(default=100)
    utm_source = models.CharField(max_length=200, blank=True)
    utm_medium = models.CharField(max_length=200, blank=True)
    utm_campaign = models.CharField(max_length=200, blank=True)
    utm_content = models.CharField(max_length=200, blank=True)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="utm_rules")
    campaigns = models.CharField(max_length=4, choices=Campaigns, default=Campaigns.MARK)
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    created_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["priority", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["company", "utm_source", "utm_medium", "utm_campaign", "utm_content"], name="utm_rule_once"
            ),
            models.CheckConstraint(
                condition=Q(campaigns="one", campaign__isnull=False) | (~Q(campaigns="one") & Q(campaign=None)),
                name="utm_rule_knows_its_campaign",
            ),
        ]

    def __str__(self):
        return " / ".join(self.patterns) or "*"

    @property
    def patterns(self) -> list[str]:
        """The patterns that are not empty."""
        return [text for text in (self.utm_source, self.utm_medium, self.utm_campaign, self.utm_content) if text]


class SaidOfDeal(CompanyOwned):
    """What an export says of a deal. `edited`: moment in the CRM's own clock, as text that sorts; empty: unknown.

    `amount` is in the company's currency, None: unknown. `customer`: a hash that tells deals of one customer.
    """

    created_on = models.DateField()
    closed_on = models.DateField(null=True)
    edited = models.CharField(max_length=19, blank=True)
    stage = models.CharField(max_length=120)
    amount = MicrosField(null=True)
    utm_source = models.CharField(max_length=200, blank=True)
    utm_medium = models.CharField(max_length=200, blank=True)
    utm_campaign = models.CharField(max_length=200, blank=True)
    utm_content = models.CharField(max_length=200, blank=True)
    utm_term = models.CharField(max_length=200, blank=True)
    customer = models.CharField(max_length=64, blank=True)
    is_repeat = models.BooleanField(null=True)
    line = models.IntegerField(help_text="the row of the load's file, as a spreadsheet counts it")

    class Meta:
        abstract = True


SAID = ("created_on", "closed_on", "edited", "stage", "amount", "utm_source", "utm_medium", "utm_campaign", "utm_content",
        "utm_term", "customer", "is_repeat")  # fmt: skip
"""Fields of SaidOfDeal that make two statements different."""


class Deal(SaidOfDeal):
    """A deal as it is known now, and what follows from the stages and rules: whose day, channel and campaign it is.

    `kind`: of its stage, one of `stages.KINDS`. `qualified`: it is a qualified lead of `created_on`. `day`: where it belongs:
    the day it was made or lost, else the day it came. `channel` None: no rule fits its marks, it is in no fact.
    """

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="deals")
    external_id = models.CharField(max_length=120)
    load = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=DealStage.Kind)
    qualified = models.BooleanField(default=False)
    day = models.DateField()
    channel = models.ForeignKey(Channel, on_delete=models.SET_NULL, null=True, related_name="+")
    campaign = models.ForeignKey(Campaign, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "source", "external_id"], name="deal_once_per_source")
        ]

    def __str__(self):
        return self.external_id


class DealRevision(SaidOfDeal):
    """What a load said of a deal that was not known before; `before_day` and `day` tell whether it moved, None: it was new.

    The deal as it is known is the sum of its revisions in their order; undoing a load takes its revisions away.
    """

    deal = models.ForeignKey(Deal, on_delete=models.CASCADE, related_name="revisions")
    load = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="deal_revisions")
    before_stage = models.CharField(max_length=120, blank=True)
    before_day = models.DateField(null=True)
    day = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["company", "load", "deal"], name="deal_said_once_per_load")]

    def __str__(self):
        return f"{self.deal_id} by {self.load_id}"
