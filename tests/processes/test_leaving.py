"""If they leave tomorrow, and the departure itself: nothing is ever without an owner, nothing is closed while anything is left."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from kpis.models import DailyFact, Kpi, Source, StopRule, StopRuleVersion
from processes.leaving import drill, plans, services
from processes.leaving.house import open_house
from processes.leaving.risk import risk_of, risks
from processes.models import Action, Handover, HandoverItem
from roles import audit
from roles.conflicts import rounds_to_look_at
from roles.models import (
    Access,
    AccessAdministrator,
    ApiToken,
    Appointment,
    AuditEvent,
    Channel,
    Contractor,
    DocumentLink,
    Incompatibility,
    Membership,
    User,
)
from roles.permissions import Permission
from roles.services import conflicts, hats
from roles.services.conflicts import CheckTerms

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
TODAY = date(2026, 11, 20)
LAST = TODAY + timedelta(days=10)
AFTER = AT + timedelta(days=11)


@pytest.fixture
def firm(acme):
    """Performance owns VK, a stop-rule, a source and an action; its deputy is the content owner."""
    company = acme.company
    Appointment.objects.filter(person=acme.performance).update(deputy=acme.content)
    kpi = Kpi.objects.create(company=company, code="cpa")
    acme.rule = StopRule.objects.create(company=company, number=1)
    StopRuleVersion.objects.create(
        company=company, rule=acme.rule, name="CPA", kpi=kpi, comparison="above", line=3500, window="in_a_row", n=3,
        channel=acme.vk, owner=acme.performance, valid_from=TODAY, reason="r", created_at=AT, approved_at=AT,
        approved_by=acme.cmo,
    )  # fmt: skip
    acme.source = Source.objects.create(company=company, code="crm", name="CRM", kind="file", owner=acme.performance)
    acme.action = Action.objects.create(
        company=company, text="Проверить", owner=acme.performance, due_on=TODAY, channel=acme.vk, created_at=AT
    )
    return acme


def house(made, at=AT):
    return open_house(company=made.company, on=made.company.local_date(at), at=at)


def start(made, person, **fields):
    given = {"last_day": LAST, "reason": "уходит", "by": made.owner, "at": AT} | fields
    return services.start_handover(company=made.company, person=person, **given)


def agree_to_all(made, handover, at=AT):
    for item in plans.items(company=made.company).filter(handover=handover):
        if item.state not in HandoverItem.SETTLED and item.successor_id:
            services.answer(company=made.company, by=item.successor, at=at, item=item, agrees=True)


def spend(made, channel, days, **values):
    for back in days:
        DailyFact.objects.create(
            company=made.company,
            day=TODAY - timedelta(days=back),
            channel=channel,
            source=made.source,
            load_id=1,
            **values,
        )


def test_risk_names_everything_that_stands_on_a_person(firm):
    audit.record(company=firm.company, by=firm.performance, verb="record_facts", obj=firm.source, at=AT)

    risk = risk_of(house(firm), firm.performance)

    assert [row.channel for row in risk.channels] == [firm.vk]
    assert risk.channels[0].deputy == firm.content
    assert [row.rule for row in risk.rules] == [firm.rule]
    assert risk.sources == [firm.source]
    assert risk.actions == [firm.action]
    assert [row.times for row in risk.work] == [1]


def test_money_is_per_week_over_known_days_and_absent_is_not_zero(firm):
    Appointment.objects.filter(person=firm.performance).update(deputy=None)
    spend(firm, firm.vk, range(1, 15), revenue=1000)

    found = house(firm)

    assert risk_of(found, firm.performance).money == Decimal(7000)
    blog = risk_of(found, firm.content)
    assert blog.money is None
    assert blog.without_figures == [firm.blog]


def test_channel_with_a_deputy_is_no_money_at_risk(firm):
    spend(firm, firm.vk, range(1, 8), revenue=1000)

    assert risk_of(house(firm), firm.performance).money is None


def test_worst_comes_first(firm):
    Appointment.objects.filter(person=firm.performance).update(deputy=None)
    spend(firm, firm.vk, range(1, 8), revenue=1000)

    assert risks(house(firm))[0].person == firm.performance


def test_only_one_may_decide(firm):
    assert Permission.DECIDE in risk_of(house(firm), firm.cmo).approvals
    assert Permission.MANAGE_COMPANY not in risk_of(house(firm), firm.pm).approvals


def test_a_contractors_hat_stands_on_nobody_here_and_is_handed_over_to_nobody(firm, sign_in):
    """Their firm says who comes instead; what they were given to do is still somebody's afterwards."""
    Action.objects.create(
        company=firm.company, text="Форма", owner=firm.contractor, due_on=TODAY, channel=firm.blog, created_at=AT
    )
    risk = risk_of(house(firm), firm.contractor)

    assert (risk.hats, risk.vacant) == ([], [])
    assert [row.text for row in risk.actions] == ["Форма"]
    plan = start(firm, firm.contractor)
    assert [(item.kind, item.successor) for item in plan.items.all()] == [("action", firm.content)]
    risky = (
        sign_in(firm.owner).get(reverse("processes:person-risk", args=["acme", firm.contractor.pk])).content.decode()
    )
    assert "Роль contractor" not in risky


