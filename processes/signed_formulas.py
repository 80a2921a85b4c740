"""The formula by which a decision was signed: what is reckoned of it afterwards keeps to it, whatever the KPI is by now."""

from collections.abc import Iterable

from kpis.formulas import Formula, parse
from kpis.models import KpiVersion
from processes.models import Decision
from roles.models import Company


def signed_formulas(*, company: Company, decisions: Iterable[Decision]) -> dict[int, Formula]:
    """Decision id → the formula in its evidence; of older evidence, without one, what was in force when it was signed or
    opened. Decisions of a KPI that has none are left out. One query at most; decisions come with breach and version."""
    decisions = [row for row in decisions if row.breach_id]
    told = {row.pk: text for row in decisions if (text := row.kept_evidence.get("kpi", {}).get("formula"))}
    silent = [row for row in decisions if row.pk not in told]
    if silent:
        kpis = {row.breach.version.kpi_id for row in silent}
        versions = list(KpiVersion.objects.filter(company=company, kpi__in=kpis).order_by("number"))
        for row in silent:
            found = _in_force(row, [one for one in versions if one.kpi_id == row.breach.version.kpi_id])
            if found is not None:
                told[row.pk] = found.formula
    parsed = {text: parse(text) for text in set(told.values())}
    return {pk: parsed[text] for pk, text in told.items()}


def _in_force(decision: Decision, versions: list[KpiVersion]) -> KpiVersion | None:
    """Of the versions of one KPI, oldest first, the one that stood then; before the first of them the first."""
    moment = decision.signed_at or decision.opened_at
    standing = [row for row in versions if row.superseded_at is None or row.superseded_at > moment]
    return standing[0] if standing else None
