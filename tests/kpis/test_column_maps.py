"""Tables that no reader knows: their columns are mapped by hand once, long or wide, daily or weekly."""

import io
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum
from django.urls import reverse
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from kpis.importers import custom
from kpis.importers.base import Context, Row
from kpis.models import ColumnMap, DailyFact, Import
from kpis.selectors import column_maps as maps
from kpis.selectors import imports as reads
from kpis.services import folders, import_runs, imports
from kpis.services.column_maps import WrongColumns, choose_columns
from kpis.services.sources import ensure_source
from roles import tokens
from roles.models import AuditEvent, Channel
from tests.conftest import shown

from .test_folders import drop  # noqa: F401
from .test_imports import NOW, facts, receive, upload
from .test_platforms import SHARED

CONTEXT = Context({}, date(2026, 11, 20))
LONG = "Отчёт\n\nКогда;Где;Акция;Потрачено;Заявки\n17.11.2026;vk;A1;100,50;3\n17.11.2026;vk;A1;1;1\n18.11.2026;Блог;;20;\nИтого;;;121,50;4\n"
LONG_SAID = {
    0: {"what": "day"}, 1: {"what": "channel"}, 2: {"what": "campaign"}, 3: {"what": "metric", "metric": "spend"},
    4: {"what": "metric", "metric": "leads"},
}  # fmt: skip
WEEKS = "week,vk_cost,blog_cost,reach\n2026-11-02,100,7,9\n2026-11-09,0.000001,na,9\n"
WEEKS_SAID = {
    0: {"what": "day"}, 1: {"what": "wide", "metric": "spend", "channel": "vk"},
    2: {"what": "wide", "metric": "spend", "channel": "blog"},
}  # fmt: skip


def table_of(content: str | bytes):
    return custom.guess_table(io.BytesIO(content if isinstance(content, bytes) else content.encode()))


def explain(made, load, said=None, **kwargs) -> Import:
    return choose_columns(
        company=made.company, by=made.analyst, at=NOW, load=load, columns=said or LONG_SAID, **kwargs
    )  # fmt: skip


def run(made, load) -> Import:
    imports.confirm_import(company=made.company, by=made.analyst, at=NOW, load=load, mapping=load.mapping)
    import_runs.run_due_imports(company=made.company, at=NOW)
    load.refresh_from_db()
    return load


def codes_of(refusal) -> dict[str, str]:
    return {error.field: error.code for error in refusal.value.errors}


# ---------------------------------------------------------------- pure
def test_the_table_is_found_under_its_title():
    table = table_of(LONG)

    assert (table.header, table.header_row) == (["Когда", "Где", "Акция", "Потрачено", "Заявки"], 3)
    assert custom.day_places(table) == [0]


@pytest.mark.parametrize(
    "content", ["имя;телефон\nАнна;+7\n", "a;b\n1;2\n3;4\n", "дата;расход\n", "только слова\nи ещё\n", "a;b\nx;y\n"]
)
def test_what_has_no_days_is_no_table(content):
    assert table_of(content) is None


@given(st.integers(-(10**18), 10**18), st.integers(0, 10**12))
def test_the_days_of_a_week_add_up_exactly(money, count):
    row = Row(2, date(2026, 11, 2), "vk", values={"revenue": money, "leads": count, "spend": None})

    parts = list(custom.spread(row, 7))

    assert [part.day.day for part in parts] == list(range(2, 9))
    assert (sum(p.values["revenue"] for p in parts), sum(p.values["leads"] for p in parts)) == (money, count)
    assert max(p.values["revenue"] for p in parts) - min(p.values["revenue"] for p in parts) <= 1
    assert {part.values["spend"] for part in parts} == {None}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ("2026-11-02\n2026-11-03\n", (1, False, "")),
        ("2026-11-02\n2026-11-09\n2026-11-16\n", (7, False, "")),
        ("03/04/2026\n05/04/2026\n", (None, True, "")),
        ("03/04/2026\n13/04/2026\n", (10, True, "dmy")),
        ("03/04/2026\n04/13/2026\n", (40, True, "mdy")),
        ("13/04/2026\n04/13/2026\n03/04/2026\n", (0, True, "")),
    ],
)
def test_what_the_days_tell(cells, expected):
    content = "day;x\n" + cells.replace("\n", ";1\n")

    days = custom.days_in(table_of(content), 0)

    if expected[0] == 0:
        assert (days.is_two_ways, days.order) == expected[1:]
    else:
        assert (days.gap, days.is_two_ways, days.order) == expected


