"""Signing: what takes effect, what waits, who is refused, and that it happens once."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from kpis.models import Breach, Verdict
from mops.erasing import delete_company
from processes import sealing, services
from processes.models import Action, Decision, SealedDecision, Signature
from processes.signatures import AlreadySigned, NotOpen
from processes.terms import WrongTerms
from roles.models import Absence, Appointment, AuditEvent, Campaign, Channel, ExternalCheck, Incompatibility, Membership
from roles.refusals import Refused

from .conftest import NOW, OPENED, TODAY, add_breach, add_rule, open_one, sign

LATER = OPENED + timedelta(hours=49)


def give_hat(made, code, person, **fields):
    fields.setdefault("starts_on", date(2026, 1, 1))
    return Appointment.objects.create(company=made.company, role=made.roles[code], person=person, **fields)


def own(made, person):
    """Make a person the owner of the burning channel."""
    Channel.objects.filter(pk=made.vk.pk).update(owner=person)
    made.vk.refresh_from_db()


def test_stop_changes_the_channel_and_gives_its_owner_the_task(house):
    decision = sign(house, resume_on=TODAY + timedelta(days=11))
    house.vk.refresh_from_db()
    action = Action.objects.get(decision=decision)
    verdict = Verdict.objects.get(company=house.company)

    assert decision.state == "signed"
    assert house.vk.status == "stopped"
    assert (action.owner, action.kind, action.due_on) == (house.performance, "stop", TODAY)
    assert "VK Реклама" in action.text
    assert decision.review_on == TODAY + timedelta(days=11)
    assert (verdict.kind, verdict.day, verdict.breach) == ("stop", TODAY, house.breach)
    assert Breach.objects.get(pk=house.breach.pk).closed_on == TODAY
    assert (decision.signed_by, decision.signed_as, decision.signed_at) == (house.cmo, "cmo", NOW)
    assert [row.part for row in decision.signatures.all()] == ["sign"]
    assert AuditEvent.objects.filter(verb="sign_decision", object_id=str(decision.pk), by=house.cmo).count() == 1


def test_stop_keeps_the_campaigns_that_were_named(house):
    kept, stopped, paused = (
        Campaign.objects.create(
            company=house.company, channel=house.vk, external_id=name, name=name, status=status
        )
        for name, status in (("Ретаргетинг", "active"), ("Похожие", "testing"), ("Старая", "paused"))
    )  # fmt: skip
    sign(house, keep=[kept.pk])

    assert [Campaign.objects.get(pk=row.pk).status for row in (kept, stopped, paused)] == [
        "active",
        "stopped",
        "paused",
    ]
    assert Channel.objects.get(pk=house.vk.pk).status == "stopped"
    assert "Ретаргетинг" in Action.objects.get(decision=house.decision).text


def test_stop_answers_the_other_questions_about_the_channel(house):
    kept, stopped = (
        Campaign.objects.create(company=house.company, channel=house.vk, external_id=name, name=name) for name in "ab"
    )
    for number, campaign in ((2, None), (3, kept), (4, stopped)):
        add_breach(house, add_rule(house, number=number), campaign=campaign)
    add_breach(house, add_rule(house, number=5), channel=house.blog)
    services.open_decisions(company=house.company, at=OPENED)
    sign(house, keep=[kept.pk])

    states = dict(Decision.objects.values_list("breach__rule__number", "state"))
    assert states == {1: "signed", 2: "superseded", 3: "open", 4: "superseded", 5: "open"}
    assert AuditEvent.objects.filter(verb="supersede_decision").count() == 2
    with pytest.raises(NotOpen):
        sign(house, decision=Decision.objects.get(breach__rule__number=2))


def test_stop_of_a_campaign_leaves_the_channel(acme):
    acme.company.language = "ru"
    campaign = Campaign.objects.create(company=acme.company, channel=acme.vk, external_id="c", name="Похожие")
    from .conftest import add_facts

    add_facts(acme, acme.vk, campaign=campaign)
    add_breach(acme, add_rule(acme), campaign=campaign)
    decision = open_one(acme)
    sign(acme, decision=decision)

    assert decision.question.startswith("Похожие")
    assert Campaign.objects.get(pk=campaign.pk).status == "stopped"
    assert Channel.objects.get(pk=acme.vk.pk).status == "active"


def test_cut_lowers_the_budget_of_the_month(house):
    Channel.objects.filter(pk=house.vk.pk).update(monthly_budget=930_000)
    sign(house, choice="cut", budget=Decimal("240000"))

    assert Channel.objects.get(pk=house.vk.pk).monthly_budget == 240_000
    assert Action.objects.get(decision=house.decision).kind == "cut"
    assert Channel.objects.get(pk=house.vk.pk).status == "active"


def test_continue_mutes_until_the_date(house):
    until = TODAY + timedelta(days=7)
    decision = sign(house, choice="continue", until=until, extra_spend=Decimal("94000"))
    verdict = Verdict.objects.get(company=house.company)

    assert (verdict.kind, verdict.until, verdict.extra_spend) == ("continue", until, 94_000)
    assert decision.review_on == until
    assert Action.objects.get(decision=decision).due_on == until
    assert services.open_decisions(company=house.company, at=NOW) == []


def test_continue_by_spend_alone_ends_after_fourteen_days(house):
    decision = sign(house, choice="continue", until=None, extra_spend=Decimal("50000"))

    assert decision.terms["until"] == (TODAY + timedelta(days=14)).isoformat()


def test_rewrite_gives_the_named_person_the_task(house):
    decision = sign(house, choice="rewrite", due=TODAY + timedelta(days=4))
    action = Action.objects.get(decision=decision)

    assert (action.owner, action.kind, action.due_on) == (house.content, "rewrite", TODAY + timedelta(days=4))
    assert Channel.objects.get(pk=house.vk.pk).status == "active"


def test_false_alarm_sends_the_owner_of_the_rule_to_look(house):
    decision = sign(house, choice="false_alarm")

    assert Action.objects.get(decision=decision).owner == house.analyst
    assert Verdict.objects.get(company=house.company).kind == "false_alarm"


@pytest.mark.parametrize(
    ("choice", "terms", "field"),
    [
        ("nothing", {}, "choice"),
        ("", {}, "choice"),
        ("stop", {"reason": "  "}, "reason"),
        ("stop", {"resume_on": TODAY}, "resume_on"),
        ("stop", {"keep": [999_999]}, "keep"),
        ("continue", {"until": None}, "until"),
        ("continue", {"until": TODAY}, "until"),
        ("continue", {"until": TODAY + timedelta(days=15)}, "until"),
        ("continue", {"extra_spend": Decimal("0")}, "extra_spend"),
        ("continue", {"extra_spend": Decimal("NaN")}, "extra_spend"),
        ("rewrite", {"assignee": None}, "assignee"),
        ("rewrite", {"assignee": 999_999}, "assignee"),
        ("rewrite", {"due": None}, "due"),
        ("rewrite", {"due": TODAY - timedelta(days=1)}, "due"),
        ("cut", {"budget": None}, "budget"),
        ("cut", {"budget": Decimal("-1")}, "budget"),
        ("cut", {"budget": Decimal("1e15")}, "budget"),
        ("cut", {"budget": Decimal("930000")}, "budget"),
    ],
)
def test_terms_that_are_refused(house, choice, terms, field):
    Channel.objects.filter(pk=house.vk.pk).update(monthly_budget=930_000)
    with pytest.raises(WrongTerms) as refused:
        sign(house, choice=choice, **terms)

    assert [error.field for error in refused.value.errors] == [field]
    assert Decision.objects.get(pk=house.decision.pk).state == "open"
    assert not Signature.objects.filter(company=house.company).exists()


def test_fourteen_days_are_allowed(house):
    assert sign(house, choice="continue", until=TODAY + timedelta(days=14)).state == "signed"


def test_keep_takes_no_campaign_of_another_company(house, rival_house):
    foreign = Campaign.objects.create(
        company=rival_house.company, channel=rival_house.vk, external_id="x", name="Чужая"
    )
    with pytest.raises(WrongTerms):
        sign(house, keep=[foreign.pk])


def test_assignee_is_nobody_of_another_company(house, rival_house):
    with pytest.raises(WrongTerms):
        sign(house, choice="rewrite", assignee=rival_house.content.pk)


@pytest.mark.parametrize("person", ["owner", "pm", "analyst", "performance", "content", "contractor"])
def test_others_may_not_sign_at_once(house, person):
    with pytest.raises(services.MayNotSign) as refused:
        sign(house, getattr(house, person))

    assert refused.value.status == 403
    assert refused.value.extra["who_may"] == [str(house.cmo)]


def test_owner_signs_after_two_days(house):
    assert sign(house, house.owner, at=LATER).signed_as == "owner"


def test_deputy_signs_while_the_director_is_away(house):
    Appointment.objects.filter(role=house.roles["cmo"]).update(deputy=house.pm)
    with pytest.raises(services.MayNotSign):
        sign(house, house.pm)
    Absence.objects.create(company=house.company, person=house.cmo, starts_on=TODAY, ends_on=TODAY)

    assert sign(house, house.pm).signed_as == "cmo"


@pytest.mark.parametrize("choice", ["continue", "rewrite", "false_alarm"])
def test_whoever_runs_the_channel_waits_for_the_owner(house, choice):
    own(house, house.cmo)
    decision = sign(house, choice=choice)

    assert (decision.state, decision.cosigner, decision.seal) == ("waiting_cosign", "owner", "")
    assert not Verdict.objects.exists()
    assert not Action.objects.exists()
    assert not Breach.objects.get(pk=house.breach.pk).muted

    signed = services.cosign_decision(
        company=house.company, decision=decision, by=house.owner, at=NOW + timedelta(hours=1)
    )
    assert signed.state == "signed"
    assert signed.effective_at == NOW + timedelta(hours=1)
    assert Verdict.objects.get().kind == choice
    assert [row.part for row in Signature.objects.all()] == ["sign", "cosign"]
    assert sealing.is_intact(Decision.objects.get(pk=decision.pk))


@pytest.mark.parametrize("choice", ["stop", "cut"])
def test_to_stop_and_to_cut_needs_one_signature(house, choice):
    own(house, house.cmo)

    assert sign(house, choice=choice).state == "signed"


def test_the_named_deputy_of_the_channel_counts_as_running_it(house):
    Appointment.objects.filter(channel=house.vk).update(deputy=house.cmo)

    assert sign(house, choice="continue").state == "waiting_cosign"


def test_an_owner_who_runs_the_channel_is_checked(house):
    own(house, house.owner)
    terms = {"at": LATER, "choice": "continue", "until": TODAY + timedelta(days=5)}
    for nobody in ({}, {"checker": house.analyst.pk}, {"checker": house.owner.pk}):
        with pytest.raises(Refused) as refused:
            sign(house, house.owner, **terms, **nobody)
        assert refused.value.errors[0].field == "checker"
    decision = sign(house, house.owner, **terms, checker=house.pm.pk)

    assert (decision.state, decision.cosigner, decision.terms["checker"]) == ("waiting_cosign", "checker", house.pm.pk)
    with pytest.raises(services.MayNotCosign):
        services.cosign_decision(company=house.company, decision=decision, by=house.cmo, at=LATER)
    with pytest.raises(services.MayNotCosign):
        services.cosign_decision(company=house.company, decision=decision, by=house.owner, at=LATER)
    with pytest.raises(services.MayNotCosign):
        services.cosign_decision(company=house.company, decision=decision, by=house.analyst, at=LATER)
    assert services.cosign_decision(company=house.company, decision=decision, by=house.pm, at=LATER).state == "signed"


def test_the_checker_named_from_outside_signs_second_whatever_their_hat(house):
    own(house, house.owner)
    pair = Incompatibility.objects.create(company=house.company, left_kind="channel_owner", right_kind="cmo")
    ExternalCheck.objects.create(
        company=house.company, person=house.owner, pair=pair, checker=house.analyst, what="Продления", cadence="week",
        starts_on=TODAY, until=TODAY + timedelta(days=60), created_at=LATER,
    )  # fmt: skip

    decision = sign(house, house.owner, at=LATER, choice="continue", until=TODAY + timedelta(days=5))

    assert decision.terms["checker"] == house.analyst.pk
    with pytest.raises(services.MayNotCosign):
        services.cosign_decision(company=house.company, decision=decision, by=house.pm, at=LATER)
    signed = services.cosign_decision(company=house.company, decision=decision, by=house.analyst, at=LATER)
    assert (signed.state, signed.signatures.last().signed_as) == ("signed", "analyst")


def test_without_any_checker_only_stop_and_cut_remain(house):
    Appointment.objects.filter(role__in=[house.roles["cmo"], house.roles["pm"]]).delete()
    own(house, house.owner)
    with pytest.raises(Refused) as refused:
        sign(house, house.owner, at=LATER, choice="continue", until=TODAY + timedelta(days=5))

    assert refused.value.errors[0].code == "no_checker"
    assert sign(house, house.owner, at=LATER).state == "signed"


def test_the_author_is_never_the_approver(house):
    own(house, house.cmo)
    give_hat(house, "owner", house.cmo)
    decision = sign(house, choice="continue")
    with pytest.raises(services.MayNotCosign):
        services.cosign_decision(company=house.company, decision=decision, by=house.cmo, at=NOW)


def test_refusing_opens_the_question_again(house):
    own(house, house.cmo)
    decision = sign(house, choice="continue")
    with pytest.raises(Refused):
        services.cosign_decision(company=house.company, decision=decision, by=house.owner, at=NOW, approve=False)
    again = services.cosign_decision(
        company=house.company, decision=decision, by=house.owner, at=NOW, approve=False, reason="Дорого"
    )

    assert (again.state, again.choice, again.signed_by, again.attempt) == ("open", "", None, 2)
    assert not Verdict.objects.exists()
    assert sign(house, choice="stop").state == "signed"
    assert [row.part for row in Signature.objects.all()] == ["sign", "refuse", "sign"]
    assert sealing.is_intact(Decision.objects.get(pk=decision.pk))


def test_the_signer_takes_the_proposal_back(house):
    own(house, house.cmo)
    decision = sign(house, choice="continue")

    again = services.cosign_decision(
        company=house.company, decision=decision, by=house.cmo, at=NOW, approve=False, reason="Передумала"
    )
    assert again.state == "open"


def test_a_date_that_passed_while_waiting_is_not_approved(house):
    own(house, house.cmo)
    decision = sign(house, choice="continue", until=TODAY + timedelta(days=1))
    with pytest.raises(services.TermsExpired):
        services.cosign_decision(company=house.company, decision=decision, by=house.owner, at=NOW + timedelta(days=3))


def test_cosign_of_an_open_decision_is_refused(house):
    with pytest.raises(NotOpen):
        services.cosign_decision(company=house.company, decision=house.decision, by=house.owner, at=NOW)


def test_the_second_signer_learns_who_and_when(house):
    sign(house)
    with pytest.raises(AlreadySigned) as refused:
        sign(house, choice="continue", at=NOW + timedelta(minutes=1))

    assert refused.value.status == 409
    assert refused.value.extra == {
        "signed_by": str(house.cmo), "signed_by_id": house.cmo.pk, "signed_at": "2026-11-20T12:20:00Z",
    }  # fmt: skip
    assert Action.objects.count() == 1


def test_losing_the_claim_changes_nothing(house, monkeypatch):
    """Somebody signed between this signer's read and the claim: the conditional UPDATE decides."""
    original = services.evidence.gather

    def overtaken(**kwargs):
        monkeypatch.setattr(services.evidence, "gather", original)
        sign(house, choice="cut", budget=1)
        return original(**kwargs)

    monkeypatch.setattr(services.evidence, "gather", overtaken)
    with pytest.raises(AlreadySigned) as refused:
        sign(house)

    assert refused.value.extra["signed_by_id"] == house.cmo.pk
    assert not Verdict.objects.filter(kind="stop").exists()


