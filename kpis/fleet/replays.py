"""The state machine over many companies in one run; of each company it gives exactly what `kpis.replay.replay` gives."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from operator import attrgetter

import numpy as np

from kpis import engine
from kpis.day_classes import PerRow, Window
from kpis.doubts import without_doubtful
from kpis.fact_columns import ABSENT, Rows, Span, day_of, read_rows
from kpis.fleet.inputs import Inputs, columns_of
from kpis.formulas import Formula, parse
from kpis.histories import build_history, ranks_of, too_large
from kpis.outcomes import Outcome
from kpis.replay import Replay, mark_of, marks_of, rule_of
from kpis.series import History
from kpis.windows import SPENDING, Series, figures_of, metrics_needed
from roles.models import Company


@dataclass(frozen=True)
class Together:
    """One replay of several companies. `rows`: the numbers of the series of each company that has any.

    `first_days`: of each company with facts the index of its first day in the common history; `scopes`: what the common
    history knows of it.
    """

    replay: Replay
    rows: dict[int, np.ndarray]
    first_days: dict[int, int]
    channels: dict[int, set[int]]

    def alone(self, company_id: int) -> Replay | None:
        """What `kpis.replay.replay` gives for this company; None where there is nothing to judge."""
        mine = self.rows.get(company_id)
        return None if mine is None else _cut(self, mine, self.first_days[company_id], self.channels[company_id])


def replay_fleet(*, inputs: Inputs, today: date, since: date = date.min) -> Iterator[Together]:
    """Replay all companies over all known facts until today: one run for most, one of its own for any whose figures are
    too large for 64 bits. Companies with nothing to judge come with none of them."""
    judged = [company for company in inputs.companies if inputs.series.get(company.pk)]
    if not judged:
        return
    codes = _codes(inputs, judged)
    columns = columns_of(inputs, codes)
    spans = [Span(company.pk, since, today) for company in judged]
    rows = read_rows(spans=spans, columns=sorted(set().union(*columns.values())))
    if not len(rows):
        return
    large = too_large(rows, int(rows.day.max() - rows.day.min()) + 1) if len(judged) > 1 else set()
    for company in judged:
        if company.pk in large:
            yield from replay_fleet(inputs=inputs.only([company]), today=today, since=since)
    if large:
        rest = [company for company in judged if company.pk not in large]
        yield from replay_fleet(inputs=inputs.only(rest), today=today, since=since)
        return
    history = build_history(rows, ranks_of(inputs.sources), _one_column_each(inputs, rows, columns), today)
    found = _run(inputs, judged, rows, _without_doubtful(inputs, rows, history))
    if found is not None:
        yield found


def _codes(inputs: Inputs, companies: list[Company]) -> set[str]:
    """Spend always: the mass-fire guard asks for it, and what it says must not depend on a company's neighbours."""
    versions = [version for company in companies for version in inputs.versions[company.pk]]
    return metrics_needed(versions, inputs.formulas) | {SPENDING}


def _one_column_each(inputs: Inputs, rows: Rows, columns: dict[str, set[str]]) -> dict[str, str]:
    """Metric code → its column. An own metric that lies in different slots gets a column of its own, put together here."""
    found = {}
    for code, held in columns.items():
        found[code] = min(held)
        if len(held) == 1 and not any(code in own for own in inputs.own_columns.values()):
            continue
        found[code] = f"own {code}"
        rows.values[found[code]] = together = np.full(len(rows), ABSENT)
        begin = 0
        for company_id, count in rows.of_company.items():
            column = inputs.own_columns.get(company_id, {}).get(code)
            if column is not None:
                together[begin : begin + count] = rows.values[column][begin : begin + count]
            begin += count
    return found


def _without_doubtful(inputs: Inputs, rows: Rows, history: History) -> History:
    if not inputs.doubts:
        return history
    _first_days, channels = _extents(rows, history)
    doubts = [(doubt, mine) for pk, mine in channels.items() for doubt in inputs.doubts.get(pk, ())]
    return without_doubtful(history, doubts)


# ---------------------------------------------------------------- the run
def _run(inputs: Inputs, judged: list[Company], rows: Rows, history: History) -> Together | None:
    series = [one for company in judged for one in inputs.series[company.pk]]
    order, figures = figures_of(history, inputs.formulas, series)
    if figures is None:
        return None
    chosen = [series[number] for number in order]
    first_days, channels = _extents(rows, history)
    rules, scales, owners = _rules(chosen, inputs.formulas)
    marks = list(_marks(inputs, judged, chosen, history, first_days))
    spent = None
    if any(mark.extra is not None for mark in marks):
        spent = history.figures(parse(SPENDING), [one.scope for one in chosen])
    outcome = engine.run(figures, rules, marks, spent)
    by_company = np.argsort(owners, kind="stable")
    ids, begins = np.unique(owners[by_company], return_index=True)
    mine = dict(zip(ids.tolist(), np.split(by_company, begins[1:]), strict=True))
    return Together(Replay(chosen, history, figures, scales, outcome), mine, first_days, channels)


