"""The screens of data: sources, loads with their preview, the grid of a day; all without JavaScript."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kpis.models import DailyFact, Import, Source
from kpis.selectors.sources import freshness, silent_count
from kpis.services import import_runs
from kpis.services.evaluations import evaluate_due
from kpis.services.facts import record_facts
from roles.models import AuditEvent

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
DAY = date(2026, 11, 19)
CSV = "дата;канал;расход;лиды\n18.11.2026;VK Реклама;1 234,50;5\n19.11.2026;Яндекс;10;\n"


@pytest.fixture(autouse=True)
def _friday():
    with time_machine.travel(NOW, tick=False):
        yield


def page(response) -> str:
    return " ".join(response.content.decode().replace("\u00a0", " ").split())


def send(browser, content=CSV, **extra):
    upload = SimpleUploadedFile("день.csv", content if isinstance(content, bytes) else content.encode("cp1251"))
    return browser.post("/c/acme/imports/new/", {"file": upload, "source_name": "Кабинет"} | extra)


# ---------------------------------------------------------------- loads
def test_the_analyst_loads_a_file_step_by_step(acme, sign_in):
    browser = sign_in(acme.analyst)
    assert browser.get("/c/acme/imports/new/").status_code == 200

    sent = send(browser)
    load = Import.objects.get(company=acme.company)
    assert sent.url == f"/c/acme/imports/{load.pk}/"
    seen = page(browser.get(sent.url))
    assert "cp1251" in seen
    assert "1 234,50 ₽" in seen
    assert "Таких каналов нет: " in seen
    assert not DailyFact.objects.exists()

    refused = browser.post(f"{sent.url}confirm/", {"channel-0": "vk", "act": "load"})
    assert refused.status_code == 400
    assert 'aria-invalid="true"' in page(refused)
    assert "«Яндекс»" in page(refused)

    chosen = browser.post(f"{sent.url}confirm/", {"channel-0": "vk", "channel-1": "blog", "act": "preview"})
    load.refresh_from_db()
    assert (chosen.status_code, load.state, load.mapping) == (302, "preview", {"VK Реклама": "vk", "Яндекс": "blog"})

    browser.post(f"{sent.url}confirm/", {"channel-0": "vk", "channel-1": "blog", "act": "load"})
    assert 'hx-trigger="every 2s"' in page(browser.get(sent.url))
    import_runs.run_due_imports(company=acme.company, at=NOW)
    done = browser.get(sent.url, headers={"hx-request": "true"})
    assert "hx-trigger" not in page(done)
    assert "<html" not in page(done)
    fact = DailyFact.objects.get(company=acme.company, channel=acme.vk)
    assert (fact.spend, fact.line) == (Decimal("1234.5"), 2)
    opened = page(browser.get("/c/acme/facts/", {"metric": "spend", "channel": "vk", "from": "2026-11-18"}))
    assert "день.csv" in opened
    assert "строка 2" in opened

    undone = browser.post(f"{sent.url}undo/", follow=True)
    assert undone.status_code == 200
    assert not DailyFact.objects.exists()
    assert browser.post(f"{sent.url}undo/").status_code == 409


def loaded(browser, acme) -> Import:
    """A load of CSV that a worker has carried out."""
    address = send(browser).url
    browser.post(f"{address}confirm/", {"channel-0": "vk", "channel-1": "blog", "act": "load"})
    import_runs.run_due_imports(company=acme.company, at=NOW)
    return Import.objects.get(company=acme.company)


def test_an_undone_load_says_what_was_taken_back_and_what_comes_next(acme, sign_in):
    browser = sign_in(acme.analyst)
    load = loaded(browser, acme)

    undone = page(browser.post(f"/c/acme/imports/{load.pk}/undo/", follow=True))

    assert "Новых фактов" not in undone
    assert '<dt>Фактов удалено</dt><dd class="v">2</dd>' in undone
    assert "Стоп-правила пересчитываются" in undone
    assert 'hx-trigger="every 2s"' in undone
    assert '/c/acme/imports/new/?source=kabinet">Загрузить верный файл' in undone
    assert 'data-l="Новых">—</td>' in page(browser.get("/c/acme/imports/"))

    evaluate_due(company=acme.company, at=NOW)

    counted = page(browser.get(f"/c/acme/imports/{load.pk}/"))
    assert "Стоп-правила пересчитаны" in counted
    assert "hx-trigger" not in counted


def test_a_file_that_was_dropped_says_that_nothing_was_written(acme, sign_in):
    browser = sign_in(acme.analyst)
    address = send(browser).url

    browser.post(f"{address}undo/")

    dropped = page(browser.get(address))
    assert "Файл убрали до загрузки" in dropped
    assert "Новых фактов" not in dropped


def test_counting_again_is_answered(acme, sign_in):
    browser = sign_in(acme.analyst)
    address = send(browser).url

    counted = browser.post(f"{address}confirm/", {"channel-0": "vk", "act": "preview"}, follow=True)

    assert "Пересчитано с тем, что вы выбрали" in page(counted)


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"\x89PNG\r\n", "картинка"), (b"", "пуст"), (b"hello;world\n", "строка заголовков"), (b"PK\x03\x04", "Excel")],
)
def test_a_wrong_file_gets_a_sentence_at_its_field_and_keeps_the_rest(acme, sign_in, content, says):
    refused = send(sign_in(acme.analyst), content)

    assert refused.status_code == 400
    assert says in page(refused)
    assert "Кабинет" in page(refused)
    assert not Import.objects.exists()


def test_wrong_rows_are_listed_with_what_to_do_and_cannot_be_loaded(acme, sign_in):
    browser = sign_in(acme.analyst)
    sent = send(browser, CSV.replace("Яндекс", "vk") + "21.11.2026;vk;-5;NaN\n")

    seen = page(browser.get(sent.url))

    for said in ("«21.11.2026» ещё не наступил", "«-5» меньше нуля", "«NaN»", "расход", "лиды"):
        assert said in seen
    assert 'value="load"' not in seen


def test_the_same_file_again_says_that_it_changes_nothing_and_shows_rows_with_figures(acme, sign_in):
    browser = sign_in(acme.analyst)
    blank = "".join(f"{day:02}.10.2026;vk;;\n" for day in range(1, 31))
    rows = CSV.splitlines(keepends=True)
    content = rows[0] + blank + "".join(rows[1:]).replace("Яндекс", "vk")
    sent = send(browser, content)
    seen = page(browser.get(sent.url))
    assert "без единой цифры, не показаны: 30" in seen
    assert "1 234" in seen
    assert "Файл ничего не изменит" not in seen
    browser.post(f"{sent.url}confirm/", {"act": "load", "channel-0": "vk", "channel-1": "vk"})
    import_runs.run_due_imports(company=acme.company, at=NOW)

    again = page(browser.get(send(browser, content, source=Source.objects.get().code, source_name="").url))

    assert "Файл ничего не изменит: всё это уже загружено." in again


def test_a_name_that_is_missing_is_asked_for(acme, sign_in):
    refused = send(sign_in(acme.analyst), source_name="")

    assert refused.status_code == 400
    assert not Import.objects.exists()


def test_the_list_shows_loads_of_this_company_only(acme, rival, sign_in, django_assert_num_queries):
    rows = [{"channel": "vk", "date": "2026-11-16", "spend": 1}]
    for number in range(3):
        record_facts(company=acme.company, by=acme.analyst, at=NOW, source_code=f"crm{number}", rows=rows)
    record_facts(company=rival.company, by=rival.analyst, at=NOW, source_code="rivals-crm", rows=rows)
    browser = sign_in(acme.content)
    browser.get("/c/acme/imports/")

    with CaptureQueriesContext(connection) as few:
        seen = page(browser.get("/c/acme/imports/"))
    assert "crm2" in seen
    assert "rivals-crm" not in seen
    for number in range(30):
        record_facts(company=acme.company, by=acme.analyst, at=NOW, source_code=f"more{number}", rows=rows)
    with django_assert_num_queries(len(few)):
        browser.get("/c/acme/imports/")
    assert len(few) <= MOST_QUERIES


def test_who_may_not_load_sees_the_state_but_no_figures_of_the_file(acme, sign_in):
    sent = send(sign_in(acme.analyst))

    seen = page(sign_in(acme.content).get(sent.url))

    assert "1 234" not in seen
    assert sign_in(acme.content).post(f"{sent.url}confirm/").status_code == 403


# ---------------------------------------------------------------- sources
MOST_QUERIES = 14


def load_of(made, code, last_day, every=1):
    source = Source.objects.create(company=made.company, code=code, name=code, kind="file", expected_every_days=every)
    Import.objects.create(
        company=made.company, source=source, state="done", sha256=code, created_at=NOW, finished_at=NOW,
        first_day=last_day, last_day=last_day,
    )  # fmt: skip


def test_freshness_by_the_rhythm_of_each_source(acme, rival):
    load_of(acme, "fresh", DAY)
    load_of(acme, "late", DAY - timedelta(days=2))
    load_of(acme, "silent", DAY - timedelta(days=3))
    load_of(acme, "weekly", DAY - timedelta(days=6), every=7)
    load_of(acme, "once", DAY - timedelta(days=400), every=0)
    load_of(rival, "theirs", DAY)
    Source.objects.create(company=acme.company, code="never", name="never", kind="api")

    states = {row.source.code: row.state for row in freshness(company=acme.company, at=NOW)}

    assert states == {
        "fresh": "fresh",
        "late": "late",
        "silent": "silent",
        "weekly": "fresh",
        "never": "never",
        "once": "once",
    }
    assert silent_count(company=acme.company, at=NOW) == 1


def test_an_undone_load_does_not_make_a_source_fresh(acme):
    load_of(acme, "ads", DAY)
    Import.objects.update(state="undone")

    assert freshness(company=acme.company, at=NOW)[0].state == "never"


def test_sources_are_listed_in_few_queries_and_changed_by_who_loads(acme, sign_in, django_assert_num_queries):
    load_of(acme, "ads", DAY)
    browser = sign_in(acme.analyst)
    browser.get("/c/acme/sources/")
    with CaptureQueriesContext(connection) as few:
        assert "ads" in page(browser.get("/c/acme/sources/"))
    for number in range(30):
        load_of(acme, f"more-{number}", DAY)
    with django_assert_num_queries(len(few)):
        browser.get("/c/acme/sources/")
    assert len(few) <= MOST_QUERIES

    form = {"name": "Кабинет VK", "owner": acme.analyst.pk, "expected_every_days": "7", "priority": "5"}
    assert browser.post("/c/acme/sources/ads/edit/", form).status_code == 400  # another priority without a reason
    form["reason"] = "CRM считает точнее"
    assert browser.post("/c/acme/sources/ads/edit/", form).status_code == 302
    assert AuditEvent.objects.get(verb="update_source").reason == "CRM считает точнее"
    changed = Source.objects.get(company=acme.company, code="ads")
    assert (changed.name, changed.owner, changed.priority) == ("Кабинет VK", acme.analyst, 5)
    assert browser.post("/c/acme/sources/ads/edit/", form | {"priority": "0"}).status_code == 400
    assert sign_in(acme.content).get("/c/acme/sources/ads/edit/").status_code == 403


def test_a_person_of_another_company_cannot_keep_a_source(acme, rival, sign_in):
    load_of(acme, "ads", DAY)
    form = {"name": "x", "owner": rival.analyst.pk, "expected_every_days": "1", "priority": "5"}

    assert sign_in(acme.analyst).post("/c/acme/sources/ads/edit/", form).status_code == 400


def test_a_source_made_by_mistake_is_deleted_after_a_word(acme, sign_in):
    browser = sign_in(acme.analyst)
    address = send(browser).url
    asked = "/c/acme/sources/kabinet/delete/"
    assert "сначала загрузите его или уберите" in page(browser.get(asked))
    assert browser.post(asked).status_code == 409
    browser.post(f"{address}undo/")

    assert asked in page(browser.get("/c/acme/sources/kabinet/edit/"))
    assert "Он ни разу не дал цифр" in page(browser.get(asked))
    assert Source.objects.filter(company=acme.company, code="kabinet").exists()
    assert sign_in(acme.content).post(asked).status_code == 403
    done = sign_in(acme.analyst).post(asked, follow=True)

    assert "Источник удалён" in page(done)
    assert not Source.objects.filter(company=acme.company, code="kabinet").exists()
    assert AuditEvent.objects.get(verb="delete_source").before["name"] == "Кабинет"


def test_a_source_that_ever_had_figures_stays(acme, sign_in):
    browser = sign_in(acme.analyst)
    load = loaded(browser, acme)
    asked = "/c/acme/sources/kabinet/delete/"
    assert browser.post(asked).status_code == 409
    browser.post(f"/c/acme/imports/{load.pk}/undo/")

    refused = browser.post(asked)

    assert refused.status_code == 409
    assert "уже давал цифры" in page(refused)
    assert asked not in page(browser.get("/c/acme/sources/kabinet/edit/"))
    assert Source.objects.filter(company=acme.company, code="kabinet").exists()


def test_a_file_that_waits_comes_before_a_new_one_of_its_source(acme, rival, sign_in):
    browser = sign_in(acme.analyst)
    address = send(browser).url

    led = browser.get("/c/acme/imports/new/?source=kabinet", follow=True)

    assert led.redirect_chain == [(address, 302)]
    assert "Файл этого источника уже ждёт" in page(led)
    assert "/c/acme/imports/new/?source=kabinet&amp;anew=1" in page(led)
    assert browser.get("/c/acme/imports/new/?source=kabinet&anew=1").status_code == 200
    assert sign_in(rival.analyst).get("/c/rival/imports/new/?source=kabinet").status_code == 200
    sign_in(acme.analyst).post(f"{address}undo/")
    assert sign_in(acme.analyst).get("/c/acme/imports/new/?source=kabinet").status_code == 200


TWICE = """Дата;Кампания;№ Кампании;Показы;Клики;Расход (руб.)
18.11.2026;Бренд;11;100;5;50,00
19.11.2026;Бренд;11;100;5;50,00
19.11.2026;Бренд;11;100;5;50,00
19.11.2026;Бренд;11;90;4;40,00
19.11.2026;Бренд;11;0;0;0
19.11.2026;Бренд;11;0;0;0
"""


def test_rows_of_an_export_that_repeat_are_named_before_they_count_twice(acme, sign_in):
    browser = sign_in(acme.analyst)

    seen = page(browser.get(send(browser, TWICE).url))

    assert "Строки 4 (всего таких 1) повторяют" in seen
    assert "повторяют" not in page(browser.get(send(browser, CSV, source_name="Другой").url))
