"""The independence index recomputed by hand, its history, packs that are asked again, and any departure of anybody."""

import contextlib
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kpis.models import Kpi, Source, StopRule, StopRuleVersion
from processes import role_reviews
from processes.independence.history import keep_index
from processes.independence.index import Part, index_of
from processes.leaving import plans, services
from processes.leaving.house import open_house
from processes.models import Action, Brief, Handover, HandoverItem, IndexSnapshot, RoleReview
from processes.packs import pack
from processes.triggers import quarter_over
from roles import audit, conflicts, selectors
from roles.models import (
    Access,
    AccessAdministrator,
    Appointment,
    AuditEvent,
    Channel,
    Contractor,
    DocumentLink,
    ExternalCheck,
    Incompatibility,
    IncompatibilityVersion,
    Membership,
    RoleVersion,
)
from roles.permissions import RoleKind
from roles.refusals import Refused
from roles.services import conflicts as service

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
TODAY = date(2026, 11, 20)
BEGAN = TODAY - timedelta(days=8)
PEOPLE = ("cmo", "pm", "analyst", "performance", "content", "contractor")


def house(made):
    return open_house(company=made.company, on=TODAY, at=AT, money=False)


def test_index_by_hand(acme):
    """Roles 1 of 6 (the VK place has a deputy), work 1 of 3 (VK by two; the blog by nobody; loads by one), charters 1 of 7.

    Weights 25, 25, 15 of 65: 25/65·100·1/6 + 25/65·100·1/3 + 15/65·100·1/7 = 6.41 + 12.82 + 3.30 = 22.53.
    """
    Appointment.objects.filter(person=acme.performance).update(deputy=acme.content)
    RoleVersion.objects.filter(role=acme.roles["cmo"]).update(
        mission_ru="m", duties=[{"key": "a", "ru": "a", "cadence": "week"}], kpis=["cpa"]
    )
    for person in (acme.performance, acme.content):
        audit.record(
            company=acme.company,
            by=person,
            verb="submit_weekly_fact",
            obj=acme.vk,
            at=AT,
            after={"channel": acme.vk.name},
        )
    audit.record(company=acme.company, by=acme.analyst, verb="record_facts", obj=acme.vk, at=AT, after={})

    found = index_of(house(acme))

    parts = {row.part: (len(row.good), len(row.things)) for row in found.parts}
    assert parts == {Part.ROLES: (1, 6), Part.PROCESSES: (1, 3), Part.PACKS: (1, 7)}
    assert found.value == 23
    assert [float(round(row.weight, 2)) for row in found.parts] == [38.46, 38.46, 23.08]


def test_index_without_somebody_is_lower_and_the_step_names_its_gain(acme):
    Appointment.objects.filter(person=acme.performance).update(deputy=acme.content)
    found = house(acme)

    assert index_of(found, without=acme.content).value < index_of(found).value
    part, thing = index_of(found).steps[0]
    assert part.gain == part.weight / len(part.things)
    assert thing.lack is not None


def test_index_is_kept_once_a_day(acme):
    first = keep_index(company=acme.company, day=TODAY, at=AT)
    Appointment.objects.filter(person=acme.performance).update(deputy=acme.content)

    assert keep_index(company=acme.company, day=TODAY, at=AT) == first
    assert IndexSnapshot.objects.count() == 1


def test_pack_is_asked_again_when_its_text_changes(acme):
    role = selectors.get_role(company=acme.company, pk=acme.roles["cmo"].pk)
    pack.read_pack(company=acme.company, by=acme.cmo, at=AT, role=role)
    assert pack.readers(company=acme.company, on=TODAY)[role.role_id][0].read_at == AT

    RoleVersion.objects.filter(pk=role.pk).update(mission_ru="другая")

    again = pack.readers(company=acme.company, on=TODAY)[role.role_id][0]
    assert again.read_at is None
    assert again.before == AT


def furnish(made, draw_person) -> None:
    """Rules, sources, actions, coordination and deputies on whom the draw says."""
    company = made.company
    kpi, _made = Kpi.objects.get_or_create(company=company, code="cpa")
    for number in range(3):
        rule = StopRule.objects.create(company=company, number=number + 1)
        StopRuleVersion.objects.create(
            company=company, rule=rule, name="CPA", kpi=kpi, comparison="above", line=3500, window="in_a_row", n=3,
            channel=made.vk, owner=draw_person(), valid_from=TODAY, reason="r", created_at=AT, approved_at=AT,
        )  # fmt: skip
        Source.objects.create(company=company, code=f"s{number}", name="CRM", kind="file", owner=draw_person())
        Action.objects.create(
            company=company, text=f"Дело {number}", owner=draw_person(), due_on=TODAY, channel=made.blog, created_at=AT
        )
        furnish_outside(made, number, draw_person)
    Channel.objects.filter(company=company).update(coordinator=draw_person())
    for row in Appointment.objects.filter(company=company).exclude(role__kind=RoleKind.OWNER):
        deputy = draw_person()
        if deputy.pk != row.person_id:
            Appointment.objects.filter(pk=row.pk).update(deputy=deputy)


