"""The editor of a stop-rule: the trial beside its fields, hints, the six windows, the companion, the shadow week."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kpis.models import DailyFact, KpiVersion, Source, StopRule, StopRuleVersion
from kpis.services.kpis import install_builtin_kpis
from kpis.services.stop_rules import create_stop_rule
from kpis.services.targets import set_target
from roles.models import AuditEvent, Campaign, Channel
from tests.conftest import shown

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
TODAY = NOW.date()
FIRST = TODAY - timedelta(days=120)
NBSP = "\u00a0"
NEW = "/c/acme/stop-rules/new/"
GOOD, BAD = (3000, 5), (6000, 5)
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _friday():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def world(acme):
    install_builtin_kpis(company=acme.company, at=NOW)
    acme.ads = Source.objects.create(company=acme.company, code="ads", name="Ads", kind="file")
    return acme


def facts(made, pairs, first=FIRST, channel=None, campaign=0, **more):
    for offset, (spend, leads) in enumerate(pairs):
        DailyFact.objects.create(
            company=made.company, day=first + timedelta(days=offset), channel=channel or made.vk, source=made.ads,
            campaign_id=campaign, spend=spend, qualified_leads=leads, load_id=1, **more,
        )  # fmt: skip


FORM = {
    "name": "Дорогая заявка", "window": "in_a_row", "kpi": "cpa", "per": "channel", "comparison": "above", "line": "1 000",
    "count": "3", "minimum_sample": "3", "action": "stop", "no_data": "hold", "clear_ratio": "90", "clear_days": "2",
}  # fmt: skip


def form(made, **changes):
    return FORM | {"scope": f"channel:{made.vk.pk}", "owner": str(made.cmo.pk)} | changes


def tried(browser, made, path=NEW, headers=None, **changes) -> str:
    """What the page shows, in words, after the button of the trial."""
    answer = browser.post(path, form(made, check="1", **changes), headers=headers or {})
    assert answer.status_code == 200
    return answer.content.decode()


def words(html: str) -> str:
    return re.sub(r"\s+", " ", shown(html).replace(NBSP, " "))


def day(number: int) -> str:
    return f"{FIRST + timedelta(days=number - 1):%d.%m.%Y}"


def test_the_trial_says_what_would_have_happened(world, sign_in):
    # As in the API's tests: fires on day 3, days 5 and 6 save 2000 and 1000, days 8 and 9 give up 2000 each.
    facts(world, [BAD, BAD, BAD, BAD, (7000, 5), BAD, (9000, None), GOOD, GOOD])

    html = tried(sign_in(world.cmo), world, name="")

    text = words(html)
    assert "Сработало бы 1 раз" in text
    assert "Сберегло бы 3 000 ₽" in text
    assert "Ложные тревоги 1" in text
    assert "Итог за год −1 000 ₽ за вычетом 4 000 ₽" in text
    assert f'<span class="bad"><a class="src" href="#h-t">−1{NBSP}000{NBSP}₽</a></span>' in html
    assert f"1 {FIRST:%d}–{day(3)} 1 200 ложная тревога −1 000" in text
    assert "порога — 1 000 ₽" in text
    assert html.count('class="plot plot-l"') == 1
    assert 'class="m m-ring m-false"' in html
    assert "Июль 2026 1 075 ₽ 6 1" in text  # the picture in figures: ratio of sums, days beyond the line


def test_figures_of_a_firing_open_to_their_facts(world, sign_in):
    facts(world, [BAD, BAD, BAD, BAD, (7000, 5), BAD, (9000, None), GOOD, GOOD])
    browser = sign_in(world.cmo)

    html = tried(browser, world)

    row = html.partition('id="h-t"')[2].partition("<tbody>")[2].partition("</tr>")[0]
    fired, net = (link.replace("&amp;", "&") for link in re.findall(r'class="src" href="([^"]+)"', row))
    behind = words(browser.get(fired).content.decode())
    assert "1 200" in behind
    assert "18 000" in behind  # spend of the three days, of 15 leads
    behind = words(browser.get(net).content.decode())
    assert "−1 000" in behind
    assert (FIRST + timedelta(days=4)).isoformat() in net  # the second day after the one that fired


def test_a_trial_writes_nothing_and_keeps_what_was_typed(world, sign_in):
    facts(world, [BAD] * 6)
    browser = sign_in(world.cmo)
    before = AuditEvent.objects.count()

    html = tried(browser, world, name="", line="1 100,5")
    tried(browser, world, window="budget", tolerance="10", period="month")

    assert 'value="1 100,5"' in html
    assert not StopRule.objects.exists()
    assert not KpiVersion.objects.filter(formula="spend").exists()
    assert AuditEvent.objects.count() == before
    assert "правило записано" not in html.lower()


def test_a_script_gets_only_the_part_beside_the_fields(world, sign_in):
    facts(world, [BAD] * 6)
    browser = sign_in(world.cmo)

    part = tried(browser, world, headers=HTMX)
    assert "<html" not in part
    assert 'id="trial-status" role="status" hx-swap-oob="innerHTML"' in part
    assert "Срабатываний: 1." in words(part)
    assert 'id="id_line"' not in part
    page = browser.get(NEW).content.decode()
    assert 'hx-trigger="change from:#rule-terms' in page
    assert "aria-live" in page or 'role="status"' in page


def test_another_line_is_taken_from_the_table(world, sign_in):
    facts(world, [BAD] * 6)
    browser = sign_in(world.cmo)
    page = tried(browser, world)
    assert 'name="take" value="1300"' in page
    assert "1 300 ₽ 0 0 0" in words(page)  # 1200 is not beyond it

    html = browser.post(NEW, form(world, take="1300"), headers=HTMX).content.decode()

    assert re.search(r'<input[^>]*name="line"[^>]*value="1300"[^>]*hx-swap-oob="true"', html)
    assert "Сработало бы 0 раз" in words(html)
    assert not StopRule.objects.exists()
    whole = browser.post(NEW, form(world, take="1300")).content.decode()
    assert 'value="1300"' in whole


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"line": ""}, "Порог: Укажите порог"),
        ({"line": "много"}, "Порог:"),
        ({"line": "-5"}, "Порог: Этот показатель не бывает меньше 0"),
        ({"count": "2,5"}, "Сколько дней: Укажите целое число дней, не меньше 1."),
        ({"count": "0"}, "Сколько дней: Укажите целое число дней, не меньше 1."),
        ({"settling_days": "61"}, "Данные устаиваются, дней: Укажите целое число от 0 до 60."),
        ({"clear_ratio": "101"}, "Снова хорошо, % от порога: Укажите часть порога: число от 0 до 100."),
        ({"window": "m_of_n", "m": "5"}, "Из последних"),
        ({"window": "event"}, "CRM"),
        ({"window": "nonsense"}, "Как считать:"),
        ({"scope": "channel:999999"}, "Где действует:"),
    ],
)
def test_a_trial_says_what_is_missing(world, sign_in, changes, message):
    for headers in ({}, HTMX):
        text = words(tried(sign_in(world.cmo), world, headers=headers, **changes))
        assert "Пока нечего проверять" in text
        assert message in text
    assert not StopRule.objects.exists()


def test_a_change_stands_beside_the_version_in_force(world, sign_in):
    facts(world, [BAD] * 6)
    rule = create_stop_rule(
        company=world.company, by=world.cmo, at=NOW, name="r", kpi="cpa", line=Decimal(1000), channel=world.vk
    )
    browser, path = sign_in(world.cmo), f"/c/acme/stop-rules/{rule.pk}/edit/"

    page = words(browser.get(path).content.decode())
    assert "Сработало бы 1 раз" in page
    assert "Рядом с версией" not in page
    changed = words(tried(browser, world, path, line="1300", expected="1", reason=""))
    assert re.search(r"Версия 1 Если CPA выше 1 000 ₽ .*? остановить 1 0 2 000 0 \+2 000", changed)
    assert re.search(r"Как здесь Если CPA выше 1 300 ₽ .*? остановить 0 0 0 0 0", changed)
    assert rule.versions.count() == 1


def test_the_page_and_the_button_sweep_alike(world, sign_in):
    """The zero line follows the line on both, or neither: 2500 spent on nothing is beyond three times 800, not 1000."""
    facts(world, [(2500, 0)] * 5)
    rule = create_stop_rule(
        company=world.company, by=world.cmo, at=NOW, name="r", kpi="cpa", line=Decimal(1000), channel=world.vk
    )
    browser, path = sign_in(world.cmo), f"/c/acme/stop-rules/{rule.pk}/edit/"

    page, trial = words(browser.get(path).content.decode()), words(tried(browser, world, path, expected="1", reason=""))

    for text in (page, trial):
        assert "Сработало бы 0 раз" in text
        assert re.search(r"800 ₽ 1 0 \+2 500", text)


def test_hints_say_where_a_line_comes_from(world, sign_in):
    # 40 days: gross profit 2000 a day, 2 deals of 5 leads: 1000 a deal × 40 % = 400 a lead. A day without deals is left out.
    first = TODAY - timedelta(days=41)
    facts(world, [BAD] * 40, first=first, gross_profit=2000, deals=2)
    facts(world, [BAD], first=TODAY - timedelta(days=1), gross_profit=99_999)
    set_target(
        company=world.company, by=world.cmo, at=NOW, measure="cpa", channel=world.vk, month=TODAY.replace(day=1),
        value=Decimal(1000), reason="план",
    )  # fmt: skip
    browser = sign_in(world.cmo)

    page = words(browser.get(f"{NEW}?scope=channel:{world.vk.pk}").content.decode())
    assert "1 000 ₽ валовой прибыли со сделки × 40,0 % доходят до сделки" in page
    assert "= 400 ₽" in page
    assert "План месяца — 1 000 ₽" in page
    assert "между 1 300 ₽ и 1 500 ₽" in page
    assert "Взять 1 400 ₽" in page
    near = words(tried(browser, world, line="1190"))
    assert "Порог ближе 1,2 плана" in near
    assert "Сработало бы" in near
    assert "Порог ближе 1,2 плана" not in words(tried(browser, world, line="1200"))
    assert near.count("Взять 1 400 ₽") == 2  # beside the plan, and in the table of lines
    assert words(tried(browser, world, line="1350")).count("Взять 1 400 ₽") == 1
    blog = words(tried(browser, world, scope=f"channel:{world.blog.pk}"))
    assert "валовой прибыли" not in blog


def test_it_says_what_it_was_silent_about(world, sign_in):
    thin = [(2900, 2)] * 4
    facts(world, [*thin, GOOD, *[(U, U) for U in [None] * 4], GOOD])

    text = words(tried(sign_in(world.cmo), world))

    assert f"Правило промолчало {FIRST:%d}–{day(4)}: CPA — от 1 450 ₽ до 1 450 ₽, но в день было только 2–2" in text
    assert "Если снизить минимум до 2, сработает и тогда." in text
    assert "4 дня без данных" in text
    held = [GOOD] * 6 + [BAD] * 3 + [GOOD] * 3
    DailyFact.objects.all().delete()
    facts(world, held)
    assert "придержало себя" in words(tried(sign_in(world.cmo), world, confirm_pooled_7d="on"))


def test_a_drip_is_drawn_as_what_was_spent_without_a_result(world, sign_in):
    # 900 a day without a lead: 3600 ≥ 3 · 1000 on day 4; on day 6 nothing is known, day 9 brings a lead.
    facts(world, [GOOD, *[(900, 0)] * 4, (None, None), *[(900, 0)] * 2, (900, 1), GOOD])

    text = words(tried(sign_in(world.cmo), world, window="since_conversion", k="3"))

    assert "стоп 3 000" in text, "the line of what is drawn is three lines"
    assert f"1 {day(5)} 3 600" in text
    assert "Июль 2026 5 400 ₽" in text, "of a month the most that was spent in a row"
    assert "Потрачено без результата" in text


def made_by(browser, made, **changes) -> StopRuleVersion:
    answer = browser.post(NEW, form(made, **changes))
    assert answer.status_code == 302, words(answer.content.decode())[:2000]
    return StopRuleVersion.objects.order_by("pk").first()


def test_each_window_keeps_its_own_terms(world, sign_in):
    Channel.objects.create(
        company=world.company, code="mail", name="Письма", kind="crm", status="active", owner=world.content,
        coordinator=world.pm, result_kpi="unsubscribe_rate",
    )  # fmt: skip
    browser = sign_in(world.cmo)
    junk = {"m": "abc", "k": "-", "tolerance": "?", "pooled_sample": "x", "event_sample": "y"}

    version = made_by(browser, world, **junk)
    assert (version.window, version.n, version.m, version.k, version.minimum_sample) == ("in_a_row", 3, None, None, 3)
    cases = [
        ({"window": "m_of_n", "count": "7", "m": "3"}, {"n": 7, "m": 3, "minimum_sample": 3}),
        ({"window": "pooled", "count": "7", "pooled_sample": "12"}, {"n": 7, "m": None, "minimum_sample": 12}),
        ({"window": "pooled", "count": "7", "pooled_sample": ""}, {"minimum_sample": 10}),
        (
            {"window": "since_conversion", "k": "2,5"},
            {"k": Decimal("2.5"), "n": None, "line": 1000, "comparison": "above"},
        ),
        (
            {"window": "event", "kpi": "unsubscribe_rate", "line": "0,8", "scope": "kind:crm", "event_sample": "600"},
            {"line": Decimal("0.008"), "minimum_sample": 600, "per": "campaign", "settling_days": 2},
        ),
        (
            {"window": "budget", "tolerance": "15", "period": "test", "kpi": "", "line": ""},
            {"line": Decimal("1.15"), "period": "test", "n": None, "comparison": "above"},
        ),
    ]
    for changes, expected in cases:
        StopRule.objects.all().delete()
        version = made_by(browser, world, **changes)
        assert version.window == changes["window"]
        assert {name: getattr(version, name) for name in expected} == expected, changes
        html = browser.get(f"/c/acme/stop-rules/{version.rule_id}/edit/").content.decode()
        assert re.search(rf'value="{version.window}"[^>]*checked', html)
        again = browser.post(
            f"/c/acme/stop-rules/{version.rule_id}/edit/", form(world, **changes, name="Другое", reason="имя", active="on", expected="1")
        )  # fmt: skip
        assert again.status_code == 302
        newer = StopRuleVersion.objects.get(number=2)
        assert {name: getattr(newer, name) for name in expected} == expected


def test_a_cost_gets_its_companion_if_wanted(world, sign_in):
    browser = sign_in(world.cmo)
    assert re.search(r'name="companion"[^>]*checked', browser.get(NEW).content.decode())
    assert re.search(r'name="confirm_pooled_7d"[^>]*checked', browser.get(NEW).content.decode())

    made_by(browser, world, companion="on", action="cut")

    first, second = StopRuleVersion.objects.order_by("pk")
    assert (first.window, second.window, second.k) == ("in_a_row", "since_conversion", 3)
    assert (second.line, second.channel, second.action, second.owner) == (1000, world.vk, "cut", world.cmo)
    assert second.name == "Дорогая заявка: расход без единого результата"
    for changes in ({}, {"companion": "on", "window": "pooled"}, {"companion": "on", "kpi": "drr", "line": "20"}):
        StopRule.objects.all().delete()
        made_by(browser, world, **changes)
        assert StopRule.objects.count() == 1, changes


def test_a_companion_waits_for_a_signature_as_the_rule_does(world, sign_in):
    made_by(sign_in(world.performance), world, companion="on", owner=str(world.performance.pk))

    assert [version.approved_at for version in StopRuleVersion.objects.all()] == [None, None]


def test_it_says_who_puts_the_rule_in_force(world, sign_in):
    mine, theirs = f"{NEW}?scope=channel:{world.vk.pk}", f"{NEW}?scope=channel:{world.blog.pk}"

    def says(person, path) -> str:
        return words(sign_in(person).get(path).content.decode())

    assert f"Вступит в силу, когда подпишет {world.cmo}: вы ведёте или замещаете канал этого правила" in says(
        world.performance, mine
    )
    assert "Вступит в силу" not in says(world.cmo, mine)
    Channel.objects.filter(pk=world.vk.pk).update(owner=world.cmo)
    assert f"Вступит в силу, когда подпишет {world.owner}: вы ведёте" in says(world.cmo, mine)
    assert "Вступит в силу" not in says(world.cmo, theirs)
    rule = create_stop_rule(
        company=world.company, by=world.cmo, at=NOW, name="Дорогая заявка", kpi="cpa", line=Decimal(1000), channel=world.vk
    )  # fmt: skip
    waiting = says(world.analyst, f"/c/acme/stop-rules/{rule.pk}/edit/")
    assert f"Вступит в силу, когда подпишет {world.owner}. До подписи действует прежняя версия." in waiting


def test_signs_that_come_with_a_copied_figure_are_no_error(world, sign_in):
    version = made_by(sign_in(world.cmo), world, line="1\u00a0500\u00a0₽", zero_line="4 500₽", clear_ratio="85 %")

    assert (version.line, version.zero_line, version.clear_ratio) == (1500, 4500, Decimal("0.85"))


def test_a_passed_shadow_is_no_change(world, sign_in):
    version = made_by(sign_in(world.cmo), world, shadow="on")
    with time_machine.travel(NOW + timedelta(days=30), tick=False):
        sign_in(world.cmo).post(
            f"/c/acme/stop-rules/{version.rule_id}/edit/", form(world, expected="1", reason="просто так", active="on")
        )  # fmt: skip

    assert StopRuleVersion.objects.get().shadow_until == TODAY + timedelta(days=6)


def test_a_week_in_the_shadow(world, sign_in):
    browser = sign_in(world.cmo)
    version = made_by(browser, world, shadow="on")
    assert version.shadow_until == TODAY + timedelta(days=6)
    path = f"/c/acme/stop-rules/{version.rule_id}/edit/"
    with time_machine.travel(NOW + timedelta(days=3), tick=False):
        assert re.search(r'name="shadow"[^>]*checked', browser.get(path).content.decode())
        sent = {"expected": "1", "reason": "дороже", "active": "on", "line": "1100"}
        browser.post(path, form(world, shadow="on", **sent))
        assert StopRuleVersion.objects.get(number=2).shadow_until == TODAY + timedelta(days=6)
        browser.post(path, form(world, **sent | {"expected": "2", "line": "1200"}))
        assert StopRuleVersion.objects.get(number=3).shadow_until is None


def test_a_channel_owner_tries_only_the_own_channel(world, sign_in):
    facts(world, [(7777, 5)] * 6, channel=world.blog)
    browser = sign_in(world.performance)

    for scope in (f"channel:{world.blog.pk}", "all", "kind:organic"):
        text = words(tried(browser, world, scope=scope))
        assert "Где действует:" in text
        assert "7 777" not in text
        assert "1 555" not in text
    assert sign_in(world.content).post(NEW, form(world, check="1")).status_code == 200
    assert sign_in(world.pm).get(NEW).status_code == 403


def test_nothing_to_try_is_said_so(world, sign_in):
    browser = sign_in(world.cmo)
    assert "Впишите порог" in words(browser.get(NEW).content.decode())
    assert "Проверить не на чем" in words(tried(browser, world))
    facts(world, [GOOD] * 5, first=TODAY - timedelta(days=6))
    text = words(tried(browser, world))
    assert "Ни разу: за эти дни правило промолчало бы." in text
    assert "Цифр меньше чем за 90 дней" in text


def test_many_campaigns_are_tried_with_the_same_queries(world, sign_in):
    browser, counts = sign_in(world.cmo), []
    for more in (3, 27):
        for number in range(more):
            campaign = Campaign.objects.create(
                company=world.company, channel=world.vk, external_id=f"{more}-{number}", name=f"К{more}-{number}", status="active"
            )  # fmt: skip
            facts(world, [BAD] * 4, campaign=campaign.pk)
        with CaptureQueriesContext(connection) as queries:
            text = words(tried(browser, world, per="campaign"))
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 30
    assert "Ещё 27 из 30 не нарисованы" in text


def test_an_english_reader_gets_english(world, sign_in):
    facts(world, [BAD] * 6)
    world.cmo.user.language = "en"
    world.cmo.user.save()

    text = words(tried(sign_in(world.cmo), world))

    assert "Would have fired 1 time" in text
    assert "Net of the year" in text
    assert "days in a row" in text
