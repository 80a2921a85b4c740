"""The cube against figures computed by hand, and against a slow model that is obviously right."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kpis.formulas import parse
from kpis.models import DailyFact, Metric, Source
from kpis.selectors.cube import KpiValue, load_cube
from roles.fields import LIMIT, MICRO
from roles.models import Campaign

MON = date(2026, 11, 16)
TUE, WED, SUN = MON + timedelta(days=1), MON + timedelta(days=2), MON + timedelta(days=6)
CPL, ROMI = parse("spend / leads"), parse("(gross_profit - spend) / spend")


def source(made, code="crm", priority=100) -> Source:
    return Source.objects.get_or_create(
        company=made.company, code=code, defaults={"name": code, "kind": "file", "priority": priority}
    )[0]


def fact(made, channel, day, *, src="crm", priority=100, campaign=0, **values):
    where = source(made, src, priority)
    DailyFact.objects.create(
        company=made.company, channel=channel, day=day, campaign_id=campaign, source=where, load_id=1, **values
    )


def cube(made, **options):
    return load_cube(company=made.company, start=MON, end=SUN, **options)


def campaign(made, code) -> int:
    return Campaign.objects.create(company=made.company, channel=made.vk, external_id=code, name=code).pk


def test_kpi_is_a_ratio_of_sums_never_a_mean_of_ratios(acme):
    fact(acme, acme.vk, MON, spend=1000, leads=1)
    fact(acme, acme.vk, TUE, spend=1000, leads=9)

    found = cube(acme).kpi(CPL)

    assert found == KpiValue(Decimal(200), Decimal(2000), Decimal(10), 2, 0)


def test_unknown_day_is_left_out_of_both_sums_and_counted(acme):
    fact(acme, acme.vk, MON, spend=1000, leads=5)
    fact(acme, acme.vk, TUE, spend=7000, leads=None)
    fact(acme, acme.blog, MON, leads=50)

    found = cube(acme)

    assert found.kpi(CPL) == KpiValue(Decimal(200), Decimal(1000), Decimal(5), 1, 2)
    assert found.sums(["spend", "leads", "deals"]) == {"spend": 8000, "leads": 55, "deals": None}
    assert found.sums(["leads"], channel_id=acme.vk.pk) == {"leads": 5}
    assert found.sums(["leads"], channel_id=acme.vk.pk, start=TUE) == {"leads": None}


def test_nothing_known_is_no_zero(acme):
    found = cube(acme)

    assert found.kpi(CPL) == KpiValue(None, None, None, 0, 0)
    assert found.sums(["spend"]) == {"spend": None}
    assert found.last_day() is None
    assert found.channel_ids == []


def test_zero_denominator_has_sums_but_no_value(acme):
    fact(acme, acme.vk, MON, spend=1000, leads=0)

    assert cube(acme).kpi(CPL) == KpiValue(None, Decimal(1000), Decimal(0), 1, 0)


def test_channel_is_the_sum_of_its_campaigns_and_its_own_row(acme):
    fact(acme, acme.vk, MON, spend="100.25", leads=None)
    fact(acme, acme.vk, MON, campaign=campaign(acme, "a"), spend="0.000001", leads=2)
    fact(acme, acme.vk, MON, campaign=campaign(acme, "b"), leads=3)

    for campaigns in (False, True):
        found = cube(acme, campaigns=campaigns)
        assert found.sums(["spend", "leads"]) == {"spend": Decimal("100.250001"), "leads": 5}


def test_campaigns_have_their_own_figures(acme):
    first, second = campaign(acme, "a"), campaign(acme, "b")
    fact(acme, acme.vk, MON, campaign=first, spend=100, leads=2)
    fact(acme, acme.vk, TUE, campaign=first, spend=100, leads=0)
    fact(acme, acme.vk, MON, campaign=second, spend=900)

    found = cube(acme, campaigns=True)

    assert found.campaign_kpi(CPL, first).value == 100
    assert found.campaign_kpi(CPL, second) == KpiValue(None, None, None, 0, 1)
    assert found.campaign_kpi(CPL, 999_999) == KpiValue(None, None, None, 0, 0)
    assert found.campaign_daily(CPL, first)[MON].value == 50
    assert found.campaign_daily(CPL, first)[TUE].value is None
    assert sorted(found.campaign_ids) == [first, second]


def test_priority_picks_a_source_per_metric_never_the_sum(acme):
    fact(acme, acme.vk, MON, src="ads", priority=200, spend=500, leads=99)
    fact(acme, acme.vk, MON, src="crm", priority=100, leads=5)
    fact(acme, acme.vk, TUE, src="ads", priority=200, spend=600, leads=98)

    assert cube(acme).sums(["spend", "leads"]) == {"spend": 1100, "leads": 103}


def test_equal_priority_is_settled_by_the_older_source(acme):
    fact(acme, acme.vk, MON, src="first", leads=1)
    fact(acme, acme.vk, MON, src="second", leads=2)

    assert cube(acme).sums(["leads"]) == {"leads": 1}


def test_winning_source_takes_all_campaigns_with_it(acme):
    first, second = campaign(acme, "a"), campaign(acme, "b")
    fact(acme, acme.vk, MON, src="ads", priority=200, campaign=first, leads=10)
    fact(acme, acme.vk, MON, src="ads", priority=200, campaign=second, leads=20)
    fact(acme, acme.vk, MON, src="crm", priority=100, campaign=first, leads=4)

    found = cube(acme, campaigns=True)

    assert found.sums(["leads"]) == {"leads": 4}
    assert found.campaign_kpi(parse("leads"), first).value == 4
    assert found.campaign_kpi(parse("leads"), second).value is None


def test_plain_formula_has_denominator_one_over_many_days(acme):
    fact(acme, acme.vk, MON, spend=100, leads=1)
    fact(acme, acme.vk, TUE, spend=200, leads=1)

    assert cube(acme).kpi(parse("spend / 2 + leads")) == KpiValue(Decimal(152), Decimal(152), Decimal(1), 2, 0)


def test_weeks_and_days(acme):
    fact(acme, acme.vk, MON, spend=100, leads=4)
    fact(acme, acme.vk, SUN, spend=300, leads=4)
    fact(acme, acme.vk, MON - timedelta(days=7), spend=900, leads=1)

    found = load_cube(company=acme.company, start=MON - timedelta(days=7), end=SUN)

    weeks = found.weekly(CPL, [MON - timedelta(days=7), MON])
    assert [week.value for week in weeks] == [900, 50]
    daily = found.daily(CPL, acme.vk.pk)
    assert list(daily) == [MON + timedelta(days=offset) for offset in range(-7, 7)]
    assert (daily[MON].value, daily[TUE].value, daily[SUN].value) == (25, None, 75)
    assert found.last_day() == SUN
    assert found.last_day(acme.blog.pk) is None


def test_period_outside_the_cube_is_unknown(acme):
    fact(acme, acme.vk, MON, spend=100, leads=4)

    assert cube(acme).kpi(CPL, start=SUN, end=MON).value is None
    assert cube(acme).kpi(CPL, end=MON - timedelta(days=3)).value is None
    assert cube(acme).kpi(CPL, channel_ids=[]).value is None
    assert cube(acme, channel_ids=[]).channel_ids == []


def test_own_metrics_are_read_by_their_slot(acme):
    Metric.objects.create(company=acme.company, code="measurements", name_ru="Замеры", slot=7)
    fact(acme, acme.vk, MON, leads=10, extra_7=4)

    found = cube(acme, metrics=["leads", "measurements"])

    assert found.kpi(parse("measurements / leads")).value == Decimal("0.4")
    with pytest.raises(KeyError):
        cube(acme, metrics=["extra_7"])


def test_other_company_never_counts(acme, rival):
    fact(acme, acme.vk, MON, spend=100, leads=1)
    fact(rival, rival.vk, MON, spend=999_999, leads=1)

    assert cube(acme).kpi(CPL).value == 100
    assert cube(acme, channel_ids=[rival.vk.pk]).kpi(CPL).value is None


def test_sums_beyond_64_bits_are_exact(acme):
    most = Decimal(LIMIT) / MICRO
    for code in ("a", "b"):
        fact(acme, acme.vk, MON, campaign=campaign(acme, code), spend=most, leads=1)

    assert cube(acme).sums(["spend", "leads"]) == {"spend": 2 * most, "leads": 2}


def test_one_query_whatever_the_size(acme):
    for offset in range(5):
        fact(acme, acme.vk, MON + timedelta(days=offset), src=f"s{offset}", spend=1, leads=1)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        cube(acme, metrics=["spend", "leads"]).weekly(CPL, [MON])

    assert len(queries) == 1


CELLS = st.one_of(st.none(), st.integers(0, 3), st.integers(0, 10**12))
ROWS = st.dictionaries(
    st.tuples(st.integers(0, 3), st.sampled_from(["vk", "blog"]), st.integers(0, 2), st.sampled_from("abc")),
    st.tuples(CELLS, CELLS, CELLS),
    max_size=14,
)
METRICS = ("spend", "leads", "gross_profit")
PRIORITY = {"a": 100, "b": 100, "c": 50}


def slow_cells(rows: dict, sources: dict[str, int]) -> dict:
    """(day, channel, metric) → micros: sum per source, then the strongest source that knows it."""
    cells = {}
    for place, metric in enumerate(METRICS):
        for day in range(4):
            for channel in ("vk", "blog"):
                for src in sorted(sources, key=lambda code: (PRIORITY[code], sources[code])):
                    known = [
                        values[place] for (d, c, _k, s), values in rows.items()
                        if (d, c, s) == (day, channel, src) and values[place] is not None
                    ]  # fmt: skip
                    if known:
                        cells[day, channel, metric] = sum(known)
                        break
    return cells


def slow_kpi(formula, cells: dict, channels, days):
    above, below, known, left_out = Fraction(0), Fraction(0), 0, 0
    for channel in channels:
        for day in days:
            values = {metric: cells.get((day, channel, metric)) for metric in formula.metrics}
            if None not in values.values():
                known += 1
                above += sum(factor * values[code] for code, factor in formula.numerator)
                below += sum(factor * values[code] for code, factor in formula.denominator)
            elif any(value is not None for value in values.values()):
                left_out += 1
    return above, below, known, left_out


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=ROWS,
    text=st.sampled_from(["spend / leads", "(gross_profit - spend) / spend", "spend / 3", "gross_profit / leads - 2"]),
    days=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    campaigns=st.booleans(),
)
def test_cube_equals_the_slow_model(acme, rows, text, days, campaigns):
    sources = {code: source(acme, code, PRIORITY[code]).pk for code in "abc"}
    channel_of = {"vk": acme.vk.pk, "blog": acme.blog.pk}
    DailyFact.objects.filter(company=acme.company).delete()
    DailyFact.objects.bulk_create(
        DailyFact(
            company=acme.company, day=MON + timedelta(days=day), channel_id=channel_of[channel], campaign_id=part,
            source_id=sources[src], load_id=1,
            **{metric: None if v is None else Decimal(v) / MICRO for metric, v in zip(METRICS, values, strict=True)},
        )
        for (day, channel, part, src), values in rows.items()
    )  # fmt: skip
    formula, first, last = parse(text), MON + timedelta(days=days[0]), MON + timedelta(days=days[1])

    found = cube(acme, metrics=METRICS, campaigns=campaigns)

    for channels in (["vk"], ["vk", "blog"]):
        value = found.kpi(formula, [channel_of[code] for code in channels], start=first, end=last)
        above, below, known, left_out = slow_kpi(
            formula, slow_cells(rows, sources), channels, range(days[0], days[1] + 1)
        )
        assert (value.known_pairs, value.left_out) == (known, left_out)
        if not known:
            assert value.numerator is None
            continue
        assert abs(Fraction(value.numerator) * MICRO - above) < Fraction(1, 1000)
        if formula.is_ratio:
            assert value.denominator * MICRO == below
            assert (value.value is None) == (below == 0)
            if below:
                assert abs(Fraction(value.value) - above / below) <= abs(above / below) / 10**20
        else:
            assert value.value == value.numerator