def test_the_third_round_goes_to_the_owner(house):
    Decision.objects.filter(pk=house.decision.pk).update(round=3)

    assert sign(house, house.cmo, choice="continue").state == "waiting_cosign"
    assert Decision.objects.get(pk=house.decision.pk).cosigner == "owner"


def test_a_used_up_override_opens_the_next_round(house):
    sign(house, choice="continue", until=TODAY + timedelta(days=3))
    Breach.objects.filter(pk=house.breach.pk).update(muted=False)

    assert services.open_decisions(company=house.company, at=NOW + timedelta(days=3)) == []
    (again,) = services.open_decisions(company=house.company, at=NOW + timedelta(days=4))
    assert (again.round, again.breach_id) == (2, house.breach.pk)


def test_figures_of_the_signature_are_kept(house):
    decision = sign(house)

    assert decision.evidence["at_signature"]["burned"] == "53690"


def test_the_seal_notices_a_change(house):
    decision = Decision.objects.get(pk=sign(house).pk)
    assert sealing.is_intact(decision)
    decision.reason = "другое"

    assert not sealing.is_intact(decision)


@pytest.mark.parametrize(
    "change",
    [
        {"reason": "другое"}, {"evidence": {}}, {"terms": {"until": "2030-01-01"}}, {"seal": ""}, {"state": "open"},
        {"review_on": None}, {"effective_at": OPENED}, {"awaited": None, "closed_note": "x"},
        {"state": "superseded", "reason": "другое"}, {"state": "withdrawn"},
    ],
    ids=str,
)  # fmt: skip
def test_the_database_keeps_a_signed_decision_as_it_is(house, change):
    mine = Decision.objects.filter(pk=sign(house).pk)
    before = mine.values().get()
    with pytest.raises(DatabaseError), transaction.atomic():
        mine.update(**change)

    assert mine.values().get() == before


