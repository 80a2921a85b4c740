"""The log remembers which loads it saw: "why did it (not) fire on the 14th" is answered with the figures of that time."""

from datetime import timedelta

from django.urls import reverse

from kpis import facts
from kpis.facts import FactRow
from kpis.models import EvaluationLog, Import
from kpis.selectors.log_loads import loads_behind

from .test_evaluation import NOW, TODAY, evaluate, world  # noqa: F401

DAY = TODAY - timedelta(days=1)


def load(made, source, spend=None, leads=None, day=DAY) -> Import:
    row = Import.objects.create(
        company=made.company, source=source, state="done", sha256="0" * 64, created_at=NOW, filename="a.csv"
    )
    metrics = {name: value for name, value in (("spend", spend), ("qualified_leads", leads)) if value is not None}
    facts.record(company=made.company, load=row, rows=[FactRow(made.vk.pk, 0, day, metrics)], metrics=list(metrics))
    return row


def log(made):
    return list(EvaluationLog.objects.filter(company=made.company).order_by("day"))


def test_a_day_knows_the_loads_it_was_judged_by_and_what_changed_it_since(world):  # noqa: F811
    world.rule()
    spend, leads = load(world, world.ads, spend=9000), load(world, world.crm, leads=5)
    evaluate(world)
    refined = load(world, world.crm, leads=9)

    behind = loads_behind(company=world.company, rows=log(world))[DAY]

    assert (behind.seen, behind.later) == ([spend, leads], [refined])
    evaluate(world)
    behind = loads_behind(company=world.company, rows=log(world))[DAY]
    assert (behind.seen, behind.later) == ([spend, refined], [])


def test_a_load_that_changes_nothing_of_the_day_leaves_its_line_alone(world):  # noqa: F811
    world.rule()
    load(world, world.ads, spend=9000, leads=5)
    evaluate(world)
    [before] = log(world)
    load(world, world.ads, spend=9000, leads=5)

    assert evaluate(world).rows == 0
    assert log(world)[0].seen_load_id == before.seen_load_id


def test_the_page_of_the_rule_leads_to_the_loads(world, sign_in):  # noqa: F811
    rule = world.rule()
    row = load(world, world.ads, spend=9000, leads=5)
    evaluate(world)

    response = sign_in(world.analyst).get(reverse("kpis:stop-rule-detail", args=[world.company.slug, rule.pk]))

    assert reverse("kpis:import-detail", args=[world.company.slug, row.pk]) in response.content.decode()
