"""The journal speaks in words: every verb that a service writes has its sentence."""

import re

from django.conf import settings
from django.utils import timezone

from kpis.models import Metric
from roles import journal
from roles.models import AuditEvent


def test_every_verb_of_the_services_has_words():
    written = {
        verb
        for app in ("roles", "kpis", "processes", "reports", "mops")
        for path in (settings.BASE_DIR / app).rglob("*.py")
        for verb in re.findall(r'verb="([a-z_]+)"', path.read_text())
    }

    assert sorted(written - set(journal.VERBS)) == []


def test_every_kind_of_object_in_the_journal_has_a_name(acme):
    named = {"roles.dutytick", "reports.weeksummary", "reports.dashboardsnapshot"}
    for kind in named:
        AuditEvent.objects.create(
            company=acme.company, at=timezone.now(), by=None, verb="x", object_type=kind, object_id="1"
        )

    assert sorted(label for kind, label in journal.objects_of(company=acme.company) if kind in named) == [
        "Отметки об обязанностях", "Сводки недель", "Цифры дня",
    ]  # fmt: skip


def test_rights_of_a_new_role_are_told_in_words(acme):
    line = tell(acme, after={"name": "Отзывы", "kind": "channel_owner"})

    assert [(c.label, c.after) for c in line.changes] == [("вид", "владелец канала")]


def test_a_formula_is_told_with_the_names_of_metrics(acme):
    before, after = {"formula": "spend / leads"}, {"formula": "(gross_profit - spend) / spend"}
    line = tell(acme, before=before, after=after)

    assert [(c.before, c.after) for c in line.changes] == [("Расход / лиды", "(Валовая прибыль − расход) / расход")]
    Metric.objects.create(company=acme.company, code="calls", name_ru="Звонки", slot=1)
    assert [c.after for c in tell(acme, after={"formula": "spend / calls"}).changes] == ["Расход / звонки"]
    assert [c.after for c in tell(acme, after={"formula": "spend //"}).changes] == ["spend //"]


def tell(acme, **event):
    AuditEvent.objects.create(
        company=acme.company, at=timezone.now(), by=acme.pm, verb="update_channel", object_type="roles.channel",
        object_id="1", **event,
    )  # fmt: skip
    return journal.journal(company=acme.company).lines[0]


def test_changes_are_told_in_words_with_both_values(acme):
    line = tell(
        acme,
        before={"name": "VK", "status": "active", "monthly_budget": None, "ends_on": "2026-11-24"},
        after={"name": "VK", "status": "paused", "monthly_budget": "100", "ends_on": "2026-11-25"},
    )

    assert (line.what, line.about, line.who) == ("Канал изменён", "VK", acme.pm)
    assert [(c.label, c.before, c.after) for c in line.changes] == [
        ("последний день", "24.11.2026", "25.11.2026"),
        ("состояние", "работает", "на паузе"),
        ("бюджет месяца", "—", "100"),
    ]


def test_new_object_tells_only_what_says_something(acme):
    line = tell(acme, after={"person": "Анна", "role": "cmo", "channel": None, "deputy": None, "hours_per_week": 8})

    assert line.about == "Анна"
    assert [(c.label, c.before, c.after) for c in line.changes] == [
        ("роль", None, "Роль cmo"),
        ("часов в неделю", None, "8"),
    ]


def test_ended_appointment_tells_the_role_and_the_channel(acme):
    line = tell(
        acme,
        before={"person": "Анна", "role": "cmo", "channel": acme.vk.pk, "ends_on": None},
        after={"person": "Анна", "role": "cmo", "channel": acme.vk.pk, "ends_on": "2026-11-25"},
    )

    assert [(c.label, c.before, c.after) for c in line.changes] == [
        ("роль", None, "Роль cmo"),
        ("канал", None, "VK Реклама"),
        ("последний день", "—", "25.11.2026"),
    ]


def test_details_are_left_out_for_who_may_not_see_money(acme):
    tell(acme, before={"monthly_budget": "1"}, after={"monthly_budget": "2"})

    assert journal.journal(company=acme.company, details=False).lines[0].changes == []


def test_days_are_the_companys_own(acme):
    """00:30 in Moscow on the 25th is still the 24th in UTC: the filter goes by the company's calendar."""
    from datetime import UTC, date, datetime

    AuditEvent.objects.create(
        company=acme.company,
        at=datetime(2026, 11, 24, 21, 30, tzinfo=UTC),
        verb="appoint",
        object_type="x",
        object_id="1",
    )

    days = [
        len(journal.journal(company=acme.company, since=day, until=day).lines)
        for day in (date(2026, 11, 24), date(2026, 11, 25))
    ]
    assert days == [0, 1]