@pytest.mark.parametrize("change", [{"kind": "continue"}, {"day": TODAY - timedelta(days=9)}, {"kept": [1]}], ids=str)
def test_the_database_keeps_what_a_signature_told_the_machine(house, change):
    from kpis.models import Verdict

    sign(house)
    before = Verdict.objects.values().get()
    with pytest.raises(DatabaseError), transaction.atomic():
        Verdict.objects.update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        Verdict.objects.all()._raw_delete("default")

    assert Verdict.objects.values().get() == before


@pytest.mark.parametrize(
    "change",
    [{"note": "другое"}, {"verdict": "came_true"}, {"fact": {}}, {"due_on": TODAY}, {"state": "open"}],
    ids=str,
)
def test_the_database_keeps_a_closed_review_as_it_is(house, change):
    from processes.models import Review
    from processes.reviews import close_review, open_due

    sign(house)
    later = NOW + timedelta(days=20)
    [review] = open_due(company=house.company, at=later)
    Review.objects.update(due_on=TODAY + timedelta(days=1))  # an open one may change
    close_review(company=house.company, review=review, by=house.owner, at=later, verdict="no", note="Не вышло")
    before = Review.objects.values().get()
    with pytest.raises(DatabaseError), transaction.atomic():
        Review.objects.update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        Review.objects.all()._raw_delete("default")

    assert Review.objects.values().get() == before


