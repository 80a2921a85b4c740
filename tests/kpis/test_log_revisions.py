"""The log answers "what did it say then": late data keeps the line it changes, and a pass that changes nothing keeps none."""

from datetime import timedelta

from django.urls import reverse

from kpis.models import EvaluationLog, EvaluationLogRevision

from .test_evaluation import BAD, GOOD, NOW, TODAY, evaluate, world  # noqa: F401

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
    import time_machine

    with time_machine.travel(later, tick=False):
        page = sign_in(world.cmo).get(reverse("kpis:stop-rule-detail", args=[world.company.slug, rule.pk]))
    assert page.status_code == 200
    assert "Раньше было" in page.content.decode() or "Said before" in page.content.decode()
    assert [len(line.before) for line in page.context["page"].log] == [1, 1, 0, 0]