def furnish_outside(made, number: int, draw_person) -> None:
    """An access with one administrator or two, a document, a contractor with a brief."""
    owned = {"company": made.company}
    access = Access.objects.create(
        **owned, system="VK", identifier=str(number), owned_by="company", registered_on=TODAY, changed_at=AT
    )
    for person in {draw_person(), draw_person()}:
        AccessAdministrator.objects.create(**owned, access=access, person=person)
    DocumentLink.objects.create(
        **owned, title="Прайс", url=f"https://example.org/{number}", owner=draw_person(), added_on=TODAY
    )
    responsible, deputy = draw_person(), draw_person()
    contractor = Contractor.objects.create(
        **owned, name=f"Студия {number}", scope="s", starts_on=TODAY, ends_on=TODAY + timedelta(days=90), changed_at=AT,
        responsible=responsible, deputy=None if deputy.pk == responsible.pk else deputy,
    )  # fmt: skip
    Brief.objects.create(
        **owned,
        contractor=contractor,
        title="t",
        text="t",
        due_on=TODAY,
        author=draw_person(),
        created_at=AT,
        changed_at=AT,
    )


def furnish_checks(made, data) -> list[ExternalCheck]:
    """Two people with two duties that must not meet, each under a check by another one; its first round is over."""
    everybody, found = [getattr(made, code) for code in PEOPLE], []
    for worker in data.draw(st.lists(st.sampled_from(PEOPLE), min_size=2, max_size=2, unique=True)):
        second = "analyst" if worker != "analyst" else "pm"
        person = getattr(made, worker)
        pair = Incompatibility.objects.create(
            company=made.company, left_role=made.roles[worker], right_role=made.roles[second]
        )
        IncompatibilityVersion.objects.create(
            company=made.company, pair=pair, why_ru="так", valid_from=BEGAN, reason="r", created_at=AT
        )
        Appointment.objects.create(company=made.company, role=made.roles[second], person=person, starts_on=BEGAN)
        checker = data.draw(st.sampled_from([one for one in everybody if one != person]))
        terms = service.CheckTerms(checker, "цифры", "week", TODAY + timedelta(days=60))
        check = service.name_check(
            company=made.company, by=None, at=AT, today=BEGAN, person=person, pair=pair, terms=terms
        )
        if data.draw(st.booleans()):
            first = check.rounds.order_by("first_day").first()
            service.sign_round(
                company=made.company, by=checker, at=AT, today=TODAY, one=first, outcome="clean", finding="в порядке"
            )
        found.append(check)
    return found


def furnish_reviews(made, draw_person) -> None:
    """A review of roles that is done, and one that is open."""
    owned = {"company": made.company, "opened_at": AT, "due_on": TODAY, "triggers": [quarter_over(TODAY)]}
    RoleReview.objects.create(**owned, state="done", conclusion="оставили", done_by=draw_person(), done_at=AT)
    RoleReview.objects.create(**owned)


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_after_any_departure_nothing_is_without_an_owner_and_nothing_is_lost(acme, data):
    """Random holders, checkers, a random leaver, random answers of successors before the day and after it."""
    everybody = [getattr(acme, code) for code in PEOPLE]
    for person in everybody:  # the database forgets the example before, the people in memory do not
        person.is_active, person.left_on = True, None
        person.__dict__.pop("hats", None)
    with transaction.atomic():
        checks = furnish_checks(acme, data)
        furnish(acme, lambda: data.draw(st.sampled_from(everybody)))
        furnish_reviews(acme, lambda: data.draw(st.sampled_from(everybody)))
        leaver = data.draw(st.sampled_from(everybody))
        told, actions = AuditEvent.objects.count(), Action.objects.count()
        handover = services.start_handover(
            company=acme.company, by=acme.owner, at=AT, person=leaver, last_day=TODAY, reason="r"
        )
        for item in plans.items(company=acme.company).filter(handover=handover):
            if item.successor_id and data.draw(st.booleans()):
                services.answer(company=acme.company, by=item.successor, at=AT, item=item, agrees=True)
        after = AT + timedelta(days=1)
        services.leave_due(company=acme.company, at=after, today=TODAY + timedelta(days=1))
        service.follow_checks(company=acme.company, at=after, today=TODAY + timedelta(days=1))

        for item in plans.items(company=acme.company).filter(handover=handover, state=HandoverItem.State.FELL):
            if item.successor_id and data.draw(st.booleans()):
                with contextlib.suppress(Refused), transaction.atomic():
                    services.answer(company=acme.company, by=item.successor, at=after, item=item, agrees=True)

        leaver.refresh_from_db()
        assert not leaver.is_active
        assert_nothing_orphaned(acme)
        assert_nothing_unchecked(acme, handover, checks)
        assert_reviews_stay(acme)
        assert (Action.objects.count(), StopRule.objects.count(), Source.objects.count()) == (actions, 3, 3)
        kept = [model.objects.count() for model in (Access, DocumentLink, Contractor, Brief)]
        assert kept == [3, 3, 3, 3]
        assert AuditEvent.objects.count() > told
        handover.refresh_from_db()
        left = handover.items.exclude(state__in=HandoverItem.SETTLED).exists()
        assert (handover.state == Handover.State.CLOSED) is not left
        transaction.set_rollback(True)


