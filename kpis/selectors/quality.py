"""What is wrong with the figures, on one page: silent sources, gaps, jumps, spend without leads, channels without a source,
typed figures. One query reads the facts, whatever their number of channels and sources."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kpis.doubts import Doubt, open_doubts
from kpis.jumps import jumps
from kpis.metrics import BUILT_IN, MetricInfo
from kpis.models import Source
from kpis.selectors import fact_rows
from kpis.selectors.measures import metrics_of
from kpis.selectors.sources import Freshness, freshness
from roles import formats
from roles.fields import MICRO, from_micros
from roles.models import Channel, Company, Membership
from roles.permissions import Permission

WINDOW, SHOWN, JUMPS_IN = 63, 35, 14
"""Days that are read, days in which gaps are looked for, days that are held against their weekdays."""
WATCHED = {"spend": 0, "visits": 150 * MICRO, "leads": 5 * MICRO}
"""Metrics whose jumps are told, and the difference (micros) that is never one."""
STEADY = 0.7
"""A source reports a channel every day when it did so on this share of days at least."""
FEWEST_SPENT = 3
CONVERSIONS = ("leads", "qualified_leads", "deals")


MARKS = ("stop", "watch", "none")
"""The gravest first."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: what, about whom, on which days, and what the buttons beside it need.

    `task`: the words of a task about it; `in_doubt`: an open incident covers its days already.
    """

    kind: str  # silent | late | never | gap | jump | no_leads | no_source | typed
    subject: str
    words: str
    task: str
    first: date | None = None
    last: date | None = None
    channel: Channel | None = None
    source: Source | None = None
    metric: str = ""
    in_doubt: bool = False

    @property
    def owner(self) -> Membership | None:
        """Whom a task about it is for: the keeper of the source, else the owner of the channel."""
        return (self.source and self.source.owner) or (self.channel and self.channel.owner)

    @property
    def kind_words(self) -> str:
        return {
            "silent": _("source is silent"), "late": _("source is late"), "never": _("source without figures"), "gap": _("gap in days"),
            "jump": _("jump"), "no_leads": _("spend without leads"), "no_source": _("channel without a source"),
            "typed": _("typed by hand"),
        }[self.kind]  # fmt: skip

    @property
    def mark(self) -> str:
        return {"silent": "stop", "no_leads": "stop", "gap": "watch", "jump": "watch", "late": "watch"}.get(
            self.kind, "none"
        )


@dataclass(frozen=True)
class Strip:
    """A source day by day, oldest first: `full`, `part` or `none` of its running channels had figures; `doubt`: all are held
    in doubt; `rest`: none is expected every day. `metrics`: names of what it gives."""

    state: Freshness
    days: list[tuple[date, str]]
    metrics: list[str]

    @property
    def reported(self) -> int:
        return sum(what in ("full", "part", "doubt") for _day, what in self.days)


@dataclass
class Read:
    """The facts of the window: by (source, channel) the days with any figure, by channel and metric what counts and whose it is."""

    first: date
    yesterday: date
    infos: list[MetricInfo]
    seen: dict[tuple[int, int], list[bool]] = field(default_factory=dict)
    values: dict[int, list[list[int | None]]] = field(default_factory=dict)
    whose: dict[int, list[list[int | None]]] = field(default_factory=dict)
    given: dict[int, set[int]] = field(default_factory=dict)

    @property
    def days(self) -> int:
        return (self.yesterday - self.first).days + 1

    def day(self, index: int) -> date:
        return self.first + timedelta(days=index)

    def column(self, channel_id: int, code: str) -> list[int | None]:
        place = [info.code for info in self.infos].index(code)
        columns = self.values.get(channel_id)
        return columns[place] if columns else [None] * self.days


def read_window(*, company: Company, metrics: dict[str, MetricInfo], today: date) -> Read:
    """The facts of the last nine weeks up to yesterday; one query."""
    yesterday = today - timedelta(days=1)
    found = Read(yesterday - timedelta(days=WINDOW - 1), yesterday, list(metrics.values()))
    rows = fact_rows.read(
        company=company, start=found.first, end=yesterday, columns=[info.column for info in found.infos],
        channel_ids=None, campaigns=False,
    )  # fmt: skip
    for day, channel, source, *values in rows:  # the weakest source first: a stronger one overwrites it
        index = ((date.fromisoformat(day) if isinstance(day, str) else day) - found.first).days
        known = [place for place, value in enumerate(values) if value is not None]
        if not known:
            continue
        found.seen.setdefault((source, channel), [False] * WINDOW)[index] = True
        found.given.setdefault(source, set()).update(known)
        columns = found.values.setdefault(channel, [[None] * WINDOW for _info in found.infos])
        owners = found.whose.setdefault(channel, [[None] * WINDOW for _info in found.infos])
        for place in known:
            columns[place][index], owners[place][index] = values[place], source
    return found


@dataclass(frozen=True)
class Quality:
    """The page: `strips` of all sources, `findings` the gravest first; `last`: the last day that is over."""

    strips: list[Strip]
    findings: list[Finding]
    first: date
    last: date


def data_quality(*, company: Company, person: Membership, at: datetime) -> Quality:
    """What is wrong with the figures at a moment; five queries. Amounts of money only where this person may see them."""
    today = company.local_date(at)
    metrics = metrics_of(company=company)
    states = freshness(company=company, at=at)
    channels = list(Channel.objects.filter(company=company).select_related("owner__user"))
    read = read_window(company=company, metrics=metrics, today=today)
    doubts = open_doubts([company.pk])[company.pk]
    look = Look(company, person, read, metrics, {row.source.pk: row for row in states}, channels, doubts)
    found = [*_silent(look), *_without_leads(look), *_gaps(look), *_jumps(look), *_without_source(look), *_typed(look)]
    found.sort(key=lambda one: MARKS.index(one.mark))
    strips = [_strip(look, row) for row in states]
    return Quality(strips, found, read.day(WINDOW - SHOWN), read.yesterday)


@dataclass(frozen=True)
class Look:
    """Everything that the checks look at, read once."""

    company: Company
    person: Membership
    read: Read
    metrics: dict[str, MetricInfo]
    states: dict[int, Freshness]
    channels: list[Channel]
    doubts: list[Doubt]

    @property
    def running(self) -> list[Channel]:
        return [channel for channel in self.channels if channel.is_running]

    def in_doubt(self, channel: Channel | None, first: date, last: date) -> bool:
        return any(
            doubt.first_day <= first and last <= doubt.last_day and doubt.channel_id in (None, channel and channel.pk)
            for doubt in self.doubts
        )


# ---------------------------------------------------------------- the checks
def _silent(look: Look) -> Iterator[Finding]:
    for row in look.states.values():
        if row.is_well or (row.state == "never" and row.source.kind == Source.Kind.MANUAL):
            continue
        if row.state == "never":
            words = _("has not brought any figures yet")
        elif row.state == "silent":
            words = _("silent since %(day)s") % {"day": formats.day(row.silent_since)}
        else:
            words = _("late: figures are there up to %(day)s") % {"day": formats.day(row.last_day)}
        yield Finding(
            row.state, row.source.name, words, _("Bring the figures of “%(source)s” up to date") % {"source": row.source.name},
            row.silent_since, look.read.yesterday, source=row.source,
        )  # fmt: skip


def _gaps(look: Look) -> Iterator[Finding]:
    """Days without a channel that a daily source usually reports, up to the source's own newest day."""
    channels = {channel.pk: channel for channel in look.channels}
    begin = WINDOW - SHOWN
    for (source_id, channel_id), seen in sorted(look.read.seen.items()):
        state, channel = look.states.get(source_id), channels.get(channel_id)
        if state is None or channel is None or state.source.expected_every_days != 1 or not channel.is_running:
            continue
        if state.source.kind == Source.Kind.MANUAL or state.last_day is None:
            continue
        first = seen.index(True)
        end = min((state.last_day - look.read.first).days + 1, WINDOW)
        if sum(seen[first:end]) < STEADY * (end - first):
            continue
        for run in _runs(index for index in range(max(first, begin), end) if not seen[index]):
            yield _gap(look, state.source, channel, look.read.day(run[0]), look.read.day(run[-1]))


