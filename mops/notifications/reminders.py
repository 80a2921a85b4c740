"""Recalls what is about to be late: a plan three hours and a fact two hours before its deadline, a decision after 24 and
48 hours, every second day what a successor has not answered; and tells the keeper of a source once that it has fallen silent."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from kpis.selectors.sources import Freshness, silent_sources
from mops import due
from mops.models import Group, Progress
from mops.moments import FACT_REMINDER, FIRST_REMINDER, PLAN_REMINDER, SECOND_REMINDER
from mops.notifications.recipients import holder, late_deciders, unique
from mops.notifications.writing import Message, write
from processes import deciders, escalation
from processes.deciders import Around, around
from processes.leaving import plans
from processes.models import Brief, Decision, HandoverItem
from processes.selectors import WaitingDecision, waiting_decisions
from reports.models import Timeliness, WeeklyReport
from roles import formats
from roles.models import CheckRound, Company, Membership
from roles.permissions import Permission, RoleKind, allowed

State = WeeklyReport.State
NO_TIME = timedelta()
PLAN_SOON = gettext_noop("The plan of %(week)s is due at %(time)s: %(channels)s")
FACT_SOON = gettext_noop("The fact of %(week)s is due at %(time)s: %(channels)s")


def remind(company: Company, at: datetime) -> int:
    """Write every reminder that is due at a moment, each once; returns how many messages were given."""
    plans, facts = list(_plans_due(company, at)), list(_facts_due(company, at))
    first, second = (_waiting(company, at, wait) for wait in (FIRST_REMINDER, SECOND_REMINDER))
    morning = _is_morning(company, at)
    silent = silent_sources(company=company, at=at) if morning else []
    asked = _not_answered(company, at) if morning else []
    checks, briefs = _checks_due(company, at), _briefs_due(company, at)
    with transaction.atomic():
        told = 0
        if checks or briefs or silent or asked or plans or facts or first or second:
            people = around(company=company, on=company.local_date(at))
            told = write(company=company, at=at, messages=[
                *_silences(company, people, silent),
                *_to_be_checked(company, checks),
                *_to_be_delivered(company, briefs),
                *_asked_again(company, at, asked),
                *_soon(company, people, "plan-due", PLAN_SOON, plans, "plan_due_at"),
                *_soon(company, people, "fact-due", FACT_SOON, facts, "fact_due_at"),
                *_still_waiting(company, people, FIRST_REMINDER, first),
                *_still_waiting(company, people, SECOND_REMINDER, second),
            ])  # fmt: skip
        Progress.objects.filter(company=company).update(reminded_at=at)
    return told


def _is_morning(company: Company, at: datetime) -> bool:
    """Once a local day, at the hour of the evaluation: by then the night's exports are there, and nobody is woken."""
    hour = datetime.combine(company.local_date(at), company.evaluate_at, tzinfo=company.zone)
    return at >= hour and not Progress.objects.filter(company=company, reminded_at__gte=hour).exists()


def _silences(company: Company, people: Around, silent: list[Freshness]) -> Iterator[Message]:
    """To whoever keeps the source, once for each silence; to the analyst where nobody does or the keeper has left."""
    for row in silent:
        keeper = row.source.owner
        for person in [keeper] if keeper and keeper.is_active else people.wearers(RoleKind.ANALYST):
            yield Message(
                person=person, key=f"source-silent:{row.source.pk}:{row.last_day}",
                url=reverse("kpis:data-quality", args=[company.slug]),
                words=lambda row=row, kept=person == keeper: _silence_words(row, kept), group=Group.FIGURES,
            )  # fmt: skip


def _silence_words(row: Freshness, kept: bool) -> tuple[str, str]:
    title = _("The source is silent since %(day)s: %(source)s") % {
        "day": formats.day(row.silent_since), "source": row.source.name,
    }  # fmt: skip
    if not kept:
        return title, _("Nobody keeps this source: load its figures, and say on its page who keeps it from now on.")
    return title, _(
        "You keep this source. Without its figures rules cannot judge and reports stay empty: load them, or say what happened."
    )