@pytest.mark.parametrize(
    "heading",
    ["Телефон", "Рабочий телефон", "E-mail", "Email клиента", "ФИО", "Комментарий", "Адрес доставки", "ip", "USER_IP", "Имя"],
)  # fmt: skip
def test_personal_columns_are_told_by_their_names(heading):
    assert custom.personal_places(table_of(f"день;{heading};расход\n2026-11-18;a@b;5\n")) == [1]


@pytest.mark.parametrize("heading", ["Email", "Комментарии", "Рассылка", "Описание", "clip views"])
def test_figures_under_such_a_name_are_no_personal_data(heading):
    assert custom.personal_places(table_of(f"день;{heading};расход\n2026-11-18;12;5\n")) == []


# ---------------------------------------------------------------- services
def test_an_unknown_table_waits_for_its_columns_and_writes_nothing(acme):
    load = receive(acme, LONG)

    assert (load.state, load.profile, load.mapping) == ("preview", "", {})
    assert receive(acme, LONG) == load
    with pytest.raises(imports.ColumnsNotChosen):
        run(acme, load)
    assert not facts(acme).exists()


def test_a_long_table_is_explained_once(acme):
    load = explain(acme, receive(acme, LONG))
    found = ColumnMap.objects.get()

    assert (load.profile, load.mapping) == (f"custom:{found.pk}", {"vk": "vk", "Блог": "blog"})
    assert not facts(acme).exists()
    seen = reads.preview(company=acme.company, load=load)
    assert (seen.fresh, seen.wrong, seen.checked) == (2, 0, 3)
    run(acme, load)
    assert facts(acme).aggregate(Sum("spend"), Sum("leads")) == {"spend__sum": Decimal("121.5"), "leads__sum": 4}

    again = receive(acme, LONG.replace("18.11", "19.11"))
    assert (again.profile, again.mapping) == (load.profile, load.mapping)
    assert run(acme, receive(acme, LONG)).unchanged == 2
    assert "choose_columns" in AuditEvent.objects.values_list("verb", flat=True)


def test_the_load_is_undone_whole(acme):
    load = run(acme, explain(acme, receive(acme, LONG)))

    imports.undo_import(company=acme.company, by=acme.analyst, at=NOW, load=load)

    assert not facts(acme).exists()


def test_a_week_is_spread_only_when_that_was_said(acme):
    load = receive(acme, WEEKS)
    with pytest.raises(WrongColumns) as refusal:
        explain(acme, load, WEEKS_SAID)
    assert codes_of(refusal) == {"step": "step_needed"}
    assert not ColumnMap.objects.exists()

    load = run(acme, explain(acme, load, WEEKS_SAID, step="week"))

    spent = facts(acme).order_by("day").values_list("spend", flat=True)
    vk = list(spent.filter(channel=acme.vk))
    assert (len(vk), sum(vk), vk[0], vk[6]) == (14, Decimal("100.000001"), Decimal("14.285715"), Decimal("14.285714"))
    assert vk[7:] == [Decimal("0.000001"), *[0] * 6]
    assert list(spent.filter(channel=acme.blog)) == [1] * 7
    assert (load.first_day, load.last_day) == (date(2026, 11, 2), date(2026, 11, 15))


def test_a_wide_table_touches_only_what_it_gives(acme):
    """Leads are given of one channel alone: those of the other, from another load of the source, stay."""
    run(acme, receive(acme, "date;channel;spend;leads\n2026-11-02;blog;1;9\n2026-11-02;vk;1;8\n"))
    said = {0: {"what": "day"}, 1: {"what": "wide", "metric": "spend", "channel": "vk"},
            2: {"what": "wide", "metric": "leads", "channel": "vk"},
            3: {"what": "wide", "metric": "spend", "channel": "blog"}}  # fmt: skip
    load = receive(acme, "Когда;vk деньги;vk лиды шт;blog деньги\n2026-11-02;5;;7\n2026-11-03;5;6;7\n")
    load = explain(acme, load, said)

    seen = reads.preview(company=acme.company, load=load)
    run(acme, load)

    assert (seen.fresh, seen.changed, seen.same) == (2, 2, 0)
    rows = facts(acme).order_by("day", "channel__code").values_list("channel__code", "spend", "leads")
    assert list(rows) == [("blog", 7, 9), ("vk", 5, None), ("blog", 7, None), ("vk", 5, 6)]


