"""What a replay leaves of every series: where it stands, and a line of the log per day. Only what differs is written, set-based.

Money goes to and from the tables as whole micros: no Decimal per value.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple

import numpy as np
from django.db.models import BigIntegerField, ExpressionWrapper, F, Max

from kpis.day_classes import DayClass, Window
from kpis.fleet.revising import keep_lines
from kpis.fleet.writing import insert_rows, update_rows
from kpis.models import EvaluationLog, Import, RuleState
from kpis.outcomes import State
from kpis.replay import Replay
from kpis.series import MAILING_DAYS
from kpis.windows import Series
from roles.fields import LIMIT, MICRO

LOG_DAYS = 60
CLASSES = [one.code for one in DayClass]
STATES = [one.code for one in State]
Key = tuple[int, int, int]
"""(version, channel, campaign or 0)."""


def key_of(one: Series) -> Key:
    """The series as the tables know it."""
    return one.version.id, *one.scope


class Stand(NamedTuple):
    """A row of RuleState; `last_value` in micros."""

    pk: int
    company_id: int
    state: str
    streak: list[str]
    last_day: date
    last_value: int | None
    detail: dict


STAND = ("state", "streak", "last_day", "last_value", "detail")


def micros(name: str) -> ExpressionWrapper:
    """A column of micros as it lies in the table."""
    return ExpressionWrapper(F(name), BigIntegerField())


def read_stands(versions: Iterable[int]) -> dict[int, dict[Key, Stand]]:
    """The rows of these versions, by company."""
    found: dict[int, dict[Key, Stand]] = defaultdict(dict)
    rows = RuleState.objects.filter(version__in=list(versions)).annotate(value=micros("last_value"))
    names = (
        "version_id",
        "channel_id",
        "campaign_id",
        "pk",
        "company_id",
        "state",
        "streak",
        "last_day",
        "value",
        "detail",
    )
    for version_id, channel_id, campaign_id, *stand in rows.values_list(*names):
        found[stand[1]][version_id, channel_id, campaign_id or 0] = Stand(*stand)
    return found


class Days:
    """The days of a history as dates and as ISO text, each made once. Days before the first are counted below zero."""

    def __init__(self, replay: Replay):
        self.history = replay.history
        self.dates = [self.history.day(index) for index in range(self.history.days)]
        self.texts = [day.isoformat() for day in self.dates]

    def date(self, index: int) -> date:
        return self.dates[index] if index >= 0 else self.history.day(index)


def last_ready(replay: Replay) -> np.ndarray:
    """Of every series the index of the newest day that is judged; of a mailing its only one, once that is settled."""
    settling = np.array([one.version.settling_days for one in replay.series], int)
    newest = replay.history.days - 1 - settling
    mailing = np.array([one.version.window == Window.EVENT for one in replay.series], bool)
    return np.where(mailing, np.minimum(newest, replay.figures.start), newest)


# ---------------------------------------------------------------- states
def write_states(
    replay: Replay | None, running: Iterable[Series], stands: Mapping[int, dict[Key, Stand]], outcomes
) -> None:
    """Rows of the judged series that differ, and DISABLED for those that do not run any more."""
    fresh, changed = [], []
    if replay is not None:
        for one, values in zip(replay.series, _standing(replay), strict=True):
            company_id, key = one.version.company_id, key_of(one)
            before = stands.get(company_id, {}).get(key)
            if before is None:
                fresh.append((company_id, key[0], key[1], key[2] or None, *values))
            elif before[2:] != values:
                changed.append((before.pk, *values))
            else:
                continue
            outcomes[company_id].states += 1
    runs = {key_of(one) for one in running}
    for rows in stands.values():
        for key, row in rows.items():
            if key not in runs and row.state not in (State.STOPPED.code, State.DISABLED.code):
                changed.append((row.pk, State.DISABLED.code, [], *row[4:]))
                outcomes[row.company_id].states += 1
    insert_rows(RuleState, ("company_id", "version_id", "channel_id", "campaign_id", *STAND), fresh)
    update_rows(RuleState, STAND, changed)


def _standing(replay: Replay) -> Iterable[tuple]:
    """The columns of STAND of every series."""
    days, outcome, figures = Days(replay), replay.outcome, replay.figures
    states = outcome.states
    turns = states[:, 1:] != states[:, :-1]
    turned = np.where(turns.any(axis=1), turns.shape[1] - np.argmax(turns[:, ::-1], axis=1), 0) if turns.size else 0
    since = np.maximum(turned, figures.start).tolist()
    last = last_ready(replay)
    rows = np.arange(len(states))
    at = rows, np.maximum(last, 0)
    known = (figures.known[at] & (last >= 0)).tolist()
    pairs = zip(figures.numerator[at].tolist(), figures.denominator[at].tolist(), replay.scales, strict=True)
    for state, streak, day, is_known, (above, below, scales), begun in zip(
        states[:, -1].tolist(), outcome.streak_days, last.tolist(), known, pairs, since, strict=True
    ):
        value = ratio_in_micros(above * scales[1], below * scales[0]) if is_known and below else None
        yield (
            STATES[state], [days.texts[one] for one in streak], days.date(day), value, {"since": days.date(begun).isoformat()},
        )  # fmt: skip


def ratio_in_micros(above: int, below: int) -> int | None:
    """above / below in micros, half to even as the database keeps it; None beyond what a figure may be."""
    return divided(above * MICRO, below)


def divided(above: int, below: int) -> int | None:
    """above / below as a whole number, half to even; None beyond what a figure may be."""
    if below == 1:
        return above if abs(above) < LIMIT else None
    if below < 0:
        above, below = -above, -below
    whole, rest = divmod(above, below)
    whole += 2 * rest > below or (2 * rest == below and whole % 2)
    return whole if abs(above) < LIMIT * below else None


# ---------------------------------------------------------------- the log
LINE = ("day_class", "state", "numerator", "denominator", "streak")


def write_log(
    replay: Replay,
    stands: Mapping[int, dict[Key, Stand]],
    today: date,
    dirty: Mapping[int, date | None],
    outcomes,
    at: datetime,
) -> None:
    """Lines of the days that may differ; what stood there is kept as a revision. `dirty`: of a company the first day that may; None: the last 60 are compared."""
    floor = today - timedelta(days=LOG_DAYS)
    ends = [replay.history.day(index) for index in last_ready(replay).tolist()]
    since = [_log_from(stands, one, floor, dirty, end) for one, end in zip(replay.series, ends, strict=True)]
    written = _written(replay.series, since, floor)
    fresh, changed = [], []
    for one, day, values in _lines(replay, since):
        key = *key_of(one), day
        before = written.pop(key, None)
        if before is None:
            fresh.append((one.version.company_id, *key[:2], key[2] or None, day, *values))
        elif before[2:] != values:
            changed.append((*before[:2], *values))
    from_day = {key_of(one): begin for one, begin in zip(replay.series, since, strict=True)}
    stale = [before for (*key, day), before in written.items() if day >= from_day.get(tuple(key), date.max)]
    for company_id in (row[0] for rows in (fresh, changed, stale) for row in rows):
        outcomes[company_id].logged += 1
    keep_lines([row[:2] for rows in (changed, stale) for row in rows], at)
    _put(fresh, changed, stale)


def _put(fresh: list[tuple], changed: list[tuple], stale: list[tuple]) -> None:
    if stale:  # days that were judged once and have no figures any more: their load was undone
        EvaluationLog.objects.filter(pk__in=[pk for _company, pk, *_line in stale]).delete()
    if fresh or changed:
        loads = _newest_loads({row[0] for rows in (fresh, changed) for row in rows})
        names = ("company_id", "version_id", "channel_id", "campaign_id", "day", *LINE, "seen_load_id")
        insert_rows(EvaluationLog, names, [(*row, loads.get(row[0], 0)) for row in fresh])
        update_rows(
            EvaluationLog, (*LINE, "seen_load_id"), [(*row[1:], loads.get(row[0], 0)) for row in changed]
        )  # fmt: skip


def _newest_loads(companies: set[int]) -> dict[int, int]:
    """Of each company the newest load whose figures this transaction can see."""
    done = Import.objects.filter(company__in=companies, state=Import.State.DONE).order_by()
    return dict(done.values("company_id").annotate(newest=Max("pk")).values_list("company_id", "newest"))


def _log_from(stands: Mapping, one: Series, floor: date, dirty: Mapping[int, date | None], end: date) -> date:
    """The first day of the log that may differ from what is written. `end`: the newest judged day, a mailing's only one."""
    company_id = one.version.company_id
    begin, stand = dirty.get(company_id), stands.get(company_id, {}).get(key_of(one))
    if stand is None or begin is None or stand.state == State.DISABLED.code:
        return floor
    if one.version.window == Window.EVENT:
        begin -= timedelta(days=MAILING_DAYS - 1)  # its one line sums the days after it too
    unwritten = stand.last_day + timedelta(days=1)
    return max(floor, begin if stand.last_day == end else min(begin, unwritten))


