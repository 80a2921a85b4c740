"""Restated figures beside what was reported: on the summary of a week, and nothing where the same days give the same."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from kpis.services.facts import record_facts
from reports.models import WeekSummary
from reports.selectors.summary import week_summary
from tests.conftest import shown

MONDAY = date(2026, 11, 16)
WRITTEN = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
LATER = WRITTEN + timedelta(days=2)


def bring(made, at, channel="vk", day=MONDAY, **values):
    row = {"channel": channel, "date": day.isoformat()} | {code: Decimal(value) for code, value in values.items()}
    record_facts(company=made.company, by=made.analyst, at=at, source_code="crm", rows=[row])


@pytest.fixture
def told(acme):
    """A week whose summary was written, and whose gross profit of one channel was another one then."""
    for channel in ("vk", "blog"):
        bring(acme, WRITTEN - timedelta(days=3), channel, spend=1000, gross_profit=4100)
    WeekSummary.objects.create(
        company=acme.company, week=MONDAY, text="Неделя", written_by=acme.cmo, written_at=WRITTEN
    )
    return acme


def summary(made):
    return week_summary(company=made.company, week=MONDAY, at=LATER)


def test_what_has_not_changed_is_not_restated(told):
    found = summary(told)

    assert found.restated is None
    assert {row.restated for row in found.channels} == {None}


def test_later_figures_stand_beside_what_was_reported(told):
    bring(told, WRITTEN + timedelta(hours=3), gross_profit=4400)

    found = summary(told)

    assert (found.restated.was, found.restated.now, found.earned) == (6200, 6500, 6500)
    changed = {row.channel: row.restated for row in found.channels if row.restated}
    assert [(channel, one.was, one.now) for channel, one in changed.items()] == [(told.vk, 3100, 3400)]


def test_a_summary_that_is_not_written_reported_nothing(told):
    WeekSummary.objects.all().delete()
    bring(told, WRITTEN + timedelta(hours=3), gross_profit=4400)

    assert summary(told).restated is None


def test_a_day_that_was_not_over_then_is_no_restatement(told):
    WeekSummary.objects.update(written_at=WRITTEN - timedelta(days=2))  # on Saturday
    bring(told, WRITTEN, day=MONDAY + timedelta(days=6), spend=1, gross_profit=2)

    assert summary(told).restated is None


def test_the_page_says_it(told, sign_in):
    bring(told, WRITTEN + timedelta(hours=3), gross_profit=4400)

    with time_machine.travel(LATER, tick=False):
        response = sign_in(told.owner).get("/c/acme/reports/week-summary/?week=2026-W47")

    assert "уточнено: 6 200 ₽ → 6 500 ₽" in " ".join(shown(response.content.decode()).replace("\xa0", " ").split())
