"""What judging a range of companies takes besides the facts: rules in force, running scopes, signatures, formulas, sources.

A handful of queries however many companies there are; the rules of who is judged are those of `kpis.replay`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from django.db.models import Model, QuerySet
from django.db.models.base import ModelState

from kpis.doubts import Doubt, open_doubts
from kpis.formulas import Formula, parse
from kpis.histories import sources_of
from kpis.metrics import BUILT_IN
from kpis.models import KpiVersion, Metric, StopRuleVersion, Verdict
from kpis.replay import channels_of, judged_on, scopes_of, verdicts_of
from kpis.windows import Series
from roles.models import Campaign, Channel, Company


@dataclass(frozen=True)
class Inputs:
    """Of every company by id: its versions in force, series, signatures and days in doubt; formulas by KPI id; sources by rank.

    `own_columns`: of every company the columns of its own metrics by code, where a formula looks at any; the built-in
    ones are everybody's.
    """

    companies: list[Company]
    versions: dict[int, list[StopRuleVersion]]
    series: dict[int, list[Series]]
    verdicts: dict[int, list[Verdict]]
    formulas: dict[int, Formula]
    sources: dict[int, list[int]]
    own_columns: dict[int, dict[str, str]]
    doubts: dict[int, list[Doubt]]

    def only(self, companies: Iterable[Company]) -> "Inputs":
        """The same, of some of the companies."""
        return Inputs(
            list(companies), self.versions, self.series, self.verdicts, self.formulas, self.sources, self.own_columns,
            self.doubts,
        )  # fmt: skip


def read_inputs(*, companies: Sequence[Company]) -> Inputs:
    """Read them for these companies."""
    ids = [company.pk for company in companies]
    in_force = {"superseded_at": None, "approved_at__isnull": False, "active": True}
    rows = StopRuleVersion.objects.filter(company__in=ids, **in_force).order_by("rule__number")
    versions = by_company(light_rows(rows, TERMS))
    wanted = {version.kpi_id for found in versions.values() for version in found}
    texts = KpiVersion.objects.filter(company__in=ids, kpi__in=wanted, superseded_at=None)
    formulas = {kpi_id: parse(text) for kpi_id, text in texts.values_list("kpi_id", "formula")}
    return Inputs(
        list(companies), versions, _series(ids, versions), by_company(verdicts_of(companies=ids, versions=chain(*versions.values()))),
        formulas, sources_of(ids), _own_columns(ids, formulas.values()), open_doubts(ids),
    )  # fmt: skip


def _own_columns(ids: list[int], formulas: Iterable[Formula]) -> dict[int, dict[str, str]]:
    """Of every company the columns of its own metrics; nothing is asked where no formula looks at one."""
    found: dict[int, dict[str, str]] = defaultdict(dict)
    if any(formula.metrics - BUILT_IN.keys() for formula in formulas):
        rows = Metric.objects.filter(company__in=ids)
        for company_id, code, slot in rows.values_list("company_id", "code", "slot"):
            found[company_id][code] = f"extra_{slot}"
    return found


TERMS = (
    "id", "company_id", "rule_id", "number", "name", "kpi_id", "comparison", "line", "window", "n", "m", "k", "max_span",
    "period", "channel_id", "channel_kind", "per", "minimum_sample", "zero_line", "no_data", "settling_days",
    "confirm_pooled_7d", "clear_ratio", "clear_days", "shadow_until",
)  # fmt: skip
CHANNEL = ("id", "company_id", "name", "kind", "status", "monthly_budget", "test_budget", "tolerance", "stop_loss")
CAMPAIGN = ("id", "company_id", "channel_id", "name", "status", "series", "budget", "tolerance", "stop_loss")


def light_rows(rows: QuerySet, names: tuple[str, ...]) -> Iterator[Model]:
    """Instances with these columns only, made without Django's ceremony: it costs more than judging what they hold.

    The other columns are deferred, as after `.only()`.
    """
    model, database = rows.model, rows.db
    for values in rows.values_list(*names):
        one = model.__new__(model)
        one.__dict__.update(zip(names, values, strict=True))
        one._state = ModelState()
        one._state.adding, one._state.db = False, database
        yield one


def by_company(rows: Iterable) -> dict[int, list]:
    """Rows by the id of their company."""
    found = defaultdict(list)
    for row in rows:
        found[row.company_id].append(row)
    return found


def _series(ids: list[int], versions: dict[int, list[StopRuleVersion]]) -> dict[int, list[Series]]:
    """Every version on every running scope it is about, as `kpis.replay.series_of` has them."""
    by_campaign = any(version.per == StopRuleVersion.Per.CAMPAIGN for found in versions.values() for version in found)
    found = channels_of(companies=ids, by_campaign=by_campaign).order_by("pk")
    channels = by_company(judged_on(light_rows(found, CHANNEL)))
    campaigns: dict[int, list[Campaign]] = defaultdict(list)
    if by_campaign:
        parts = Campaign.objects.filter(company__in=ids, status__in=Channel.RUNNING).order_by("pk")
        for campaign in light_rows(parts, CAMPAIGN):
            campaigns[campaign.channel_id].append(campaign)
    return {
        company_id: [
            Series(version, *scope)
            for version in versions.get(company_id, ())
            for scope in scopes_of(version, channels.get(company_id, ()), campaigns)
        ]
        for company_id in ids
    }


def columns_of(inputs: Inputs, codes: Iterable[str]) -> dict[str, set[str]]:
    """Metric code → the columns that hold it: one for a built-in metric, one per slot for own ones of several companies."""
    found: dict[str, set[str]] = {}
    for code in codes:
        if code in BUILT_IN:
            found[code] = {BUILT_IN[code].column}
            continue
        slots = {
            own[code] for company in inputs.companies if (own := inputs.own_columns.get(company.pk, {})) and code in own
        }
        if slots:
            found[code] = slots
    return found