def _checks_due(company: Company, at: datetime) -> list[CheckRound]:
    """Rounds of outside checks whose days are over, unsigned and not yet skipped: each is told once, by its key."""
    day = company.local_date(at)
    rows = CheckRound.objects.filter(company=company, signed_at=None, last_day__lt=day, due_on__gte=day)
    rows = rows.select_related("external_check__person__user", "external_check__checker__user")
    return [one for one in rows if one.last_day <= one.external_check.last_day]


def _to_be_checked(company: Company, rounds: list[CheckRound]) -> Iterator[Message]:
    for one in rounds:
        yield Message(
            person=one.external_check.checker, key=f"check-due:{one.pk}", group=Group.DEADLINES,
            url=reverse("roles:check-round-detail", args=[company.slug, one.pk]),
            words=lambda one=one: (
                _("Check and sign until %(day)s: %(person)s")
                % {"day": formats.day(one.due_on), "person": one.external_check.person},
                one.external_check.what,
            ),
        )  # fmt: skip


def _briefs_due(company: Company, at: datetime) -> list[Brief]:
    """Briefs that the contractor has to answer or deliver until the end of tomorrow."""
    tomorrow = company.local_date(at) + timedelta(days=1)
    rows = Brief.objects.filter(company=company, state__in=Brief.WITH_CONTRACTOR, due_on=tomorrow)
    return list(rows.select_related("contractor").prefetch_related("contractor__people__user"))


def _to_be_delivered(company: Company, briefs: list[Brief]) -> Iterator[Message]:
    for brief in briefs:
        for person in unique(brief.contractor.people.all()):
            yield Message(
                person=person, key=f"brief-due:{brief.pk}:{brief.due_on}", group=Group.DEADLINES,
                url=reverse("processes:brief-detail", args=[company.slug, brief.pk]),
                words=lambda brief=brief: (
                    _("The brief is due tomorrow: %(title)s") % {"title": brief.title}, str(brief.get_state_display()),
                ),
            )  # fmt: skip


def _not_answered(company: Company, at: datetime) -> list[list[HandoverItem]]:
    """What each successor was asked to take and has said nothing about, every second day anew, the thing asked first ahead."""
    today = company.local_date(at)
    return [
        items
        for items in plans.silent_since(plans.awaited(company=company)).values()
        if plans.is_silent(items[0], at)
        and (today - company.local_date(items[0].asked_at)) % plans.ASK_AGAIN == NO_TIME
    ]


def _asked_again(company: Company, at: datetime, asked: list[list[HandoverItem]]) -> Iterator[Message]:
    """To the successor themselves: one message a departure, at most one a day."""
    for items in asked:
        first = items[0]
        yield Message(
            person=first.successor, key=f"handover-waits:{first.handover_id}:{company.local_date(at)}", group=Group.TASKS,
            url=reverse("processes:handover-list", args=[company.slug]),
            words=lambda items=items: _asked_words(company, items),
        )  # fmt: skip


def _asked_words(company: Company, items: list[HandoverItem]) -> tuple[str, str]:
    first = items[0]
    title = _("%(person)s leaves: your answer is awaited since %(day)s") % {
        "person": first.handover.person, "day": formats.day(company.local_date(first.asked_at)),
    }  # fmt: skip
    text = _("Say of each thing whether you take it; a no helps too: somebody else is asked then.")
    return title, "\n".join([text, *(item.label for item in items)])


def _plans_due(company: Company, at: datetime) -> QuerySet[WeeklyReport]:
    rows = WeeklyReport.objects.filter(company=company, plan_submitted_at=None, plan_timeliness="").exclude(
        state=State.LOCKED
    )
    return rows.filter(plan_due_at__gt=at, plan_due_at__lte=at + PLAN_REMINDER).select_related("channel__owner__user")