def assert_nothing_orphaned(made) -> None:
    tomorrow = TODAY + timedelta(days=1)
    running = Channel.objects.filter(company=made.company, status__in=Channel.RUNNING)
    assert not running.exclude(owner__is_active=True).exists()
    assert not running.exclude(coordinator__is_active=True).exists()
    held = selectors.appointments_in_force(company=made.company, on=tomorrow)
    for channel in running:
        assert held.filter(channel=channel, person=channel.owner).exists()
    assert not held.filter(person__is_active=False).exists()
    assert not held.filter(deputy__is_active=False).exists()
    assert not StopRuleVersion.objects.filter(superseded_at=None, owner__is_active=False).exists()
    assert not Source.objects.filter(owner__is_active=False).exists()
    assert not Source.objects.filter(owner=None).exists()
    assert not Action.objects.filter(state="open", owner__is_active=False).exists()
    for access in Access.objects.all():
        assert access.administrators.exists()
        assert not access.administrators.filter(is_active=False).exists()
    assert not DocumentLink.objects.filter(owner__is_active=False).exists()
    assert not Contractor.objects.filter(responsible__is_active=False).exists()


def assert_nothing_unchecked(made, handover, named: list[ExternalCheck]) -> None:
    """A conflict that lasts is checked by somebody who is here, all its days, or stands open on the plan and the map."""
    tomorrow = TODAY + timedelta(days=1)
    running = ExternalCheck.objects.filter(company=made.company, until__gte=tomorrow, ended_on=None)
    assert not running.exclude(checker__is_active=True, person__is_active=True).exists()
    standings = {
        (row.clash.person.pk, row.clash.version.pair_id): row
        for row in conflicts.standings(company=made.company, on=tomorrow)
    }
    for check in named:
        standing = standings.get((check.person_id, check.pair_id))
        if standing is None:
            continue
        if check.checker_id != handover.person_id:
            assert standing.is_checked
            assert standing.check == check
            continue
        item = handover.items.get(kind="check", object_id=check.pk)
        assert standing.is_checked is (item.state == HandoverItem.State.PASSED)
        if standing.is_checked:
            assert standing.check.checker == item.successor
            assert_every_day_is_looked_at(check, standing.check, tomorrow)
        else:
            assert item.state in HandoverItem.LEFT_TO_DO


def assert_every_day_is_looked_at(former: ExternalCheck, check: ExternalCheck, until: date) -> None:
    rounds = [*former.rounds.exclude(signed_at=None), *check.rounds.all()]
    for day in range((until - former.starts_on).days + 1):
        on = former.starts_on + timedelta(days=day)
        assert len([one for one in rounds if one.first_day <= on <= one.last_day]) == 1, on
    assert all(one.due_on >= until for one in check.rounds.all())


def assert_reviews_stay(made) -> None:
    """The open review of roles has somebody who closes it; what was concluded stays with its name."""
    here = Membership.objects.filter(company=made.company, is_active=True)
    assert role_reviews.open_review(company=made.company) is not None
    assert any(role_reviews.may_close(person) for person in here)
    assert RoleReview.objects.get(company=made.company, state="done").done_by is not None
