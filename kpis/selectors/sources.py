"""Reads of sources: how fresh each is."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from kpis.models import Import, Source
from roles.models import Company

SILENT_AFTER = 3
"""A source that missed its rhythm is late; one that missed it this many times over is silent."""


@dataclass(frozen=True)
class Freshness:
    """How fresh a source is. `last_day`: the newest day with its facts, None when it never loaded any.

    state: fresh | late | silent | never | once (nothing more is expected); `days_behind`: days that are over and have no figures yet.
    """

    source: Source
    last_day: date | None
    last_load_at: datetime | None
    state: str
    days_behind: int | None

    @property
    def is_well(self) -> bool:
        """Is there nothing to be done about it?"""
        return self.state in {"fresh", "once"}

    @property
    def silent_since(self) -> date | None:
        """The first day without figures; None when it never brought any."""
        return None if self.last_day is None else self.last_day + timedelta(days=1)


def silent_sources(*, company: Company, at: datetime) -> list[Freshness]:
    """Those that have fallen silent; one query."""
    return [row for row in freshness(company=company, at=at) if row.state == "silent"]


def sources(*, company: Company) -> QuerySet[Source]:
    """The company's sources, the one that wins first, owners loaded."""
    return Source.objects.filter(company=company).select_related("owner__user")


def get_source(*, company: Company, code: str) -> Source | None:
    return sources(company=company).filter(code=code).first()


def why_kept(*, source: Source) -> str:
    """Why the source cannot be deleted, in a sentence; empty when no load of it ever brought a figure and none waits."""
    loads = Import.objects.filter(company=source.company_id, source=source)
    if loads.filter(state__in=[Import.State.PREVIEW, Import.State.QUEUED]).exists():
        return _("A file of this source waits in the loads: load it or drop it first.")
    if loads.filter(Q(state=Import.State.DONE) | ~Q(last_day=None)).exists():
        return _(
            "This source has brought figures, and its loads are their history: it stays. When nothing more comes of it, choose that it came once."
        )
    return ""


def freshness(*, company: Company, at: datetime) -> list[Freshness]:
    """Every source with its newest day and load, in one query by index. A day counts as due when it is over."""
    yesterday = company.local_date(at) - timedelta(days=1)
    newest_end = _done(company).exclude(finished_at=None).order_by("-finished_at").values("finished_at")[:1]
    rows = sources(company=company).annotate(last_day=_newest_day(company), last_load_at=Subquery(newest_end))
    return [
        Freshness(row, row.last_day, row.last_load_at, *_state(row.last_day, yesterday, row.expected_every_days))
        for row in rows
    ]


def _done(company: Company) -> QuerySet[Import]:
    return Import.objects.filter(company=company, source=OuterRef("pk"), state=Import.State.DONE)


def _newest_day(company: Company) -> Subquery:
    return Subquery(_done(company).exclude(last_day=None).order_by("-last_day").values("last_day")[:1])


def silent_count(*, company: Company, at: datetime) -> int:
    """How many sources are silent: the same judgement as `freshness`, read as bare values for the menu of every page."""
    yesterday = company.local_date(at) - timedelta(days=1)
    newest = _newest_day(company)
    rows = (
        Source.objects.filter(company=company).annotate(last_day=newest).values_list("expected_every_days", "last_day")
    )
    return sum(_state(last_day, yesterday, every)[0] == "silent" for every, last_day in rows)


def _state(last_day: date | None, yesterday: date, every: int) -> tuple[str, int | None]:
    if last_day is None:
        return "never", None
    behind = max(0, (yesterday - last_day).days)
    if not every:
        return "once", behind
    if behind < every:
        return "fresh", behind
    return ("late" if behind < every * SILENT_AFTER else "silent"), behind
