"""Campaigns: parts of a channel with their own spend, budget and stop-loss."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from roles import audit, selectors
from roles.models import Campaign, Channel, Company, Membership
from roles.refusals import Conflict, FieldError
from roles.signals import bounds_will_change, campaign_leaves_series, campaign_will_run
from roles.validation import changes, check_fields, refuse

FIELDS = ("external_id", "name", "status", "series", "budget", "tolerance", "stop_loss")
AMOUNTS = ("budget", "tolerance", "stop_loss")


class CampaignExists(Conflict):
    code = "campaign_exists"


@transaction.atomic
def create_campaign(
    *, company: Company, by: Membership | None, at: datetime, channel: Channel, external_id: str, name: str, **fields
) -> Campaign:
    """A campaign of a channel; `external_id` is its id in the source. Raises Refused with the fields, CampaignExists, what receivers of campaign_will_run refuse."""
    _check_known(fields)
    campaign = Campaign(company=company, channel=channel, external_id=external_id, name=name, **fields)
    _check(campaign)
    _ask_before_running(campaign)
    _save(campaign)
    after = {"name": name, "channel": channel.name, "external_id": external_id, "status": campaign.status}
    audit.record(company=company, by=by, verb="create_campaign", obj=campaign, at=at, after=after)
    return campaign


@transaction.atomic
def update_campaign(
    *, company: Company, by: Membership | None, at: datetime, campaign: Campaign, reason: str = "", **fields
) -> Campaign:
    """Change a campaign; fields not given stay, the channel never changes. Raises Refused with the fields, CampaignExists,
    what receivers of campaign_will_run and campaign_leaves_series refuse."""
    _check_known(fields)
    locked = selectors.lock_campaign(company=company, pk=campaign.pk)
    before, after = changes({name: getattr(locked, name) for name in fields}, fields)
    if not after:
        return locked
    if before.get("series"):
        campaign_leaves_series.send(sender=Campaign, campaign=locked)
    for name, value in fields.items():
        setattr(locked, name, value)
    _check(locked)
    if "status" in after or "series" in after:
        _ask_before_running(locked)
    if set(AMOUNTS) & set(after):
        bounds_will_change.send(sender=Campaign, scope=locked, by=by, at=at, reason=reason)
    _save(locked, update_fields=list(after))
    audit.record(
        company=company, by=by, verb="update_campaign", obj=locked, at=at, reason=reason,
        before={"name": locked.name, **before}, after={"name": locked.name, **after},
    )  # fmt: skip
    return locked


def set_campaign_status(
    *, company: Company, by: Membership | None, at: datetime, campaign: Campaign, status: str, reason: str
) -> Campaign:
    """What a signed decision does to a campaign: the signature is the right, so none is asked here."""
    return update_campaign(company=company, by=by, at=at, campaign=campaign, status=status, reason=reason)


def _ask_before_running(campaign: Campaign) -> None:
    if campaign.status in Channel.RUNNING:
        campaign_will_run.send(sender=Campaign, campaign=campaign)


def _save(campaign: Campaign, **kwargs) -> None:
    try:
        with transaction.atomic():
            campaign.save(**kwargs)
    except IntegrityError as error:
        message = _("The channel already has a campaign with the id %(id)s.") % {"id": campaign.external_id}
        raise CampaignExists(message, [FieldError("external_id", "exists", message)]) from error


def _check_known(fields: dict) -> None:
    unknown = set(fields) - set(FIELDS)
    if unknown:
        raise TypeError(f"not a field of a campaign: {sorted(unknown)}")


def _check(campaign: Campaign) -> None:
    check_fields(campaign)
    for name in AMOUNTS:
        if (
            getattr(campaign, name) is not None
            and campaign._meta.get_field(name).to_python(getattr(campaign, name)) < 0
        ):
            raise refuse(name, "negative", _("This cannot be below zero."))