def test_rows_that_stand_apart_may_be_days_and_are_not_asked_about_again(acme):
    run(acme, explain(acme, receive(acme, WEEKS), WEEKS_SAID, step="day"))

    assert facts(acme).count() == 3
    assert receive(acme, WEEKS.replace("100", "101")).profile


def test_weeks_under_a_heading_that_had_days_are_asked_about(acme):
    run(acme, explain(acme, receive(acme, WEEKS.replace("11-09", "11-03")), WEEKS_SAID))

    load = receive(acme, WEEKS)

    assert load.profile == ""
    with pytest.raises(WrongColumns):
        explain(acme, load, WEEKS_SAID)
    assert explain(acme, load, WEEKS_SAID, step="week").profile_version == 2


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (WEEKS.replace("11-09", "11-10"), "another_weekday"),
        (WEEKS + "2026-11-16,1,1,1\n", "week_not_over"),
        (WEEKS + "2026-11-23,1,1,1\n", "future_date"),
        (WEEKS.replace(",7,", ",много,"), "not_a_number"),
    ],
)
def test_a_wrong_row_of_weeks_is_named_and_nothing_is_written(acme, content, code):
    load = explain(acme, receive(acme, content), WEEKS_SAID, step="week")
    seen = reads.preview(company=acme.company, load=load)

    run(acme, load)

    assert [problem["code"] for problem in seen.problems] == [code]
    assert (load.state, load.errors[0]["code"], load.errors[0]["row"]) == ("failed", code, seen.problems[0]["row"])
    assert not facts(acme).exists()


def test_days_closer_than_a_week_are_no_weeks(acme):
    with pytest.raises(WrongColumns) as refusal:
        explain(acme, receive(acme, LONG), step="week")
    assert codes_of(refusal) == {"step": "not_weekly"}


def test_days_with_two_meanings_ask_for_the_order(acme):
    content = "day,vk cost\n03/04/2026,1\n04/04/2026,2\n"
    load = receive(acme, content)
    said = {0: {"what": "day"}, 1: {"what": "wide", "metric": "spend", "channel": "vk"}}

    with pytest.raises(WrongColumns) as refusal:
        explain(acme, load, said, step="day")
    run(acme, explain(acme, load, said, step="day", order="mdy"))

    assert codes_of(refusal) == {"order": "ambiguous_date"}
    assert list(facts(acme).order_by("day").values_list("day", flat=True)) == [date(2026, 3, 4), date(2026, 4, 4)]


@pytest.mark.parametrize(
    ("said", "errors"),
    [
        ({1: {"what": "channel"}}, {"columns": "no_metric"}),
        ({**LONG_SAID, 2: {"what": "day"}}, {"what-2": "said_twice"}),
        ({**LONG_SAID, 2: {"what": "metric", "metric": "spend"}}, {"what-3": "said_twice"}),
        ({**LONG_SAID, 1: {"what": "skip"}}, {"channel-3": "no_channel", "channel-4": "no_channel"}),
        ({**LONG_SAID, 3: {"what": "wide", "metric": "spend", "channel": "vk"}}, {"channel-3": "channel_twice"}),
        ({**LONG_SAID, 3: {"what": "metric", "metric": "nonsense"}}, {"what-3": "unknown"}),
        ({**LONG_SAID, 3: {"what": "nonsense"}}, {"what-3": "unknown"}),
    ],
)
def test_columns_that_make_no_table_are_refused_at_their_fields(acme, said, errors):
    load = receive(acme, LONG)

    with translation.override("ru"), pytest.raises(WrongColumns) as refusal:
        explain(acme, load, said)

    assert errors.items() <= codes_of(refusal).items()
    assert not ColumnMap.objects.exists()


def test_a_channel_of_another_company_is_none(acme, rival):
    Channel.objects.create(company=rival.company, code="theirs", name="Чужой", kind="paid", status="planned")
    said = WEEKS_SAID | {1: {"what": "wide", "metric": "spend", "channel": "theirs"}}

    with pytest.raises(WrongColumns) as refusal:
        explain(acme, receive(acme, WEEKS), said, step="week")
    assert codes_of(refusal) == {"channel-1": "unknown"}


