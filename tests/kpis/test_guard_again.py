"""Incidents that come back: the same run long after, two runs of zeros, a company's own answer whatever its neighbours."""

from datetime import timedelta

from kpis.models import DataIncident, StopRuleVersion

from .test_evaluation import BAD, GOOD, NOW, TODAY, evaluate, world  # noqa: F401
from .test_guard import all_of, city, opened  # noqa: F401

DAY = timedelta(days=1)


def test_two_runs_of_zeros_are_two_incidents_and_neither_closes_the_other(city):  # noqa: F811
    all_of(city, [(6000, 10)] * 14 + [(6000, 0)] * 3, city.channels[:2], last=TODAY - 4 * DAY)
    held = evaluate(city, at=NOW - 3 * DAY).held
    all_of(city, [(6000, 5), (6000, 5), (6000, 0)], city.channels[:2])

    evaluate(city)

    rows = DataIncident.objects.order_by("first_day").values_list("kind", "state", "first_day")
    assert held == 2
    assert list(rows) == [("zeros", "open", TODAY - 6 * DAY), ("zeros", "open", TODAY - DAY)]
    assert opened(city) == []


def test_a_mass_fire_of_a_long_window_is_one_incident(city):  # noqa: F811
    """Its first breaching day lies twenty days back: it is found there again, not made anew."""
    StopRuleVersion.objects.update(n=20, max_span=41)
    two_ago = {"last": TODAY - 2 * DAY}
    all_of(city, [(6000, 10)] * 10 + [BAD] * 20, city.channels[:3], **two_ago)
    all_of(city, [(6000, 10)] * 11 + [BAD] * 19, city.channels[3:4], **two_ago)
    all_of(city, [(6000, 10)] * 30, city.channels[4:], **two_ago)
    evaluate(city, at=NOW - DAY)
    all_of(city, [BAD], city.channels[:4])
    all_of(city, [GOOD], city.channels[4:])

    outcome = evaluate(city)

    assert DataIncident.objects.count() == 1
    assert (outcome.held, opened(city)) == (1, [])


def test_a_gap_whose_figures_came_and_were_undone_is_the_gap_it_was(world):  # noqa: F811
    world.rule()
    days = 60
    world.facts([GOOD] * 5 + [(100, None)] * days)
    evaluate(world, at=NOW - (days - 4) * DAY)
    world.facts([GOOD] * (days - 4))
    evaluate(world, at=NOW - DAY)
    world.facts([(100, None)] * (days - 4))

    evaluate(world)

    [row] = DataIncident.objects.all()
    assert (row.state, row.last_day) == ("open", TODAY - DAY)
