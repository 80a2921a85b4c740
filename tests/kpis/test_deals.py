"""Deals of CRMs: read by content, kept without anybody's name, placed by UTM rules, turned into daily facts with revisions."""

import io
import itertools
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.apps import apps
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.urls import reverse

from kpis import deal_days, progress
from kpis.importers import registry, stages
from kpis.importers.base import Context, FileProblem
from kpis.importers.tables import open_table
from kpis.models import DailyFact, Deal, DealRevision, DealStage, FactRevision, Import, UtmRule
from kpis.selectors import deals as reads
from kpis.services import import_runs, imports, meanings, utm_rules
from kpis.services.leases import LEASE
from kpis.services.sources import ensure_source
from roles.models import AuditEvent, Campaign
from roles.refusals import Refused
from tests.conftest import shown

from .test_imports import NOW, upload

HEAD = (
    "ID;Название сделки;Бюджет ;Ответственный;Дата создания сделки;Дата редактирования;Дата закрытия;Этап сделки;Воронка;"
    "Полное имя контакта;Рабочий телефон;Рабочий email;Примечание;Адрес;utm_source;utm_medium;utm_campaign;utm_source;ID контакта\n"
)
SECRETS = ("Иван", "Петров", "+7 999", "9991234567", "ivan@", "Ленина", "перезвонить", "Менеджерова")


def deal(id, stage="Первичный контакт", created="10.11.2026", closed="не закрыта", amount="1000", edited="", source="vk",
         medium="cpc", campaign="", contact="501"):  # fmt: skip
    return (
        f"{id};Сделка Иван Петров;{amount};Анна Менеджерова;{created} 10:05:00;{edited};{closed};{stage};Продажи;Иван Петров;"
        f"+7 999 123-45-67;ivan@mail.example;просил перезвонить;ул. Ленина, 1;{source};{medium};{campaign};;{contact}\n"
    )


WON = "Успешно реализовано"
FILE = HEAD + "".join([
    deal(1, campaign="autumn"), deal(2, "Переговоры", created="11.11.2026"),
    deal(3, WON, "11.11.2026", "12.11.2026", amount="25 000,50", contact="502"),
    deal(4, "Закрыто и не реализовано", "11.11.2026", "13.11.2026"), deal(5, source="yandex"),
])  # fmt: skip


def crm(made, code="amo"):
    return ensure_source(company=made.company, code=code, name="amoCRM", kind="file")


def receive(made, content, name="deals.csv", at=NOW, source=None) -> Import:
    return imports.receive_file(
        company=made.company, by=made.analyst, at=at, source=source or crm(made), upload=upload(content, name)
    )


def run(made, load, mapping=None, rate=None) -> Import:
    imports.confirm_import(
        company=made.company, by=made.analyst, at=NOW, load=load, mapping=load.mapping | (mapping or {}), rate=rate
    )
    import_runs.run_due_imports(company=made.company, at=NOW)
    load.refresh_from_db()
    return load


def load_all(made, content, **kwargs) -> Import:
    return run(made, receive(made, content), **kwargs)


def recounted(made, done):
    """What a change did, after the worker has followed it."""
    import_runs.run_due_imports(company=made.company, at=NOW)
    return done


def settled(made) -> dict:
    """The facts, after the worker has followed what was changed."""
    return recounted(made, None) or facts(made)


def undo(made, load) -> None:
    recounted(made, imports.undo_import(company=made.company, by=made.analyst, at=NOW, load=load))


def rule(made, source="vk", channel=None, **kwargs):
    done = utm_rules.save_rule(
        company=made.company, by=made.analyst, at=NOW, channel=channel or made.vk, utm_source=source, **kwargs
    )
    return recounted(made, done)


def facts(made) -> dict:
    """(channel, campaign, day) → leads, qualified, deals, revenue, new customers; rows that know nothing are left out."""
    rows = DailyFact.objects.filter(company=made.company).values_list(
        "channel__code", "campaign_id", "day", *deal_days.METRICS
    )
    return {tuple(row[:3]): row[3:] for row in rows if any(value is not None for value in row[3:])}


def day(number: int) -> date:
    return date(2026, 11, number)


# ---------------------------------------------------------------- reading
BITRIX = (
    '<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head><body><table><tr><th>ID</th>'
    "<th>Воронка</th><th>Стадия сделки</th><th>Сумма</th><th>Валюта</th><th>Компания</th><th>Дата создания</th><th>UTM Source</th>"
    "<th>UTM Medium</th></tr><tr><td>77</td><td>Общая</td><td>Сделка успешна</td><td>1&nbsp;500.00</td><td>RUB</td>"
    "<td>ООО Иван</td><td>03.11.2026 11:00:00</td><td>vk</td><td>cpc</td></tr></table></body></html>"
)
HUBSPOT = (
    "Record ID,Deal Name,Deal Stage,Close Date,Amount,Pipeline,Deal owner,Create Date,Original Source,Associated Contact IDs\n"
    "9007,Иван Петров,Closed Won,2026-11-12 09:30,$125000,Sales,Bob,2026-11-01 09:30,Paid Search,8002;8001\n"
)
SALESFORCE = (
    "Opportunity Name,Stage,Amount,Close Date,Created Date,Lead Source\n"
    'Иван Петров,Closed Won,"1,200.00",11/13/2026,11/2/2026,Web\n'
    "Grand Totals (1 records),,,,,\n"
    '"Confidential Information - Do Not Distribute",,,,,\n'
    '"Copyright (c) 2000-2026 salesforce.com, inc. All rights reserved.",,,,,\n'
)


