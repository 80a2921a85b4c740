"""The pages of the week, without JavaScript: what people see, what they send, what comes back when it is wrong."""

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.urls import reverse

from processes.models import Action
from reports.forms.weekly import FigureField
from reports.models import ReportAction, WeekSummary
from roles.models import AuditEvent, Channel


def url(desk, name, *args):
    return reverse(f"reports:{name}", args=[desk.company.slug, *args])


def at(desk, *moment):
    return time_machine.travel(desk.local(*moment), tick=False)


@pytest.fixture
def friday(desk):
    """Friday 15:00: opened on Thursday, four days of figures."""
    desk.run("before_thu", 12)
    desk.run("fri", 12)
    desk.facts(desk.made.vk, days=4, spend=1250, leads=9, qualified_leads=5)
    with at(desk, "fri", 15):
        yield desk


def page(desk, browser, report=None, **query):
    return browser.get(url(desk, "weekly-report-detail", (report or desk.report()).pk), query)


def words(desk, **more):
    """A whole fact as the form sends it."""
    return {
        "part": "fact", "intent": "submit", "version": desk.report().version, "tab": "t1", "rows": "2", "cause": "market",
        "conclusion": "Аудитория выгорела", "action-0-text": "Новая аудитория",
        "action-0-owner": desk.made.performance.pk, "action-0-due": "2026-11-27", "action-1-text": "",
        "action-1-owner": desk.made.performance.pk, "action-1-due": "",
    } | more  # fmt: skip


def file(desk, browser, **more):
    return browser.post(url(desk, "weekly-report-submit-fact", desk.report().pk), words(desk, **more))


# ---------------------------------------------------------------- the fact


def test_fact_page_shows_plan_to_date_fact_and_deviation(friday, sign_in):
    html = page(friday, sign_in(friday.made.performance)).content.decode()
    text = re.sub(r"<[^>]+>|\s+", " ", html.replace("\xa0", " "))

    assert "VK Реклама: факт недели" in text
    assert "5 000 ₽" in text
    assert "4 000 ₽" in text
    assert "+25 %" in text
    assert "Осталось 3 ч" in text
    assert "за 16–19.11; план посчитан на ту же дату" in text
    assert "Мимо плана или под стоп-правилом: Расход, CPA" in text


def test_fact_is_filed_and_the_page_then_only_shows(friday, sign_in):
    browser = sign_in(friday.made.performance)
    response = file(friday, browser)

    assert response.status_code == 302
    report = friday.report()
    assert (report.state, report.timeliness, report.conclusion) == ("submitted", "on_time", "Аудитория выгорела")
    assert [(a.text, a.owner, a.due_on) for a in Action.objects.all()] == [
        ("Новая аудитория", friday.made.performance, date(2026, 11, 27))
    ]
    html = browser.get(response.url).content.decode()
    assert "Факт сдан." in html
    assert 'name="conclusion"' not in html
    assert "Аудитория выгорела" in html


def test_errors_stand_at_their_fields_and_values_are_kept(friday, sign_in):
    response = file(
        friday, sign_in(friday.made.performance),
        **{"cause": "", "action-0-due": "", "action-1-text": "Вторая", "action-1-due": "2026-11-01"},
    )  # fmt: skip
    html = response.content.decode()

    assert response.status_code == 400
    assert 'id="errors"' in html
    assert 'id="id_action-0-due-error">Укажите дату: без неё не придёт напоминание.' in html
    assert 'id="id_action-1-due-error">Эта дата прошла' in html
    assert "Выберите причину." in html
    assert "Аудитория выгорела" in html
    assert "Вторая" in html
    assert friday.report().state == "empty"
    assert friday.report().conclusion == ""


def test_draft_without_javascript_and_one_more_row(friday, sign_in):
    browser = sign_in(friday.made.performance)
    response = browser.post(
        url(friday, "weekly-report-save", friday.report().pk), words(friday, **{"add": "1", "action-0-due": ""})
    )

    assert response.status_code == 302
    assert "rows=3#actions" in response.url
    assert friday.report().state == "draft"
    html = browser.get(response.url).content.decode()
    assert html.count('class="task"') == 3
    assert "Новая аудитория" in html
    assert "Черновик сохранён в 15:00" in html


