"""The page of data quality: each check, what stands beside it to do, and nobody else's figures."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from kpis.jumps import jumps
from kpis.models import DataIncident, Import, Source
from kpis.selectors.quality import data_quality
from kpis.services.facts import record_facts
from kpis.services.typed import type_figures
from kpis.typed import Place
from processes.models import Action
from tests.conftest import shown

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
TODAY = date(2026, 11, 20)
MORNING = NOW


@pytest.fixture(autouse=True)
def _friday():
    with time_machine.travel(NOW, tick=False):
        yield


def days(count: int, skip=()) -> list[date]:
    """So many days up to yesterday, oldest first, without those that lie so many days back."""
    return [TODAY - timedelta(days=back) for back in range(count, 0, -1) if back not in skip]


def bring(made, source="ads", channel="vk", on=None, **values):
    """Figures of a source for a channel on these days."""
    rows = [
        {"channel": channel, "date": day.isoformat()} | {code: Decimal(value) for code, value in values.items()}
        for day in on or days(40)
    ]  # fmt: skip
    return record_facts(company=made.company, by=made.analyst, at=NOW, source_code=source, rows=rows)


def found(made, kind, person="analyst"):
    page = data_quality(company=made.company, person=getattr(made, person), at=NOW)
    return [one for one in page.findings if one.kind == kind]


def healthy(made):
    for channel in ("vk", "blog"):
        bring(made, channel=channel, spend=1000, leads=10)


def test_healthy_figures_give_nothing_to_do(acme, rival):
    healthy(acme)
    bring(rival, on=days(40, skip=(5,)), spend=999_999)

    page = data_quality(company=acme.company, person=acme.analyst, at=NOW)

    assert page.findings == []
    [strip] = page.strips
    assert (strip.reported, {what for _day, what in strip.days}) == (35, {"full"})
    assert len(strip.metrics) == 2


def test_a_silent_source_says_since_when_and_whom_to_ask(acme):
    bring(acme, on=days(40, skip=(1, 2, 3, 4)), spend=1000)
    Source.objects.update(owner=acme.pm)

    [one] = found(acme, "silent")

    assert "16.11.2026" in one.words
    assert (one.first, one.owner) == (date(2026, 11, 16), acme.pm)


def test_a_gap_is_days_without_a_channel_that_the_source_reports(acme):
    healthy(acme)
    bring(acme, source="crm", on=days(40, skip=(9, 10, 20)), deals=1)

    gaps = found(acme, "gap")

    assert [(one.first, one.last, one.channel) for one in gaps] == [
        (TODAY - timedelta(days=20), TODAY - timedelta(days=20), acme.vk),
        (TODAY - timedelta(days=10), TODAY - timedelta(days=9), acme.vk),
    ]
    page = data_quality(company=acme.company, person=acme.analyst, at=NOW)
    assert [what for _day, what in page.strips[1].days].count("none") == 3


def test_a_channel_that_drops_out_of_a_living_source_is_a_gap(acme):
    bring(acme, spend=1000, leads=10)
    bring(acme, channel="blog", on=days(40, skip=(1, 2)), spend=1000, leads=10)

    [one] = found(acme, "gap")

    assert (one.channel, one.first, one.last) == (acme.blog, TODAY - timedelta(days=2), TODAY - timedelta(days=1))
    assert "part" in {what for _day, what in data_quality(company=acme.company, person=acme.pm, at=NOW).strips[0].days}


def test_a_weekly_or_a_sporadic_source_has_no_gaps(acme):
    healthy(acme)
    bring(acme, source="crm", on=days(40)[::7], deals=1)
    bring(acme, source="rare", on=days(40)[::3], deals=1)
    Source.objects.filter(code="crm").update(expected_every_days=7)

    assert found(acme, "gap") == []


def test_a_jump_is_told_with_what_is_usual_and_hides_money(acme):
    healthy(acme)
    bring(acme, on=[TODAY - timedelta(days=2), TODAY - timedelta(days=1)], spend=9000, leads=10)
    bring(acme, on=days(63, skip=range(1, 41)), spend=1000, leads=10)

    [one] = found(acme, "jump")
    [hidden] = found(acme, "jump", person="content")

    assert (one.channel, one.metric, one.first, one.last) == (
        acme.vk, "spend", TODAY - timedelta(days=2), TODAY - timedelta(days=1),
    )  # fmt: skip
    assert "9\xa0000" in one.words
    assert "9\xa0000" not in hidden.words


def test_spend_without_leads_needs_three_days(acme):
    bring(acme, spend=1000, leads=10)
    bring(acme, channel="blog", spend=1000)

    [one] = found(acme, "no_leads")
    assert (one.channel, one.metric) == (acme.blog, "leads")

    bring(acme, source="crm", channel="blog", on=days(14, skip=(1, 2)), leads=1)
    assert found(acme, "no_leads") == []


def test_the_gravest_stands_first_whatever_it_is(acme):
    bring(acme, source="crm", channel="vk", on=days(40, skip=(1, 2)), leads=10)
    bring(acme, spend=1000)
    bring(acme, channel="blog", spend=1000)

    marks = [one.mark for one in data_quality(company=acme.company, person=acme.analyst, at=NOW).findings]

    assert {"stop", "watch"} <= set(marks)
    assert marks == sorted(marks, key=["stop", "watch", "none"].index)


def test_a_running_channel_that_no_source_reports(acme):
    bring(acme, spend=1000, leads=10)
    acme.vk.status = "stopped"
    acme.vk.save()

    assert [one.channel for one in found(acme, "no_source")] == [acme.blog]


def test_typed_figures_are_those_that_count(acme):
    healthy(acme)
    yesterday = TODAY - timedelta(days=1)
    cells = {Place(yesterday, acme.vk.pk, "leads"): Decimal(7), Place(yesterday, acme.vk.pk, "deals"): Decimal(2)}
    type_figures(company=acme.company, by=acme.analyst, at=NOW, values=cells, seen={})

    [one] = found(acme, "typed")

    assert one.words.startswith("1 цифра введена руками")  # leads come from the cabinet
    assert one.metric == "deals"


def test_an_open_doubt_marks_what_it_covers(acme):
    healthy(acme)
    bring(acme, source="crm", on=days(40, skip=(9, 10)), deals=1)
    DataIncident.objects.create(
        company=acme.company, kind="doubt", channel=acme.vk, first_day=TODAY - timedelta(days=12),
        last_day=TODAY - timedelta(days=9), opened_at=NOW, why="x",
    )  # fmt: skip

    assert [one.in_doubt for one in found(acme, "gap")] == [True]


def test_few_queries_whatever_there_is(acme, django_assert_max_num_queries):
    for number in range(12):
        bring(acme, source=f"s{number}", on=days(40, skip=(number + 1,)), spend=1000 + number)

    with django_assert_max_num_queries(5):
        data_quality(company=acme.company, person=acme.analyst, at=NOW)


# ---------------------------------------------------------------- jumps, pure
@pytest.mark.parametrize(("last", "least", "is_one"), [
    (100, 0, False), (149, 0, False), (151, 0, True), (49, 0, True), (0, 0, True), (151, 60, False), (None, 0, False),
])  # fmt: skip
def test_a_jump_is_beyond_half_of_the_median(last, least, is_one):
    week = [100, 1, 1, 1, 1, 1, 1]

    found = jumps([*week * 5, last], 1, least)

    assert bool(found) is is_one


def test_a_noisy_weekday_needs_more_than_its_noise():
    noisy = [value for first in (100, 160, 220, 280, 90) for value in (first, *[1] * 6)]

    assert jumps([*noisy, 300], 1) == []
    assert [jump.usual for jump in jumps([*noisy, 900], 1)] == [160]


def test_three_known_weekdays_make_nothing_usual():
    assert jumps([*([100] + [None] * 6) * 3, 900], 1) == []


# ---------------------------------------------------------------- the page
def test_the_page_offers_what_helps(acme, rival, sign_in):
    bring(acme, spend=1000, leads=10)
    bring(acme, channel="blog", on=days(40, skip=(1, 2)), spend=1000)
    bring(rival, on=days(40, skip=(2,)), spend=999_999)
    browser = sign_in(acme.analyst)

    response = browser.get("/c/acme/data-quality/")

    html = response.content.decode()
    assert "blog" in html
    assert "999" not in shown(html)
    assert "/c/acme/data-incidents/new/?channel=blog&amp;from=2026-11-18&amp;to=2026-11-19" in html
    assert "/c/acme/processes/actions/new/?text=" in html
    assert "/c/acme/facts/?metric=leads&amp;channel=blog" in html
    assert '<svg class="strip"' in html
    assert "в этот день не ждут" in html, "the legend explains every colour of a day"
    for_reader = sign_in(acme.content).get("/c/acme/data-quality/").content.decode()
    assert "data-incidents/new" not in for_reader
    assert "imports/new" not in for_reader


def test_a_task_is_given_from_the_page(acme, rival, sign_in):
    browser = sign_in(acme.analyst)
    address = "/c/acme/processes/actions/new/"
    offered = browser.get(address, {"text": "Проверить CRM", "owner": acme.pm.pk, "channel": "vk"}).content.decode()
    assert "Проверить CRM" in offered
    assert f'value="{acme.pm.pk}" selected' in offered
    task = {"text": "Проверить CRM", "owner": acme.pm.pk, "channel": "vk", "due_on": "2026-11-23"}

    assert browser.post(address, task | {"owner": rival.pm.pk}).status_code == 400
    assert browser.post(address, task | {"due_on": "2026-11-19"}).status_code == 400
    assert browser.post(address, task).status_code == 302

    action = Action.objects.get()
    assert (action.text, action.owner, action.channel, action.created_by) == (
        "Проверить CRM",
        acme.pm,
        acme.vk,
        acme.analyst,
    )
    assert sign_in(acme.contractor).post(address, task).status_code == 403


def test_an_empty_company_is_told_where_to_begin(acme, sign_in):
    html = sign_in(acme.analyst).get("/c/acme/data-quality/").content.decode()

    assert "Источников пока нет" in html
    assert not Import.objects.exists()