def test_a_map_of_another_company_or_source_is_never_used(acme, rival):
    explain(acme, receive(acme, LONG))
    found = ColumnMap.objects.get()

    assert receive(rival, LONG).profile == ""
    other = ensure_source(company=acme.company, code="other", name="Другой", kind="file")
    ours = imports.receive_file(
        company=acme.company, by=acme.analyst, at=NOW, source=other, upload=upload(LONG)
    )  # fmt: skip
    assert ours.profile == ""
    for made in (rival,):
        with pytest.raises(imports.BadFile) as refusal:
            receive(made, LONG, profile=f"custom:{found.pk}")
        assert refusal.value.errors[0].code == "unknown_profile"


def test_a_load_never_runs_by_another_map_than_its_preview(acme):
    load = explain(acme, receive(acme, LONG))
    imports.confirm_import(company=acme.company, by=acme.analyst, at=NOW, load=load, mapping=load.mapping)
    waiting = receive(acme, LONG.replace("100,50", "200,50"))
    explain(acme, waiting, LONG_SAID | {4: {"what": "skip"}})

    import_runs.run_due_imports(company=acme.company, at=NOW)

    load.refresh_from_db()
    assert (load.state, load.errors) == ("failed", [{"code": "columns_changed"}])
    assert not facts(acme).exists()
    assert run(acme, waiting).created == 2


def test_another_waiting_load_is_asked_again_when_the_columns_change(acme):
    first = explain(acme, receive(acme, LONG))
    second = receive(acme, LONG.replace("100,50", "200,50"))
    explain(acme, second, LONG_SAID | {4: {"what": "skip"}})

    first.refresh_from_db()

    assert (first.profile, second.profile_version) == ("", 2)
    assert explain(acme, first, LONG_SAID | {4: {"what": "skip"}}).profile == second.profile


def test_a_worker_that_broke_off_reads_the_same_map_again(acme, monkeypatch):
    load = explain(acme, receive(acme, WEEKS), WEEKS_SAID, step="week")
    with monkeypatch.context() as patch:
        patch.setattr(import_runs, "failpoint", lambda name: name != "import.after_copy" or 1 / 0)
        run(acme, load)
    assert (load.state, facts(acme).exists()) == ("queued", False)

    import_runs.run_due_imports(company=acme.company, at=NOW + timedelta(minutes=2))

    load.refresh_from_db()
    assert (load.state, load.created) == ("done", 21)


def test_personal_columns_are_not_stored(acme):
    content = "Когда;ФИО;Телефон;vk расход\n2026-11-17;Анна Белова;+7 900 123-45-67;10\n\n2026-11-18;Пётр;+7 900 765-43-21;5\n"
    said = {0: {"what": "day"}, 1: {"what": "channel"}, 2: {"what": "campaign"}, 3: {"what": "wide", "metric": "spend", "channel": "vk"}}  # fmt: skip

    load = receive(acme, content)
    kept = load.file.read().decode()
    explain(acme, load, said)
    run(acme, load)
    again = receive(acme, content + "2026-11-19;Ольга;+7 900 000-00-00;x\n")

    for text in (
        kept,
        again.file.read().decode(),
        str(list(Import.objects.values())),
        str(list(ColumnMap.objects.values())),
    ):
        assert not any(secret in text for secret in ("Белова", "900 1", "Ольга"))
    assert load.created == 2
    assert ColumnMap.objects.get().columns[1:3] == [{"what": "skip"}] * 2
    # the row keeps the number it had in the upload
    assert reads.preview(company=acme.company, load=again).problems[0]["row"] == 5
    assert maps.columns(company=acme.company, load=receive(acme, content.replace("Когда", "День"))).personal == [
        "ФИО", "Телефон",
    ]  # fmt: skip


def test_the_currency_in_a_heading_asks_for_its_rate(acme):
    said = {0: {"what": "day"}, 1: {"what": "wide", "metric": "spend", "channel": "vk"}}

    load = explain(acme, receive(acme, "День;Траты (USD)\n2026-11-17;1\n2026-11-18;1\n"), said)

    assert load.currency == "USD"


