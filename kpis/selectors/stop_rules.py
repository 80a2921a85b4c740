"""Reads of stop-rules: the list with states, one rule with its versions and log, open breaches and their money."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Prefetch, QuerySet

from kpis import sentences
from kpis.engine import State
from kpis.formulas import parse
from kpis.models import (
    Breach,
    EvaluationLog,
    EvaluationLogRevision,
    KpiVersion,
    RuleState,
    StopRule,
    StopRuleVersion,
    Verdict,
)
from kpis.replay import in_force
from kpis.sentences import current_kpi
from roles.models import Company, Membership
from roles.permissions import Permission

WORST_FIRST = tuple(
    state.code
    for state in (
        State.FIRING, State.NO_DATA, State.STOPPED, State.MUTED, State.RECOVERING, State.PENDING, State.OK, State.DISABLED,
    )
)  # fmt: skip


def worst(states: Iterable[str]) -> str | None:
    """The state that needs a look most; None where there is none."""
    return min(states, key=WORST_FIRST.index, default=None)


def _with_kpi(rows: QuerySet, kpi: str) -> QuerySet:
    """Loads the KPI's version in force, so that sentences need no query of their own."""
    current = KpiVersion.objects.filter(superseded_at=None)
    return rows.prefetch_related(Prefetch(f"{kpi}__versions", current, to_attr="current"))


def rule_sentence(version: StopRuleVersion, *, money: bool = True) -> str:
    """The rule as one sentence in the reader's language; without `money` the line is not told."""
    return sentences.rule_sentence(version, money=money)


def rules_in_force(*, company: Company) -> list[StopRuleVersion]:
    """Versions that are evaluated, in the order of their numbers; rule, KPI and channel loaded."""
    return in_force(company=company)


@dataclass(frozen=True)
class RuleRow:
    """A rule as the list shows it. `version` is the one in force, or the one that waits where none ever was.

    `waiting`: a version that waits for its signature. `state`: the worst of its scopes, None where nothing was judged
    yet. `firing`: how many scopes fire; `since`: since when the worst state lasts.
    """

    rule: StopRule
    version: StopRuleVersion
    waiting: StopRuleVersion | None
    state: str | None
    since: date | None
    firing: int
    scopes: int

    @property
    def is_in_force(self) -> bool:
        return self.version.approved_at is not None and self.version.active


def rule_list(*, company: Company) -> list[RuleRow]:
    """Every rule, firing ones first; four queries for any number of them."""
    versions: dict[int, list[StopRuleVersion]] = {}
    for version in _current(company):
        versions.setdefault(version.rule_id, []).append(version)
    states: dict[int, list[RuleState]] = {}
    for row in RuleState.objects.filter(company=company, version__superseded_at=None):
        states.setdefault(row.version_id, []).append(row)
    rows = [_row(found, states) for found in versions.values()]
    order = {code: place for place, code in enumerate(WORST_FIRST)}
    return sorted(rows, key=lambda row: (order.get(row.state, len(order)), row.rule.number))


def _current(company: Company) -> QuerySet[StopRuleVersion]:
    rows = StopRuleVersion.objects.filter(company=company, superseded_at=None)
    related = ("company", "rule", "kpi", "channel__owner", "owner__user", "created_by__user", "approved_by__user")
    return _with_kpi(rows.select_related(*related), "kpi").order_by("rule__number", "number")


def _row(versions: list[StopRuleVersion], states: dict[int, list[RuleState]]) -> RuleRow:
    waiting = next((version for version in versions if version.approved_at is None), None)
    shown = next((version for version in versions if version.approved_at is not None), waiting)
    mine = states.get(shown.pk, []) if shown.active else []
    state = worst(row.state for row in mine) if shown.active else State.DISABLED.code
    since = [row.detail.get("since") for row in mine if row.state == state and row.detail.get("since")]
    return RuleRow(
        shown.rule, shown, waiting, state, date.fromisoformat(min(since)) if since else None,
        sum(row.state == State.FIRING.code for row in mine), len(mine),
    )  # fmt: skip


@dataclass(frozen=True)
class RuleDetail:
    """One rule with everything its page tells: versions (newest first) and the states of its scopes, the worst first."""

    row: RuleRow
    versions: list[StopRuleVersion]
    states: list[RuleState]

    @property
    def rule(self) -> StopRule:
        return self.row.rule

    @property
    def version(self) -> StopRuleVersion:
        return self.row.version

    @property
    def latest(self) -> StopRuleVersion:
        """The version that the next change starts from: the one that waits, else the one in force."""
        return self.row.waiting or self.row.version


