"""The history of a role on its page: what the journal knows of its people, checks and reviews, and nothing of others."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from roles import audit
from roles.models import Appointment, CheckRound, Incompatibility
from roles.role_history import MOST, role_history
from roles.services import conflicts, hats
from roles.services.conflicts import CheckTerms

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
TODAY = NOW.date()
LONG_AGO = datetime(2024, 6, 1, tzinfo=UTC)


def act(made, **fields):
    return {"company": made.company, "by": made.owner, "at": NOW, "today": TODAY, **fields}


def told(made, code="content"):
    return [(line.event.verb, line.about) for line in role_history(company=made.company, role=made.roles[code])]


@pytest.fixture
def busy(acme):
    """The blog gets a deputy; somebody is appointed to VK and taken off again the same day."""
    blog = Appointment.objects.select_related("role", "person__user", "channel").get(channel=acme.blog)
    hats.update_appointment(**act(acme, appointment=blog, deputy=acme.performance, hours_per_week=5))
    given = hats.appoint(**act(acme, role=acme.roles["analyst"], person=acme.pm))
    hats.end_appointment(**act(acme, appointment=given, reason="ошибка"))
    return acme


def test_appointments_deputies_and_ends_of_this_role_newest_first(busy):
    assert told(busy) == [("update_appointment", "Content Acme")]
    assert told(busy, "analyst") == [("end_appointment", "Pm Acme"), ("appoint", "Pm Acme")]
    assert told(busy, "cmo") == []


def test_a_change_of_the_deputy_is_told_in_words(busy):
    line = role_history(company=busy.company, role=busy.roles["content"])[0]

    assert next(change.after for change in line.changes if change.before == "—") == "Performance Acme"


def test_checks_of_its_clashes_signed_and_skipped(busy):
    conflicts.install_builtin_pairs(company=busy.company, at=NOW, today=TODAY)
    pair = (
        Incompatibility.objects.filter(right_kind="cmo").first()
        or Incompatibility.objects.filter(left_kind="cmo").first()
    )
    terms = CheckTerms(checker=busy.owner, what="Договоры", cadence="week", until=TODAY + timedelta(days=60))
    check = conflicts.name_check(**act(busy, person=busy.cmo, pair=pair, terms=terms))
    rounds = list(CheckRound.objects.filter(external_check=check))
    audit.record(company=busy.company, by=busy.owner, verb="sign_check", obj=rounds[0], at=NOW, after={"person": "Cmo"})
    audit.record(company=busy.company, by=None, verb="skip_check", obj=rounds[1], at=NOW, after={"person": "Cmo"})

    assert [verb for verb, _about in told(busy, "cmo")] == ["skip_check", "sign_check", "name_external_check"]
    assert [verb for verb, _about in told(busy, "pm")] == []


def test_reviews_are_of_every_role_and_never_of_another_company(busy, rival):
    audit.record(company=busy.company, by=None, verb="open_role_review", obj=busy.company, at=NOW, after={})

    audit.record(company=busy.company, by=None, verb="open_role_review", obj=busy.company, at=LONG_AGO, after={})

    assert told(busy, "cmo") == [("open_role_review", "")], "one of before the role was made is not its own"
    assert told(rival, "cmo") == []


def test_at_most_twenty_lines_and_the_same_queries(busy):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            told(busy)
        return len(queries)

    few = cost()
    blog = Appointment.objects.get(channel=busy.blog)
    for hours in range(MOST + 5):
        audit.record(
            company=busy.company,
            by=busy.owner,
            verb="update_appointment",
            obj=blog,
            at=NOW,
            after={"person": str(hours)},
        )

    assert (len(told(busy)), cost()) == (MOST, few)


def test_on_the_page_with_a_way_to_the_journal(busy, sign_in):
    page = sign_in(busy.analyst).get(f"/c/acme/roles/{busy.roles['content'].pk}/").content.decode()

    assert "Назначение изменено" in page
    assert "?about=roles.appointment" in page


def test_what_was_written_down_later_stands_on_its_own_day(busy):
    blog = Appointment.objects.get(channel=busy.blog)
    audit.record(
        company=busy.company, by=busy.owner, verb="end_appointment", obj=blog, at=NOW - timedelta(days=9),
        after={"person": "Before"},
    )  # fmt: skip

    assert [about for _verb, about in told(busy)] == ["Content Acme", "Before"]
