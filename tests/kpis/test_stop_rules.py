"""Writing stop-rules: defaults, versions with reasons, signatures, what is refused; and what selectors say of them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import translation

from kpis.evaluation import evaluate_company
from kpis.models import Breach, DailyFact, Evaluation, RuleState, Source, StopRuleVersion, Verdict
from kpis.selectors import over_line
from kpis.selectors import stop_rules as reads
from kpis.services.kpis import install_builtin_kpis
from kpis.services.stop_rules import (
    MayNotApproveRule,
    MayNotWriteRule,
    NothingWaits,
    RuleChanged,
    approve_stop_rule,
    create_stop_rule,
    revise_stop_rule,
)
from kpis.services.verdicts import apply_verdict
from roles.models import AuditEvent, Campaign, Channel
from roles.refusals import Refused

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
TODAY = NOW.date()


@pytest.fixture
def world(acme):
    install_builtin_kpis(company=acme.company, at=NOW)
    acme.ads = Source.objects.create(company=acme.company, code="ads", name="Ads", kind="file")
    return acme


def create(made, by=None, **terms):
    terms = {"name": "Дорогая заявка", "kpi": "cpa", "line": Decimal(3500), "channel": made.vk} | terms
    return create_stop_rule(company=made.company, by=by or made.cmo, at=NOW, **terms)


def facts(made, pairs, last=TODAY - timedelta(days=1), **fields):
    for offset, (spend, leads) in enumerate(reversed(pairs)):
        DailyFact.objects.update_or_create(
            company=made.company, day=last - timedelta(days=offset), channel=made.vk, campaign_id=0, source=made.ads,
            defaults={"spend": spend, "qualified_leads": leads, "load_id": 1} | fields,
        )  # fmt: skip


def evaluate(made, at=NOW):
    return evaluate_company(company=made.company, at=at, today=made.company.local_date(at))


def test_defaults(world):
    rule = create(world)

    version = rule.versions.get()
    with translation.override("ru"):
        assert str(rule) == "СП-01"
    assert (version.comparison, version.window, version.n, version.max_span) == ("above", "in_a_row", 3, 7)
    assert (version.minimum_sample, version.zero_line, version.clear_ratio) == (3, 10_500, Decimal("0.9"))
    assert (version.settling_days, version.no_data, version.clear_days, version.confirm_pooled_7d) == (
        1,
        "hold",
        2,
        False,
    )
    assert (version.owner, version.approved_by, version.approved_at) == (world.cmo, world.cmo, NOW)
    assert Evaluation.objects.get().dirty_from == TODAY
    event = AuditEvent.objects.get(verb="create_stop_rule")
    assert (event.by, event.after["line"], event.after["kpi"]) == (world.cmo, "3500", "cpa")


@pytest.mark.parametrize(
    ("kpi", "comparison", "zero_line"),
    [("cpl", "above", 10_500), ("romi", "below", None), ("drr", "above", None), ("unsubscribe_rate", "above", None)],
)
def test_zero_line_is_only_for_money_per_count(world, kpi, comparison, zero_line):
    version = create(world, kpi=kpi).versions.get()

    assert (version.comparison, version.zero_line) == (comparison, zero_line)


def test_numbers_run_per_company(world, rival):
    install_builtin_kpis(company=rival.company, at=NOW)

    assert [create(world).number, create(world).number, create(rival).number] == [1, 2, 1]


@pytest.mark.parametrize(
    ("terms", "field", "code"),
    [
        ({"name": " "}, "name", "blank"),
        ({"kpi": "nonsense"}, "kpi", "unknown_kpi"),
        ({"line": None}, "line", "required"),
        ({"line": Decimal(10) ** 14}, "line", "out_of_range"),
        ({"n": 0}, "n", "out_of_range"),
        ({"max_span": 2}, "max_span", "out_of_range"),
        ({"window": "m_of_n", "n": 3, "m": 4}, "m", "out_of_range"),
        ({"window": "event", "channel_kind": "paid"}, "scope", "not_mailings"),
        ({"window": "budget", "line": Decimal(0)}, "line", "not_a_share"),
        ({"shadow_until": TODAY + timedelta(days=60)}, "shadow_until", "out_of_range"),
        ({"window": "since_conversion", "kpi": "drr"}, "kpi", "not_a_cost"),
        ({"window": "since_conversion", "kpi": "romi"}, "kpi", "not_a_cost"),
        ({"line": Decimal(-1)}, "line", "never_negative"),
        ({"kpi": "qualified_rate", "comparison": "below", "line": Decimal(0)}, "line", "never_negative"),
        ({"shadow_until": TODAY - timedelta(days=1)}, "shadow_until", "over"),
        ({"window": "since_conversion", "comparison": "below"}, "comparison", "not_a_cost"),
        ({"window": "since_conversion", "k": Decimal(-1)}, "k", "out_of_range"),
        ({"minimum_sample": Decimal(-1)}, "minimum_sample", "negative"),
        ({"clear_ratio": Decimal(2)}, "clear_ratio", "out_of_range"),
        ({"clear_days": 0}, "clear_days", "out_of_range"),
        ({"comparison": "beside"}, "comparison", "invalid_choice"),
        ({"no_data": "guess"}, "no_data", "invalid_choice"),
    ],
)
def test_wrong_terms_are_refused_by_field(world, terms, field, code):
    with pytest.raises(Refused) as refusal:
        create(world, **terms)

    assert (refusal.value.errors[0].field, refusal.value.errors[0].code) == (field, code)
    assert not StopRuleVersion.objects.exists()


@pytest.mark.parametrize(
    "terms",
    [{"kpi": "romi", "line": Decimal("-0.2")}, {"kpi": "unsubscribe_rate", "comparison": "above", "line": Decimal(0)}],
)
def test_a_line_that_can_be_crossed_is_kept(world, terms):
    assert create(world, **terms).versions.get().line == terms["line"]


def test_who_may_write(world):
    for person in (world.owner, world.cmo, world.analyst):
        create(world, by=person)
    create(world, by=world.performance)
    for person, channel in [
        (world.pm, world.vk), (world.contractor, world.vk), (world.performance, world.blog), (world.performance, None),
    ]:  # fmt: skip
        with pytest.raises(MayNotWriteRule):
            create(world, by=person, channel=channel)


def test_channel_owners_rule_waits_for_the_cmo(world):
    rule = create(world, by=world.performance)
    facts(world, [(20_000, 5)] * 3)
    assert evaluate(world).rows == 0
    for person in (world.performance, world.owner, world.analyst):
        with pytest.raises(MayNotApproveRule):
            approve_stop_rule(company=world.company, by=person, at=NOW, rule=rule)

    approve_stop_rule(company=world.company, by=world.cmo, at=NOW, rule=rule)

    assert evaluate(world).opened
    with pytest.raises(NothingWaits):
        approve_stop_rule(company=world.company, by=world.cmo, at=NOW, rule=rule)


def _hat(world, kind, person, deputy=None, channel=None):
    from roles.models import Appointment

    Appointment.objects.create(
        company=world.company, role=world.roles[kind], person=person, deputy=deputy, channel=channel, starts_on=date(2026, 1, 1)
    )  # fmt: skip


def test_a_director_who_owns_the_channel_does_not_set_its_line_alone(world):
    Channel.objects.filter(pk=world.vk.pk).update(owner=world.cmo)
    rule = create(world, by=world.cmo)
    other = create(world, by=world.cmo, channel=world.blog)
    assert (rule.versions.get().approved_at, other.versions.get().approved_by) == (None, world.cmo)
    for person in (world.cmo, world.analyst):
        with pytest.raises(MayNotApproveRule):
            approve_stop_rule(company=world.company, by=person, at=NOW, rule=rule)

    assert approve_stop_rule(company=world.company, by=world.owner, at=NOW, rule=rule).approved_by == world.owner


def test_a_director_does_not_sign_the_line_of_the_own_channel_for_another_author(world):
    Channel.objects.filter(pk=world.vk.pk).update(owner=world.cmo)
    _hat(world, "performance", world.cmo, deputy=world.analyst, channel=world.vk)
    rule = create(world, by=world.analyst)
    assert rule.versions.get().approved_at is None

    with pytest.raises(MayNotApproveRule):
        approve_stop_rule(company=world.company, by=world.cmo, at=NOW, rule=rule)
    approve_stop_rule(company=world.company, by=world.owner, at=NOW, rule=rule)


def test_a_deputy_of_the_channel_waits_as_its_owner_does(world):
    assert create(world, by=world.analyst).versions.get().approved_at is not None
    _hat(world, "performance", world.performance, deputy=world.analyst, channel=world.vk)
    rule = create(world, by=world.analyst)
    assert rule.versions.get().approved_at is None

    assert approve_stop_rule(company=world.company, by=world.cmo, at=NOW, rule=rule).approved_by == world.cmo


def test_a_director_whom_nobody_can_countersign_is_not_locked_out(world):
    from roles.models import Appointment

    Channel.objects.filter(pk=world.vk.pk).update(owner=world.cmo)
    Appointment.objects.filter(role__kind="owner").update(person=world.cmo)

    assert create(world, by=world.cmo).versions.get().approved_by == world.cmo


def test_the_author_never_approves(world):
    from roles.models import Appointment

    rule = create(world, by=world.performance)
    Appointment.objects.create(
        company=world.company, role=world.roles["cmo"], person=world.performance, starts_on=date(2026, 1, 1)
    )
    del world.performance.hats

    with pytest.raises(MayNotApproveRule):
        approve_stop_rule(company=world.company, by=world.performance, at=NOW, rule=rule)


def test_a_shadow_week_begins_with_the_signature(world):
    rule = create(world, by=world.performance, shadow_until=TODAY + timedelta(days=6))
    later = NOW + timedelta(days=9)

    signed = approve_stop_rule(company=world.company, by=world.cmo, at=later, rule=rule)

    assert (signed.valid_from, signed.shadow_until) == (later.date(), later.date() + timedelta(days=6))
    after = later + timedelta(days=30)
    again = revise_stop_rule(
        company=world.company, by=world.cmo, at=after, rule=rule, reason="дороже", line=Decimal(3600)
    )  # fmt: skip
    assert again.shadow_until == signed.shadow_until, "what is over stays as it was kept"


def test_revision_is_a_version_with_a_reason(world):
    rule = create(world)

    version = revise_stop_rule(
        company=world.company, by=world.analyst, at=NOW, rule=rule, reason="Дороже заявка", line=Decimal(3800), n=4
    )

    first = rule.versions.get(number=1)
    assert (version.number, version.line, version.n, version.max_span, version.zero_line) == (2, 3800, 4, 9, 11_400)
    assert (first.superseded_at, first.line) == (NOW, 3500)
    event = AuditEvent.objects.get(verb="revise_stop_rule")
    assert (event.reason, event.before["line"], event.after["line"]) == ("Дороже заявка", "3500", "3800")


def test_own_terms_survive_a_revision(world):
    rule = create(world, max_span=12, zero_line=Decimal(9000))

    version = revise_stop_rule(company=world.company, by=world.cmo, at=NOW, rule=rule, reason="x", line=Decimal(3800))

    assert (version.max_span, version.zero_line) == (12, 9000)


def test_revision_needs_a_reason_and_a_change(world):
    rule = create(world)
    with pytest.raises(Refused):
        revise_stop_rule(company=world.company, by=world.cmo, at=NOW, rule=rule, reason=" ", line=Decimal(3800))

    revise_stop_rule(company=world.company, by=world.cmo, at=NOW, rule=rule, reason="", line=Decimal("3500.00"))

    assert rule.versions.count() == 1


def test_stale_revision_is_refused(world):
    rule = create(world)
    revise_stop_rule(company=world.company, by=world.cmo, at=NOW, rule=rule, reason="x", line=Decimal(3800), expected=1)

    with pytest.raises(RuleChanged):
        revise_stop_rule(company=world.company, by=world.cmo, at=NOW, rule=rule, reason="x", n=2, expected=1)


def test_a_waiting_revision_leaves_the_old_version_in_force(world):
    rule = create(world)
    revise = {"company": world.company, "at": NOW, "rule": rule, "reason": "x"}
    revise_stop_rule(**revise, by=world.performance, line=Decimal(9000))
    revise_stop_rule(**revise, by=world.performance, line=Decimal(9500))

    [in_force] = reads.rules_in_force(company=world.company)
    assert in_force.line == 3500
    [row] = reads.rule_list(company=world.company)
    assert (row.version.line, row.waiting.line) == (3500, 9500)

    approve_stop_rule(company=world.company, by=world.cmo, at=NOW, rule=rule)
    [in_force] = reads.rules_in_force(company=world.company)
    assert (in_force.line, in_force.approved_by) == (9500, world.cmo)
    assert rule.versions.filter(superseded_at=None).count() == 1


def test_channel_owner_cannot_take_a_rule_to_the_own_channel(world):
    rule = create(world, channel=world.blog)

    with pytest.raises(MayNotWriteRule):
        revise_stop_rule(
            company=world.company, by=world.performance, at=NOW, rule=rule, reason="x", channel=world.vk
        )  # fmt: skip


# ---------------------------------------------------------------- verdicts
def fired(made):
    rule = create(made, line=Decimal(1000))
    facts(made, [(6000, 5)] * 3)
    evaluate(made)
    return rule, Breach.objects.get(rule=rule)


def sign(made, rule, breach, kind, **terms):
    return apply_verdict(
        company=made.company, rule=rule, breach=breach, channel=made.vk, campaign=None, day=TODAY, kind=kind, **terms
    )


@pytest.mark.parametrize(("kind", "state"), [("stop", "stopped"), ("rewrite", "stopped"), ("cut", "recovering")])
def test_verdict_closes_the_breach_and_a_replay_agrees(world, kind, state):
    rule, breach = fired(world)

    sign(world, rule, breach, kind)

    breach.refresh_from_db()
    assert (breach.closed_on, breach.closed_as) == (TODAY, "signed")
    assert RuleState.objects.get().state == state
    if kind != "stop":  # a stop also stops the channel; here it goes on, which the machine takes for a restart
        assert evaluate(world).rows == 0


def test_continue_mutes_the_breach_until_its_date(world):
    rule, breach = fired(world)

    sign(world, rule, breach, "continue", until=TODAY + timedelta(days=3))

    assert evaluate(world).rows == 0
    breach.refresh_from_db()
    assert (breach.muted, breach.closed_on, RuleState.objects.get().state) == (True, None, "muted")
    facts(world, [(6000, 5)] * 5, last=TODAY + timedelta(days=4))
    evaluate(world, NOW + timedelta(days=5))
    breach.refresh_from_db()
    assert (breach.muted, RuleState.objects.get().state) == (False, "firing")
    assert Breach.objects.count() == 1


def test_resume_after_a_rewrite_recovers(world):
    rule, breach = fired(world)
    sign(world, rule, breach, "rewrite")

    sign(world, rule, None, "resume")

    assert RuleState.objects.get().state == "recovering"
    assert evaluate(world).rows == 0
    assert Verdict.objects.count() == 2


def test_a_stop_by_one_rule_rests_the_others_of_the_channel(world):
    other = create(world, line=Decimal(900))
    rule, breach = fired(world)
    sign(world, rule, breach, "stop")
    facts(world, [(6000, 5)] * 3, last=TODAY + timedelta(days=2))

    evaluate(world, NOW + timedelta(days=3))

    assert set(RuleState.objects.values_list("state", flat=True)) == {"recovering"}
    assert Breach.objects.get(rule=other).closed_as == "signed"


# ---------------------------------------------------------------- reads
def test_over_line_counts_every_known_day_since_the_first_breaching_one(world, django_assert_num_queries):
    create(world, line=Decimal(1000))
    facts(world, [(9000, 5), (100, 5), (6000, 5), (6600, 5), (0, 0), (7000, 5), (4800, 5)])
    evaluate(world)
    [breach] = reads.open_breaches(company=world.company)

    with django_assert_num_queries(5):
        over = over_line.over_line(company=world.company, breaches=[breach])[breach.pk]

    assert [day.over for day in over.days] == [1000, 1600, 0, 2000, -200]
    assert [day.cumulated for day in over.days] == [1000, 2600, 2600, 4600, 4400]
    assert [day.breaching for day in over.days] == [True, True, False, True, False]
    assert (over.total, over.per_day, over.numerator, over.denominator) == (4400, 880, 24_400, 20)
    assert over.days[0].value == 1200
    assert over.days[2].value is None


def test_over_line_of_unknown_days_is_unknown(world):
    create(world, line=Decimal(1000))
    facts(world, [(6000, 5), (6600, None), (6600, 5), (7000, 5)])
    evaluate(world)
    [breach] = reads.open_breaches(company=world.company)

    over = over_line.over_line(company=world.company, breaches=[breach])[breach.pk]

    assert [day.over for day in over.days] == [1000, None, 1600, 2000]
    assert over.per_day == Decimal("1533.33")


def test_over_line_of_a_below_rule_is_what_is_missing(world):
    create(world, kpi="romi", line=Decimal("0.5"))
    facts(world, [(1000, 5)] * 3, gross_profit=1200)
    evaluate(world)
    [breach] = reads.open_breaches(company=world.company)

    assert over_line.over_line(company=world.company, breaches=[breach])[breach.pk].total == 900


def test_over_line_without_money_is_none(world):
    create(world, kpi="unsubscribe_rate", line=Decimal("0.008"))
    facts(world, [(1, 1)] * 3, unsubscribes=20, delivered=1000)
    evaluate(world)
    [breach] = reads.open_breaches(company=world.company)

    over = over_line.over_line(company=world.company, breaches=[breach])[breach.pk]

    assert (over.total, over.per_day, over.days[0].value) == (None, None, Decimal("0.02"))


def test_a_stopped_campaign_does_not_stop_its_channel(world):
    create(world)
    facts(world, [(6000, 5)] * 3)
    evaluate(world)
    RuleState.objects.update(state="stopped")
    assert reads.states_by_channel(company=world.company) == {world.vk.pk: "stopped"}

    campaign = Campaign.objects.create(company=world.company, channel=world.vk, external_id="1", name="Письмо")
    RuleState.objects.update(campaign=campaign)

    assert reads.states_by_channel(company=world.company) == {world.vk.pk: "ok"}


def test_states_by_channel_tell_the_worst(world):
    create(world, line=Decimal(1000))
    create(world, line=Decimal(100_000))
    facts(world, [(6000, 5)] * 3)
    evaluate(world)

    assert reads.states_by_channel(company=world.company) == {world.vk.pk: "firing"}
    assert [row.state for row in reads.rule_list(company=world.company)] == ["firing", "ok"]


@pytest.mark.parametrize(
    ("terms", "russian", "english"),
    [
        (
            {},
            "Если CPA выше 3\u00a0500\u00a0₽ 3\u00a0дня подряд, в\u00a0день не\u00a0меньше 3 (заявки), то предложить остановить",
            "If CPA is above 3,500\u00a0₽ 3 days in a row, with at least 3 a day (qualified leads), then propose to stop",
        ),
        (
            {"window": "since_conversion", "k": Decimal(2), "action": "review"},
            "Если потрачено 7\u00a0000\u00a0₽ без результата (заявки), то предложить разбор",
            "If 7,000\u00a0₽ is spent without a result (qualified leads), then propose a review",
        ),
        (
            {"window": "m_of_n", "n": 5, "m": 3, "minimum_sample": Decimal(0), "comparison": "below"},
            "Если CPA ниже 3\u00a0500\u00a0₽ 3\u00a0дня из последних 5, то предложить остановить",
            "If CPA is below 3,500\u00a0₽ 3 days of the last 5, then propose to stop",
        ),
    ],
)
def test_sentence(world, terms, russian, english):
    version = create(world, **terms).versions.get()

    with translation.override("ru"):
        assert reads.rule_sentence(version) == russian
    with translation.override("en"):
        assert reads.rule_sentence(version) == english
        assert "3,500" not in reads.rule_sentence(version, money=False)


def test_reads_stay_inside_the_company(world, rival):
    install_builtin_kpis(company=rival.company, at=NOW)
    foreign = create(rival, line=Decimal(999_999))

    assert reads.get_rule(company=world.company, pk=foreign.pk) is None
    assert reads.rule_list(company=world.company) == []
    assert reads.rules_in_force(company=world.company) == []


def test_list_takes_the_same_number_of_queries(world, django_assert_num_queries):
    create(world)
    with django_assert_num_queries(3) as few:
        rows = reads.rule_list(company=world.company)
        [reads.rule_sentence(row.version) for row in rows]
    for _number in range(10):
        create(world, channel=None)

    with django_assert_num_queries(len(few)):
        [reads.rule_sentence(row.version) for row in reads.rule_list(company=world.company)]
