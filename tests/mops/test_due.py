"""What the sweep finds: a company with something due, and nothing when all is done."""

from datetime import timedelta

import pytest

from kpis.models import Evaluation
from mops import due, pipeline
from mops.models import Delivery, Notification, Progress
from mops.moments import next_week_moment
from reports.models import DashboardSnapshot
from reports.selectors.calendar import week_book
from roles import audit
from roles.models import AuditEvent
from tests.mops.conftest import make_decision, make_load, make_report


@pytest.fixture
def idle(acme, now):
    """acme with everything done: today begun and evaluated, the week seen to, every event told."""
    company = acme.company
    Evaluation.objects.create(company=company, daily_done_on=company.local_date(now))
    Progress.objects.create(
        company=company, day_begun_on=company.local_date(now), week_next_at=next_week_moment(now, week_book(company=company)),
        reminded_at=now,
    )  # fmt: skip
    for back in range(-1, 2):
        keep_snapshot(company, company.local_date(now) + timedelta(days=back), now)
    return acme


def keep_snapshot(company, day, now):
    DashboardSnapshot.objects.create(company=company, day=day, data={}, built_at=now)


def settle(made) -> None:
    """Every event is told and settled."""
    last = AuditEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    Progress.objects.filter(company=made.company).update(
        seen_event_id=last, marked_event_id=last, settled_event_id=last
    )


def test_idle_company_is_left_alone(idle, now):
    assert due.companies_due(now) == []


def test_new_company_is_due(acme, rival, now):
    assert due.companies_due(now) == [acme.company.pk, rival.company.pk]


def test_queued_load(idle, now):
    make_load(idle, state="queued")

    assert due.companies_due(now) == [idle.company.pk]


def test_load_in_a_living_workers_hands_is_not_due(idle, now):
    make_load(idle, state="queued", lease_until=now + timedelta(seconds=1))

    assert due.companies_due(now) == []
    assert due.companies_due(now + timedelta(seconds=1)) == [idle.company.pk]


def test_touched_facts(idle, now):
    Evaluation.objects.update(dirty_from=now.date())

    assert due.companies_due(now) == [idle.company.pk]


def test_evaluation_waits_for_its_local_hour(idle, now):
    midnight = now.replace(hour=21, minute=30)  # 00:30 of the next day in Moscow
    Progress.objects.update(
        day_begun_on=idle.company.local_date(midnight),
        week_next_at=next_week_moment(midnight, week_book(company=idle.company)),
    )

    assert due.companies_due(midnight) == []
    assert due.companies_due(midnight + timedelta(hours=5, minutes=30)) == [idle.company.pk]  # 06:00


def test_a_range_evaluation_leaves_the_snapshot_to_be_built_once(idle, rival, now):
    """The range evaluates 500 companies and dies: the pass that follows finds the missing record by itself."""
    today = idle.company.local_date(now)
    pipeline.run_company(rival.company.pk, now)
    settle(idle), settle(rival)
    DashboardSnapshot.objects.filter(day=today).delete()
    Progress.objects.update(rest_until=None)

    assert due.companies_due(now) == [idle.company.pk, rival.company.pk]
    for _time in range(2):
        pipeline.run_company(idle.company.pk, now)
        settle(idle)
    assert due.companies_due(now) == [rival.company.pk]
    assert DashboardSnapshot.objects.filter(company=idle.company, day=today).count() == 1


def test_no_snapshot_is_due_before_the_days_evaluation(idle, now):
    DashboardSnapshot.objects.all().delete()
    Evaluation.objects.update(daily_done_on=None, lease_until=now + timedelta(minutes=1))

    assert due.companies_due(now) == []


def test_evaluation_under_way_is_not_due_again(idle, now):
    Evaluation.objects.update(daily_done_on=None, lease_until=now + timedelta(minutes=1))

    assert due.companies_due(now) == []


def test_moment_of_the_week(idle, now):
    assert due.companies_due(now + timedelta(minutes=39)) == []
    assert due.companies_due(now + timedelta(minutes=40)) == [idle.company.pk]  # 16:00: the fact is recalled


def test_week_is_counted_in_the_companys_zone(idle, now):
    idle.company.timezone = "America/New_York"
    idle.company.save()
    Progress.objects.update(week_next_at=next_week_moment(now, week_book(company=idle.company)))

    assert due.companies_due(now) == []  # 07:20 there: Friday noon is still to come


def test_delivery_of_now_and_of_later(idle, now):
    told = Notification.objects.create(company=idle.company, person=idle.cmo, key="k", title="t", created_at=now)
    Delivery.objects.create(company=idle.company, notification=told, way="email", next_attempt_at=now)

    assert due.companies_due(now - timedelta(seconds=1)) == []
    assert due.companies_due(now) == [idle.company.pk]


def test_reopened_report_whose_day_is_over(idle, now):
    make_report(idle, state="returned", reopened_until=now)

    assert due.companies_due(now) == [idle.company.pk]


@pytest.mark.parametrize("hours", [24, 48])
def test_decision_that_has_waited(idle, now, hours):
    make_decision(idle, opened_at=now - timedelta(hours=hours))
    settle(idle)
    Progress.objects.update(reminded_at=now - timedelta(seconds=1))

    assert due.companies_due(now - timedelta(seconds=1)) == []
    assert due.companies_due(now) == [idle.company.pk]


def test_event_nobody_was_told_of(idle, now):
    audit.record(company=idle.company, by=None, verb="x", obj=idle.vk, at=now)

    assert due.companies_due(now) == [idle.company.pk]


def test_events_are_looked_at_again_after_some_minutes(idle, now):
    settle(idle)
    Progress.objects.update(seen_event_id=5, settled_event_id=4, marked_at=now)

    assert due.companies_due(now + timedelta(minutes=4)) == []
    assert due.companies_due(now + timedelta(minutes=5)) == [idle.company.pk]


def test_broken_company_rests(idle, now):
    Evaluation.objects.update(dirty_from=now.date())
    Progress.objects.update(rest_until=now + timedelta(seconds=20))

    assert due.companies_due(now) == []
    assert due.companies_due(now + timedelta(seconds=20)) == [idle.company.pk]


def test_sweep_costs_the_same_for_one_and_many_companies(idle, now, django_assert_max_num_queries):
    from tests.conftest import make_company

    for number in range(3):
        make_company(f"more-{number}")

    with django_assert_max_num_queries(18):
        assert len(due.companies_due(now)) == 3


def test_pass_leaves_nothing_due(acme, now):
    pipeline.run_company(acme.company.pk, now)
    settle(acme)

    assert acme.company.pk not in due.companies_due(now)
