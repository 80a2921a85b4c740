"""The week's letters: on Monday morning to everybody what waits for them, to the owner on Friday evening and to the director
before the stand-up what the week has brought. Each once, never empty."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.urls import reverse
from django.utils.translation import gettext as _

from kpis.periods import week_number
from mops.models import Group, Notification
from mops.moments import ahead_at
from mops.notifications import ahead
from mops.notifications.writing import Message, write
from processes.deciders import around
from processes.selectors import waiting_decisions
from reports.selectors.calendar import week_book
from reports.selectors.carried import stuck_actions
from reports.selectors.summary import Summary, week_summary
from roles import formats
from roles.models import Company, Membership
from roles.permissions import RoleKind

STILL_NEWS = timedelta(hours=12)
"""A letter that could not be written at its moment is written until then; later it would be history."""


def send(company: Company, at: datetime) -> int:
    """Write the letters whose moment has come; returns how many messages were given."""
    told, book = 0, week_book(company=company)
    for week, moments in book.weeks_around(at, at):
        if moments.rests:
            continue
        if (morning := ahead_at(week, book)) <= at < morning + STILL_NEWS:
            told += ahead.tell(company, at, week, moments)
        if moments.digest_at <= at < moments.digest_at + STILL_NEWS:
            told += _tell(company, at, week, "digest", (RoleKind.OWNER,))
        if moments.summary_due_at <= at < moments.summary_due_at + STILL_NEWS:
            told += _tell(company, at, week, "summary", (RoleKind.CMO,))
    return told


def _tell(company: Company, at: datetime, week: date, name: str, kinds: tuple[RoleKind, ...]) -> int:
    if Notification.objects.filter(company=company, key=f"{name}:{week:%G-W%V}").exists():
        return 0
    summary = week_summary(company=company, week=week, at=at)
    people = around(company=company, on=company.local_date(at)).wearers(*kinds)
    if not people or (summary.earned is None and not summary.discipline.reports):
        return 0
    waiting = len(waiting_decisions(company=company, at=at))
    stuck = stuck_actions(company=company).count() if name == "summary" else 0
    return write(company=company, at=at, messages=_messages(company, people, name, summary, (waiting, stuck)))


def _messages(
    company: Company, people: list[Membership], name: str, summary: Summary, counts: tuple[int, int]
) -> Iterator[Message]:
    url = f"{reverse('reports:week-summary', args=[company.slug])}?week={summary.week:%G-W%V}"
    for person in people:
        yield Message(
            person=person, key=f"{name}:{summary.week:%G-W%V}", url=url,
            words=lambda: _words(company, name, summary, counts), group=Group.DIGEST,
        )  # fmt: skip


def _words(company: Company, name: str, summary: Summary, counts: tuple[int, int]) -> tuple[str, str]:
    week = {"week": week_number(summary.week)}
    if summary.earned is None:
        title = _("Week %(week)s: what was earned is not known") % week
    else:
        words = {**week, "earned": formats.money(summary.earned, company.currency)}
        title = _("Week %(week)s: earned %(earned)s") % words
        if summary.romi is not None:
            title += _(", ROMI %s") % formats.figure(summary.romi, "share", company.currency)
    lines = [_silence(summary), *_rest(name, summary, counts)]
    return title, "\n".join(line for line in lines if line)


def _silence(summary: Summary) -> str:
    """Who has not told anything: silence is what the owner cannot see on a chart."""
    kept = summary.discipline
    missing = [row.channel.name for row in summary.missing]
    filed = _("Facts filed in time: %(done)s of %(all)s.") % {"done": kept.fact_on_time, "all": kept.fact_due}
    return filed if not missing else filed + " " + _("Silent: %s.") % ", ".join(missing)


def _rest(name: str, summary: Summary, counts: tuple[int, int]) -> Iterator[str]:
    waiting, stuck = counts
    worst = [row for row in summary.channels if row.off is not None and row.off < 0][:3]
    if worst:
        yield _("Under plan: %s.") % ", ".join(row.channel.name for row in sorted(worst, key=lambda row: row.off))
    if waiting:
        yield _("Decisions that wait: %s.") % waiting
    if stuck:
        yield _("Moved three times, to be decided: %s.") % stuck
    if name == "summary" and not (summary.words and summary.words.text):
        yield _("The summary is not written yet.")
