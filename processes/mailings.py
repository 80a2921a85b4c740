"""A series of mailings waits while a rewrite of one of them has not been accepted."""

from django.utils.translation import gettext as _

from processes.models import Action
from roles.models import Campaign
from roles.refusals import Conflict


class SeriesWaits(Conflict):
    code = "series_waits"


def check_next_mailing(sender, campaign: Campaign, **kwargs) -> None:
    """Called before a campaign runs. Raises SeriesWaits (409) while a rewrite in its series is not accepted.

    Only another person than its author accepts a rewrite, see `services.accept_rewrite`; a dropped one binds nobody.
    """
    _refuse_while_a_rewrite_waits(campaign, _(
        "The next mailing of “%(series)s” waits: “%(text)s” (%(author)s) is not accepted by another person yet."
    ))  # fmt: skip


def check_leaving(sender, campaign: Campaign, **kwargs) -> None:
    """Called before a campaign leaves its series: under another name the next mailing would not wait. Raises SeriesWaits (409)."""
    _refuse_while_a_rewrite_waits(campaign, _(
        "No mailing leaves the series “%(series)s” while “%(text)s” (%(author)s) is not accepted by another person."
    ))  # fmt: skip


def _refuse_while_a_rewrite_waits(campaign: Campaign, message: str) -> None:
    """`message` names the oldest rewrite in the campaign's series that nobody has accepted yet, where there is one."""
    if not campaign.series:
        return
    waiting = Action.objects.filter(
        company_id=campaign.company_id, kind=Action.Kind.REWRITE, accepted_by=None, channel=campaign.channel_id,
        campaign__series=campaign.series,
    ).exclude(state=Action.State.DROPPED)  # fmt: skip
    action = waiting.select_related("owner__user").order_by("pk").first()
    if action is not None:
        raise SeriesWaits(message % {"series": campaign.series, "text": action.text, "author": action.owner})
