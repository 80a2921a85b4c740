"""Evaluating stop-rules: replay, then write what differs. Doing it twice writes nothing the second time.

The one writer of RuleState, EvaluationLog, Breach and DataIncident, for one company after a load and for a range of
companies in the morning alike; runs in one transaction under the leases of the companies.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import numpy as np
from django.db import transaction

from kpis import findings, guard
from kpis.failpoints import failpoint
from kpis.fleet.fingerprints import fingerprint
from kpis.fleet.inputs import Inputs, by_company, read_inputs
from kpis.fleet.replays import Together, replay_fleet
from kpis.fleet.traces import last_ready, read_stands, write_log, write_states
from kpis.models import Breach, DataIncident, Verdict
from kpis.replay import marks_of, runs_again
from roles.models import Company


@dataclass
class Outcome:
    """What an evaluation of one company changed; all empty the second time. `fingerprint`: of what it was judged by."""

    states: int = 0
    logged: int = 0
    opened: list[Breach] = field(default_factory=list)
    closed: list[Breach] = field(default_factory=list)
    updated: list[Breach] = field(default_factory=list)
    incidents_opened: list[DataIncident] = field(default_factory=list)
    incidents_closed: list[DataIncident] = field(default_factory=list)
    incidents_updated: int = 0
    resumed: int = 0
    held: int = 0
    fingerprint: str = ""

    @property
    def rows(self) -> int:
        """How many rows were written, audit events not counted."""
        lists = (self.opened, self.closed, self.updated, self.incidents_opened, self.incidents_closed)
        return self.states + self.logged + self.resumed + self.held + self.incidents_updated + sum(map(len, lists))


@dataclass(frozen=True)
class Order:
    """One company to evaluate.

    `dirty_from`: the earliest day whose facts may have changed since the last time; None: the log of the last 60 days is
    compared day by day, as it is when the `fingerprint` of the last time is not the one of now: other rules, scopes or
    budgets may judge any day otherwise. States, breaches and incidents are always compared.
    """

    company: Company
    dirty_from: date | None = None
    fingerprint: str | None = None


def evaluate_company(*, company: Company, at: datetime, today: date, dirty_from: date | None = None) -> Outcome:
    """Replay every rule in force on every running scope of one company and write what differs. `dirty_from`: see Order."""
    return evaluate_companies(orders=[Order(company, dirty_from)], at=at, today=today)[company.pk]


@transaction.atomic
def evaluate_companies(*, orders: Sequence[Order], at: datetime, today: date) -> dict[int, Outcome]:
    """The same for some hundred companies that have the same local date: what changed, by company id. All or nothing."""
    inputs = read_inputs(companies=[order.company for order in orders])
    outcomes = {order.company.pk: Outcome(fingerprint=fingerprint(inputs, order.company)) for order in orders}
    dirty = {
        order.company.pk: order.dirty_from
        if order.fingerprint in (None, outcomes[order.company.pk].fingerprint) else None
        for order in orders
    }  # fmt: skip
    _note_restarts(inputs, today, outcomes)
    stands = read_stands(version.id for found in inputs.versions.values() for version in found)
    judged = {company_id: found for found in replay_fleet(inputs=inputs, today=today) for company_id in found.rows}
    for found in _different(judged):
        write_log(found.replay, stands, today, dirty, outcomes, at)
    failpoint("evaluation.after_log")
    for work in _works(inputs, judged, stands, at, today):
        findings.write_breaches(work, outcomes[work.company.pk])
        findings.write_incidents(work, outcomes[work.company.pk])
        if guard.may_hold(work, outcomes[work.company.pk]):
            guard.hold_suspicious(work, outcomes[work.company.pk])
    series = [one for company in inputs.companies for one in inputs.series[company.pk]]
    for found in _different(judged):
        mine = {company_id: stands[company_id] for company_id in found.rows if company_id in stands}
        write_states(found.replay, series, mine, outcomes)
    idle = {company_id: rows for company_id, rows in stands.items() if company_id not in judged}
    write_states(None, series, idle, outcomes)
    failpoint("evaluation.before_commit")
    return outcomes


def _different(judged: dict[int, Together]) -> Iterable[Together]:
    return {id(found): found for found in judged.values()}.values()


def _note_restarts(inputs: Inputs, today: date, outcomes: dict[int, Outcome]) -> None:
    """Channels that a signature stopped and that run again: the machine goes on to RECOVERING from today."""
    fresh = []
    for company in inputs.companies:
        verdicts = inputs.verdicts.get(company.pk)
        if verdicts:
            series = inputs.series[company.pk]
            stopped = [one for one, marks in zip(series, marks_of(series, verdicts), strict=True) if runs_again(marks)]
            fresh += [
                Verdict(company=company, rule_id=one.version.rule_id, channel=one.channel, campaign=one.campaign, day=today,
                        kind=Verdict.Kind.RESUME)
                for one in stopped
            ]  # fmt: skip
            outcomes[company.pk].resumed = len(stopped)
    for verdict in Verdict.objects.bulk_create(fresh) if fresh else ():
        inputs.verdicts[verdict.company_id].append(verdict)


# ---------------------------------------------------------------- breaches and incidents
def _works(inputs: Inputs, judged: dict[int, Together], stands, at: datetime, today: date) -> Iterator[findings.Work]:
    """The companies that have, or had lately, anything that fires, lacks figures or is held."""
    ids = [company.pk for company in inputs.companies]
    breaches = by_company(findings.known_breaches(ids, today))
    incidents = by_company(findings.known_incidents(ids, today))
    runs = {id(found): _runs(found) for found in _different(judged)}
    suspicious = {
        company_id for found in _different(judged) for company_id in guard.with_zeros(found, last_ready(found.replay))
    }
    for company in inputs.companies:
        found = judged.get(company.pk)
        episodes, gaps = runs[id(found)].get(company.pk, NO_RUNS) if found else NO_RUNS
        known = breaches.get(company.pk, []), incidents.get(company.pk, [])
        if episodes or gaps or any(known) or company.pk in suspicious:
            yield findings.Work(
                company=company, together=found, series=inputs.series[company.pk], versions=inputs.versions.get(company.pk, []),
                states=stands.get(company.pk, {}), at=at, today=today, breaches=known[0], incidents=known[1],
                episodes=episodes, gaps=gaps, has_zeros=company.pk in suspicious,
            )  # fmt: skip


NO_RUNS: tuple[dict, dict] = ({}, {})


def _runs(found: Together) -> dict[int, tuple[dict[int, list], dict[int, list]]]:
    """Of each company its runs of firing and of missing days, by the number of the series."""
    owner = np.zeros(len(found.replay.series), np.int64)
    for company_id, rows in found.rows.items():
        owner[rows] = company_id
    found_by: dict[int, tuple[dict, dict]] = {}
    outcome = found.replay.outcome
    for kind, runs in enumerate((outcome.episodes, outcome.incidents)):
        for run in runs:
            mine = found_by.setdefault(int(owner[run.series]), ({}, {}))
            mine[kind].setdefault(run.series, []).append(run)
    return found_by
