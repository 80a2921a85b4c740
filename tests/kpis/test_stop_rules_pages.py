"""The pages of stop-rules: list, one rule with its log, the editor as a sentence, the signature."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from kpis.evaluation import evaluate_company
from kpis.models import Breach, DailyFact, Source, StopRule, StopRuleVersion
from kpis.services.kpis import install_builtin_kpis
from kpis.services.stop_rules import create_stop_rule, revise_stop_rule
from kpis.services.verdicts import apply_verdict
from roles.models import Campaign, Channel
from tests.conftest import shown

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
TODAY = NOW.date()
NBSP = "\u00a0"


@pytest.fixture(autouse=True)
def _friday():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def world(acme):
    install_builtin_kpis(company=acme.company, at=NOW)
    acme.ads = Source.objects.create(company=acme.company, code="ads", name="Ads", kind="file")
    return acme


def create(made, by=None, **terms):
    terms = {"name": "Дорогая заявка", "kpi": "cpa", "line": Decimal(1000), "channel": made.vk} | terms
    return create_stop_rule(company=made.company, by=by or made.cmo, at=NOW, **terms)


def fired(made, **terms):
    rule = create(made, **terms)
    for back, pair in enumerate([(6600, 5), (None, None), (6000, 5), (900, 0), (6000, 5), (100, 5)], start=1):
        DailyFact.objects.create(
            company=made.company, day=TODAY - timedelta(days=back), channel=made.vk, campaign_id=0, source=made.ads,
            spend=pair[0], qualified_leads=pair[1], load_id=1,
        )  # fmt: skip
    evaluate_company(company=made.company, at=NOW, today=TODAY)
    return rule


def page(browser, path=""):
    response = browser.get(f"/c/acme/stop-rules/{path}")
    assert response.status_code == 200
    return response.content.decode()


def words(html: str) -> str:
    return re.sub(r"\s+", " ", shown(html).replace(NBSP, " "))


FORM = {
    "name": "Дорогая заявка", "kpi": "cpa", "per": "channel", "comparison": "above", "line": "3 500", "count": "3",
    "window": "in_a_row", "minimum_sample": "5", "action": "stop", "no_data": "hold", "clear_ratio": "90", "clear_days": "2",
}  # fmt: skip


def form(made, **changes):
    return FORM | {"scope": f"channel:{made.vk.pk}", "owner": str(made.cmo.pk)} | changes


def test_empty_list_offers_the_first_step(world, sign_in):
    assert "Новое правило" in page(sign_in(world.cmo))
    assert "stop-rules/new/" not in page(sign_in(world.pm))


def test_list_tells_each_rule_in_a_sentence_with_state_and_since(world, sign_in):
    create(world, name="Тихое", channel=world.blog)
    fired(world)

    text = page(sign_in(world.pm))

    assert text.index("Дорогая заявка") < text.index("Тихое")
    assert f"Если CPA выше 1{NBSP}000{NBSP}₽ 3{NBSP}дня подряд" in text
    assert "сработало" in text
    assert "проверенных дней ещё нет" in text
    assert '<time datetime="2026-11-19">19.11</time>' in text


def test_page_answers_why_it_did_not_fire_that_day(world, sign_in):
    rule = fired(world)

    text = page(sign_in(world.pm), f"{rule.pk}/")

    assert "Правило сработало." in text
    assert f"Не{NBSP}считается: часть данных неизвестна." in text
    assert f"Не{NBSP}считается: меньше наименьшей выборки." in text
    assert f"Не{NBSP}сработало: плохих дней 1 из{NBSP}3." in text
    assert f"6{NBSP}600{NBSP}₽" in text
    assert "<svg" in text


def test_log_of_the_chosen_scope(world, sign_in):
    rule = fired(world, channel=None)
    DailyFact.objects.create(
        company=world.company, day=TODAY - timedelta(days=1), channel=world.blog, campaign_id=0, source=world.ads,
        spend=77, qualified_leads=7, load_id=1,
    )  # fmt: skip
    evaluate_company(company=world.company, at=NOW, today=TODAY)
    browser = sign_in(world.pm)

    assert f"6{NBSP}600{NBSP}₽" in page(browser, f"{rule.pk}/")
    blog = page(browser, f"{rule.pk}/?scope={world.blog.pk}")
    assert f"6{NBSP}600{NBSP}₽" not in blog
    assert f">77,00{NBSP}₽<" in blog
    page(browser, f"{rule.pk}/?scope=nonsense")


def test_money_is_hidden_from_those_who_may_not_see_it(world, sign_in):
    rule = fired(world)

    text = page(sign_in(world.content), f"{rule.pk}/") + page(sign_in(world.content))

    assert f"6{NBSP}600" not in text
    assert f"1{NBSP}000{NBSP}₽" not in text
    assert "Если CPA выше порога" in text


def test_english_reader_gets_english(world, sign_in):
    rule = fired(world)
    world.pm.user.language = "en"
    world.pm.user.save()

    text = page(sign_in(world.pm), f"{rule.pk}/")

    assert "The rule fires." in text
    assert (
        f"If CPA is above 1,000{NBSP}₽ 3{NBSP}days in a row" in text or f"If CPA is above 1,000{NBSP}₽ 3 days" in text
    )


def test_write_a_rule_as_a_sentence(world, sign_in):
    response = sign_in(world.cmo).post("/c/acme/stop-rules/new/", form(world))

    rule = StopRule.objects.get()
    assert response.url == f"/c/acme/stop-rules/{rule.pk}/"
    version = rule.versions.get()
    assert (version.line, version.n, version.minimum_sample, version.max_span) == (3500, 3, 5, 7)
    assert (version.zero_line, version.clear_ratio, version.channel) == (10_500, Decimal("0.9"), world.vk)


def test_shares_are_typed_in_per_cent(world, sign_in):
    browser = sign_in(world.cmo)
    browser.post("/c/acme/stop-rules/new/", form(world, kpi="drr", line="12,5", scope="kind:paid"))

    version = StopRuleVersion.objects.get()
    assert (version.line, version.channel, version.channel_kind) == (Decimal("0.125"), None, "paid")
    assert 'value="12,5"' in page(browser, f"{version.rule_id}/edit/")


def test_spend_since_the_last_result(world, sign_in):
    sign_in(world.cmo).post("/c/acme/stop-rules/new/", form(world, window="since_conversion", k="2,5", count="abc"))

    version = StopRuleVersion.objects.get()
    assert (version.window, version.k, version.n) == ("since_conversion", Decimal("2.5"), None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"line": ""}, "Порог"),
        ({"line": "много"}, "Порог"),
        ({"line": "NaN"}, "Порог"),
        ({"count": "0"}, "Сколько"),
        ({"count": "2,5"}, "Укажите целое число дней, не меньше 1."),
        ({"count": "400"}, "Укажите число дней"),
        ({"window": "m_of_n", "m": "5"}, "Из"),
        ({"scope": "channel:999999"}, "Где действует"),
        ({"owner": ""}, "Кто отвечает"),
        ({"name": ""}, "Название правила"),
    ],
)
def test_wrong_fields_keep_what_was_typed(world, sign_in, changes, message):
    response = sign_in(world.cmo).post("/c/acme/stop-rules/new/", form(world, **changes))

    text = response.content.decode()
    assert response.status_code == 400
    assert message in text
    assert 'value="5"' in text
    assert not StopRule.objects.exists()


def test_channel_owner_writes_for_the_own_channel_and_the_cmo_signs(world, sign_in):
    browser = sign_in(world.performance)
    assert f"channel:{world.blog.pk}" not in page(browser, "new/")
    assert browser.post("/c/acme/stop-rules/new/", form(world, scope=f"channel:{world.blog.pk}")).status_code == 400
    browser.post("/c/acme/stop-rules/new/", form(world))
    rule = StopRule.objects.get()

    assert "ждёт подписи" in page(browser, f"{rule.pk}/")
    assert f"{rule.pk}/approve/" not in page(browser, f"{rule.pk}/")
    assert browser.post(f"/c/acme/stop-rules/{rule.pk}/approve/").status_code == 403
    cmo = sign_in(world.cmo)
    assert f"{rule.pk}/approve/" in page(cmo, f"{rule.pk}/")
    assert cmo.post(f"/c/acme/stop-rules/{rule.pk}/approve/").status_code == 302
    assert rule.versions.get().approved_by == world.cmo
    assert cmo.post(f"/c/acme/stop-rules/{rule.pk}/approve/").status_code == 409


def test_change_makes_a_version(world, sign_in):
    rule = create(world)
    browser = sign_in(world.analyst)
    text = page(browser, f"{rule.pk}/edit/")
    assert 'name="expected" value="1"' in text
    assert 'name="clear_ratio" value="90"' in text
    sent = form(world, line="1200", expected="1", reason="Заявка подорожала", active="on", max_span="")

    assert browser.post(f"/c/acme/stop-rules/{rule.pk}/edit/", sent).status_code == 302
    version = rule.versions.get(superseded_at=None)
    assert (version.number, version.line, version.active, version.zero_line) == (2, 1200, True, 3600)
    assert "Заявка подорожала" in page(browser, f"{rule.pk}/")
    assert browser.post(f"/c/acme/stop-rules/{rule.pk}/edit/", sent).status_code == 412


def test_page_tells_the_terms_that_the_sentence_leaves_out(world, sign_in):
    rule = create(world, line=Decimal("1000.5"), settling_days=2, shadow_until=TODAY + timedelta(days=6))

    text = words(page(sign_in(world.pm), f"{rule.pk}/"))
    assert "Если CPA выше 1 000,50 ₽" in text
    for told in (
        "День без данных ждать; после третьего дня позвать аналитика", "Данные устаиваются 2 дня", "Плохие дни умещаются в 7 дней", "Линия нуля 3 001,50 ₽",
        "Снова хорошо 900,45 ₽ или лучше", "Кончается, когда 2 хороших дня подряд",
        "В тени до 26.11.2026: показывает здесь и никого не спрашивает",
    ):  # fmt: skip
        assert told in text
    assert "в тени до 26.11" in words(page(sign_in(world.pm)))
    with time_machine.travel(NOW + timedelta(days=7), tick=False):
        assert "никого не спрашивает" not in words(page(sign_in(world.pm), f"{rule.pk}/"))
        assert "в тени до" not in words(page(sign_in(world.pm)))
    hidden = words(page(sign_in(world.content), f"{rule.pk}/"))
    assert "Линия нуля не показано" in hidden
    assert "001,50" not in hidden


def test_whoever_signs_sees_what_changes(world, sign_in):
    rule = create(world)
    revise_stop_rule(
        company=world.company, by=world.performance, at=NOW, rule=rule, reason="Сезон", line=Decimal(1200), settling_days=3,
        no_data="no_data", shadow_until=TODAY + timedelta(days=6),
    )  # fmt: skip

    with time_machine.travel(NOW + timedelta(days=2), tick=False):
        text = words(page(sign_in(world.cmo), f"{rule.pk}/"))
        assert "ждёт подписи" in text
        for change in (
            "Порог: 1 000 ₽ → 1 200 ₽",
            "Данные устаиваются: 1 день → 3 дня",
            "День без данных: ждать; после третьего дня позвать аналитика → сразу позвать аналитика",
        ):
            assert text.count(change) == 2, "in the banner and among the versions"
        assert "Сколько дней:" not in text, "what stays is not told"
        assert "Если подписать сегодня, правило будет в тени до 28.11.2026." in text
        assert f"Ждёт подписи: {world.cmo}." in words(page(sign_in(world.performance), f"{rule.pk}/"))
        assert "1 200 ₽" not in words(page(sign_in(world.content), f"{rule.pk}/"))


@pytest.mark.parametrize(
    ("kind", "terms", "told"),
    [
        (
            "continue",
            {"until": TODAY + timedelta(days=5), "extra_spend": Decimal(9000)},
            "до 25.11 или пока не потратят ещё 9 000 ₽",
        ),
        ("false_alarm", {}, "ложная тревога, молчит до 22.11"),
    ],
)
def test_what_goes_on_says_until_when(world, sign_in, kind, terms, told):
    rule = fired(world)
    apply_verdict(
        company=world.company, rule=rule, channel=world.vk, campaign=None,
        day=TODAY, breach=Breach.objects.get(rule=rule), kind=kind, **terms,
    )  # fmt: skip
    evaluate_company(company=world.company, at=NOW, today=TODAY)

    text = words(page(sign_in(world.cmo), f"{rule.pk}/"))
    assert f"продолжается по подписи {told}" in text
    if "9 000" in told:
        assert "9 000" not in words(page(sign_in(world.content), f"{rule.pk}/"))


def test_mailings_stand_in_one_picture_the_newest_first(world, sign_in):
    world.vk.kind = "crm"
    world.vk.save()
    for back, name in ((10, "Я первая"), (17, "А старая"), (24, "Ещё старше")):
        campaign = Campaign.objects.create(
            company=world.company, channel=world.vk, external_id=name, name=name, status="active", series="Письма"
        )  # fmt: skip
        DailyFact.objects.create(
            company=world.company, day=TODAY - timedelta(days=back), channel=world.vk, campaign_id=campaign.pk, source=world.ads,
            sends=1000, delivered=1000, unsubscribes=2, load_id=1,
        )  # fmt: skip
    rule = create(world, kpi="unsubscribe_rate", line=Decimal("0.0085"), window="event", action="rewrite")
    evaluate_company(company=world.company, at=NOW, today=TODAY)

    text = page(sign_in(world.cmo), f"{rule.pk}/")
    assert [text.index(f">{name}</a>") for name in ("Я первая", "А старая", "Ещё старше")] == sorted(
        text.index(f">{name}</a>") for name in ("Я первая", "А старая", "Ещё старше")
    )
    assert "рассылок" in text.partition('class="plot')[2].partition("</title>")[0]
    assert "0,85 %" in words(text), "a line is told with every place of it"
    assert 'name="line" value="0,85"' in page(sign_in(world.cmo), f"{rule.pk}/edit/")


def test_a_new_rule_knows_what_suits_a_mailing(world, sign_in):
    Channel.objects.filter(pk=world.blog.pk).update(kind="crm")

    text = page(sign_in(world.cmo), "new/")
    assert 'data-event="unsubscribe_rate"' in text
    assert f'data-event="channel:{world.blog.pk}"' in text
    assert 'data-event="rewrite"' in text
    assert f'data-event="channel:{world.blog.pk}"' not in page(sign_in(world.performance), "new/"), (
        "not a channel of theirs"
    )


def test_no_edit_of_a_foreign_channels_rule(world, sign_in):
    rule = create(world, channel=world.blog)

    assert sign_in(world.performance).get(f"/c/acme/stop-rules/{rule.pk}/edit/").status_code == 403


@pytest.mark.parametrize("path", ["", "edit/", "approve/"])
def test_foreign_rules_are_missing(world, rival, sign_in, path):
    install_builtin_kpis(company=rival.company, at=NOW)
    foreign = create(rival)

    assert sign_in(world.cmo).post(f"/c/acme/stop-rules/{foreign.pk}/{path}").status_code == 404


def test_pages_take_the_same_number_of_queries(world, sign_in, django_assert_num_queries):
    rule = fired(world, channel=None)
    browser = sign_in(world.pm)
    counts = []
    for more in (0, 10):
        for _number in range(more):
            create(world, channel=None)
            revise_stop_rule(
                company=world.company, by=world.cmo, at=NOW, rule=rule, reason="x", line=Decimal(1001 + _number)
            )  # fmt: skip
        if more:
            evaluate_company(company=world.company, at=NOW, today=TODAY)
        counts.append([count_queries(browser, path) for path in ("", f"{rule.pk}/")])

    assert counts[0] == counts[1]
    assert max(counts[0]) <= 22


def count_queries(browser, path) -> int:
    from django.core.signals import request_started
    from django.db import connection, reset_queries
    from django.test.utils import CaptureQueriesContext

    request_started.disconnect(reset_queries)
    try:
        with CaptureQueriesContext(connection) as queries:
            page(browser, path)
        return len(queries)
    finally:
        request_started.connect(reset_queries)