def test_work_done_by_two_stands_on_nobody(firm):
    for person in (firm.performance, firm.analyst):
        audit.record(company=firm.company, by=person, verb="record_facts", obj=firm.source, at=AT)
    audit.record(company=firm.company, by=firm.cmo, verb="sign_decision", obj=firm.source, at=AT - timedelta(days=91))

    found = house(firm)

    assert risk_of(found, firm.performance).work == []
    assert risk_of(found, firm.cmo).work == []


def test_plan_proposes_the_deputy_and_everything_held(firm):
    handover = start(firm, firm.performance)

    items = {item.kind: item for item in handover.items.all()}

    assert set(items) == {"hat", "rule", "source", "action"}
    assert items["hat"].successor == firm.content
    assert all(item.successor_id not in (None, firm.performance.pk) for item in items.values())


def test_departure_hands_over_what_was_agreed_on_the_day(firm):
    token = ApiToken.objects.create(
        company=firm.company, person=firm.performance, name="t", digest="d", hint="mops_", scopes=["read"],
        created_at=AT, expires_at=AT + timedelta(days=90),
    )  # fmt: skip
    handover = start(firm, firm.performance)
    agree_to_all(firm, handover)

    assert services.leave_due(company=firm.company, at=AT + timedelta(days=10), today=LAST) == 0
    assert services.leave_due(company=firm.company, at=AFTER, today=LAST + timedelta(days=1)) == 1
    assert services.leave_due(company=firm.company, at=AFTER, today=LAST + timedelta(days=1)) == 0

    for row in (handover, firm.vk, firm.source, firm.action, firm.performance, token):
        row.refresh_from_db()
    assert handover.state == Handover.State.CLOSED
    assert firm.vk.owner == firm.content
    assert not Appointment.objects.get(channel=firm.vk, ends_on=None).interim
    assert firm.rule.versions.get().owner_id != firm.performance.pk
    assert firm.rule.versions.get().approved_by == firm.cmo
    assert firm.source.owner_id not in (None, firm.performance.pk)
    assert firm.action.owner_id != firm.performance.pk
    assert not firm.performance.is_active
    assert token.revoked_at is not None
    assert not User.objects.get(pk=firm.performance.user_id).is_active
    ended = Appointment.objects.get(person=firm.performance)
    assert ended.ends_on == LAST


def test_what_nobody_agreed_to_falls_to_somebody_and_keeps_the_plan_open(firm):
    handover = start(firm, firm.performance)

    services.leave_due(company=firm.company, at=AFTER, today=LAST + timedelta(days=1))

    handover.refresh_from_db()
    firm.vk.refresh_from_db()
    assert handover.state == Handover.State.LEFT
    assert firm.vk.owner == firm.content
    with pytest.raises(services.HandoverUnfinished) as refused:
        services.close_handover(company=firm.company, by=firm.owner, at=AFTER, handover=handover)
    assert "VK Реклама" in refused.value.message

    agree_to_all(firm, handover, at=AFTER)

    handover.refresh_from_db()
    assert handover.state == Handover.State.CLOSED
    assert not Appointment.objects.get(channel=firm.vk, ends_on=None).interim


def test_leaving_at_once_ends_hats_tokens_and_the_login(firm, sign_in):
    browser = sign_in(firm.performance)

    response = sign_in(firm.owner).post(
        reverse("processes:handover-create", args=["acme"]),
        {"person": firm.performance.pk, "last_day": "2099-01-01", "reason": "ушла", "at_once": "on"},
    )

    assert response.status_code == 302
    firm.vk.refresh_from_db()
    firm.performance.refresh_from_db()
    assert firm.vk.owner == firm.content
    assert firm.performance.left_on is not None
    assert browser.get(reverse("roles:role-list", args=["acme"])).status_code == 302
    assert AuditEvent.objects.get(verb="remove_person").reason == "ушла"


