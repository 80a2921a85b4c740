"""What reaches a person: the matrix, the quiet hours (clocks may change in them), the link under an e-mail, the log."""

import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime, time, timedelta
from email import message_from_bytes
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client
from django.utils import timezone

from mops.models import Delivery, Group, Notification, Preference, Progress
from mops.notifications import deliveries, digests, events, log, preferences, table
from mops.notifications.groups import OF_VERB
from mops.notifications.preferences import quiet_end
from processes.models import Action
from roles.models import AuditEvent
from roles.permissions import RoleKind
from tests.kpis.test_evaluation import child_environment

from .conftest import MONDAY, make_decision, make_report
from .receivers import Mailbox

NIGHT = datetime(2026, 11, 20, 20, 30, tzinfo=UTC)
"""23:30 in Moscow."""
MORNING = datetime(2026, 11, 21, 5, 0, tzinfo=UTC)


def choose(person, **fields):
    return Preference.objects.create(company=person.company, person=person, **fields)


def open_decision(made, at):
    Progress.objects.get_or_create(company=made.company)
    make_decision(made, opened_at=at)
    events.tell(made.company, at)


def written(person) -> list[str]:
    return sorted(Delivery.objects.filter(notification__person=person).values_list("way", flat=True))


def test_every_kind_of_event_has_its_group():
    assert set(OF_VERB) == set(table.KINDS)


def test_every_hat_has_its_usual_letters():
    assert set(preferences.BY_MAIL) == set(RoleKind)


def test_owner_is_not_written_to_about_late_reports_and_sees_them_in_the_app(acme, now):
    from mops.notifications.writing import Message, write

    for person in (acme.owner, acme.pm):
        message = Message(person=person, key="k", words=lambda: ("t", ""), url="", group=Group.REPORTS)
        write(company=acme.company, at=now, messages=[message])

    assert (written(acme.owner), written(acme.pm)) == ([], ["email"])
    assert Notification.objects.filter(shown=True).count() == 2


def test_what_is_switched_off_in_the_app_is_neither_shown_nor_counted_and_still_mailed(acme, sign_in, now):
    choose(acme.performance, chosen={"tasks": {"app": False}})
    from mops.notifications.writing import Message, write

    message = Message(person=acme.performance, key="k", words=lambda: ("Позвонить", ""), url="", group=Group.TASKS)
    write(company=acme.company, at=now, messages=[message])

    assert "Позвонить" not in sign_in(acme.performance).get("/c/acme/notifications/").content.decode()
    assert written(acme.performance) == ["email"]
    assert Notification.objects.get().read_at == now


def test_decision_that_waits_cannot_be_switched_off_in_the_app(acme, now):
    choose(acme.cmo, chosen={"decisions": {"app": False, "email": False}})

    open_decision(acme, now)

    assert (Notification.objects.get(person=acme.cmo).shown, written(acme.cmo)) == (True, [])


def test_quiet_hours_put_off_and_drop_nothing(acme):
    choose(acme.cmo, quiet_from=time(22), quiet_until=time(8))
    open_decision(acme, NIGHT)

    deliveries.send_due(acme.company, NIGHT)
    delivery = Delivery.objects.get()
    assert (mail.outbox, delivery.state, delivery.attempts, delivery.log) == ([], "waiting", 0, [])
    assert delivery.next_attempt_at == MORNING
    deliveries.send_due(acme.company, MORNING)

    assert len(mail.outbox) == 1
    assert Delivery.objects.get().attempts == 1


@pytest.mark.parametrize(("allowed", "sent"), [(True, 1), (False, 0)])
def test_escalation_breaks_the_quiet_only_where_the_person_says_so(acme, allowed, sent):
    choose(acme.cmo, quiet_from=time(22), quiet_until=time(8), break_through=allowed)
    told = Notification.objects.create(
        company=acme.company, person=acme.cmo, key="k", title="t", created_at=NIGHT, group=Group.ESCALATIONS
    )
    Delivery.objects.create(company=acme.company, notification=told, way="email", next_attempt_at=NIGHT)

    deliveries.send_due(acme.company, NIGHT)

    assert len(mail.outbox) == sent


