"""The log answers "what did it say then": late data keeps the line it changes, and a pass that changes nothing keeps none."""

from datetime import timedelta
from decimal import Decimal

import time_machine
from django.urls import reverse

from kpis.models import EvaluationLog, EvaluationLogRevision
from kpis.services.facts import record_facts
from kpis.services.imports import undo_import

from .test_evaluation import BAD, GOOD, NOW, TODAY, evaluate, world  # noqa: F401
from .test_log_loads import load

DAY = timedelta(days=1)


def test_a_line_that_late_data_changes_is_kept_as_it_was(world, sign_in):  # noqa: F811
    rule = world.rule()
    world.facts([GOOD, BAD, BAD, BAD])
    evaluate(world)
    evaluate(world)
    assert not EvaluationLogRevision.objects.exists()
    world.facts([GOOD], last=TODAY - 2 * DAY)
    later = NOW + timedelta(minutes=5)
    evaluate(world, later)
    evaluate(world, later)

    kept = EvaluationLogRevision.objects.get(day=TODAY - 2 * DAY)
    assert (kept.day_class, kept.state, kept.streak, kept.changed_at) == ("breach", "pending", 2, later)
    assert (kept.numerator, kept.denominator) == BAD
    assert EvaluationLog.objects.get(day=TODAY - 2 * DAY).day_class == "ok"
    # the day after was judged otherwise too: its streak is shorter now
    assert list(EvaluationLogRevision.objects.order_by("day").values_list("day", "state")) == [
        (TODAY - 2 * DAY, "pending"), (TODAY - DAY, "firing"),
    ]  # fmt: skip

    with time_machine.travel(later, tick=False):
        page = sign_in(world.cmo).get(reverse("kpis:stop-rule-detail", args=[world.company.slug, rule.pk]))
    assert page.status_code == 200
    assert "Раньше было" in page.content.decode() or "Said before" in page.content.decode()
    assert [len(line.before) for line in page.context["page"].log] == [1, 1, 0, 0]


def test_the_api_tells_what_was_said_before_and_hides_money(world, sign_in):  # noqa: F811
    rule = world.rule()
    world.facts([GOOD, BAD, BAD, BAD])
    evaluate(world)
    world.facts([GOOD], last=TODAY - 2 * DAY)
    evaluate(world, NOW + timedelta(minutes=5))
    path = f"/api/v1/c/{world.company.slug}/stop-rules/{rule.pk}/log/"

    with time_machine.travel(NOW + timedelta(minutes=6), tick=False):
        days = {row["date"]: row for row in sign_in(world.cmo).get(path, {"channel": "vk"}).json()}
        hidden = {row["date"]: row for row in sign_in(world.content).get(path, {"channel": "vk"}).json()}
        assert sign_in(world.cmo).get(path, {"channel": "no"}).status_code == 404
        assert sign_in(world.cmo).get(path).status_code == 404
    changed = days[(TODAY - 2 * DAY).isoformat()]

    assert (changed["day_class"], [row["day_class"] for row in changed["before"]]) == ("ok", ["breach"])
    assert changed["before"][0]["numerator"] == str(BAD[0])
    assert days[(TODAY - 3 * DAY).isoformat()]["before"] == []
    money = hidden[(TODAY - 2 * DAY).isoformat()]
    assert (money["numerator"], money["before"][0]["numerator"]) == (None, None)
    assert money["denominator"] is not None


def test_an_undone_load_leaves_what_the_log_said_with_it(world):  # noqa: F811
    world.rule()
    world.facts([GOOD, GOOD, GOOD])
    evaluate(world)
    load = record_facts(
        company=world.company, by=world.analyst, at=NOW, source_code="ads",
        rows=[{"channel": "vk", "date": (TODAY - DAY).isoformat(), "spend": Decimal(BAD[0]), "qualified_leads": Decimal(BAD[1])}],
    ).load  # fmt: skip
    evaluate(world, NOW + timedelta(minutes=1))
    assert EvaluationLog.objects.get(day=TODAY - DAY).day_class == "breach"

    undo_import(company=world.company, by=world.analyst, at=NOW + timedelta(minutes=2), load=load)
    evaluate(world, NOW + timedelta(minutes=3))

    assert EvaluationLog.objects.get(day=TODAY - DAY).day_class == "ok"
    said = list(
        EvaluationLogRevision.objects.filter(day=TODAY - DAY).order_by("pk").values_list("day_class", "changed_at")
    )
    assert said == [("ok", NOW + timedelta(minutes=1)), ("breach", NOW + timedelta(minutes=3))]


def test_a_line_that_an_undone_load_made_is_kept_and_no_other_load_is_blamed_for_its_change(world, sign_in):  # noqa: F811
    rule = world.rule()
    load(world, world.ads, spend=9000, leads=90)
    evaluate(world)
    wrong = load(world, world.ads, spend=9000, leads=5)
    evaluate(world)
    undo_import(company=world.company, by=world.analyst, at=NOW, load=wrong)
    later = NOW + timedelta(minutes=5)
    evaluate(world, later)

    assert EvaluationLog.objects.get().day_class == "ok"
    good, bad = EvaluationLogRevision.objects.order_by("pk")
    assert (good.day_class, good.changed_by_load_id) == ("ok", wrong.pk)
    assert (bad.day_class, bad.denominator, bad.seen_load_id, bad.changed_at) == ("breach", 5, wrong.pk, later)
    assert bad.changed_by_load_id is None

    page = sign_in(world.cmo).get(reverse("kpis:stop-rule-detail", args=[world.company.slug, rule.pk]))
    assert [line.changed_by for line in page.context["page"].log[0].before] == [None, wrong.pk]
