"""One real object of every kind in both companies: what the generated tests put into addresses."""

from datetime import UTC, date, datetime, timedelta

import pytest

from kpis.models import Breach, DataIncident, Import, Kpi, KpiVersion, Source, StopRule, StopRuleVersion, UtmRule
from mops.models import Delivery, Notification, WebhookDelivery, WebhookEndpoint
from processes import services as processes
from processes.models import Action, Brief, Drill, Handover, HandoverItem, Review, RoleReview
from processes.triggers import quarter_over
from reports.models import CompanyDay, Meeting, WeeklyReport
from roles.models import (
    Absence,
    Access,
    AccessChannel,
    ApiToken,
    Appointment,
    Campaign,
    Channel,
    CheckRound,
    Company,
    Contractor,
    ContractorPerson,
    DocumentLink,
    ExternalCheck,
    Incompatibility,
    IncompatibilityVersion,
    Move,
    Reorganisation,
    Role,
    RoleVersion,
)

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
TODAY = NOW.date()
MONDAY = date(2026, 11, 16)


def things_of(made) -> dict[str, dict]:
    """Objects of a company by the model's name in addresses; each maps the argument's name to its value."""
    company = made.company
    owned = {"company": company}
    version = {"valid_from": TODAY, "reason": "start", "created_at": NOW, "created_by": made.cmo}
    campaign = Campaign.objects.create(**owned, channel=made.vk, external_id="c-1", name="Кампания")
    kpi = Kpi.objects.filter(**owned, code="cpa").first() or Kpi.objects.create(**owned, code="cpa")
    if not kpi.versions.exists():
        KpiVersion.objects.create(
            **owned, **version, kpi=kpi, name_ru="CPA", formula="spend / qualified_leads", better="lower", unit="money"
        )
    source = Source.objects.create(**owned, code="crm", name="CRM", kind="file")
    rule = StopRule.objects.create(**owned, number=1)
    rule_version = StopRuleVersion.objects.create(
        **owned, **version, rule=rule, name="CPA", kpi=kpi, comparison="above", line=3500, window="in_a_row", n=3,
        channel=made.vk, owner=made.cmo, zero_line=10500, max_span=7,
    )  # fmt: skip
    Breach.objects.create(
        **owned, channel=made.vk, rule=rule, version=rule_version, first_day=MONDAY, opened_on=date(2026, 11, 18),
        days=["2026-11-16", "2026-11-17", "2026-11-18"], detected_at=NOW,
    )  # fmt: skip
    decision = processes.open_decisions(company=company, at=NOW)[0]
    review = Review.objects.create(**owned, decision=decision, kind="due", due_on=TODAY, opened_at=NOW)
    action = Action.objects.create(
        **owned, text="Проверить", owner=made.performance, due_on=TODAY, channel=made.vk, created_at=NOW
    )
    report = WeeklyReport.objects.create(
        **owned, channel=made.vk, week=MONDAY, plan_due_at=NOW - timedelta(days=4), fact_opens_at=NOW - timedelta(hours=3),
        fact_due_at=NOW + timedelta(hours=3), locks_at=NOW + timedelta(days=3),
    )  # fmt: skip
    load = Import.objects.create(
        **owned, source=source, state="done", profile="canonical", filename="a.csv", sha256="0" * 64, created_at=NOW
    )
    utm_rule = UtmRule.objects.create(**owned, utm_source="vk", channel=made.vk, created_at=NOW)
    incident = DataIncident.objects.create(
        **owned,
        kind="mass_fire",
        first_day=MONDAY,
        last_day=TODAY,
        opened_at=NOW,
        figures={"channels": ["VK"], "judged": 5},
    )
    appointment = Appointment.objects.filter(**owned, person=made.performance).first()
    absence = Absence.objects.create(**owned, person=made.performance, starts_on=TODAY, ends_on=TODAY)
    token = ApiToken.objects.create(
        **owned, person=made.pm, name="t", digest=f"{company.slug}-digest", hint="mops_", scopes=["read"],
        created_at=NOW, expires_at=NOW + timedelta(days=9),
    )  # fmt: skip
    notification = Notification.objects.create(**owned, person=made.pm, key="k", title="t", created_at=NOW)
    delivery = Delivery.objects.create(**owned, notification=notification, way="email", state="sent")
    endpoint = WebhookEndpoint.objects.create(
        **owned, name="w", url="https://hooks.example/", secret="s", events=["decision.signed"], state="paused",
        active_since=NOW, created_at=NOW,
    )  # fmt: skip
    sent = WebhookDelivery.objects.create(**owned, endpoint=endpoint, kind="webhook.test", body="{}", created_at=NOW)
    company_day = CompanyDay.objects.create(**owned, day=TODAY + timedelta(days=30), created_at=NOW)
    meeting = Meeting.objects.create(**owned, week=MONDAY)
    pair = Incompatibility.objects.create(**owned, left_kind="analyst", right_kind="cmo")
    IncompatibilityVersion.objects.create(
        **owned, pair=pair, why_ru="так", valid_from=TODAY, reason="start", created_at=NOW
    )
    check = ExternalCheck.objects.create(
        **owned, person=made.cmo, pair=pair, checker=made.owner, what="w", cadence="week", starts_on=MONDAY,
        until=TODAY + timedelta(days=30), created_at=NOW,
    )  # fmt: skip
    check_round = CheckRound.objects.create(
        **owned, external_check=check, first_day=MONDAY, last_day=TODAY, due_on=TODAY + timedelta(days=3)
    )
    draft = Reorganisation.objects.create(**owned, title="t", starts_on=TODAY, created_by=made.pm, created_at=NOW)
    move = Move.objects.create(
        **owned, reorganisation=draft, kind="appoint", role=made.roles["content"], person=made.pm, channel=made.blog
    )
    role_review = RoleReview.objects.create(
        **owned, opened_at=NOW, due_on=TODAY + timedelta(days=9), triggers=[quarter_over(TODAY)]
    )
    handover = Handover.objects.create(
        **owned, person=made.content, last_day=TODAY + timedelta(days=9), reason="r", created_by=made.pm, created_at=NOW
    )
    item = HandoverItem.objects.create(
        **owned, handover=handover, kind="action", object_id=action.pk, label="l", successor=made.pm
    )
    drill = Drill.objects.create(
        **owned, person=made.content, first_day=TODAY, last_day=TODAY, run_by=made.pm, run_at=NOW,
        stopped=[{"what": "report", "name": "n", "stand_in": ""}],
    )  # fmt: skip
    access = Access.objects.create(
        **owned, system="VK", identifier="1", owned_by="company", registered_on=TODAY, changed_at=NOW
    )
    AccessChannel.objects.create(**owned, access=access, channel=made.vk)
    document = DocumentLink.objects.create(
        **owned, title="Прайс", url="https://example.org/price", owner=made.pm, added_on=TODAY, channel=made.vk
    )
    contractor = Contractor.objects.create(
        **owned, name="Студия", scope="Сайт", starts_on=MONDAY, ends_on=TODAY + timedelta(days=3650), responsible=made.pm,
        changed_at=NOW,
    )  # fmt: skip
    ContractorPerson.objects.create(**owned, contractor=contractor, person=made.contractor)
    brief = Brief.objects.create(
        **owned, contractor=contractor, title="Форма", text="Ускорить", criteria=[{"text": "2 с", "met": False}], state="sent",
        due_on=TODAY, author=made.pm, created_at=NOW, changed_at=NOW,
    )  # fmt: skip
    return {
        "role-review": {"pk": role_review.pk},
        "drill": {"pk": drill.pk},
        "handover": {"pk": handover.pk},
        "handover-item": {"pk": item.pk},
        "reorganisation": {"pk": draft.pk, "kind": "appoint"},
        "move": {"pk": move.pk},
        "access": {"pk": access.pk},
        "document": {"pk": document.pk},
        "contractor": {"pk": contractor.pk},
        "brief": {"pk": brief.pk},
        "incompatibility": {"pk": pair.pk},
        "check-round": {"pk": check_round.pk},
        "company-day": {"pk": company_day.pk},
        "meeting": {"pk": meeting.pk},
        "channel": {"code": made.vk.code, "pk": made.vk.pk},
        "campaign": {"pk": campaign.pk, "code": made.vk.code},
        "person": {"pk": made.performance.pk},
        "role": {"pk": made.roles["performance"].pk, "code": "performance", "key": "d1"},
        "appointment": {"pk": appointment.pk},
        "absence": {"pk": absence.pk},
        "token": {"pk": token.pk},
        "kpi": {"code": "cpa"},
        "source": {"pk": source.pk, "code": "crm"},
        "stop-rule": {"pk": rule.pk},
        "import": {"pk": load.pk},
        "utm-rule": {"pk": utm_rule.pk},
        "data-incident": {"pk": incident.pk},
        "decision": {"pk": decision.pk},
        "review": {"pk": review.pk},
        "action": {"pk": action.pk},
        "stuck-action": {"pk": action.pk},
        "weekly-report": {"pk": report.pk},
        "notification": {"pk": notification.pk},
        "delivery": {"pk": delivery.pk},
        "webhook": {"pk": endpoint.pk, "delivery": sent.pk},
        "webhook-delivery": {"pk": sent.pk},
    }


def only_theirs(made) -> None:
    """Objects that are addressed by codes, each under a code that no other company has."""
    code = f"only-{made.company.slug}"
    version = {"company": made.company, "valid_from": TODAY, "reason": "start", "created_at": NOW}
    Channel.objects.create(company=made.company, code=code, name="x", kind="paid", status="planned")
    role = Role.objects.create(company=made.company, code=code, kind="analyst")
    RoleVersion.objects.create(**version, role=role, name_ru="x", mission_ru="x")
    kpi = Kpi.objects.create(company=made.company, code=code)
    KpiVersion.objects.create(**version, kpi=kpi, name_ru="x", formula="spend / leads", better="lower", unit="money")
    Source.objects.create(company=made.company, code=code, name="x", kind="file")
    for kind in ("channel", "role", "kpi", "source"):
        made.things[kind]["theirs"] = code


@pytest.fixture
def two_companies(acme, rival):
    for made in (acme, rival):
        made.things = things_of(made)
    only_theirs(rival)
    Company.objects.update(is_sample=True)  # so that the page that removes a sample is there to be tried
    return acme, rival
