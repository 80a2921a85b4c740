"""The grid of typed figures: saved, kept as a draft, pasted into, undone; all without JavaScript."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kpis.importers.values import micros
from kpis.models import DailyFact, GridDraft, Import
from kpis.selectors.measures import metrics_of
from kpis.selectors.typed import typed_figures
from kpis.services import grid_drafts
from kpis.services.measures import define_metric
from kpis.services.typed import type_figures
from kpis.typed import Place, Scope, cell_text
from roles.fields import to_micros
from roles.models import Channel
from roles.refusals import Refused

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
DAY = date(2026, 11, 19)
PATH = "/c/acme/facts/type/"
MOST_QUERIES = 18


@pytest.fixture(autouse=True)
def _friday():
    with time_machine.travel(NOW, tick=False):
        yield


def page(response) -> str:
    return " ".join(response.content.decode().replace("\u00a0", " ").split())


def typed(made, day=DAY, act="save", seen=0, **cells) -> dict:
    row = f"{day}-{made.vk.pk}"
    sent = {f"f-{row}-{code}": text for code, text in cells.items()}
    return {"from": str(day), "to": str(day), "act": act, f"v-{row}": str(seen)} | sent


def paste(made, text, start=DAY, end=DAY, **extra) -> dict:
    return {"act": "paste", "from": str(start), "to": str(end), "block": text} | extra


def waiting(made) -> dict[str, str]:
    """The cells of the analyst's draft without the day and the channel, where there is one row."""
    draft = GridDraft.objects.filter(company=made.company, person=made.analyst).first()
    return draft.cells if draft else {}


def name(made, code, day=DAY) -> str:
    return Place(day, made.vk.pk, code).name


# ---------------------------------------------------------------- saving
def test_the_analyst_types_a_day(acme, sign_in):
    browser = sign_in(acme.analyst)
    assert browser.get(PATH).status_code == 200

    answer = browser.post(PATH, typed(acme, spend="1 234,5", leads="5", deals=""))

    assert answer.status_code == 302
    fact = DailyFact.objects.get(company=acme.company)
    assert (fact.day, fact.channel, fact.spend, fact.leads, fact.deals) == (DAY, acme.vk, Decimal("1234.5"), 5, None)
    load = Import.objects.get(pk=fact.load_id)
    assert (load.created_by, load.source.code, load.source.kind) == (acme.analyst, "manual", "manual")
    seen = page(browser.get(answer.url))
    assert 'value="1234,5"' in seen
    assert "A. Acme" in seen


def test_saving_again_changes_only_what_was_changed(acme, sign_in):
    browser = sign_in(acme.analyst)
    browser.post(PATH, typed(acme, spend="10", leads="5"))
    seen = DailyFact.objects.get().load_id

    browser.post(PATH, typed(acme, spend="10", leads="5", seen=seen))
    assert Import.objects.count() == 1
    browser.post(PATH, typed(acme, spend="10", leads="", seen=seen))
    fact = DailyFact.objects.get()
    assert (fact.spend, fact.leads) == (10, None)


def test_errors_stand_at_their_cells_nothing_is_saved_and_the_draft_keeps_them(acme, sign_in):
    browser = sign_in(acme.analyst)
    refused = browser.post(PATH, typed(acme, spend="много", leads="-1", revenue="-5", deals="12%"))

    for seen in (page(refused), page(browser.get(f"{PATH}?day={DAY}"))):
        assert seen.count('aria-invalid="true"') == 3
        assert 'value="много"' in seen
        assert "«12%» — это доля" in seen
    assert refused.status_code == 400
    assert not DailyFact.objects.exists()


def test_two_people_typing_one_row_do_not_overwrite_each_other_unseen(acme, sign_in):
    sign_in(acme.analyst).post(PATH, typed(acme, spend="10"))
    owner = sign_in(acme.owner)

    late = owner.post(PATH, typed(acme, spend="20"))
    seen = DailyFact.objects.get().load_id

    assert late.status_code == 409
    assert 'value="20"' in page(late)
    assert f'value="{seen}"' in page(late)
    assert DailyFact.objects.get().spend == 10
    # another day is nobody's conflict
    assert owner.post(PATH, typed(acme, day=DAY - timedelta(days=1), spend="20")).status_code == 302
    assert owner.post(PATH, typed(acme, spend="20", seen=seen)).status_code == 302


