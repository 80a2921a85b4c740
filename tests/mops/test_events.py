"""Audit events become lines for the right people, each once, in the person's language."""

from datetime import timedelta

import pytest
from django.urls import reverse

from kpis.models import DataIncident
from mops.models import Delivery, Notification, Progress
from mops.notifications import events, table
from processes.models import Action
from roles import audit
from roles.models import Absence, Appointment, AuditEvent
from tests.mops.conftest import MONDAY, make_breach, make_decision, make_load, make_report


@pytest.fixture
def tell(now):
    """Tell a company's people everything, and return who was told what: {person: [titles]}."""

    def run(made, at=now) -> dict:
        Progress.objects.get_or_create(company=made.company)
        events.tell(made.company, at)
        told = {}
        for row in Notification.objects.filter(company=made.company).select_related("person").order_by("pk"):
            told.setdefault(row.person, []).append(row.title)
        return told

    return run


def note(made, verb, obj, now, by=None, reason=""):
    return audit.record(company=made.company, by=by, verb=verb, obj=obj, at=now, reason=reason)


def test_open_decision_is_told_to_the_director_with_a_link_and_an_email(acme, rival, tell, now):
    decision = make_decision(acme)

    told = tell(acme)

    assert told == {acme.cmo: ["Ждёт вашего решения. Остановить VK?"]}
    row = Notification.objects.get()
    assert row.url == reverse("processes:decision-detail", args=["acme", decision.pk])
    assert "21.11.2026, 15:20" in row.text
    assert [d.state for d in Delivery.objects.all()] == ["waiting"]
    assert not Notification.objects.filter(company=rival.company).exists()


def test_director_away_means_the_deputy_is_told(acme, tell, now):
    Appointment.objects.filter(company=acme.company, person=acme.cmo).update(deputy=acme.owner)
    Absence.objects.create(company=acme.company, person=acme.cmo, starts_on=now.date(), ends_on=now.date())
    make_decision(acme)

    assert list(tell(acme)) == [acme.owner]


def test_told_in_the_persons_language(acme, tell):
    acme.cmo.user.language = "en"
    acme.cmo.user.save()
    make_decision(acme)

    assert tell(acme)[acme.cmo] == ["Waits for your decision. Остановить VK?"]


def test_telling_twice_tells_once(acme, tell, now):
    make_decision(acme)
    tell(acme)

    again = tell(acme, now + timedelta(seconds=10))

    assert sum(len(titles) for titles in again.values()) == 1
    assert Delivery.objects.count() == 1


def test_event_that_committed_late_is_told_too(acme, tell, now):
    """PostgreSQL may show id 10 after id 11: the cursor has passed it, the second reading finds it."""
    make_decision(acme)
    tell(acme)
    late = AuditEvent.objects.latest("pk")
    Progress.objects.update(seen_event_id=late.pk + 5)
    note(acme, "create_action", Action.objects.create(
        company=acme.company, text="Проверить", owner=acme.content, due_on=MONDAY, created_at=now), now)  # fmt: skip

    tell(acme, now + timedelta(minutes=6))

    assert Notification.objects.filter(person=acme.content).count() == 1


def test_settled_events_are_not_read_again(acme, tell, now):
    make_decision(acme)
    for minutes in (0, 6, 12):
        tell(acme, now + timedelta(minutes=minutes))
    Notification.objects.all().delete()

    assert tell(acme, now + timedelta(minutes=13)) == {}


def test_history_is_not_news(acme, tell, now):
    make_decision(acme, opened_at=now - timedelta(days=3))

    assert tell(acme) == {}


def test_who_did_it_is_not_told(acme, tell, now):
    action = Action.objects.create(
        company=acme.company, text="Проверить", owner=acme.cmo, due_on=MONDAY, created_at=now
    )
    note(acme, "create_action", action, now, by=acme.cmo)

    assert tell(acme) == {}