def read(content: str | bytes):
    content = content if isinstance(content, bytes) else content.encode()
    context = Context({}, day(20))
    table = open_table(io.BytesIO(content), lambda header: registry.recognise(header, context) is not None)
    reader = registry.recognise(table.header, context)
    return reader, list(reader.read(table, context))


@pytest.mark.parametrize(
    ("content", "code", "expected"),
    [
        (HEAD + deal(1, WON, closed="12.11.2026"), "amocrm", ("1", day(10), day(12), WON, 1000, "vk")),
        ((HEAD + deal(1)).encode("cp1251"), "amocrm", ("1", day(10), None, "Первичный контакт", 1000, "vk")),
        (BITRIX, "bitrix24", ("77", day(3), None, "Сделка успешна", 1500, "vk")),
        ("ID,STAGE_ID,DATE_CREATE,OPPORTUNITY,CURRENCY_ID,UTM_SOURCE\n5,C1:WON,2026-11-03T11:00:00+03:00,10.50,RUB,vk\n",
         "bitrix24_api", ("5", day(3), None, "C1:WON", Decimal("10.5"), "vk")),
        (HUBSPOT, "hubspot", ("9007", day(1), day(12), "Closed Won", 125000, "Paid Search")),
        (SALESFORCE, "salesforce", ("Иван Петров", day(2), day(13), "Closed Won", 1200, "Web")),
    ],
)  # fmt: skip
def test_exports_are_told_by_their_content(content, code, expected):
    reader, [row] = read(content)

    assert code == reader.CODE
    assert not row.problems
    found = (
        row.external_id,
        row.created_on,
        row.closed_on,
        row.stage,
        Decimal(row.amount) / 10**6,
        row.marks["source"],
    )
    assert found == expected


def test_yookassa_is_revenue_by_days_without_its_footer():
    reader, rows = read(
        "Реестр платежей\nза 01.11.2026\nИдентификатор платежа;Сумма платежа;Валюта платежа;Сумма за вычетом комиссии и НДС;"
        "Время платежа\n2b-1;10.50;RUB;9,65;01.11.2026 10:00:00\n2b-2;4.00;RUB;3,65;01.11.2026 11:00:00\n"
        "Сумма принятых платежей: 14.50 RUB\nСумма возвращённых платежей: 0.00 RUB\n"
    )

    assert reader.CODE == "yookassa"
    assert [(row.day, row.values["revenue"]) for row in rows] == [(day(1), 10_500_000), (day(1), 4_000_000)]


def test_the_second_column_of_the_same_mark_counts_where_the_first_is_empty():
    row = HEAD + deal(1, source="").replace(";;501", ";telegram;501")

    assert read(row)[1][0].marks["source"] == "telegram"


@pytest.mark.parametrize(
    "page", ["<html><body>Войдите</body></html>", "<table><tr><td>" + "<a " * 10, "<table>" * 1000]
)
def test_a_page_without_a_table_is_no_export(page):
    with pytest.raises(FileProblem) as refused:
        read(page)
    assert refused.value.code == "page"


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (deal(1, created="21.11.2026"), "future_date"),
        (deal(1, created="31.02.2026"), "bad_date"),
        (deal(1, created="").replace(" 10:05:00", ""), "no_date"),
        (deal(1, amount="-5"), "negative_deal"),
        (deal(1, amount="NaN"), "nan"),
        (deal(1, amount="1e309"), "exponent"),
        (deal(1, amount="9" * 20), "too_large"),
        (deal(""), "no_deal_id"),
        (deal("1,2E+07"), "exponent"),
        (deal("7" * 121), "name_too_long"),
        (deal(1, stage=""), "no_stage"),
        ("1;обрыв\n", "short_row"),
    ],
)
def test_a_wrong_row_says_what_is_wrong(row, code):
    assert [problem.code for found in read(HEAD + row)[1] for problem in found.problems] == [code]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Успешно реализовано", stages.WON), ("Закрыто и не реализовано", stages.LOST), ("Closed Won", stages.WON),
        ("Closed Lost", stages.LOST), ("closedwon", ""), ("Переговоры", stages.QUALIFIED), ("Первичный контакт", stages.NEW),
        ("Неразобранное", stages.NEW), ("Qualified To Buy", stages.QUALIFIED), ("Неквалифицирован", stages.LOST),
        ("Спам", stages.JUNK), ("Договор не подписан", ""), ("Этап 5", ""), ("C1:WON", stages.WON), ("LOSE", stages.LOST),
        ("Сделка успешна", stages.WON), ("Сделка провалена", stages.LOST), ("Оплачено", stages.WON),
    ],
)  # fmt: skip
def test_a_stage_is_guessed_by_its_name_or_asked(name, kind):
    assert stages.guess_kind(name) == kind


