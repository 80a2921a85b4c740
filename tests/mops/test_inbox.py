"""The page of notifications and the counts of the menu."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from kpis.models import Source
from mops.counts import counts_for
from mops.models import Notification
from reports.models import WeeklyReport
from tests.mops.conftest import make_decision, make_load, make_report

PAGE = "/c/acme/notifications/"


def told(made, person, number=1, **fields) -> Notification:
    return Notification.objects.create(
        company=made.company,
        person=person,
        key=f"k{number}",
        title=f"Новость {number}",
        created_at=timezone.now(),
        **fields,
    )


def test_shows_own_news_only(acme, rival, sign_in):
    told(acme, acme.cmo, 1, text="Подробности")
    told(acme, acme.pm, 2)
    told(rival, rival.cmo, 3)

    page = sign_in(acme.cmo).get(PAGE).content.decode()

    assert "Новость 1" in page
    assert "Подробности" in page
    assert "1 новое уведомление" in page
    assert "Новость 2" not in page
    assert "Новость 3" not in page


def test_empty_page_says_what_will_be_here(acme, sign_in):
    assert "Пока ничего" in sign_in(acme.contractor).get(PAGE).content.decode()


def test_opening_marks_it_read_and_leads_there(acme, sign_in):
    row = told(acme, acme.cmo, url="/c/acme/decisions/1/")
    other = told(acme, acme.cmo, 2)

    answer = sign_in(acme.cmo).post(f"{PAGE}{row.pk}/open/")

    assert (answer.status_code, answer.url) == (302, "/c/acme/decisions/1/")
    row.refresh_from_db()
    other.refresh_from_db()
    assert (row.read_at is not None, other.read_at) == (True, None)


def test_nobody_elses_can_be_opened(acme, sign_in):
    row = told(acme, acme.cmo)

    assert sign_in(acme.pm).post(f"{PAGE}{row.pk}/open/").status_code == 404
    row.refresh_from_db()
    assert row.read_at is None


def test_mark_all_as_read(acme, sign_in):
    for number in range(3):
        told(acme, acme.cmo, number)
    kept = told(acme, acme.pm, 9)

    sign_in(acme.cmo).post(f"{PAGE}read/")

    assert list(Notification.objects.filter(read_at=None)) == [kept]


def test_same_queries_for_three_and_thirty(acme, sign_in, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    browser = sign_in(acme.cmo)
    for number in range(3):
        told(acme, acme.cmo, number)
    with CaptureQueriesContext(connection) as few:
        browser.get(PAGE)
    for number in range(3, 30):
        told(acme, acme.cmo, number)

    with django_assert_num_queries(len(few)):
        browser.get(PAGE)


# ------------------------------------------------------------------ counts
def shown(made, person, at) -> dict:
    return {
        name.split(":")[1]: (count.n, count.hot)
        for name, count in counts_for(company=made.company, person=person, at=at).items()
    }


def test_nothing_waits_means_no_counts(acme, now):
    assert shown(acme, acme.cmo, now) == {}


def test_decisions_are_hot_when_overdue(acme, rival, now):
    make_decision(acme)
    make_decision(rival)

    assert shown(acme, acme.cmo, now)["decision-list"] == (1, False)
    assert shown(acme, acme.cmo, now + timedelta(hours=25))["decision-list"] == (1, True)


def test_owner_of_a_channel_counts_own_reports(acme, now):
    make_report(acme)
    make_report(acme, acme.blog, plan_submitted_at=now, plan_submitted_by=acme.content)

    assert shown(acme, acme.performance, now)["weekly-report-list"] == (2, True)  # the plan is late, the fact is open
    assert shown(acme, acme.content, now)["weekly-report-list"] == (1, False)
    assert "weekly-report-list" not in shown(acme, acme.analyst, now)


@pytest.mark.parametrize(("state", "counted"), [("submitted", True), ("accepted", False), ("locked", False)])
def test_director_counts_reports_to_accept(acme, now, state, counted):
    make_report(acme, state=state, plan_submitted_at=now, plan_submitted_by=acme.performance)

    assert ("weekly-report-list" in shown(acme, acme.cmo, now)) is counted


def test_locked_week_is_not_counted(acme, now):
    report = make_report(acme)
    WeeklyReport.objects.filter(pk=report.pk).update(state="locked")

    assert "weekly-report-list" not in shown(acme, acme.performance, now)


def test_silent_source_is_shown_to_who_can_mend_it(acme, now):
    load = make_load(acme, state="done", last_day=now.date() - timedelta(days=9), finished_at=now)
    assert Source.objects.get() == load.source

    assert shown(acme, acme.analyst, now)["source-list"] == (1, True)
    assert "source-list" not in shown(acme, acme.performance, now)


def test_counts_cost_two_queries(acme, now, django_assert_num_queries):
    make_report(acme)
    make_decision(acme)
    assert acme.cmo.hats

    with django_assert_num_queries(2):
        counts_for(company=acme.company, person=acme.cmo, at=now)


def test_menu_shows_the_count(acme, sign_in):
    told(acme, acme.cmo)

    page = sign_in(acme.cmo).get(PAGE).content.decode()

    assert (
        f'href="{reverse("mops:notification-list", args=["acme"])}" aria-current="page">Уведомления <span class="count">1</span>'
        in page
    )
