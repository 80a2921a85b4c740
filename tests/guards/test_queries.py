"""Every page costs the same number of queries with 3 and with 30 channels, reports, decisions, actions, loads, rules.

Pages are taken from the resolver. The first request after a load may fill a cache, so each page is asked once before.
"""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kpis.models import Breach, DailyFact, DataIncident, Import, Source, StopRule, StopRuleVersion
from mops.models import Delivery, Notification, WebhookDelivery, WebhookEndpoint
from processes import services as processes
from processes.models import Action, Brief, Decision, Review
from reports.models import WeeklyReport
from roles import audit
from roles.models import (
    Access,
    AccessAdministrator,
    AccessChannel,
    Appointment,
    Campaign,
    Channel,
    CheckRound,
    Contractor,
    ContractorPerson,
    DocumentLink,
    ExternalCheck,
    Incompatibility,
    Membership,
    Reorganisation,
    User,
)

from .conftest import MONDAY, NOW, TODAY
from .test_access import PATTERNS, address, may

MOST = 45
PEOPLE = ("owner", "cmo", "analyst", "performance")


def grow(made, numbers: range) -> None:
    """One more of everything that a list may show for each number."""
    company = made.company
    owned = {"company": company}
    source = Source.objects.get(**owned, code="crm")
    template = StopRuleVersion.objects.filter(**owned).first()
    for number in numbers:
        channel = Channel.objects.create(
            **owned, code=f"more-{number}", name=f"Канал {number}", kind="paid", status="active", owner=made.performance,
            coordinator=made.pm,
        )  # fmt: skip
        Appointment.objects.create(
            **owned, role=made.roles["performance"], person=made.performance, channel=channel, starts_on=TODAY
        )
        Campaign.objects.create(**owned, channel=made.vk, external_id=f"m-{number}", name=f"Кампания {number}")
        rule = StopRule.objects.create(**owned, number=100 + number)
        version = StopRuleVersion.objects.get(pk=template.pk)
        version.pk, version.rule, version.channel, version.approved_at = None, rule, channel, NOW
        version.save()
        Breach.objects.create(
            **owned, channel=channel, rule=rule, version=version, first_day=MONDAY, opened_on=MONDAY,
            days=[MONDAY.isoformat()], detected_at=NOW,
        )  # fmt: skip
        Action.objects.create(
            **owned, text=f"Дело {number}", owner=made.performance, due_on=TODAY, channel=channel, created_at=NOW
        )
        WeeklyReport.objects.create(
            **owned, channel=channel, week=MONDAY, plan_due_at=NOW, fact_opens_at=NOW, fact_due_at=NOW, locks_at=NOW
        )
        load = Import.objects.create(
            **owned, source=source, state="done", profile="canonical", filename=f"{number}.csv", sha256=f"{number:064d}",
            created_at=NOW,
        )  # fmt: skip
        DailyFact.objects.create(
            **owned, day=MONDAY, channel=channel, source=source, load_id=load.pk, spend=100, leads=2, qualified_leads=1
        )
        DataIncident.objects.create(
            **owned, rule=rule, channel=channel, first_day=MONDAY, last_day=MONDAY, opened_at=NOW,
            state="open" if number % 2 else "closed",
        )  # fmt: skip
        _clash(made, number)
        _register(made, number, channel)
        Reorganisation.objects.create(**owned, title=f"Карта {number}", starts_on=TODAY, created_at=NOW)
        told = Notification.objects.create(
            **owned, person=made.performance, key=f"k{number}", title="t", created_at=NOW
        )
        Delivery.objects.create(**owned, notification=told, way="email", state="sent")
        WebhookDelivery.objects.create(
            **owned, endpoint=WebhookEndpoint.objects.get(**owned), kind="webhook.test", body="{}", created_at=NOW
        )
        audit.record(company=company, by=made.pm, verb="create_channel", obj=channel, at=NOW)
    for decision in processes.open_decisions(company=company, at=NOW)[::3]:
        _go_on(made, decision)


