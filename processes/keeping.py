"""Which campaigns a stop would stop, each with its KPI since the breach began: one of them may be worth keeping."""

from datetime import date, datetime

from kpis import formulas
from kpis.day_classes import Window
from kpis.selectors.cube import load_cube
from processes.models import Decision
from processes.terms import running_campaigns
from processes.wording import kpi_name
from roles import formats
from roles.models import Membership
from roles.permissions import Permission


def keep_choices(*, decision: Decision, person: Membership, at: datetime) -> list[tuple[int, str]]:
    """(id, «Ретаргетинг: CPA 2 288 ₽»); the name alone where nothing is known or the person may not see it."""
    campaigns, seen = list(running_campaigns(decision)), decision.evidence
    hidden = bool(seen) and seen["reveals_money"] and not person.can(Permission.VIEW_MONEY, decision.channel_id)
    if not campaigns or not decision.is_open or not seen or hidden or seen["rule"]["window"] == Window.BUDGET:
        return [(row.pk, row.name) for row in campaigns]
    formula, company = formulas.parse(seen["kpi"]["formula"]), decision.company
    cube = load_cube(
        company=company, start=date.fromisoformat(seen["first_day"]), end=company.local_date(at),
        channel_ids=[decision.channel_id], metrics=formula.metrics, campaigns=True,
    )  # fmt: skip
    values = {row.pk: cube.campaign_kpi(formula, row.pk).value for row in campaigns}
    return [(row.pk, _label(row.name, values[row.pk], seen, company.currency)) for row in campaigns]


def _label(name: str, value, seen: dict, currency: str) -> str:
    if value is None:
        return name
    return f"{name}: {kpi_name(seen)} {formats.figure(value, seen['kpi']['unit'], currency)}"
