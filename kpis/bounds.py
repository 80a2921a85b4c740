"""Budgets that a rule reads change as the rule itself does: with a reason, and history is replayed against them."""

from datetime import datetime

from django.utils.translation import gettext as _

from kpis.day_classes import Window
from kpis.models import StopRuleVersion
from kpis.replay import covers, in_force
from kpis.services.evaluations import request_evaluation
from roles.models import Campaign, Channel
from roles.validation import refuse


def look_at_bounds(sender, scope: Channel | Campaign, at: datetime, reason: str, **kwargs) -> None:
    """Called before budget, tolerance or stop-loss of a channel or campaign change. Refused without a reason where a budget
    rule in force reads them; else its states are judged anew from today's facts, whatever was judged before."""
    company = scope.company
    rules = [version for version in in_force(company=company) if _reads(version, scope)]
    if not rules:
        return
    if not reason.strip():
        names = ", ".join(str(version.rule) for version in rules)
        raise refuse(
            "reason", "required", _("Say why: the stop-rule %(rules)s reads these amounts.") % {"rules": names}
        )
    request_evaluation(company=company, dirty_from=company.local_date(at))


def _reads(version: StopRuleVersion, scope: Channel | Campaign) -> bool:
    if version.window != Window.BUDGET:
        return False
    is_campaign = isinstance(scope, Campaign)
    return (version.per == StopRuleVersion.Per.CAMPAIGN) == is_campaign and covers(
        version, scope.channel if is_campaign else scope
    )
