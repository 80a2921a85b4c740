"""Rules UTM → channel and campaign, and what the stages of a source's deals mean: each change asks for a recount of the daily facts."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from kpis import deal_days
from kpis.importers import stages
from kpis.models import DealStage, Source, UtmRule
from kpis.services.deals import keep_stages
from kpis.services.recounts import request_recount
from roles import audit
from roles.models import Campaign, Channel, Company, Membership
from roles.refusals import Conflict, FieldError
from roles.validation import refuse

MOST_RULES = 500


@dataclass(frozen=True)
class Recounted:
    """What a change did: the row it made or changed, and of how many sources the deals are recounted by a worker."""

    row: UtmRule | Source | None
    sources: int


class RuleExists(Conflict):
    """Another rule has the same patterns."""

    code = "rule_exists"


@transaction.atomic
def save_rule(
    *, company: Company, by: Membership, at: datetime, channel: Channel, rule: UtmRule | None = None, priority: int = 100,
    utm_source: str = "", utm_medium: str = "", utm_campaign: str = "", utm_content: str = "",
    campaigns: str = UtmRule.Campaigns.MARK, campaign: Campaign | None = None,
) -> Recounted:  # fmt: skip
    """Add a rule, or change the one given, and place all deals anew. Patterns: see UtmRule.

    Refused without any pattern, for a campaign of another channel, for more than 500 rules; RuleExists.
    """
    patterns = {
        "utm_source": utm_source,
        "utm_medium": utm_medium,
        "utm_campaign": utm_campaign,
        "utm_content": utm_content,
    }
    patterns = {name: " ".join(text.split())[:200] for name, text in patterns.items()}
    _check(company, rule, patterns, channel, campaigns, campaign)
    is_one = campaigns == UtmRule.Campaigns.ONE
    fields = {**patterns, "priority": priority, "channel": channel, "campaigns": campaigns,
              "campaign": campaign if is_one else None}  # fmt: skip
    before = _told(rule) if rule else None
    saved = rule or UtmRule(company=company, created_by=by, created_at=at)
    for name, value in fields.items():
        setattr(saved, name, value)
    try:
        with transaction.atomic():
            saved.save()
    except IntegrityError as error:
        message = _("There is a rule for these marks already: change that one.")
        raise RuleExists(message, [FieldError("utm_source", "rule_exists", message)]) from error
    if before == _told(saved):
        return Recounted(saved, 0)
    asked = request_recount(company=company, by=by, at=at)
    verb = "update_utm_rule" if rule else "create_utm_rule"
    audit.record(company=company, by=by, verb=verb, obj=saved, at=at, before=before, after=_told(saved))
    return Recounted(saved, asked)


def _check(company: Company, rule: UtmRule | None, patterns: dict, channel: Channel, campaigns: str, campaign) -> None:
    if not any(text and text.strip("*") for text in patterns.values()):
        raise refuse(
            "utm_source", "required", _("Write at least one mark: a rule that fits everything hides mistakes.")
        )
    if campaigns == UtmRule.Campaigns.ONE and campaign is None:
        raise refuse("campaign", "required", _("Choose the campaign that these deals belong to."))
    if campaign is not None and campaigns == UtmRule.Campaigns.ONE and campaign.channel_id != channel.pk:
        raise refuse(
            "campaign", "another_channel", _("This campaign is of another channel. Choose one of the rule's channel.")
        )
    if rule is None and UtmRule.objects.filter(company=company).count() >= MOST_RULES:
        raise refuse("utm_source", "too_many", _("There are %(n)s rules: remove what is not used.") % {"n": MOST_RULES})


@transaction.atomic
def delete_rule(*, company: Company, by: Membership, at: datetime, rule: UtmRule) -> Recounted:
    """Remove a rule; the deals that no other rule fits belong to no channel, and their facts go."""
    before = _told(rule)
    taken = UtmRule.objects.filter(company=company, pk=rule.pk)
    audited = UtmRule(pk=rule.pk, company=company)
    if not taken.delete()[0]:
        return Recounted(None, 0)
    asked = request_recount(company=company, by=by, at=at)
    audit.record(
        company=company, by=by, verb="delete_utm_rule", obj=audited, at=at, before=before
    )  # fmt: skip
    return Recounted(None, asked)


@transaction.atomic
def set_stages(
    *, company: Company, by: Membership, at: datetime, source: Source, kinds: dict[str, str], counts_every_deal: bool
) -> Recounted:
    """Say what a source's stages mean, and whether a day without a deal is a zero; all its deals are placed anew.

    Refused for a stage that the source does not have, or a meaning that does not exist.
    """
    source = Source.objects.select_for_update(no_key=True).get(company=company, pk=source.pk)
    known = dict(DealStage.objects.filter(company=company, source=source).values_list("name", "kind"))
    for name, kind in kinds.items():
        if name not in known or kind not in stages.KINDS:
            raise refuse("stages", "unknown", _("Say of each stage what it means."))
    before = {"stages": known, "every_deal": source.counts_every_deal}
    after = {"stages": known | kinds, "every_deal": counts_every_deal}
    if before == after:
        return Recounted(source, 0)
    keep_stages(company, source, kinds)
    Source.objects.filter(company=company, pk=source.pk).update(counts_every_deal=counts_every_deal)
    asked = request_recount(company=company, by=by, at=at, sources=[source])
    audit.record(
        company=company, by=by, verb="set_deal_stages", obj=source, at=at, before=before, after=after
    )  # fmt: skip
    return Recounted(source, asked)


def _told(rule: UtmRule) -> dict:
    """A rule as the journal keeps it."""
    names = (*deal_days.PATTERNS, "priority", "channel_id", "campaigns", "campaign_id")
    return {name: getattr(rule, name) for name in names}