def _clash(made, number: int) -> None:
    """One more person who analyses and decides, under a check whose first round is skipped."""
    owned = {"company": made.company}
    user = User.objects.create_user(f"more-{number}@{made.company.slug}.example", name=f"Ещё {number}")
    person = Membership.objects.create(**owned, user=user, joined_on=MONDAY)
    for code in ("analyst", "cmo"):
        Appointment.objects.create(**owned, role=made.roles[code], person=person, starts_on=MONDAY)
    check = ExternalCheck.objects.create(
        **owned, person=person, pair=Incompatibility.objects.get(**owned), checker=made.owner, what="w", cadence="week",
        starts_on=MONDAY - timedelta(days=14), until=TODAY, created_at=NOW,
    )  # fmt: skip
    CheckRound.objects.create(
        **owned, external_check=check, first_day=MONDAY - timedelta(days=14), last_day=MONDAY - timedelta(days=8),
        due_on=MONDAY - timedelta(days=5),
    )  # fmt: skip


def _register(made, number: int, channel: Channel) -> None:
    """One more access with an administrator, a contract with its person, a document and a brief."""
    owned = {"company": made.company}
    contractor = Contractor.objects.create(
        **owned,
        name=f"Фирма {number}",
        scope="s",
        starts_on=MONDAY,
        ends_on=TODAY,
        responsible=made.performance,
        changed_at=NOW,
    )
    ContractorPerson.objects.create(**owned, contractor=contractor, person=made.contractor)
    access = Access.objects.create(
        **owned, system=f"С {number}", identifier="1", owned_by="contractor", contractor=contractor, registered_on=TODAY,
        checked_by=made.performance, changed_at=NOW,
    )  # fmt: skip
    AccessChannel.objects.create(**owned, access=access, channel=channel)
    AccessAdministrator.objects.create(**owned, access=access, person=made.performance)
    DocumentLink.objects.create(
        **owned,
        title=f"Д {number}",
        url=f"https://t.me/{number}",
        owner=made.performance,
        channel=channel,
        added_on=TODAY,
    )
    for state in ("delivered", "done"):
        Brief.objects.create(
            **owned, contractor=contractor, channel=channel, title=f"З {number}", text="t", criteria=[], state=state, due_on=TODAY,
            author=made.performance, created_at=NOW, changed_at=NOW, delivered_by=made.contractor, judged_by=made.performance,
        )  # fmt: skip


def _go_on(made, decision: Decision) -> None:
    """Signed to go on, with its breach muted and a review waiting: what runs under an override and has an account."""
    Decision.objects.filter(pk=decision.pk).update(
        state="signed", choice="continue", terms={"until": (TODAY + timedelta(days=7)).isoformat(), "extra_spend": "5000"},
        signed_by=made.cmo, signed_at=NOW, effective_at=NOW - timedelta(days=1),
    )  # fmt: skip
    Breach.objects.filter(pk=decision.breach_id).update(muted=True)
    Review.objects.create(company=made.company, decision=decision, kind="due", due_on=TODAY, opened_at=NOW)


def count_queries(browser, url: str) -> int:
    browser.get(url)
    with CaptureQueriesContext(connection) as queries:
        response = browser.get(url)
    assert response.status_code in {200, 302, 403, 404, 405}
    return len(queries)


@pytest.mark.parametrize("person", PEOPLE)
def test_pages_cost_the_same_with_3_and_30_rows(person, two_companies, sign_in):
    acme, _rival = two_companies
    pages = [(name, address("acme", name, pattern, acme.things)) for name, pattern in PATTERNS if may(person, pattern)]
    browser = sign_in(getattr(acme, person))
    grow(acme, range(3))
    few = {name: count_queries(browser, url) for name, url in pages}

    grow(acme, range(3, 30))
    many = {name: count_queries(browser, url) for name, url in pages}

    assert {name: (few[name], many[name]) for name in few if many[name] > few[name]} == {}
    assert {name: many[name] for name in many if many[name] > MOST} == {}
