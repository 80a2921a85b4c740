"""What a replay means for breaches and data incidents: opens, grows and closes their rows, one audit event each.

A replayed run that overlaps an existing breach is that breach. One is opened only while its newest day is younger than
seven days; what was signed is never rewritten.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from django.db.models import QuerySet, prefetch_related_objects

from kpis.fleet.replays import Together
from kpis.models import Breach, DataIncident, RuleState, StopRuleVersion
from kpis.outcomes import Episode, Incident
from kpis.replay import Replay, Series
from roles import audit
from roles.models import Company

FRESH = timedelta(days=7)
LOOKED_AT = timedelta(days=45)
"""Closed rows older than this are not compared any more: late data is looked at for 30 days."""

Scope = tuple[int, int, int]
"""(rule, channel, campaign or 0)."""


@dataclass(frozen=True)
class Work:
    """What both kinds of findings need of one company.

    `series`: all that run; `episodes` and `gaps`: runs of firing and of missing days by the number of their series in the
    common replay; `breaches` and `incidents`: rows that may still matter.
    """

    company: Company
    together: Together | None
    series: list[Series]
    versions: list[StopRuleVersion]
    states: dict
    at: datetime
    today: date
    breaches: list[Breach]
    incidents: list[DataIncident]
    episodes: dict[int, list[Episode]]
    gaps: dict[int, list[Incident]]
    has_zeros: bool = False

    @cached_property
    def found(self) -> Replay | None:
        """The replay of this company alone, cut out of the common one; None where there was nothing to judge."""
        return None if self.together is None else self.together.alone(self.company.pk)

    def judged(self) -> Iterator[tuple[int, Series]]:
        """The series that were judged, with their numbers."""
        if self.together is not None:
            for number in self.together.rows[self.company.pk].tolist():
                yield number, self.together.replay.series[number]

    def day(self, index: int) -> date:
        return self.together.replay.history.day(index)

    def tell(self, verb: str, row, **after) -> None:
        audit.record(company=self.company, by=None, verb=verb, obj=row, at=self.at, after=after)

    def why_not_judged(self, key: Scope) -> str:
        """Why a scope with an open row is not evaluated any more."""
        if key[0] not in {version.rule_id for version in self.versions}:
            return "disabled"
        return "gone" if key in {one.key for one in self.series} else "stopped"

    def by_scope(self, rows: Iterable) -> dict[Scope, list]:
        """Rows of breaches or incidents by scope."""
        found: dict[Scope, list] = {}
        for row in rows:
            found.setdefault((row.rule_id, row.channel_id, row.campaign_id or 0), []).append(row)
        return found


def known_breaches(companies: Iterable[int], today: date) -> QuerySet[Breach]:
    """The rows that an evaluation looks at: open ones, and those closed lately."""
    rows = Breach.objects.filter(company__in=companies)
    return rows.filter(closed_on=None) | rows.filter(closed_on__gte=today - LOOKED_AT)


def known_incidents(companies: Iterable[int], today: date) -> QuerySet[DataIncident]:
    """The same of data incidents of every kind."""
    rows = DataIncident.objects.filter(company__in=companies)
    return rows.filter(state=DataIncident.State.OPEN) | rows.filter(last_day__gte=today - LOOKED_AT)


# ---------------------------------------------------------------- breaches
def write_breaches(work: Work, outcome) -> None:
    rows = work.by_scope(work.breaches)
    fresh: list[Breach] = []
    for number, one in work.judged():
        mine = rows.pop(one.key, [])
        if mine or number in work.episodes:
            fresh += _compare(work, one, work.episodes.get(number, []), mine, outcome)
    for key, left in rows.items():
        for row in left:
            if row.closed_on is None:
                _close(work, row, work.today, work.why_not_judged(key), outcome)
    changed = outcome.closed + outcome.updated
    prefetch_related_objects(changed, "rule", "channel", "campaign")
    Breach.objects.bulk_update(changed, ["first_day", "days", "muted", "found_late", "closed_on", "closed_as"])
    outcome.opened += Breach.objects.bulk_create(fresh)
    prefetch_related_objects(outcome.opened, "rule")
    for row in outcome.opened:
        work.tell("open_breach", row, rule=str(row.rule), subject=str(row.subject), opened_on=row.opened_on.isoformat())
    for row in outcome.closed:
        work.tell("close_breach", row, rule=str(row.rule), subject=str(row.subject), closed_as=row.closed_as)


def _compare(work: Work, one: Series, episodes: list[Episode], rows: list[Breach], outcome) -> list[Breach]:
    """Breaches to create for one series; existing ones are grown, closed or opened again."""
    fresh = []
    for episode in episodes:
        same = [row for row in rows if _overlap(work, episode, row)]
        rows = [row for row in rows if row not in same]
        if not same:
            fresh += _opened(work, one, episode)
            continue
        keep = max(same, key=lambda row: (row.closed_on is None, row.pk))
        _grow(work, episode, keep, outcome)
        for row in same:
            if row is not keep and row.closed_on is None:
                _close(work, row, work.today, "gone", outcome)
    for row in rows:
        if row.closed_on is None:
            _close(work, row, work.today, "gone", outcome)
    return fresh


def _overlap(work: Work, episode: Episode, row: Breach) -> bool:
    newest = date.fromisoformat(row.days[-1]) if row.days else row.opened_on
    return row.first_day <= work.day(episode.days[-1]) and work.day(episode.first) <= newest


def _opened(work: Work, one: Series, episode: Episode) -> list[Breach]:
    if episode.closed is not None or not _is_fresh(work, episode):
        return []
    opened_on = work.day(episode.opened)
    return [
        Breach(
            company=work.company, rule_id=one.version.rule_id, version=one.version, channel=one.channel, campaign=one.campaign,
            first_day=work.day(episode.first), opened_on=opened_on, days=_days(work, episode), muted=episode.muted,
            found_late=_was_judged(work, one.version.pk, one.scope, opened_on), detected_at=work.at,
        )
    ]  # fmt: skip


def _was_judged(work: Work, version_id: int, scope: tuple, day: date) -> bool:
    """Had a day been judged before this evaluation? Then what is found on it now is found late."""
    before: RuleState | None = work.states.get((version_id, *scope))
    return before is not None and before.last_day >= day


def _is_fresh(work: Work, episode: Episode) -> bool:
    return work.today - work.day(episode.days[-1]) < FRESH


def _days(work: Work, episode: Episode) -> list[str]:
    return [work.day(day).isoformat() for day in episode.days]


def _grow(work: Work, episode: Episode, row: Breach, outcome) -> None:
    if row.closed_on is not None:
        if episode.closed is None and row.closed_as != "signed" and _is_fresh(work, episode):
            row.closed_on, row.closed_as = None, ""
            row.first_day, row.days, row.muted = work.day(episode.first), _days(work, episode), episode.muted
            row.found_late = row.found_late or _was_judged(
                work, row.version_id, (row.channel_id, row.campaign_id or 0), work.day(episode.days[-1])
            )
            outcome.updated.append(row)
            work.tell("open_breach", row, rule=str(row.rule), subject=str(row.subject), again=True)
        return
    values = {"first_day": work.day(episode.first), "days": _days(work, episode), "muted": episode.muted}
    changed = any(getattr(row, name) != value for name, value in values.items())
    for name, value in values.items():
        setattr(row, name, value)
    if episode.closed is not None:
        _close(work, row, work.day(episode.closed), episode.closed_as, outcome)
    elif changed:
        outcome.updated.append(row)


def _close(work: Work, row: Breach, day: date, closed_as: str, outcome) -> None:
    row.closed_on, row.closed_as = day, closed_as
    outcome.closed.append(row)


# ---------------------------------------------------------------- data incidents
def write_incidents(work: Work, outcome) -> None:
    rows = work.by_scope(row for row in work.incidents if row.kind == DataIncident.Kind.GAP)
    fresh: list[DataIncident] = []
    changed: list[DataIncident] = []
    for number, one in work.judged():
        mine = rows.get(one.key, [])
        if not mine and number not in work.gaps:
            continue
        matched = set()
        for run in work.gaps.get(number, []):
            same = [row for row in mine if _same_run(work, run, row)]
            matched.update(row.pk for row in same)
            if not same:
                fresh += _new_incident(work, number, one, run)
            for row in same:
                _follow(work, run, row, changed, outcome)
        rows[one.key] = [row for row in mine if row.pk not in matched]
    for left in rows.values():
        for row in left:
            if row.state == DataIncident.State.OPEN:
                _end(work, row, changed, outcome)
    fresh = _without_known(work, fresh, changed)
    outcome.incidents_updated = len(changed) - len(outcome.incidents_closed)
    prefetch_related_objects(changed, "channel", "campaign")
    DataIncident.objects.bulk_update(changed, ["last_day", "state", "closed_at"])
    outcome.incidents_opened += DataIncident.objects.bulk_create(fresh)
    for row in outcome.incidents_opened:
        verb = "open_data_incident" if row.state == DataIncident.State.OPEN else "close_data_incident"
        work.tell(verb, row, subject=str(row.subject), first_day=row.first_day.isoformat())
    for row in outcome.incidents_closed:
        work.tell("close_data_incident", row, subject=str(row.subject), first_day=row.first_day.isoformat())


def _without_known(work: Work, fresh: list[DataIncident], changed: list[DataIncident]) -> list[DataIncident]:
    """A run that is there from long ago, its figures undone again, goes on as the row it was."""
    if not fresh:
        return fresh
    rows = DataIncident.objects.filter(
        company=work.company, kind=DataIncident.Kind.GAP, first_day__in={row.first_day for row in fresh}
    )
    known = {(row.rule_id, row.channel_id, row.campaign_id, row.first_day): row for row in rows}
    new = []
    for row in fresh:
        old = known.get((row.rule_id, row.channel_id, row.campaign_id, row.first_day))
        if old is None:
            new.append(row)
            continue
        old.last_day, old.state, old.closed_at = row.last_day, row.state, row.closed_at
        changed.append(old)
    return new


def _same_run(work: Work, run: Incident, row: DataIncident) -> bool:
    return row.first_day <= work.day(run.last) and work.day(run.first) <= row.last_day


def _new_incident(work: Work, number: int, one: Series, run: Incident) -> list[DataIncident]:
    """A run that is over when it is first seen leaves a closed row; an old one, or one that is all in doubt, leaves none."""
    if work.today - work.day(run.last) >= FRESH or _all_in_doubt(work, number, run):
        return []
    state = DataIncident.State.CLOSED if run.over else DataIncident.State.OPEN
    return [
        DataIncident(
            company=work.company, rule_id=one.version.rule_id, channel=one.channel, campaign=one.campaign,
            first_day=work.day(run.first), last_day=work.day(run.last), state=state, opened_at=work.at,
            closed_at=work.at if run.over else None,
        )
    ]  # fmt: skip


def _all_in_doubt(work: Work, number: int, run: Incident) -> bool:
    doubtful = work.together.replay.figures.doubtful
    return doubtful is not None and bool(doubtful[number, run.first : run.last + 1].all())


def _follow(work: Work, run: Incident, row: DataIncident, changed: list, outcome) -> None:
    last = work.day(run.last)
    if row.state == DataIncident.State.OPEN and run.over:
        row.last_day = last
        _end(work, row, changed, outcome)
    elif row.state == DataIncident.State.CLOSED and not run.over:
        row.state, row.closed_at, row.last_day = DataIncident.State.OPEN, None, last
        changed.append(row)
    elif row.state == DataIncident.State.OPEN and row.last_day != last:
        row.last_day = last
        changed.append(row)


def _end(work: Work, row: DataIncident, changed: list, outcome) -> None:
    row.state, row.closed_at = DataIncident.State.CLOSED, work.at
    changed.append(row)
    outcome.incidents_closed.append(row)
