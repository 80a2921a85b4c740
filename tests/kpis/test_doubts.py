"""Days held in doubt by a person: no rule has data for them until they are released; in one company and in many alike."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from kpis import metrics
from kpis.fleet.inputs import read_inputs
from kpis.fleet.replays import replay_fleet
from kpis.histories import read_history
from kpis.models import Breach, DataIncident, Evaluation, EvaluationLog, RuleState
from kpis.replay import in_force, replay
from kpis.services.incidents import AlreadyDoubted, MayNotRelease, NotHeld, open_doubt, release_incident
from roles.models import AuditEvent, Campaign
from roles.refusals import Refused
from tests.conftest import shown

from .test_evaluation import BAD, GOOD, NOW, TODAY, evaluate, world  # noqa: F401

YESTERDAY = TODAY - timedelta(days=1)
State = DataIncident.State


def doubt(made, days=3, channel="vk", by="analyst", **fields):
    values = {
        "channel": getattr(made, channel) if channel else None, "first_day": YESTERDAY - timedelta(days=days - 1),
        "last_day": YESTERDAY, "why": "Счётчик отвалился",
    }  # fmt: skip
    return open_doubt(company=made.company, by=getattr(made, by), at=NOW, **values | fields)


def release(made, incident, by="analyst"):
    return release_incident(
        company=made.company, by=getattr(made, by), at=NOW, incident=incident, reason="Сверено с кабинетом"
    )


def classes() -> list[str]:
    return list(EvaluationLog.objects.order_by("day").values_list("day_class", flat=True))


@pytest.mark.parametrize("channel", ["vk", None])
def test_doubtful_days_open_no_breach_and_count_again_when_released(world, channel):  # noqa: F811
    world.rule()
    world.facts([GOOD, GOOD, BAD, BAD, BAD])
    incident = doubt(world, channel=channel)

    first = evaluate(world)

    assert not first.opened
    assert classes() == ["ok", "ok", "missing", "missing", "missing"]
    assert RuleState.objects.get().state == "no_data"  # never green
    assert DataIncident.objects.get() == incident  # no second incident about the same days
    assert Evaluation.objects.get(company=world.company).dirty_from == incident.first_day

    release(world, incident)
    again = evaluate(world)

    [breach] = again.opened
    assert breach.found_late
    assert classes()[-3:] == ["breach"] * 3
    assert evaluate(world).rows == 0


def test_an_open_breach_goes_when_its_days_are_doubted_and_comes_again(world):  # noqa: F811
    world.rule()
    world.facts([GOOD, BAD, BAD, BAD])
    [breach] = evaluate(world).opened

    incident = doubt(world)
    evaluate(world)
    breach.refresh_from_db()
    assert (breach.closed_as, breach.closed_on) == ("gone", TODAY)

    release(world, incident)
    evaluate(world)
    breach.refresh_from_db()
    assert breach.closed_on is None
    assert Breach.objects.count() == 1


@pytest.mark.parametrize("policy", ["breach", "ok"])
def test_no_policy_for_missing_days_judges_doubtful_ones(world, policy):  # noqa: F811
    world.rule(no_data=policy)
    world.facts([GOOD, GOOD, BAD, BAD, BAD])
    doubt(world)

    assert not evaluate(world).opened
    assert classes()[-3:] == ["missing"] * 3


def test_a_real_gap_beside_doubtful_days_is_still_an_incident(world):  # noqa: F811
    world.rule()
    world.facts([GOOD, GOOD, BAD], last=TODAY - timedelta(days=4))
    doubt(world, first_day=TODAY - timedelta(days=4), last_day=TODAY - timedelta(days=4))

    [gap] = evaluate(world).incidents_opened

    assert (gap.kind, gap.first_day) == ("gap", TODAY - timedelta(days=4))


def test_another_channel_and_another_company_are_judged(world, rival):  # noqa: F811
    world.rule()
    world.rule(number=2, channel=world.blog)
    world.facts([GOOD, BAD, BAD, BAD])
    world.facts([GOOD, BAD, BAD, BAD], channel=world.blog)
    doubt(rival, channel=None)
    doubt(world)

    assert [row.channel for row in evaluate(world).opened] == [world.blog]


@pytest.mark.parametrize("fields", [
    {}, {"window": "pooled", "n": 3, "minimum_sample": 3}, {"window": "since_conversion", "k": 2}, {"window": "m_of_n", "n": 4, "m": 2},
])  # fmt: skip
@pytest.mark.parametrize("channel", ["vk", None])
def test_one_company_and_many_see_the_same(world, rival, fields, channel):  # noqa: F811
    campaign = Campaign.objects.create(
        company=world.company, channel=world.vk, external_id="1", name="1", status="active"
    )
    world.rule(**fields)
    world.rule(number=2, per="campaign", **fields)
    world.facts([GOOD, BAD, GOOD, BAD, BAD, BAD, BAD])
    world.facts([GOOD, BAD, BAD, BAD, BAD, BAD], campaign=campaign.pk)
    doubt(world, channel=channel, days=2)
    doubt(rival, channel=None, days=9)

    alone = replay(company=world.company, versions=in_force(company=world.company), today=TODAY)
    [together] = replay_fleet(inputs=read_inputs(companies=[world.company, rival.company]), today=TODAY)
    cut = together.alone(world.company.pk)

    keys = [[one.key for one in found.series] for found in (alone, cut)]
    order = [keys[1].index(key) for key in keys[0]]
    assert (alone.outcome.classes == cut.outcome.classes[order]).all()
    assert (alone.outcome.states == cut.outcome.states[order]).all()
    assert (alone.figures.doubtful == cut.figures.doubtful[order]).all()
    assert alone.figures.doubtful.any()


def test_a_budget_does_not_count_doubtful_spend(world):  # noqa: F811
    world.vk.monthly_budget = 10_000
    world.vk.save()
    world.rule(window="budget", period="month", line=1, n=1)
    world.facts([(3000, 1), (9000, 1)])
    doubt(world, days=1)

    assert not evaluate(world).opened
    assert classes()[-1] == "missing"


def test_one_doubtful_day_makes_a_mailing_unknown(world):  # noqa: F811
    campaign = Campaign.objects.create(company=world.company, channel=world.vk, external_id="1", name="1", series="s")
    world.facts([(1, 1)] * 4, campaign=campaign.pk, sends=100)
    doubt(world, first_day=TODAY - timedelta(days=3), last_day=TODAY - timedelta(days=3))
    infos = [metrics.BUILT_IN[code] for code in ("sends", "spend")]

    history = read_history(company=world.company, metrics=infos, today=TODAY)
    mailing = history.of_mailings([(world.vk.pk, campaign.pk)])

    assert not mailing.columns["spend"].known.any()
    assert mailing.doubtful[0, 0]


# ---------------------------------------------------------------- who and what
def test_only_those_who_answer_for_figures_open_and_end_it(world):  # noqa: F811
    with pytest.raises(MayNotRelease):
        doubt(world, by="performance")
    incident = doubt(world, by="cmo")
    with pytest.raises(MayNotRelease):
        release(world, incident, by="pm")
    release(world, incident)
    with pytest.raises(NotHeld):
        release(world, incident)

    told = AuditEvent.objects.filter(object_type="kpis.dataincident").order_by("pk")
    assert [(event.verb, event.reason) for event in told] == [
        ("open_data_incident", "Счётчик отвалился"), ("release_data_incident", "Сверено с кабинетом"),
    ]  # fmt: skip


@pytest.mark.parametrize(("fields", "field"), [
    ({"why": "  "}, "why"), ({"first_day": TODAY}, "last_day"), ({"last_day": TODAY + timedelta(days=1)}, "last_day"),
    ({"first_day": date(2026, 1, 1)}, "first_day"),
])  # fmt: skip
def test_what_makes_no_sense_is_refused(world, fields, field):  # noqa: F811
    with pytest.raises(Refused) as refusal:
        doubt(world, **fields)

    assert refusal.value.errors[0].field == field
    assert not DataIncident.objects.exists()


def test_the_same_days_twice_are_refused_until_released(world):  # noqa: F811
    incident = doubt(world)
    with pytest.raises(AlreadyDoubted):
        doubt(world, days=2)
    doubt(world, channel="blog")
    release(world, incident)
    doubt(world)


def test_the_database_keeps_the_company(world, rival):  # noqa: F811
    doubt(world, channel=None)

    with pytest.raises(IntegrityError), transaction.atomic():
        DataIncident.objects.update(channel=rival.vk)


# ---------------------------------------------------------------- pages
ADDRESS = "/c/acme/data-incidents/new/"


def fields(made, **more) -> dict:
    return {"channel": made.vk.pk, "first_day": "2026-11-17", "last_day": "2026-11-19", "why": "Счётчик"} | more


def test_the_analyst_opens_one_from_a_page_and_ends_it(world, rival, sign_in):  # noqa: F811
    browser = sign_in(world.analyst)
    prefilled = browser.get(ADDRESS, {"channel": "vk", "from": "2026-11-17", "to": "2026-11-19"}).content.decode()
    assert 'value="2026-11-17"' in prefilled

    assert browser.post(ADDRESS, fields(world, channel=rival.vk.pk)).status_code == 400
    assert browser.post(ADDRESS, fields(world, why="")).status_code == 400
    opened = browser.post(ADDRESS, fields(world))
    assert browser.post(ADDRESS, fields(world)).status_code == 409

    seen = shown(browser.get(opened.url).content.decode())
    assert "Счётчик" in seen
    assert "Пусть дни снова считаются" in seen
    listed = shown(browser.get("/c/acme/data-incidents/").content.decode())
    assert "цифры под сомнением" in listed
    assert browser.post(opened.url, {"reason": "Починили"}).status_code == 302
    assert DataIncident.objects.get().state == State.RELEASED
    assert sign_in(world.performance).post(ADDRESS, fields(world)).status_code == 403