def test_guesses_are_sensible(acme):
    long = receive(acme, "Число;Где;Кампания;Расход;Охват;vk_leads\n17.11.2026;vk;c;5;9;1\n18.11.2026;vk;c;5;9;1\n")
    wide = receive(acme, "Число;vk_leads;VK Реклама, расход;blog spend\n17.11.2026;5;9;1\n18.11.2026;5;9;1\n")

    shown_long = maps.columns(company=acme.company, load=long).shown
    shown_wide = maps.columns(company=acme.company, load=wide).shown

    assert [column.guess for column in shown_long] == [
        {"what": "day"}, {"what": "channel"}, {"what": "campaign"}, {"what": "metric", "metric": "spend"}, {"what": "skip"},
        {"what": "skip"},
    ]  # fmt: skip
    assert [column.guess for column in shown_wide[1:]] == [
        {"what": "wide", "metric": "leads", "channel": "vk"}, {"what": "wide", "metric": "spend", "channel": "vk"},
        {"what": "wide", "metric": "spend", "channel": "blog"},
    ]  # fmt: skip
    assert shown_long[3].samples == ["5", "5"]


def test_a_metric_named_last_is_proposed_and_a_rate_never(acme):
    load = receive(
        acme, "time,tv_S,Channel0_spend,cost per leads,Competitor_Sales\n2026-11-17,1,2,3,4\n2026-11-18,1,2,3,4\n"
    )

    found = maps.columns(company=acme.company, load=load)

    assert [column.guess.get("metric") for column in found.shown] == [None, "spend", "spend", None, None]


# ---------------------------------------------------------------- page, API, folder
def test_the_page_asks_which_column_is_what(acme, sign_in):
    browser, slug = sign_in(acme.analyst), acme.company.slug

    posted = browser.post(reverse("kpis:import-create", args=[slug]), {"file": upload(WEEKS), "source_name": "MMM"})
    load = Import.objects.get()
    address = reverse("kpis:import-columns", args=[slug, load.pk])
    page = browser.get(address).content.decode()
    detail = browser.get(reverse("kpis:import-detail", args=[slug, load.pk]))
    silent = browser.post(address, {"what-0": "day", "what-1": "metric:spend", "what-2": "metric:spend"})
    said = {"what-0": "day", "what-1": "metric:spend", "channel-1": "vk", "what-2": "metric:spend", "channel-2": "blog"}
    unasked = browser.post(address, said)
    done = browser.post(address, said | {"step": "week"})
    preview = browser.get(done.url).content.decode()

    assert posted.url == detail.url == address
    assert "vk_cost" in page
    assert '<option value="wide' not in page
    assert (silent.status_code, unasked.status_code, done.status_code) == (400, 400, 302)
    assert "столбца с каналом нет" in silent.content.decode()
    assert "То же сказано" not in silent.content.decode()
    assert "Скажите, что охватывает строка" in unasked.content.decode()
    assert '<option value="blog" selected>' in unasked.content.decode()
    assert done.url == reverse("kpis:import-detail", args=[slug, load.pk])
    assert "разложена поровну" in shown(preview)
    assert '<input type="hidden" name="channel-0" value="blog">' in preview
    assert not DailyFact.objects.exists()
    browser.post(
        reverse("kpis:import-confirm", args=[slug, load.pk]), {"act": "load", "channel-0": "blog", "channel-1": "vk"}
    )
    import_runs.run_due_imports(company=acme.company, at=NOW)
    assert facts(acme).count() == 21


def test_the_whole_file_may_be_of_one_channel(acme, sign_in):
    load = receive(acme, "Число;Траты;Лиды\n2026-11-17;5;1\n2026-11-18;6;2\n")
    address = reverse("kpis:import-columns", args=[acme.company.slug, load.pk])

    done = sign_in(acme.analyst).post(
        address, {"what-0": "day", "what-1": "metric:spend", "what-2": "metric:leads", "whole": "vk", "step": "day"}
    )

    assert done.status_code == 302
    load.refresh_from_db()
    assert load.mapping == {"vk": "vk"}


def test_the_page_is_not_for_a_load_that_is_over(acme, sign_in):
    load = run(acme, explain(acme, receive(acme, LONG)))
    address = reverse("kpis:import-columns", args=[acme.company.slug, load.pk])

    assert sign_in(acme.analyst).post(address, {}).status_code == 302
    with pytest.raises(imports.NotWaiting):
        explain(acme, load)