def _facts_due(company: Company, at: datetime) -> QuerySet[WeeklyReport]:
    rows = WeeklyReport.objects.filter(company=company, state__in=[State.EMPTY, State.DRAFT, State.RETURNED])
    rows = rows.exclude(timeliness=Timeliness.EXCUSED)
    return rows.filter(fact_due_at__gt=at, fact_due_at__lte=at + FACT_REMINDER).select_related("channel__owner__user")


def _waiting(company: Company, at: datetime, wait: timedelta) -> list[WaitingDecision]:
    """Decisions to recall, with the money that went meanwhile."""
    late = set(due.unreminded(at, wait).filter(company=company).values_list("pk", flat=True))
    return [row for row in waiting_decisions(company=company, at=at) if row.decision.pk in late] if late else []


def _soon(
    company: Company, people: Around, name: str, title: str, reports: list[WeeklyReport], due_field: str
) -> Iterator[Message]:
    """One message per person and week, whatever the number of channels."""
    heaps: dict[tuple[Membership, datetime], list[WeeklyReport]] = defaultdict(list)
    for report in reports:
        for person in holder(people, report.channel):
            heaps[person, report.week].append(report)
    for (person, monday), mine in heaps.items():
        yield Message(
            person=person, key=f"{name}:{monday:%G-W%V}", url=_page(company, mine),
            words=lambda mine=mine: _soon_words(company, title, mine, getattr(mine[0], due_field)), group=Group.DEADLINES,
        )  # fmt: skip


def _soon_words(company: Company, title: str, reports: list[WeeklyReport], due_at: datetime) -> tuple[str, str]:
    monday = reports[0].week
    return _(title) % {
        "week": formats.days(monday, monday + timedelta(days=6), year=False),
        "time": formats.clock(due_at, company.zone),
        "channels": ", ".join(report.channel.name for report in reports),
    }, ""


def _page(company: Company, reports: list[WeeklyReport]) -> str:
    if len(reports) == 1:
        return reverse("reports:weekly-report-detail", args=[company.slug, reports[0].pk])
    return reverse("reports:weekly-report-list", args=[company.slug])


def _still_waiting(
    company: Company, people: Around, wait: timedelta, waiting: list[WaitingDecision]
) -> Iterator[Message]:  # fmt: skip
    """To whoever decides; after 48 hours to the deputy and the owner too. The money only for those who may see it."""
    hours = int(wait.total_seconds() // 3600)
    for row in waiting:
        decision = row.decision
        late = wait == SECOND_REMINDER
        told = late_deciders(people, decision) if late else deciders.deciders(decision=decision, people=people)
        for person in told:
            sees = _sees_money(people, person, decision)
            yield Message(
                person=person, key=f"decision-waits:{decision.pk}:{hours}",
                url=reverse("processes:decision-detail", args=[company.slug, decision.pk]),
                words=lambda row=row, sees=sees: _waiting_words(row, hours, sees),
                group=Group.ESCALATIONS if late else Group.DECISIONS,
            )  # fmt: skip


def _sees_money(people: Around, person: Membership, decision: Decision) -> bool:
    return allowed(people.hats(person), Permission.VIEW_MONEY, decision.channel_id)


def _waiting_words(row: WaitingDecision, hours: int, sees_money: bool) -> tuple[str, str]:
    decision = row.decision
    title = _("Undecided for %(hours)s hours. %(question)s") % {"hours": hours, "question": decision.question}
    text = _("%(number)s stays open until somebody signs; meanwhile the spending goes on.") % {"number": decision}
    return title, f"{text} {_burned_words(row)}".strip() if sees_money else text


def _burned_words(row: WaitingDecision) -> str:
    """What has gone over the line while it waits, and since the breach began; empty where it is not counted in money."""
    company = row.decision.company
    gone = escalation.gone_since(row.evidence, company.local_date(row.decision.opened_at))
    if row.burned is None:
        return ""
    words = {"gone": formats.money(gone, company.currency), "burned": formats.money(row.burned, company.currency)}
    if gone is None:
        return _("Over the line since the breach began: %(burned)s.") % words
    return _("Over the line while it waits: %(gone)s, since the breach began: %(burned)s.") % words
