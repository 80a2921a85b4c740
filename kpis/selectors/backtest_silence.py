"""What a rule was silent about on history, and why: too few, no figures, held back by its own confirmation."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy as np

from kpis import engine
from kpis.day_classes import BY_DAY, DayClass, Rule, Window, beyond
from kpis.engine import State
from kpis.replay import Replay, rule_of
from kpis.selectors.backtest import Trial
from roles.fields import MICRO

MOST = 4
GAP_DAYS = 3


@dataclass(frozen=True)
class Silence:
    """A run of days without a word, although they were beyond the line or nothing was known.

    `kind`: thin, missing, held (the 7 days together were within the line). Of a thin one: the KPI from `low` to `high`
    (None: no result at all), the sample from `small` to `large`; `lowered`: with this minimum it would have fired.
    """

    subject: object
    first: date
    last: date
    kind: str
    low: Decimal | None = None
    high: Decimal | None = None
    small: Decimal | None = None
    large: Decimal | None = None
    lowered: Decimal | None = None

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class Told:
    """The longest silences, oldest first, and how many days of all scopes were of each kind."""

    silences: list[Silence]
    more: int
    judged: int
    thin: int
    missing: int
    inactive: int


@dataclass(frozen=True)
class _Run:
    row: int
    first: int
    last: int
    kind: str

    @property
    def length(self) -> int:
        return self.last - self.first + 1


def silences(trial: Trial, since: date, until: date) -> Told:
    """Why the draft said nothing on days on which one might have expected it to."""
    found = trial.replay
    if found is None:
        return Told([], 0, 0, 0, 0, 0)
    history = found.history
    first, last = max(history.index(since), 0), min(history.index(until), history.days - 1)
    rows = len(found.series)
    classes = found.outcome.classes[:rows, first : last + 1]
    runs = sorted(_runs(trial, found, first, last), key=lambda run: -run.length)
    shown = sorted(runs[:MOST], key=lambda run: run.first)
    lowered = _lowered(trial, found, [run for run in shown if run.kind == "thin"])
    judged = int((classes >= DayClass.BREACH).sum())
    counts = (int((classes == kind).sum()) for kind in (DayClass.THIN, DayClass.MISSING, DayClass.INACTIVE))
    return Told([_told(found, run, lowered.get(run)) for run in shown], len(runs) - len(shown), judged, *counts)


def _runs(trial: Trial, found: Replay, first: int, last: int) -> list[_Run]:
    version, rows = trial.version, len(found.series)
    rule = rule_of(version, trial.draft.formula.scales)
    classes, figures = found.outcome.classes[:rows], found.figures
    masks = [("missing", classes == DayClass.MISSING, GAP_DAYS)]
    if version.window in (Window.IN_A_ROW, Window.M_OF_N):
        over = beyond(figures.numerator, figures.denominator, [rule.line] * rows, 1 if rule.above else -1)
        masks.append(("thin", (classes == DayClass.THIN) & figures.known & over, rule.needed))
    if version.window in BY_DAY and version.confirm_pooled_7d:
        held = (found.outcome.streaks[:rows] >= rule.needed) & (found.outcome.states[:rows] == State.PENDING)
        masks.append(("held", held, 1))
    return [
        _Run(row, start, end, kind)
        for kind, mask, shortest in masks
        for row, start, end in _stretches(mask, first, last)
        if end - start + 1 >= shortest
    ]


def _stretches(mask: np.ndarray, first: int, last: int) -> list[tuple[int, int, int]]:
    """(row, first day, last day) of every unbroken stretch within the days."""
    inside = np.zeros((mask.shape[0], max(last - first + 1, 0) + 2), np.int8)
    inside[:, 1:-1] = mask[:, first : last + 1]
    edges = np.diff(inside, axis=1)
    rows, starts = np.nonzero(edges == 1)
    _rows, ends = np.nonzero(edges == -1)
    return [
        (int(row), first + int(start), first + int(end) - 1) for row, start, end in zip(rows, starts, ends, strict=True)
    ]


def _samples(found: Replay, run: _Run) -> np.ndarray:
    return found.figures.denominator[run.row, run.first : run.last + 1]


def _lowered(trial: Trial, found: Replay, runs: list[_Run]) -> dict[_Run, Decimal]:
    """For each run the smallest sample on its days, where the rule would have fired with that as its minimum."""
    wanted = [run for run in runs if int(_samples(found, run).min()) > 0]
    if not wanted:
        return {}
    below = trial.draft.formula.scales[1]
    base = rule_of(trial.version, trial.draft.formula.scales)
    rules: list[Rule] = [replace(base, minimum_sample=Fraction(int(_samples(found, run).min()))) for run in wanted]
    outcome = engine.run(found.figures.only(np.array([run.row for run in wanted])), rules)
    fires = {
        wanted[episode.series] for episode in outcome.episodes
        if wanted[episode.series].first <= episode.opened <= wanted[episode.series].last
    }  # fmt: skip
    return {run: Decimal(int(_samples(found, run).min())) / (below * MICRO) for run in fires}


def _told(found: Replay, run: _Run, lowered: Decimal | None) -> Silence:
    one, days = found.series[run.row], (found.history.day(run.first), found.history.day(run.last))
    subject = one.campaign or one.channel
    if run.kind != "thin":
        return Silence(subject, *days, run.kind)
    values = [value for day in range(run.first, run.last + 1) if (value := found.value(run.row, day)) is not None]
    samples = [part[1] for day in range(run.first, run.last + 1) if (part := found.parts(run.row, day))[1] is not None]
    return Silence(
        subject, *days, run.kind, min(values, default=None), max(values, default=None), min(samples), max(samples), lowered
    )  # fmt: skip