def test_a_signed_decision_may_only_be_superseded_once(house):
    mine = Decision.objects.filter(pk=sign(house).pk)
    mine.update(state="superseded")
    with pytest.raises(DatabaseError), transaction.atomic():
        mine.update(state="signed")

    assert mine.get().state == "superseded"


def test_a_signed_decision_goes_only_with_its_company(house):
    mine = Decision.objects.filter(pk=sign(house).pk)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM processes_decision WHERE id = %s", [mine.get().pk])

    delete_company(company=house.company)
    assert not mine.exists()


def test_an_open_decision_is_not_sealed(house):
    Decision.objects.filter(pk=house.decision.pk).update(closed_note="можно")

    assert Decision.objects.get(pk=house.decision.pk).closed_note == "можно"


def test_a_signed_decision_cannot_be_saved_or_deleted(house):
    decision = Decision.objects.get(pk=sign(house).pk)
    decision.reason = "другое"
    with pytest.raises(SealedDecision):
        decision.save()
    with pytest.raises(SealedDecision):
        decision.delete()


def test_the_database_refuses_to_change_a_signature(house):
    signature = sign(house).signatures.get()
    with pytest.raises(DatabaseError), transaction.atomic():
        Signature.objects.filter(pk=signature.pk).update(reason="другое")
    with pytest.raises(DatabaseError), transaction.atomic():
        Signature.objects.filter(pk=signature.pk).delete()