def _rules(series: list[Series], formulas: dict[int, Formula]) -> tuple[PerRow, list[tuple[int, int]], np.ndarray]:
    """The rule, the scales and the company of each series. Those of one version and line, which mostly lie together,
    share theirs."""
    place: dict[object, int] = {}
    rules, owners, which, scales = [], [], [], []
    for version, together in groupby(series, attrgetter("version")):
        found, scale = list(together), formulas[version.kpi_id].scales
        lines = [one.line for one in found] if version.window == Window.BUDGET else [version.line]
        for line in lines:
            if place.setdefault((version.id, line), len(place)) == len(rules):
                rules.append(rule_of(version, scale, line))
                owners.append(version.company_id)
        numbers = [place[version.id, line] for line in lines]
        which += numbers if len(numbers) == len(found) else numbers * len(found)
        scales += [scale] * len(found)
    which = np.array(which, int)
    return PerRow(rules, which), scales, np.array(owners)[which]


def _extents(rows: Rows, history: History) -> tuple[dict[int, int], dict[int, set[int]]]:
    """Of each company the index of its first day, and its channels with facts."""
    first_days, channels, begin = {}, {}, 0
    for company_id, count in rows.of_company.items():
        mine = slice(begin, begin + count)
        first_days[company_id] = history.index(day_of(int(rows.day[mine].min())))
        channels[company_id] = set(np.unique(rows.channel[mine]).tolist())
        begin += count
    return first_days, channels


def _marks(inputs: Inputs, judged: list[Company], chosen: list[Series], history: History, first_days: dict[int, int]):
    """Signatures on their days; what was signed before a company's first day counts on that day."""
    signed = {company.pk for company in judged if inputs.verdicts.get(company.pk)}
    if not signed:
        return
    for number, one in enumerate(chosen):
        company_id = one.version.company_id
        if company_id in signed:
            [found] = marks_of([one], inputs.verdicts[company_id])
            for verdict in found:
                mark = mark_of(number, verdict, history)
                yield replace(mark, day=max(mark.day, first_days[company_id]))


# ---------------------------------------------------------------- one company of many
def _cut(found: Together, mine: np.ndarray, first: int, channels: set[int]) -> Replay:
    whole, outcome = found.replay, found.replay.outcome
    number = {int(row): place for place, row in enumerate(mine)}
    days = slice(first, None)
    history = whole.history
    figures = whole.figures.only(mine)
    extra = (None if values is None else values[:, days] for values in (figures.loss, figures.quiet, figures.doubtful))
    figures = replace(
        figures, numerator=figures.numerator[:, days], denominator=figures.denominator[:, days],
        known=figures.known[:, days], start=figures.start - first, **dict(zip(("loss", "quiet", "doubtful"), extra, strict=True)),
    )  # fmt: skip
    kept = [row for scope, row in history.rows.items() if scope[0] in channels]
    scopes = {scope: place for place, scope in enumerate(s for s in history.rows if s[0] in channels)}
    columns = {
        code: replace(column, values=column.values[kept, days], known=column.known[kept, days])
        for code, column in history.columns.items()
    }
    doubtful = None if history.doubtful is None else history.doubtful[kept, days]
    cut = History(history.day(first), history.last_day, scopes, history.start[kept] - first, columns, doubtful)
    return Replay(
        [whole.series[row] for row in mine], cut, figures, [whole.scales[row] for row in mine],
        Outcome(
            outcome.classes[mine, days], outcome.states[mine, days], outcome.streaks[mine, days],
            _moved(outcome.events, number, first), _moved(outcome.episodes, number, first),
            _moved(outcome.incidents, number, first),
            [[day - first for day in outcome.streak_days[row]] for row in mine],
        ),
    )  # fmt: skip


DAYS = ("day", "first", "opened", "closed", "last")
LISTS = ("rounds", "days")


def _moved(runs: Iterable, number: dict[int, int], first: int) -> list:
    """The events, episodes or incidents of these series, with the days counted from `first`."""
    return [_move(run, number[run.series], first) for run in runs if run.series in number]


def _move(run, series: int, first: int):
    days = {name: value - first for name in DAYS if (value := getattr(run, name, None)) is not None}
    lists = {name: [day - first for day in found] for name in LISTS if (found := getattr(run, name, None)) is not None}
    if hasattr(run, "_replace"):
        return run._replace(series=series, **days)
    return replace(run, series=series, **days, **lists)