@pytest.mark.parametrize(
    "zone", ["Europe/Moscow", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo"]
)
@pytest.mark.parametrize(
    "hours", [(time(22), time(8)), (time(23), time(2, 30)), (time(1), time(3)), (time(2), time(2, 30))]
)
def test_quiet_hours_end_once_and_later_through_every_change_of_clocks(zone, hours):
    """Minute by minute over the nights in which clocks change: the end is later, outside of the hours, and less than a day off."""
    begins, ends = hours
    place = ZoneInfo(zone)
    for change in _changes(place):
        at = change - timedelta(hours=30)
        while at < change + timedelta(hours=30):
            end = quiet_end(at, place, begins, ends)
            clock = at.astimezone(place).time()
            inside = begins <= clock < ends if begins < ends else clock >= begins or clock < ends
            assert (end is not None) == inside
            if end is not None:
                assert timedelta(0) < end - at <= timedelta(hours=12)
                assert quiet_end(end, place, begins, ends) is None
            at += timedelta(minutes=7)


def _changes(place) -> list[datetime]:
    """The days of 2027 on which the clocks change, at noon UTC; a plain day where they never do."""
    noon = datetime(2027, 1, 1, 12, tzinfo=UTC)
    days = [noon + timedelta(days=n) for n in range(365)]
    found = [b for a, b in pairwise(days) if a.astimezone(place).utcoffset() != b.astimezone(place).utcoffset()]
    return found or [noon]


def test_page_keeps_only_what_differs_from_the_usual(acme, sign_in):
    browser = sign_in(acme.pm)
    page = browser.get("/c/acme/notifications/preferences/").content.decode()
    on = re.findall(r'<input type="checkbox" name="([a-z]+-[a-z]+)"[^>]*checked', page)
    fields = {name: "on" for name in on if name != "reports-email"} | {"figures-telegram": "on"}

    answer = browser.post(
        "/c/acme/notifications/preferences/", {**fields, "quiet_from": "22:00", "quiet_until": "08:00"}
    )

    assert answer.status_code == 302
    row = Preference.objects.get()
    assert row.chosen == {"reports": {"email": False}, "figures": {"telegram": True}}
    assert (row.quiet_from, row.quiet_until, row.break_through) == (time(22), time(8), False)


def test_half_of_the_quiet_hours_is_refused(acme, sign_in):
    answer = sign_in(acme.pm).post("/c/acme/notifications/preferences/", {"quiet_from": "22:00"})

    assert (answer.status_code, Preference.objects.count()) == (400, 0)


def test_one_click_switches_one_group_off_without_signing_in(acme, now):
    open_decision(acme, now)
    deliveries.send_due(acme.company, now)
    (message,) = mail.outbox
    link = re.fullmatch(r"<http://127.0.0.1:8000(/unsubscribe/[^>]+/)>", message.extra_headers["List-Unsubscribe"])[1]
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link in message.body
    assert link in message.alternatives[0].content
    stranger = Client(enforce_csrf_checks=True)

    looked = stranger.get(link)
    assert (looked.status_code, Preference.objects.count()) == (200, 0)
    clicked = stranger.post(link, {"List-Unsubscribe": "One-Click"})
    assert clicked.status_code == 200
    assert Preference.objects.get().chosen == {"decisions": {"email": False}}
    open_decision(acme, now + timedelta(minutes=1))
    assert Delivery.objects.filter(notification__person=acme.cmo).count() == 1

    stranger.post(link, {"again": "1"})
    assert Preference.objects.get().chosen == {"decisions": {"email": True}}


@pytest.mark.parametrize("token", ["x", "WzEsMSwiZGVjaXNpb25zIl0:1abc:zzz"])
def test_forged_link_does_nothing(acme, client, token):
    assert client.post(f"/unsubscribe/{token}/").status_code == 404
    assert Preference.objects.count() == 0


def test_switched_off_while_it_waits_is_not_sent(acme):
    choose(acme.cmo, quiet_from=time(22), quiet_until=time(8))
    open_decision(acme, NIGHT)
    deliveries.send_due(acme.company, NIGHT)
    preferences.set_by_mail(company=acme.company, person=acme.cmo, group="decisions", wanted=False)

    deliveries.send_due(acme.company, MORNING)

    assert (mail.outbox, Delivery.objects.get().state) == ([], "dropped")


# ------------------------------------------------------------------ the log and tests
@pytest.fixture
def mailbox(settings):
    made = Mailbox()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", made.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = False
    yield made
    made.close()


def test_smtp_server_refuses_and_then_takes_the_same_id(acme, mailbox, now):
    mailbox.refusals = 1
    open_decision(acme, now)

    deliveries.send_due(acme.company, now)
    deliveries.send_due(acme.company, now + timedelta(seconds=6))

    delivery = Delivery.objects.get()
    (taken,) = mailbox.messages
    assert [line["code"] for line in delivery.log] == ["mail_error", "mail"]
    assert "451" in delivery.log[0]["detail"]
    assert f"Message-ID: {deliveries.message_id(delivery)}".encode() in taken
    assert message_from_bytes(taken)["List-Unsubscribe"].strip().startswith("<http://127.0.0.1:8000/unsubscribe/")


def test_test_button_says_what_the_server_answered(acme, mailbox, sign_in):
    browser = sign_in(acme.contractor)
    mailbox.refusals = 1

    first = browser.post("/c/acme/notifications/preferences/test/", {"way": "email"}, follow=True).content.decode()
    again = browser.post("/c/acme/notifications/preferences/test/", {"way": "email"}, follow=True).content.decode()

    assert "451" in first
    assert "Подождите десять секунд" in again
    assert log.send_test(
        company=acme.company, person=acme.contractor, way="email", at=timezone.now() + timedelta(seconds=11)
    ).state == "sent"  # fmt: skip
    assert len(mailbox.messages) == 1


def test_log_is_own_and_the_managers_see_all(acme, rival, sign_in, now):
    for made in (acme, rival):
        open_decision(made, now)
        deliveries.send_due(made.company, now)
    url = "/c/acme/notifications/log/"

    own = sign_in(acme.cmo).get(url).content.decode()
    nobody = sign_in(acme.performance).get(url + "?all=1").content.decode()
    everybody = sign_in(acme.pm).get(url + "?all=1").content.decode()

    assert "Остановить VK" in own
    assert "Остановить VK" not in nobody
    assert "Cmo Acme" in everybody
    assert "Rival" not in own + everybody


def test_replay_keeps_the_id_and_is_in_the_journal(acme, rival, sign_in, now):
    open_decision(acme, now)
    deliveries.send_due(acme.company, now)
    delivery = Delivery.objects.get()
    url = f"/c/acme/notifications/log/{delivery.pk}/replay/"

    assert sign_in(acme.performance).post(url).status_code == 404
    assert sign_in(acme.pm).post(url).status_code == 302
    deliveries.send_due(acme.company, timezone.now())

    assert len({message.extra_headers["Message-ID"] for message in mail.outbox}) == 1
    assert len(mail.outbox) == 2
    assert AuditEvent.objects.get(verb="replay_message").by == acme.pm


CHILD = """
import os, django
django.setup()
from datetime import datetime
from django_scopes import scope
from mops.notifications import deliveries
from roles.models import Company
company = Company.objects.get(slug="acme")
with scope(company=company):
    print(deliveries.send_due(company, datetime.fromisoformat(os.environ["AT"])))
"""


@pytest.mark.django_db(transaction=True)
def test_kill_9_of_the_sender_loses_no_mail_and_keeps_its_id(acme, mailbox, now, tmp_path):
    for number in range(3):
        open_decision(acme, now - timedelta(minutes=number))
    ids = {deliveries.message_id(row) for row in Delivery.objects.all()}
    common = {
        **os.environ, **child_environment(tmp_path), "DJANGO_SETTINGS_MODULE": "mops.settings",
        "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(mailbox.port),
        "SECRET_KEY": settings.SECRET_KEY,
    }  # fmt: skip

    def child(at: datetime, fail_at: str = ""):
        env = {**common, "AT": at.isoformat(), "FAIL_AT": fail_at}
        return subprocess.run([sys.executable, "-c", CHILD], env=env, capture_output=True, text=True)

    for place, taken in (("before", 0), ("after", 1)):
        killed = child(now, f"sending.{place}")
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert len(mailbox.messages) == taken
    last = child(now + timedelta(minutes=3))

    assert last.stdout == "3\n", last.stderr
    assert {message_from_bytes(message)["Message-ID"].strip() for message in mailbox.messages} == ids
    assert len(mailbox.messages) == 4


# ------------------------------------------------------------------ the letter of Monday morning
EIGHT = datetime(2026, 11, 16, 5, 0, tzinfo=UTC)


def test_monday_letter_says_what_waits_for_each_and_comes_once(acme):
    make_report(acme)
    make_decision(acme, opened_at=EIGHT - timedelta(days=1))
    Action.objects.create(
        company=acme.company, text="Позвонить", owner=acme.content, due_on=MONDAY - timedelta(days=1), created_at=EIGHT
    )
    digests.send(acme.company, EIGHT - timedelta(minutes=1))
    assert Notification.objects.count() == 0

    digests.send(acme.company, EIGHT)
    digests.send(acme.company, EIGHT + timedelta(minutes=10))

    told = dict(Notification.objects.filter(key="ahead:2026-W47").values_list("person", "text"))
    assert told == {
        acme.performance.pk: "Подать планы до 16.11.2026, 12:00: VK Реклама.",
        acme.cmo.pk: "Решить: № 2026-1.",
        acme.content.pk: "Действий со сроком на этой неделе: 1, из них уже просрочено: 1.",
    }


def test_monday_letter_is_not_sent_when_empty(acme):
    digests.send(acme.company, EIGHT)

    assert Notification.objects.count() == 0


def test_monday_letter_waits_for_the_first_working_day(acme):
    """4 January 2027 is a holiday in Russia, and the whole week up to Friday the 8th: nobody is woken on that Monday."""
    make_decision(acme, opened_at=datetime(2027, 1, 3, tzinfo=UTC))

    digests.send(acme.company, datetime(2027, 1, 4, 5, 0, tzinfo=UTC))

    assert Notification.objects.count() == 0
