"""The mass-fire guard: when everything burns at once the figures are looked at first."""

from datetime import timedelta

import pytest

from kpis.models import Breach, DataIncident, EvaluationLog, StopRuleVersion
from kpis.services.incidents import MayNotRelease, NotHeld, release_incident
from processes import services as processes
from roles.models import AuditEvent, Campaign, Channel
from roles.refusals import Refused

from .test_evaluation import BAD, GOOD, NOW, TODAY, evaluate, world  # noqa: F401

Kind, State = DataIncident.Kind, DataIncident.State


@pytest.fixture
def city(world):  # noqa: F811
    """Five active channels, all under one rule: CPA above 1 000 three days in a row."""
    world.company.language = "ru"
    world.channels = [
        Channel.objects.create(
            company=world.company, code=f"c{number}", name=f"Канал {number}", kind="offline", status="active",
            owner=world.performance,
        )
        for number in range(5)
    ]  # fmt: skip
    world.rule(channel=None, channel_kind="offline")
    return world


def all_of(made, pairs, channels=None, **fields):
    for channel in channels or made.channels:
        made.facts(pairs, channel=channel, **fields)


def opened(made):
    return processes.open_decisions(company=made.company, at=NOW)


def test_many_rules_at_once_are_one_incident_and_no_decision(city):
    all_of(city, [(6000, 10)] * 10 + [BAD] * 3, city.channels[:3])
    all_of(city, [(6000, 10)] * 13, city.channels[3:])

    outcome = evaluate(city)

    [incident] = outcome.incidents_opened
    assert (incident.kind, incident.state, incident.first_day) == (
        Kind.MASS_FIRE,
        State.OPEN,
        TODAY - timedelta(days=3),
    )
    assert incident.figures == {"channels": ["Канал 0", "Канал 1", "Канал 2"], "judged": 5}
    assert Breach.objects.filter(held_by=incident).count() == outcome.held == 3
    assert set(EvaluationLog.objects.filter(day=TODAY - timedelta(days=1)).values_list("state", flat=True)) == {
        "firing",
        "ok",
    }
    assert opened(city) == []
    assert AuditEvent.objects.get(verb="open_data_incident").after["channels"] == incident.figures["channels"]
    again = evaluate(city)
    assert again.rows == 0


@pytest.mark.parametrize(("burning", "held"), [(2, False), (3, True)])
def test_more_than_half_must_burn(city, burning, held):
    all_of(city, [(6000, 10)] * 10 + [BAD] * 3, city.channels[:burning])
    all_of(city, [(6000, 10)] * 13, city.channels[burning:])

    evaluate(city)

    assert DataIncident.objects.exists() is held
    assert len(opened(city)) == (0 if held else burning)


def test_three_channels_are_too_few_for_the_guard(city):
    Channel.objects.filter(pk__in=[channel.pk for channel in city.channels[3:]]).update(status="stopped")
    all_of(city, [(6000, 10)] * 10 + [BAD] * 3, city.channels[:3])

    evaluate(city)

    assert len(opened(city)) == 3


def test_fires_of_different_days_are_no_mass_fire(city):
    for number, channel in enumerate(city.channels):
        city.facts([(6000, 10)] * (11 - 2 * number) + [BAD] * (3 + 2 * number), channel=channel)

    evaluate(city)

    assert not DataIncident.objects.exists()


def test_a_jump_of_the_spend_explains_the_fire(city):
    """Spend has doubled and more: the market or the budgets did it, not the counter."""
    all_of(city, [(3000, 5)] * 28 + [(6000, 5)] * 3)

    evaluate(city)

    assert not DataIncident.objects.exists()
    assert len(opened(city)) == 5


def test_who_releases_it_opens_the_decisions(city):
    all_of(city, [(6000, 10)] * 10 + [BAD] * 3)
    [incident] = evaluate(city).incidents_opened
    common = {"company": city.company, "at": NOW, "incident": incident}

    for person in (city.owner, city.pm, city.performance):
        with pytest.raises(MayNotRelease):
            release_incident(**common, by=person, reason="сойдёт")
    with pytest.raises(Refused):
        release_incident(**common, by=city.analyst, reason=" ")
    done = release_incident(**common, by=city.analyst, reason="Сверено с кабинетами")
    with pytest.raises(NotHeld):
        release_incident(**common, by=city.cmo, reason="ещё раз")

    assert (done.state, done.closed_by, done.note) == (State.RELEASED, city.analyst, "Сверено с кабинетами")
    assert len(opened(city)) == 5
    assert evaluate(city).rows == 0
    assert DataIncident.objects.count() == 1