def test_withdraw_needs_a_rule_that_no_longer_fires(house):
    def withdraw(by, reason="Заявки дозагрузили"):
        return services.withdraw_decision(company=house.company, decision=house.decision, by=by, at=NOW, reason=reason)

    with pytest.raises(services.StillFiring):
        withdraw(house.cmo)
    Breach.objects.filter(pk=house.breach.pk).update(closed_on=TODAY, closed_as="gone")
    with pytest.raises(services.MayNotSign):
        withdraw(house.performance)
    with pytest.raises(Refused):
        withdraw(house.analyst, reason=" ")
    assert withdraw(house.analyst).state == "withdrawn"
    with pytest.raises(NotOpen):
        sign(house)


def test_changed_evidence_is_read_before_it_is_signed(house):
    Breach.objects.filter(pk=house.breach.pk).update(closed_on=TODAY, closed_as="gone")
    with pytest.raises(Refused) as refused:
        sign(house)
    assert refused.value.errors[0].code == "evidence_changed"

    signed = services.sign_decision(
        company=house.company, decision=house.decision, by=house.cmo, at=NOW, choice="stop", reason="Всё равно дорого",
        evidence_seen=True,
    )  # fmt: skip
    assert signed.state == "signed"


def test_a_foreign_decision_is_not_signed(house, rival_house):
    with pytest.raises(Decision.DoesNotExist):
        services.sign_decision(
            company=house.company, decision=rival_house.decision, by=house.cmo, at=NOW, choice="stop", reason="x"
        )


def test_people_who_have_left_do_not_keep_a_stop_from_taking_effect(house):
    Channel.objects.filter(pk=house.vk.pk).update(coordinator=house.pm)
    Membership.objects.filter(pk__in=[house.pm.pk, house.vk.owner_id]).update(is_active=False)

    sign(house)

    house.vk.refresh_from_db()
    assert house.vk.status == "stopped"
