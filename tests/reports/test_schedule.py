"""A company's own times and days: from the next week on, moments that are past stay, rest excuses, absence excuses."""

from datetime import date, time, timedelta

import pytest
import time_machine

from kpis.selectors.as_known import reported_by
from reports.deadlines import USUAL, Schedule
from reports.models import CompanyDay, WeeklyReport
from reports.selectors.calendar import week_book
from reports.services import schedule as service
from roles.models import Absence, Appointment, AuditEvent
from roles.services.people import add_absence

NEXT = date(2026, 11, 23)


def change(desk, at, by=None, **moments):
    return service.change_schedule(
        company=desk.company, by=by or desk.made.pm, at=at, schedule=Schedule(**moments), country="RU"
    )


def days(desk, at, first, last=None, **fields):
    return service.set_company_days(company=desk.company, by=desk.made.pm, at=at, first=first, last=last, **fields)


def test_new_times_hold_from_the_next_week_on(desk):
    desk.run("mon", 9)
    before = desk.report().fact_due_at
    change(desk, desk.local("wed", 10), fact_due=(4, time(17, 0)))
    desk.run("thu", 12)

    assert desk.report().fact_due_at == before
    assert desk.report(week=NEXT).fact_due_at == before + timedelta(days=7, hours=-1)
    assert AuditEvent.objects.get(verb="change_week_schedule").by == desk.made.pm


def test_reports_of_the_next_week_that_are_open_already_move(desk):
    desk.run("thu", 12)
    change(desk, desk.local("fri", 10), plan_due=(0, time(15, 0)), locks=(7, time(16, 0)))

    assert desk.report(week=NEXT).plan_due_at == desk.local("next_mon", 15)
    assert desk.report(week=NEXT).locks_at == desk.local("next_mon", 16) + timedelta(weeks=1)


def test_a_new_zone_holds_from_the_next_week_on(desk):
    desk.run("thu", 12)
    due = desk.report().fact_due_at
    desk.company.timezone = "Asia/Vladivostok"
    desk.company.save()
    desk.run("thu", 12)

    assert desk.report().fact_due_at == due
    assert desk.report(week=NEXT).plan_due_at.hour == 2


@pytest.mark.parametrize(
    ("moments", "field"),
    [
        ({"fact_due": (4, time(11, 0))}, "fact_due"),
        ({"plan_due": (3, time(12, 0))}, "plan_due"),
        ({"locks": (7, time(9, 0))}, "locks"),
        ({"digest": (4, time(18, 0))}, "digest"),
    ],
)
def test_moments_out_of_order_are_refused(desk, moments, field):
    with pytest.raises(service.ScheduleRefused) as refused:
        change(desk, desk.local("wed", 10), **moments)

    assert field in {error.field for error in refused.value.errors}
    assert week_book(company=desk.company).version(NEXT)[0] == USUAL


def test_only_who_manages_the_company_changes_the_times(desk):
    with pytest.raises(service.MayNotSchedule):
        change(desk, desk.local("wed", 10), by=desk.made.performance)


def test_a_day_off_moves_the_deadline_to_the_next_working_day(desk):
    desk.run("mon", 9)
    days(desk, desk.local("tue", 10), date(2026, 11, 20), name="День компании")

    assert desk.report().fact_due_at == desk.local("next_mon", 18)
    assert desk.report().locks_at == desk.local("next_tue", 12)
    assert desk.report().fact_opens_at == desk.local("fri", 12)


def test_a_deadline_that_has_passed_stays(desk):
    desk.run("mon", 9)
    desk.run("mon", 12)
    days(desk, desk.local("mon", 13), date(2026, 11, 16))

    assert desk.report().plan_due_at == desk.local("mon", 12)
    assert desk.report().plan_timeliness == "late"


def test_a_week_of_rest_excuses_everybody_and_can_be_taken_back(desk):
    desk.run("thu", 12)
    days(desk, desk.local("fri", 10), NEXT, NEXT + timedelta(days=4), name="Каникулы")

    report = desk.report(week=NEXT)
    assert (report.plan_timeliness, report.timeliness) == ("excused", "excused")
    assert report.excused_for

    day = CompanyDay.objects.get(day=NEXT)
    service.remove_company_day(company=desk.company, by=desk.made.pm, at=desk.local("fri", 11), day=day)
    assert desk.report(week=NEXT).plan_timeliness == ""


def test_a_week_of_rest_is_locked_excused_and_not_missed(desk):
    days(desk, desk.local("before_thu", 10), date(2026, 11, 16), date(2026, 11, 20))
    for moment in (("before_thu", 12), ("mon", 12), ("fri", 18), ("next_mon", 12)):
        desk.run(*moment)

    report = desk.report()
    assert (report.state, report.plan_timeliness, report.timeliness) == ("locked", "excused", "excused")
    assert not AuditEvent.objects.filter(verb__startswith="late_").filter(object_id=str(report.pk)).exists()


