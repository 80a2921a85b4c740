"""The mass-fire guard of domain.md 3.1: when everything burns at once, the figures are looked at before people are asked.

It opens one data incident of the whole company and holds the decisions of its breaches behind it. Classes, states and
breaches are not touched.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from kpis.models import Breach, DataIncident
from kpis.windows import SPENDING
from roles.models import Channel

FEWEST_CHANNELS = 4
TOGETHER = timedelta(days=2)
SPEND_DAYS, SPEND_BAND = 28, 0.5
ZERO_CHANNELS, ZERO_MEAN, ZERO_DAYS = 2, 3, 14
LOOKS_BACK = 7
"""Days that are looked at: what is older has been seen, or has stopped mattering."""


@dataclass(frozen=True)
class Suspicion:
    """What looks like broken figures: its kind, its days, the breaches it holds and the figures that made it."""

    kind: str
    first_day: date
    last_day: date
    held: list[Breach]
    figures: dict


def may_hold(work, outcome) -> bool:
    """Is there anything that hold_suspicious could open or close? Cheap, for the many companies where there is not."""
    is_open = any(row.kind in DataIncident.HOLDING and row.state == DataIncident.State.OPEN for row in work.incidents)
    return bool(outcome.opened or is_open or work.has_zeros)


def with_zeros(found, last: np.ndarray) -> set[int]:
    """Companies of a common replay with a day of zeros on several channels among the last ones.

    `last`: the newest judged day of each series. Most are ruled out by their last days alone, all at once.
    """
    replay = found.replay
    watched = np.flatnonzero(np.array([one.version.zero_line is not None for one in replay.series], bool))
    days = last[watched, None] - np.arange(LOOKS_BACK)
    at = watched[:, None], np.maximum(days, 0)
    known = replay.figures.known[at] & (days >= 0)
    group = _channel_of_each([replay.series[number] for number in watched.tolist()])
    zero = _together(group, known) & ~_together(group, known & (replay.figures.denominator[at] != 0))
    zero &= _together(group, known & (replay.figures.numerator[at] != 0))
    candidates: dict[int, list[int]] = defaultdict(list)
    for number in watched[zero.any(axis=1)[group]].tolist():
        candidates[replay.series[number].version.company_id].append(number)
    return {company_id for company_id, numbers in candidates.items() if _days_of_zeros(replay, numbers)}


def _channel_of_each(series: list) -> np.ndarray:
    """The same number for the series of one rule version and channel: the channel as a whole, or all its campaigns."""
    numbers: dict[tuple[int, int], int] = {}
    found = [numbers.setdefault((one.version.id, one.channel.id), len(numbers)) for one in series]
    return np.array(found, int)


def _together(group: np.ndarray, is_so: np.ndarray) -> np.ndarray:
    """[group, day]: is it so for any of the group's series?"""
    found = np.zeros((int(group.max()) + 1 if len(group) else 0, is_so.shape[1]), bool)
    np.logical_or.at(found, group, is_so)
    return found


def hold_suspicious(work, outcome) -> None:
    """After the breaches are written: open, grow or close the company's incidents, and hold what is behind them.

    `work` and `outcome` as in `kpis.findings`. One that people have released holds nothing any more.
    """
    rows = DataIncident.objects.filter(company=work.company, kind__in=DataIncident.HOLDING)
    suspicions = []
    if work.found is not None:
        suspicions = [*_mass_fire(work, outcome), *_zeros(work, outcome)]
    _close_what_is_over(work, rows, suspicions, outcome)
    if not suspicions:
        return
    since = min(work.today - timedelta(days=2 * LOOKS_BACK), *(found.first_day for found in suspicions))
    known = list(rows.filter(last_day__gte=since))
    for suspicion in suspicions:
        _note(work, suspicion, known, outcome)


# ---------------------------------------------------------------- many rules at once
def _mass_fire(work, outcome) -> list[Suspicion]:
    judged = {one.channel.pk for one in work.found.series if one.channel.status == Channel.Status.ACTIVE}
    if not outcome.opened or len(judged) < FEWEST_CHANNELS:
        return []
    floor = min(row.first_day for row in outcome.opened) - TOGETHER
    rows = Breach.objects.filter(company=work.company, closed_on=None, muted=False, first_day__gte=floor)
    fires = [row for row in rows.select_related("channel") if row.channel_id in judged]
    first = max({row.first_day for row in fires}, key=lambda day: (len(_began(fires, day)), day), default=None)
    if first is None or len(_began(fires, first)) * 2 <= len(judged) or not _spend_is_usual(work, first):
        return []
    held = [row for row in fires if first <= row.first_day < first + TOGETHER]
    if not {row.pk for row in held} & {row.pk for row in outcome.opened}:
        return []  # an old fire beside a new breach that has nothing to do with it
    names = sorted({row.channel.name for row in held})
    last = first + TOGETHER - timedelta(days=1)
    return [Suspicion("mass_fire", first, last, held, {"channels": names, "judged": len(judged)})]


def _began(fires: list[Breach], day: date) -> set[int]:
    """Channels whose breach began on this day or the next."""
    return {row.channel_id for row in fires if day <= row.first_day < day + TOGETHER}


def _spend_is_usual(work, first: date) -> bool:
    """Is the spend of the two days within ±50 % of its 28-day mean? Where it is unknown nothing speaks against it."""
    history = work.found.history
    column = history.columns.get(SPENDING)
    if column is None:
        return True
    whole = np.array([row for (_channel, campaign), row in history.rows.items() if not campaign], int)
    start = history.index(first)
    before = _daily_means(column, whole, slice(max(0, start - SPEND_DAYS), start))
    during = _daily_means(column, whole, slice(start, min(start + TOGETHER.days, history.days - 1)))
    both = ~np.isnan(before) & ~np.isnan(during)
    usual, now = before[both].sum(), during[both].sum()
    return not usual or abs(now / usual - 1) <= SPEND_BAND