def test_htmx_autosave_answers_with_the_time_and_the_next_version(friday, sign_in):
    browser = sign_in(friday.made.performance)
    save = url(friday, "weekly-report-save", friday.report().pk)
    response = browser.post(save, words(friday, conclusion="Раз"), headers={"HX-Request": "true"})

    assert response.status_code == 200
    assert "Черновик сохранён в 15:00" in response.content.decode()
    assert 'value="2"' in response.content.decode()
    assert "<html" not in response.content.decode()

    stale = browser.post(save, words(friday, conclusion="Два", version=1, tab="t2"), headers={"HX-Request": "true"})
    assert "изменили в другом окне" in stale.content.decode()
    assert friday.report().conclusion == "Раз"


def test_two_windows_warn_and_keep_the_text(friday, sign_in):
    browser = sign_in(friday.made.performance)
    browser.post(url(friday, "weekly-report-save", friday.report().pk), words(friday))

    response = file(friday, browser, version=1, tab="t2", conclusion="Из второго окна")

    assert response.status_code == 412
    assert "изменили в другом окне" in response.content.decode()
    assert "Из второго окна" in response.content.decode()
    assert friday.report().state == "draft"


def test_late_page_says_by_how_much_and_asks_for_the_reason(friday, sign_in):
    friday.run("fri", 18)
    with at(friday, "fri", 20, 14):
        browser = sign_in(friday.made.performance)
        html = page(friday, browser).content.decode().replace("\xa0", " ")
        assert "Отчёт опаздывает на 2 ч 14 мин" in html
        assert "Почему позже срока" in html

        response = file(friday, browser)
        assert response.status_code == 400
        assert "Выберите, почему сдаёте позже срока." in response.content.decode()

        assert file(friday, browser, late_reason="no_time").status_code == 302
    assert (friday.report().timeliness, friday.report().late_reason) == ("late", "no_time")


def test_late_page_names_everything_missing_at_once(friday, sign_in):
    friday.run("fri", 18)
    with at(friday, "fri", 20):
        response = file(friday, sign_in(friday.made.performance), conclusion="")

    html = response.content.decode()
    assert response.status_code == 400
    assert "Выберите, почему сдаёте позже срока." in html
    assert "Напишите, почему так вышло" in html
    assert friday.report().state == "empty"


def test_typed_figures_and_items(friday, sign_in):
    report = friday.report()
    item = report.plan_items.create(company=friday.company, text="Новые объявления", expected=Decimal(6))
    assert file(
        friday, sign_in(friday.made.performance), **{"typed-deals": "1,5", f"actual-{item.pk}": "4"}
    ).status_code == 302  # fmt: skip

    assert report.plan_lines.get(measure="deals").typed_fact == Decimal("1.5")
    assert friday.report().plan_items.get().actual == 4


def test_a_figure_that_is_no_number_says_so(friday, sign_in):
    response = file(friday, sign_in(friday.made.performance), **{"typed-deals": "много"})

    assert response.status_code == 400
    assert "Напишите число" in response.content.decode()


@pytest.mark.parametrize(
    ("unit", "text", "value"),
    [
        ("money", "217 000", 217000), ("money", "1 234,5 ₽", Decimal("1234.5")), ("share", "0,8 %", Decimal("0.008")),
        ("count", "−3", -3), ("count", "", None), ("count", "NaN", "error"), ("count", "1e400", "error"),
        ("count", "inf", "error"),
    ],
)  # fmt: skip
def test_figures_as_people_type_them(unit, text, value):
    from django.core.exceptions import ValidationError

    field = FigureField(unit=unit)
    if value == "error":
        with pytest.raises(ValidationError):
            field.clean(text)
    else:
        assert field.clean(text) == value


def test_promises_of_last_week_have_to_be_marked(friday, sign_in):
    before = friday.report(week=friday.monday - timedelta(weeks=1))
    action = Action.objects.create(
        company=friday.company, text="Отключить площадки", owner=friday.made.performance, due_on=date(2026, 11, 18),
        channel=friday.made.vk, created_at=friday.local("mon", 9),
    )  # fmt: skip
    ReportAction.objects.create(company=friday.company, report=before, action=action)
    browser = sign_in(friday.made.performance)
    html = page(friday, browser).content.decode()
    assert "Отключить площадки" in html
    assert "просрочено" in html

    response = file(friday, browser)
    assert response.status_code == 400
    assert "Отметьте, что с этим стало" in response.content.decode()

    assert file(friday, browser, **{f"promise-{action.pk}": "done"}).status_code == 302
    action.refresh_from_db()
    assert (action.state, action.closed_by) == ("done", friday.made.performance)


