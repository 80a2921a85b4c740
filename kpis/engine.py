"""The stop-rule engine: the only implementation of domain.md 3.1 and 3.2. Pure and vectorised.

Many (rule version, scope) series at once, one vector step per calendar day. Live evaluation, replay after late data and
back-test all call `run`. Signatures come in as marks on their day; age, shadow week and guards are no business of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from kpis.day_classes import (
    NEVER_OLDER,
    DayClass,
    Figures,
    NoData,
    Rule,
    Window,
    classify,
    confirmed,
    signs,
    wide_enough,
)

GRACE_DAYS = 3
FALSE_ALARM_DAYS = 3
PAUSE_DAYS = 7


class State(IntEnum):
    """Where a series stands after a day; NONE: before its first day. DISABLED is not the machine's: nothing is evaluated."""

    NONE = 0
    OK = 1
    PENDING = 2
    FIRING = 3
    MUTED = 4
    STOPPED = 5
    RECOVERING = 6
    NO_DATA = 7
    DISABLED = 8

    @property
    def code(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class Mark:
    """A signature on its day (an index): stop, rewrite, cut, continue, false_alarm, resume.

    `until`: the last muted day of "continue"; `extra`: the numerator that may still be spent (units of the figures).
    """

    series: int
    day: int
    kind: str
    until: int | None = None
    extra: int | None = None


@dataclass(frozen=True)
class Event:
    """What happened on a day: opened, recovered, paused, data_incident, signed."""

    series: int
    day: int
    kind: str


@dataclass
class Episode:
    """A run of firing: `first` breaching day, the day that `opened` it, its breaching `days`, and how it ended.

    `muted`: under an override it goes on without a decision; `rounds` are the days on which it fired (again).
    """

    series: int
    first: int
    opened: int
    muted: bool = False
    rounds: list[int] = field(default_factory=list)
    days: list[int] = field(default_factory=list)
    closed: int | None = None
    closed_as: str = ""


@dataclass
class Incident:
    """A run of missing days that made the state NO_DATA, from its `first` to its `last` day so far; `over` when it ended."""

    series: int
    first: int
    opened: int
    last: int
    over: bool = False


@dataclass(frozen=True)
class Outcome:
    """Per series and day: class, state and streak after the day; and what happened, in order of days."""

    classes: np.ndarray
    states: np.ndarray
    streaks: np.ndarray
    events: list[Event]
    episodes: list[Episode]
    incidents: list[Incident]
    streak_days: list[list[int]]


def run(figures: Figures, rules: list[Rule], marks: Iterable[Mark] = (), spent: Figures | None = None) -> Outcome:
    """Replay every series from its first day. `rules`: one per row of the figures.

    `spent`: what "continue until an extra spend" counts, as its numerator; the figures' own numerator without it.
    """
    return _Machine(figures, rules, marks, spent or figures).replay()


class _Machine:
    def __init__(self, figures: Figures, rules: list[Rule], marks: Iterable[Mark], spent: Figures):
        self.figures, self.rules, self.spent = figures, rules, spent
        rows, days = self.rows, self.days = figures.shape
        self.classes = classify(figures, rules)
        self._apply_policy()
        self.may_fire = confirmed(figures, rules)
        self.ready = self.classes > DayClass.NOT_READY
        self.needed, self.span, self.limit, self.clear_days, self.window = (
            np.array([value(rule) for rule in rules], np.int32)
            for value in (
                lambda rule: rule.needed, lambda rule: min(rule.span, NEVER_OLDER), lambda rule: rule.missing_limit,
                lambda rule: 1 if rule.window is Window.SINCE_CONVERSION else rule.clear_days, lambda rule: rule.n,
            )
        )  # fmt: skip
        self.sliding = np.array([rule.window is Window.M_OF_N for rule in rules], bool)
        self.dripping = np.flatnonzero([rule.window is Window.SINCE_CONVERSION for rule in rules])
        self.drips = np.zeros(rows, bool)
        self.drips[self.dripping] = True
        self.drip_lines = [rules[index].k * rules[index].line for index in self.dripping]
        self.money = wide_enough(figures.numerator, days)
        self.drip = np.zeros(len(self.dripping), self.money.dtype)

        self.state, self.streak, self.clean, self.missing, self.idle, self.grace = (
            np.zeros(rows, np.int32) for _counter in range(6)
        )
        self.emptied = np.full(rows, -1, np.int32)
        self.mute_until = np.full(rows, -1, np.int32)
        self.extra: dict[int, list[int]] = {}
        self.is_open, self.reported = np.zeros(rows, bool), np.zeros(rows, bool)
        self.breaches = np.zeros((rows, days + 1), np.int32)
        self.judged = np.zeros((rows, days + 1), np.int32)
        self.judged_count = np.zeros(rows, np.int32)
        self.episode_of: dict[int, Episode] = {}
        self.incident_of: dict[int, Incident] = {}
        self.marks: dict[int, list[Mark]] = {}
        for mark in marks:
            self.marks.setdefault(max(mark.day, 0), []).append(mark)
        self.events: list[Event] = []
        self.episodes: list[Episode] = []
        self.incidents: list[Incident] = []

    def _apply_policy(self) -> None:
        for policy, becomes in ((NoData.BREACH, DayClass.BREACH), (NoData.OK, DayClass.OK)):
            rows = np.array([[rule.no_data is policy] for rule in self.rules], bool).reshape(self.rows, 1)
            self.classes[rows & (self.classes == DayClass.MISSING)] = becomes

    def replay(self) -> Outcome:
        states = np.zeros((self.rows, self.days), np.int8)
        streaks = np.zeros((self.rows, self.days), np.int32)
        for day in range(self.days):
            self.state[(self.state == State.NONE) & (self.figures.start <= day)] = State.OK
            for mark in self.marks.get(day, ()):
                self._sign(mark, day)
            self._step(day)
            states[:, day] = self.state
            streaks[:, day] = self.streak
        for episode in self.episodes:
            last = self.days if episode.closed is None else episode.closed + 1
            row = self.breaches[episode.series]
            episode.days = [day for day in range(episode.first, last) if row[day + 1] > row[day]]
        for series, incident in self.incident_of.items():
            incident.last = incident.first + int(self.missing[series]) - 1
        return Outcome(
            self.classes, states, streaks, self.events, self.episodes, self.incidents,
            [self._streak_days(series) for series in range(self.rows)],
        )  # fmt: skip

    # ------------------------------------------------------------------ one day
    def _step(self, day: int) -> None:
        live = self.ready[:, day] & (self.state != State.STOPPED)
        self.breaches[:, day + 1] = self.breaches[:, day]
        if not live.any():
            return
        muted = self._muted(day, live)
        classes = self.classes[:, day]
        absent = live & (classes == DayClass.MISSING)
        seen = live & ~absent
        self._missing(day, absent)
        self._seen_again(seen, muted)
        classes = self._judge_drips(day, seen, classes)
        counts = seen & ((classes == DayClass.BREACH) | (classes == DayClass.GREY) | (classes == DayClass.OK))
        counts &= ~self._in_grace(day, seen, counts)
        breach = counts & (classes == DayClass.BREACH)
        self.breaches[:, day + 1] += breach
        self._slide(day, counts)
        if breach.any():
            self._breach(day, breach, muted)
        calm = counts & ~breach
        if calm.any():
            self._calm(day, calm, calm & (classes == DayClass.OK), muted)
        self._idle(day, absent, seen, classes == DayClass.INACTIVE, muted)

    def _muted(self, day: int, live: np.ndarray) -> np.ndarray:
        """Which series an override or cool-down covers on this day; where it has just ended, the state says so."""
        for series, (limit, so_far) in list(self.extra.items()):
            if live[series] and self.spent.known[series, day]:
                self.extra[series][1] = so_far = so_far + int(self.spent.numerator[series, day])
            if so_far >= limit:
                self.mute_until[series] = -1
                del self.extra[series]
        muted = self.mute_until >= day
        ended = live & ~muted & (self.state == State.MUTED)
        self.state[ended] = np.where(self.streak[ended] > 0, State.PENDING, State.OK)
        return muted

    def _missing(self, day: int, absent: np.ndarray) -> None:
        if not absent.any():
            return
        self.missing[absent] += 1
        lost = absent & (self.missing > self.limit) & (self.state != State.FIRING)
        self.state[lost] = State.NO_DATA
        self._empty(lost, day)
        for series in np.flatnonzero(lost & ~self.reported):
            first = day - int(self.missing[series]) + 1
            incident = self.incident_of[series] = Incident(int(series), first, day, day)
            self.incidents.append(incident)
            self.events.append(Event(int(series), day, "data_incident"))
        self.reported |= lost

    def _seen_again(self, seen: np.ndarray, muted: np.ndarray) -> None:
        for series in np.flatnonzero(seen & self.reported):
            self._end_incident(series)
        back = seen & (self.state == State.NO_DATA)
        self.state[back] = np.where(
            muted[back], State.MUTED, np.where(self.grace[back] > 0, State.RECOVERING, State.OK)
        )  # fmt: skip
        self.missing[seen] = 0

    def _end_incident(self, series: int) -> None:
        incident = self.incident_of.pop(series)
        incident.last, incident.over = incident.first + int(self.missing[series]) - 1, True
        self.reported[series] = False

    def _judge_drips(self, day: int, seen: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """Kind "since the last conversion": what was spent without one decides between THIN and BREACH."""
        rows = self.dripping
        if not len(rows):
            return classes
        spending = seen[rows] & (classes[rows] == DayClass.THIN)
        converted = seen[rows] & self.figures.known[rows, day] & (classes[rows] == DayClass.OK)
        self.drip[converted] = 0
        self.drip[spending] += self.money[rows, day][spending]
        self.drip[self.grace[rows] > 0] = 0
        reached = spending & (signs(self.drip, np.ones_like(self.drip), self.drip_lines) >= 0)
        self.classes[rows[reached], day] = DayClass.BREACH
        return self.classes[:, day]

    def _in_grace(self, day: int, seen: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """After a cut or a restart the first evaluable days do not count."""
        resting = self.grace > 0
        spared = resting & (counts | (seen & self.drips & (self.classes[:, day] == DayClass.THIN)))
        if spared.any():
            self.grace[spared] -= 1
            self._empty(spared, day)
            self.state[spared] = np.where(self.grace[spared] > 0, State.RECOVERING, State.OK)
        return spared

    def _slide(self, day: int, counts: np.ndarray) -> None:
        """Remember the evaluable days: "M of the last N" looks back over them."""
        if self.sliding.any():
            rows = np.flatnonzero(counts & self.sliding)
            self.judged[rows, self.judged_count[rows]] = day
            self.judged_count[rows] += 1

    def _streak(self, day: int, rows: np.ndarray) -> np.ndarray:
        """How many breaching days count after this day."""
        after = np.maximum(self.emptied[rows], day - self.span[rows])
        oldest = self.judged[rows, np.maximum(self.judged_count[rows] - self.window[rows], 0)] - 1
        full = self.sliding[rows] & (self.judged_count[rows] > self.window[rows])
        after = np.where(full, np.maximum(after, oldest), after)
        return self.breaches[rows, day + 1] - self.breaches[rows, np.maximum(after + 1, 0)]

    def _breach(self, day: int, breach: np.ndarray, muted: np.ndarray) -> None:
        rows = np.flatnonzero(breach)
        self.clean[rows] = 0
        self.streak[rows] = self._streak(day, rows)
        waiting = rows[self.state[rows] != State.FIRING]
        enough = (self.streak[waiting] >= self.needed[waiting]) & self.may_fire[waiting, day]
        self.state[waiting] = np.where(muted[waiting], State.MUTED, State.PENDING)
        for series in waiting[enough & muted[waiting]]:
            self._open(int(series), day, muted=True)
        for series in waiting[enough & ~muted[waiting]]:
            self.state[series] = State.FIRING
            self._open(int(series), day, muted=False)
            self.events.append(Event(int(series), day, "opened"))

    def _open(self, series: int, day: int, *, muted: bool) -> None:
        episode = self.episode_of.get(series)
        if episode is None:
            episode = self.episode_of[series] = Episode(series, self._first_day(series, day), day, muted)
            self.episodes.append(episode)
            self.is_open[series] = True
        episode.muted = muted
        if not muted:
            episode.rounds.append(day)

    def _first_day(self, series: int, day: int) -> int:
        """The oldest breaching day of the streak."""
        row = self.breaches[series, : day + 2]
        return int(np.searchsorted(row, row[-1] - self.streak[series], side="right")) - 1

    def _calm(self, day: int, calm: np.ndarray, fine: np.ndarray, muted: np.ndarray) -> None:
        quiet = calm & (self.state != State.FIRING)
        self.state[quiet] = np.where(muted[quiet], State.MUTED, State.OK)
        self._empty(quiet & ~self.sliding, day)
        rows = np.flatnonzero(quiet & self.sliding)
        self.streak[rows] = self._streak(day, rows)
        held = calm & ((self.state == State.FIRING) | self.is_open)
        self.clean[held] = np.where(fine[held], self.clean[held] + 1, 0)
        self._end(held & (self.clean >= self.clear_days), day, "recovered", muted)

    def _idle(self, day, absent, seen, inactive, muted) -> None:
        self.idle[absent | (seen & ~inactive)] = 0
        self.idle[seen & inactive] += 1
        self._end(seen & self.is_open & (self.idle >= PAUSE_DAYS), day, "paused", muted)

    def _end(self, rows: np.ndarray, day: int, kind: str, muted: np.ndarray) -> None:
        """The episode is over by itself."""
        if not rows.any():
            return
        self.state[rows] = np.where(muted[rows], State.MUTED, State.OK)
        self._empty(rows, day)
        self.clean[rows] = 0
        for series in np.flatnonzero(rows):
            self._close(int(series), day, kind)

    def _close(self, series: int, day: int, kind: str) -> None:
        episode = self.episode_of.pop(series, None)
        if episode is not None:
            episode.closed, episode.closed_as = day, kind
            self.is_open[series] = False
            self.events.append(Event(series, day, kind))

    def _empty(self, rows: np.ndarray, day: int) -> None:
        self.streak[rows] = 0
        self.emptied[rows] = day

    # ------------------------------------------------------------------ signatures
    def _sign(self, mark: Mark, day: int) -> None:
        """A signature ends FIRING and empties the streak; it is put before the day's own figures."""
        series = mark.series
        self.streak[series] = self.clean[series] = 0
        self.emptied[series] = day - 1
        self.mute_until[series] = -1
        self.extra.pop(series, None)
        self.grace[series] = 0
        if mark.kind in ("continue", "false_alarm"):
            self._mute(mark, day)
            return
        self._close(series, day, "signed")
        if mark.kind in ("cut", "resume"):
            self._restart(series)
        else:
            self.state[series] = State.STOPPED
        self.idle[series] = 0
        if self.reported[series]:
            self._end_incident(series)
        self.missing[series] = 0

    def _restart(self, series: int) -> None:
        """The first evaluable days do not count; a mailing has none after its own."""
        if self.rules[series].window is Window.EVENT:
            self.state[series] = State.OK
        else:
            self.state[series], self.grace[series] = State.RECOVERING, GRACE_DAYS

    def _mute(self, mark: Mark, day: int) -> None:
        last = day + FALSE_ALARM_DAYS - 1 if mark.kind == "false_alarm" else mark.until
        self.mute_until[mark.series] = NEVER_OLDER if last is None else last
        if mark.extra is not None:
            self.extra[mark.series] = [mark.extra, 0]
        self.state[mark.series] = State.MUTED
        if mark.series in self.episode_of:
            self.episode_of[mark.series].muted = True
            self.events.append(Event(mark.series, day, "signed"))

    def _streak_days(self, series: int) -> list[int]:
        """Indexes of the breaching days in the streak after the last day."""
        row, length = self.breaches[series], int(self.streak[series])
        steps = np.flatnonzero(np.diff(row) > 0)
        return [int(day) for day in steps[len(steps) - length :]] if length else []
