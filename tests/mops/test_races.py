"""Several workers over one company at once, on PostgreSQL: everything is told, sent and made once."""

from datetime import timedelta
from threading import Event

import pytest
from django.core import mail
from django.db import transaction
from django.test import Client
from django.utils import timezone

from mops import pipeline
from mops.models import Delivery, Notification, Progress
from mops.notifications import deliveries, events
from processes.models import Decision
from roles import audit, tokens
from roles.models import IdempotencyKey
from tests.mops.conftest import NOW, make_decision
from tests.mops.test_rest import ROOT, TELEGRAM, made
from tests.races import at_once

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("turn", range(3))
def test_passes_at_once_tell_once(acme, now, turn):
    make_decision(acme)
    Progress.objects.create(company=acme.company)

    answers = at_once(*[lambda: events.tell(acme.company, now)] * 4)

    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert Notification.objects.filter(person=acme.cmo).count() == Delivery.objects.count() == 1


@pytest.mark.parametrize("turn", range(3))
def test_senders_at_once_send_each_once(acme, now, turn):
    for number in range(12):
        told = Notification.objects.create(
            company=acme.company, person=acme.cmo, key=f"k{number}", title=str(number), created_at=now
        )
        Delivery.objects.create(company=acme.company, notification=told, way="email", next_attempt_at=now)

    sent = at_once(*[lambda: deliveries.send_due(acme.company, now)] * 4)

    assert sum(sent) == len(mail.outbox) == 12
    assert len({message.subject for message in mail.outbox}) == 12


def test_whole_passes_at_once(acme, now):
    make_decision(acme)

    answers = at_once(*[lambda: pipeline.run_company(acme.company.pk, now)] * 3)

    assert answers == [None, None, None]
    keys = list(Notification.objects.values_list("person", "key"))
    assert len(keys) == len(set(keys))


def test_event_that_commits_after_a_later_one_is_told(acme, now):
    """The lower id is still uncommitted while a pass goes over the higher one."""
    written, passed = Event(), Event()

    def slow():
        with transaction.atomic():
            make_decision(acme)
            written.set()
            assert passed.wait(20)

    def quick():
        assert written.wait(20)
        Progress.objects.create(company=acme.company)
        ask_about_the_blog(acme)
        events.tell(acme.company, now)
        passed.set()

    assert at_once(slow, quick) == [None, None]
    assert Notification.objects.filter(person=acme.cmo).count() == 1
    events.tell(acme.company, now + timedelta(minutes=6))

    assert Notification.objects.filter(person=acme.cmo).count() == 2


def ask_about_the_blog(made):
    decision = Decision.objects.create(
        company=made.company, year=2026, number=77, question="Остановить блог?", channel=made.blog, opened_at=NOW,
        deadline_at=NOW,
    )  # fmt: skip
    audit.record(company=made.company, by=None, verb="open_decision", obj=decision, at=NOW)


def test_one_key_at_once_has_one_effect(acme):
    _token, secret = tokens.create_token(
        company=acme.company, person=acme.pm, by=None, name="t", scopes=["admin"], at=timezone.now()
    )
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "a1"}

    def post():
        path = f"{ROOT}/channels/"
        return Client().post(path, TELEGRAM, content_type="application/json", headers=headers).status_code

    statuses = at_once(*[post] * 6)

    assert set(statuses) <= {201, 409}
    assert statuses.count(201) >= 1
    assert made() == IdempotencyKey.objects.count() == 1