def get_rule(*, company: Company, pk: int) -> RuleDetail | None:
    """None for a missing and for another company's rule."""
    related = ("company", "rule", "kpi", "channel__owner", "owner__user", "created_by__user", "approved_by__user")
    rows = StopRuleVersion.objects.filter(company=company, rule_id=pk).select_related(*related)
    versions = list(_with_kpi(rows, "kpi").order_by("-number"))
    current = [version for version in versions if version.superseded_at is None]
    if not current:
        return None
    states = list(
        RuleState.objects.filter(company=company, version__in=[version.pk for version in current])
        .select_related("channel", "campaign")
    )  # fmt: skip
    by_version: dict[int, list[RuleState]] = {}
    for state in states:
        by_version.setdefault(state.version_id, []).append(state)
    row = _row(current, by_version)
    shown = by_version.get(row.version.pk, [])
    shown.sort(key=lambda state: (WORST_FIRST.index(state.state), state.channel.position, str(state.subject)))
    if row.version.window == StopRuleVersion.Window.EVENT:  # mailings: the newest first, and the worst before them
        shown.sort(key=lambda state: state.last_day, reverse=True)
        shown.sort(key=lambda state: WORST_FIRST.index(state.state))
    return RuleDetail(row, versions, shown)


def log_of(
    *, company: Company, version: StopRuleVersion, channel_id: int, campaign_id: int | None, since: date
) -> list[EvaluationLog]:
    """What was judged on each day from `since` on, oldest first."""
    rows = EvaluationLog.objects.filter(
        company=company, version=version, channel=channel_id, campaign=campaign_id, day__gte=since
    )
    return list(rows.order_by("day"))


def said_before(
    *, company: Company, version: StopRuleVersion, channel_id: int, campaign_id: int | None, since: date
) -> dict[date, list[EvaluationLogRevision]]:
    """Day → what the log said of it before, the newest word first."""
    rows = EvaluationLogRevision.objects.filter(
        company=company, version=version, channel=channel_id, campaign=campaign_id, day__gte=since
    )
    found: dict[date, list[EvaluationLogRevision]] = {}
    for row in rows.order_by("-pk"):
        found.setdefault(row.day, []).append(row)
    return found


def reveals_money(version: StopRuleVersion, money: frozenset[str]) -> bool:
    """Do the line or the figures of the rule tell anything about money?"""
    kpi = current_kpi(version)
    return kpi is not None and bool(parse(kpi.formula).metrics & money)


def may_see(person: Membership, version: StopRuleVersion, money: frozenset[str]) -> bool:
    """May this person see the line? Money of a channel is for those who may see it there; of many channels, company-wide."""
    return not reveals_money(version, money) or person.can(Permission.VIEW_MONEY, version.channel)


def last_verdicts(*, rule: StopRule, states: Iterable[RuleState]) -> list[Verdict]:
    """What was signed last of each of these scopes that go on by a signature; asked only where one does."""
    muted = [state.channel_id for state in states if state.state == State.MUTED.code]
    if not muted:
        return []
    rows = Verdict.objects.filter(company=rule.company_id, rule=rule, channel__in=muted)
    return list(rows.exclude(kind=Verdict.Kind.RESUME).order_by("day", "pk"))


# ---------------------------------------------------------------- breaches
def open_breaches(*, company: Company) -> QuerySet[Breach]:
    """Breaches that go on, muted ones included, with all their texts need."""
    rows = Breach.objects.filter(company=company, closed_on=None).select_related(
        "rule", "version__company", "version__rule", "version__kpi", "version__owner__user", "channel__owner__user",
        "campaign", "held_by",
    )  # fmt: skip
    return _with_kpi(rows, "version__kpi")


def shadowed_rules(*, company: Company, day: date) -> set[int]:
    """Ids of the rules whose version in force only reports on this day."""
    rows = StopRuleVersion.objects.filter(
        company=company, superseded_at=None, approved_at__isnull=False, shadow_until__gte=day
    )
    return set(rows.values_list("rule_id", flat=True))


def states_by_channel(*, company: Company) -> dict[int, str]:
    """Channel id → the worst state of its rules in force, its campaigns' included; channels that no rule judged are absent.

    A campaign that was stopped burns nothing any more and does not stop its channel: it counts as well.
    """
    found: dict[int, set[str]] = {}
    rows = RuleState.objects.filter(
        company=company, version__superseded_at=None, version__approved_at__isnull=False, version__active=True
    )
    for channel_id, campaign_id, state in rows.values_list("channel_id", "campaign_id", "state"):
        rests = campaign_id is not None and state == State.STOPPED.code
        found.setdefault(channel_id, set()).add(State.OK.code if rests else state)
    return {channel_id: worst(states) for channel_id, states in found.items()}
