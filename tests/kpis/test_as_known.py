"""Facts as they were known at a moment: restated, created later, taken back, and by the priorities of that moment."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kpis import facts, formulas, metrics
from kpis.facts import FactRow
from kpis.histories import read_history
from kpis.models import DailyFact, Import, Source
from kpis.selectors.as_known import facts_as_known, priorities_at, reported_by
from kpis.selectors.cube import load_cube
from kpis.services import sources
from roles.models import Campaign
from tests.conftest import shown

MONDAY = date(2026, 11, 16)
FRIDAY = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # 18:00 in Moscow
LEADS = formulas.parse("leads")
CPL = formulas.parse("spend / leads")


def load(made, at, leads, *, day=MONDAY, code="crm", spend=None, priority=100) -> Import:
    """A finished load of one channel-day at a moment."""
    source, _made = Source.objects.get_or_create(
        company=made.company, code=code, defaults={"name": code, "kind": "file", "priority": priority}
    )
    row = Import.objects.create(
        company=made.company, source=source, state="done", sha256="0" * 64, filename=f"{code}.csv", created_at=at,
        finished_at=at, first_day=day, last_day=day, created_by=made.analyst,
    )  # fmt: skip
    values = {"leads": leads} | ({"spend": spend} if spend is not None else {})
    facts.record(company=made.company, load=row, rows=[FactRow(made.vk.pk, 0, day, values)], metrics=list(values))
    return row


def leads(made, at=None, formula=LEADS):
    cube = load_cube(company=made.company, start=MONDAY, end=MONDAY + timedelta(days=6), as_known=at)
    return cube.kpi(formula).value


def after(hours: int) -> datetime:
    return FRIDAY + timedelta(hours=hours)


def test_a_restated_figure_is_what_it_was(acme):
    load(acme, after(-24), 41, spend=4100)
    load(acme, after(24), 44)
    load(acme, after(48), 50)

    assert (leads(acme), leads(acme, after(30)), leads(acme, FRIDAY)) == (50, 44, 41)
    assert leads(acme, FRIDAY, CPL) == 100  # a metric that no load has touched stands as it did
    assert leads(acme, after(-48)) is None


def test_the_moment_of_a_load_belongs_to_it(acme):
    load(acme, FRIDAY, 41)

    assert leads(acme, FRIDAY) == 41
    assert leads(acme, FRIDAY - timedelta(microseconds=1)) is None


def test_what_was_taken_back_was_known_until_then(acme):
    load(acme, after(-24), 41)
    wrong = load(acme, after(-2), 99)
    Import.objects.filter(pk=wrong.pk).update(state="undone")
    facts.undo(company=acme.company, load=wrong, at=after(2))
    load(acme, after(5), 44)

    assert [leads(acme, after(hours)) for hours in (-10, -1, 1, 3, 6)] == [41, 99, 99, 41, 44]


def test_a_created_fact_that_was_taken_back_and_came_again(acme):
    wrong = load(acme, after(-2), 99)
    Import.objects.filter(pk=wrong.pk).update(state="undone")
    facts.undo(company=acme.company, load=wrong, at=after(2))
    load(acme, after(5), 44)

    assert [leads(acme, after(hours)) for hours in (-3, 0, 3, 6)] == [None, 99, None, 44]


def test_a_chain_of_undone_loads_shows_what_was_seen(acme):
    first, second = load(acme, after(-9), 10), load(acme, after(-8), 20)
    for number, row in enumerate((first, second)):
        Import.objects.filter(pk=row.pk).update(state="undone")
        facts.undo(company=acme.company, load=row, at=after(number))

    assert [leads(acme, after(hours)) for hours in (-9, -8, 0, 1)] == [10, 20, 20, None]


def test_the_priority_of_the_moment_picks_the_source(acme):
    load(acme, after(-24), 41, code="ads", priority=10)
    load(acme, after(-24), 30, code="crm", priority=20)
    crm = Source.objects.get(company=acme.company, code="crm")
    for at, priority in ((after(1), 5), (after(9), 4)):
        sources.update_source(
            company=acme.company, by=acme.analyst, at=at, source=crm, name="CRM", owner=None, expected_every_days=1,
            priority=priority, reason="CRM точнее",
        )  # fmt: skip

    assert (leads(acme), leads(acme, after(2)), leads(acme, FRIDAY)) == (30, 30, 41)
    assert priorities_at(company=acme.company, at=after(5))[crm.pk] == 5


def test_one_company_knows_nothing_of_another(acme, rival, django_assert_num_queries):
    load(acme, after(-24), 41)
    load(rival, after(-24), 999_999)
    load(rival, after(24), 888_888)

    with django_assert_num_queries(1):
        found = facts_as_known(company=acme.company, at=FRIDAY, start=MONDAY, end=MONDAY, columns=["leads"])

    assert [row.values for row in found] == [(41_000_000,)]


def test_the_row_of_the_file_follows_undoing(acme):
    first = load(acme, after(-24), 41)
    second = load(acme, after(-2), 44)
    DailyFact.objects.filter(company=acme.company).update(line=7)
    Import.objects.filter(pk=second.pk).update(state="undone")
    facts.undo(company=acme.company, load=second, at=FRIDAY)

    fact = DailyFact.objects.get(company=acme.company)
    assert (fact.load_id, fact.line, fact.leads) == (first.pk, 0, 41)


@pytest.mark.parametrize(
    ("day", "at", "friday"),
    [
        (MONDAY, after(24), FRIDAY),
        (MONDAY, FRIDAY, FRIDAY),
        (MONDAY, after(-1), FRIDAY - timedelta(weeks=1)),
        (MONDAY + timedelta(days=6), after(48), FRIDAY),
    ],
)
def test_the_due_moment_of_a_week_once_it_has_come(acme, day, at, friday):
    assert reported_by(company=acme.company, day=day, at=at) == friday


# ---------------------------------------------------------------- the page
def page(browser, **query) -> str:
    asked = {"metric": "leads", "from": "2026-11-16", "to": "2026-11-22"} | query
    response = browser.get("/c/acme/facts/", asked)
    assert response.status_code == 200
    return " ".join(shown(response.content.decode()).replace("\xa0", " ").split())


def test_the_page_holds_the_figure_against_friday(acme, sign_in):
    load(acme, after(-24), 41)
    load(acme, after(24), 44)

    with time_machine.travel(after(72), tick=False):
        seen = page(sign_in(acme.analyst))

    assert "уточнено: 41 → 44" in seen
    assert "Как было известно 20.11.2026, 18:00: 41" in seen
    assert "было известно 41" in seen
    assert "crm.csv" in seen


def test_the_page_takes_any_moment_and_says_the_row(acme, sign_in):
    load(acme, after(-24), 41)
    load(acme, after(24), 44)
    DailyFact.objects.filter(company=acme.company).update(line=12)

    with time_machine.travel(after(72), tick=False):
        seen = page(sign_in(acme.analyst), known="2026-11-22T09:00")

    assert "уточнено: 41 → 44" in seen  # the change itself stands at the cell
    assert "то же, что сейчас" in seen
    assert "строка 12" in seen


@pytest.mark.parametrize("known", ["0001-01-01T00:00", "9999-12-31T23:59", "вчера", "2026-13-01T00:00"])
def test_no_moment_breaks_the_page(acme, sign_in, known):
    asked = {"metric": "leads", "from": "2026-11-16", "to": "2026-11-22", "known": known}

    assert sign_in(acme.analyst).get("/c/acme/facts/", asked).status_code == 400


def test_sums_beyond_64_bits(acme):
    load(acme, after(-24), Decimal("9000000000000"))
    load(acme, after(-24), Decimal("9000000000000"), day=MONDAY + timedelta(days=1))

    assert leads(acme, FRIDAY) == Decimal("18000000000000")


def test_days_that_only_came_later_are_no_restatement(acme, sign_in):
    load(acme, after(-24), 41)
    load(acme, after(24), 7, day=MONDAY + timedelta(days=5))

    with time_machine.travel(after(72), tick=False):
        seen = page(sign_in(acme.analyst))

    assert "уточнено" not in seen
    assert "за известные тогда дни и сейчас столько же; остальные дни пришли позже" in seen
    assert "пришло позже" in seen


def test_a_figure_of_one_campaign_opens_too(acme, rival, sign_in):
    mine = Campaign.objects.create(company=acme.company, channel=acme.vk, external_id="1", name="Поиск")
    theirs = Campaign.objects.create(company=rival.company, channel=rival.vk, external_id="1", name="Чужая")
    made = load(acme, after(-24), 41)
    facts.record(
        company=acme.company, load=made, rows=[FactRow(acme.vk.pk, mine.pk, MONDAY, {"leads": 5})], metrics=["leads"]
    )
    browser = sign_in(acme.analyst)

    with time_machine.travel(after(72), tick=False):
        seen = page(browser, channel="vk", campaign=mine.pk)
        whole = page(browser, channel="vk")
        other = page(browser, channel="blog", campaign=mine.pk)

    assert "Поиск" in seen
    assert "20.11.2026, 18:00: 5 " in seen
    assert "20.11.2026, 18:00: 46 " in whole
    assert "Поиск" not in other
    asked = {"metric": "leads", "from": "2026-11-16", "to": "2026-11-22", "channel": "vk"}
    for pk in (theirs.pk, 10**18, 0, "x"):
        assert browser.get("/c/acme/facts/", asked | {"campaign": pk}).status_code == 404


def test_the_page_costs_the_same_for_any_number_of_facts(acme, sign_in, django_assert_num_queries):
    browser = sign_in(acme.analyst)
    load(acme, after(-24), 41)
    page(browser)
    with CaptureQueriesContext(connection) as few:
        page(browser)
    for number in range(6):
        load(acme, after(number), 40 + number, day=MONDAY + timedelta(days=number % 5))
        load(acme, after(-number), 40 + number, code=f"s{number}")
    with django_assert_num_queries(len(few)):
        page(browser)


@pytest.mark.parametrize("seed", range(4))
def test_every_reader_lets_the_same_source_count(acme, seed):
    """The cube, the engine's history of one company and of many, and the facts as known now pick the same cells."""
    chance = random.Random(seed)
    campaigns = [
        Campaign.objects.create(company=acme.company, channel=acme.vk, external_id=str(n), name=str(n)) for n in (1, 2)
    ]
    for number in range(3):
        source = Source.objects.create(
            company=acme.company, code=f"s{number}", name="s", kind="file", priority=chance.choice((10, 10, 20))
        )
        made = Import.objects.create(
            company=acme.company, source=source, state="done", sha256="0", created_at=FRIDAY, finished_at=FRIDAY
        )
        rows = [
            FactRow(acme.vk.pk, campaign, MONDAY + timedelta(days=day), {
                code: chance.choice((None, 0, chance.randint(1, 99))) for code in ("leads", "spend")
            })
            for day in range(7) for campaign in (0, *(one.pk for one in campaigns)) if chance.random() < 0.6
        ]  # fmt: skip
        facts.record(company=acme.company, load=made, rows=rows, metrics=["leads", "spend"])
    asked = {"company": acme.company, "start": MONDAY, "end": MONDAY + timedelta(days=6), "campaigns": True}
    cubes = [load_cube(**asked), load_cube(**asked, as_known=after(9))]
    infos = {code: metrics.BUILT_IN[code] for code in ("leads", "spend")}
    today = MONDAY + timedelta(days=6)
    history = read_history(company=acme.company, metrics=infos.values(), today=today)

    for code in infos:
        formula = formulas.parse(code)
        for campaign in (None, *campaigns):
            seen = [
                [one.value for one in (cube.campaign_daily(formula, campaign.pk) if campaign else cube.daily(formula, acme.vk.pk)).values()]
                for cube in cubes
            ]  # fmt: skip
            seen.append(_daily(history, code, (acme.vk.pk, campaign.pk if campaign else 0)))
            assert seen[0] == seen[1] == seen[2]


def _daily(history, code, scope) -> list:
    """The values of a scope from Monday on as the cube gives them."""
    row, column = history.rows.get(scope), history.columns[code]
    found = []
    for offset in range(7):
        index = history.index(MONDAY + timedelta(days=offset))
        known = row is not None and index >= 0 and column.known[row, index]
        found.append(Decimal(int(column.values[row, index])) / 10**6 if known else None)
    return found