def test_login_stays_with_who_works_elsewhere(acme, rival, sign_in):
    Membership.objects.create(company=rival.company, user=acme.content.user, joined_on=TODAY)

    start(acme, acme.content, at_once=True, at=timezone.now())

    assert User.objects.get(pk=acme.content.user_id).is_active
    assert sign_in(acme.content).get(reverse("roles:role-list", args=["acme"])).status_code == 404


def test_only_owner_cannot_leave(acme):
    """Nor when the other one's hat ends soon: the company would be left without an owner."""
    Appointment.objects.create(
        company=acme.company, role=acme.roles["owner"], person=acme.analyst, starts_on=TODAY,
        ends_on=date(2027, 6, 1),
    )  # fmt: skip

    with pytest.raises(hats.LastOwner):
        start(acme, acme.owner, by=acme.analyst)


def test_nobody_removes_themselves_and_a_manager_no_director(acme):
    with pytest.raises(services.NotYours):
        start(acme, acme.pm, by=acme.pm)
    with pytest.raises(hats.OnlyOwnerAppoints):
        start(acme, acme.cmo, by=acme.pm)


def test_manager_names_no_successor_of_the_director(acme):
    handover = start(acme, acme.cmo)
    item = handover.items.get(kind="hat")

    with pytest.raises(hats.OnlyOwnerAppoints):
        services.name_successor(company=acme.company, by=acme.pm, at=AT, item=item, successor=acme.pm)


def test_only_who_was_asked_answers_and_a_no_needs_a_reason(firm):
    item = start(firm, firm.performance).items.get(kind="hat")

    with pytest.raises(services.NotTheSuccessor):
        services.answer(company=firm.company, by=firm.owner, at=AT, item=item, agrees=True)
    with pytest.raises(services.Refused):
        services.answer(company=firm.company, by=firm.content, at=AT, item=item, agrees=False)

    services.answer(company=firm.company, by=firm.content, at=AT, item=item, agrees=False, note="нет часов")
    item.refresh_from_db()
    assert item.state == HandoverItem.State.DECLINED


def test_channel_cannot_lapse_and_a_new_task_joins_the_plan(firm):
    handover = start(firm, firm.performance)
    hat = handover.items.get(kind="hat")
    with pytest.raises(services.Refused):
        services.let_lapse(company=firm.company, by=firm.owner, at=AT, item=hat, note="не нужен")

    Action.objects.create(company=firm.company, text="Ещё", owner=firm.performance, due_on=TODAY, created_at=AT)
    Action.objects.filter(pk=firm.action.pk).update(state="done")
    services.leave_due(company=firm.company, at=AT, today=TODAY)

    assert set(handover.items.filter(kind="action").values_list("label", "state")) == {
        ("Проверить", "gone"), ("Ещё", "proposed"),
    }  # fmt: skip


def test_cancelled_departure_ends_nothing(firm):
    handover = start(firm, firm.performance)
    services.cancel_handover(company=firm.company, by=firm.owner, at=AT, handover=handover, reason="осталась")

    assert services.leave_due(company=firm.company, at=AFTER, today=LAST + timedelta(days=1)) == 0
    firm.performance.refresh_from_db()
    assert firm.performance.is_active


def test_a_cancelled_plan_awaits_nobody(firm, sign_in):
    handover = start(firm, firm.performance)
    services.cancel_handover(company=firm.company, by=firm.owner, at=AT, handover=handover, reason="остаётся")

    page = sign_in(firm.owner).get(reverse("processes:handover-detail", args=["acme", handover.pk])).content.decode()

    assert "Остаётся как было" in page
    assert "ждёт преемника" not in page
    assert "ответа нет" not in page


def test_nobody_who_leaves_too_is_asked(firm, sign_in):
    """Neither named nor offered; where an owner must be, the form offers no reason for nobody."""
    item = start(firm, firm.performance).items.get(kind="hat")
    start(firm, firm.content)
    url = reverse("processes:handover-item-successor", args=["acme", item.pk])
    browser = sign_in(firm.owner)

    with pytest.raises(services.Refused):
        services.name_successor(company=firm.company, by=firm.owner, at=AT, item=item, successor=firm.content)
    page = browser.get(url).content.decode()
    assert f'value="{firm.content.pk}"' not in page
    assert 'name="note"' not in page
    assert browser.post(url, {"successor": ""}).status_code == 400
    assert browser.post(url, {"successor": firm.cmo.pk}).status_code == 302