# ---------------------------------------------------------------- nobody's name is kept
def everything_stored() -> str:
    """Every value of every row in the database, and every stored file, as one text."""
    rows = [
        json.dumps(list(model.objects.values_list()), default=str, ensure_ascii=False)
        for model in apps.get_models()
        if model._meta.managed and model._meta.app_label in {"kpis", "roles", "mops", "processes", "reports"}
    ]
    files = [
        default_storage.open(load.file.name).read().decode()
        for load in Import.objects.exclude(file="").exclude(file=None)
    ]
    return "\n".join(rows + files)


@pytest.mark.parametrize("content", [FILE, BITRIX, HUBSPOT, SALESFORCE])
def test_no_personal_string_is_anywhere_after_a_load(acme, content):
    rule(acme)
    load = receive(acme, content)
    load = run(acme, load, rate=Decimal(90) if load.currency else None)
    assert load.state == "done", load.errors
    assert Deal.objects.exists()

    stored = everything_stored()
    assert "Closed Won" in stored or "успешн" in stored.casefold()
    for secret in (*SECRETS, ";800", "Bob,", "ООО"):
        assert secret not in stored


def test_a_mark_that_holds_an_address_is_emptied(acme):
    load_all(acme, HEAD + deal(1, source="ivan@mail.example", medium="+79991234567"))

    assert Deal.objects.values_list("utm_source", "utm_medium").get() == ("", "")
    assert "ivan@" not in everything_stored()


def test_built_in_readers_keep_no_personal_column_either(acme):
    content = "date;channel;spend;телефон;ФИО\n2026-11-18;vk;100;+7 999 123;Петров Иван\n"

    load = run(acme, receive(acme, content))

    assert load.state == "done"
    assert DailyFact.objects.get().spend == 100
    for secret in SECRETS:
        assert secret not in everything_stored()


# ---------------------------------------------------------------- days
def test_deals_become_days(acme):
    rule(acme)
    load = load_all(acme, FILE)

    autumn = Campaign.objects.get(channel=acme.vk, external_id="autumn")
    assert load.state == "done", load.errors
    assert facts(acme) == {
        ("vk", autumn.pk, day(10)): (1, 0, 0, 0, 0),
        ("vk", 0, day(11)): (3, 2, 0, 0, 0),
        ("vk", 0, day(12)): (0, 0, 1, Decimal("25000.5"), 1),
    }
    assert (load.first_day, load.last_day) == (day(10), day(13))
    found = reads.unmatched(company=acme.company)
    assert [(row.utm_source, row.deals, row.won) for row in found.rows] == [("yandex", 1, 0)]


def test_loading_twice_changes_nothing(acme):
    rule(acme)
    load_all(acme, FILE)
    before = facts(acme), DealRevision.objects.count(), FactRevision.objects.count()

    again = load_all(acme, FILE)

    assert (again.created, again.changed, again.unchanged) == (0, 0, 3)
    assert (facts(acme), DealRevision.objects.count(), FactRevision.objects.count()) == before


def test_a_deal_that_changes_its_stage_moves_and_both_days_are_revised(acme):
    rule(acme)
    load_all(acme, HEAD + deal(1) + deal(2, WON, "10.11.2026", "12.11.2026"))

    load = load_all(acme, HEAD + deal(1, WON, closed="15.11.2026") + deal(2, "Отказ", "10.11.2026", "12.11.2026"))

    counts = reads.of_load(load)
    assert (counts.fresh, counts.changed, counts.moved) == (0, 2, 1)
    assert [(move.before_day, move.day, move.before_stage, move.stage) for move in counts.moves] == [
        (day(10), day(15), "Первичный контакт", WON)
    ]
    assert facts(acme) == {("vk", 0, day(10)): (2, 2, 0, 0, 0), ("vk", 0, day(15)): (0, 0, 1, 1000, 1)}
    revised = FactRevision.objects.filter(load=load).values_list("day", "deals")
    assert dict(revised) == {day(10): 0, day(12): 1, day(15): None}
    assert DailyFact.objects.get(day=day(12)).deals is None


def test_an_older_state_never_covers_a_newer_one(acme):
    rule(acme)
    newer = HEAD + deal(1, "Отказ", closed="15.11.2026", edited="15.11.2026 09:00:00")
    older = HEAD + deal(1, "Переговоры", edited="11.11.2026 09:00:00")
    found = []
    for files in itertools.permutations((newer, older, newer)):
        DealRevision.objects.all().delete()
        Deal.objects.all().delete()
        DailyFact.objects.all().delete()
        for content in files:
            load_all(acme, content)
        found.append((Deal.objects.values_list("stage", "qualified", "day").get(), facts(acme)))

    assert found == [(("Отказ", True, day(15)), {("vk", 0, day(10)): (1, 1, 0, 0, 0)})] * 6