def test_every_figure_knows_who_typed_it(acme):
    vk = Scope(DAY, acme.vk.pk)
    first = {Place(*vk, "spend"): Decimal(10), Place(*vk, "leads"): Decimal(5)}
    type_figures(company=acme.company, by=acme.analyst, at=NOW, values=first, seen={})
    load = DailyFact.objects.get().load_id
    second = {Place(*vk, "spend"): Decimal(10), Place(*vk, "leads"): Decimal(6), Place(*vk, "deals"): Decimal(1)}
    type_figures(company=acme.company, by=acme.owner, at=NOW, values=second, seen={vk: load})

    found = typed_figures(
        company=acme.company, start=DAY, end=DAY, metrics=metrics_of(company=acme.company).values()
    ).authors  # fmt: skip

    by = {place.code: who for place, who in found.items()}
    analyst, owner = acme.analyst.user.short_name, acme.owner.user.short_name
    assert by == {"spend": analyst, "leads": owner, "deals": owner}


def test_a_day_that_has_not_come_is_today_and_figures_of_other_companies_stay_out(acme, rival, sign_in):
    browser = sign_in(acme.analyst)

    assert 'value="2026-11-20"' in page(browser.get(f"{PATH}?day=2027-01-01"))
    browser.post(PATH, typed(rival, spend="10"))
    browser.post(PATH, typed(rival, spend="10", act="draft"))
    assert not DailyFact.objects.exists()
    assert not waiting(acme)
    place = Place(DAY, rival.vk.pk, "spend")
    for wrong in (place, Place(date(2026, 11, 21), acme.vk.pk, "spend"), Place(DAY, acme.vk.pk, "nope")):
        with pytest.raises(Refused):
            type_figures(company=acme.company, by=acme.analyst, at=NOW, values={wrong: Decimal(1)}, seen={})


@pytest.mark.parametrize("text", ["1.234", "0.5", "1234.567", "12.3456", "5"])
def test_a_figure_survives_being_shown_and_saved_again(acme, text):
    assert micros(cell_text(Decimal(text)), money=True) == to_micros(text)


def test_only_who_enters_facts_types_them(acme, sign_in):
    assert sign_in(acme.cmo).get(PATH).status_code == 403
    assert sign_in(acme.cmo).post(PATH, typed(acme, spend="1", act="draft")).status_code == 403


def test_the_grid_costs_the_same_for_few_and_many_channels(acme, sign_in, django_assert_num_queries):
    browser = sign_in(acme.analyst)
    browser.post(PATH, typed(acme, spend="10"))
    browser.get(PATH)
    with CaptureQueriesContext(connection) as few:
        browser.get(PATH)
    for number in range(30):
        Channel.objects.create(
            company=acme.company,
            code=f"c{number}",
            name=f"c{number}",
            kind="paid",
            status="active",
            owner=acme.performance,
        )
    with django_assert_num_queries(len(few)):
        assert "c29" in page(browser.get(PATH))
    with django_assert_num_queries(len(few)):
        browser.get(f"{PATH}?from=2026-11-01&to=2026-11-19")
    assert len(few) <= MOST_QUERIES


# ---------------------------------------------------------------- drafts
def test_a_draft_survives_a_reload_and_says_when(acme, sign_in):
    browser = sign_in(acme.analyst)

    kept = browser.post(PATH, typed(acme, act="draft", spend="7", leads="x"))
    answer = browser.post(PATH, typed(acme, act="draft", deals="y"), headers={"accept": "application/json"}).json()

    seen = page(browser.get(kept.url))
    assert 'value="7"' in seen
    assert "Черновик записан в 12:00" in seen
    assert "не сохранены 3 ячейки" in seen
    assert answer["errors"].keys() == {name(acme, "deals")}
    assert "Черновик записан в 12:00" in answer["said"]
    assert 'value="7"' not in page(sign_in(acme.owner).get(kept.url)), "a draft is its author's alone"
    assert not DailyFact.objects.exists()


def test_saving_empties_the_draft_and_dropping_forgets_it(acme, sign_in):
    browser = sign_in(acme.analyst)
    browser.post(PATH, typed(acme, act="draft", spend="7"))
    browser.post(PATH, typed(acme, spend="7"))
    assert not GridDraft.objects.exists()

    browser.post(PATH, typed(acme, act="draft", spend="8", seen=DailyFact.objects.get().load_id))
    browser.post(PATH, typed(acme, act="drop"))
    assert not GridDraft.objects.exists()
    assert DailyFact.objects.get().spend == 7


def test_a_draft_that_says_what_is_stored_is_none(acme, sign_in):
    browser = sign_in(acme.analyst)
    browser.post(PATH, typed(acme, spend="7"))
    browser.post(PATH, typed(acme, act="draft", spend="7,0", leads=""))
    assert not GridDraft.objects.exists()


