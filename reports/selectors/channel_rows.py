"""Channels as tables of money show them: figures of a span, state, plan, 13 weeks; grouped by kind with totals."""

from dataclasses import dataclass
from decimal import Decimal

from kpis.selectors import stop_rules
from reports.selectors.money import CHANNEL_KPIS, CHANNEL_METRICS, EARNED, ROMI, Books, ChannelMetrics
from reports.states import MARKS, State
from roles import selectors as roles_selectors
from roles.models import Channel

SILENT_DAYS = 3


@dataclass(frozen=True)
class Row:
    """Figures of one channel, of a kind, or of all: None where unknown. `earned` = gross profit − spend over the pairs
    where both are known; `plan` is what should have been earned by now; `weekly` is earned by week."""

    metrics: ChannelMetrics
    kpis: ChannelMetrics
    earned: Decimal | None
    romi: Decimal | None
    plan: Decimal | None
    weekly: list[Decimal | None]
    channel: Channel | None = None
    state: State | None = None

    @property
    def is_loss(self) -> bool:
        return self.earned is not None and self.earned < 0


@dataclass(frozen=True)
class Group:
    """The channels of one kind; `total` only where there are several."""

    kind: Channel.Kind
    rows: list[Row]
    total: Row | None


def channel_groups(books: Books) -> list[Group]:
    """Channels by kind in the order of kinds and positions; those that neither run nor have figures are left out."""
    states = stop_rules.states_by_channel(company=books.company)
    rows = []
    for channel in roles_selectors.bare_channels(company=books.company).select_related("owner__user"):
        row = _row(books, [channel.pk], channel, state_of(books, channel, states.get(channel.pk)))
        if channel.is_running or any(value is not None for value in row.metrics.values()):
            rows.append(row)
    groups = []
    for kind in Channel.Kind:
        mine = [row for row in rows if row.channel.kind == kind]
        if mine:
            total = _row(books, [row.channel.pk for row in mine]) if len(mine) > 1 else None
            groups.append(Group(kind, mine, total))
    return groups


def total_row(books: Books) -> Row:
    """All channels together."""
    return _row(books, None)


def _row(books: Books, ids: list[int] | None, channel: Channel | None = None, state: State | None = None) -> Row:
    romi = books.value(ROMI, ids)
    return Row(
        metrics=_sums(books, ids, channel),
        kpis={code: books.value(books.measures[code].formula, ids).value for code in CHANNEL_KPIS if code in books.measures},
        earned=romi.numerator, romi=romi.value, plan=_planned(books, ids),
        weekly=[] if channel is None and ids is not None else books.weekly(EARNED, ids),
        channel=channel, state=state,
    )  # fmt: skip


def _sums(books: Books, ids: list[int] | None, channel: Channel | None) -> ChannelMetrics:
    days = {"start": books.span.start, "end": books.until}
    if ids is None or channel is not None:
        return books.cube.sums(CHANNEL_METRICS, channel_id=channel.pk if channel else None, **days)
    parts = [books.cube.sums(CHANNEL_METRICS, channel_id=pk, **days) for pk in ids]
    return {code: add([part[code] for part in parts]) for code in CHANNEL_METRICS}


def _planned(books: Books, ids: list[int] | None) -> Decimal | None:
    return books.planned_earnings() if ids is None else add([books.planned_earnings(pk) for pk in ids], whole=True)


def add(values: list[Decimal | None], whole: bool = False) -> Decimal | None:
    """The sum of what is known; None where nothing is, or (`whole`) where a part is not."""
    known = [value for value in values if value is not None]
    return None if not known or (whole and len(known) < len(values)) else sum(known)


def state_of(books: Books, channel: Channel, ruled: str | None) -> State:
    """What the channel does where it does not run, else the worst state of its stop-rules; without rules, whether figures come."""
    if channel.status in {Channel.Status.STOPPED, Channel.Status.PAUSED, Channel.Status.PLANNED}:
        return State(channel.status, MARKS[channel.status])
    code = ruled if ruled in MARKS else "unruled"
    last = books.cube.last_day(channel.pk)
    silent = last is None or (not books.span.is_over and (books.until - last).days >= SILENT_DAYS)
    if silent and code in {"ok", "unruled"}:
        code = "no_data"
    return State(code, MARKS[code])
