"""What the stop-rule engine is told and what it says: states, signatures, events, runs of firing and of missing days."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

import numpy as np


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


class Event(NamedTuple):
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