def _gap(look: Look, source: Source, channel: Channel, first: date, last: date) -> Finding:
    n = (last - first).days + 1
    words = ngettext(
        "“%(source)s” says nothing of %(n)s day, %(days)s", "“%(source)s” says nothing of %(n)s days, %(days)s", n
    ) % {"source": source.name, "n": n, "days": formats.days(first, last, year=False)}
    task = _("Load the figures of “%(channel)s” from “%(source)s” for %(days)s") % {
        "channel": channel.name, "source": source.name, "days": formats.days(first, last, year=False),
    }  # fmt: skip
    doubted = look.in_doubt(channel, first, last)
    return Finding("gap", channel.name, words, task, first, last, channel, source, in_doubt=doubted)


def _jumps(look: Look) -> Iterator[Finding]:
    """Days that stand out against their weekdays; days in a row are one finding."""
    for channel in look.running:
        if channel.pk not in look.read.values:
            continue
        for code, least in WATCHED.items():
            found = {jump.index: jump for jump in jumps(look.read.column(channel.pk, code), JUMPS_IN, least)}
            for run in _runs(sorted(found)):
                worst = max((found[index] for index in run), key=lambda jump: abs(jump.value - jump.usual))
                yield _jump(look, channel, code, look.read.day(run[0]), look.read.day(run[-1]), worst)