def test_figures_do_not_depend_on_the_order_of_rows_or_of_rules_and_loads(acme, rival):
    rows = [
        deal(n, [WON, "Переговоры", "Отказ"][n % 3], "10.11.2026", f"{11 + n % 3}.11.2026", contact=n % 2)
        for n in range(9)
    ]
    rule(acme)
    load_all(acme, HEAD + "".join(rows))
    load_all(rival, HEAD + "".join(rows[::-1][:5]))
    load_all(rival, HEAD + "".join(rows))
    rule(rival)

    assert facts(acme) == facts(rival)


def test_a_customer_is_new_once_and_unknown_where_nothing_tells(acme):
    rule(acme)
    load_all(
        acme,
        HEAD
        + deal(1, WON, closed="11.11.2026")
        + deal(2, WON, closed="12.11.2026")
        + deal(3, WON, closed="13.11.2026", contact=""),
    )

    by_day = {key[2]: values[4] for key, values in facts(acme).items() if values[2]}
    assert by_day == {day(11): 1, day(12): 0, day(13): None}


def test_an_unknown_amount_makes_revenue_unknown_not_zero(acme):
    rule(acme)
    load_all(acme, HEAD + deal(1, WON, closed="11.11.2026") + deal(2, WON, closed="11.11.2026", amount=""))

    assert facts(acme)[("vk", 0, day(11))][2:4] == (2, None)


def test_money_of_another_currency_needs_a_rate(acme):
    rule(acme, "Paid Search")
    load = receive(acme, HUBSPOT)
    assert load.currency == "USD"
    with pytest.raises(imports.RateNeeded):
        run(acme, load)

    run(acme, load, rate=Decimal("80.5"))

    assert facts(acme)[("vk", 0, day(12))][3] == Decimal("10062500")


def test_days_without_a_deal_are_zeros_only_where_that_was_said(acme):
    rule(acme)
    load_all(acme, HEAD + deal(1) + deal(2, created="13.11.2026"))
    assert set(facts(acme)) == {("vk", 0, day(10)), ("vk", 0, day(13))}

    done = utm_rules.set_stages(
        company=acme.company, by=acme.analyst, at=NOW, source=crm(acme), kinds={}, counts_every_deal=True
    )

    assert done.sources == 1
    assert settled(acme)[("vk", 0, day(12))] == (0, 0, 0, 0, 0)
    utm_rules.set_stages(
        company=acme.company, by=acme.analyst, at=NOW, source=crm(acme), kinds={}, counts_every_deal=False
    )
    assert set(settled(acme)) == {("vk", 0, day(10)), ("vk", 0, day(13))}


# ---------------------------------------------------------------- hostile
def test_one_deal_told_twice_differently_loads_nothing(acme):
    load = load_all(acme, HEAD + deal(1) + deal(2) + deal(1, amount="7"))

    assert (load.state, load.errors[0]["code"], load.errors[0]["row"], load.errors[0]["value"]) == (
        "failed",
        "deal_twice",
        4,
        "2",
    )
    assert not Deal.objects.exists()
    assert not DealStage.objects.exists()


def test_equal_rows_of_one_deal_count_once(acme):
    rule(acme)
    load_all(acme, HEAD + deal(1) * 3)

    assert facts(acme) == {("vk", 0, day(10)): (1, 0, 0, 0, 0)}


def test_a_deal_won_in_the_future_loads_nothing(acme):
    load = load_all(acme, HEAD + deal(1) + deal(2, WON, closed="25.12.2026"))

    assert (load.state, [error["code"] for error in load.errors]) == ("failed", ["won_in_future"])
    assert not Deal.objects.exists()


def test_a_stage_nobody_knows_has_to_be_told_and_is_remembered(acme):
    rule(acme)
    load = receive(acme, HEAD + deal(1, "Этап 5"))
    assert load.mapping == {"Этап 5": ""}
    with pytest.raises(meanings.ChannelsNotChosen) as refused:
        run(acme, load)
    assert refused.value.errors[0].code == "stage_not_chosen"

    run(acme, load, {"Этап 5": "qualified"})

    assert facts(acme) == {("vk", 0, day(10)): (1, 1, 0, 0, 0)}
    assert receive(acme, HEAD + deal(2, "Этап 5")).mapping == {"Этап 5": "qualified"}


def test_a_mark_that_only_looks_like_ours_fits_no_rule_and_says_so(acme):
    rule(acme)
    load_all(acme, HEAD + deal(1, source="vк") + deal(2, source="VK"))

    [row] = reads.unmatched(company=acme.company).rows
    assert (row.utm_source, row.deals, row.looks_like) == ("vк", 1, "vk")