def test_drill_lists_what_stops_and_changes_nothing(firm):
    before = (Channel.objects.get(pk=firm.vk.pk).owner_id, Appointment.objects.count(), Action.objects.count())

    found = drill.run_drill(company=firm.company, by=firm.owner, at=AT, person=firm.performance)

    told = {(row["what"], row["name"]): row["stand_in"] for row in found.stopped}
    assert told["report", "VK Реклама"] == str(firm.content)
    assert told["action", "Проверить"] == str(firm.content)
    assert told["source", "CRM"] == ""
    assert before == (Channel.objects.get(pk=firm.vk.pk).owner_id, Appointment.objects.count(), Action.objects.count())


def test_money_page_is_closed_to_a_channel_owner(acme, sign_in):
    url = reverse("processes:risk-list", args=["acme"])

    assert sign_in(acme.performance).get(url).status_code == 403
    assert sign_in(acme.cmo).get(url).status_code == 200


def test_plan_is_shown_to_managers_and_to_who_leaves(firm, sign_in):
    handover = start(firm, firm.performance)
    url = reverse("processes:handover-detail", args=["acme", handover.pk])

    assert sign_in(firm.pm).get(url).status_code == 200
    assert sign_in(firm.performance).get(url).status_code == 200
    assert sign_in(firm.content).get(url).status_code == 403
    assert "VK Реклама" in sign_in(firm.content).get(reverse("processes:handover-list", args=["acme"])).content.decode()


def test_accesses_documents_and_contractors_pass_too(firm):
    made, owned = firm, {"company": firm.company}
    shared, alone = (
        Access.objects.create(
            **owned, system=name, identifier="1", owned_by="company", registered_on=TODAY, changed_at=AT
        )
        for name in ("Директ", "Метрика")
    )
    for access, people in ((shared, (made.performance, made.cmo)), (alone, (made.performance,))):
        for person in people:
            AccessAdministrator.objects.create(**owned, access=access, person=person)
    document = DocumentLink.objects.create(
        **owned, title="Медиаплан", url="https://disk.example/1", owner=made.performance, added_on=TODAY
    )
    contractor = Contractor.objects.create(
        **owned, name="Студия", scope="Баннеры", starts_on=TODAY, ends_on=TODAY + timedelta(days=90),
        responsible=made.performance, deputy=made.pm, changed_at=AT,
    )  # fmt: skip
    risk = risk_of(house(made), made.performance)
    assert (risk.locked_in, risk.documents, risk.contractors, risk.unknown_to_others) == (
        [alone], [document], [contractor], [],
    )  # fmt: skip

    handover = start(made, made.performance)
    kinds = set(handover.items.values_list("kind", flat=True))
    assert {"access", "document", "contractor"} <= kinds
    agree_to_all(made, handover)
    services.leave_due(company=made.company, at=AFTER, today=made.company.local_date(AFTER))

    for access in (shared, alone):
        people = set(access.administrators.values_list("pk", flat=True))
        assert people
        assert made.performance.pk not in people
    document.refresh_from_db()
    contractor.refresh_from_db()
    assert document.owner != made.performance
    assert contractor.responsible == made.pm
    assert contractor.deputy is None
    assert risk_of(house(made, AFTER), made.pm).contractors == [contractor]


def test_the_periods_a_checker_leaves_unsigned_pass_to_the_next_one(acme):
    """The last days before a departure are not looked at by nobody: a period that is over waits for the successor, the one
    that has begun goes on whole."""
    began = TODAY - timedelta(days=10)
    pair = Incompatibility.objects.create(company=acme.company, left_kind="analyst", right_kind="pm")
    terms = CheckTerms(acme.performance, "цифры", "week", TODAY + timedelta(days=60))
    named = {"company": acme.company, "by": None, "at": AT, "person": acme.pm, "pair": pair}
    former = conflicts.name_check(**named, today=began, terms=terms)
    over, begun = former.rounds.all()[:2]
    assert (over.last_day, begun.first_day) == (TODAY - timedelta(days=4), TODAY - timedelta(days=3))

    terms = CheckTerms(acme.content, "цифры", "week", TODAY + timedelta(days=60))
    check = conflicts.name_check(**named, today=TODAY, terms=terms, takes_over=former)

    first, second = check.rounds.all()[:2]
    assert (first.first_day, first.last_day) == (began, over.last_day)
    assert first.due_on == TODAY + timedelta(days=3), "time to look at what somebody else has left"
    assert (second.first_day, second.last_day) == (begun.first_day, begun.last_day)
    assert rounds_to_look_at(company=acme.company, checker=acme.content, on=TODAY) == [first]
    assert rounds_to_look_at(company=acme.company, checker=acme.performance, on=TODAY) == []