def _jump(look: Look, channel: Channel, code: str, first: date, last: date, worst) -> Finding:
    info = BUILT_IN[code]
    days = formats.days(first, last, year=False)
    words = _("%(metric)s, %(days)s: out of line with the same weekdays") % {"metric": info.name, "days": days}
    if info.unit != "money" or look.person.can(Permission.VIEW_MONEY, channel):
        value, usual = (
            formats.figure(from_micros(round(micros)), info.unit, look.company.currency) for micros in (worst.value, worst.usual)
        )  # fmt: skip
        words = _("%(metric)s, %(days)s: %(value)s, on the same weekdays usually %(usual)s") % {
            "metric": info.name, "days": days, "value": value, "usual": usual,
        }  # fmt: skip
    task = _("Check “%(metric)s” of “%(channel)s” for %(days)s with the source") % {
        "metric": info.name, "channel": channel.name, "days": days,
    }  # fmt: skip
    return Finding(
        "jump", channel.name, words, task, first, last, channel, metric=code, in_doubt=look.in_doubt(channel, first, last)
    )  # fmt: skip


def _without_leads(look: Look) -> Iterator[Finding]:
    """Running channels that spent on some of the last days while no source told how many leads came."""
    for channel in look.running:
        spend = look.read.column(channel.pk, "spend")
        told = [look.read.column(channel.pk, code) for code in CONVERSIONS]
        blind = [
            index for index in range(WINDOW - JUMPS_IN, WINDOW)
            if spend[index] and all(column[index] is None for column in told)
        ]  # fmt: skip
        if len(blind) < FEWEST_SPENT:
            continue
        first, last = look.read.day(blind[0]), look.read.day(blind[-1])
        words = ngettext(
            "spends, and nobody says how many leads came: %(n)s day, %(days)s",
            "spends, and nobody says how many leads came: %(n)s days, %(days)s", len(blind),
        ) % {"n": len(blind), "days": formats.days(first, last, year=False)}  # fmt: skip
        task = _("Bring the leads of “%(channel)s”: its spend comes without them") % {"channel": channel.name}
        yield Finding(
            "no_leads", channel.name, words, task, first, last, channel, metric="leads",
            in_doubt=look.in_doubt(channel, first, last),
        )  # fmt: skip


def _without_source(look: Look) -> Iterator[Finding]:
    begin = WINDOW - SHOWN
    fed = {channel for (_source, channel), seen in look.read.seen.items() if any(seen[begin:])}
    for channel in look.running:
        if channel.pk not in fed:
            words = _("runs, and no source has reported it for five weeks")
            task = _("Find a source for the figures of “%(channel)s”") % {"channel": channel.name}
            yield Finding("no_source", channel.name, words, task, channel=channel)


def _typed(look: Look) -> Iterator[Finding]:
    """Figures that count and that a person typed."""
    manual = {pk for pk, row in look.states.items() if row.source.kind == Source.Kind.MANUAL}
    begin = WINDOW - SHOWN
    for channel in look.channels:
        cells = [
            (index, info)
            for info, owners in zip(look.read.infos, look.read.whose.get(channel.pk, ()), strict=False)
            for index in range(begin, WINDOW) if owners[index] in manual
        ]  # fmt: skip
        if not cells:
            continue
        names = ", ".join(dict.fromkeys(str(info.name) for _index, info in cells))
        indexes = [index for index, _info in cells]
        first, last = look.read.day(min(indexes)), look.read.day(max(indexes))
        words = ngettext("%(n)s figure is typed by hand: %(names)s", "%(n)s figures are typed by hand: %(names)s", len(cells)) % {
            "n": len(cells), "names": names,
        }  # fmt: skip
        task = _("Connect a source for what is typed by hand of “%(channel)s”: %(names)s") % {
            "channel": channel.name, "names": names,
        }  # fmt: skip
        yield Finding("typed", channel.name, words, task, first, last, channel, metric=cells[0][1].code)


def _runs(indexes: Iterable[int]) -> list[list[int]]:
    """Days in a row together."""
    runs: list[list[int]] = []
    for index in indexes:
        if runs and runs[-1][-1] == index - 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    return runs


# ---------------------------------------------------------------- the picture
def _strip(look: Look, state: Freshness) -> Strip:
    """Of each day how many of the channels that the source reports had figures."""
    running = {channel.pk for channel in look.running}
    mine = {
        channel: seen for (source, channel), seen in look.read.seen.items()
        if source == state.source.pk and channel in running
    }  # fmt: skip
    rests = state.source.expected_every_days != 1 or state.source.kind == Source.Kind.MANUAL
    days = []
    for index in range(WINDOW - SHOWN, WINDOW):
        day = look.read.day(index)
        told = sum(seen[index] for seen in mine.values())
        what = ("rest" if rests else "none") if not told else "full" if told == len(mine) or rests else "part"
        if told and any(doubt.channel_id is None and doubt.first_day <= day <= doubt.last_day for doubt in look.doubts):
            what = "doubt"
        days.append((day, what))
    given = look.read.given.get(state.source.pk, set())
    return Strip(state, days, [str(info.name) for place, info in enumerate(look.read.infos) if place in given])
