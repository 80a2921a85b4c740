"""The figures of a rule on a scope in the terms of its window: by day, per mailing, against a budget."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from kpis.budgets import Allowance, budget_figures
from kpis.day_classes import Figures, Window
from kpis.formulas import Formula
from kpis.models import StopRuleVersion
from kpis.series import History, Scope
from roles.fields import to_micros
from roles.models import Campaign, Channel

SPENDING = "spend"
"""The formula of the KPI that a budget rule watches."""


class Series(NamedTuple):
    """One rule version on one running scope; `campaign` None: the channel as a whole. A tuple: there are many of them."""

    version: StopRuleVersion
    channel: Channel
    campaign: Campaign | None

    @property
    def scope(self) -> Scope:
        return self.channel.id, 0 if self.campaign is None else self.campaign.id

    @property
    def key(self) -> tuple[int, int, int]:
        """(rule, channel, campaign or 0)."""
        return self.version.rule_id, *self.scope

    @property
    def line(self) -> Decimal:
        """The rule's line; of a budget the share that the scope's own tolerance bears, where it has one."""
        tolerance = (self.campaign or self.channel).tolerance
        if self.version.window == Window.BUDGET and tolerance is not None:
            return 1 + tolerance
        return self.version.line

    @property
    def allowance(self) -> Allowance:
        """What the scope may spend and lose, as a budget rule reads it."""
        budget = budget_of(self.version, self.channel, self.campaign)
        stop_loss = (self.campaign or self.channel).stop_loss
        return Allowance(
            None if budget is None else to_micros(budget), None if stop_loss is None else to_micros(stop_loss),
            monthly=self.version.period != StopRuleVersion.Period.TEST,
        )  # fmt: skip


def budget_of(version: StopRuleVersion, channel: Channel, campaign: Campaign | None) -> Decimal | None:
    """The budget that a budget rule holds the scope to: of a campaign its own; of a channel the month's, or the test's where
    the rule is about a test and the channel has one."""
    if campaign is not None:
        return campaign.budget
    if version.period == StopRuleVersion.Period.TEST and channel.test_budget is not None:
        return channel.test_budget
    return channel.monthly_budget


def metrics_needed(versions: Iterable[StopRuleVersion], formulas: dict[int, Formula]) -> set[str]:
    """Codes of the metrics that judging these versions takes."""
    versions = list(versions)
    windows = {version.window for version in versions}
    codes = set().union(*(formulas[version.kpi_id].metrics for version in versions if version.kpi_id in formulas))
    if Window.EVENT in windows:
        codes.add("sends")
    if Window.BUDGET in windows:
        codes |= {"spend", "gross_profit"}
    return codes


def figures_of(
    history: History, formulas: dict[int, Formula], series: list[Series]
) -> tuple[list[int], Figures | None]:
    """The places in `series` of those with something to judge, and their figures in that order.

    Left out: scopes without facts, mailings that sent nothing, scopes without a budget and a stop-loss, unknown KPIs.
    """
    by_version: dict[int, list[int]] = {}
    for number, one in enumerate(series):
        by_version.setdefault(id(one.version), []).append(number)
    groups: dict[tuple[Formula, str], list[int]] = {}
    for mine in by_version.values():
        version = series[mine[0]].version
        if version.kpi_id in formulas:
            groups.setdefault((formulas[version.kpi_id], _kind(version)), []).extend(mine)
    order, parts = [], []
    for (formula, window), mine in groups.items():
        chosen, figures = _of_window(window, history, formula, series, mine)
        if chosen:
            order += chosen
            parts.append(figures)
    return order, Figures.joined(parts) if parts else None


def _kind(version: StopRuleVersion) -> str:
    return version.window if version.window in (Window.EVENT, Window.BUDGET) else ""


def _of_window(
    window: str, history: History, formula: Formula, series: list[Series], mine: list[int]
) -> tuple[list[int], Figures | None]:
    if window == Window.EVENT:
        history = history.of_mailings([series[number].scope for number in mine])
    known = history.rows
    rows = {number: row for number in mine if (row := known.get(series[number].scope)) is not None}
    if window == Window.BUDGET:
        rows = {number: row for number, row in rows.items() if series[number].allowance.bounds_anything}
    if not rows:
        return [], None
    chosen = list(rows)
    if window == Window.BUDGET:
        budgets = [(series[number].scope, series[number].allowance) for number in chosen]
        return chosen, budget_figures(history, *map(list, zip(*budgets, strict=True)))
    return chosen, history.figures_at(formula, np.fromiter(rows.values(), int, len(rows)))
