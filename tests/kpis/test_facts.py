"""The way into the facts: idempotent, per source, per metric, undoable; parents checked; on both engines."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from kpis import facts
from kpis.facts import FactRow
from kpis.models import DailyFact, Evaluation, FactRevision, Import, Metric, Source
from roles.models import Campaign

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
MON, TUE = date(2026, 11, 16), date(2026, 11, 17)


def source(made, code="crm", priority=100) -> Source:
    return Source.objects.get_or_create(
        company=made.company, code=code, defaults={"name": code, "kind": "file", "priority": priority}
    )[0]


def load(made, code="crm") -> Import:
    return Import.objects.create(
        company=made.company, source=source(made, code), state="done", sha256="0" * 64, created_at=NOW
    )


def record(made, rows, metrics=("spend", "leads"), code="crm"):
    made_load = load(made, code)
    return made_load, facts.record(company=made.company, load=made_load, rows=rows, metrics=metrics)


def row(made, day=MON, campaign=0, **values) -> FactRow:
    return FactRow(made.vk.pk, campaign, day, values)


def stored(made, day=MON, campaign=0, code="crm") -> DailyFact | None:
    return DailyFact.objects.filter(
        company=made.company, channel=made.vk, day=day, campaign_id=campaign, source__code=code
    ).first()


def test_the_same_load_twice_changes_nothing(acme):
    rows = [row(acme, spend=Decimal("1234.56"), leads=5), row(acme, TUE, spend=0, leads=None)]

    _first, counts = record(acme, rows)
    again, repeated = record(acme, rows)

    assert (counts.created, counts.changed, counts.unchanged, counts.first_changed) == (2, 0, 0, MON)
    assert (repeated.created, repeated.changed, repeated.unchanged, repeated.first_changed) == (0, 0, 2, None)
    assert not FactRevision.objects.filter(load=again).exists()
    assert stored(acme).spend == Decimal("1234.56")
    assert stored(acme, TUE).spend == 0
    assert stored(acme, TUE).leads is None


def test_two_sources_never_overwrite_each_other(acme):
    record(acme, [row(acme, spend=100, leads=5)], code="crm")
    _load, counts = record(acme, [row(acme, spend=200, leads=7)], code="ads")

    assert counts.created == 1
    assert stored(acme, code="crm").leads == 5
    assert stored(acme, code="ads").leads == 7


def test_a_metric_left_out_of_the_load_keeps_its_value_and_none_clears_it(acme):
    record(acme, [row(acme, spend=100, leads=5)])

    _load, counts = record(acme, [row(acme, spend=None)], metrics=("spend",))

    assert counts.changed == 1
    assert stored(acme).spend is None
    assert stored(acme).leads == 5


def test_a_metric_left_out_of_one_row_keeps_its_value(acme):
    record(acme, [row(acme, spend=100, leads=5), row(acme, TUE, spend=10, leads=1)])

    _load, counts = record(acme, [row(acme, leads=6), row(acme, TUE, spend=11)])

    assert (counts.created, counts.changed) == (0, 2)
    assert (stored(acme).spend, stored(acme).leads) == (100, 6)
    assert (stored(acme, TUE).spend, stored(acme, TUE).leads) == (11, 1)


def test_a_row_that_knows_nothing_makes_no_fact(acme):
    _load, counts = record(acme, [row(acme, spend=None, leads=None)])

    assert (counts.created, counts.unchanged) == (0, 1)
    assert stored(acme) is None


def test_own_metrics_live_in_their_slot(acme):
    Metric.objects.create(company=acme.company, code="calls", name_ru="Звонки", slot=3)

    record(acme, [row(acme, calls=Decimal("2.5"))], metrics=("calls",))

    assert stored(acme).extra_3 == Decimal("2.5")
    with pytest.raises(KeyError):
        record(acme, [row(acme, nonsense=1)], metrics=("nonsense",))


def test_a_foreign_channel_or_campaign_is_refused_and_nothing_is_written(acme, rival):
    foreign = Campaign.objects.create(company=rival.company, channel=rival.vk, external_id="c", name="c")
    elsewhere = Campaign.objects.create(company=acme.company, channel=acme.blog, external_id="c", name="c")

    for bad in (
        FactRow(rival.vk.pk, 0, MON, {"spend": 1}),
        row(acme, campaign=foreign.pk, spend=1),
        row(acme, campaign=elsewhere.pk, spend=1),
    ):
        with pytest.raises(facts.ForeignParent):
            record(acme, [row(acme, TUE, spend=1), bad], metrics=("spend",))
    assert not DailyFact.objects.exists()


def test_a_key_twice_is_refused_with_its_lines(acme):
    with pytest.raises(facts.RepeatedKey) as refusal:
        record(acme, [row(acme, spend=1), row(acme, TUE, spend=1), row(acme, spend=2)], metrics=("spend",))

    assert refusal.value.lines == [(0, 2)]
    assert not DailyFact.objects.exists()


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), Decimal("1e13")])
def test_numbers_that_are_none_are_refused(acme, value):
    with pytest.raises(ValueError, match=r"finite|large"):
        record(acme, [row(acme, spend=value)], metrics=("spend",))
    assert not DailyFact.objects.exists()


def test_a_load_asks_for_an_evaluation_from_its_earliest_changed_day(acme):
    record(acme, [row(acme, spend=1), row(acme, TUE, spend=2)], metrics=("spend",))
    record(acme, [row(acme, spend=1), row(acme, TUE, spend=3)], metrics=("spend",))
    record(acme, [row(acme, spend=1), row(acme, TUE, spend=3)], metrics=("spend",))

    order = Evaluation.objects.get(company=acme.company)
    assert order.dirty_from == MON
    assert order.request == 2


def test_undo_gives_back_what_was_before(acme):
    first, _counts = record(acme, [row(acme, spend=100, leads=5)])
    second, _counts = record(acme, [row(acme, spend=150), row(acme, TUE, spend=9)], metrics=("spend",))

    counts = facts.undo(company=acme.company, load=second, at=NOW)

    assert (counts.changed, counts.created, counts.unchanged) == (1, 1, 0)
    assert (stored(acme).spend, stored(acme).leads, stored(acme).load_id) == (100, 5, first.pk)
    assert stored(acme, TUE) is None


def test_undo_leaves_what_a_later_load_changed(acme):
    first, _counts = record(acme, [row(acme, spend=1), row(acme, TUE, spend=2)], metrics=("spend",))
    record(acme, [row(acme, spend=10)], metrics=("spend",))

    counts = facts.undo(company=acme.company, load=first, at=NOW)

    assert (counts.created, counts.changed, counts.unchanged) == (1, 0, 1)
    assert stored(acme).spend == 10
    assert stored(acme, TUE) is None


def test_undoing_both_loads_in_either_order_leaves_nothing(acme):
    loads = [record(acme, [row(acme, spend=value)], metrics=("spend",))[0] for value in (1, 2)]

    for each in loads:
        Import.objects.filter(pk=each.pk).update(state="undone")
        facts.undo(company=acme.company, load=each, at=NOW)

    assert not DailyFact.objects.exists()