@pytest.mark.parametrize(("first", "last"), [(-1, 0), (3, 2), (1, 40)])
def test_wrong_days_are_refused(desk, first, last):
    today = date(2026, 11, 18)
    with pytest.raises(service.ScheduleRefused):
        days(desk, desk.local("wed", 10), today + timedelta(days=first), today + timedelta(days=last))
    assert not CompanyDay.objects.exists()


def away(desk, at, **days_of):
    add_absence(
        company=desk.company, by=desk.made.performance, at=at, person=desk.made.performance,
        starts_on=days_of.get("first", date(2026, 11, 19)), ends_on=days_of.get("last", date(2026, 11, 27)), reason="Отпуск",
    )  # fmt: skip


def test_a_vacation_entered_beforehand_excuses(desk):
    Appointment.objects.filter(company=desk.company).update(deputy=None)
    desk.run("mon", 9)
    away(desk, desk.local("tue", 10))
    for moment in (("fri", 12), ("fri", 18), ("next_mon", 12)):
        desk.run(*moment)

    report = desk.report()
    assert (report.timeliness, report.state) == ("excused", "locked")
    assert report.excused_for
    assert desk.report(desk.made.blog).timeliness == "missed"
    assert AuditEvent.objects.filter(verb="excuse_weekly_report", object_id=str(report.pk)).exists()


def test_the_report_says_why_it_is_excused(desk, sign_in):
    Appointment.objects.filter(company=desk.company).update(deputy=None)
    desk.run("mon", 9)
    away(desk, desk.local("tue", 10))
    desk.run("fri", 18)
    url = f"/c/{desk.company.slug}/reports/weekly-reports/{desk.report().pk}/?part=fact"
    for moment, words in ((("fri", 19), "опозданием это не станет"), (("next_tue", 9), "Неделя закрыта")):
        with time_machine.travel(desk.local(*moment), tick=False):
            html = sign_in(desk.made.cmo).get(url).content.decode()
        assert "Уважительная причина" in html
        assert words in html
        assert "сдан вовремя" not in html


def test_a_vacation_entered_after_the_deadline_excuses_nothing(desk):
    Appointment.objects.filter(company=desk.company).update(deputy=None)
    desk.run("mon", 9)
    away(desk, desk.local("fri", 18, 1))
    desk.run("fri", 18, 5)

    assert desk.report().timeliness == "late"


def test_a_deputy_who_is_present_owes_the_report(desk):
    Appointment.objects.filter(company=desk.company).update(deputy=None)
    Appointment.objects.filter(company=desk.company, person=desk.made.performance).update(deputy=desk.made.pm)
    desk.run("mon", 9)
    away(desk, desk.local("tue", 10))
    desk.run("fri", 18)
    assert desk.report().timeliness == "late"

    Absence.objects.create(
        company=desk.company, person=desk.made.pm, starts_on=date(2026, 11, 16), ends_on=date(2026, 11, 30)
    )
    WeeklyReport.objects.update(timeliness="")
    desk.run("fri", 18)
    assert desk.report().timeliness == "excused"


def test_page_shows_the_times_and_saves_them(client, desk):
    client.force_login(desk.made.pm.user)
    url = f"/c/{desk.company.slug}/reports/week-schedule/"
    assert "18:00" in client.get(url).content.decode()

    data = {"country": "RU"}
    for name, (day, clock) in vars(USUAL).items():
        data |= {f"{name}-day": day, f"{name}-at": f"{clock:%H:%M}"}
    assert client.post(f"{url}update/", data | {"fact_due-at": "17:30"}).status_code == 302
    assert '"17:30"' in client.get(url).content.decode()
    assert client.post(f"{url}update/", data | {"fact_due-at": "09:30"}).status_code == 400
    assert client.post(f"{url}update/", data | {"fact_due-at": "nonsense"}).status_code == 400

    tomorrow = (desk.company.local_date(desk.local("mon", 9)) + timedelta(days=3000)).isoformat()
    assert client.post(f"/c/{desk.company.slug}/reports/company-days/new/", {"first": tomorrow}).status_code == 302
    day = CompanyDay.objects.get()
    assert not day.is_working
    client.post(f"/c/{desk.company.slug}/reports/company-days/{day.pk}/remove/")
    assert not CompanyDay.objects.exists()

    client.force_login(desk.made.performance.user)
    assert client.get(url).status_code == 200
    assert client.post(f"{url}update/", data).status_code == 403


def test_a_figure_is_held_against_what_was_known_when_the_companys_own_week_was_due(desk):
    """The page of a figure asks for that moment, by the schedule that holds for its week."""
    change(desk, desk.local("wed", 10), fact_opens=(3, time(9, 0)), fact_due=(3, time(18, 0)))
    asked = {"company": desk.company, "at": desk.local("mon", 9) + timedelta(weeks=2)}

    assert reported_by(**asked, day=NEXT) == week_book(company=desk.company).deadlines(NEXT).fact_due_at
    assert reported_by(**asked, day=NEXT).astimezone(desk.company.zone).isoweekday() == 4
    assert reported_by(**asked, day=NEXT - timedelta(days=1)).astimezone(desk.company.zone).isoweekday() == 5
