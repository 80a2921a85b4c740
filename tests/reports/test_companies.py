"""All companies of one login on one page: each by its own figures and hats, nothing of a third."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from processes.models import Decision
from processes.services import create_action
from reports.selectors.companies import companies_page
from roles import selectors
from roles.models import Appointment, Membership
from tests.conftest import HIRED, make_company, shown

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
ADDRESS = "/companies/"


@pytest.fixture(autouse=True)
def _friday():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def second(acme):
    """Another company that has hired the director of `acme` for eight hours a week."""
    made = make_company("second")
    made.guest = Membership.objects.create(company=made.company, user=acme.cmo.user, joined_on=HIRED)
    Appointment.objects.create(
        company=made.company, role=made.roles["cmo"], person=made.guest, starts_on=HIRED, hours_per_week=8
    )
    return made


def lines_of(user):
    return companies_page(memberships=selectors.companies_of(user=user), at=NOW)


def test_each_company_counts_its_own(fired, acme, second):
    create_action(
        company=second.company, by=second.pm, at=NOW - timedelta(days=5), text="Выбрать подрядчика", owner=second.guest,
        due_on=date(2026, 11, 19),
    )  # fmt: skip

    lines = {line.company.slug: line for line in lines_of(acme.cmo.user)}

    decision = Decision.objects.get(company=acme.company)
    assert [item.args for item in lines["acme"].today.due if "decision" in item.url_name] == [(decision.pk,)]
    assert lines["acme"].burning > 0
    assert (lines["second"].waits, lines["second"].late, lines["second"].hours) == (1, 1, 8)
    assert lines["second"].burning is None
    assert lines["second"].hats == ["Роль cmo"]
    assert max(line.share for line in lines.values()) == 1


def test_what_is_late_stands_first(acme, second):
    create_action(
        company=second.company, by=second.pm, at=NOW - timedelta(days=20), text="Позвонить", owner=second.guest,
        due_on=date(2026, 11, 1),
    )  # fmt: skip

    assert [line.company.slug for line in lines_of(acme.cmo.user)] == ["second", "acme"]


def test_the_page_links_into_each_company_and_shows_no_third(fired, acme, second, rival, sign_in):
    rival.company.name = "Соперник"
    rival.company.save()

    page = sign_in(acme.cmo).get(ADDRESS).content.decode()

    links = set(re.findall(r'href="/c/([a-z]+)/', page))
    assert links == {"acme", "second"}
    assert "Соперник" not in page
    assert "Решить: VK Реклама" in shown(page)


def test_a_company_that_was_left_is_gone_from_the_page(acme, second, sign_in):
    Membership.objects.filter(pk=second.guest.pk).update(is_active=False, left_on=NOW.date() - timedelta(days=1))

    assert "/c/second/" not in sign_in(acme.cmo).get(ADDRESS).content.decode()


def test_nobody_is_sent_to_sign_in_and_a_person_without_companies_is_told(acme, client, sign_in):
    assert client.get(ADDRESS).status_code == 302
    Membership.objects.filter(pk=acme.cmo.pk).update(is_active=False)

    assert "Компании пока нет" in sign_in(acme.cmo).get(ADDRESS).content.decode()


def test_a_company_costs_the_same_queries_as_the_one_before(acme, second):
    user = acme.cmo.user
    lines_of(user)  # what a process asks once
    with CaptureQueriesContext(connection) as both:
        lines_of(user)
    second.guest.is_active = False
    second.guest.save()
    with CaptureQueriesContext(connection) as one:
        lines_of(user)

    assert len(both) <= 2 * len(one)
