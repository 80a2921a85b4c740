"""The stop-rule engine: the only implementation of domain.md 3.1 and 3.2. Pure and vectorised.

Many (rule version, scope) series at once, one vector step per calendar day. Live evaluation, replay after late data and
back-test all call `run`. Signatures come in as marks on their day; age, shadow week and guards are no business of it.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from kpis import drips
from kpis.day_classes import (
    NEVER_OLDER,
    DayClass,
    Figures,
    NoData,
    PerRow,
    Rule,
    Window,
    classify,
    confirmed,
    wide_enough,
)
from kpis.outcomes import Episode, Event, Incident, Mark, Outcome, State

GRACE_DAYS = 3
FALSE_ALARM_DAYS = 3
PAUSE_DAYS = 7
MISSING, INACTIVE, THIN, BREACH, FINE = (
    int(one) for one in (DayClass.MISSING, DayClass.INACTIVE, DayClass.THIN, DayClass.BREACH, DayClass.OK)
)
WELL, PENDING, FIRING, MUTED, STOPPED = (
    int(one) for one in (State.OK, State.PENDING, State.FIRING, State.MUTED, State.STOPPED)
)  # plain numbers: numpy takes an enum apart anew each time


def run(figures: Figures, rules: Sequence[Rule], marks: Iterable[Mark] = (), spent: Figures | None = None) -> Outcome:
    """Replay every series from its first day. `rules`: one per row of the figures.

    `spent`: what "continue until an extra spend" counts, as its numerator; the figures' own numerator without it.
    """
    return _Machine(figures, rules, marks, spent or figures).replay()


class _Machine:
    def __init__(self, figures: Figures, rules: Sequence[Rule], marks: Iterable[Mark], spent: Figures):
        rules = PerRow.of(rules)
        self.figures, self.rules, self.spent = figures, rules, spent
        rows, days = self.rows, self.days = figures.shape
        self.classes = np.asfortranarray(classify(figures, rules))  # every step reads one day of all series
        self._apply_policy()
        self.may_fire = None
        if any(rule.confirm_pooled_7d for rule in rules.values):
            self.may_fire = np.asfortranarray(confirmed(figures, rules))
        self.needed, self.span, self.limit, self.clear_days, self.window = (
            rules.array(value, np.int32)
            for value in (
                lambda rule: rule.needed, lambda rule: min(rule.span, NEVER_OLDER), lambda rule: rule.missing_limit,
                lambda rule: 1 if rule.window is Window.SINCE_CONVERSION else rule.clear_days, lambda rule: rule.n,
            )
        )  # fmt: skip
        self.sliding = rules.array(lambda rule: rule.window is Window.M_OF_N, bool)
        self.sliders, self.fixed = np.flatnonzero(self.sliding), ~self.sliding
        self.slides, self.nobody = bool(len(self.sliders)), np.zeros(rows, bool)
        self.marks: dict[int, list[Mark]] = {}
        for mark in marks:
            self.marks.setdefault(max(mark.day, 0), []).append(mark)
        self._judge_unsigned_drips()

        self.state, self.streak, self.clean, self.missing, self.idle, self.grace = (
            np.zeros(rows, np.int32) for _counter in range(6)
        )
        self.was_absent, self.pauses = False, bool((self.classes == INACTIVE).any())
        self.counted_from = np.zeros(rows, np.int32)
        self.mute_until = np.full(rows, -1, np.int32)
        self.extra: dict[int, list[int]] = {}
        self.is_open, self.reported = np.zeros(rows, bool), np.zeros(rows, bool)
        self.breaches = np.zeros((rows, days + 1), np.int32, order="F")
        self.judged, self.judged_count = np.zeros((rows, days + 1), np.int32), np.zeros(rows, np.int32)
        self.episode_of: dict[int, Episode] = {}
        self.incident_of: dict[int, Incident] = {}
        self.events: list[Event] = []
        self.episodes: list[Episode] = []
        self.before_first: list[int] = []
        self.incidents: list[Incident] = []
        self._foresee()

    def _judge_unsigned_drips(self) -> None:
        """The machine goes after those only that somebody signs: a signature changes what counts. They are `special`."""
        signed = np.zeros(self.rows, bool)
        signed[[mark.series for found in self.marks.values() for mark in found]] = True
        self.special, self.is_special = np.flatnonzero(signed), bool(self.marks)
        self.drips = self.rules.array(lambda rule: rule.window is Window.SINCE_CONVERSION, bool)
        drips.judge(self.classes, self.figures, self.rules, np.flatnonzero(self.drips & ~signed))
        self.dripping = np.flatnonzero(self.drips & signed)
        self.drip_limits = drips.limits(self.rules.only(self.dripping))
        self.money = wide_enough(self.figures.numerator[self.dripping], self.days)
        self.drip = np.zeros(len(self.dripping), self.money.dtype)

    def _foresee(self) -> None:
        """What every day is as long as nobody signs; of `special` series each day is looked at again."""
        ready = self.classes > DayClass.NOT_READY
        self.alive = ready.any(axis=0).tolist()
        self.absent = ready & (self.classes == MISSING)
        self.is_missed = self.absent.any(axis=0).tolist()
        self.seen = ready & ~self.absent
        self.counts = self.seen & (self.classes >= BREACH)
        self.breach = self.counts & (self.classes == BREACH)
        self.calm = self.counts & ~self.breach
        self.rests = self.seen & (self.classes == INACTIVE)
        self.moves = ready & ~self.rests
        np.cumsum(self.breach, axis=1, dtype=np.int32, out=self.breaches[:, 1:])
        self.recovers = self._clean_long_enough()

    def _clean_long_enough(self) -> np.ndarray:
        """Days that end a firing: so many days that count, since the last one in breach or between the lines, were fine."""
        fine = self.calm & (self.classes == FINE)
        so_far = np.cumsum(fine, axis=1, dtype=np.int32)
        before = np.maximum.accumulate(np.where(self.counts & ~fine, so_far, 0), axis=1)
        return np.asfortranarray(fine & (so_far - before >= self.clear_days[:, None]))

    def _apply_policy(self) -> None:
        missing = self.classes == MISSING
        if self.figures.doubtful is not None:
            missing &= ~self.figures.doubtful  # what somebody doubts is neither a breach nor good news
        for policy, becomes in ((NoData.BREACH, DayClass.BREACH), (NoData.OK, DayClass.OK)):
            rows = self.rules.column(lambda rule, policy=policy: rule.no_data is policy, bool)
            if rows.any():
                self.classes[rows & missing] = becomes

    def replay(self) -> Outcome:
        states = np.zeros((self.rows, self.days), np.int8, order="F")
        streaks = np.zeros((self.rows, self.days), np.int32, order="F")
        begins = set(self.figures.start.tolist()) | {0}
        for day in range(self.days):
            if day in begins:
                self.state[(self.state == State.NONE) & (self.figures.start <= day)] = State.OK
            for mark in self.marks.get(day, ()):
                self._sign(mark, day)
            self._step(day)
            states[:, day] = self.state
            streaks[:, day] = self.streak
        streak_days = self._date_breaches()
        for series, incident in self.incident_of.items():
            incident.last = incident.first + int(self.missing[series]) - 1
        return Outcome(self.classes, states, streaks, self.events, self.episodes, self.incidents, streak_days)

    def _date_breaches(self) -> list[list[int]]:
        """Tells each episode its first day and its breaching days; gives those of each streak after the last day."""
        series, days = np.nonzero(self.breach)
        begin = np.searchsorted(series, np.arange(self.rows)).tolist()
        days = days.tolist()
        for episode, before in zip(self.episodes, self.before_first, strict=True):
            first = begin[episode.series]
            last = self.days if episode.closed is None else episode.closed + 1
            episode.days = days[first + before : first + int(self.breaches[episode.series, last])]
            episode.first = episode.days[0]
        end = self.breaches[:, -1].tolist()
        return [
            days[first + total - length : first + total] if length else []
            for first, total, length in zip(begin, end, self.streak.tolist(), strict=True)
        ]

    # ------------------------------------------------------------------ one day
    def _step(self, day: int) -> None:
        if not self.alive[day]:
            self.breaches[self.special, day + 1] = self.breaches[self.special, day]
            return
        absent, seen, calm = self.absent[:, day], self.seen[:, day], self.calm[:, day]
        if self.is_special:
            self._stand_still(day, absent, seen)
        muted = self._muted(day, absent, seen)
        if self.is_missed[day]:
            self._missing(day, absent)
        self._seen_again(seen, muted)
        if self.is_special:
            self._judge_drips(day, seen)
            self._count_again(day, seen)
        if self.slides:
            self._slide(day)
            self._forget(day, calm)
        rows = self.breach[:, day].nonzero()[0]
        if len(rows):
            self._breach(day, rows, muted)
        self._calm(day, calm, muted)
        if self.pauses:
            self._idle(day, seen, muted)

    def _stand_still(self, day: int, absent: np.ndarray, seen: np.ndarray) -> None:
        """What is stopped is neither seen nor missed."""
        stopped = self.special[self.state[self.special] == STOPPED]
        absent[stopped] = seen[stopped] = self.rests[stopped, day] = self.moves[stopped, day] = False

    def _count_again(self, day: int, seen: np.ndarray) -> None:
        """Days of the special series that count: not those of a stop, nor the first ones after a cut or a restart."""
        rows = self.special
        classes = self.classes[rows, day]
        evaluable = seen[rows] & (classes >= BREACH)
        counts = evaluable & ~self._in_grace(day, rows, seen[rows], evaluable, classes)
        breach, fine = counts & (classes == BREACH), counts & (classes == FINE)
        self.clean[rows] = np.where(fine, self.clean[rows] + 1, np.where(counts, 0, self.clean[rows]))
        self.counts[rows, day], self.breach[rows, day], self.calm[rows, day] = counts, breach, counts & ~breach
        self.breaches[rows, day + 1] = self.breaches[rows, day] + breach
        self.recovers[rows, day] = fine & (self.clean[rows] >= self.clear_days[rows])

    def _muted(self, day: int, absent: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """Which series an override or cool-down covers on this day; where it has just ended, the state says so."""
        if not self.marks:
            return self.nobody
        live = absent | seen
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
        self.was_absent = True
        self.missing[absent] += 1
        lost = absent & (self.missing > self.limit) & (self.state != FIRING)
        self.state[lost] = State.NO_DATA
        self._empty(lost, day)
        for series in np.flatnonzero(lost & ~self.reported):
            first = day - int(self.missing[series]) + 1
            incident = self.incident_of[series] = Incident(int(series), first, day, day)
            self.incidents.append(incident)
            self.events.append(Event(int(series), day, "data_incident"))
        self.reported |= lost

    def _seen_again(self, seen: np.ndarray, muted: np.ndarray) -> None:
        if not self.was_absent:
            return
        rows = (seen & (self.missing > 0)).nonzero()[0]
        if not len(rows):
            return
        for series in rows[self.reported[rows]].tolist():
            self._end_incident(series)
        back = rows[self.state[rows] == State.NO_DATA]
        self.state[back] = np.where(muted[back], MUTED, np.where(self.grace[back] > 0, State.RECOVERING, WELL))
        self.missing[rows] = 0

    def _end_incident(self, series: int) -> None:
        incident = self.incident_of.pop(series)
        incident.last, incident.over = incident.first + int(self.missing[series]) - 1, True
        self.reported[series] = False

    def _judge_drips(self, day: int, seen: np.ndarray) -> None:
        """Kind "since the last conversion": what was spent without one decides between THIN and BREACH."""
        rows = self.dripping
        if not len(rows):
            return
        classes = self.classes[rows, day]
        spending = seen[rows] & (classes == THIN)
        converted = seen[rows] & self.figures.known[rows, day] & (classes == FINE)
        self.drip[converted] = 0
        self.drip[spending] += self.money[spending, day]
        self.drip[self.grace[rows] > 0] = 0
        reached = spending & (self.drip >= self.drip_limits)
        self.classes[rows[reached], day] = BREACH

    def _in_grace(
        self, day: int, rows: np.ndarray, seen: np.ndarray, evaluable: np.ndarray, classes: np.ndarray
    ) -> np.ndarray:
        """Which of the rows spend a day of grace: after a cut or a restart the first evaluable days do not count."""
        resting = self.grace[rows] > 0
        spared = resting & (evaluable | (seen & self.drips[rows] & (classes == THIN)))
        if spared.any():
            chosen = rows[spared]
            self.grace[chosen] -= 1
            self.streak[chosen], self.counted_from[chosen] = 0, day + 1
            self.state[chosen] = np.where(self.grace[chosen] > 0, State.RECOVERING, State.OK)
        return spared

    def _slide(self, day: int) -> None:
        """Remember the evaluable days: "M of the last N" looks back over them."""
        rows = self.sliders[self.counts[self.sliders, day]]
        self.judged[rows, self.judged_count[rows]] = day
        self.judged_count[rows] += 1

    def _forget(self, day: int, calm: np.ndarray) -> None:
        """A calm day of a window that slides: the streak loses what is too old."""
        rows = (calm & self.sliding & (self.streak > 0) & (self.state != FIRING)).nonzero()[0]
        if len(rows):
            self.streak[rows] = self._streak(day, rows)

    def _streak(self, day: int, rows: np.ndarray) -> np.ndarray:
        """How many breaching days count after this day."""
        since = np.maximum(self.counted_from[rows], day + 1 - self.span[rows])
        if self.slides:
            oldest = self.judged[rows, np.maximum(self.judged_count[rows] - self.window[rows], 0)]
            full = self.sliding[rows] & (self.judged_count[rows] > self.window[rows])
            since = np.where(full, np.maximum(since, oldest), since)
        return self.breaches[:, day + 1][rows] - self.breaches[rows, since]

    def _breach(self, day: int, rows: np.ndarray, muted: np.ndarray) -> None:
        streak = self.streak[rows] = self._streak(day, rows)
        waits = self.state[rows] != FIRING
        waiting = rows[waits]
        enough = streak[waits] >= self.needed[waiting]
        if self.may_fire is not None:
            enough &= self.may_fire[:, day][waiting]
        fires = waiting[enough]
        self.state[waiting] = np.where(enough, FIRING, PENDING)
        if self.marks:
            self.state[waiting[muted[waiting]]] = MUTED
            for series in fires[muted[fires]].tolist():
                self._open(series, day, muted=True)
            fires = fires[~muted[fires]]
        for series in fires.tolist():
            self._open(series, day, muted=False)
            self.events.append(Event(series, day, "opened"))

    def _open(self, series: int, day: int, *, muted: bool) -> None:
        episode = self.episode_of.get(series)
        if episode is None:
            episode = self.episode_of[series] = Episode(series, day, day, muted)
            self.episodes.append(episode)
            self.before_first.append(int(self.breaches[series, day + 1]) - int(self.streak[series]))
            self.is_open[series] = True
        episode.muted = muted
        if not muted:
            episode.rounds.append(day)

    def _calm(self, day: int, calm: np.ndarray, muted: np.ndarray) -> None:
        quiet = calm & (self.state != FIRING)
        np.copyto(self.state, np.where(muted, MUTED, WELL) if self.marks else WELL, where=quiet)
        self._empty(quiet & self.fixed if self.slides else quiet, day)
        if self.episode_of:
            self._end((self.recovers[:, day] & self.is_open).nonzero()[0], day, "recovered", muted)

    def _idle(self, day: int, seen: np.ndarray, muted: np.ndarray) -> None:
        np.copyto(self.idle, 0, where=self.moves[:, day])
        self.idle += self.rests[:, day]
        if self.episode_of:
            self._end((seen & self.is_open & (self.idle >= PAUSE_DAYS)).nonzero()[0], day, "paused", muted)

    def _end(self, rows: np.ndarray, day: int, kind: str, muted: np.ndarray) -> None:
        """The episodes of these series are over by themselves."""
        if not len(rows):
            return
        self.state[rows] = np.where(muted[rows], MUTED, WELL)
        self.streak[rows] = 0
        self.counted_from[rows] = day + 1
        for series in rows.tolist():
            self._close(series, day, kind)

    def _close(self, series: int, day: int, kind: str) -> None:
        episode = self.episode_of.pop(series, None)
        if episode is not None:
            episode.closed, episode.closed_as = day, kind
            self.is_open[series] = False
            self.events.append(Event(series, day, kind))

    def _empty(self, rows: np.ndarray, day: int) -> None:
        np.copyto(self.streak, 0, where=rows)
        np.copyto(self.counted_from, day + 1, where=rows)

    # ------------------------------------------------------------------ signatures
    def _sign(self, mark: Mark, day: int) -> None:
        """A signature ends FIRING and empties the streak; it is put before the day's own figures."""
        series = mark.series
        self.streak[series] = self.clean[series] = 0
        self.counted_from[series] = day
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
