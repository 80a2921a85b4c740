"""KPIs, own metrics and the funnel: installed, made and revised with a reason; wrong ones refused in words."""

from datetime import UTC, date, datetime

import pytest
from django.utils import translation

from kpis import wording
from kpis.catalogue import BUILT_IN_KPIS
from kpis.formulas import parse
from kpis.metrics import BUILT_IN
from kpis.models import Kpi, KpiVersion
from kpis.selectors.measures import funnel_of, is_money, kpis_of, measures_of, metrics_of
from kpis.services.kpis import FormulaRefused, KpiChanged, create_kpi, install_builtin_kpis, revise_kpi
from kpis.services.measures import NoSlotLeft, define_metric, set_funnel
from roles.models import AuditEvent
from roles.refusals import Refused

NOW = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)  # already the 21st in Moscow
LATER = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


def make(acme, **fields):
    given = {
        "code": "cpm",
        "name_ru": "CPM",
        "formula": "1000 * spend / impressions",
        "better": "lower",
        "unit": "money",
    }
    return create_kpi(company=acme.company, by=acme.cmo, at=NOW, **given | fields)


def revise(acme, code, reason="Так решили", at=LATER, **fields):
    kpi = Kpi.objects.get(company=acme.company, code=code)
    return revise_kpi(company=acme.company, by=acme.cmo, at=at, kpi=kpi, reason=reason, **fields)


def test_catalogue_is_sound():
    for kpi in BUILT_IN_KPIS.values():
        assert parse(kpi.formula).metrics <= BUILT_IN.keys()
        assert kpi.parent is None or kpi.parent in BUILT_IN_KPIS
    assert [kpi.code for kpi in BUILT_IN_KPIS.values() if kpi.parent is None] == ["romi"]


def test_builtin_kpis_are_installed_once(acme, rival):
    install_builtin_kpis(company=acme.company, at=NOW)
    again = install_builtin_kpis(company=acme.company, at=LATER)

    assert again == []
    assert list(kpis_of(company=acme.company)) == list(BUILT_IN_KPIS)
    assert kpis_of(company=rival.company) == {}
    romi, cpa = kpis_of(company=acme.company)["romi"], kpis_of(company=acme.company)["cpa"]
    assert (romi.formula_text, romi.unit, romi.better, romi.parent) == (
        "(gross_profit - spend) / spend",
        "share",
        "higher",
        None,
    )
    assert (cpa.parent, cpa.number, cpa.valid_from) == ("cac", 1, date(2026, 11, 21))
    assert AuditEvent.objects.filter(company=acme.company, verb="install_builtin_kpis").count() == 1


def test_missing_builtin_kpi_is_added(acme):
    install_builtin_kpis(company=acme.company, at=NOW)
    KpiVersion.objects.filter(company=acme.company, kpi__code="ctr").delete()
    Kpi.objects.get(company=acme.company, code="ctr").delete()

    assert [kpi.code for kpi in install_builtin_kpis(company=acme.company, at=LATER)] == ["ctr"]


def test_create_kpi(acme):
    install_builtin_kpis(company=acme.company, at=NOW)

    version = make(acme, parent="cpa", reason="Покупаем показы")

    info = kpis_of(company=acme.company)["cpm"]
    assert (info.parent, info.number, info.is_builtin) == ("cpa", 1, False)
    event = AuditEvent.objects.get(company=acme.company, verb="create_kpi")
    assert (event.by, event.reason, event.after["formula"]) == (acme.cmo, "Покупаем показы", version.formula)


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"formula": "spend / nothing_like_it"}, "formula", "unknown_metric"),
        ({"formula": "spend / cpa"}, "formula", "unknown_metric"),
        ({"formula": "spend /"}, "formula", "unfinished"),
        ({"formula": "spend / impressions + $"}, "formula", "unknown_sign"),
        ({"code": "cpa"}, "code", "taken"),
        ({"code": "spend"}, "code", "taken"),
        ({"code": "extra_1"}, "code", "taken"),
        ({"code": "date"}, "code", "taken"),
        ({"code": "Cost-per"}, "code", "invalid"),
        ({"code": ""}, "code", "invalid"),
        ({"name_ru": " "}, "name_ru", "blank"),
        ({"name_ru": "ы" * 81}, "name_ru", "max_length"),
        ({"better": "sideways"}, "better", "invalid_choice"),
        ({"unit": "kg"}, "unit", "invalid_choice"),
        ({"parent": "nowhere"}, "parent", "unknown"),
    ],
)
def test_create_kpi_refuses(acme, fields, field, code):
    install_builtin_kpis(company=acme.company, at=NOW)

    with pytest.raises(Refused) as caught:
        make(acme, **fields)

    assert [(error.field, error.code) for error in caught.value.errors] == [(field, code)]
    assert not Kpi.objects.filter(company=acme.company, is_builtin=False).exists()


def test_other_companys_kpi_is_no_parent(acme, rival):
    make(rival, code="theirs")

    with pytest.raises(Refused, match="theirs"):
        make(acme, parent="theirs")


