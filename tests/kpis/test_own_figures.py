"""Whoever loaded or typed figures is not the one who says that they are right; an exception names its checker."""

from datetime import timedelta

import pytest
import time_machine

from kpis.models import DailyFact, DataIncident, Import, Source
from kpis.services.incidents import OwnFigures, open_doubt, release_incident
from roles.models import Appointment, AuditEvent, CheckRound, ExternalCheck, Incompatibility

from .test_evaluation import NOW, TODAY

YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture
def doubted(acme):
    """The analyst has loaded the figures of VK; somebody holds them in doubt."""
    source = Source.objects.create(company=acme.company, code="crm", name="CRM", kind="file")
    load = Import.objects.create(
        company=acme.company, source=source, state="done", sha256="0" * 64, created_at=NOW, created_by=acme.analyst
    )
    DailyFact.objects.create(
        company=acme.company, day=YESTERDAY, channel=acme.vk, source=source, load_id=load.pk, spend=1
    )
    acme.incident = open_doubt(
        company=acme.company, by=acme.cmo, at=NOW, channel=acme.vk, first_day=YESTERDAY, last_day=YESTERDAY, why="Сбой"
    )
    return acme


def release(made, by):
    return release_incident(company=made.company, by=by, at=NOW, incident=made.incident, reason="Сверено")


def check(made, **round_fields):
    pair = Incompatibility.objects.create(company=made.company, left_kind="analyst", right_kind="channel_owner")
    found = ExternalCheck.objects.create(
        company=made.company, person=made.analyst, pair=pair, checker=made.owner, what="w", cadence="week",
        starts_on=TODAY - timedelta(days=30), until=TODAY + timedelta(days=9), created_at=NOW,
    )  # fmt: skip
    if round_fields:
        CheckRound.objects.create(company=made.company, external_check=found, **round_fields)


def test_the_author_is_refused_with_the_names_of_who_may(doubted):
    with pytest.raises(OwnFigures) as refused:
        release(doubted, doubted.analyst)

    assert str(doubted.cmo) in refused.value.message
    assert DataIncident.objects.get().state == "open"
    assert release(doubted, doubted.cmo).closed_by == doubted.cmo


def test_figures_of_another_channel_are_not_these_very_figures(doubted):
    other = open_doubt(
        company=doubted.company, by=doubted.cmo, at=NOW, channel=doubted.blog, first_day=YESTERDAY, last_day=YESTERDAY,
        why="Сбой",
    )  # fmt: skip
    done = release_incident(company=doubted.company, by=doubted.analyst, at=NOW, incident=other, reason="Сверено")
    assert done.state == "released"


def test_under_a_check_the_author_releases_and_the_checker_is_named(doubted):
    check(doubted)

    done = release(doubted, doubted.analyst)

    assert str(doubted.owner) in done.note
    assert done.note.startswith("Сверено")
    assert AuditEvent.objects.get(verb="release_data_incident").after["checker"] == str(doubted.owner)


def test_a_skipped_check_makes_nothing_possible(doubted):
    last = TODAY - timedelta(days=9)
    check(doubted, first_day=last, last_day=last, due_on=last + timedelta(days=3))

    with pytest.raises(OwnFigures):
        release(doubted, doubted.analyst)


def test_where_nobody_else_could_look_the_author_may(doubted):
    Appointment.objects.filter(person=doubted.cmo).delete()

    assert release(doubted, doubted.analyst).note == "Сверено"


def test_the_page_tells_the_author_beforehand_and_offers_others_the_form(doubted, sign_in):
    address = f"/c/{doubted.company.slug}/data-incidents/{doubted.incident.pk}/"

    with time_machine.travel(NOW, tick=False):
        mine = sign_in(doubted.analyst).get(address).content.decode()
        theirs = sign_in(doubted.cmo).get(address).content.decode()

    assert str(doubted.cmo) in mine
    assert 'name="reason"' not in mine
    assert 'name="reason"' in theirs