def test_a_draft_notices_what_was_saved_since_it_was_begun(acme, sign_in):
    browser = sign_in(acme.analyst)
    browser.post(PATH, typed(acme, act="draft", spend="7"))
    sign_in(acme.owner).post(PATH, typed(acme, spend="9"))

    seen = page(browser.get(f"{PATH}?day={DAY}"))

    assert f'name="v-{DAY}-{acme.vk.pk}" value="0"' in seen
    assert browser.post(PATH, typed(acme, spend="7")).status_code == 409


# ---------------------------------------------------------------- pasting
def block(rows: int) -> str:
    """Days, six metrics and a rate as a spreadsheet copies them: 8 columns."""
    days = [DAY - timedelta(days=number) for number in range(rows)]
    head = "Дата\tРасход, ₽\tПоказы\tКлики\tВизиты\tЛиды\tСделки\tCTR, %"
    lines = [
        f"{day:%d.%m.%Y}\t1\u00a0{100 + number},50 ₽\t{number}\t{number}\t—\t{number}\t\t1,25%"
        for number, day in enumerate(days)
    ]
    return "\n".join([head, *lines, "Итого\t9\t9\t9\t9\t9\t9\t9%"])


def test_two_hundred_rows_of_eight_columns_are_pasted_saved_and_taken_back(acme, sign_in):
    browser, first = sign_in(acme.analyst), DAY - timedelta(days=199)

    sent = browser.post(PATH, paste(acme, block(200), whose="vk"))
    seen = page(browser.get(sent.url))

    assert f"from={first}&to={DAY}&channel=vk" in sent.url
    assert "Вставлено: 200 строк" in seen
    assert "CTR" in seen
    assert seen.count("data-l=") >= 200 * 5
    assert 'value="1299,5"' in seen
    assert 'aria-invalid="true"' not in seen
    draft = GridDraft.objects.get()
    cells = draft.cells | {"from": str(first), "to": str(DAY), "act": "save"}
    assert browser.post(PATH, cells).status_code == 302
    facts = DailyFact.objects.filter(company=acme.company)
    assert (facts.count(), facts.get(day=DAY).spend, facts.get(day=first).leads) == (200, Decimal("1100.5"), 199)

    undone = browser.post(PATH, {"act": "undo", "from": str(DAY), "to": str(DAY)})
    assert undone.status_code == 302
    assert not waiting(acme)


def test_one_undo_takes_a_paste_back_and_nothing_else(acme, sign_in):
    browser = sign_in(acme.analyst)
    browser.post(PATH, typed(acme, spend="7"))
    seen = DailyFact.objects.get().load_id
    browser.post(PATH, typed(acme, act="draft", leads="1", seen=seen))

    browser.post(PATH, paste(acme, "5\t6\n", anchor=name(acme, "spend"), channel="vk"))
    assert waiting(acme) == {name(acme, "spend"): "5", name(acme, "leads"): "6"}
    browser.post(PATH, typed(acme, act="draft", deals="3"))
    browser.post(PATH, {"act": "undo", "from": str(DAY), "to": str(DAY)})

    assert waiting(acme) == {name(acme, "leads"): "1", name(acme, "deals"): "3"}
    assert DailyFact.objects.get().spend == 7


def test_an_undo_shows_the_rows_of_before_the_paste(acme, sign_in):
    browser, first = sign_in(acme.analyst), DAY - timedelta(days=199)
    sent = browser.post(PATH, paste(acme, block(200), whose="vk"))
    assert f"from={first}&to={DAY}&channel=vk" in sent.url

    undone = browser.post(PATH, {"act": "undo", "from": str(first), "to": str(DAY), "channel": "vk"})

    assert f"from={DAY}&to={DAY}" in undone.url
    assert "channel=vk" not in undone.url
    assert page(browser.get(undone.url)).count("<tr") == page(browser.get(f"{PATH}?day={DAY}")).count("<tr") < 10
    assert not waiting(acme)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1\u00a0234,5\t2", {"spend": "1234,5", "leads": "2"}),
        ("1\u202f234,50 руб.\t\n", {"spend": "1234,5"}),
        ("1.234\t2\n", {"spend": "1,2340", "leads": "2"}),
        ("1,234\t2\n0,5\t1\n", {"spend": "1,2340", "leads": "2"}),
        ("(12)\tабв\n", {"spend": "(12)", "leads": "абв"}),
        ("Лиды\tРасход\n3\t4\n", {"leads": "3", "spend": "4"}),
        ("Лиды;Расход\n3;4\n", {"leads": "3", "spend": "4"}),
        ("Заявки сайта\tСделки\tПотрачено\n3\t4\t5\n", {"deals": "4", "spend": "5"}),
        ("VK Реклама: Расход\tСтатус\n4\tok\n", {"spend": "4"}),
        ("канал\tрасход\nvk\t8\nблог\t9\n", {"spend": "8"}),
        ("19.11.2026\t8\n", {"spend": "8"}),
        ("19/11/2026\t8\t2\n", {"spend": "8", "leads": "2"}),
        ("19.11.2026\tVK Реклама\t45000\n", {"spend": "45000"}),
        ("45000\t45001\n", {"spend": "45000", "leads": "45001"}),
        ('"5"\t"6"\n', {"spend": "5", "leads": "6"}),
    ],
)
def test_what_a_block_means(acme, text, expected):
    grid = grid_drafts.Grid([Scope(DAY, acme.vk.pk)], ["spend", "leads"], acme.vk.pk)

    draft = grid_drafts.paste_block(company=acme.company, by=acme.analyst, at=NOW, text=text, grid=grid)

    found = {key: cell for key, cell in draft.cells.items() if f"-{acme.vk.pk}-" in key}
    assert found == {name(acme, code): cell for code, cell in expected.items()}