def test_revised_kpi_is_a_new_version_with_a_reason(acme):
    install_builtin_kpis(company=acme.company, at=NOW)
    define_metric(company=acme.company, by=acme.analyst, at=NOW, code="fees", name_ru="Комиссии", unit="money")

    version = revise(acme, "cac", "Считаем комиссию", formula="(spend + fees) / new_customers")

    assert (version.number, version.valid_from, version.better) == (2, date(2026, 12, 1), "lower")
    assert kpis_of(company=acme.company)["cac"].formula_text == "(spend + fees) / new_customers"
    old = KpiVersion.objects.get(company=acme.company, kpi__code="cac", number=1)
    assert (old.formula, old.superseded_at) == ("spend / new_customers", LATER)
    event = AuditEvent.objects.get(company=acme.company, verb="revise_kpi")
    assert (event.before, event.after) == (
        {"formula": "spend / new_customers"}, {"formula": "(spend + fees) / new_customers"},
    )  # fmt: skip


def test_the_same_again_makes_no_version(acme):
    install_builtin_kpis(company=acme.company, at=NOW)

    version = revise(acme, "cac", reason="", formula="spend / new_customers", parent="romi")

    assert version.number == 1
    assert not AuditEvent.objects.filter(company=acme.company, verb="revise_kpi").exists()


def test_revise_kpi_refuses(acme):
    install_builtin_kpis(company=acme.company, at=NOW)

    with pytest.raises(Refused) as caught:
        revise(acme, "cac", reason="  ", better="higher")
    assert caught.value.errors[0].field == "reason"
    with pytest.raises(Refused, match="cpl"):
        revise(acme, "romi", parent="cpl")
    with pytest.raises(Refused):
        revise(acme, "cpa", parent="cpa")
    with pytest.raises(FormulaRefused):
        revise(acme, "cpa", formula="spend / (qualified_leads")
    with pytest.raises(KpiChanged):
        revise(acme, "cpa", better="higher", expected=7)
    assert {kpi.number for kpi in kpis_of(company=acme.company).values()} == {1}


def test_own_metrics_take_free_slots_up_to_twelve(acme, rival):
    for number in range(12):
        define_metric(
            company=acme.company, by=acme.analyst, at=NOW, code=f"own_{number}", name_ru=f"Своя {number}",
            name_en=f"Own {number}",
        )  # fmt: skip

    with pytest.raises(NoSlotLeft):
        define_metric(company=acme.company, by=acme.analyst, at=NOW, code="one_more", name_ru="Ещё")
    with pytest.raises(Refused):
        define_metric(company=rival.company, by=rival.analyst, at=NOW, code="leads", name_ru="Лиды")

    known = metrics_of(company=acme.company)
    assert list(known) == [*BUILT_IN, *(f"own_{number}" for number in range(12))]
    assert known["own_11"].column == "extra_12"
    assert metrics_of(company=rival.company) == BUILT_IN


def test_code_means_one_thing(acme):
    make(acme, code="calls")

    with pytest.raises(Refused, match="calls"):
        define_metric(company=acme.company, by=acme.analyst, at=NOW, code="calls", name_ru="Звонки")


def test_measures_are_metrics_and_kpis(acme):
    install_builtin_kpis(company=acme.company, at=NOW)
    define_metric(company=acme.company, by=acme.analyst, at=NOW, code="calls", name_ru="Звонки", name_en="Calls")

    with translation.override("en"):
        found = measures_of(company=acme.company)

    assert (found["spend"].better, found["leads"].better, found["unsubscribes"].better) == (None, "higher", "lower")
    assert (found["calls"].name, found["calls"].unit, found["calls"].is_kpi) == ("Calls", "count", False)
    assert (found["cpa"].unit, found["cpa"].better, found["cpa"].is_kpi) == ("money", "lower", True)
    known = metrics_of(company=acme.company)
    assert [code for code in ("romi", "drr", "ctr", "cpa", "spend", "leads") if is_money(found[code], known)] == [
        "romi", "drr", "cpa", "spend",
    ]  # fmt: skip


def test_funnel_is_the_default_until_the_company_sets_its_own(acme, rival):
    assert funnel_of(company=acme.company) == ["visits", "leads", "qualified_leads", "deals"]
    define_metric(company=acme.company, by=acme.analyst, at=NOW, code="measurements", name_ru="Замеры")
    stages = ["visits", "leads", "qualified_leads", "measurements", "deals"]

    for reason in ("Появились замеры", ""):
        set_funnel(company=acme.company, by=acme.cmo, at=NOW, stages=stages, reason=reason)

    assert funnel_of(company=acme.company) == stages
    assert funnel_of(company=rival.company) == ["visits", "leads", "qualified_leads", "deals"]
    assert AuditEvent.objects.filter(company=acme.company, verb="set_funnel").count() == 1


@pytest.mark.parametrize("stages", [["visits"], ["visits", "visits"], ["spend", "leads"], ["visits", "nope"], []])
def test_funnel_of_nonsense_is_refused(acme, stages):
    with pytest.raises(Refused):
        set_funnel(company=acme.company, by=acme.cmo, at=NOW, stages=stages, reason="Проверка")

    assert funnel_of(company=acme.company) == ["visits", "leads", "qualified_leads", "deals"]


def test_formula_in_words():
    from decimal import Decimal

    formula, sums = parse("(gross_profit-spend)/spend"), {"gross_profit": Decimal(1500), "spend": None}

    with translation.override("ru"):
        assert wording.in_words(formula, BUILT_IN) == "(Валовая прибыль − расход) / расход"
        assert wording.with_sums(formula, sums, BUILT_IN, "RUB") == "(1\u00a0500\u00a0₽ − —) / —"
        assert wording.in_words(parse("-0.5 * leads + clicks"), BUILT_IN) == "−0,5 × лиды + клики"
    with translation.override("en"):
        assert wording.in_words(formula, BUILT_IN) == "(Gross profit − spend) / spend"