def _written(series: list[Series], since: list[date], floor: date) -> dict[tuple, tuple]:
    """Lines that are there: (version, channel, campaign or 0, day) → (company, pk, *LINE)."""
    begins: dict[int, date] = {}
    versions: dict[int, set[int]] = defaultdict(set)
    for one, begin in zip(series, since, strict=True):
        company_id = one.version.company_id
        begins[company_id] = max(floor, min(begin, begins.get(company_id, begin)))
        versions[company_id].add(one.version.id)
    by_day: dict[date, list[int]] = defaultdict(list)
    for company_id, begin in begins.items():
        by_day[begin].append(company_id)
    found = {}
    for begin, companies in by_day.items():
        wanted = set().union(*(versions[company_id] for company_id in companies))
        rows = EvaluationLog.objects.filter(company__in=companies, version__in=wanted, day__gte=begin)
        rows = rows.annotate(above=micros("numerator"), below=micros("denominator")).values_list(
            "version_id", "channel_id", "campaign_id", "day", "company_id", "pk", "day_class", "state", "above", "below", "streak",
        )  # fmt: skip
        found |= {(row[0], row[1], row[2] or 0, row[3]): row[4:] for row in rows}
    return found


def _lines(replay: Replay, since: list[date]) -> Iterable[tuple[Series, date, tuple]]:
    """Every line that ought to be there: series, day and the columns of LINE."""
    days, figures, outcome = Days(replay), replay.figures, replay.outcome
    begins = [replay.history.index(day) for day in since]
    first = np.maximum(np.maximum(figures.start, begins), 0).tolist()
    for row, (one, begin, end) in enumerate(zip(replay.series, first, (last_ready(replay) + 1).tolist(), strict=True)):
        if begin >= end:
            continue
        cut = row, slice(begin, end)
        above, below = replay.scales[row]
        columns = (
            outcome.classes[cut].tolist(), outcome.states[cut].tolist(), outcome.streaks[cut].tolist(),
            figures.known[cut].tolist(), figures.numerator[cut].tolist(), figures.denominator[cut].tolist(),
        )  # fmt: skip
        for day, (kind, state, streak, known, top, bottom) in enumerate(zip(*columns, strict=True), start=begin):
            pair = (divided(top, above), divided(bottom, below)) if known else (None, None)
            yield one, days.dates[day], (CLASSES[kind], STATES[state], *pair, streak)
