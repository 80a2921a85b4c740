"""One's own week on one page: what is as planned goes at once, the rest one after the other."""

import re
from types import SimpleNamespace

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from reports.models import WeeklyReport
from reports.selectors.walk import Owed, Walk, walk
from roles.models import Appointment, Channel

FIVE = ("a", "b", "c", "d")


def add(desk, code, **fields):
    channel = Channel.objects.create(
        company=desk.company, code=code, name=f"Канал {code}", kind="paid", status="active", owner=desk.made.performance,
        result_kpi="cpa", **fields,
    )  # fmt: skip
    Appointment.objects.create(
        company=desk.company, role=desk.made.roles["performance"], person=desk.made.performance, channel=channel,
        starts_on="2026-01-01",
    )  # fmt: skip
    desk.target(channel, "leads", 300)
    return channel


@pytest.fixture
def friday(desk):
    """Five channels of one person; VK is off plan, the others bring ten leads a day as planned."""
    others = [add(desk, code) for code in FIVE]
    desk.run("before_thu", 12)
    desk.run("fri", 12)
    desk.facts(desk.made.vk, days=4, spend=1250, leads=9, qualified_leads=5)
    for channel in others:
        desk.facts(channel, days=4, leads=10)
    WeeklyReport.objects.filter(company=desk.company).update(
        plan_submitted_at=desk.local("mon", 9), plan_submitted_by=desk.made.performance, plan_timeliness="on_time"
    )
    with time_machine.travel(desk.local("fri", 15), tick=False):
        yield desk


def url(desk, name, *args):
    return reverse(f"reports:{name}", args=[desk.company.slug, *args])


def test_a_late_fact_and_plans_of_the_next_week_are_counted_each_once():
    def owed(pk, what, due):
        return Owed(SimpleNamespace(report=SimpleNamespace(pk=pk)), what, SimpleNamespace(due_at=due), 0, [])

    late, plan, other = owed(1, "fact", 1), owed(1, "plan", 2), owed(2, "plan", 2)
    found = Walk([late, plan, other], [("a filed one", None)])

    places = [found.place(item.row.report, item.what) for item in (late, plan, other)]

    assert places == [(2, 4), (3, 4), (4, 4)]


def test_what_is_as_planned_is_ready_and_the_rest_needs_words(friday):
    found = walk(company=friday.company, person=friday.made.performance, at=friday.local("fri", 15))

    assert {item.row.report.channel.code for item in found.ready} == set(FIVE)
    assert [item.row.report.channel.code for item in found.rest] == ["vk"]
    assert "Расход" in " ".join(found.rest[0].needs)


def test_five_channels_in_two_forms(friday, sign_in):
    browser = sign_in(friday.made.performance)
    html = browser.get(url(friday, "my-week")).content.decode()
    keys = re.findall(r'name="report" value="([^"]+)" checked', html)
    assert len(keys) == 4
    browser.post(url(friday, "my-week-submit"), {"report": keys})
    assert WeeklyReport.objects.filter(state="submitted", timeliness="on_time").count() == 4

    html = browser.get(url(friday, "my-week")).content.decode()
    assert "4 из 5" in html.replace("\xa0", " ")
    report = friday.report()
    page = browser.get(url(friday, "weekly-report-detail", report.pk), {"part": "fact", "walk": 1}).content.decode()
    assert "5 из 5" in page.replace("\xa0", " ")
    answer = browser.post(url(friday, "weekly-report-submit-fact", report.pk), {
        "part": "fact", "intent": "submit", "walk": "1", "version": report.version, "tab": "t", "rows": "2",
        "cause": "market", "conclusion": "Показ дорожает", "no_action_reason": "Ждём итогов теста",
    })  # fmt: skip
    assert answer.url == url(friday, "my-week")
    assert "Всё сдано" in browser.get(answer.url).content.decode()


def test_only_what_is_ready_and_own_is_filed_at_once(friday, sign_in):
    blog = friday.report(friday.made.blog)
    sign_in(friday.made.performance).post(
        url(friday, "my-week-submit"),
        {"report": [f"fact-{blog.pk}", f"fact-{friday.report().pk}", "fact-x", "nonsense"]},
    )
    assert not WeeklyReport.objects.filter(state="submitted").exists()


def test_the_walk_goes_from_one_to_the_next(friday, sign_in):
    friday.facts(Channel.objects.get(code="d"), days=1, first=friday.monday.replace(day=21), leads=0)
    from kpis.models import DailyFact

    DailyFact.objects.filter(channel__code="d").update(leads=1)
    report = friday.report(Channel.objects.get(code="d"))
    answer = sign_in(friday.made.performance).post(url(friday, "weekly-report-submit-fact", report.pk), {
        "part": "fact", "intent": "submit", "walk": "1", "version": report.version, "tab": "t", "rows": "2",
        "cause": "market", "conclusion": "Спрос упал", "no_action_reason": "Ждём",
    })  # fmt: skip
    assert answer.url == f"{url(friday, 'weekly-report-detail', friday.report().pk)}?part=fact&walk=1"


def test_plans_are_filed_at_once_on_monday(desk, sign_in):
    desk.run("before_thu", 12)
    with time_machine.travel(desk.local("mon", 9), tick=False):
        browser = sign_in(desk.made.performance)
        keys = re.findall(r'name="report" value="(plan-[^"]+)"', browser.get(url(desk, "my-week")).content.decode())
        browser.post(url(desk, "my-week-submit"), {"report": keys})
    assert (desk.report().plan_timeliness, desk.report().plan_submitted_by) == ("on_time", desk.made.performance)


def test_queries_do_not_grow_with_channels(friday):
    def count():
        with CaptureQueriesContext(connection) as queries:
            walk(company=friday.company, person=friday.made.performance, at=friday.local("fri", 15))
        return len(queries)

    count()  # the hats of a person are read once
    before = count()
    for number in range(10):
        add(friday, f"more-{number}")
    friday.run("fri", 13)
    assert count() == before
