"""Evaluating a company's stop-rules: replay, then write what differs. Doing it twice writes nothing the second time.

The one writer of RuleState, EvaluationLog, Breach and DataIncident; runs in one transaction under the company's lease.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Max

from kpis import findings, guard
from kpis.day_classes import DayClass
from kpis.engine import State
from kpis.failpoints import failpoint
from kpis.models import Breach, DataIncident, EvaluationLog, Import, RuleState, StopRuleVersion, Verdict
from kpis.replay import Replay, Series, in_force, marks_of, replay, runs_again, series_of, verdicts_of
from roles.models import Company

LOG_DAYS = 60
Key = tuple[int, int, int]
"""(version, channel, campaign or 0)."""


@dataclass
class Outcome:
    """What an evaluation changed; all empty the second time."""

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

    @property
    def rows(self) -> int:
        """How many rows were written, audit events not counted."""
        lists = (self.opened, self.closed, self.updated, self.incidents_opened, self.incidents_closed)
        return self.states + self.logged + self.resumed + self.held + self.incidents_updated + sum(map(len, lists))


@transaction.atomic
def evaluate_company(*, company: Company, at: datetime, today: date, dirty_from: date | None = None) -> Outcome:
    """Replay every rule in force on every running scope and write what differs.

    `dirty_from`: the earliest day whose facts may have changed since the last time; without it the log of the last 60
    days is compared day by day. States, breaches and incidents are always compared.
    """
    outcome = Outcome()
    versions = in_force(company=company)
    verdicts = verdicts_of(company=company, versions=versions)
    series = series_of(company=company, versions=versions)
    verdicts += _note_restarts(company, series, verdicts, today, outcome)
    found = replay(company=company, versions=versions, today=today, verdicts=verdicts)
    states = _states(company, versions)
    _write_log(company, found, states, today, dirty_from, outcome)
    work = findings.Work(company, found, series, versions, states, at, today)
    findings.write_breaches(work, outcome)
    findings.write_incidents(work, outcome)
    guard.hold_suspicious(work, outcome)
    _write_states(company, found, series, states, outcome)
    failpoint("evaluation.before_commit")
    return outcome


def _note_restarts(company, series: list[Series], verdicts: list[Verdict], today: date, outcome) -> list[Verdict]:
    """A channel that a signature stopped and that runs again: the machine goes on to RECOVERING from today."""
    fresh = [
        Verdict(company=company, rule_id=one.version.rule_id, channel=one.channel, campaign=one.campaign, day=today,
                kind=Verdict.Kind.RESUME)
        for one, marks in zip(series, marks_of(series, verdicts), strict=True) if runs_again(marks)
    ]  # fmt: skip
    outcome.resumed = len(fresh)
    return Verdict.objects.bulk_create(fresh) if fresh else []


def _states(company: Company, versions: list[StopRuleVersion]) -> dict[Key, RuleState]:
    rows = RuleState.objects.filter(company=company, version__in=versions)
    return {(row.version_id, row.channel_id, row.campaign_id or 0): row for row in rows}


def key_of(one: Series) -> Key:
    return one.version.pk, *one.scope


# ---------------------------------------------------------------- states
def _write_states(company, found: Replay | None, series: list[Series], states, outcome: Outcome) -> None:
    fresh, changed = [], []
    running = {key_of(one) for one in series}
    for number, one in enumerate(found.series if found else []):
        values = _state_values(found, number)
        row = states.get(key_of(one))
        if row is None:
            fresh.append(
                RuleState(company=company, version=one.version, channel=one.channel, campaign=one.campaign, **values)
            )
        elif _differs(row, values):
            changed.append(row)
    for key, row in states.items():
        if key not in running and row.state not in (State.STOPPED.code, State.DISABLED.code):
            row.state, row.streak = State.DISABLED.code, []
            changed.append(row)
    RuleState.objects.bulk_create(fresh)
    RuleState.objects.bulk_update(changed, ["state", "streak", "last_day", "last_value", "detail"], batch_size=500)
    outcome.states = len(fresh) + len(changed)


def _state_values(found: Replay, number: int) -> dict:
    outcome, history = found.outcome, found.history
    last = found.last_ready(number)
    row = outcome.states[number]
    changes = [index for index in range(1, len(row)) if row[index] != row[index - 1]] or [0]
    since = max(changes[-1], int(found.figures.start[number]))
    return {
        "state": State(int(row[-1])).code,
        "streak": [history.day(day).isoformat() for day in outcome.streak_days[number]],
        "last_day": history.day(last),
        "last_value": found.value(number, last),
        "detail": {"since": history.day(since).isoformat()},
    }


def _differs(row, values: dict) -> bool:
    """Put the values into the row; did anything change?"""
    different = False
    for name, value in values.items():
        if getattr(row, name) != value:
            setattr(row, name, value)
            different = True
    return different


# ---------------------------------------------------------------- the log
def _write_log(company, found: Replay | None, states, today: date, dirty_from: date | None, outcome: Outcome) -> None:
    if found is None:
        return
    floor = today - timedelta(days=LOG_DAYS)
    since = [_log_from(states.get(key_of(one)), floor, dirty_from) for one in found.series]
    versions = {one.version.pk for one in found.series}
    kept = EvaluationLog.objects.filter(company=company, version__in=versions, day__gte=max(floor, min(since)))
    rows = {(row.version_id, row.channel_id, row.campaign_id or 0, row.day): row for row in kept}
    fresh, changed = [], []
    for number, one in enumerate(found.series):
        for day in _log_days(found, number, since[number]):
            values = _log_values(found, number, day)
            row = rows.pop((*key_of(one), found.history.day(day)), None)
            if row is None:
                fresh.append(
                    EvaluationLog(
                        company=company, version=one.version, channel=one.channel, campaign=one.campaign,
                        day=found.history.day(day), **values,
                    )
                )  # fmt: skip
            elif _differs(row, values):
                changed.append(row)
    stale = _stale(found, since, rows)
    if stale:
        EvaluationLog.objects.filter(company=company, pk__in=[row.pk for row in stale]).delete()
    seen = _newest_load(company) if fresh or changed else None
    for row in (*fresh, *changed):
        row.seen_load_id = seen
    EvaluationLog.objects.bulk_create(fresh, batch_size=2000)
    fields = ["day_class", "state", "numerator", "denominator", "streak", "seen_load_id"]
    EvaluationLog.objects.bulk_update(changed, fields, batch_size=500)
    outcome.logged = len(fresh) + len(changed) + len(stale)


def _newest_load(company: Company) -> int:
    """The newest load whose figures this transaction can see; 0 before the first."""
    done = Import.objects.filter(company=company, state=Import.State.DONE)
    return done.aggregate(newest=Max("pk"))["newest"] or 0


def _stale(found: Replay, since: list[date], rows: dict) -> list[EvaluationLog]:
    """Days that were judged once and have no figures any more: their load was undone."""
    from_day = {key_of(one): since[number] for number, one in enumerate(found.series)}
    return [row for (*key, day), row in rows.items() if day >= from_day.get(tuple(key), date.max)]


def _log_from(state: RuleState | None, floor: date, dirty_from: date | None) -> date:
    """The first day of the log that may differ from what is written."""
    if state is None or dirty_from is None or state.state == State.DISABLED.code:
        return floor
    return max(floor, min(dirty_from, state.last_day + timedelta(days=1)))


def _log_days(found: Replay, number: int, since: date) -> Iterable[int]:
    first = max(int(found.figures.start[number]), found.history.index(since), 0)
    return range(first, found.last_ready(number) + 1)


def _log_values(found: Replay, number: int, day: int) -> dict:
    numerator, denominator = found.parts(number, day)
    return {
        "day_class": DayClass(int(found.outcome.classes[number, day])).code,
        "state": State(int(found.outcome.states[number, day])).code,
        "numerator": numerator,
        "denominator": denominator,
        "streak": int(found.outcome.streaks[number, day]),
    }