def test_a_currency_of_its_own_in_one_row_is_refused(acme):
    rows = BITRIX.replace("</table>", BITRIX[BITRIX.index("<tr><td>") : BITRIX.index("</table>")].replace("77", "78") * 40
                          + "<tr><td>79</td><td></td><td>Сделка успешна</td><td>5</td><td>USD</td><td></td><td>03.11.2026</td>"
                            "<td></td><td></td></tr></table>")  # fmt: skip
    load = load_all(acme, rows)

    assert [error["code"] for error in load.errors] == ["another_currency"]


def test_amounts_that_add_up_to_more_than_can_be_true_load_nothing(acme):
    rule(acme)
    load = load_all(acme, HEAD + "".join(deal(n, WON, closed="11.11.2026", amount="9000000000000") for n in range(3)))

    assert (load.state, load.errors[0]["code"]) == ("failed", "sum_too_large")
    assert not Deal.objects.exists()


# ---------------------------------------------------------------- rules
def test_rules_are_tried_in_their_order(acme):
    rule(acme, "v*", acme.blog, priority=200)
    rule(acme, "vk", acme.vk, priority=10, utm_medium="cpc", campaigns="none")
    load_all(acme, HEAD + deal(1, campaign="a") + deal(2, medium="post"))

    assert set(facts(acme)) == {("vk", 0, day(10)), ("blog", 0, day(10))}


@pytest.mark.parametrize(
    ("pattern", "mark", "fits"),
    [("", "x", True), ("-", "", True), ("-", "x", False), ("vk*", "VK_ads", True), ("v?", "vk", True), ("vk", "vk2", False),
     ("a.c", "abc", False), ("[ab]", "a", False), ("*(1)*", "x (1) y", True)],
)  # fmt: skip
def test_a_pattern_is_plain_text_with_stars(pattern, mark, fits):
    assert deal_days.fits(pattern, mark) is fits


def test_a_rule_made_later_recounts_with_revisions(acme):
    load_all(acme, FILE)
    assert facts(acme) == {}

    made = rule(acme, "yandex")

    assert made.sources == 1
    assert facts(acme) == {("vk", 0, day(10)): (1, 0, 0, 0, 0)}
    recount = Import.objects.get(profile="deals")
    assert (recount.created, recount.created_by) == (1, acme.analyst)
    assert AuditEvent.objects.filter(verb="create_utm_rule").exists()
    with pytest.raises(imports.CannotUndo):
        undo(acme, recount)

    utm_rules.delete_rule(company=acme.company, by=acme.analyst, at=NOW, rule=made.row)
    assert settled(acme) == {}
    assert Deal.objects.filter(channel=None).count() == 5


def test_the_same_rule_again_recounts_nothing(acme):
    made = rule(acme).row
    load_all(acme, FILE)
    before = Import.objects.count(), AuditEvent.objects.count()

    rule(acme, rule=made)

    assert (Import.objects.count(), AuditEvent.objects.count()) == before


def test_a_campaign_is_found_by_its_id_or_name_and_made_once(acme):
    known = Campaign.objects.create(company=acme.company, channel=acme.vk, external_id="77", name="Осень")
    rule(acme)
    load_all(
        acme,
        HEAD + deal(1, campaign="осень") + deal(2, campaign="77") + deal(3, campaign="New") + deal(4, campaign="new"),
    )

    assert facts(acme)[("vk", known.pk, day(10))][0] == 2
    fresh = Campaign.objects.exclude(pk=known.pk).get()
    assert facts(acme)[("vk", fresh.pk, day(10))][0] == 2


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"source": ""}, "utm_source"), ({"source": "*"}, "utm_source"), ({"campaigns": "one"}, "campaign")],
)
def test_a_rule_that_makes_no_sense_is_refused(acme, fields, field):
    with pytest.raises(Refused) as refused:
        rule(acme, **fields)

    assert [error.field for error in refused.value.errors] == [field]


def test_a_rule_stands_once(acme):
    rule(acme)
    with pytest.raises(utm_rules.RuleExists):
        rule(acme, channel=acme.blog)


def test_facts_of_other_loads_of_the_source_are_left_alone(acme):
    run(acme, receive(acme, "date;channel;leads\n2026-11-01;vk;9\n"))
    rule(acme)
    load_all(acme, FILE)

    assert facts(acme)[("vk", 0, day(1))][0] == 9


# ---------------------------------------------------------------- undo
def test_undo_gives_back_what_was_known(acme):
    rule(acme)
    first = load_all(acme, FILE)
    before, known = facts(acme), set(Deal.objects.values_list("external_id", "stage", "day", "load_id"))
    second = load_all(acme, HEAD + deal(1, WON, closed="15.11.2026", campaign="autumn") + deal(9))

    undo(acme, second)

    assert facts(acme) == before
    assert set(Deal.objects.values_list("external_id", "stage", "day", "load_id")) == known
    undo(acme, first)
    assert facts(acme) == {}
    assert not Deal.objects.exists()


