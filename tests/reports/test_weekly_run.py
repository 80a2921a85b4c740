"""The week that runs by itself: opening, prefilled plans, lateness, locks; twice is the same as once."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from reports.models import PlanLine, WeeklyReport
from reports.services.weekly import WeekRun, run_week
from roles.models import AuditEvent, Channel


def verbs(company) -> list[str]:
    return list(AuditEvent.objects.filter(company=company).order_by("verb").values_list("verb", flat=True))


def test_next_week_opens_on_thursday_noon_and_not_before(desk):
    assert desk.run("before_thu", 11, 59) == WeekRun(opened=2)
    assert WeeklyReport.objects.get(company=desk.company, channel=desk.made.vk).week == date(2026, 11, 9)

    assert desk.run("before_thu", 12).opened == 2
    report = desk.report()
    assert (report.plan_due_at, report.fact_opens_at) == (desk.local("mon", 12), desk.local("fri", 12))
    assert (report.fact_due_at, report.locks_at) == (desk.local("fri", 18), desk.local("next_mon", 12))
    assert (report.state, report.plan_timeliness, report.timeliness) == ("empty", "", "")


def test_running_twice_changes_nothing(desk):
    for moment in (("before_thu", 12), ("mon", 12), ("fri", 12), ("fri", 18), ("next_mon", 12)):
        desk.run(*moment)
        before = list(WeeklyReport.objects.order_by("pk").values()), PlanLine.objects.count(), verbs(desk.company)

        assert desk.run(*moment) == WeekRun()
        assert (
            list(WeeklyReport.objects.order_by("pk").values()),
            PlanLine.objects.count(),
            verbs(desk.company),
        ) == before


def test_only_running_channels_get_a_report(desk):
    Channel.objects.filter(pk=desk.made.blog.pk).update(status="paused")
    Channel.objects.create(company=desk.company, code="later", name="Later", kind="paid", status="planned")

    desk.run("mon", 9)

    assert [report.channel.code for report in WeeklyReport.objects.select_related("channel")] == ["vk"]


def test_plan_is_prefilled_from_targets_prorated_to_the_week(desk):
    desk.run("before_thu", 12)

    lines = {line.measure: line.value for line in desk.report().plan_lines.all()}
    assert lines == {
        "spend": Decimal(7000), "leads": Decimal(70), "qualified_leads": Decimal(35), "cpa": Decimal(200), "deals": None,
        "revenue": None,
    }  # fmt: skip
    assert desk.report().plan_lines.first().measure == "spend"


def test_plan_of_a_week_over_two_months_takes_days_of_both(desk):
    desk.target(desk.made.vk, "spend", 62_000, date(2026, 12, 1))

    run_week(company=desk.company, at=desk.local("mon", 12) + timedelta(weeks=2))

    line = desk.report(week=date(2026, 11, 30)).plan_lines.get(measure="spend")
    assert line.value == 1000 + 6 * 2000


def test_a_target_that_nobody_asked_for_by_default_is_planned_too(desk):
    desk.target(desk.made.vk, "visits", 3000)
    desk.run("before_thu", 12)

    assert desk.report().plan_lines.get(measure="visits").value == 700
    assert not desk.report(desk.made.blog).plan_lines.filter(value__isnull=False).exists()


def test_untouched_plan_follows_its_targets_until_the_deadline(desk):
    desk.run("before_thu", 12)
    desk.target(desk.made.vk, "deals", 60)
    desk.run("mon", 11, 59)
    assert desk.report().plan_lines.get(measure="deals").value == 14

    desk.target(desk.made.vk, "revenue", 300_000)
    desk.run("mon", 12)
    assert desk.report().plan_lines.get(measure="revenue").value is None


def test_mailing_channel_is_asked_about_mailings(desk):
    desk.kpi("unsubscribe_rate", "unsubscribes / delivered", unit="share")
    mail = Channel.objects.create(
        company=desk.company, code="mail", name="Mail", kind="crm", status="active", owner=desk.made.content
    )

    desk.run("mon", 9)

    measures = list(desk.report(mail).plan_lines.values_list("measure", flat=True))
    assert measures == ["sends", "unsubscribes", "unsubscribe_rate", "revenue"]


def test_lateness_and_lock(desk):
    desk.facts(desk.made.vk, spend=900, qualified_leads=3)
    desk.run("before_thu", 12)
    assert desk.report().plan_timeliness == ""

    assert desk.run("mon", 12).late == 2
    assert (desk.report().plan_timeliness, desk.report().timeliness) == ("late", "")
    assert desk.run("fri", 12).fact_opened == 2
    assert desk.run("fri", 18).late == 2
    assert desk.report().timeliness == "late"

    assert desk.run("next_mon", 12).locked == 2
    report = desk.report()
    assert (report.state, report.plan_timeliness, report.timeliness) == ("locked", "missed", "missed")
    assert report.final["measures"]["spend"] == "6300"
    assert report.final["measures"]["cpa"] == "300"
    assert report.final["measures"]["revenue"] is None
    assert report.final["days"] == ["2026-11-16", "2026-11-22"]
    told = verbs(desk.company)
    for verb in (
        "open_weekly_report", "open_weekly_fact", "late_weekly_plan", "late_weekly_fact", "miss_weekly_plan",
        "miss_weekly_fact", "lock_weekly_report",
    ):  # fmt: skip
        assert told.count(verb) >= 2, verb


def test_channel_that_starts_in_the_week_owes_its_plan_with_the_fact(desk):
    Channel.objects.filter(pk=desk.made.blog.pk).update(status="planned")
    desk.run("before_thu", 12)
    Channel.objects.filter(pk=desk.made.blog.pk).update(status="testing")

    desk.run("wed", 10)

    assert desk.report(desk.made.blog).plan_due_at == desk.local("fri", 18)
    assert desk.report(desk.made.blog).plan_timeliness == ""


def test_a_week_whose_fact_is_due_is_not_opened_any_more(desk):
    desk.run("fri", 18)

    assert set(WeeklyReport.objects.values_list("week", flat=True)) == {date(2026, 11, 23)}


def test_a_company_elsewhere_lives_by_its_own_clock(desk):
    desk.company.timezone = "Asia/Vladivostok"
    desk.company.save()
    desk.run("before_thu", 12)

    assert desk.report().plan_due_at.hour == 2


def test_other_companies_are_left_alone(desk, rival):
    desk.run("before_thu", 12)

    assert not WeeklyReport.objects.filter(company=rival.company).exists()


@pytest.mark.parametrize("moment", [("before_thu", 12), ("next_mon", 12), ("wed", 10)])
def test_queries_do_not_grow_with_channels(desk, moment):
    def add(count):
        for number in range(count):
            Channel.objects.create(
                company=desk.company, code=f"c{number}-{count}", name=f"C{number}", kind="paid", status="active",
                owner=desk.made.performance,
            )  # fmt: skip

    add(1)
    counts = []
    for channels in (0, 27):
        add(channels)
        WeeklyReport.objects.all().delete()
        if moment != ("before_thu", 12):
            desk.run("before_thu", 12)
        with CaptureQueriesContext(connection) as queries:
            desk.run(*moment)
        # Inserts and updates of many rows go in batches of the database's size; reads do not grow at all.
        counts.append(sum(query["sql"].startswith("SELECT") for query in queries))

    assert counts[0] == counts[1]
