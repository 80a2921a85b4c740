"""Targets: versions with reasons, prorated by calendar days, never recolouring the past."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kpis.models import Target
from kpis.selectors.targets import load_targets
from kpis.services.kpis import install_builtin_kpis
from kpis.services.targets import TargetChanged, set_target
from roles.models import AuditEvent
from roles.refusals import Refused

START = datetime(2026, 10, 20, 9, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
MON, SUN = date(2026, 11, 16), date(2026, 11, 22)


@pytest.fixture
def acme(acme):
    install_builtin_kpis(company=acme.company, at=START)
    return acme


def plan(made, measure, value, channel=None, month=NOVEMBER, at=START, reason="План года", **more):
    return set_target(
        company=made.company, by=made.cmo, at=at, measure=measure, channel=channel, month=month, value=value,
        reason=reason, **more,
    )  # fmt: skip


def book(made, start=NOVEMBER, end=date(2026, 11, 30)):
    return load_targets(company=made.company, start=start, end=end)


def test_metric_is_prorated_by_calendar_days(acme):
    plan(acme, "leads", 300)
    plan(acme, "leads", 310, month=OCTOBER)

    found = book(acme, OCTOBER)

    assert found.value("leads", start=MON, end=SUN) == 70
    assert found.value("leads", start=date(2026, 10, 26), end=date(2026, 11, 1)) == 70
    assert found.value("leads") == 610
    assert found.value("leads", start=NOVEMBER, end=date(2026, 12, 1)) is None


def test_kpi_holds_for_every_day_of_the_month_of_the_end(acme):
    plan(acme, "cpa", "3000", channel=acme.vk)
    plan(acme, "cpa", "2500", channel=acme.vk, month=OCTOBER)

    found = book(acme, OCTOBER)

    assert found.value("cpa", acme.vk.pk, MON, SUN) == 3000
    assert found.value("cpa", acme.vk.pk, date(2026, 10, 26), date(2026, 11, 1)) == 3000
    assert found.value("cpa", acme.vk.pk, date(2026, 10, 5), date(2026, 10, 11)) == 2500
    assert found.value("cpa", acme.blog.pk, MON, SUN) is None
    assert found.value("cpa") is None


def test_company_without_own_metric_plan_adds_its_channels(acme):
    plan(acme, "leads", 200, channel=acme.vk)
    plan(acme, "leads", 100, channel=acme.blog)
    plan(acme, "deals", 8)
    plan(acme, "deals", 3, channel=acme.vk)

    found = book(acme)

    assert found.value("leads") == 300
    assert found.value("deals") == 8
    assert found.value("visits") is None
    assert (found.has("leads"), found.has("visits")) == (True, False)


def test_changed_plan_never_recolours_the_past(acme):
    plan(acme, "leads", 300)
    plan(acme, "leads", 600, at=NOW, reason="Удвоили бюджет")

    found = book(acme)

    assert found.value("leads", start=date(2026, 11, 9), end=date(2026, 11, 15)) == 70
    assert found.value("leads", start=MON, end=SUN) == 140
    assert found.value("leads", start=date(2026, 10, 1), end=date(2026, 10, 31)) is None


def test_two_changes_on_one_day_leave_the_last(acme):
    plan(acme, "leads", 300)
    plan(acme, "leads", 600, at=NOW, reason="Ошиблись")
    plan(acme, "leads", 450, at=NOW, reason="Исправили")

    assert book(acme).value("leads") == 450
    assert [t.number for t in Target.objects.filter(company=acme.company).order_by("number")] == [1, 2, 3]


def test_future_version_counts_from_its_day(acme):
    plan(acme, "cpa", 3000)
    plan(acme, "cpa", 2000, at=NOW, valid_from=date(2026, 11, 25), reason="Новый договор")

    found = book(acme)

    assert found.value("cpa", end=date(2026, 11, 24)) == 3000
    assert found.value("cpa", end=date(2026, 11, 25)) == 2000


def test_set_target_writes_a_version_and_its_reason(acme):
    first = plan(acme, "cpa", "3000", channel=acme.vk)

    second = plan(acme, "cpa", "2800.5", channel=acme.vk, at=NOW, reason=" Договорились с владельцем ", expected=1)

    first.refresh_from_db()
    assert (first.superseded_at, second.number, second.valid_from) == (NOW, 2, date(2026, 11, 20))
    assert second.reason == "Договорились с владельцем"
    event = AuditEvent.objects.filter(company=acme.company, verb="set_target").last()
    assert event.before == {"value": "3000"}
    assert event.after == {"measure": "cpa", "channel": "vk", "month": "2026-11", "value": "2800.5"}


def test_the_same_value_makes_no_version(acme):
    first = plan(acme, "cpa", "3000")

    assert plan(acme, "cpa", Decimal("3000.00"), reason="") == first


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"measure": "nothing"}, "kpi", "unknown"),
        ({"value": "NaN"}, "value", "invalid"),
        ({"value": "Infinity"}, "value", "invalid"),
        ({"value": "много"}, "value", "invalid"),
        ({"value": "1e14"}, "value", "invalid"),
        ({"value": -1}, "value", "negative"),
        ({"value": 301, "reason": " "}, "reason", "required"),
        ({"value": 301, "reason": "о" * 501}, "reason", "too_long"),
        ({"value": 301, "valid_from": date(2026, 10, 19)}, "valid_from", "past"),
    ],
)
def test_bad_target_is_refused(acme, fields, field, code):
    plan(acme, "leads", 300)

    with pytest.raises(Refused) as caught:
        plan(acme, **{"measure": "leads", "value": 300} | fields)

    assert [(error.field, error.code) for error in caught.value.errors] == [(field, code)]
    assert Target.objects.filter(company=acme.company).count() == 1


def test_romi_and_revenue_may_be_planned_below_zero(acme):
    assert plan(acme, "romi", "-0.2").value == Decimal("-0.2")
    assert plan(acme, "gross_profit", -100).value == -100


def test_stale_target_is_refused(acme):
    plan(acme, "leads", 300)

    with pytest.raises(TargetChanged):
        plan(acme, "leads", 400, expected=0)


def test_other_companys_channel_is_unknown(acme, rival):
    with pytest.raises(Refused):
        plan(acme, "leads", 1, channel=rival.vk)


def test_other_companys_plans_never_count(acme, rival):
    plan(acme, "leads", 300)
    plan(rival, "leads", 999_999)

    assert book(acme).value("leads") == 300


def test_book_is_one_query(acme):
    for measure in ("leads", "deals", "visits", "cpa"):
        plan(acme, measure, 10, channel=acme.vk)

    with CaptureQueriesContext(connection) as queries:
        book(acme).value("leads")

    assert len(queries) == 1