# ---------------------------------------------------------------- the plan


def test_plan_page_is_prefilled_and_filed(desk, sign_in):
    desk.run("before_thu", 12)
    with at(desk, "mon", 10, 47):
        browser = sign_in(desk.made.performance)
        html = page(desk, browser).content.decode()
        assert 'name="plan-spend" value="7000"' in html
        assert "Осталось 1\xa0ч 13\xa0мин" in html
        sent = {"part": "plan", "intent": "submit", "version": 1, "tab": "t", "plan-leads": "80", "plan-spend": "7 000",
                "item-0-text": "Объявления", "item-0-expected": "6", "item-0-clause": "п. 2.1"}  # fmt: skip
        response = browser.post(url(desk, "weekly-report-submit-plan", desk.report().pk), sent)
        assert response.status_code == 302

    report = desk.report()
    assert (report.plan_timeliness, report.plan_lines.get(measure="leads").value) == ("on_time", 80)
    assert report.plan_items.get().text == "Объявления"


def test_item_without_a_number_is_refused_at_its_field(desk, sign_in):
    desk.run("before_thu", 12)
    with at(desk, "mon", 10):
        sent = {"part": "plan", "version": 1, "plan-leads": "80", "item-1-text": "Без числа"}
        response = sign_in(desk.made.performance).post(url(desk, "weekly-report-submit-plan", desk.report().pk), sent)

    assert response.status_code == 400
    assert 'id="id_item-1-expected-error">Укажите ожидаемое число' in response.content.decode()


def test_filed_plan_is_amended_after_the_deadline(desk, sign_in):
    desk.run("before_thu", 12)
    with at(desk, "mon", 10):
        browser = sign_in(desk.made.performance)
        browser.post(url(desk, "weekly-report-submit-plan", desk.report().pk), {"part": "plan", "plan-leads": "70"})
    with at(desk, "tue", 10):
        browser = sign_in(desk.made.performance)
        html = page(desk, browser).content.decode()
        assert "План заморожен" in html
        assert "item-0-text" not in html
        same = {"plan-leads": "70", "version": desk.report().version}
        response = browser.post(url(desk, "weekly-report-submit-plan", desk.report().pk), same)
        assert response.status_code == 400
        assert "Ничего не изменилось" in response.content.decode()
        change = {"plan-leads": "60", "version": desk.report().version}
        response = browser.post(url(desk, "weekly-report-submit-plan", desk.report().pk), change)
        assert response.status_code == 400
        response = browser.post(
            url(desk, "weekly-report-submit-plan", desk.report().pk), change | {"reason": "Кабинет закрыт"}
        )
        assert response.status_code == 302

    line = desk.report().plan_lines.get(measure="leads")
    assert (line.value, line.amended, line.amend_reason) == (70, 60, "Кабинет закрыт")


def test_every_step_of_an_amended_plan_stays_on_the_page(desk, sign_in):
    desk.run("before_thu", 12)
    send = url(desk, "weekly-report-submit-plan", desk.report().pk)
    with at(desk, "mon", 10):
        sign_in(desk.made.performance).post(send, {"part": "plan", "plan-leads": "70"})
        assert "Как меняли план" not in page(desk, sign_in(desk.made.performance), part="plan").content.decode()
    for hour, leads, reason in ((10, "60", "Кабинет закрыт"), (15, "70", "Кабинет открыли")):
        with at(desk, "tue", hour):
            browser = sign_in(desk.made.performance)
            version = desk.report().version
            assert browser.post(send, {"plan-leads": leads, "reason": reason, "version": version}).status_code == 302
    with at(desk, "wed", 10):
        told = page(desk, sign_in(desk.made.performance), part="plan").content.decode()
        read = page(desk, sign_in(desk.made.analyst), part="plan").content.decode()

    text = re.sub(r"<[^>]+>|\s+", " ", told.replace("\xa0", " "))
    assert "70 → 60" in re.sub(r" +", " ", text)
    assert "60 → 70" in re.sub(r" +", " ", text)
    assert "Кабинет закрыт" in text
    assert "Изменение плана подано 17.11.2026, 15:00" in text
    assert "Черновик сохранён" not in text
    assert "Кабинет закрыт" in read


