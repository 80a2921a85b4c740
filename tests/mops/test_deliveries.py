"""E-mails go out at least once, outside any transaction, with an id that never changes."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mops.models import Delivery, Notification
from mops.notifications import deliveries, outbox


class Post:
    """A mail server of the test: keeps what it got, fails as often as told, notes whether a transaction was open."""

    def __init__(self):
        self.sent, self.failures, self.in_transaction = [], 0, []

    def send_messages(self, messages):
        self.in_transaction.append(connection.in_atomic_block)
        if self.failures:
            self.failures -= 1
            raise ConnectionRefusedError("no server")
        self.sent += messages
        return len(messages)

    def close(self):
        pass


@pytest.fixture
def post(monkeypatch):
    made = Post()
    monkeypatch.setattr(deliveries, "get_connection", lambda: made)
    return made


@pytest.fixture
def due(acme, now):
    """An e-mail for the CMO that is due now."""
    told = Notification.objects.create(
        company=acme.company,
        person=acme.cmo,
        key="k",
        title="Решите: <b>VK</b>",
        text="До 15:20",
        url="/c/acme/decisions/1/",
        created_at=now,
    )
    return Delivery.objects.create(company=acme.company, notification=told, way="email", next_attempt_at=now)


def test_email_has_text_html_and_link_in_the_persons_language(acme, due, now):
    deliveries.send_due(acme.company, now)

    (message,) = mail.outbox
    assert message.to == ["cmo@acme.example"]
    assert message.subject == "Acme: Решите: <b>VK</b>"
    assert "http://127.0.0.1:8000/c/acme/decisions/1/" in message.body
    html = message.alternatives[0].content
    assert "&lt;b&gt;VK&lt;/b&gt;" in html
    assert "Открыть в MOPS" in html
    due.refresh_from_db()
    assert (due.state, due.sent_at is not None, due.attempts) == ("sent", True, 1)


def test_sent_once(acme, due, now, post):
    for _pass in range(3):
        deliveries.send_due(acme.company, now)

    assert len(post.sent) == 1


def test_failures_are_tried_again_with_growing_pauses_and_one_id(acme, due, now, post):
    post.failures = 5
    at, pauses = now, []
    for _try in range(5):
        deliveries.send_due(acme.company, at)
        due.refresh_from_db()
        pauses.append(round((due.next_attempt_at - at).total_seconds()))
        at = due.next_attempt_at
    deliveries.send_due(acme.company, at)

    assert pauses == [5, 300, 1800, 7200, 18000]
    assert [message.extra_headers["Message-ID"] for message in post.sent] == [deliveries.message_id(due)]


def test_gives_up_after_the_last_try_and_says_why(acme, due, now, post):
    post.failures = 99
    at = now
    for _try in range(6):
        deliveries.send_due(acme.company, at)
        due.refresh_from_db()
        at = due.next_attempt_at or at

    assert (due.state, due.next_attempt_at) == ("failed", None)
    assert "no server" in due.error


def test_killed_while_sending_is_sent_again_when_the_lease_is_over(acme, due, now, post):
    outbox.claim(deliveries.rows_of(acme.company), now)  # and then the worker dies

    deliveries.send_due(acme.company, now + timedelta(minutes=1))
    assert post.sent == []
    deliveries.send_due(acme.company, now + timedelta(minutes=2))
    assert len(post.sent) == 1


def test_lost_lease_does_not_write_over_the_other_worker(acme, due, now, post):
    mine = outbox.claim(deliveries.rows_of(acme.company), now)
    outbox.claim(deliveries.rows_of(acme.company), now + timedelta(minutes=3))

    outbox.note(mine, outbox.Outcome("mail", sent=True), now, deliveries.RETRIES)

    due.refresh_from_db()
    assert due.state == "waiting"


def test_who_has_left_gets_no_mail(acme, due, now, post):
    acme.cmo.is_active = False
    acme.cmo.save()

    deliveries.send_due(acme.company, now)

    due.refresh_from_db()
    assert (post.sent, due.state) == ([], "failed")


def test_other_companies_mail_is_not_touched(acme, rival, due, now, post):
    deliveries.send_due(rival.company, now)

    assert post.sent == []


@pytest.mark.django_db(transaction=True)
def test_never_inside_a_transaction(acme, due, now, post):
    deliveries.send_due(acme.company, now)

    assert post.in_transaction == [False]


@pytest.mark.parametrize(
    ("state", "sent", "age", "stays"),
    [
        ("sent", 0, 90, True), ("sent", 0, 91, False), ("sent", 5, 91, True), ("dropped", None, 91, False),
        ("failed", None, 400, True), ("waiting", None, 400, True),
    ],
)  # fmt: skip
def test_the_log_forgets_what_arrived_90_days_ago_and_nothing_that_did_not(acme, due, now, state, sent, age, stays):
    sent_at = None if sent is None else now + timedelta(days=sent)
    Delivery.objects.update(state=state, sent_at=sent_at)
    rows = Delivery.objects.filter(company=acme.company)
    with CaptureQueriesContext(connection) as asked:
        outbox.forget(rows, "notification__created_at", now + timedelta(days=age))
    assert (rows.exists(), len(asked) <= 2, Notification.objects.count()) == (stays, True, 1)


def test_the_log_of_another_company_is_its_own(acme, rival, due, now):
    Delivery.objects.update(state="sent", sent_at=now)
    outbox.forget(Delivery.objects.filter(company=rival.company), "notification__created_at", now + timedelta(days=99))
    assert Delivery.objects.count() == 1