def test_lines_that_find_no_place_are_named_with_their_reasons(acme, sign_in):
    browser = sign_in(acme.analyst)
    lines = "19.11.2026\tvk\t1\n31.02.2026\tvk\t2\n21.11.2026\tvk\t3\n18.11.2026\tНикто\t4\n19.11.2026\tvk\t5\n"

    sent = browser.post(PATH, paste(acme, lines))
    seen = page(browser.get(sent.url))

    assert waiting(acme) == {name(acme, "spend"): "1"}
    for said in ("«31.02.2026» — не дата", "«21.11.2026» ещё не наступил", "«Никто»", "строке 1"):
        assert said in seen
    assert "Не взято 4 строки" in seen


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "нет чисел"),
        ("\n\t\n", "нет чисел"),
        ("1\n" * 2001, "2 000"),
        ("\t".join("1" * 61), "60"),
        ("18.11.2026\t5", "чьи это"),
    ],
)
def test_a_block_that_cannot_be_spread_is_refused_with_what_to_do(acme, sign_in, text, says):
    refused = sign_in(acme.analyst).post(PATH, paste(acme, text))

    assert refused.status_code == 400
    assert says in page(refused)
    assert not waiting(acme)


def test_a_share_is_a_figure_of_an_own_metric_only(acme):
    define_metric(company=acme.company, by=acme.analyst, at=NOW, code="nps", name_ru="NPS")
    grid = grid_drafts.Grid([Scope(DAY, acme.vk.pk)], ["nps", "leads"], acme.vk.pk)

    draft = grid_drafts.paste_block(company=acme.company, by=acme.analyst, at=NOW, text="12,5 %\t12,5 %", grid=grid)

    assert draft.cells == {name(acme, "nps"): "12,5", name(acme, "leads"): "12,5 %"}


def test_lines_without_days_go_down_from_the_cell(acme):
    days = [DAY - timedelta(days=number) for number in (2, 1, 0)]
    grid = grid_drafts.Grid([Scope(day, acme.vk.pk) for day in days], ["spend", "leads"])

    draft = grid_drafts.paste_block(
        company=acme.company,
        by=acme.analyst,
        at=NOW,
        text="1\n2\n3\n",
        grid=grid,
        anchor=Place(days[1], acme.vk.pk, "leads"),
    )

    assert draft.cells == {name(acme, "leads", days[1]): "1", name(acme, "leads", days[2]): "2"}
    assert [one["code"] for one in draft.paste["left"]] == ["beyond_grid"]


def test_no_more_cells_wait_than_one_form_holds(acme, sign_in):
    with pytest.raises(grid_drafts.BadBlock):
        fill(acme)
    assert sign_in(acme.analyst).get(f"{PATH}?from=2020-01-01&to=2026-11-19&all=1").status_code == 200


def fill(made) -> None:
    grid = grid_drafts.Grid([Scope(DAY, made.vk.pk)], list(metrics_of(company=made.company)), made.vk.pk)
    for start in range(3):
        first = DAY - timedelta(days=300 * start)
        text = "\n".join(f"{first - timedelta(days=n):%d.%m.%Y}" + "\t1" * 13 for n in range(299))
        grid_drafts.paste_block(company=made.company, by=made.analyst, at=NOW, text=text, grid=grid)


def test_migrations_are_complete(db):
    call_command("makemigrations", "kpis", "--check", "--dry-run", verbosity=0)