def test_a_late_plan_with_another_figure_leaves_its_step_too(desk, sign_in):
    desk.run("before_thu", 12)
    with at(desk, "mon", 15):
        browser, send = sign_in(desk.made.performance), url(desk, "weekly-report-submit-plan", desk.report().pk)
        sent = {"part": "plan", "plan-leads": "50", "reason": "Кабинет закрыт", "version": desk.report().version}
        assert browser.post(send, sent).status_code == 302
        sent = {"plan-leads": "40", "reason": "Закрыли второй", "version": desk.report().version}
        assert browser.post(send, sent).status_code == 302
        html = page(desk, browser, part="plan").content.decode()
    assert "Кабинет закрыт" in html
    assert "Закрыли второй" in html


# ---------------------------------------------------------------- who sees and does what


@pytest.mark.parametrize(
    ("person", "status"),
    [("performance", 302), ("pm", 302), ("cmo", 403), ("owner", 403), ("analyst", 403), ("content", 403),
     ("contractor", 403)],
)  # fmt: skip
def test_who_files_on_the_page(friday, sign_in, person, status):
    browser = sign_in(getattr(friday.made, person))

    assert file(friday, browser).status_code == status
    assert page(friday, browser).status_code == (403 if person == "contractor" else 200)


def test_project_manager_is_told_that_it_is_on_behalf(friday, sign_in):
    browser = sign_in(friday.made.pm)
    assert f"Вы сдаёте за {friday.made.performance}" in page(friday, browser).content.decode()
    file(friday, browser)

    assert friday.report().on_behalf is True
    assert "за владельца канала" in page(friday, browser).content.decode()


def test_money_of_another_channel_is_not_shown(friday, sign_in):
    shown = page(friday, sign_in(friday.made.content)).content.decode()

    assert "Лиды" in shown
    assert "₽" not in shown.replace("&nbsp;", "")


def test_cmo_accepts_and_returns(friday, sign_in):
    file(friday, sign_in(friday.made.performance))
    cmo, pk = sign_in(friday.made.cmo), friday.report().pk
    assert "Принять отчёт" in page(friday, cmo).content.decode()

    response = cmo.post(url(friday, "weekly-report-return", pk), {"version": friday.report().version, "note": ""})
    assert response.status_code == 400
    assert "Напишите, что изменить." in response.content.decode()
    response = cmo.post(
        url(friday, "weekly-report-return", pk), {"version": friday.report().version, "note": "Причина?"}
    )
    assert response.status_code == 302
    assert "Причина?" in page(friday, sign_in(friday.made.performance)).content.decode()

    assert file(friday, sign_in(friday.made.performance)).status_code == 302
    assert cmo.post(url(friday, "weekly-report-accept", pk), {}).status_code == 302
    assert friday.report().state == "accepted"


def test_cmo_reopens_a_locked_week(friday, sign_in):
    friday.run("next_mon", 12)
    with at(friday, "next_mon", 13):
        cmo, pk = sign_in(friday.made.cmo), friday.report().pk
        assert "Неделя закрыта" in page(friday, cmo).content.decode()
        assert cmo.post(url(friday, "weekly-report-reopen", pk), {"note": "Ошибка"}).status_code == 302
        assert friday.report().reopened_until == friday.local("next_tue", 13)
        assert file(friday, sign_in(friday.made.performance), late_reason="away").status_code == 302


@pytest.mark.parametrize("name", ["save", "submit-plan", "submit-fact", "accept", "return", "reopen"])
def test_addresses_of_acts_lead_back_when_opened(friday, sign_in, name):
    person = friday.made.cmo if name in {"accept", "return", "reopen"} else friday.made.performance
    response = sign_in(person).get(url(friday, f"weekly-report-{name}", friday.report().pk))

    assert response.status_code == 302
    assert response.url.startswith(url(friday, "weekly-report-detail", friday.report().pk))


def test_report_of_another_company_is_not_there(friday, rival, sign_in):
    address = reverse("reports:weekly-report-detail", args=["rival", friday.report().pk])

    assert sign_in(rival.owner).get(address).status_code == 404
    assert sign_in(friday.made.owner).get(address).status_code == 404


