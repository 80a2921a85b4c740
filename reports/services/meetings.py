"""The stand-up as it is held: one presenter turns the slides, the others follow; it may be suspended and goes on where it was."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from reports.minutes import minutes_of, seal_of
from reports.models import Meeting
from reports.slides.content import Deck
from roles import audit
from roles.models import Company, Membership
from roles.permissions import Permission
from roles.refusals import Conflict, FieldError, Forbidden, Refused

State = Meeting.State
MOST_TOPICS, LONGEST_TOPIC = 3, 200
SUMMARY = "summary"


class MayNotPresent(Forbidden):
    code = "may_not_present"


class NotPresenter(Forbidden):
    code = "not_presenter"


class WrongMoment(Conflict):
    code = "wrong_state"


class TopicsRefused(Refused):
    code = "topics"


def may_present(person: Membership) -> bool:
    """Whoever sees the money of the whole company: nobody else can read every slide aloud."""
    return person.can(Permission.VIEW_MONEY)


def taken(company: Company, by: Membership, week: date, *states: str, make: bool = False) -> Meeting:
    """The week's meeting, locked for a write by somebody who may present, in one of the states; `make`: planned when there is
    none. 403, 409."""
    if not may_present(by):
        raise MayNotPresent(_("Whoever sees the money of all channels presents: ask the marketing director."))
    if make:
        Meeting.objects.get_or_create(company=company, week=week)
    found = Meeting.objects.select_for_update(of=("self",)).filter(company=company, week=week).first()
    if found is None or found.state not in states:
        raise WrongMoment(_("The meeting has moved on meanwhile: read the page again."))
    return found


def keep(meeting: Meeting) -> Meeting:
    """Write the row; whoever follows sees by its version that there is news."""
    meeting.version += 1
    meeting.save()
    return meeting


def _told(meeting: Meeting, by: Membership, verb: str, at: datetime, **after) -> Meeting:
    """Keep the meeting with its audit event."""
    keep(meeting)
    audit.record(
        company=meeting.company, by=by, verb=verb, obj=meeting, at=at, after={"week": str(meeting), **after}
    )  # fmt: skip
    return meeting


def _hold(meeting: Meeting, at: datetime) -> None:
    """Stop both clocks."""
    meeting.seconds, meeting.slide_seconds = meeting.run_for(at), meeting.slide_for(at)
    meeting.running_since = meeting.slide_since = None


@transaction.atomic
def start_meeting(*, company: Company, by: Membership, at: datetime, week: date, slide: str = SUMMARY) -> Meeting:
    """Begin the week's meeting at a slide, with `by` as the presenter. 409 when it has begun already."""
    meeting = taken(company, by, week, State.PLANNED, make=True)
    meeting.state, meeting.presenter, meeting.slide = State.RUNNING, by, slide
    meeting.started_at = meeting.running_since = meeting.slide_since = at
    meeting.present = [by.pk]
    return _told(meeting, by, "start_meeting", at)


@transaction.atomic
def claim_presenter(*, company: Company, by: Membership, at: datetime, week: date) -> Meeting:
    """Turn the slides from now on instead of whoever did."""
    meeting = taken(company, by, week, State.RUNNING, State.SUSPENDED)
    before, meeting.presenter = meeting.presenter, by
    meeting.present = _with(meeting.present, by)
    return _told(meeting, by, "claim_presenter", at, instead_of=str(before))


@transaction.atomic
def turn_slide(*, company: Company, by: Membership, at: datetime, week: date, slide: str) -> Meeting:
    """Show another slide to everybody: 403 unless `by` presents. No audit event: where a meeting looked is not a deed."""
    meeting = taken(company, by, week, State.RUNNING, State.SUSPENDED)
    if meeting.presenter_id != by.pk:
        raise NotPresenter(_("%s presents now: take over first.") % meeting.presenter)
    if meeting.slide == slide:
        return meeting
    meeting.slide, meeting.slide_seconds = slide[:40], 0
    meeting.slide_since = at if meeting.state == State.RUNNING else None
    return keep(meeting)


@transaction.atomic
def suspend_meeting(*, company: Company, by: Membership, at: datetime, week: date) -> Meeting:
    """Break off: the clocks stand until it goes on."""
    meeting = taken(company, by, week, State.RUNNING)
    _hold(meeting, at)
    meeting.state = State.SUSPENDED
    return _told(meeting, by, "suspend_meeting", at)


@transaction.atomic
def resume_meeting(*, company: Company, by: Membership, at: datetime, week: date) -> Meeting:
    """Go on at the slide where it broke off."""
    meeting = taken(company, by, week, State.SUSPENDED)
    meeting.state, meeting.running_since, meeting.slide_since = State.RUNNING, at, at
    return _told(meeting, by, "resume_meeting", at)


@transaction.atomic
def join_meeting(*, company: Company, by: Membership, week: date) -> None:
    """Note that somebody follows; they are offered as present when it ends. Nothing when it is not under way."""
    meeting = Meeting.objects.select_for_update(of=("self",)).filter(company=company, week=week).first()
    if meeting and meeting.is_live and by.pk not in meeting.present:
        meeting.present = _with(meeting.present, by)
        meeting.save(update_fields=["present"])


def _with(present: list[int], person: Membership) -> list[int]:
    return present if person.pk in present else [*present, person.pk]


@transaction.atomic
def write_topics(*, company: Company, by: Membership, at: datetime, week: date, topics: list[str]) -> Meeting:
    """The most important of the week, three at most, before the meeting or during it. 400 for more or for long ones."""
    told = [topic.strip() for topic in topics if topic.strip()]
    if len(told) > MOST_TOPICS or any(len(topic) > LONGEST_TOPIC for topic in told):
        message = _("Three topics at most, each of %s characters at most.") % LONGEST_TOPIC
        raise TopicsRefused(message, [FieldError("topics", "too_many", message)])
    meeting = taken(company, by, week, State.PLANNED, State.RUNNING, State.SUSPENDED, make=True)
    meeting.topics = told
    return _told(meeting, by, "write_topics", at, topics=told)


@transaction.atomic
def end_meeting(
    *, company: Company, by: Membership, at: datetime, week: date, present: list[Membership], deck: Deck
) -> Meeting:
    """End it with minutes made of the slides as they are now; from then on the row is sealed and everybody is told."""
    meeting = taken(company, by, week, State.RUNNING, State.SUSPENDED)
    _hold(meeting, at)
    meeting.state, meeting.ended_at = State.ENDED, at
    meeting.present = [person.pk for person in present]
    meeting.minutes = minutes_of(meeting=meeting, deck=deck, present=present)
    meeting.seal = seal_of(meeting.minutes)
    return _told(meeting, by, "end_meeting", at)