def test_the_api_says_that_the_columns_wait_and_then_loads(acme, client):
    key = tokens.create_token(
        company=acme.company, person=acme.analyst, by=acme.analyst, name="t", scopes=["facts:write"], at=NOW
    )[1]
    address = f"/api/v1/c/{acme.company.slug}/imports/"

    def post():
        return client.post(
            address, {"file": upload(LONG), "source": "ads"}, headers={"Authorization": f"Bearer {key}"}
        )  # fmt: skip

    first = post()
    assert (first.status_code, first.json()["errors"][0]["code"]) == (400, "columns_not_chosen")
    explain(acme, Import.objects.get())
    second = post()

    assert second.status_code == 202
    assert Import.objects.get(pk=second.json()["id"]).state == "queued"


def test_a_folder_waits_for_the_columns_and_then_needs_no_hand(acme, drop):  # noqa: F811
    drop("night.csv", LONG)
    [first] = folders.load_folder(company=acme.company, by=acme.analyst, at=NOW, folder=drop.folder)
    assert (first.state, first.load.profile) == ("waits", "")

    explain(acme, first.load)
    [second] = folders.load_folder(company=acme.company, by=acme.analyst, at=NOW, folder=drop.folder)

    assert (second.state, second.load.created) == ("loaded", 2)


# ---------------------------------------------------------------- public files beside the project
SERIES = {
    "robyn_dt_simulated_weekly.csv": (
        {"revenue": ("all", "revenue"), "tv_S": ("tv", "spend"), "ooh_S": ("ooh", "spend"), "print_S": ("print", "spend"),
         "facebook_S": ("facebook", "spend"), "search_S": ("search", "spend")},
        208, {"all": 379005696.67, "tv": 3087487.77, "ooh": 8989331.73, "print": 775555.51, "facebook": 446296.83,
              "search": 1230426.67},
    ),
    "pymc_mmm_example.csv": ({"y": ("all", "revenue")}, 179, {"all": 946005.62}),
    "meridian_national_media.xlsx": (
        {f"Channel{n}_spend": (f"channel{n}", "spend") for n in range(6)}, 156,
        {"channel0": 21294339.565, "channel1": 36097540.234, "channel2": 30278522.494, "channel3": 10831324.361,
         "channel4": 82361853.961, "channel5": 44728371.889},
    ),
}  # fmt: skip


@pytest.mark.skipif(not SHARED.is_dir(), reason="the public files lie beside the project, not in it")
@pytest.mark.parametrize("name", SERIES)
def test_public_weekly_table_gives_its_published_totals(acme, name):
    headings, weeks, expected = SERIES[name]
    for code in expected:
        Channel.objects.create(company=acme.company, code=code, name=f"Канал {code}", kind="paid", status="planned")
    content = (SHARED / "series" / name).read_bytes()

    load = receive(acme, content)
    found = maps.columns(company=acme.company, load=load)
    said = {found.shown[[c.guess["what"] for c in found.shown].index("day")].place: {"what": "day"}}
    for column in found.shown:
        if column.heading in headings:
            channel, metric = headings[column.heading]
            said[column.place] = {"what": "wide", "metric": metric, "channel": channel}
    assert found.days.look_weekly
    run(acme, explain(acme, load, said, step="week"))
    again = run(acme, receive(acme, content))

    assert (load.state, load.created, again.created, again.changed) == ("done", weeks * 7 * len(expected), 0, 0)
    for code, total in expected.items():
        sums = facts(acme).filter(channel__code=code).aggregate(Sum("spend"), Sum("revenue"))
        assert round(float(sums["spend__sum"] or sums["revenue__sum"]), 3 if "xlsx" in name else 2) == total


# ---------------------------------------------------------------- months and units
MONTHS = "Месяц;vk расход;блог расход\nсентябрь 2026;30;0,000031\n2026-10;31;-\n"
MONTHS_SAID = {0: {"what": "day"}, 1: {"what": "wide", "metric": "spend", "channel": "vk"},
               2: {"what": "wide", "metric": "spend", "channel": "blog"}}  # fmt: skip


