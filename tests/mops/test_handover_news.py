"""A departure reaches whoever must act: successors, managers, and a contractor the day before a brief is due."""

from datetime import timedelta

import pytest

from mops.models import Notification, Progress
from mops.notifications import events
from mops.notifications.reminders import remind
from processes.leaving import plans, services
from processes.models import Brief, Handover
from reports.selectors.today import today_page
from roles import formats
from roles.models import Appointment, Contractor, ContractorPerson


@pytest.fixture
def leaving(acme, now):
    Appointment.objects.filter(person=acme.performance).update(deputy=acme.content)
    acme.handover = services.start_handover(
        company=acme.company, by=acme.owner, at=now, person=acme.performance, last_day=now.date() + timedelta(days=5),
        reason="r",
    )  # fmt: skip
    return acme


def told(made, at) -> dict:
    Progress.objects.get_or_create(company=made.company)
    events.tell(made.company, at)
    return {
        person: list(Notification.objects.filter(company=made.company, person=person).values_list("title", flat=True))
        for person in (made.owner, made.pm, made.cmo, made.content, made.contractor)
    }


def test_a_successor_is_asked_in_a_message_and_on_today(leaving, rival, now):
    news = told(leaving, now)

    assert news[leaving.content] == [f"{leaving.performance} уходит: вас просят кое-что принять"]
    assert news[leaving.owner] == news[leaving.contractor] == []
    due = today_page(company=leaving.company, person=leaving.content, at=now).due
    assert [one.url_name for one in due] == ["processes:handover-list"]

    item = leaving.handover.items.get(kind="hat")
    services.answer(company=leaving.company, by=leaving.content, at=now, item=item, agrees=True)
    assert today_page(company=leaving.company, person=leaving.content, at=now).due == []


def test_another_successor_is_asked_and_a_no_reaches_who_looks_for_the_next(leaving, now):
    item = leaving.handover.items.get(kind="hat")
    services.answer(company=leaving.company, by=leaving.content, at=now, item=item, agrees=False, note="нет часов")
    told(leaving, now)
    item.refresh_from_db()
    services.name_successor(company=leaving.company, by=leaving.owner, at=now, item=item, successor=leaving.cmo)

    news = told(leaving, now)

    assert news[leaving.cmo][-1].endswith("вас просят принять 1 пункт")
    assert len(news[leaving.pm]) == len(news[leaving.owner]) == 1
    assert "VK" in news[leaving.pm][0]


def test_the_day_with_something_left_is_told_once_to_who_manages(leaving, now):
    after = now + timedelta(days=6)
    for _pass in range(2):
        services.leave_due(company=leaving.company, at=after, today=leaving.company.local_date(after))

    news = told(leaving, after)

    assert Handover.objects.get().state == Handover.State.LEFT
    assert plans.unfinished(company=leaving.company).exists()
    assert len([title for title in news[leaving.owner] if "не всё передано" in title]) == 1
    assert len([title for title in news[leaving.pm] if "не всё передано" in title]) == 1


def test_a_brief_is_recalled_once_the_day_before(acme, rival, now):
    tomorrow = now.date() + timedelta(days=1)
    contractor = Contractor.objects.create(
        company=acme.company, name="Студия", scope="Сайт", starts_on=now.date(), ends_on=tomorrow, responsible=acme.pm,
        changed_at=now,
    )  # fmt: skip
    ContractorPerson.objects.create(company=acme.company, contractor=contractor, person=acme.contractor)
    for state, day in (("accepted", tomorrow), ("delivered", tomorrow), ("accepted", now.date())):
        Brief.objects.create(
            company=acme.company, contractor=contractor, title="Форма", text="t", criteria=[], state=state, due_on=day,
            author=acme.pm, created_at=now, changed_at=now,
        )  # fmt: skip
    Progress.objects.get_or_create(company=acme.company)

    remind(acme.company, now)
    remind(acme.company, now + timedelta(hours=1))

    rows = Notification.objects.filter(key__startswith="brief-due")
    assert [(row.person, row.title) for row in rows] == [(acme.contractor, "Завтра срок задания: Форма")]


def reminded(made, at) -> list[str]:
    """Titles of what the successor was reminded of, by the passes of a whole day."""
    Progress.objects.get_or_create(company=made.company)
    for hours in (0, 1, 7):
        remind(made.company, at + timedelta(hours=hours))
    rows = Notification.objects.filter(key__startswith="handover-waits", person=made.content)
    return list(rows.order_by("pk").values_list("title", flat=True))


def test_a_silent_successor_is_reminded_every_second_day_until_they_answer(leaving, now):
    asked = formats.day(leaving.company.local_date(now))

    assert reminded(leaving, now + timedelta(days=1)) == []
    assert reminded(leaving, now + timedelta(days=2)) == [f"{leaving.performance} уходит: ждём ответа с {asked}"]
    assert len(reminded(leaving, now + timedelta(days=3))) == 1
    assert len(reminded(leaving, now + timedelta(days=4))) == 2
    for item in plans.items(company=leaving.company).filter(successor=leaving.content):
        services.answer(company=leaving.company, by=leaving.content, at=now, item=item, agrees=False, note="нет")
    assert len(reminded(leaving, now + timedelta(days=6))) == 2
    assert Notification.objects.filter(key__startswith="handover-waits").exclude(person=leaving.content).count() == 0


def test_another_successor_has_their_own_two_days(leaving, now):
    item = leaving.handover.items.get(kind="hat")
    later = now + timedelta(days=1)
    services.name_successor(company=leaving.company, by=leaving.owner, at=later, item=item, successor=leaving.content)

    assert reminded(leaving, now + timedelta(days=2)) == []
    assert len(reminded(leaving, now + timedelta(days=3))) == 1


def test_who_manages_people_sees_who_is_silent(leaving, sign_in, now, time_machine):
    """Not at once: a successor may think for two days; then on Today of the managers, and on the plan from the start."""

    def todays(person, days):
        page = today_page(company=leaving.company, person=person, at=now + timedelta(days=days))
        return [(one.title, one.url_name) for one in page.due if one.url_name.startswith("processes:handover")]

    silent = f"{leaving.content} пока не отвечает: {leaving.performance} уходит"
    assert todays(leaving.pm, 1) == []
    for manager in (leaving.pm, leaving.owner):
        assert todays(manager, 2) == [(silent, "processes:handover-detail")]
    assert todays(leaving.cmo, 2) == []
    assert [url for _title, url in todays(leaving.content, 2)] == ["processes:handover-list"]

    time_machine.move_to(now + timedelta(days=2))
    plan_url = f"/c/acme/processes/handovers/{leaving.handover.pk}/"
    plan = sign_in(leaving.pm).get(plan_url).content.decode()
    asked = formats.moment(now, leaving.company.zone)
    assert f"просьба от {asked}, ответа нет" in plan
    assert f"вас спросили {asked}" in sign_in(leaving.content).get("/c/acme/processes/handovers/").content.decode()
    for item in plans.items(company=leaving.company).filter(successor=leaving.content):
        services.answer(company=leaving.company, by=leaving.content, at=now, item=item, agrees=True)
    assert todays(leaving.pm, 3) == []
    assert "ответа нет" not in sign_in(leaving.pm).get(plan_url).content.decode()