def test_refined_figures_close_it_by_themselves(city):
    all_of(city, [(6000, 10)] * 10 + [BAD] * 3)
    evaluate(city)
    all_of(city, [(6000, 10)] * 3)

    outcome = evaluate(city)

    assert [row.state for row in outcome.incidents_closed] == [State.CLOSED]
    assert opened(city) == []


# ---------------------------------------------------------------- zeros
def test_zeros_on_two_channels_on_one_day_are_an_incident_before_anything_fires(city):
    all_of(city, [(6000, 10)] * 14 + [(6000, 0)], city.channels[:2])
    all_of(city, [(6000, 10)] * 15, city.channels[2:])

    [incident] = evaluate(city).incidents_opened

    assert (incident.kind, incident.figures["channels"]) == (Kind.ZEROS, ["Канал 0", "Канал 1"])
    assert not Breach.objects.exists()
    assert evaluate(city).rows == 0


@pytest.mark.parametrize(
    "pairs",
    [
        [(6000, 10)] * 14 + [(6000, None)],  # unknown is not zero
        [(6000, 2)] * 14 + [(6000, 0)],  # two a day come and go
        [(6000, 10)] * 14 + [(0, 0)],  # nobody advertised: nothing could come
    ],
)
def test_unknown_days_and_small_channels_make_no_incident(city, pairs):
    all_of(city, pairs, city.channels[:2])

    evaluate(city)

    assert not DataIncident.objects.exclude(kind=Kind.GAP).exists()


def test_a_zero_on_one_channel_is_its_own_trouble(city):
    all_of(city, [(6000, 10)] * 14 + [(6000, 0)], city.channels[:1])

    evaluate(city)

    assert not DataIncident.objects.exists()


def test_zeros_are_seen_where_only_campaigns_are_judged(city):
    """Each channel's campaigns bring two a day, which is little; the channel brings four."""
    StopRuleVersion.objects.update(per="campaign")
    for channel in city.channels[:2]:
        for name in "ab":
            campaign = Campaign.objects.create(company=city.company, channel=channel, external_id=name, name=name)
            all_of(city, [(6000, 2)] * 14 + [(6000, 0)], [channel], campaign=campaign.pk)

    [incident] = evaluate(city).incidents_opened

    assert (incident.kind, incident.figures["channels"]) == (Kind.ZEROS, ["Канал 0", "Канал 1"])


def test_one_campaign_of_a_channel_without_conversions_is_no_zero_of_the_channel(city):
    StopRuleVersion.objects.update(per="campaign")
    for channel in city.channels[:2]:
        for name, last in (("a", 0), ("b", 5)):
            campaign = Campaign.objects.create(company=city.company, channel=channel, external_id=name, name=name)
            all_of(city, [(6000, 5)] * 14 + [(6000, last)], [channel], campaign=campaign.pk)

    evaluate(city)

    assert not DataIncident.objects.filter(kind=Kind.ZEROS).exists()


def test_zeros_that_go_on_are_the_same_incident_and_hold_what_fires(city):
    all_of(city, [(6000, 10)] * 14 + [(6000, 0)], city.channels[:2], last=TODAY - timedelta(days=3))
    [incident] = evaluate(city, at=NOW - timedelta(days=2)).incidents_opened
    all_of(city, [(6000, 0)] * 2, city.channels[:2])

    outcome = evaluate(city)

    incident.refresh_from_db()
    assert (incident.first_day, incident.last_day) == (TODAY - timedelta(days=3), TODAY - timedelta(days=1))
    assert [row.held_by for row in outcome.opened] == [incident, incident]
    assert opened(city) == []


def test_conversions_that_come_late_close_the_day_of_zeros(city):
    all_of(city, [(6000, 10)] * 14 + [(6000, 0)], city.channels[:2])
    evaluate(city)
    all_of(city, [(6000, 9)], city.channels[:2])

    [closed] = evaluate(city).incidents_closed

    assert (closed.kind, closed.state) == (Kind.ZEROS, State.CLOSED)


def test_nothing_of_another_company_counts(city, rival):
    DataIncident.objects.create(company=rival.company, kind=Kind.ZEROS, first_day=TODAY, last_day=TODAY, opened_at=NOW)
    all_of(city, [GOOD] * 15)

    assert evaluate(city).incidents_closed == []
    assert DataIncident.objects.get().state == State.OPEN