def test_undoing_an_earlier_load_keeps_what_a_later_one_said(acme):
    rule(acme)
    first = load_all(acme, HEAD + deal(1) + deal(2))
    load_all(acme, HEAD + deal(2, WON, closed="12.11.2026") + deal(3))

    undo(acme, first)

    assert set(Deal.objects.values_list("external_id", flat=True)) == {"2", "3"}
    assert facts(acme) == {("vk", 0, day(10)): (2, 1, 0, 0, 0), ("vk", 0, day(12)): (0, 0, 1, 1000, 1)}


# ---------------------------------------------------------------- tenancy
def test_deals_of_two_companies_never_meet(acme, rival):
    rule(acme)
    load_all(acme, FILE)
    load_all(rival, FILE)

    assert facts(rival) == {}
    assert Deal.objects.filter(company=rival.company, channel=None).count() == 5
    with pytest.raises(IntegrityError), transaction.atomic():
        UtmRule.objects.create(company=rival.company, utm_source="x", channel=acme.vk, created_at=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        Deal.objects.filter(company=rival.company).update(channel=acme.vk)


# ---------------------------------------------------------------- screens
def page(browser, name, *args):
    answer = browser.get(reverse(f"kpis:{name}", args=["acme", *args]))
    assert answer.status_code == 200
    return shown(answer.content.decode())


def test_the_wizard_asks_for_stages_and_shows_what_will_be_kept(acme, sign_in):
    rule(acme)
    load = receive(acme, FILE + deal(6, "Этап 5"))
    browser = sign_in(acme.analyst)

    text = page(browser, "import-detail", load.pk)

    assert "Этап 5" in text
    assert "Иван" not in text
    assert "25 000,50 ₽" in text.replace("\u00a0", " ")
    answer = browser.post(
        reverse("kpis:import-confirm", args=["acme", load.pk]),
        {f"channel-{n}": kind for n, kind in enumerate(["lost", "new", "qualified", "won", "new"])} | {"act": "load"},
    )
    assert answer.status_code == 302
    import_runs.run_due_imports(company=acme.company, at=NOW)
    assert Deal.objects.count() == 6


def test_what_no_rule_fits_is_fixed_on_its_page(acme, sign_in):
    load_all(acme, FILE)
    browser = sign_in(acme.analyst)
    text = page(browser, "utm-rule-list")
    assert "yandex" in text

    answer = browser.post(
        reverse("kpis:utm-rule-create", args=["acme"]),
        {"utm_source": "vk", "utm_medium": "cpc", "channel": acme.vk.pk, "campaigns": "mark", "priority": "100"},
        follow=True,
    )

    assert answer.status_code == 200
    assert "сделки пересчитываются" in answer.content.decode()
    assert len(settled(acme)) == 3
    assert "сделки пересчитываются" not in page(browser, "utm-rule-list")
    assert UtmRule.objects.get().utm_medium == "cpc"


def test_sums_are_for_those_who_see_the_companys_money(acme, sign_in):
    load_all(acme, FILE)

    assert "25 000" in page(sign_in(acme.cmo), "utm-rule-list").replace("25\u00a0001", "25 000")
    for person in (acme.performance, acme.content):
        text = page(sign_in(person), "utm-rule-list")
        assert "yandex" in text
        assert "25\u00a0001" not in text


def test_the_page_of_a_load_lists_the_deals_that_moved(acme, sign_in):
    rule(acme)
    load_all(acme, HEAD + deal(1))
    load = load_all(acme, HEAD + deal(1, WON, closed="15.11.2026"))

    text = page(sign_in(acme.cmo), "import-detail", load.pk)

    assert "10.11.2026" in text
    assert "15.11.2026" in text


def test_stages_are_changed_on_their_page(acme, sign_in):
    rule(acme)
    load_all(acme, HEAD + deal(1))
    browser = sign_in(acme.analyst)
    assert "Первичный контакт" in (page(browser, "source-stages", "amo"))

    browser.post(reverse("kpis:source-stages", args=["acme", "amo"]), {"stage-0": "qualified"})

    assert settled(acme) == {("vk", 0, day(10)): (1, 1, 0, 0, 0)}
    wrong = browser.post(reverse("kpis:source-stages", args=["acme", "amo"]), {"stage-0": "nonsense"})
    assert wrong.status_code == Refused.status


def test_a_rule_is_edited_and_removed_on_its_page(acme, sign_in):
    made = rule(acme).row
    load_all(acme, FILE)
    browser = sign_in(acme.analyst)
    assert "vk" in page(browser, "utm-rule-update", made.pk)

    browser.post(
        reverse("kpis:utm-rule-update", args=["acme", made.pk]),
        {"utm_source": "yandex", "channel": acme.blog.pk, "campaigns": "none", "priority": "5"},
    )
    assert set(settled(acme)) == {("blog", 0, day(10))}
    browser.post(reverse("kpis:utm-rule-delete", args=["acme", made.pk]))
    assert settled(acme) == {}


def test_folder_and_api_read_deals_by_the_same_memory(acme, tmp_path):
    import os

    from kpis.services import folders

    rule(acme)
    load_all(acme, HEAD + deal(1))
    path = tmp_path / "amo" / "night.csv"
    path.parent.mkdir()
    path.write_text(HEAD + deal(1) + deal(2))
    os.utime(path, (0, 0))

    [outcome] = folders.load_folder(
        company=acme.company, by=acme.analyst, at=datetime(2026, 11, 20, 10, tzinfo=UTC), folder=tmp_path
    )

    assert outcome.state == "loaded", outcome.message
    assert facts(acme) == {("vk", 0, day(10)): (2, 0, 0, 0, 0)}


def test_rules_are_kept_by_api(acme):
    from django.test import Client

    from roles import tokens

    load_all(acme, FILE)
    key = tokens.create_token(
        company=acme.company, person=acme.analyst, by=acme.analyst, name="t", scopes=["read", "facts:write"], at=NOW
    )[1]

    def call(method, path, body=None):
        return getattr(Client(), method)(
            f"/api/v1/c/acme/utm-rules/{path}", data=body, content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        )  # fmt: skip

    found = call("get", "unmatched/")
    assert found.status_code == 200, found.content
    assert {row["utm_source"] for row in found.json()} == {"vk", "yandex"}
    made = call("post", "", {"utm_source": "yandex", "channel": "vk"})
    assert (made.status_code, made.json()["campaigns"], made.json()["campaign"]) == (201, "mark", None)
    assert settled(acme) == {("vk", 0, day(10)): (1, 0, 0, 0, 0)}
    changed = call("patch", f"{made.json()['id']}/", {"channel": "blog"})
    assert (changed.status_code, changed.json()["channel"]) == (200, "blog")
    assert set(settled(acme)) == {("blog", 0, day(10))}
    assert call("post", "", {"utm_source": "x", "channel": "nobody"}).json()["errors"][0]["field"] == "channel"
    assert call("post", "", {"utm_source": "yandex", "channel": "vk"}).status_code == 409
    assert call("get", "").json()["results"][0]["id"] == made.json()["id"]
    assert call("delete", f"{made.json()['id']}/").status_code == 204
    assert settled(acme) == {}


@pytest.mark.parametrize("point", ["import.after_copy", "import.before_commit"])
def test_a_load_that_breaks_off_writes_nothing_and_is_done_by_the_next_worker(acme, monkeypatch, point):
    rule(acme)
    load = receive(acme, FILE)
    imports.confirm_import(company=acme.company, by=acme.analyst, at=NOW, load=load, mapping=load.mapping)

    def break_off(name):
        if name == point:
            raise RuntimeError(name)

    monkeypatch.setattr(import_runs, "failpoint", break_off)
    import_runs.run_due_imports(company=acme.company, at=NOW)
    assert not Deal.objects.exists()
    assert not DealStage.objects.exists()
    assert facts(acme) == {}

    monkeypatch.undo()
    import_runs.run_due_imports(company=acme.company, at=NOW + LEASE * 2)
    assert Deal.objects.count() == 5
    assert len(facts(acme)) == 3


def test_a_load_says_how_far_it_is_written_while_its_transaction_is_open(acme, sign_in, monkeypatch):
    monkeypatch.setattr(progress, "TOLD_EVERY", 0)
    load = receive(acme, FILE)
    imports.confirm_import(company=acme.company, by=acme.analyst, at=NOW, load=load, mapping=load.mapping)
    browser, seen = sign_in(acme.analyst), []

    def look(name):
        if name == "import.before_commit":
            seen.append(browser.get(f"/c/acme/imports/{load.pk}/").content.decode())
            seen.extend(
                browser.get(f"/api/v1/c/acme/imports/{path}").json() for path in (f"{load.pk}/", "")
            )  # fmt: skip

    monkeypatch.setattr(import_runs, "failpoint", look)
    import_runs.run_due_imports(company=acme.company, at=NOW)

    page, one, many = seen
    assert "все строки верны; записано строк: 5" in page.replace("\xa0", " ")
    assert (one["rows_written"], one["written_share"]) == (5, 99)
    assert many["results"][0]["rows_written"] == 5
    after = browser.get(f"/api/v1/c/acme/imports/{load.pk}/").json()
    assert (after["state"], after["rows_written"], after["written_share"]) == ("done", None, None)


def test_a_tag_that_never_ends_is_refused_at_once():
    with pytest.raises(FileProblem) as refused:
        read("<table><tr><td>1</td><td>2</td></tr><a " + "b " * 4_000_000)

    assert refused.value.code in {"page", "no_known_columns"}


# ---------------------------------------------------------------- recounts
def test_one_recount_follows_several_changes_and_reads_the_newest(acme):
    load_all(acme, HEAD + deal(1))
    acting = {"company": acme.company, "by": acme.analyst, "at": NOW}
    made = utm_rules.save_rule(**acting, channel=acme.vk, utm_source="vk").row
    utm_rules.save_rule(**acting, rule=made, channel=acme.blog, utm_source="vk")

    assert Import.objects.filter(profile="deals", state="queued").count() == 1
    assert set(settled(acme)) == {("blog", 0, day(10))}


def test_a_change_during_a_recount_asks_for_another_one(acme, monkeypatch):
    load_all(acme, HEAD + deal(1))
    made = utm_rules.save_rule(company=acme.company, by=acme.analyst, at=NOW, channel=acme.vk, utm_source="vk").row

    def change(name):
        if name == "recount.batch":
            monkeypatch.undo()
            utm_rules.save_rule(
                company=acme.company, by=acme.analyst, at=NOW, rule=made, channel=acme.blog, utm_source="vk"
            )

    monkeypatch.setattr(import_runs, "failpoint", change)
    import_runs.run_due_imports(company=acme.company, at=NOW)

    assert set(settled(acme)) == {("blog", 0, day(10))}


def test_a_rule_made_while_the_first_load_waits_is_followed(acme):
    load = receive(acme, HEAD + deal(1))
    imports.confirm_import(company=acme.company, by=acme.analyst, at=NOW, load=load, mapping=load.mapping)

    assert rule(acme).sources == 1
    assert settled(acme) == {("vk", 0, day(10)): (1, 0, 0, 0, 0)}


def test_a_stage_that_means_something_else_now_changes_the_deals_of_earlier_loads_too(acme):
    rule(acme)
    load_all(acme, HEAD + deal(1) + deal(2))
    load_all(acme, HEAD + deal(2, created="11.11.2026"), mapping={"Первичный контакт": "qualified"})

    assert settled(acme) == {("vk", 0, day(10)): (1, 1, 0, 0, 0), ("vk", 0, day(11)): (1, 1, 0, 0, 0)}


def test_wrong_deals_can_be_downloaded_with_reasons(acme, sign_in):
    load = receive(
        acme, HEAD + deal(1) + deal(1, amount="7") + deal(3, WON, closed="25.12.2026") + deal(4, created="31.02.2026")
    )

    answer = sign_in(acme.analyst).get(reverse("kpis:import-wrong-rows", args=["acme", load.pk]))
    lines = answer.content.decode("utf-8-sig").splitlines()

    assert [line.split(";")[0] for line in lines[1:]] == ["3", "4", "5"]
    assert "25.12.2026" in lines[2]
    assert "Петров" not in answer.content.decode()


def test_a_load_and_a_recount_hold_a_batch_of_deals_not_all(acme, monkeypatch):
    """However many deals there are: no query brings more of them than a batch."""
    from kpis.services import deal_facts, deals

    for module in (deals, deal_facts):
        monkeypatch.setattr(module, "BATCH", 10)
    held = []
    settle = deal_facts.settle
    monkeypatch.setattr(deal_facts, "settle", lambda *args: held.append(len(args[2])) or settle(*args))

    load_all(acme, HEAD + "".join(deal(n) for n in range(95)))
    rule(acme)

    assert settled(acme) == {("vk", 0, day(10)): (95, 0, 0, 0, 0)}
    assert max(held) == 10
    assert sum(held) == 190


def test_recounts_stand_in_one_line_of_the_list_of_loads(acme, rival, sign_in):
    load_all(acme, HEAD + deal(1))
    load_all(rival, HEAD + deal(1))
    other = crm(acme, "bitrix")
    run(acme, receive(acme, HEAD + deal(2), source=other))
    made = {}
    for owner in (acme, rival):
        for channel in (owner.vk, owner.blog, owner.vk):
            made[owner.company.slug] = utm_rules.save_rule(
                company=owner.company, by=owner.analyst, at=NOW, channel=channel, utm_source="vk",
                rule=made.get(owner.company.slug),
            ).row  # fmt: skip
            settled(owner)
    browser = sign_in(acme.analyst)

    page = browser.get("/c/acme/imports/")
    opened = browser.get("/c/acme/imports/", {"recounts": "amo"})

    listed = [(load.profile, load.source.code) for load in page.context["page"].object_list]
    newest = Import.objects.filter(company=acme.company, profile="deals").values_list("source__code", "pk")
    assert listed == [("deals", "bitrix"), ("deals", "amo"), ("amocrm", "bitrix"), ("amocrm", "amo")]
    assert "и ещё 2 до него" in shown(page.content.decode())
    assert [load.pk for load in opened.context["page"].object_list] == [pk for code, pk in newest if code == "amo"]
    assert len(opened.context["page"].object_list) == 3
    assert "Пересчёты сделок: amoCRM" in opened.content.decode()
    assert browser.get("/c/acme/imports/", {"recounts": "nope\0"}).status_code == 404
