"""What one person may see of a week's slides: the only place that takes money out of them, before anything is written."""

from dataclasses import replace

from reports.selectors.figures import Line
from reports.selectors.summary import ChannelMoney, Summary
from roles.models import Membership
from roles.permissions import Permission


def summary_for(person: Membership, summary: Summary) -> Summary:
    """The summary without the money that this person may not see; of the company's the director's words tell too. The order
    of channels stays, so that everybody follows the same slides."""
    if person.can(Permission.VIEW_MONEY):
        return summary
    channels = [row if sees_money_of(person, row) else _without_money(row) for row in summary.channels]
    return replace(
        summary, earned=None, romi=None, plan=None, figures=[], funnel=[], words=None, restated=None, channels=channels
    )  # fmt: skip


def sees_money_of(person: Membership, row: ChannelMoney) -> bool:
    return person.can(Permission.VIEW_MONEY, row.channel.pk)


def lines_for(person: Membership, row: ChannelMoney, lines: list[Line]) -> list[Line]:
    """Figures of a report; those of money only where the channel's money may be seen."""
    return lines if sees_money_of(person, row) else [line for line in lines if not line.about_money]


def _without_money(row: ChannelMoney) -> ChannelMoney:
    return replace(row, earned=None, romi=None, plan=None, metrics={}, restated=None)
