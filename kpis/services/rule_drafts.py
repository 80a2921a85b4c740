"""A stop-rule that is only thought of: the terms of the editor or the API as a version that is never saved."""

from datetime import date

from kpis import rule_terms
from kpis.day_classes import Window
from kpis.models import Kpi, KpiVersion, StopRule
from kpis.selectors.backtest import Draft
from kpis.selectors.measures import metrics_of
from kpis.services.stop_rules import drafted, given_terms
from kpis.windows import SPENDING
from roles.models import Company, Membership

UNNAMED = "—"


def draft_rule(*, company: Company, by: Membership, today: date, **terms) -> Draft:
    """The rule that these terms would make, filled in and checked as create_stop_rule does it; nothing is written.

    A name is not needed. Raises WrongTerms, Refused.
    """
    kpi = _kpi(company, terms)
    given = given_terms(terms) | {"kpi": kpi.kpi, "owner": terms.get("owner") or by}
    given["name"] = given.get("name") or UNNAMED
    version = drafted(company, by, kpi, given)
    version.rule = StopRule(company=company, number=0)
    version.valid_from = today
    rule_terms.check(company, version, kpi)
    version.kpi.current = [kpi]
    return Draft(version, kpi, metrics_of(company=company), terms.get("zero_line") is None)


def _kpi(company: Company, terms: dict) -> KpiVersion:
    """The KPI as the service finds it; that of a budget may not be there yet: then one that is not saved stands in."""
    if terms.get("window") != Window.BUDGET:
        return rule_terms.find_kpi(company, terms.get("kpi"))
    found = KpiVersion.objects.filter(company=company, superseded_at=None, formula=SPENDING).select_related("kpi")
    return found.order_by("kpi_id").first() or KpiVersion(
        company=company, kpi=Kpi(company=company, code=SPENDING, is_builtin=True), name_ru="Расход", name_en="Spend",
        formula=SPENDING, better="lower", unit="money",
    )  # fmt: skip
