"""Which decisions are a week's: one meaning for its summary and for its slides, whoever looks and whenever it was signed."""

from datetime import timedelta

import pytest

from processes.models import Decision
from reports.models import Meeting
from reports.selectors.summary import week_summary
from reports.slides.content import deck_of
from tests.mops.conftest import make_decision
from tests.reports.conftest import MONDAY
from tests.reports.test_slides import week

__all__ = ["week"]
NEXT = MONDAY + timedelta(weeks=1)


@pytest.fixture
def decision(week, acme):
    return make_decision(acme, opened_at=week.local("next_mon", 3))


def told(week, acme, monday, at) -> bool:
    """Is it there, on the page and on the slides alike?"""
    given = {"company": acme.company, "week": monday, "at": at}
    page = week_summary(**given).decisions
    slides = [row for slide in deck_of(**given, person=acme.cmo).channels for row in slide.decided]
    assert sorted(row.pk for row in page) == sorted(row.pk for row in slides)
    return bool(page)


def signed(decision, acme, at):
    Decision.objects.filter(pk=decision.pk).update(
        state="signed", choice="stop", reason="Дорого", signed_at=at, signed_by=acme.cmo
    )


def test_what_the_last_night_opened_waits_on_the_week_that_is_talked_of(week, acme, decision):
    assert told(week, acme, MONDAY, week.local("next_mon", 9))


@pytest.mark.parametrize(("hour", "there"), [(8, True), (10, True), (15, False)])
def test_signed_on_monday_before_the_stand_up_it_is_still_of_that_week(week, acme, decision, hour, there):
    signed(decision, acme, week.local("next_mon", hour))
    assert told(week, acme, MONDAY, week.local("next_mon", 16)) is there
    assert week_summary(company=acme.company, week=NEXT, at=week.local("next_mon", 16)).decisions == [decision]


def test_a_stand_up_that_was_held_late_keeps_what_was_signed_until_its_end(week, acme, decision):
    begun, ended = week.local("next_mon", 14), week.local("next_mon", 16)
    meeting = Meeting.objects.create(
        company=acme.company, week=MONDAY, state="running", started_at=begun, running_since=begun, presenter=acme.cmo
    )
    signed(decision, acme, week.local("next_mon", 15))
    assert told(week, acme, MONDAY, week.local("next_mon", 15))

    meeting.state, meeting.ended_at, meeting.running_since = "ended", ended, None
    meeting.save()
    assert told(week, acme, MONDAY, ended + timedelta(days=3))
    signed(decision, acme, ended + timedelta(minutes=1))
    assert not told(week, acme, MONDAY, ended + timedelta(days=3))
