"""The stand-up as it is held: presenter and followers, suspensions, topics, minutes that stay, who sees the money."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from mops import pipeline
from mops.models import Delivery, Notification
from reports.models import Meeting
from reports.services import meetings
from reports.slides.content import deck_of
from roles.models import AuditEvent
from roles.refusals import Refused
from tests.reports.conftest import MONDAY
from tests.reports.test_slides import week

__all__ = ["week"]
STAND_UP = "/c/acme/reports/stand-up/"
ASKED = "?week=2026-W47"


class Held:
    """`act("start", by)`: one service of the meeting, a minute after the one before."""

    def __init__(self, week, made):
        self.company, self.made, self.now = made.company, made, week.local("next_mon", 10)

    def act(self, name, by=None, **fields):
        self.now += timedelta(minutes=1)
        given = {"company": self.company, "by": by or self.made.cmo, "at": self.now, "week": MONDAY}
        return getattr(meetings, name)(**given, **fields)

    def end(self, *present):
        deck = deck_of(company=self.company, person=self.made.cmo, week=MONDAY, at=self.now)
        return self.act("end_meeting", present=list(present), deck=deck)


@pytest.fixture
def held(week, acme):
    return Held(week, acme)


def refused(act) -> str:
    with pytest.raises(Refused) as refusal:
        act()
    return refusal.value.code


def test_the_presenter_turns_and_others_cannot(held, acme):
    held.act("start_meeting", slide="vk")
    held.act("turn_slide", slide="blog")
    assert Meeting.objects.get().slide == "blog"
    assert refused(lambda: held.act("turn_slide", acme.pm, slide="vk")) == "not_presenter"


def test_whoever_claims_turns_from_then_on_and_the_journal_says_so(held, acme):
    held.act("start_meeting", slide="vk")
    held.act("claim_presenter", acme.pm)
    held.act("turn_slide", acme.pm, slide="blog")

    assert refused(lambda: held.act("turn_slide", slide="vk")) == "not_presenter"
    event = AuditEvent.objects.get(verb="claim_presenter")
    assert (event.by, event.after["instead_of"]) == (acme.pm, str(acme.cmo))


def test_a_suspension_stops_both_clocks_and_keeps_the_slide(held):
    held.act("start_meeting", slide="vk")
    held.act("suspend_meeting")
    held.now += timedelta(hours=2)
    meeting = held.act("resume_meeting")

    assert (meeting.slide, meeting.run_for(held.now), meeting.slide_for(held.now)) == ("vk", 60, 60)
    assert meeting.run_for(held.now + timedelta(seconds=30)) == 90


def test_the_clock_of_a_slide_begins_with_it(held):
    held.act("start_meeting", slide="vk")
    meeting = held.act("turn_slide", slide="blog")
    assert (meeting.run_for(held.now), meeting.slide_for(held.now)) == (60, 0)


@pytest.mark.parametrize("act", ["suspend_meeting", "resume_meeting", "claim_presenter"])
def test_nothing_happens_to_a_meeting_that_has_not_begun(held, act):
    assert refused(lambda: held.act(act)) == "wrong_state"


def test_it_begins_once(held, acme):
    held.act("start_meeting")
    assert refused(lambda: held.act("start_meeting", acme.pm)) == "wrong_state"


@pytest.mark.parametrize("person", ["performance", "contractor"])
def test_who_does_not_see_all_money_does_not_present(held, acme, person):
    assert refused(lambda: held.act("start_meeting", getattr(acme, person))) == "may_not_present"


def test_topics_are_three_at_most_and_stand_before_the_meeting(held):
    assert held.act("write_topics", topics=["VK", " ", "Склад"]).topics == ["VK", "Склад"]
    assert refused(lambda: held.act("write_topics", topics=["а", "б", "в", "г"])) == "topics"
    assert held.act("start_meeting").topics == ["VK", "Склад"]


def test_minutes_say_what_the_slides_said(held, acme):
    held.act("write_topics", topics=["VK"])
    held.act("start_meeting")
    meeting = held.end(acme.cmo, acme.pm)
    told = meeting.minutes

    assert told["people"] == [str(acme.cmo), str(acme.pm)]
    assert (told["topics"], told["seconds"]) == (["VK"], 60)
    assert [(row["code"], row["missing"]) for row in told["channels"]] == [("vk", True), ("blog", True)]
    assert [Decimal(row["earned"]) for row in told["channels"]] == [-4200, 2100]


def test_minutes_never_change_again(held):
    held.act("start_meeting")
    meeting = held.end()
    assert refused(lambda: held.act("write_topics", topics=["Ещё"])) == "wrong_state"
    with pytest.raises(DatabaseError), transaction.atomic():
        Meeting.objects.filter(pk=meeting.pk).update(minutes={})
    with pytest.raises(DatabaseError), transaction.atomic():
        meeting.delete()


def test_everybody_who_reads_is_told_and_mailed(held, acme):
    held.act("start_meeting")
    meeting = held.end(acme.cmo)
    pipeline.run_company(acme.company.pk, held.now + timedelta(minutes=1))

    told = Notification.objects.filter(company=acme.company, url=f"/c/acme/reports/meetings/{meeting.pk}/")
    names = {row.person for row in told}
    assert {acme.owner, acme.pm, acme.analyst, acme.performance, acme.content} <= names
    assert acme.contractor not in names
    assert Delivery.objects.filter(notification__in=told).count() == len(names)


@pytest.mark.parametrize(
    ("person", "sees"), [("owner", {"vk", "blog"}), ("performance", {"vk"}), ("content", {"blog"})]
)
def test_the_page_shows_money_to_whom_it_belongs(held, acme, sign_in, person, sees):
    held.act("start_meeting")
    meeting = held.end()
    page = sign_in(getattr(acme, person)).get(f"/c/acme/reports/meetings/{meeting.pk}/").content.decode()

    for code in ("vk", "blog"):
        part = page[page.index(f'id="h-{code}"') :].split("</section>")[0]
        assert ("₽" in part) is (code in sees)
    assert ("Заработали за неделю" in page) is (person == "owner")


def test_buttons_do_it_and_refusals_are_said_on_the_page(week, acme, sign_in):
    with time_machine.travel(week.local("next_mon", 10), tick=False):
        cmo, pm = sign_in(acme.cmo), sign_in(acme.pm)
        assert cmo.post(f"{STAND_UP}start/{ASKED}").status_code == 302
        again = pm.post(f"{STAND_UP}start/{ASKED}")
        assert (again.status_code, "ушла дальше" in again.content.decode()) == (409, True)
        assert pm.post(f"{STAND_UP}turn/{ASKED}", {"slide": "blog"}).status_code == 403
        pm.post(f"{STAND_UP}join/{ASKED}")
        pm.post(f"{STAND_UP}claim/{ASKED}")
        assert pm.post(f"{STAND_UP}turn/{ASKED}", {"slide": "blog"}).status_code == 204
        cmo.post(f"{STAND_UP}topics/{ASKED}", {"first": "Склад"})
        page = cmo.get(f"{STAND_UP}{ASKED}").content.decode()
        assert page.count(" checked") == 2
        ended = cmo.post(f"{STAND_UP}end/{ASKED}", {"present": [acme.pm.pk]}, follow=True).content.decode()

    assert "Склад" in ended
    assert str(acme.pm) in ended


def test_who_follows_asks_cheaply_and_hears_only_news(week, acme, sign_in):
    with time_machine.travel(week.local("next_mon", 10), tick=False):
        pm = sign_in(acme.pm)
        pm.post(f"{STAND_UP}start/{ASKED}")
        seen = Meeting.objects.get().version
        with CaptureQueriesContext(connection) as asked:
            assert pm.get(f"{STAND_UP}state/{ASKED}&seen={seen}").status_code == 204
        assert len([row for row in asked if "reports_meeting" in row["sql"]]) == 1
        assert len(asked) <= 8
        pm.post(f"{STAND_UP}suspend/{ASKED}")
        assert 'data-state="suspended"' in pm.get(f"{STAND_UP}state/{ASKED}&seen={seen}").content.decode()


def test_meetings_are_listed(held, acme, sign_in):
    assert "Встреч ещё не было" in sign_in(acme.pm).get("/c/acme/reports/meetings/").content.decode()
    held.act("start_meeting")
    held.end()
    assert "неделя 47" in sign_in(acme.content).get("/c/acme/reports/meetings/").content.decode()


def test_a_stand_up_before_its_day_is_asked_about_not_forbidden(week, acme, sign_in):
    """By the schedule it is on Monday 10:00; its minutes are sealed, so Sunday's button asks first."""
    with time_machine.travel(week.local("sun", 20), tick=False):
        cmo = sign_in(acme.cmo)
        assert cmo.get(f"{STAND_UP}{ASKED}").content.decode().count('name="early"') == 1
        asked = cmo.post(f"{STAND_UP}start/{ASKED}")
        assert (asked.status_code, "Отметьте, что проводите его раньше" in asked.content.decode()) == (400, True)
        assert not Meeting.objects.filter(state="running").exists()
        assert cmo.post(f"{STAND_UP}start/{ASKED}", {"early": "yes"}).status_code == 302
        assert "Проводим раньше" in cmo.get(f"{STAND_UP}{ASKED}").content.decode()
        assert cmo.post(f"{STAND_UP}end/{ASKED}").status_code == 400
        assert Meeting.objects.get().state == "running"
        assert cmo.post(f"{STAND_UP}end/{ASKED}", {"early": "yes"}).status_code == 302
    assert Meeting.objects.get().state == "ended"


def test_on_its_day_nobody_is_asked(week, acme, sign_in):
    with time_machine.travel(week.local("next_mon", 8), tick=False):
        cmo = sign_in(acme.cmo)
        assert 'name="early"' not in cmo.get(f"{STAND_UP}{ASKED}").content.decode()
        assert cmo.post(f"{STAND_UP}start/{ASKED}").status_code == 302