def test_signed_decision_is_told_to_the_channels_owner_and_to_who_got_a_task(acme, tell, now):
    decision = make_decision(acme)
    decision.state, decision.choice, decision.signed_by, decision.signed_at = "signed", "stop", acme.cmo, now
    decision.save()
    Action.objects.create(
        company=acme.company, text="Снять рекламу", owner=acme.content, due_on=MONDAY, decision=decision, created_at=now
    )
    note(acme, "sign_decision", decision, now, by=acme.cmo, reason="Дорого")

    told = tell(acme)

    assert set(told) == {acme.performance, acme.content}  # nobody is asked to decide what is decided
    assert told[acme.performance] == ["Решено: остановить. Остановить VK?"]
    assert Notification.objects.filter(person=acme.performance).get().text.endswith("Дорого")


def test_proposed_decision_waits_for_the_owner(acme, tell, now):
    decision = make_decision(acme)
    decision.state, decision.choice, decision.signed_by, decision.signed_at = (
        "waiting_cosign",
        "continue",
        acme.cmo,
        now,
    )
    decision.cosigner = "owner"
    decision.save()
    AuditEvent.objects.filter(pk__gt=0)
    note(acme, "propose_decision", decision, now, by=acme.cmo)

    assert "Ждёт вашей второй подписи. Остановить VK?" in tell(acme)[acme.owner]


def test_late_reports_are_one_line_per_person(acme, tell, now):
    for channel in (acme.vk, acme.blog):
        note(acme, "late_weekly_fact", make_report(acme, channel), now)

    told = tell(acme)

    assert set(told) == {acme.performance, acme.content, acme.pm}
    assert told[acme.pm] == ["Факт за 16–22.11 просрочен: VK Реклама, Блог"]
    assert told[acme.performance] == ["Факт за 16–22.11 просрочен: VK Реклама"]
    assert Notification.objects.get(person=acme.pm).url.endswith("?week=2026-W47")


def test_returned_report_goes_back_to_its_author_with_the_note(acme, tell, now):
    report = make_report(acme, fact_submitted_by=acme.pm, fact_submitted_at=now)
    note(acme, "return_weekly_report", report, now, by=acme.cmo, reason="Напишите причину")

    assert set(tell(acme)) == {acme.pm, acme.performance}
    assert {row.text for row in Notification.objects.all()} == {"Напишите причину"}


def test_failed_load_is_told_to_who_loaded(acme, tell, now):
    note(acme, "fail_import", make_load(acme, state="failed"), now, by=acme.analyst)

    assert tell(acme) == {acme.analyst: ["Файл не загружен: leads.csv"]}


def test_figures_that_stopped_are_told_to_the_analyst(acme, tell, now):
    breach = make_decision(acme).breach
    incident = DataIncident.objects.create(
        company=acme.company,
        rule=breach.rule,
        channel=acme.vk,
        first_day=MONDAY,
        last_day=MONDAY + timedelta(days=2),
        opened_at=now,
    )
    note(acme, "open_data_incident", incident, now)

    assert tell(acme)[acme.analyst] == ["Перестали приходить цифры: VK Реклама"]


@pytest.mark.parametrize(("approved", "told"), [(False, True), (True, False)])
def test_channel_owners_rule_waits_for_the_director(acme, tell, now, approved, told):
    version = make_breach(acme).version
    version.approved_at = now if approved else None
    version.save()
    note(acme, "create_stop_rule", version.rule, now, by=acme.performance)

    assert (acme.cmo in tell(acme)) is told


def test_who_has_left_is_not_told(acme, tell, now):
    acme.cmo.is_active = False
    acme.cmo.save()
    make_decision(acme)

    assert acme.cmo not in tell(acme)


def test_every_verb_of_the_table_is_written_by_a_service():
    from django.conf import settings

    written = "\n".join(
        path.read_text()
        for app in ("roles", "kpis", "processes", "reports", "mops")
        for path in (settings.BASE_DIR / app).rglob("*.py")
        if path.name not in {"journal.py", "table.py"}
    )

    assert [verb for verb in table.KINDS if f'"{verb}"' not in written] == []


def test_cost_does_not_grow_with_the_number_of_events(acme, now, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    Progress.objects.create(company=acme.company)
    make_decision(acme)
    with CaptureQueriesContext(
        connection,
    ) as few:
        events.tell(acme.company, now)
    for _number in range(20):
        make_decision(acme)

    with django_assert_num_queries(len(few)):
        events.tell(acme.company, now)