# ---------------------------------------------------------------- the list and the summary


def test_list_shows_states_and_discipline(friday, sign_in):
    file(friday, sign_in(friday.made.performance))
    html = sign_in(friday.made.owner).get(url(friday, "weekly-report-list")).content.decode().replace("\xa0", " ")

    assert "Отчёты недели 47" in html
    assert "VK Реклама" in html
    assert "пт, 15:00" in html
    assert "до пт, 18:00" in html
    assert "1 из 1" in html


@pytest.mark.parametrize(("week", "status"), [("2026-W46", 200), ("2026-W30", 200), ("2026-W54", 404), ("x", 404)])
def test_list_of_another_week(friday, sign_in, week, status):
    assert sign_in(friday.made.cmo).get(url(friday, "weekly-report-list"), {"week": week}).status_code == status


def test_summary_says_the_money_and_lists_channels_by_money_off_plan(friday, sign_in):
    made = friday.made
    friday.target(made.vk, "gross_profit", 60_000)
    friday.target(made.blog, "gross_profit", 60_000)
    friday.target(made.blog, "spend", 30_000)
    friday.facts(made.blog, days=4, spend=500, gross_profit=3000)
    friday.facts(made.vk, days=3, first=friday.monday + timedelta(days=4), spend=1250, gross_profit=1000)
    friday.run("fri", 18)
    with at(friday, "next_mon", 9):
        file(friday, sign_in(made.performance), late_reason="no_time")
        html = sign_in(made.owner).get(url(friday, "week-summary")).content.decode().replace("\xa0", " ")

    text = re.sub(r"<[^>]+>|\s+", " ", html)
    assert "За неделю заработали 9 250 ₽ с ROMI 161 % — 66 % плана" in re.sub(r"\s+", " ", text)
    assert "Отчёты, которых нет" in text
    body = html[html.index("<tbody>") :]
    assert body.index("Блог") < body.index("VK Реклама")
    assert "−7 750 ₽" in text
    assert "+3 000 ₽" in text
    assert "Аудитория выгорела" in text
    assert "Новая аудитория" in text


def test_cmo_writes_the_summary_and_a_second_window_is_told(friday, sign_in):
    cmo = sign_in(friday.made.cmo)
    address = url(friday, "week-summary-update") + "?week=2026-W47"
    assert cmo.post(address, {"text": "Держим", "version": 0}).status_code == 302
    words = WeekSummary.objects.get()
    assert (words.text, words.version, words.written_by) == ("Держим", 1, friday.made.cmo)

    response = cmo.post(address, {"text": "Другое", "version": 0})
    assert response.status_code == 412
    assert "Другое" in response.content.decode()
    assert AuditEvent.objects.filter(verb="write_week_summary").count() == 1
    assert (
        "Держим" in sign_in(friday.made.owner).get(url(friday, "week-summary"), {"week": "2026-W47"}).content.decode()
    )
    assert sign_in(friday.made.owner).post(address, {"text": "x"}).status_code == 403


@pytest.mark.parametrize(
    ("person", "status"), [("owner", 200), ("cmo", 200), ("pm", 200), ("analyst", 200), ("performance", 403)]
)
def test_who_reads_the_summary(friday, sign_in, person, status):
    assert sign_in(getattr(friday.made, person)).get(url(friday, "week-summary")).status_code == status


@pytest.mark.parametrize("name", ["weekly-report-list", "week-summary"])
def test_pages_cost_the_same_for_3_and_30_channels(friday, sign_in, name, django_assert_max_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def add(first, last):
        for number in range(first, last):
            Channel.objects.create(
                company=friday.company, code=f"c{number}", name=f"C{number}", kind="paid", status="active",
                owner=friday.made.performance,
            )  # fmt: skip
        with time_machine.travel(friday.local("before_thu", 12)):
            friday.run("before_thu", 12)

    browser, counts = sign_in(friday.made.cmo), []
    for first, last in ((0, 1), (1, 28)):
        add(first, last)
        browser.get(url(friday, name))
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(url(friday, name)).status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_the_form_costs_a_fixed_number_of_queries(friday, sign_in, django_assert_max_num_queries):
    browser = sign_in(friday.made.performance)
    page(friday, browser)

    with django_assert_max_num_queries(33):
        page(friday, browser)