def test_a_month_is_spread_only_when_that_was_said(acme):
    load = receive(acme, MONTHS)
    with pytest.raises(WrongColumns) as refusal:
        explain(acme, load, MONTHS_SAID)
    assert codes_of(refusal) == {"step": "step_needed"}
    assert not facts(acme).exists()

    load = run(acme, explain(acme, load, MONTHS_SAID, step="month"))

    vk = facts(acme).filter(channel=acme.vk).order_by("day")
    assert (load.state, vk.count(), set(vk.values_list("spend", flat=True))) == ("done", 61, {1})
    assert facts(acme).filter(channel=acme.blog).aggregate(Sum("spend"))["spend__sum"] == Decimal("0.000031")
    assert (load.first_day, load.last_day) == (date(2026, 9, 1), date(2026, 10, 31))
    again = run(acme, receive(acme, MONTHS))
    assert (again.created, again.changed) == (0, 0)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("Месяц;vk расход\n2026-10-01;1\n2026-11-01;1\n", "month_not_over"),
        ("Месяц;vk расход\n2026-09-01;1\n2026-10-02;1\n", "not_first_of_month"),
    ],
)
def test_a_wrong_row_of_months_is_named_and_nothing_is_written(acme, content, code):
    said = {place: column for place, column in MONTHS_SAID.items() if place < 2}
    load = run(acme, explain(acme, receive(acme, content), said, step="month"))

    assert (load.state, [error["code"] for error in load.errors]) == ("failed", [code])
    assert not facts(acme).exists()


@pytest.mark.parametrize(
    ("unit", "cell", "expected"),
    [
        ("kopecks", "23133", "231.33"),
        ("micros", "231330000", "231.33"),
        ("thousands", "1,5", "1500"),
        ("", "5", "5"),
        ("millions", "2", "2000000"),
    ],
)
def test_a_column_is_counted_in_what_was_said(acme, sign_in, unit, cell, expected):
    load = receive(acme, f"Когда;Потрачено;Заявки\n17.11.2026;{cell};3\n18.11.2026;{cell};3\n")
    page = reverse("kpis:import-columns", args=[acme.company.slug, load.pk])
    sign_in(acme.analyst).post(
        page, {"what-0": "day", "what-1": "metric:spend", "what-2": "metric:leads", "unit-1": unit, "whole": "vk"}
    )
    load.refresh_from_db()
    run(acme, load)

    assert set(facts(acme).values_list("spend", "leads")) == {(Decimal(expected), Decimal(3))}


def test_an_unknown_unit_is_refused(acme):
    said = {**LONG_SAID, 3: {"what": "metric", "metric": "spend", "unit": "bushels"}}
    with pytest.raises(WrongColumns) as refusal:
        explain(acme, receive(acme, LONG), said)
    assert codes_of(refusal) == {"unit-3": "unknown"}


# ---------------------------------------------------------------- the row of the headings, said by hand
ODD = "Отчёт;2026\n1;2;3\nпримечание;;\n1 кв;2 кв;Клиент\n17.11.2026;100,5;x\n18.11.2026;7;y\n"


def test_the_row_of_the_headings_may_be_said_by_hand(acme, sign_in):
    """A heading that holds figures is not found; who sees it says where it stands, and the next file needs no word."""
    browser, create = sign_in(acme.analyst), reverse("kpis:import-create", args=[acme.company.slug])
    sent = browser.post(create, {"file": upload(ODD), "source_name": "Таблица", "header_row": "4"})
    load = Import.objects.get()
    assert (sent.status_code, load.header_row, load.profile) == (302, 4, "")
    assert "1 кв" in shown(browser.get(sent.url).content.decode())

    said = {"what-0": "day", "what-1": "metric:spend", "whole": "vk"}
    browser.post(reverse("kpis:import-columns", args=[acme.company.slug, load.pk]), said)
    load.refresh_from_db()
    run(acme, load)

    assert (load.state, facts(acme).aggregate(Sum("spend"))["spend__sum"]) == ("done", Decimal("107.5"))
    again = imports.receive_file(
        company=acme.company, by=acme.analyst, at=NOW, source=load.source, upload=upload(ODD + "19.11.2026;1;z\n")
    )
    assert again.profile == load.profile


@pytest.mark.parametrize(("row", "says"), [("3", "нет заголовков"), ("24", "нет заголовков"), ("0", "1"), ("26", "25")])
def test_a_row_without_headings_is_refused(acme, sign_in, row, says):
    create = reverse("kpis:import-create", args=[acme.company.slug])
    refused = sign_in(acme.analyst).post(create, {"file": upload(ODD), "source_name": "Таблица", "header_row": row})

    assert refused.status_code == 400
    assert says in shown(refused.content.decode())
    assert not Import.objects.exists()