def _daily_means(column, rows: np.ndarray, days: slice) -> np.ndarray:
    """Spend of a known day of each channel; not a number where none is known."""
    known = column.known[rows, days]
    sums = np.where(known, column.values[rows, days], 0).sum(axis=1).astype(float)
    counted = known.sum(axis=1)
    return np.where(counted, sums / np.maximum(counted, 1), np.nan)


# ---------------------------------------------------------------- zeros everywhere
def _zeros(work, outcome) -> list[Suspicion]:
    """Known days without conversions on channels that always have some: the counter is broken, not the market.

    One for each run of days.
    """
    watched = [number for number, one in enumerate(work.found.series) if one.version.zero_line is not None]
    found = _days_of_zeros(work.found, watched)
    days = sorted(found)
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return [_zero_run(work, outcome, run, found) for run in runs]


def _zero_run(work, outcome, run: list[int], found: dict[int, set[str]]) -> Suspicion:
    history = work.found.history
    told = {history.day(day).isoformat() for day in run}
    held = [row for row in outcome.opened if told & set(row.days)]
    names = sorted(set().union(*(found[day] for day in run)))
    return Suspicion("zeros", history.day(run[0]), history.day(run[-1]), held, {"channels": names})


def _days_of_zeros(replay, numbers: list[int]) -> dict[int, set[str]]:
    """Index of a day → names of the channels without conversions on it; days with several such channels only.

    `numbers`: the series to look at; those of one rule version and channel are one, as a whole or by campaigns.
    """
    channels: dict[tuple[int, int], list[int]] = defaultdict(list)
    for number in numbers:
        channels[replay.series[number].version.id, replay.series[number].channel.id].append(number)
    found: dict[int, set[str]] = defaultdict(set)
    for mine in channels.values():
        for day in _zero_days(replay, mine):
            found[day].add(replay.series[mine[0]].channel.name)
    return {day: names for day, names in found.items() if len(names) >= ZERO_CHANNELS}


def _zero_days(replay, numbers: list[int]) -> list[int]:
    """Indexes of the last days on which a channel spent and a known zero stands under the fraction, where the fortnight
    before gave three a day or more."""
    figures = replay.figures
    below = replay.scales[numbers[0]][1] * 10**6
    last = max(replay.last_ready(number) for number in numbers)
    known = figures.known[numbers]
    spent = np.where(known, figures.numerator[numbers], 0).sum(axis=0)
    came = np.where(known, figures.denominator[numbers], 0).sum(axis=0)
    told = known.any(axis=0)
    found = []
    for day in range(max(last - LOOKS_BACK + 1, ZERO_DAYS), last + 1):
        before = slice(day - ZERO_DAYS, day)
        days = int(told[before].sum())
        if (
            told[day]
            and not came[day]
            and spent[day]
            and days
            and float(came[before].sum()) / below / days >= ZERO_MEAN
        ):
            found.append(day)
    return found


# ---------------------------------------------------------------- the incident
def _note(work, suspicion: Suspicion, known: list[DataIncident], outcome) -> None:
    """One incident per run of days: a new one, or the one that is there; what people released stays released."""
    same = [row for row in known if row.kind == suspicion.kind and _overlap(row, suspicion)]
    if any(row.state == DataIncident.State.RELEASED for row in same):
        return
    incident = next((row for row in same if row.state == DataIncident.State.OPEN), None)
    if incident is None:
        if same:  # closed by itself before: the figures were refined and broke again
            incident = same[0]
            DataIncident.objects.filter(pk=incident.pk, company=work.company).update(state="open", closed_at=None)
            incident.state = DataIncident.State.OPEN
        else:
            incident = DataIncident.objects.create(
                company=work.company, kind=suspicion.kind, first_day=suspicion.first_day, last_day=suspicion.last_day,
                opened_at=work.at, figures=suspicion.figures,
            )  # fmt: skip
        outcome.incidents_opened.append(incident)
        work.tell("open_data_incident", incident, kind=suspicion.kind, channels=suspicion.figures["channels"])
    elif incident.last_day < suspicion.last_day:
        incident.last_day, incident.figures = suspicion.last_day, suspicion.figures
        incident.save(update_fields=["last_day", "figures"])
        outcome.incidents_updated += 1
    fresh = [row.pk for row in suspicion.held if row.held_by_id is None]
    outcome.held += Breach.objects.filter(company=work.company, pk__in=fresh).update(held_by=incident)
    for row in suspicion.held:
        row.held_by = incident


def _overlap(row: DataIncident, suspicion: Suspicion) -> bool:
    return row.first_day <= suspicion.last_day and suspicion.first_day <= row.last_day


def _close_what_is_over(work, rows, suspicions: list[Suspicion], outcome) -> None:
    """The figures were refined: all breaches behind it have gone, or a day of zeros has its conversions by now."""
    for incident in rows.filter(state=DataIncident.State.OPEN):
        if incident.kind == DataIncident.Kind.ZEROS:
            looked_at = work.today - incident.last_day <= timedelta(days=LOOKS_BACK)
            over = looked_at and not any(
                found.kind == incident.kind and _overlap(incident, found) for found in suspicions
            )
        else:
            over = bool(outcome.closed) and not incident.held.filter(closed_on=None).exists()
        if over:
            incident.state, incident.closed_at = DataIncident.State.CLOSED, work.at
            incident.save(update_fields=["state", "closed_at"])
            outcome.incidents_closed.append(incident)
            work.tell("close_data_incident", incident, kind=incident.kind)
