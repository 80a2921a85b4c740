"""A rule and its companion: days in a row over the line, and money spent without a single result."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from kpis.day_classes import Window
from kpis.formulas import parse
from kpis.models import KpiVersion, StopRule, StopRuleVersion
from kpis.rule_terms import has_money_account
from kpis.selectors.measures import metrics_of
from kpis.services.stop_rules import create_stop_rule
from roles.models import Company, Membership

SHARED = ("line", "channel", "channel_kind", "per", "no_data", "action", "owner", "shadow_until")


@transaction.atomic
def create_with_companion(
    *, company: Company, by: Membership, at: datetime, companion: bool = False, **terms
) -> StopRule:
    """create_stop_rule, and beside a cost watched day by day the rule "spent since the last conversion" if asked for.

    A slow drip without a single lead never makes a day that counts: only the companion sees it. Where it does not suit,
    none is made. Gives the first rule; raises what create_stop_rule raises.
    """
    rule = create_stop_rule(company=company, by=by, at=at, **terms)
    version = StopRuleVersion.objects.select_related("kpi", "channel", "owner").get(company=company, rule=rule)
    if companion and suits_companion(company=company, version=version):
        name = _("%(name)s: spent without a single result") % {"name": version.name}
        create_stop_rule(
            company=company, by=by, at=at, name=name[:160], kpi=version.kpi, window=Window.SINCE_CONVERSION,
            **{term: getattr(version, term) for term in SHARED},
        )  # fmt: skip
    return rule


def suits_companion(*, company: Company, version: StopRuleVersion) -> bool:
    """Is it a cost that is watched by days in a row, with a line above zero?"""
    kpi = KpiVersion.objects.get(company=company, kpi=version.kpi_id, superseded_at=None)
    costs = has_money_account(parse(kpi.formula), metrics_of(company=company), version.comparison, version.window)
    return costs and version.window == Window.IN_A_ROW and version.line > 0
